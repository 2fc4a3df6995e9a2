"""What an upload holds, decided in a process of its own before anything is stored."""

from cohortex.study.check.agreement import EnteredFacts
from cohortex.study.check.limits import CheckLimits
from cohortex.study.check.upload import check_upload
from cohortex.study.check.verdict import CheckedInstance, CheckProblem, Fact, SeriesVerdict, UploadCheck

__all__ = [
    "CheckLimits",
    "CheckProblem",
    "CheckedInstance",
    "EnteredFacts",
    "Fact",
    "SeriesVerdict",
    "UploadCheck",
    "check_upload",
]
