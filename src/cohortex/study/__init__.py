"""One installation, one study: its people and patients, what was sent, what was made of it, and who may see it."""

from cohortex.study.home import Study

__all__ = ["Study"]
