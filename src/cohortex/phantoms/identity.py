"""Invented identities planted in phantom files, so that de-identification has something to find."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

_WOMEN = ("ANNA", "CHIARA", "ELENA", "GIULIA", "LAURA", "MARIA", "PAOLA", "SILVIA")
_MEN = ("ANDREA", "CARLO", "DARIO", "GIOVANNI", "LUCA", "MARCO", "PIETRO", "SERGIO")
_FAMILIES = ("CONTI", "COSTA", "FERRARI", "GALLO", "GRECO", "MARINO", "RICCI", "RIZZO", "ROMANO", "ROSSI", "RUSSO")
_FIRST_VISIT_YEAR = 2024  # in January: nobody born after has had a birthday


@dataclass(frozen=True, kw_only=True)
class PlantedIdentity:
    """A person who does not exist, as hospitals write people into headers.

    Every value is invented; the word PHANTOM stands in each name so that nobody takes it for a person.

    Attributes
    ----------
    patient_name, patient_id, birth_date, sex, age, address, telephone, other_id : str
        The patient, in DICOM's formats (names with carets, dates as YYYYMMDD).
    referring_physician, operator, institution, institution_address, station, accession_number : str
        Who and where.
    comment : str
        Free text that repeats the name in words.
    """

    patient_name: str = "PHANTOM^ROSSI^MARIA"
    patient_id: str = "MRN-0042137"
    birth_date: str = "19610413"
    sex: str = "F"
    age: str = "062Y"
    address: str = "Via Fantasma 12, Nessunopoli"
    telephone: str = "+39 000 5550142"
    other_id: str = "FNTMRA61D53X999Z"
    referring_physician: str = "PHANTOM^BIANCHI^LUCA"
    operator: str = "PHANTOM^VERDI"
    institution: str = "Ospedale Fantasma San Nessuno"
    institution_address: str = "Piazza Inventata 1, Nessunopoli"
    station: str = "FNTMR01"
    accession_number: str = "ACC7719024"
    comment: str = "Pat. Rossi Maria (PHANTOM), controllo; chiamare Dr. Bianchi"

    def planted_strings(self) -> tuple[str, ...]:
        """Everything that must be gone after de-identification: the values and the parts of the names."""
        found: list[str] = []
        for field in fields(self):
            value = str(getattr(self, field.name))
            if field.name in ("sex", "age"):
                continue
            found.append(value)
            if "^" in value:
                found.extend(part for part in value.split("^") if part)
        return tuple(dict.fromkeys(found))


def invented_identity(*, seed: int) -> PlantedIdentity:
    """Invent the person of a phantom patient.

    Parameters
    ----------
    seed : int
        Of the patient, 0 or more: one seed is one person at every visit, two seeds are two persons.

    Returns
    -------
    PlantedIdentity
        Name, number, birth date and all that repeats them; the hospital and its staff are always the same.
    """
    rng = np.random.default_rng([seed, 1961])
    sex, given_names = (("F", _WOMEN), ("M", _MEN))[int(rng.integers(2))]
    given, family = given_names[int(rng.integers(len(given_names)))], _FAMILIES[int(rng.integers(len(_FAMILIES)))]
    year, month, day = (int(rng.integers(*limits)) for limits in ((1935, 2000), (2, 13), (1, 29)))
    number = int(rng.integers(10**6))
    return PlantedIdentity(
        patient_name=f"PHANTOM^{family}^{given}",
        patient_id=f"MRN-0{number:06d}",
        birth_date=f"{year}{month:02d}{day:02d}",
        sex=sex,
        age=f"{_FIRST_VISIT_YEAR - 1 - year:03d}Y",
        address=f"Via Fantasma {int(rng.integers(1, 200))}, Nessunopoli",
        telephone=f"+39 000 {number:07d}",
        other_id=f"FNT{given[:3]}{year % 100:02d}D{day:02d}X{number % 1000:03d}Z",
        accession_number=f"ACC{int(rng.integers(10**7)):07d}",
        comment=f"Pat. {family.title()} {given.title()} (PHANTOM), controllo; chiamare Dr. Bianchi",
    )
