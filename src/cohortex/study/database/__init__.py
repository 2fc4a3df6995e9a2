"""The database of a study: its tables, who may see which rows, and how it comes to its present form."""

from cohortex.study.database.asker import THE_STUDY, Asker, StudySession, TheStudyItself
from cohortex.study.database.engine import connect
from cohortex.study.database.migration import migrate

__all__ = ["THE_STUDY", "Asker", "StudySession", "TheStudyItself", "connect", "migrate"]
