"""dcm2niix as judge: the same values in the same places, for every series that both programs read."""

import json
import subprocess
import zipfile
from pathlib import Path

import dcm2niix
import nibabel as nib
import numpy as np
import pytest

from cohortex.io import read_series, read_upload, sidecar
from cohortex.io.dicom_file import read_dicom_file
from cohortex.io.dicom_frames import frames_of, plane_of
from cohortex.io.dicom_pixels import decode_pixels

pytestmark = pytest.mark.real_data

CENTRE_TOLERANCE_MM = 0.01  # of the issue; headers carry about six digits
RAS_FROM_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def converted(source: Path, folder: Path) -> dict[str, nib.Nifti1Image]:
    """Run dcm2niix on a zip or a file; by file name without ending."""
    given, made = folder / "given", folder / "made"
    given.mkdir(parents=True)
    made.mkdir()
    if source.suffix == ".zip":
        with zipfile.ZipFile(source) as archive:
            archive.extractall(given)
    else:
        (given / source.name).write_bytes(source.read_bytes())
    command = [dcm2niix.bin, "-z", "n", "-b", "n", "-f", "%s_%e", "-o", str(made), str(given)]
    subprocess.run(command, check=False, capture_output=True)
    return {file.stem: nib.load(file) for file in sorted(made.glob("*.nii"))}


def stored_values(judge) -> np.ndarray:
    """Values of a NIfTI image; colours as a last axis, without the scaling that makes no sense for them."""
    if judge.get_data_dtype().names:
        records = judge.dataobj.get_unscaled()
        return np.stack([records[name] for name in records.dtype.names], axis=-1)
    return np.asanyarray(judge.dataobj)


def values_on_our_axes(image, judge) -> np.ndarray:
    """Values of the judge with its axes in our order; fails where voxel centres differ."""
    ours = RAS_FROM_LPS @ image.grid.world_from_index
    theirs = judge.affine
    if image.grid.shape[2] == 1:  # the third axis of one slice is nobody's measurement
        theirs = theirs.copy()
        theirs[:3, 2] = ours[:3, 2]
    step = np.rint(np.linalg.inv(theirs)[:3, :3] @ ours[:3, :3]).astype(int)
    assert (np.abs(step).sum(axis=0) == 1).all(), "the axes differ by more than order and direction"
    order = [int(np.argmax(np.abs(step[:, axis]))) for axis in range(3)]
    flipped = [axis for axis in range(3) if step[order[axis], axis] < 0]
    values = stored_values(judge)
    size = values.shape
    corners = np.array(list(np.ndindex(2, 2, 2))) * (np.array(image.grid.shape) - 1)
    their_index = np.zeros_like(corners)
    for axis in range(3):
        along = corners[:, axis]
        their_index[:, order[axis]] = size[order[axis]] - 1 - along if axis in flipped else along
    apart = corners @ ours[:3, :3].T + ours[:3, 3] - their_index @ theirs[:3, :3].T - theirs[:3, 3]
    assert np.abs(apart).max() <= CENTRE_TOLERANCE_MM
    return np.flip(np.transpose(values, (*order, *range(3, values.ndim))), flipped)


SERIES = {
    "dicom-mr/ge-mr750-epi-fmri.zip": ["4_1"],
    "dicom-mr/ge-signa-irspgr-fruit-deidentified.zip": ["10_1"],
    "dicom-mr/siemens-prisma-pd-t2-phantom.zip": ["3_1", "3_2"],
    "dicom-mr/siemens-prisma-t1-2d-hfs.zip": ["3_1"],
    "dicom-mr/siemens-skyra-mprage-child.zip": ["5_1"],
    "dwi/uih-umr770-dti16.zip": ["12_0"],
    "dicom-odd/MR-SIEMENS-DICOM-WithOverlays.dcm": ["18_0"],
    "dicom-odd/bad_sequence.dcm": ["2_0"],
    "dicom-odd/deid_ctbrain1.dcm": ["2_0"],
    "dicom-odd/eCT_Supplemental.dcm": ["3_0"],
    "dicom-odd/explicit_VR-UN.dcm": ["1305501634_0"],
    "dicom-odd/highdicom_ct_image.dcm": ["1_0"],
    "dicom-odd/highdicom_seg_image_ct_binary.dcm": ["2_0"],
    "dicom-odd/liver.dcm": ["1_0"],
    "dicom-odd/parametric_map_float.dcm": ["1_0"],
}


@pytest.mark.parametrize("source", SERIES)
def test_values_and_places_are_those_of_dcm2niix(shared_data, tmp_path, source):
    judges = converted(shared_data / source, tmp_path)
    images = read_series(shared_data / source)
    assert len(images) == len(SERIES[source])
    for image, name in zip(images, SERIES[source], strict=True):
        expected = values_on_our_axes(image, judges[name])
        if source.endswith("ctbrain1.dcm"):  # lossy JPEG: two decoders may round a colour differently
            np.testing.assert_allclose(image.values.astype(int), expected.astype(int), atol=3)
        else:
            np.testing.assert_array_equal(image.values, expected)


PICTURES = {  # largest difference of a value; whether dcm2niix turned the second axis upwards
    "JPEG-LL.dcm": (0, True),
    "JPGLosslessP14SV1_1s_1f_8b.dcm": (0, True),
    "SC_ybr_full_uncompressed.dcm": (3, True),
    "US1_J2KR.dcm": (0, True),
    "deid_cookie_image1.dcm": (3, True),
    "deid_us_GREYSCALE_IMAGE.dcm": (0, True),
    "emri_small.dcm": (0, False),
    "emri_small_big_endian.dcm": (0, False),
    "highdicom_dx_image.dcm": (0, True),
    "vlut_04.dcm": (0, True),
}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_without_a_place_have_the_values_of_dcm2niix(shared_data, tmp_path, name):
    rounding, upwards = PICTURES[name]
    (judge,) = converted(shared_data / "dicom-odd" / name, tmp_path).values()
    (image,) = read_series(shared_data / "dicom-odd" / name)
    expected = stored_values(judge)
    expected = expected[:, ::-1] if upwards else expected
    expected = expected[:, :, 0] if expected.shape[2] == 1 else expected
    np.testing.assert_allclose(image.values.astype(int), expected.astype(int), atol=rounding)


def test_the_tilted_ct_keeps_every_slice_where_its_header_says(shared_data, tmp_path):
    """Against dcm2niix's unresampled file: the same slices in the same order, and DICOM's own positions."""
    source = shared_data / "dicom-ct" / "ge-hispeed-head-gantry-tilt.zip"
    judge = converted(source, tmp_path)["2_0"]
    theirs = np.asanyarray(judge.dataobj)
    frames = [
        frame for path in sorted((tmp_path / "given").rglob("*.dcm")) for frame in frames_of(read_dicom_file(path))
    ]
    frames.sort(key=lambda frame: float(plane_of(frame).position_mm @ plane_of(frame).normal))
    assert theirs.shape == (512, 512, 28)
    for number, frame in enumerate(frames):
        ours = decode_pixels(frame.file)[0] * frame.slope + frame.intercept
        np.testing.assert_array_equal(ours.T[:, ::-1], theirs[:, :, number])
    upload = read_upload(source)
    (problem,) = upload.problems
    assert type(problem.error).__name__ == "UnevenSlices"
    (image,) = read_series(source, uneven="resample")
    first, last = plane_of(frames[0]), plane_of(frames[-1])
    np.testing.assert_allclose(image.grid.world_of((0, 0, 0)), first.position_mm, atol=CENTRE_TOLERANCE_MM)
    np.testing.assert_array_equal(image.values[:, :, 0], theirs[:, ::-1, 0])
    for corner in ((0, 0), (511, 0), (0, 511), (511, 511)):
        offset = first.directions @ (np.array(corner) * first.pixel_spacing_mm)
        np.testing.assert_allclose(
            image.grid.world_of((*corner, 0)), first.position_mm + offset, atol=CENTRE_TOLERANCE_MM
        )
    # every original slice lies on the sheared line of the grid
    for frame in frames:
        index = image.grid.index_of(plane_of(frame).position_mm)
        np.testing.assert_allclose(index[:2], 0, atol=CENTRE_TOLERANCE_MM / 0.488)
    assert not image.grid.is_orthogonal
    assert image.unit == "HU"
    assert image.grid.index_of(last.position_mm)[2] < image.grid.shape[2]


REFERENCES = {
    "dicom-mr/ge-signa-irspgr-fruit-deidentified.zip": ["dicom-mr/reference/Accelerated_SAG_IR-SPGR_10"],
    "dicom-mr/ge-mr750-epi-fmri.zip": ["dicom-mr/reference/DCM2NIIX_regression_test_4"],
    "dicom-mr/siemens-prisma-pd-t2-phantom.zip": [
        "dicom-mr/reference/Siemens_pd+t2_tse_sag_ISO_1.8mm_3_e1",
        "dicom-mr/reference/Siemens_pd+t2_tse_sag_ISO_1.8mm_3_e2",
    ],
    "dwi/uih-umr770-dti16.zip": ["dwi/reference/dti_tra_dir16_PA_rot_12_132222"],
}
NUMBERS = """EchoTime RepetitionTime InversionTime FlipAngle MagneticFieldStrength SliceThickness SpacingBetweenSlices
    SAR PixelBandwidth ImagingFrequency SeriesNumber EchoNumber PercentPhaseFOV PercentSampling EchoTrainLength"""
WORDS = """Modality SeriesDescription ProtocolName ScanningSequence SequenceVariant ScanOptions MRAcquisitionType
    PatientPosition ManufacturersModelName InPlanePhaseEncodingDirectionDICOM"""


@pytest.mark.parametrize("source", REFERENCES)
def test_values_places_and_sidecars_are_those_of_the_references(shared_data, source):
    for image, stem in zip(read_series(shared_data / source), REFERENCES[source], strict=True):
        volume = shared_data / f"{stem}.nii"
        if volume.exists():  # the fruit's is not among the references
            np.testing.assert_array_equal(image.values, values_on_our_axes(image, nib.load(volume)))
        reference = json.loads((shared_data / f"{stem}.json").read_text())
        entries = sidecar(image)
        if "fruit" in source:  # its header has no protocol name; dcm2niix repeats the series description
            assert reference.pop("ProtocolName") == entries["SeriesDescription"]
        for name in set(NUMBERS.split()) & set(reference):
            assert entries[name] == pytest.approx(reference[name], rel=1e-4), name
        for name in set(WORDS.split()) & set(reference):
            assert str(entries[name]).strip() == reference[name], name
        assert str(entries["Manufacturer"]).casefold().startswith(reference["Manufacturer"].casefold())
        kinds = [kind for kind in reference["ImageType"] if kind != "MAGNITUDE"]  # dcm2niix adds that one
        assert entries["ImageType"] == kinds
        np.testing.assert_allclose(
            entries["ImageOrientationPatientDICOM"], reference["ImageOrientationPatientDICOM"], atol=1e-5
        )


def test_b_values_are_those_of_the_reference(shared_data):
    (image,) = read_series(shared_data / "dwi" / "uih-umr770-dti16.zip")
    reference = np.loadtxt(shared_data / "dwi" / "reference" / "dti_tra_dir16_PA_rot_12_132222.bval")
    np.testing.assert_allclose(image.metadata["b_value_s_per_mm2"], reference, rtol=1e-4)
