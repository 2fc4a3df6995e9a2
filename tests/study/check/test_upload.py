"""The whole check with its own process: nothing is left behind, and hostile uploads harm only their own check."""

import zipfile
import zlib

import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian

from cohortex import phantoms
from cohortex.errors import TargetExists
from cohortex.study.check import CheckLimits, EnteredFacts, check_upload
from cohortex.study.check.upload import _check_files


@pytest.fixture
def check(tmp_path, pseudonyms):
    def run(path, **more):
        options = {
            "centre": "C1", "patient_code": "C1-0007", "day_shift": -123, "entered": EnteredFacts(),
            "scratch": tmp_path / "scratch",
        }  # fmt: skip
        options["scratch"].mkdir(exist_ok=True)
        return check_upload(path, output=tmp_path / "output", pseudonyms=pseudonyms, **(options | more))

    return run


def left(tmp_path):
    return [*(tmp_path / "output").iterdir(), *(tmp_path / "scratch").iterdir()]


def test_an_upload_is_checked_and_only_clean_files_are_left(check, phantom_zip, tmp_path):
    told = []
    found = check(phantom_zip("ge-like", "T1", "FLAIR"), progress=told.append)
    assert [(series.verdict, series.contrast) for series in found.series] == [("accepted", "T1"), ("accepted", "FLAIR")]
    assert {progress.task for progress in told} <= {"unpacking", "reading headers", "taking out identities"}
    assert (told[-1].task, told[-1].done) == ("taking out identities", told[-1].total)
    assert list((tmp_path / "scratch").iterdir()) == []
    files = {file.name: file.read_bytes() for file in (tmp_path / "output").iterdir()}
    assert set(files) == {instance.file for series in found.series for instance in series.instances}
    content = found.to_json().encode() + b"".join(files.values())
    for planted in phantoms.invented_identity(seed=3).planted_strings():
        assert planted.encode() not in content
        assert planted.encode("utf-16-le") not in content


def test_a_truncated_archive_is_a_result_not_an_error(check, phantom_zip, tmp_path):
    path = tmp_path / "PHANTOM ROSSI.zip"
    path.write_bytes(phantom_zip("ge-like", "T1", "FLAIR").read_bytes()[:-400])
    found = check(path)
    assert found.series == ()
    assert "truncated or broken" in found.problems[0].reason
    assert "ROSSI" not in found.to_json()
    assert left(tmp_path) == []


def test_a_header_that_inflates_without_end_harms_only_its_own_check(check, dicom_object, bytes_of, tmp_path):
    dataset = dicom_object()
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    plain = bytes_of(dataset)
    behind_meta = 144 + int.from_bytes(plain[140:144], "little")
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = b"".join(packer.compress(b"\x08\0\x16\0UN\0\0\xff\xff\xff\x7f" + b"\0" * (1 << 24)) for _ in range(160))
    (tmp_path / "bomb").write_bytes(plain[:behind_meta] + bomb + packer.flush())
    assert (tmp_path / "bomb").stat().st_size < 8 << 20
    found = check(tmp_path / "bomb", limits=CheckLimits(memory_bytes=1536 << 20, wall_s=60))
    assert found.series == ()
    assert "header breaks off" in found.problems[0].reason
    assert left(tmp_path) == []


def test_a_limit_is_a_result_with_the_limit_named(check, phantom_zip, tmp_path):
    found = check(phantom_zip("ge-like", "T1", "FLAIR"), limits=CheckLimits(wall_s=0.3))
    assert found.series == ()
    assert found.problems[0].reason == "the check took longer than 0.3 seconds."
    assert "smaller parts" in found.problems[0].remedy
    assert left(tmp_path) == []


def test_a_check_stops_when_its_caller_wants_to_and_leaves_nothing(check, phantom_zip, tmp_path):
    class Stop(Exception):
        pass

    def stop(progress):
        if progress.task == "taking out identities" and progress.done > 3:
            raise Stop

    with pytest.raises(Stop):
        check(phantom_zip("ge-like", "T1", "FLAIR"), progress=stop)
    assert left(tmp_path) == []


def test_a_folder_that_holds_something_is_refused(check, phantom_zip, tmp_path):
    (tmp_path / "output").mkdir()
    (tmp_path / "output" / "theirs").write_text("x")
    with pytest.raises(TargetExists, match="not empty"):
        check(phantom_zip("ge-like", "T1", "FLAIR"))
    assert (tmp_path / "output" / "theirs").read_text() == "x"


def test_an_upload_that_is_not_there_is_an_error(check, tmp_path):
    with pytest.raises(FileNotFoundError, match="no upload"):
        check(tmp_path / "ROSSI.zip")


@pytest.mark.parametrize("wrong", [{"patient_code": "ROSSI MARIA"}, {"day_shift": 0}, {"centre": ""}])
def test_what_is_no_code_of_the_study_is_refused(wrong, check, phantom_zip):
    with pytest.raises(ValueError, match=r"code of the study|day_shift"):
        check(phantom_zip("ge-like", "T1", "FLAIR"), **wrong)


@pytest.mark.parametrize("deed", ["unnamed", "missing", "link", "longer", "elsewhere"])
def test_files_that_do_not_agree_with_the_answer_are_not_believed(deed, checked, zip_of, stack, tmp_path):
    found = checked(zip_of(stack(2)))
    output = tmp_path / "output"
    _check_files(found, output)
    first = output / found.series[0].instances[0].file
    if deed == "unnamed":
        (output / "999-00001.dcm").write_bytes(b"x")
    elif deed == "missing":
        first.unlink()
    elif deed == "link":
        first.rename(tmp_path / "moved")
        first.symlink_to(tmp_path / "moved")
    elif deed == "longer":
        first.write_bytes(first.read_bytes() + b"x")
    else:
        found = type(found).from_json(found.to_json().replace(first.name, "../" + first.name))
    with pytest.raises(ValueError, match="file"):
        _check_files(found, output)


def test_the_zip_of_the_phantom_is_no_stub(phantom_zip):
    with zipfile.ZipFile(phantom_zip("ge-like", "T1", "FLAIR")) as archive:
        assert len(archive.namelist()) > 20
