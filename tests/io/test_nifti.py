"""NIfTI headers: scaling, geometry codes, units, further axes, and what is refused."""

import gzip
import json

import nibabel as nib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cohortex.errors import CohortexError, GeometryError, TargetExists, UnknownFormat, UnreadableFile
from cohortex.geometry import Grid, axis_codes
from cohortex.image import Image, Labels
from cohortex.image.packing import Packing
from cohortex.io import read_image, write_image, write_packed_nifti
from cohortex.io.rescaling import rescaled

AFFINE = np.array([[-2.0, 0, 0, 30], [0, 3.0, 0, -40], [0, 0, 4.0, 50], [0, 0, 0, 1]])  # RAS, index grows to the left


def saved(path, values, *, affine=AFFINE, kind=nib.Nifti1Image, edit=lambda _: None):
    image = kind(values, affine)
    edit(image.header)
    image.to_filename(path)
    return path


def edited(path, offset, content):
    """Overwrite bytes of a file."""
    data = bytearray(path.read_bytes())
    data[offset : offset + len(content)] = content
    path.write_bytes(bytes(data))
    return path


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_left_is_left(tmp_path, kind, ending):
    values = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    image = read_image(saved(tmp_path / f"scan{ending}", values, kind=kind))
    assert_array_equal(image.values, values)
    assert axis_codes(image.grid) == "LAS"
    assert_allclose(image.grid.world_of((0, 0, 0)), (-30, 40, 50))  # RAS (30, -40, 50) is LPS (-30, 40, 50)
    assert_allclose(image.grid.world_of((1, 1, 1)), (-28, 37, 54))


def test_a_pair_of_files_is_one_image(tmp_path):
    values = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    nib.Nifti1Pair(values, AFFINE).to_filename(tmp_path / "scan.hdr")
    for name in ("scan.hdr", "scan.img"):
        image = read_image(tmp_path / name)
        assert_array_equal(image.values, values)
        assert_allclose(image.grid.world_of((0, 0, 0)), (-30, 40, 50))


def test_a_pair_without_its_partner_is_refused(tmp_path):
    nib.Nifti1Pair(np.zeros((2, 3, 4), np.int16), AFFINE).to_filename(tmp_path / "scan.hdr")
    (tmp_path / "scan.img").unlink()
    with pytest.raises(UnreadableFile, match=r"scan\.img is missing"):
        read_image(tmp_path / "scan.hdr")


def test_the_sform_goes_before_the_qform_and_their_difference_is_said(tmp_path):
    def both(header):
        header.set_sform(AFFINE, 1)
        moved = AFFINE.copy()
        moved[0, 3] += 20
        header.set_qform(moved, 1)

    image = nib.Nifti1Image(np.zeros((2, 3, 4), np.uint8), None)
    both(image.header)
    image.to_filename(tmp_path / "scan.nii")
    read = read_image(tmp_path / "scan.nii")
    assert_allclose(read.grid.origin_mm, (-30, 40, 50))
    assert any("differ by 20 mm" in text for text in read.metadata["warnings"])


def test_the_qform_alone_gives_the_place(tmp_path):
    image = nib.Nifti1Image(np.zeros((2, 3, 4), np.uint8), None)
    image.header.set_qform(AFFINE, 1)
    image.to_filename(tmp_path / "scan.nii")
    assert_allclose(read_image(tmp_path / "scan.nii").grid.origin_mm, (-30, 40, 50), atol=1e-5)


def test_without_codes_left_and_right_are_not_guessed(tmp_path):
    image = nib.Nifti1Image(np.zeros((2, 3, 4), np.uint8), None)
    image.header["pixdim"][1:4] = 2, 3, 4
    image.to_filename(tmp_path / "scan.nii")
    read = read_image(tmp_path / "scan.nii")
    assert axis_codes(read.grid) == "???"
    assert read.grid.spacing_mm == (2, 3, 4)


@pytest.mark.parametrize(("unit", "factor"), [("mm", 1), ("meter", 1000), ("micron", 0.001), ("unknown", 1)])
def test_lengths_are_turned_into_mm(tmp_path, unit, factor):
    path = saved(tmp_path / "scan.nii", np.zeros((2, 3, 4), np.uint8), edit=lambda h: h.set_xyzt_units(unit))
    assert_allclose(read_image(path).grid.spacing_mm, np.array([2, 3, 4]) * factor)


@pytest.mark.parametrize(("unit", "factor"), [("sec", 1), ("msec", 1e-3), ("usec", 1e-6)])
def test_the_step_in_time_is_in_seconds(tmp_path, unit, factor):
    def edit(header):
        header.set_xyzt_units("mm", unit)
        header["pixdim"][4] = 2.5

    image = read_image(saved(tmp_path / "scan.nii", np.zeros((2, 3, 4, 5), np.uint8), edit=edit))
    assert image.extra_axes == ("time",)
    assert image.metadata["repetition_time_s"] == pytest.approx(2.5 * factor)


@pytest.mark.parametrize("order", ["<", ">"])
def test_slope_and_intercept_are_applied_in_either_byte_order(tmp_path, order):
    header = nib.Nifti1Header(endianness=order)
    stored = np.arange(24, dtype=f"{order}i2").reshape(2, 3, 4)
    header.set_data_dtype(stored.dtype)
    header.set_data_shape(stored.shape)
    header.set_sform(AFFINE, 1)
    header["scl_slope"], header["scl_inter"], header["vox_offset"] = 0.5, -1, 352
    (tmp_path / "scan.nii").write_bytes(header.binaryblock + b"\0" * 4 + stored.tobytes(order="F"))
    image = read_image(tmp_path / "scan.nii")
    assert image.values.dtype == np.float32
    assert image.values.dtype.isnative
    assert_allclose(image.values, stored * 0.5 - 1)


@pytest.mark.parametrize(
    ("dtype", "slope", "intercept", "expected"),
    [
        (np.uint16, 1, 0, np.uint16),
        (np.uint16, 1, -1024, np.int16),
        (np.int16, 1, 32767, np.uint16),
        (np.uint16, 1, 70000, np.int32),
        (np.int16, 0.5, 0, np.float32),
        (np.int32, 0.5, 0, np.float64),
        (np.float32, 1, 0.5, np.float32),
        (np.float64, 2, 0, np.float64),
    ],
)
@pytest.mark.parametrize("order", ["C", "F"])
def test_scaling_is_exact_in_the_narrowest_type_that_holds_it(dtype, slope, intercept, expected, order):
    stored = np.asarray([[0, 1, 2], [3, 1000, 3000]], dtype=dtype, order=order)[:, ::-1]
    result = rescaled(stored, slope, intercept)
    assert result.dtype == expected
    assert_allclose(result, stored.astype(float) * slope + intercept, rtol=1e-7)


def test_colours_are_channels(tmp_path):
    rgb = np.arange(72, dtype=np.uint8).reshape(2, 3, 4, 3)
    records = rgb.view([("R", "u1"), ("G", "u1"), ("B", "u1")]).reshape(2, 3, 4)
    image = read_image(saved(tmp_path / "scan.nii", records))
    assert image.extra_axes == ("channel",)
    assert_array_equal(image.values, rgb)


@pytest.mark.parametrize(("intent", "sign"), [("vector", 1), ("displacement vector", -1)])
def test_vectors_are_lps_as_itk_writes_them_and_displacements_ras_as_nifti_says(tmp_path, intent, sign):
    field = np.ones((2, 3, 4, 1, 3), np.float32)
    image = read_image(saved(tmp_path / "field.nii", field, edit=lambda header: header.set_intent(intent)))
    assert image.extra_axes == ("vector",)
    assert_array_equal(image.values[0, 0, 0], [sign, sign, 1])


def test_a_fifth_axis_without_intent_is_channels(tmp_path):
    image = read_image(saved(tmp_path / "scan.nii", np.zeros((2, 3, 4, 2, 5), np.uint8)))
    assert image.extra_axes == ("time", "channel")


def test_a_label_intent_gives_labels(tmp_path):
    path = saved(tmp_path / "scan.nii", np.ones((2, 3, 4), np.uint8), edit=lambda h: h.set_intent("label"))
    assert isinstance(read_image(path), Labels)


def test_a_sheared_affine_is_kept(tmp_path):
    sheared = AFFINE.copy()
    sheared[0, 1] = 1.0
    image = read_image(saved(tmp_path / "scan.nii", np.zeros((2, 3, 4), np.uint8), affine=sheared))
    assert not image.grid.is_orthogonal
    assert_allclose(image.grid.world_of((0, 1, 0)), (-31, 37, 50))


def test_the_sidecar_beside_is_read_without_identities(tmp_path):
    path = saved(tmp_path / "scan.nii.gz", np.zeros((2, 3, 4), np.uint8))
    (tmp_path / "scan.json").write_text(json.dumps({"EchoTime": 0.09, "PatientName": "Some^One", "Odd": 1}))
    metadata = read_image(path).metadata
    assert metadata["echo_time_s"] == 0.09
    assert metadata["bids_sidecar"] == {"EchoTime": 0.09, "Odd": 1}


def test_an_unreadable_sidecar_is_said_and_the_image_read(tmp_path):
    path = saved(tmp_path / "scan.nii.gz", np.zeros((2, 3, 4), np.uint8))
    (tmp_path / "scan.json").write_text("{broken")
    assert any(r"scan.json cannot be read" in text for text in read_image(path).metadata["warnings"])


def test_a_name_that_lies_about_compression_is_read_with_a_warning(tmp_path):
    path = saved(tmp_path / "scan.nii", np.ones((2, 3, 4), np.uint8))
    (tmp_path / "lie.nii.gz").write_bytes(path.read_bytes())
    (tmp_path / "lie.nii").write_bytes(gzip.compress(path.read_bytes()))
    for name in ("lie.nii.gz", "lie.nii"):
        image = read_image(tmp_path / name)
        assert image.values.sum() == 24
        assert any("although its name says otherwise" in text for text in image.metadata["warnings"])


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("cut.nii", lambda data: data[:-5], "truncated"),
        ("header.nii", lambda data: data[:352], "truncated"),
        ("short.nii", lambda data: data[:100], "not a NIfTI file"),
        ("text.nii", lambda _: b"plain text" * 50, "not a NIfTI file"),
        ("empty.nii", lambda _: b"", "the file is empty"),
        ("cut.nii.gz", lambda data: gzip.compress(data)[:60], "breaks off|broken"),
        ("late.nii.gz", lambda data: gzip.compress(data)[:-30], "breaks off before all 729 bytes of voxels"),
        ("flipped.nii.gz", lambda data: gzip.compress(data)[:30] + b"\xff" * 30, "breaks off|broken"),
    ],
)
def test_a_damaged_file_is_refused_with_name_reason_and_remedy(tmp_path, name, damage, message):
    whole = saved(tmp_path / "whole.nii", np.random.default_rng(0).integers(0, 255, (9, 9, 9)).astype(np.uint8))
    (tmp_path / name).write_bytes(damage(whole.read_bytes()))
    with pytest.raises(UnreadableFile, match=rf"{name}.*({message}).*(again|sent)"):
        read_image(tmp_path / name)


def test_absurd_dimensions_are_refused_before_memory_is_asked_for(tmp_path):
    path = saved(tmp_path / "scan.nii", np.zeros((2, 3, 4), np.uint8))
    edited(path, 42, np.array([30000] * 3, "<i2").tobytes())
    with pytest.raises(UnreadableFile, match="27,000,000,000,352 bytes"):
        read_image(path)


@pytest.mark.parametrize("sizes", [(0, 3, 4), (-2, 3, 4)])
def test_dimensions_that_are_not_positive_are_refused(tmp_path, sizes):
    path = saved(tmp_path / "scan.nii", np.zeros((2, 3, 4), np.uint8))
    edited(path, 42, np.array(sizes, "<i2").tobytes())
    with pytest.raises(UnreadableFile, match="must be positive"):
        read_image(path)


def test_six_axes_are_refused(tmp_path):
    path = saved(tmp_path / "scan.nii", np.zeros((2, 2, 2, 2, 2, 2), np.uint8))
    with pytest.raises(UnreadableFile, match="six or more axes"):
        read_image(path)


def test_complex_values_are_refused_by_name(tmp_path):
    with pytest.raises(UnreadableFile, match="complex values"):
        read_image(saved(tmp_path / "scan.nii", np.zeros((2, 3, 4), np.complex64)))


@pytest.mark.parametrize("code", [1, 1536, 12345])
def test_unknown_types_are_refused(tmp_path, code):
    path = saved(tmp_path / "scan.nii", np.zeros((20, 30, 40), np.uint8))
    edited(path, 70, np.array([code], "<i2").tobytes())
    with pytest.raises(UnreadableFile, match=f"data type code {code}"):
        read_image(path)


def test_an_affine_without_inverse_is_refused(tmp_path):
    flat = AFFINE.copy()
    flat[:, 2] = flat[:, 1]
    image = nib.Nifti1Image(np.zeros((2, 3, 4), np.uint8), None)
    image.header.set_sform(flat, 1)
    image.to_filename(tmp_path / "scan.nii")
    with pytest.raises(GeometryError, match=r"scan\.nii: its sform affine has no inverse"):
        read_image(tmp_path / "scan.nii")


@pytest.mark.parametrize("code", [0, 1])
def test_a_spacing_of_zero_is_refused(tmp_path, code):
    image = nib.Nifti1Image(np.zeros((2, 3, 4), np.uint8), None)
    image.header["qform_code"] = code
    image.to_filename(tmp_path / "scan.nii")
    edited(tmp_path / "scan.nii", 80, b"\0" * 12)
    with pytest.raises(GeometryError, match="pixdim"):
        read_image(tmp_path / "scan.nii")


def test_an_analyze_header_is_refused_by_name(tmp_path):
    path = saved(tmp_path / "scan.nii", np.zeros((2, 3, 4), np.uint8))
    edited(path, 344, b"\0\0\0\0")
    with pytest.raises(UnknownFormat, match=r"Analyze 7\.5"):
        read_image(path)


def test_writing_twice_gives_the_same_bytes(tmp_path):
    image = Image(np.random.default_rng(0).normal(size=(5, 6, 7)), Grid.from_parts((5, 6, 7)), "HU")
    for name in ("a.nii.gz", "b.nii.gz"):
        write_image(image, tmp_path / name)
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


def test_nibabel_reads_what_we_write_in_the_same_place(tmp_path):
    grid = Grid.from_parts((3, 4, 5), spacing_mm=(2, 3, 4), origin_mm=(10, 20, 30))
    image = Image(np.arange(60, dtype=np.int16).reshape(3, 4, 5), grid, "HU")
    write_image(image, tmp_path / "scan.nii.gz")
    read = nib.load(tmp_path / "scan.nii.gz")
    assert_array_equal(np.asanyarray(read.dataobj), image.values)
    assert read.get_data_dtype() == np.int16
    assert_allclose(read.affine, [[-2, 0, 0, -10], [0, -3, 0, -20], [0, 0, 4, 30], [0, 0, 0, 1]])
    assert (int(read.header["qform_code"]), int(read.header["sform_code"])) == (1, 1)
    assert_allclose(read.header.get_qform(), read.affine, atol=1e-5)


def test_a_sheared_grid_is_written_without_qform(tmp_path):
    matrix = np.eye(4)
    matrix[1, 2] = 0.5
    write_image(Image(np.zeros((3, 4, 5)), Grid((3, 4, 5), matrix)), tmp_path / "scan.nii")
    header = nib.load(tmp_path / "scan.nii").header
    assert (int(header["qform_code"]), int(header["sform_code"])) == (0, 1)


def test_an_axis_too_long_for_nifti_1_goes_into_nifti_2(tmp_path):
    image = Image(np.arange(40000, dtype=np.uint16).reshape(-1, 1, 1), Grid.from_parts((40000, 1, 1)))
    write_image(image, tmp_path / "scan.nii")
    assert isinstance(nib.load(tmp_path / "scan.nii"), nib.Nifti2Image)
    assert_array_equal(read_image(tmp_path / "scan.nii").values, image.values)


def test_an_existing_file_is_never_overwritten_unasked(tmp_path):
    image = Image(np.zeros((2, 2, 2)), Grid.from_parts((2, 2, 2)))
    (tmp_path / "scan.nii").write_text("precious")
    with pytest.raises(TargetExists, match=r"scan\.nii exists already"):
        write_image(image, tmp_path / "scan.nii")
    assert (tmp_path / "scan.nii").read_text() == "precious"
    write_image(image, tmp_path / "scan.nii", overwrite=True)
    assert read_image(tmp_path / "scan.nii").grid.shape == (2, 2, 2)


def test_a_failed_write_leaves_nothing(tmp_path):
    image = Image(np.zeros((2, 2, 2), np.complex64), Grid.from_parts((2, 2, 2)))
    with pytest.raises(ValueError, match="complex64"):
        write_image(image, tmp_path / "scan.nii")
    assert list(tmp_path.iterdir()) == []


def test_an_ending_without_writer_is_refused(tmp_path):
    with pytest.raises(UnknownFormat, match=r"\.nii\.gz"):
        write_image(Image(np.zeros((2, 2, 2)), Grid.from_parts((2, 2, 2))), tmp_path / "scan.xyz")


def test_axes_that_nifti_cannot_name_are_refused(tmp_path):
    image = Image(np.zeros((2, 2, 2, 3, 4)), Grid.from_parts((2, 2, 2)), "1", {}, ("channel", "time"))
    with pytest.raises(GeometryError, match="cannot be written as NIfTI"):
        write_image(image, tmp_path / "scan.nii")


def test_no_damage_to_a_header_crashes_the_reader(tmp_path):
    """Whatever bytes change, the answer is an image or a message of ours."""
    whole = saved(tmp_path / "whole.nii", np.random.default_rng(0).integers(0, 255, (4, 5, 6)).astype(np.uint8))
    data, rng = whole.read_bytes(), np.random.default_rng(1)
    outcomes, unnamed = set(), 0
    for _ in range(300):
        damaged = bytearray(data)
        for place in rng.integers(0, 352, rng.integers(1, 6)):
            damaged[place] = rng.integers(0, 256)
        path = tmp_path / "damaged.nii"
        path.write_bytes(bytes(damaged))
        try:
            outcomes.add(type(read_image(path)).__name__)
        except CohortexError as error:
            outcomes.add(type(error).__name__)
            unnamed += "damaged.nii" not in str(error)
    assert unnamed == 0
    assert {"Image", "UnreadableFile", "GeometryError"} <= outcomes


def test_flipped_bytes_in_the_compressed_voxels_are_noticed(tmp_path):
    """Half of the voxels would be wrong, and nothing but the checksum tells."""
    path = tmp_path / "scan.nii.gz"
    values = np.random.default_rng(0).integers(0, 900, (20, 20, 20)).astype(np.int16)
    write_image(Image(values, Grid.from_parts((20, 20, 20)), "arbitrary"), path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 400] = bytes(400)
    path.write_bytes(content)
    with pytest.raises(UnreadableFile, match=r"scan\.nii\.gz: .*Send it again"):
        read_image(path)


def test_values_packed_in_bytes_come_back_within_half_a_step(tmp_path):
    grid = Grid.from_parts((6, 5, 4), spacing_mm=(1, 2, 3), origin_mm=(-4, 5, 6))
    image = Image(np.random.default_rng(3).uniform(-3, 9, (6, 5, 4)).astype(np.float32), grid)
    packing = Packing(slope=12 / 255, intercept=-3.0, dtype=np.dtype(np.uint8))
    write_packed_nifti(image, tmp_path / "packed.nii.gz", packing=packing)
    again = read_image(tmp_path / "packed.nii.gz")
    assert nib.load(tmp_path / "packed.nii.gz").get_data_dtype() == np.uint8
    assert_allclose(again.values, image.values, atol=6.01 / 255)  # half the slope
    assert again.grid == grid


def test_a_value_that_does_not_fit_its_packing_is_refused(tmp_path):
    image = Image(np.full((2, 2, 2), 300.0, np.float32), Grid.from_parts((2, 2, 2), spacing_mm=(1, 1, 1)))
    with pytest.raises(OverflowError, match="uint8 holds 0 to 255"):
        write_packed_nifti(
            image, tmp_path / "packed.nii", packing=Packing(slope=1.0, intercept=0.0, dtype=np.dtype(np.uint8))
        )
    assert not (tmp_path / "packed.nii").exists()
