"""The errors a caller can act on; everything else is a ValueError about an argument."""

from __future__ import annotations


class CohortexError(Exception):
    """Something about the data, said with the file, what was found and what to do next."""


class UnreadableFile(CohortexError):
    """A file that is empty, truncated, corrupt, or not of the format it claims."""


class UnknownFormat(CohortexError):
    """A file no reader recognises."""


class UnsafeArchive(CohortexError):
    """An archive that climbs out of its folder, explodes in size, or is broken."""


class GeometryError(CohortexError):
    """A geometry that cannot be represented or trusted."""


class MissingSlices(GeometryError):
    """A series with slices missing."""


class UnevenSlices(GeometryError):
    """A series whose slices are not evenly spaced."""


class SeveralImages(CohortexError):
    """One image was asked for where several were found.

    Attributes
    ----------
    found : str
        Which, without what to do about it.
    """

    def __init__(self, message: str, *, found: str = "") -> None:
        super().__init__(message)
        self.found = found or message


class NotAnImage(CohortexError):
    """A readable object that holds no picture on a grid (a report, a waveform)."""


class TargetExists(CohortexError):
    """A file that would have been overwritten."""


class UnwritableOutput(CohortexError):
    """A folder into which the output cannot be written."""


class AlignmentFailure(CohortexError):
    """An alignment that did not reach a trustworthy optimum."""


class VisitProblem(CohortexError):
    """A visit that lacks what a step needs."""


class DamagedResult(CohortexError):
    """A stored result that is missing or no longer holds the bytes that were written."""


class StepFailed(CohortexError):
    """A step of the pipeline that raised, or whose process died twice; the error it raised is the cause.

    Attributes
    ----------
    step : str
        What the step does, in the user's words.
    reason : str
        What went wrong, without the context.
    """

    def __init__(self, message: str, *, step: str = "", reason: str = "") -> None:
        super().__init__(message)
        self.step = step
        self.reason = reason or message


class StudyProblem(CohortexError):
    """Something about the study as a whole: its folder, its keys, its settings."""


class Refused(CohortexError):
    """Something a person asked of the study that cannot be done as asked.

    Attributes
    ----------
    remedy : str
        What to do instead.
    fields : dict of str to str
        What is wrong with which entry of a form.
    """

    def __init__(self, message: str, *, remedy: str = "", fields: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.remedy = remedy
        self.fields = fields or {}


class NotThere(Refused):
    """Something that does not exist, or that the asker has no right to know exists: both sound alike."""


class NotDeidentified(CohortexError):
    """An object from which the identity cannot be taken out with certainty; it is not stored.

    Attributes
    ----------
    reason, remedy : str
        What is wrong and what to do; neither holds anything of the object's content.
    """

    def __init__(self, reason: str, *, remedy: str) -> None:
        super().__init__(f"{reason} {remedy}")
        self.reason = reason
        self.remedy = remedy


class LimitReached(CohortexError):
    """A process confined to read untrusted bytes that was ended at one of its limits, or broke down.

    Attributes
    ----------
    reason, remedy : str
        Which limit, and what to do.
    """

    def __init__(self, reason: str, *, remedy: str) -> None:
        super().__init__(f"{reason} {remedy}")
        self.reason = reason
        self.remedy = remedy
