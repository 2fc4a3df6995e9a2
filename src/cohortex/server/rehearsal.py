"""A study of phantoms: three centres that do not exist enter patients who do not exist, through the real API."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from cohortex import phantoms
from cohortex.phantoms.scanner import Vendor
from cohortex.progress import Progress, ProgressCallback, silent
from cohortex.server.client import StudyClient
from cohortex.study import Study
from cohortex.study.database.tables import Role
from cohortex.study.people import add_centre, add_uploader

CENTRES = (
    ("NORD", "Phantom Hospital North", "IT"),
    ("MARE", "Phantom Institute by the Sea", "IT"),
    ("SUD", "Phantom Clinic South", "IT"),
)
PEOPLE: tuple[tuple[str, str, str, Role, str], ...] = (
    ("NORD", "anna", "Anna Esempio", "coordinator", "it"),
    ("MARE", "ben", "Ben Example", "uploader", "en"),
    ("SUD", "carla", "Carla Esempio", "uploader", "it"),
)
_VENDORS: Mapping[str, Vendor] = {"NORD": "siemens-like", "MARE": "ge-like", "SUD": "philips-like"}
_SPACING_MM = 2.0
_THICK_MM = 4.0  # every fourth patient is scanned with thick slices at follow-up
_FIRST_DAY = date(2024, 1, 8)
_FOLLOW_UP_DAYS = 42
_SMALLEST_MM3 = 200.0


@dataclass(frozen=True, kw_only=True)
class RehearsedPatient:
    """One patient of the rehearsal, known by the seed from which everything about the patient is drawn.

    Attributes
    ----------
    seed : int
        Of head, lesions, identity and record.
    centre : str
        Code of the centre that enters the patient.
    visits : int
        1 or 2.
    """

    seed: int
    centre: str
    visits: int

    def day(self, number: int) -> date:
        """Day of a visit, counted from 0, as entered and as written by the scanner."""
        return _FIRST_DAY + timedelta(days=self.seed % 28 + number * _FOLLOW_UP_DAYS)


def rehearsed_patients(count: int = 8, *, first_seed: int = 11) -> tuple[RehearsedPatient, ...]:
    """Deal patients to the three centres in turn; every other one has two visits."""
    return tuple(
        RehearsedPatient(seed=first_seed + n, centre=CENTRES[n % len(CENTRES)][0], visits=2 - n % 2)
        for n in range(count)
    )


def staff(study: Study, *, passwords: Path) -> dict[str, str]:
    """Add the three centres and a person to each, with passwords drawn for this study alone.

    Parameters
    ----------
    study : Study
        New.
    passwords : Path
        File for logins and passwords, readable by the owner only.

    Returns
    -------
    dict of str to str
        Login -> password.
    """
    for code, name, country in CENTRES:
        add_centre(study, code=code, name=name, country=country)
    drawn = {}
    for centre, login, name, role, language in PEOPLE:
        added = add_uploader(study, centre=centre, login=login, name=name, role=role, language=language)
        drawn[login] = added.password
    descriptor = os.open(passwords, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.writelines(f"{login} {password}\n" for login, password in drawn.items())
    return drawn


def passwords_of(path: Path) -> dict[str, str]:
    """Read what `staff` wrote."""
    return dict(line.split() for line in path.read_text(encoding="utf-8").splitlines())


def enter(
    address: str,
    patients: Sequence[RehearsedPatient],
    *,
    passwords: Mapping[str, str],
    scans: Path,
    spacing_mm: float = _SPACING_MM,
    progress: ProgressCallback = silent,
) -> None:
    """Scan the patients and enter them as their centres would; what an earlier run entered stays.

    Parameters
    ----------
    address : str
        Of the running server.
    patients : sequence of RehearsedPatient
        Whom.
    passwords : mapping of str to str
        Login -> password, from `staff`.
    scans : Path
        Folder for the DICOM zips.
    spacing_mm : float
        Of the scans.
    progress : callable
        Told after each patient; stops when it raises.
    """
    login_of = {centre: login for centre, login, *_ in PEOPLE}
    entered: dict[str, int] = {}
    for number, patient in enumerate(patients):
        progress(Progress(task="entering phantom patients", done=number, total=len(patients)))
        login = login_of[patient.centre]
        with StudyClient(address, login=login, password=passwords[login]) as client:
            known = sorted(row["code"] for row in client.get("/api/patients")["patients"])
            place = entered.get(patient.centre, 0)
            entered[patient.centre] = place + 1
            identity = phantoms.invented_identity(seed=patient.seed)
            if place < len(known):
                code = known[place]
            else:
                born = date.fromisoformat(identity.birth_date)
                code = client.post("/api/patients", {"sex": identity.sex, "birth_date": born.isoformat()})["code"]
            _enter_visits(client, code, patient, scans=scans, spacing_mm=spacing_mm)
    progress(Progress(task="entering phantom patients", done=len(patients), total=len(patients)))


def _enter_visits(client: StudyClient, code: str, patient: RehearsedPatient, *, scans: Path, spacing_mm: float) -> None:
    files: list[Path] = []
    for number in range(patient.visits):
        visits = client.get(f"/api/patients/{code}")["visits"]
        if number < len(visits):
            visit = visits[number]
        else:
            day = patient.day(number).isoformat()
            visit = client.post(f"/api/patients/{code}/visits", {"date": day})
        values = drawn_record(patient, number)
        client.put(f"/api/visits/{visit['id']}/record", {"values": values})
        if any(upload["state"] != "receiving" for upload in visit["uploads"]):
            continue
        files = files or scan(patient, scans, spacing_mm=spacing_mm)
        client.upload(files[number], visit=visit["id"])


def scan(patient: RehearsedPatient, folder: Path, *, spacing_mm: float = _SPACING_MM) -> list[Path]:
    """Scan a patient at every visit, as DICOM zips with an invented identity in the headers; once.

    Parameters
    ----------
    patient : RehearsedPatient
        Whom.
    folder : Path
        For the zips; made where it is missing.
    spacing_mm : float
        Of the scans.

    Returns
    -------
    list of Path
        One zip for each visit.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = [folder / f"{patient.centre.lower()}-{patient.seed}-{patient.day(n)}.zip" for n in range(patient.visits)]
    if not all(name.exists() for name in names):
        thick = [spacing_mm, max(spacing_mm, _THICK_MM) if patient.seed % 4 == 1 else spacing_mm][: patient.visits]
        made = phantoms.patient(
            seed=patient.seed,
            visits=patient.visits,
            spacing_mm=spacing_mm,
            slice_thickness_mm=thick,
            volume_mm3=(_SMALLEST_MM3, 4000),
        )
        for n, (visit, name) in enumerate(zip(made.visits, names, strict=True)):
            dated = [image.with_metadata(study_date=f"{patient.day(n):%Y%m%d}") for image in visit.images.values()]
            phantoms.write_dicom_zip(dated, name, scanner=_VENDORS[patient.centre], seed=patient.seed, overwrite=True)
    return names


def drawn_record(patient: RehearsedPatient, number: int) -> dict[str, dict[str, object]]:
    """Draw a clinical record that could be: neutrophils and CRP follow treatment and infection."""
    rng = np.random.default_rng([patient.seed, number])
    leukaemia = str(rng.choice(["ALL", "AML", "AML", "CLL"]))
    cause = str(rng.choice(["aspergillus", "toxoplasma", "nocardia", "not_identified"]))
    early = number == 0
    values: dict[str, object] = {
        "treatment_phase": "induction" if early else "consolidation",
        "remission_status": "not_reached" if early else "remission",
        "antifungal_intent": "empirical" if early else "targeted",
        "neutrophils": round(float(rng.uniform(0.0, 0.6) if early else rng.uniform(0.8, 4.0)), 2),
        "platelets": round(float(rng.uniform(8, 60) if early else rng.uniform(60, 220))),
        "crp": round(float(rng.uniform(40, 260) if early else rng.uniform(2, 40)), 1),
        "galactomannan_serum": round(float(rng.uniform(0.1, 3.0)), 2),
        "cause": cause,
    }
    if early:
        values |= {
            "leukaemia_type": leukaemia,
            "transplant": "none",
            "radiation": "none",
            "cns_prophylaxis": "intrathecal",
        }
    else:
        values |= {"outcome": str(rng.choice(["better", "stable", "worse"])), "alive": True, "first_remission_day": 20}
    if cause == "aspergillus":
        values["evidence_level"] = "probable"
    units = {"neutrophils": "10*9/L", "platelets": "10*9/L", "crp": "mg/L", "galactomannan_serum": "{index}"}
    return {name: {"value": value, "unit": units.get(name, "")} for name, value in values.items()}
