"""Everything in an upload: what is read, what is not, and what is said about it."""

import shutil

import nibabel as nib
import numpy as np
import pytest

from cohortex.errors import (
    CohortexError,
    NotAnImage,
    SeveralImages,
    UnknownFormat,
    UnreadableFile,
)
from cohortex.geometry import Grid
from cohortex.image import Image
from cohortex.io import read_image, read_series, read_upload, write_image


def stack(dicom_slice, count=3, **elements):
    return [dicom_slice(position=(0, 0, 2.0 * k), number=k, **elements) for k in range(count)]


def test_file_folder_zip_and_tar_give_the_same_image(dicom_slice, save_series, zipped, tmp_path):
    folder = save_series(stack(dicom_slice))
    tar = shutil.make_archive(str(tmp_path / "scan"), "gztar", folder)
    images = [read_image(path) for path in (folder, zipped(folder), tar)]
    for image in images:
        np.testing.assert_array_equal(image.values, images[0].values)
        assert image.grid == images[0].grid
    assert read_image(folder / "000.dcm").grid.shape == (5, 4, 1)


def test_several_series_are_several_images_and_one_alone_is_refused(dicom_slice, save_series):
    folder = save_series(
        [
            *stack(dicom_slice, series="1.1", SeriesNumber=2, SeriesDescription="second"),
            *stack(dicom_slice, series="1.2", SeriesNumber=1, SeriesDescription="first"),
        ]
    )
    assert [image.metadata["series_description"] for image in read_series(folder)] == ["first", "second"]
    with pytest.raises(SeveralImages, match=r"series 1 first 5×4×3; series 2 second"):
        read_image(folder)


def test_a_truncated_member_refuses_its_series_and_no_other(dicom_slice, save_series):
    folder = save_series([*stack(dicom_slice, series="1.1"), *stack(dicom_slice, series="1.2", SeriesNumber=8)])
    whole = (folder / "001.dcm").read_bytes()
    (folder / "001.dcm").write_bytes(whole[:-15])
    upload = read_upload(folder)
    assert [image.metadata["series_number"] for image in upload.images] == [8]
    (problem,) = upload.problems
    assert "001.dcm: truncated" in problem.reason
    assert "Send it again" in problem.reason
    with pytest.raises(UnreadableFile, match=r"001\.dcm"):
        read_series(folder)


def test_a_member_cut_in_its_header_is_named(dicom_slice, save_series):
    folder = save_series(stack(dicom_slice))
    (folder / "002.dcm").write_bytes((folder / "002.dcm").read_bytes()[:400])
    with pytest.raises(UnreadableFile, match=r"002\.dcm"):
        read_series(folder)


def test_files_that_are_no_images_are_listed_not_read(dicom_slice, save_series, zipped):
    folder = save_series(stack(dicom_slice))
    (folder / "README.txt").write_text("hello")
    (folder / "__MACOSX").mkdir()
    (folder / "__MACOSX" / "._000.dcm").write_bytes(b"\0\5\26\7 resource")
    (folder / "._scan.nii.gz").write_bytes(b"\0\5\26\7 resource")
    upload = read_upload(zipped(folder))
    assert len(upload.images) == 1
    assert upload.problems == ()
    assert {name for name, _ in upload.ignored} == {"README.txt", "__MACOSX/._000.dcm", "._scan.nii.gz"}


def test_a_dicomdir_is_left_out(dicom_slice, save_series):
    folder = save_series(stack(dicom_slice))
    directory = dicom_slice(SOPClassUID="1.2.840.10008.1.3.10")
    directory.save_as(folder / "DICOMDIR", enforce_file_format=True)
    upload = read_upload(folder)
    assert [name for name, _ in upload.ignored] == ["DICOMDIR"]
    assert len(upload.images) == 1


def test_two_patients_in_one_upload_are_said_without_their_names(dicom_slice, save_series):
    folder = save_series(
        [
            *stack(dicom_slice, series="1.1", PatientID="A-1", PatientName="One^Person"),
            *stack(dicom_slice, series="1.2", PatientID="B-2", PatientName="Other^Person"),
        ]
    )
    (warning,) = read_upload(folder).warnings
    assert "2 patients" in warning
    assert "Person" not in warning
    assert "A-1" not in warning


def test_one_patient_gives_no_warning(dicom_slice, save_series):
    assert read_upload(save_series(stack(dicom_slice))).warnings == ()


def test_dicom_without_preamble_is_read_with_a_warning(dicom_slice, save_series):
    folder = save_series([dicom_slice()])
    path = folder / "000.dcm"
    path.write_bytes(path.read_bytes()[132:])
    assert any("preamble" in text for text in read_image(folder).metadata["warnings"])


def test_a_text_file_is_of_no_known_format(tmp_path):
    (tmp_path / "note.txt").write_text("a note that is no image, long enough to look at" * 4)
    with pytest.raises(UnknownFormat, match=r"note\.txt: no format read here\. Give DICOM"):
        read_image(tmp_path / "note.txt")


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "nothing.dcm").touch()
    with pytest.raises(UnreadableFile, match=r"nothing\.dcm: the file is empty"):
        read_image(tmp_path / "nothing.dcm")


def test_an_empty_folder_is_refused(tmp_path):
    (tmp_path / "nothing").mkdir()
    with pytest.raises(UnreadableFile, match="the folder is empty"):
        read_image(tmp_path / "nothing")


def test_a_path_that_leads_nowhere_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"gone\.nii: no such file"):
        read_image(tmp_path / "gone.nii")


def test_a_folder_without_images_is_refused(tmp_path):
    (tmp_path / "note.txt").write_text("no image")
    (tmp_path / "other.txt").write_text("no image")
    with pytest.raises(NotAnImage, match="no image in it"):
        read_image(tmp_path)


def test_a_preamble_with_nothing_behind_it_is_refused(tmp_path):
    (tmp_path / "cut.dcm").write_bytes(b"\0" * 128 + b"DICM")
    with pytest.raises(UnreadableFile, match=r"cut\.dcm"):
        read_image(tmp_path / "cut.dcm")


def test_noise_behind_a_preamble_is_refused(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, 4000, dtype=np.uint8).tobytes()
    (tmp_path / "noise.dcm").write_bytes(b"\0" * 128 + b"DICM" + noise)
    with pytest.raises(CohortexError, match=r"noise\.dcm"):
        read_image(tmp_path / "noise.dcm")


def test_a_header_that_contradicts_itself_stops_no_other_series(dicom_slice, save_series):
    odd = dicom_slice(series="1.9", SeriesNumber=9)
    odd.Rows, odd.Columns = 0, 5
    upload = read_upload(save_series([*stack(dicom_slice), odd]))
    assert len(upload.images) == 1
    (problem,) = upload.problems
    assert "003.dcm" in problem.reason


def test_a_folder_may_mix_formats(dicom_slice, save_series):
    folder = save_series(stack(dicom_slice))
    image = Image(np.zeros((3, 4, 5), np.float32), Grid.from_parts((3, 4, 5)))
    write_image(image, folder / "other.nii.gz")
    upload = read_upload(folder)
    assert sorted(image.grid.shape for image in upload.images) == [(3, 4, 5), (5, 4, 3)]


def test_a_pair_of_files_in_a_folder_is_one_image(tmp_path):
    nib.Nifti1Pair(np.zeros((2, 3, 4), np.int16), np.eye(4)).to_filename(tmp_path / "scan.hdr")
    upload = read_upload(tmp_path)
    assert len(upload.images) == 1
    assert upload.problems == ()


def test_reading_tells_its_progress_and_stops_when_told(dicom_slice, save_series):
    folder = save_series(stack(dicom_slice))
    told = []
    read_series(folder, progress=told.append)
    assert [p.done for p in told if p.task == "reading slices"] == [1, 2, 3]

    def stop(progress):
        if progress.task == "reading slices":
            raise ValueError("stopped by the user")

    with pytest.raises(ValueError, match="stopped by the user"):
        read_series(folder, progress=stop)


def test_no_damage_to_a_dicom_file_crashes_the_reader(dicom_slice, save_series):
    """Whatever bytes change, the answer is an image or a message of ours."""
    folder = save_series([dicom_slice(EchoTime=10, RescaleSlope=2, NumberOfFrames=1)])
    path = folder / "000.dcm"
    data, rng = path.read_bytes(), np.random.default_rng(1)
    outcomes, unnamed = set(), 0
    for _ in range(300):
        damaged = bytearray(data[: rng.integers(200, len(data))] if rng.random() < 0.3 else data)
        for place in rng.integers(0, len(damaged), rng.integers(1, 6)):
            damaged[place] = rng.integers(0, 256)
        path.write_bytes(bytes(damaged))
        try:
            outcomes.add(type(read_image(path)).__name__)
        except CohortexError as error:
            outcomes.add(type(error).__name__)
            unnamed += "000.dcm" not in str(error)
    assert unnamed == 0
    assert {"Image", "UnreadableFile"} <= outcomes


def test_the_library_underneath_says_nothing(dicom_slice, save_series, caplog, recwarn):
    """pydicom quotes odd header values in its log; they could be a name."""
    folder = save_series([dicom_slice()])
    path = folder / "000.dcm"
    path.write_bytes(path.read_bytes().replace(b"1.2.3.9", b"A^Smith"))
    read_upload(folder)
    assert caplog.records == []
    assert list(recwarn) == []


def test_every_task_of_reading_an_archive_comes_to_its_end(dicom_slice, save_series, zipped):
    path = zipped(save_series(stack(dicom_slice)))
    told = {}
    read_upload(path, progress=lambda progress: told.update({progress.task: progress}))
    assert set(told) == {f"unpacking {path.name}", "reading headers", "reading slices"}
    assert all(progress.done == progress.total for progress in told.values())
