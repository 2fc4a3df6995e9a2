"""Place, order, time and values of DICOM series."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cohortex.errors import GeometryError, MissingSlices, UnevenSlices, UnreadableFile
from cohortex.io import read_image, read_series

OBLIQUE = (0.8, 0.6, 0.0, -0.48, 0.64, 0.6)
NORMAL = np.cross(OBLIQUE[:3], OBLIQUE[3:])


def constant(value: int, dtype: type = np.uint16) -> np.ndarray:
    return np.full((4, 5), value, dtype)


def test_a_voxel_lies_where_its_header_says(dicom_slice, save_series):
    start = np.array([10.0, -20.0, 30.0])
    slices = [
        dicom_slice(position=start + 3.0 * k * NORMAL, orientation=OBLIQUE, spacing=(2.0, 1.5), number=k)
        for k in range(3)
    ]
    image = read_image(save_series(slices))
    i, j, k = 4, 3, 2
    expected = start + 1.5 * i * np.array(OBLIQUE[:3]) + 2.0 * j * np.array(OBLIQUE[3:]) + 3.0 * k * NORMAL
    assert_allclose(image.grid.world_of((i, j, k)), expected, atol=1e-9)
    assert image.values[i, j, k] == 5 * j + i
    assert image.grid.frame_of_reference == "1.2.3.9"


def test_slices_are_sorted_by_place_not_by_instance_number(dicom_slice, save_series):
    heights = [6.0, 0.0, 9.0, 3.0]
    slices = [
        dicom_slice(position=(0, 0, z), number=n, values=constant(int(z))) for n, z in enumerate(heights, start=1)
    ]
    image = read_image(save_series(slices))
    assert_array_equal(image.values[0, 0], [0, 3, 6, 9])
    assert image.metadata["instance_numbers"] == [2, 4, 1, 3]
    assert image.metadata["source_files"] == ["001.dcm", "003.dcm", "000.dcm", "002.dcm"]


def test_a_tilted_gantry_becomes_shear_and_no_value_changes(dicom_slice, save_series):
    tilted = (1, 0, 0, 0, np.cos(0.3), -np.sin(0.3))
    slices = [dicom_slice(position=(0, 0, 5.0 * k), orientation=tilted, number=k, values=constant(k)) for k in range(4)]
    image = read_image(save_series(slices))
    assert not image.grid.is_orthogonal
    assert_allclose(image.grid.world_of((0, 0, 3)), (0, 0, 15), atol=1e-6)
    assert_array_equal(image.values[0, 0], range(4))
    assert any("tilt" in text for text in image.metadata["warnings"])


def test_missing_slices_are_refused_with_their_place(dicom_slice, save_series):
    slices = [dicom_slice(position=(0, 0, 2.0 * k), number=k + 1) for k in (0, 1, 2, 5, 6)]
    with pytest.raises(MissingSlices, match=r"5 of 7 slices, 2 missing between z = 4.0 and 10.0 mm.*interpolate"):
        read_image(save_series(slices))


def test_missing_slices_are_filled_on_demand_and_said(dicom_slice, save_series):
    slices = [dicom_slice(position=(0, 0, 2.0 * k), number=k, values=constant(10 * k)) for k in (0, 1, 2, 4)]
    image = read_image(save_series(slices), gaps="interpolate")
    assert_array_equal(image.values[0, 0], [0, 10, 20, 30, 40])
    assert image.values.dtype == np.uint16
    assert any("slices 4 were missing" in text for text in image.metadata["warnings"])


def test_uneven_slices_are_refused_with_their_distances(dicom_slice, save_series):
    slices = [dicom_slice(position=(0, 0, z), number=n) for n, z in enumerate((0, 1.14, 5.36, 12.74))]
    with pytest.raises(UnevenSlices, match=r"1.14, 4.22, 7.38.*resample"):
        read_image(save_series(slices))


def test_uneven_zones_with_running_numbers_are_not_called_missing(dicom_slice, save_series):
    heights = (*range(0, 20, 2), 20, 24, 28)
    slices = [dicom_slice(position=(0, 0, z), number=n) for n, z in enumerate(heights)]
    with pytest.raises(UnevenSlices):
        read_image(save_series(slices))


def test_a_gap_between_slices_of_scattered_numbers_is_called_missing(dicom_slice, save_series):
    slices = [dicom_slice(position=(0, 0, z), number=n) for z, n in ((0, 1), (2, 4), (4, 2), (6, 5), (12, 3))]
    with pytest.raises(MissingSlices, match="5 of 7 slices"):
        read_image(save_series(slices))


def test_resampling_uneven_slices_moves_no_anatomy(dicom_slice, save_series):
    heights = np.array([0, 1.25, 5.0, 12.5])
    slices = [dicom_slice(position=(0, 0, z), number=n, values=constant(int(100 * z))) for n, z in enumerate(heights)]
    image = read_image(save_series(slices), uneven="resample")
    assert image.grid.shape[2] == 11
    assert_allclose(image.values[0, 0], 100 * image.grid.world_points()[0, 0, :, 2], atol=0.01)
    assert any("sampled linearly" in text for text in image.metadata["warnings"])


def test_a_repeated_slice_is_left_out_and_said(dicom_slice, save_series):
    slices = [dicom_slice(position=(0, 0, 2.0 * k), number=k) for k in range(3)]
    folder = save_series([*slices, slices[1]])
    image = read_image(folder)
    assert image.grid.shape[2] == 3
    assert any("003.dcm repeats 001.dcm" in text for text in image.metadata["warnings"])


def test_one_place_with_equal_pixels_under_two_names_is_one_slice(dicom_slice, save_series):
    slices = [dicom_slice(position=(0, 0, 2.0 * k), number=k) for k in range(3)]
    image = read_image(save_series([*slices, dicom_slice(position=(0, 0, 2.0), number=9)]))
    assert image.grid.shape[2] == 3


def test_one_place_with_different_pixels_is_refused(dicom_slice, save_series):
    slices = [dicom_slice(position=(0, 0, 2.0 * k), number=k) for k in range(3)]
    with pytest.raises(GeometryError, match="claim the same place with different pixels"):
        read_image(save_series([*slices, dicom_slice(position=(0, 0, 2.0), number=9, values=constant(1))]))


def test_two_objects_under_one_instance_uid_are_refused(dicom_slice, save_series):
    one = dicom_slice(SOPInstanceUID="1.2.3.77")
    other = dicom_slice(SOPInstanceUID="1.2.3.77", values=constant(1))
    with pytest.raises(UnreadableFile, match="one SOP Instance UID"):
        read_image(save_series([one, other]))


def test_two_echoes_are_two_images(dicom_slice, save_series):
    slices = [
        dicom_slice(position=(0, 0, 2.0 * k), number=2 * k + e, EchoTime=te, values=constant(int(te)))
        for k in range(3)
        for e, te in enumerate((92.0, 11.0))
    ]
    images = read_series(save_series(slices))
    assert [image.metadata["echo_time_s"] for image in images] == [0.011, 0.092]
    assert [int(image.values[0, 0, 0]) for image in images] == [11, 92]


def test_an_echo_time_that_varies_along_the_stack_splits_nothing(dicom_slice, save_series):
    slices = [dicom_slice(position=(0, 0, 2.0 * k), number=k, EchoTime=10.0 + k) for k in range(3)]
    assert read_image(save_series(slices)).grid.shape[2] == 3


def test_a_localizer_in_the_series_is_an_image_of_its_own(dicom_slice, save_series):
    axial = [
        dicom_slice(position=(0, 0, 2.0 * k), number=k, ImageType=["ORIGINAL", "PRIMARY", "AXIAL"]) for k in range(3)
    ]
    scout = dicom_slice(orientation=(0, 1, 0, 0, 0, -1), number=9, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    assert sorted(image.grid.shape[2] for image in read_series(save_series([scout, *axial]))) == [1, 3]


@pytest.mark.parametrize("timing", ["TemporalPositionIdentifier", "InstanceNumber", "TriggerTime"])
def test_places_imaged_repeatedly_become_time(dicom_slice, save_series, timing):
    slices = []
    for t in range(3):
        for k in range(2):
            extra = {} if timing == "InstanceNumber" else {timing: t + 1}
            number = 2 * t + k + 1 if timing == "InstanceNumber" else 1
            slices.append(
                dicom_slice(position=(0, 0, 2.0 * k), number=number, values=constant(10 * t + k), AcquisitionNumber=t)
            )
            for keyword, value in extra.items():
                setattr(slices[-1], keyword, value)
    image = read_image(save_series(slices[::-1]))
    assert image.extra_axes == ("time",)
    assert_array_equal(image.values[0, 0], [[0, 10, 20], [1, 11, 21]])


def test_diffusion_weightings_become_volumes_with_their_b_values(dicom_slice, save_series):
    slices = [
        dicom_slice(position=(0, 0, 2.0 * k), number=10 * n + k, DiffusionBValue=b, values=constant(int(b)))
        for n, b in enumerate((0.0, 1000.0))
        for k in range(2)
    ]
    image = read_image(save_series(slices))
    assert image.metadata["b_value_s_per_mm2"] == [0.0, 1000.0]
    assert_array_equal(image.values[0, 0, 0], [0, 1000])


def test_an_incomplete_volume_is_refused(dicom_slice, save_series):
    slices = [
        dicom_slice(position=(0, 0, 2.0 * k), number=10 * t + k, values=constant(t)) for t in range(3) for k in range(3)
    ]
    with pytest.raises(MissingSlices, match=r"imaged 3 times.*2 times"):
        read_image(save_series(slices[:-1]))


def test_slices_shifted_sideways_are_refused(dicom_slice, save_series):
    slices = [dicom_slice(position=(3.0 if k == 2 else 0.0, 0, 2.0 * k), number=k) for k in range(5)]
    with pytest.raises(GeometryError, match="beside the line"):
        read_image(save_series(slices))


def test_two_fields_of_view_in_one_plane_are_refused(dicom_slice, save_series):
    slices = [dicom_slice(position=(x, 0, 0), number=n) for n, x in enumerate((0.0, 50.0))]
    with pytest.raises(GeometryError, match="shifted sideways"):
        read_image(save_series(slices))


def test_ct_values_are_hounsfield_units_and_stay_integers(dicom_slice, save_series):
    stored = np.array([[0, 1034, 1324]], np.uint16)
    image = read_image(save_series([dicom_slice(values=stored, Modality="CT", RescaleSlope=1, RescaleIntercept=-1024)]))
    assert image.unit == "HU"
    assert image.values.dtype == np.int16
    assert_array_equal(image.values[:, 0, 0], [-1024, 10, 300])  # checklist row S2-04, quiz 1


def test_each_pet_slice_has_its_own_slope(dicom_slice, save_series):
    slices = [
        dicom_slice(
            position=(0, 0, 2.0 * k), number=k, Modality="PT", Units="BQML", RescaleSlope=0.5 * (k + 1),
            RescaleIntercept=0, values=constant(100),
        )
        for k in range(3)
    ]  # fmt: skip
    image = read_image(save_series(slices))
    assert image.unit == "Bq/mL"
    assert_allclose(image.values[0, 0], [50, 100, 150])
    assert image.metadata["rescale_slope"] == [0.5, 1.0, 1.5]


def test_a_real_valued_slope_gives_floats(dicom_slice, save_series):
    image = read_image(save_series([dicom_slice(values=constant(3), RescaleSlope=0.25, RescaleIntercept=-1)]))
    assert image.values.dtype == np.float32
    assert float(image.values[0, 0, 0]) == -0.25


def test_mr_values_are_in_arbitrary_units(dicom_slice, save_series):
    assert read_image(save_series([dicom_slice()])).unit == "arbitrary"


def test_colours_are_channels_and_never_rescaled(dicom_slice, save_series):
    rgb = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    image = read_image(save_series([dicom_slice(values=rgb, RescaleSlope=1, RescaleIntercept=-1024)]))
    assert image.extra_axes == ("channel",)
    assert_array_equal(image.values[:, :, 0], np.swapaxes(rgb, 0, 1))


def test_a_picture_without_a_place_has_no_left_and_right(dicom_slice, save_series):
    dataset = dicom_slice()
    del dataset.ImagePositionPatient, dataset.ImageOrientationPatient
    image = read_image(save_series([dataset]))
    assert image.grid.ndim == 2
    assert not image.grid.orientation_known
    assert image.grid.spacing_mm == (1.5, 2.0)


def test_times_are_in_seconds_and_nobody_is_named(dicom_slice, save_series):
    image = read_image(
        save_series([dicom_slice(EchoTime=3.5, RepetitionTime=2000, InversionTime=900, FlipAngle=9, KVP=None)])
    )
    metadata = dict(image.metadata)
    assert (metadata["echo_time_s"], metadata["repetition_time_s"]) == (0.0035, 2.0)
    assert (metadata["inversion_time_s"], metadata["flip_angle_deg"]) == (0.9, 9.0)
    assert "Person" not in str(metadata)
    assert "T-1" not in str(metadata)


def test_a_header_spacing_that_contradicts_the_positions_is_said(dicom_slice, save_series):
    slices = [dicom_slice(position=(0, 0, 2.0 * k), number=k, SpacingBetweenSlices=4.0) for k in range(3)]
    image = read_image(save_series(slices))
    assert image.grid.spacing_mm[2] == pytest.approx(2.0)
    assert any("the header says 4 mm" in text for text in image.metadata["warnings"])


@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_slices_are_enough(dicom_slice, save_series, count):
    slices = [dicom_slice(position=(0, 0, 4.0 * k), number=k, SliceThickness=3.0) for k in range(count)]
    assert read_image(save_series(slices)).grid.spacing_mm[2] == pytest.approx(3.0 if count == 1 else 4.0)
