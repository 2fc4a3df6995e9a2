"""What an upload holds, decided in a process of its own before anything is stored."""

from cohortex.study.check.limits import CheckLimits
from cohortex.study.check.upload import check_upload
from cohortex.study.check.verdict import CheckedInstance, CheckProblem, SeriesVerdict, UploadCheck

__all__ = ["CheckLimits", "CheckProblem", "CheckedInstance", "SeriesVerdict", "UploadCheck", "check_upload"]
