"""Which of two visits came first is known from what their names count, and from the dates in their headers."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

import pydicom
import pytest

from cohortex.pipeline.visits.headers import read_visit_headers
from cohortex.pipeline.visits.order import order_of_dates, order_of_names, sorting_key


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("visit-2", "visit-10"),
        ("w96", "w144"),
        ("w8", "week-12"),
        ("week-6", "month-3"),
        ("ses-2", "ses-10"),
        ("ses-a", "ses-b"),
        ("ses-m00", "ses-m12"),
        ("pre", "post"),
        ("ses-pre", "ses-post"),
        ("before", "after"),
        ("baseline", "follow-up"),
        ("follow-up", "follow-up-2"),
        ("fu1", "fu2"),
        ("screening", "baseline"),
        ("screening", "day-0"),
        ("baseline", "w96"),
        ("baseline", "visit-2"),
    ],
)
def test_names_that_count_or_name_a_phase_have_an_order(first, second):
    assert order_of_names(first, second) == "earlier"
    assert order_of_names(second, first) == "later"
    assert sorted([second, first], key=sorting_key) == [first, second]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("visit-1", "visit-1"),
        ("visit-1", "visit-1-2"),
        ("month-12", "year-1"),
        ("baseline", "pre"),
        ("baseline", "visit-1"),
        ("visit-1", "week-6"),
        ("ses-2", "ses-pre"),
        ("red", "blue"),
    ],
)
def test_names_that_do_not_tell_have_none(first, second):
    assert order_of_names(first, second) == order_of_names(second, first) == "not known"


def packed(path: Path, *files: Path) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("LIESMICH.TXT", "no scan")
            for file in files:
                archive.write(file, f"scan/{file.name}")
    else:
        with tarfile.open(path, "w:gz") as tape:
            for file in files:
                tape.add(file, f"scan/{file.name}")
    return path


def test_the_date_is_found_in_files_folders_and_archives(tmp_path, make_dicom):
    file = make_dicom(tmp_path / "a" / "deep" / "1", StudyDate="20240315")
    (tmp_path / "a" / "notes.txt").write_text("no scan")
    for path in (file, tmp_path / "a", packed(tmp_path / "a.zip", file), packed(tmp_path / "a.tar.gz", file)):
        assert read_visit_headers([path]).dates == {"20240315"}


@pytest.mark.parametrize("date", ["", "00000000", "2024"])
def test_a_date_that_is_none_counts_as_none(tmp_path, date, make_dicom):
    with pydicom.config.disable_value_validation():
        assert read_visit_headers([make_dicom(tmp_path / "1.dcm", StudyDate=date)]).dates == frozenset()


def test_broken_files_and_files_without_dates_have_no_date(tmp_path, make_dicom):
    whole = packed(tmp_path / "whole.zip", make_dicom(tmp_path / "1.dcm", StudyDate="20240315"))
    (tmp_path / "cut.zip").write_bytes(whole.read_bytes()[:200])
    (tmp_path / "cut.tar.gz").write_bytes(b"\x1f\x8b" + bytes(50))
    (tmp_path / "cut.dcm").write_bytes((tmp_path / "1.dcm").read_bytes()[:140])
    (tmp_path / "scan.nii.gz").write_bytes(b"x")
    for name in ("cut.zip", "cut.tar.gz", "cut.dcm", "scan.nii.gz"):
        assert read_visit_headers([tmp_path / name]).dates == frozenset()


def test_dates_order_visits_unless_they_are_equal_missing_or_overlap(tmp_path, make_dicom):
    first, second, equal, none, between = (
        make_dicom(tmp_path / name / "1", StudyDate=date)
        for name, date in zip("abcde", ("20231215", "20240115", "20231215", "", "20240101"), strict=True)
    )

    def order(one: list[Path], other: list[Path]) -> str:
        return order_of_dates(read_visit_headers(one), read_visit_headers(other))

    assert order([first], [second]) == "earlier"
    assert order([second], [first]) == "later"
    assert order([first], [equal]) == "not known"
    assert order([first], [none]) == "not known"
    assert order([first, second], [between]) == "not known"
