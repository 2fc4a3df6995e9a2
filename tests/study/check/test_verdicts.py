"""Verdicts: what becomes of each series, with reason and remedy, and never a name."""

import io
import tarfile
import zipfile
from datetime import date

import numpy as np
import pytest
from pydicom.uid import RLELossless

from cohortex import phantoms
from cohortex.io import ArchiveLimits, read_upload
from cohortex.pipeline.contrast import recognise_contrast
from cohortex.study.check import EnteredFacts, UploadCheck

NAMES = ("ROSSI", "MARIA", "0042137", "19610413")


def nameless(found: UploadCheck) -> bool:
    return not any(name in found.to_json() for name in NAMES)


def only(found: UploadCheck):
    assert len(found.series) == 1
    return found.series[0]


def test_a_good_series_is_accepted_and_described(checked, zip_of, stack, pseudonyms, tmp_path):
    found = checked(zip_of(stack(4)))
    series = only(found)
    assert (series.verdict, series.reason, series.question) == ("accepted", "", "")
    assert (series.modality, series.number, series.description) == ("MR", 7, "t1 mprage")
    assert (series.contrast, series.shape, series.instance_count) == ("T1", (6, 4, 4), 4)
    assert series.spacing_mm == pytest.approx((1.5, 2.0, 3.0))
    assert series.acquired == "2023-09-14"
    assert series.series_uid == pseudonyms.uid("1.2.3.2")
    assert {instance.uid for instance in series.instances} == {pseudonyms.uid(f"1.2.3.2.{n}") for n in (1, 2, 3, 4)}
    assert sorted(file.name for file in (tmp_path / "output").iterdir()) == [i.file for i in series.instances]
    assert found.patient_hashes == (pseudonyms.patient_hash("C1", "0042137"),)
    assert nameless(found)


def test_a_duplicate_is_one_and_leaves_no_file(checked, zip_of, stack, tmp_path):
    known = tuple(instance.uid for instance in only(checked(zip_of(stack(4)))).instances)
    series = only(checked(zip_of(stack(4)), known=known))
    assert (series.verdict, series.instances) == ("duplicate", ())
    assert "all 4 objects" in series.reason
    assert list((tmp_path / "output").iterdir()) == []


def test_of_a_series_known_in_part_the_new_objects_are_accepted(checked, zip_of, stack, tmp_path):
    known = tuple(instance.uid for instance in only(checked(zip_of(stack(4)))).instances[:3])
    series = only(checked(zip_of(stack(4)), known=known))
    assert (series.verdict, len(series.instances)) == ("accepted", 1)
    assert "3 of its 4 objects are in the study already; 1 are new" in series.reason
    assert len(list((tmp_path / "output").iterdir())) == 1


def test_a_repeated_file_is_stored_once(checked, zip_of, stack):
    files = stack(3)
    again = {f"again/{n}": content for n, content in enumerate(files.values())}
    series = only(checked(zip_of(files | again)))
    assert (series.verdict, len(series.instances), series.instance_count) == ("accepted", 3, 6)
    assert "3 files repeat others" in series.reason


def test_two_different_pictures_under_one_uid_are_refused(checked, zip_of, stack, dicom_object, bytes_of, tmp_path):
    other = dicom_object(
        np.ones((4, 6), np.uint16), SOPInstanceUID="1.2.3.2.1", ImagePositionPatient=[0, 0, 0],
        PatientBirthDate="19610413",
    )  # fmt: skip
    series = only(checked(zip_of(stack(3) | {"x.dcm": bytes_of(other)})))
    assert series.verdict == "refused"
    assert "one SOP Instance UID but differ" in series.reason
    assert list((tmp_path / "output").iterdir()) == []


def test_a_picture_in_two_encodings_is_one(checked, zip_of, stack, dicom_object, bytes_of):
    files = stack(1)
    same = dicom_object(
        SOPInstanceUID="1.2.3.2.1", InstanceNumber=1, SeriesNumber=7, ImagePositionPatient=[0, 0, 0],
        SeriesDescription="t1 mprage ROSSI", StudyDate="20240115", PatientBirthDate="19610413",
    )  # fmt: skip
    same.compress(RLELossless, generate_instance_uid=False)
    series = only(checked(zip_of(files | {"again.dcm": bytes_of(same)})))
    assert (series.verdict, len(series.instances)) == ("accepted", 1)


def test_a_missing_slice_is_told_with_its_place(checked, zip_of, stack, tmp_path):
    files = stack(6)
    del files["ROSSI_MARIA/1.2.3.2/003.dcm"]
    found = checked(zip_of(files))
    series = only(found)
    assert series.verdict == "refused"
    assert "5 of 6 slices" in series.reason
    assert "between z = 6.0 and 12.0 mm" in series.reason
    assert "gaps=" not in series.reason + series.remedy
    assert list((tmp_path / "output").iterdir()) == []
    assert nameless(found)


def test_a_truncated_file_is_named_by_its_number(checked, zip_of, stack):
    files = stack(4)
    files["ROSSI_MARIA/1.2.3.2/002.dcm"] = files["ROSSI_MARIA/1.2.3.2/002.dcm"][:-20]
    found = checked(zip_of(files))
    assert only(found).verdict == "refused"
    assert only(found).reason.startswith("file 3 of 4: it is truncated")
    assert nameless(found)


def test_a_bad_series_does_not_lose_the_good_one(checked, zip_of, stack):
    bad = stack(4, series="1.2.3.9")
    bad.pop("ROSSI_MARIA/1.2.3.9/001.dcm")
    found = checked(zip_of(stack(3) | bad))
    assert {series.verdict for series in found.series} == {"accepted", "refused"}


def test_a_header_that_breaks_off_is_a_problem_of_no_series(checked, zip_of, stack):
    files = stack(3) | {"ROSSI_MARIA/broken.dcm": b"\0" * 128 + b"DICM" + b"\x08\0\x16\0UI\xff\xff1.2"}
    found = checked(zip_of(files))
    assert only(found).verdict == "accepted"
    assert [problem.reason[:11] for problem in found.problems] == ["file 4 of 4"]
    assert "series" in found.problems[0].reason
    assert nameless(found)


def test_two_hospital_numbers_hold_every_series(checked, zip_of, stack):
    found = checked(zip_of(stack(3) | stack(3, series="1.2.3.9", PatientID="77")))
    assert [(series.verdict, series.question) for series in found.series] == [("held", "two-patients")] * 2
    assert len(found.patient_hashes) == 2
    assert all("2 different hospital numbers" in series.reason and series.instances for series in found.series)


@pytest.mark.parametrize(("keyword", "word"), [("PatientName", "names"), ("PatientBirthDate", "birth dates")])
def test_one_number_with_two_persons_holds_every_series(keyword, word, checked, zip_of, stack, dicom_object, bytes_of):
    value = "BIANCHI^ANNA" if keyword == "PatientName" else "19700101"
    other = dicom_object(**({"SeriesInstanceUID": "1.2.3.9", "SOPInstanceUID": "1.2.3.9.1"} | {keyword: value}))
    found = checked(zip_of(stack(3) | {"x.dcm": bytes_of(other)}))
    assert {series.question for series in found.series} == {"two-patients"}
    assert f"2 different {word}" in found.series[0].reason
    assert "BIANCHI" not in found.to_json()


def test_a_series_whose_header_names_nobody_belongs_to_the_others(checked, zip_of, stack, dicom_object, bytes_of):
    other = dicom_object(
        SeriesInstanceUID="1.2.3.9", SOPInstanceUID="1.2.3.9.1", PatientID="ANONYMOUS", PatientName=""
    )  # fmt: skip
    found = checked(zip_of(stack(3) | {"x.dcm": bytes_of(other)}))
    assert {series.verdict for series in found.series} == {"accepted"}
    assert len(found.patient_hashes) == 1


def test_what_may_show_a_name_is_held_with_its_files(checked, zip_of, stack):
    series = only(checked(zip_of(stack(3, BurnedInAnnotation="YES"))))
    assert (series.verdict, series.question, len(series.instances)) == ("held", "burned-in", 3)
    assert "burned into" in series.reason
    assert series.remedy.startswith("Look at its pictures")


def test_a_report_is_refused_and_the_scan_beside_it_taken(checked, zip_of, stack, dicom_object, bytes_of):
    report = dicom_object(
        SOPClassUID="1.2.840.10008.5.1.4.1.1.88.33", SeriesInstanceUID="1.2.3.9", SOPInstanceUID="1.2.3.9.1"
    )  # fmt: skip
    report.file_meta.MediaStorageSOPClassUID = report.SOPClassUID
    for keyword in ("PixelData", "Rows", "Columns"):
        delattr(report, keyword)
    found = checked(zip_of(stack(3) | {"report.dcm": bytes_of(report)}))
    assert sorted(series.verdict for series in found.series) == ["accepted", "refused"]
    refused = next(series for series in found.series if series.verdict == "refused")
    assert "report, whose text names the person" in refused.reason


def test_pixels_that_leave_room_for_something_else_are_refused(checked, zip_of, stack):
    series = only(checked(zip_of(stack(2, BitsStored=12, HighBit=15))))
    assert series.verdict == "refused"
    assert "room for something else" in series.reason


def test_other_files_are_counted_and_other_formats_told(checked, zip_of, stack):
    files = stack(2) | {
        "readme.txt": b"Rossi Maria", "__MACOSX/._001.dcm": b"\0" * 200, "t1.nii.gz": b"\x1f\x8b\x08", "empty.dcm": b"",
        "more.zip": b"PK\x03\x04",
    }  # fmt: skip
    found = checked(zip_of(files))
    reasons = [problem.reason for problem in found.problems]
    assert found.files_ignored == 3
    assert any("another format" in reason for reason in reasons)
    assert any("empty (0 bytes)" in reason for reason in reasons)
    assert any("archive lies inside" in reason for reason in reasons)
    assert only(found).verdict == "accepted"
    assert nameless(found)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty (0 bytes)"),
        (b"Rossi Maria, 13/04/1961", "the file is no DICOM image."),
        (b"n" * 344 + b"n+1\0" + b"\0" * 100, "another format"),
        (b"PK\x03\x04" + b"\0" * 100, "truncated or broken"),
        (b"\x1f\x8b\x08\x00broken", "truncated or broken"),
        (b"BZh9broken", "truncated or broken"),
    ],
)
def test_what_is_no_scan_is_a_problem_with_a_remedy(content, reason, checked, tmp_path):
    (tmp_path / "ROSSI MARIA").write_bytes(content)
    found = checked(tmp_path / "ROSSI MARIA")
    assert found.series == ()
    assert reason in found.problems[0].reason
    assert found.problems[0].remedy
    assert nameless(found)


def test_a_single_file_and_a_packed_tar_are_read_whatever_they_are_called(checked, stack, tmp_path):
    files = stack(3)
    (tmp_path / "blob").write_bytes(files["ROSSI_MARIA/1.2.3.2/000.dcm"])
    assert only(checked(tmp_path / "blob")).verdict == "accepted"
    for mode in ("w", "w:gz", "w:xz"):
        with tarfile.open(tmp_path / "packed", mode) as archive:  # type: ignore[call-overload]
            for name, content in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        assert only(checked(tmp_path / "packed")).shape == (6, 4, 3)


@pytest.mark.parametrize("member", ["../ROSSI.dcm", "/ROSSI/x.dcm", "a/../../ROSSI"])
def test_an_archive_that_climbs_out_is_refused_without_naming_the_member(member, checked, zip_of, stack):
    found = checked(zip_of(stack(1) | {member: b"x"}, name="ROSSI.zip"))
    assert found.series == ()
    assert "leads out of its folder" in found.problems[0].reason
    assert nameless(found)


def test_limits_of_archives_are_told_without_names(checked, zip_of, stack):
    bomb = zip_of({"ROSSI/a": b"\0" * (8 << 20)}, name="bomb.zip")
    for limits, reason in (
        (ArchiveLimits(total_bytes=1 << 20), "more than an upload may hold"),
        (ArchiveLimits(ratio_from_bytes=1 << 20), "far more than a scan would"),
    ):
        found = checked(bomb, limits=limits)
        assert reason in found.problems[0].reason
        assert nameless(found)
    found = checked(zip_of(stack(3)), limits=ArchiveLimits(members=2))
    assert "too many files" in found.problems[0].reason


def test_a_link_in_a_tar_is_refused_without_its_name(checked, tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        member = tarfile.TarInfo("ROSSI")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(member)
    found = checked(tmp_path / "a.tar")
    assert "link or a device" in found.problems[0].reason
    assert nameless(found)


def test_an_encrypted_archive_is_refused_without_names(checked, zip_of, stack):
    path = zip_of(stack(1))
    content = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + offset] |= 1
    path.write_bytes(bytes(content))
    found = checked(path)
    assert "encrypted" in found.problems[0].reason
    assert nameless(found)


@pytest.mark.parametrize("vendor", ["siemens-like", "ge-like", "philips-like"])
def test_a_phantom_visit_is_accepted_with_its_contrasts(vendor, checked, phantom_zip, tmp_path):
    path = phantom_zip(vendor, "T1", "T2", "FLAIR")
    found = checked(path)
    before = read_upload(path).images
    assert [series.verdict for series in found.series] == ["accepted"] * 3
    assert [series.contrast for series in found.series] == [recognise_contrast(image).contrast for image in before]
    assert [series.shape for series in found.series] == [image.values.shape for image in before]
    content = found.to_json().encode() + b"".join(file.read_bytes() for file in (tmp_path / "output").iterdir())
    for planted in phantoms.invented_identity(seed=3).planted_strings():
        for encoding in ("utf-8", "utf-16-le"):
            assert planted.encode(encoding) not in content


def test_a_series_names_the_facts_in_which_a_slice_of_it_disagrees_and_never_their_values(checked, zip_of, stack):
    entered = EnteredFacts(day=date(2024, 3, 1), sex="M", birth_date=date(1990, 2, 3))
    files = stack(3, PatientSex="M") | stack(3, series="1.2.3.9", PatientSex="F")
    found = checked(zip_of(files), entered=entered)
    assert sorted(series.disagreements for series in found.series) == [
        ("date", "birth-date"),
        ("date", "sex", "birth-date"),
    ]
    assert {series.verdict for series in found.series} == {"accepted"}  # the study asks, not the series
    assert found.disagreements == ("date", "sex", "birth-date")
    assert nameless(found)
    told = found.to_json()
    assert not any(day in told for day in ("20240115", "2024-01-15", "2024-03-01", "1990-02-03"))


def test_what_is_not_stored_asks_nothing(checked, zip_of, stack, dicom_object, bytes_of):
    entered = EnteredFacts(day=date(2024, 3, 1))
    known = tuple(instance.uid for instance in only(checked(zip_of(stack(3)))).instances)
    report = dicom_object(
        SOPClassUID="1.2.840.10008.5.1.4.1.1.88.11", Modality="SR", SeriesInstanceUID="1.2.3.9",
        SOPInstanceUID="1.2.3.9.1", StudyDate="20190101",
    )  # fmt: skip
    found = checked(zip_of(stack(3) | {"x.dcm": bytes_of(report)}), known=known, entered=entered)
    assert {series.verdict for series in found.series} == {"duplicate", "refused"}
    assert found.disagreements == ()


def test_a_child_that_names_another_fact_is_not_believed(checked, zip_of, stack):
    told = checked(zip_of(stack(2)), entered=EnteredFacts(day=date(2024, 3, 1))).to_json()
    with pytest.raises(ValueError, match="not the JSON of an upload check"):
        UploadCheck.from_json(told.replace('["date"]', '["ROSSI MARIA"]'))


def test_a_check_is_the_same_after_a_trip_through_json(checked, zip_of, stack):
    found = checked(zip_of(stack(2) | stack(2, series="1.2.3.9", BurnedInAnnotation="YES")))
    assert UploadCheck.from_json(found.to_json()) == found


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"series": [{}]}', "null"])
def test_what_is_no_check_is_not_read_as_one(text):
    with pytest.raises(ValueError, match=r"JSON|Expecting"):
        UploadCheck.from_json(text)


def test_damage_anywhere_ends_in_verdicts_and_lets_no_name_out(checked, zip_of, phantom_zip, tmp_path):
    """A seeded sample of damage: bytes changed, files cut; 4500 such uploads gave no break and no leak."""
    with zipfile.ZipFile(phantom_zip("siemens-like", "T1")) as archive:
        files = [archive.read(name) for name in archive.namelist()[:4]]
    for seed in range(25):
        rng = np.random.default_rng(seed)
        damaged = {}
        for number, content in enumerate(files):
            changed = bytearray(content)
            for place in rng.integers(132, 2600, rng.integers(0, 30)):
                changed[place] = rng.choice([0, 255, 65, changed[place] ^ 1])
            if rng.random() < 0.1:
                del changed[rng.integers(140, len(changed)) :]
            damaged[f"{number}.dcm"] = bytes(changed)
        found = checked(zip_of(damaged))
        assert found.series or found.problems
        written = {file.name: file.read_bytes() for file in (tmp_path / "output").iterdir()}
        assert set(written) == {instance.file for series in found.series for instance in series.instances}
        content = found.to_json().encode() + b"".join(written.values())
        for planted in phantoms.invented_identity(seed=3).planted_strings():
            assert planted.encode() not in content


def test_a_damaged_meta_header_is_a_problem_of_its_file(checked, zip_of, stack, dicom_object, bytes_of):
    content = bytearray(bytes_of(dicom_object()))
    place = content.index(b"\x02\0\x02\0UI")
    content[place + 4 : place + 6] = b"UA"
    found = checked(zip_of(stack(2) | {"ROSSI.dcm": bytes(content)}))
    assert only(found).verdict == "accepted"
    assert "damaged" in found.problems[0].reason
    assert nameless(found)
