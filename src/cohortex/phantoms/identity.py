"""Invented identities planted in phantom files, so that de-identification has something to find."""

from __future__ import annotations

from dataclasses import dataclass, fields


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
