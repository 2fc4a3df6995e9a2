"""Every broken upload ends in a clear message or a documented repair."""

import pytest

from cohortex.errors import CohortexError, GeometryError, MissingSlices, UnknownFormat, UnreadableFile, UnsafeArchive
from cohortex.image import Image
from cohortex.io import read_image, read_series, read_upload

pytestmark = pytest.mark.real_data

REFUSED: dict[str, tuple[type[CohortexError], str]] = {
    "absurd_dimensions.nii": (UnreadableFile, "30000×30000×30000 voxels.*send it again"),
    "archive_inside_archive.zip": (UnsafeArchive, "inner.zip is an archive inside.*Unpack it first"),
    "bvals_too_few.bval": (UnknownFormat, "Give DICOM, NIfTI"),
    "bvecs_not_unit.bvec": (UnknownFormat, "Give DICOM, NIfTI"),
    "complex64.nii.gz": (UnreadableFile, "complex values.*Save magnitude and phase"),
    "empty_archive.zip": (UnreadableFile, "archive is empty.*send it again"),
    "header_only.nii": (UnreadableFile, "the file has 352.*send it again"),
    "no_orientation_zero_pixdim.nii": (GeometryError, "nothing says how large a voxel is.*Export it again"),
    "no_pixel_data.dcm": (UnreadableFile, "without pixel data.*Send the original"),
    "path_traversal.zip": (UnsafeArchive, "leads out of the archive's folder.*pack the scan's folder again"),
    "plain_text_named.nii.gz": (UnreadableFile, "not a NIfTI file.*right file"),
    "rows_disagree_with_pixels.dcm": (UnreadableFile, "do not decode.*Send it again"),
    "series_gap_and_duplicate.zip": (MissingSlices, "4 of 6 slices, 2 missing between x = .*Ask the centre to resend"),
    "series_one_truncated_file.zip": (
        UnreadableFile,
        r"0017_.*truncated: 6,244 of 119,912 bytes.*Send it again.*other 3 files",
    ),
    "singular_affine.nii": (GeometryError, "no inverse.*Export it again"),
    "truncated_archive.zip": (UnreadableFile, "truncated or broken.*send it again"),
    "truncated_gzip.nii.gz": (UnreadableFile, "breaks off.*Send it again"),
    "truncated_voxels.nii": (UnreadableFile, "the file has 18,640.*send it again"),
    "zero_bytes.nii.gz": (UnreadableFile, r"empty \(0 bytes\).*Send it again"),
}
REPAIRED = {  # what is done about it, or what it is worth saying
    "no_preamble.dcm": "preamble is missing; read all the same",
    "not_gzipped_but_named.nii.gz": "not gzip-compressed although its name says otherwise",
}
HARMLESS = {
    "big_endian.nii": ((29, 34, 28), "float32"),
    "constant.nii.gz": ((29, 34, 28), "uint8"),
    "five_dimensional.nii.gz": ((29, 34, 28, 2, 2), "uint8"),
    "mask_of_other_shape.nii.gz": ((10, 10, 10), "uint8"),
    "nan_and_inf.nii.gz": ((29, 34, 28), "float32"),
    "ok_small.nii.gz": ((29, 34, 28), "uint8"),
    "sheared_affine.nii.gz": ((29, 34, 28), "uint8"),
    "single_slice.nii.gz": ((29, 34, 1), "uint8"),
}
PARTLY = {"two_patients_mixed.zip"}


def test_every_broken_upload_has_its_expected_end(shared_data):
    present = {file.name for file in (shared_data / "malformed-derived").iterdir()} - {"README.md"}
    assert present == REFUSED.keys() | REPAIRED.keys() | HARMLESS.keys() | PARTLY


@pytest.mark.parametrize("name", REFUSED)
def test_the_message_names_file_reason_and_remedy(shared_data, name):
    kind, message = REFUSED[name]
    with pytest.raises(kind, match=f"(?s){message}") as caught:
        read_image(shared_data / "malformed-derived" / name)
    assert caught.type is kind
    assert name in str(caught.value) or name.startswith("series_")  # in a series the member or series is named
    assert "/" not in str(caught.value).split(":")[0]  # no path of this machine


@pytest.mark.parametrize("name", REPAIRED)
def test_a_repair_is_said(shared_data, name):
    image = read_image(shared_data / "malformed-derived" / name)
    assert any(REPAIRED[name] in warning for warning in image.metadata["warnings"])


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_only_unusual_is_read(shared_data, name):
    image = read_image(shared_data / "malformed-derived" / name)
    assert (image.values.shape, str(image.dtype)) == HARMLESS[name]


def test_two_patients_are_read_and_said(shared_data):
    upload = read_upload(shared_data / "malformed-derived" / "two_patients_mixed.zip")
    assert [image.grid.shape for image in upload.images] == [(256, 256, 3), (256, 256, 3)]
    assert {name for name, _ in upload.ignored} == {"notes.txt", "__MACOSX/._0001.dcm"}
    (warning,) = upload.warnings
    assert "2 patients" in warning
    assert upload.problems == ()
    assert len(read_series(shared_data / "malformed-derived" / "two_patients_mixed.zip")) == 2


def test_the_gap_is_filled_on_demand(shared_data):
    image = read_image(shared_data / "malformed-derived" / "series_gap_and_duplicate.zip", gaps="interpolate")
    assert image.grid.shape == (256, 256, 6)
    assert any("were missing and filled" in text for text in image.metadata["warnings"])
    assert any("repeats" in text for text in image.metadata["warnings"])


def test_the_broken_ones_are_equal_to_their_parent_where_nothing_was_lost(shared_data):
    folder = shared_data / "malformed-derived"
    parent = read_image(folder / "ok_small.nii.gz")
    for name in ("big_endian.nii", "not_gzipped_but_named.nii.gz"):
        image: Image = read_image(folder / name)
        assert (image.values == parent.values).all()
        assert image.grid.same_as(parent.grid)
