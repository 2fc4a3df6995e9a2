"""Whether two visits are of one person by their DICOM headers: which entries differ is told, never what they hold."""

from __future__ import annotations

from dataclasses import dataclass

from cohortex.pipeline.visits.headers import VisitHeaders

_ID, _NAME, _BIRTH_DATE = "patient ID", "name", "birth date"


@dataclass(frozen=True, kw_only=True)
class PersonsInHeaders:
    """How the patient entries of two visits compare; an entry that one of them lacks is in neither list.

    Attributes
    ----------
    agree, differ : tuple of str
        Names of the entries.
    """

    agree: tuple[str, ...]
    differ: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether they are one person: most entries agree, the ID or two others among them.

        The name alone tells none: sites enter that of the trial.
        """
        return len(self.agree) > len(self.differ) and (_ID in self.agree or {_NAME, _BIRTH_DATE} <= {*self.agree})

    @property
    def different(self) -> bool:
        """Whether they are two: most entries differ. The ID alone does between hospitals, where the others agree."""
        return len(self.differ) > len(self.agree)

    @property
    def words(self) -> str:
        """What differs, in words: "patient ID and birth date differ"."""
        *others, last = self.differ or ("nothing",)
        return f"{', '.join(others)} and {last} differ" if others else f"{last} differs"


def compare_persons(first: VisitHeaders, second: VisitHeaders) -> PersonsInHeaders:
    """Compare the patient entries in the DICOM headers of two visits.

    Parameters
    ----------
    first, second : VisitHeaders
        Of each visit.

    Returns
    -------
    PersonsInHeaders
        Both lists empty where the headers say nothing: other formats, or identities taken out.
    """
    entries = [entry for entry in (_ID, _NAME, _BIRTH_DATE) if _held(first, entry) and _held(second, entry)]
    agree = [entry for entry in entries if _held(first, entry) & _held(second, entry)]
    return PersonsInHeaders(agree=tuple(agree), differ=tuple(entry for entry in entries if entry not in agree))


def _held(headers: VisitHeaders, entry: str) -> frozenset[str]:
    values = {_ID: headers.patient_ids, _NAME: headers.patient_names, _BIRTH_DATE: headers.birth_dates}
    return values[entry]
