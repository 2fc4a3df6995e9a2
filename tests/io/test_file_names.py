"""Names of converted files: as BIDS orders them, and none twice."""

import numpy as np

from cohortex.geometry import Grid
from cohortex.image import Image, Labels
from cohortex.io.file_names import bids_names

GRID = Grid.from_parts((2, 2, 2))


def image(**metadata: object) -> Image:
    return Image(np.zeros((2, 2, 2)), GRID, "arbitrary", metadata)


def test_a_series_is_named_after_its_description_number_and_echo():
    scan = image(series_description="pd+t2 tse_1.8mm", series_number=3, echo_number=2)
    assert bids_names([scan], ["T2w"]) == ["acq-pdt2tse18mm_run-03_echo-2_T2w"]


def test_magnitude_and_phase_are_told_apart():
    scans = [image(series_description="swi", series_number=1, image_type=["ORIGINAL", "PRIMARY", k]) for k in "MP"]
    assert bids_names(scans, ["swi", "swi"]) == ["acq-swi_run-01_swi", "acq-swi_run-01_part-phase_swi"]


def test_equal_names_are_numbered():
    scans = [image(series_description="scout", series_number=1)] * 2
    assert bids_names(scans, ["image"] * 2) == ["acq-scout_run-01_chunk-1_image", "acq-scout_run-01_chunk-2_image"]


def test_a_file_without_a_header_keeps_its_name():
    assert bids_names([image(source="visit 1/t1_head.nii.gz")], ["T1w"]) == ["acq-t1head_T1w"]


def test_a_series_without_description_is_named_by_what_it_is():
    scan = image(series_instance_uid="1.2", modality="CT", source="GE/01.dcm", series_number=2)
    assert bids_names([scan], ["ct"]) == ["acq-CT_run-02_ct"]


def test_a_segment_bears_its_label():
    labels = Labels(
        np.zeros((2, 2, 2), np.uint8), GRID, "label", {"source": "seg.dcm", "label_names": {1: "left lobe"}}
    )
    assert bids_names([labels], ["mask"]) == ["acq-seg_label-leftlobe_mask"]


def test_nothing_odd_gets_into_a_path():
    (name,) = bids_names([image(series_description="../../etc/passwd\0")], ["image"])
    assert name == "acq-etcpasswd_image"
