"""A de-identified object given to another patient: his code, his days; everything else stays bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from pydicom import Dataset, dcmread
from pydicom.dataelem import DataElement

from cohortex.study.identity.dates import shift_date, shift_date_time

_MOVED = {"DA": shift_date, "DT": shift_date_time}


def rewrite_instance(source: BinaryIO, target: Path, *, patient_code: str, further_days: int) -> None:
    """Write a stored object anew under the patient it belongs to.

    Parameters
    ----------
    source : binary file
        A de-identified object, as `deidentify` made it.
    target : Path
        New file.
    patient_code : str
        Study code of the patient it belongs to.
    further_days : int
        What is to be added to its dates: the right patient's shift less that of the patient it was stored under.

    Raises
    ------
    FileExistsError
        If there is such a file.
    """
    dataset = dcmread(source)

    def moved(_: Dataset, element: DataElement) -> None:
        shift = _MOVED.get(element.VR)
        if shift is None or element.is_empty:
            return
        values = element.value if element.VM > 1 else [element.value]
        shifted = [shift(str(value), days=further_days) or "" for value in values]
        element.value = shifted if element.VM > 1 else shifted[0]

    dataset.walk(moved)
    dataset.PatientName = patient_code
    dataset.PatientID = patient_code
    with target.open("xb") as stream:
        dataset.save_as(stream, enforce_file_format=True)
