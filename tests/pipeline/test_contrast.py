"""A contrast is recognised from what is there, and never guessed without a reason."""

from __future__ import annotations

import numpy as np
import pytest

from cohortex.geometry import Grid
from cohortex.image import Image, Labels
from cohortex.io import read_series
from cohortex.pipeline.contrast import recognise_contrast
from cohortex.pipeline.label_images import is_mask_name

GRID = Grid.from_parts((12, 12, 12))
NOISE = np.random.default_rng(0).gamma(3, 60, size=GRID.shape)


def scan(values=NOISE, unit: str = "arbitrary", **metadata: object) -> Image:
    return Image(np.asarray(values), GRID, unit, {"modality": "MR", **metadata})


def named(name: str, values=NOISE) -> Image:
    return Image(np.asarray(values), GRID, metadata={"source": name})


@pytest.mark.parametrize(
    ("description", "contrast"),
    [
        ("t1_mprage_sag_p2_iso", "T1"),
        ("SAG MPRAGE 220 FOV", "T1"),
        ("Accelerated SAG IR-SPGR", "T1"),
        ("T1 SE ax without contrast", "T1"),
        ("t1_mprage_sag_post_GD", "T1c"),
        ("T1 TSE +C", "T1c"),
        ("T1 FLAIR ax", "T1"),
        ("t2_tirm_tra_dark-fluid", "FLAIR"),
        ("Sag CUBE T2 FLAIR", "FLAIR"),
        ("t2_tse_tra", "T2"),
        ("ax T2*GRE", "other"),
        ("ep2d_diff_3scan_trace_p2_TRACEW", "DWI"),
        ("ep2d_diff_3scan_trace_p2_ADC", "ADC"),
        ("dti_tra_dir16", "DWI"),
        ("PD TSE", "PD"),
        ("localizer", "other"),
        ("3D TOF MRA", "other"),
        ("SWI_Images", "other"),
    ],
)
def test_series_descriptions_are_understood(description, contrast):
    guess = recognise_contrast(scan(series_description=description))
    assert guess.contrast == contrast
    assert "header says" in guess.reason


@pytest.mark.parametrize(
    ("name", "contrast"),
    [
        ("sub-01_ses-02_T1w.nii.gz", "T1"),
        ("sub-01_ce-gadolinium_T1w.nii.gz", "T1c"),
        ("sub-01_T2w.nii.gz", "T2"),
        ("sub-01_FLAIR.nii.gz", "FLAIR"),
        ("sub-01_acq-T1like_dwi.nii.gz", "DWI"),
        ("sub-01_task-rest_bold.nii.gz", "other"),
        ("study1_FLAIR.nii.gz", "FLAIR"),
        ("study2_T1W.nii.gz", "T1"),
        ("chris_t1.nii.gz", "T1"),
        ("Site_T1_AX_POST_GAD_SE_13_se2d1r_t1c.nii.gz", "T1c"),
        ("FLAIR_AX_SE_IR_5_tir2d1_21_fla.nii.gz", "FLAIR"),
        ("T1_N4_noneck_regtoFLAIR_brain_regtoMNI.nii.gz", "T1"),
        ("study1_T1W_to_FLAIR.nii.gz", "T1"),
        ("brain_t1ce.nii", "T1c"),
        ("visit-2_FLAIR.nii.gz", "FLAIR"),
        ("visit_2_T1.nii.gz", "T1"),
        ("case-1_week-2_t1_post.nii.gz", "T1c"),
        ("T1_2_FLAIR.nii.gz", "T1"),
    ],
)
def test_file_names_are_understood(name, contrast):
    assert recognise_contrast(named(name)).contrast == contrast


@pytest.mark.parametrize(
    ("times_ms", "contrast"),
    [
        ((2000, 2.5, 900), "T1"),
        ((500, 12, None), "T1"),
        ((4300, 92, None), "T2"),
        ((9000, 120, 2500), "FLAIR"),
        ((5000, 390, 1800), "FLAIR"),
        ((2500, 15, None), "PD"),
        ((4000, 60, 150), "other"),
    ],
)
def test_times_decide_where_words_are_silent(times_ms, contrast):
    repetition, echo, inversion = (time and time / 1000 for time in times_ms)
    image = scan(repetition_time_s=repetition, echo_time_s=echo, inversion_time_s=inversion, series_description="head")
    assert recognise_contrast(image).contrast == contrast


def test_echo_planar_and_late_gradient_echoes_are_not_taken_for_pd_or_t1():
    assert (
        recognise_contrast(scan(repetition_time_s=3.0, echo_time_s=0.03, scanning_sequence="EP\\GR")).contrast
        == "other"
    )
    assert recognise_contrast(scan(repetition_time_s=0.7, echo_time_s=0.02, flip_angle_deg=20.0)).contrast == "other"


def test_the_late_echo_of_a_double_echo_is_t2():
    assert recognise_contrast(scan(series_description="pd+t2_tse", echo_time_s=0.011)).contrast == "PD"
    assert recognise_contrast(scan(series_description="pd+t2_tse", echo_time_s=0.092)).contrast == "T2"


def test_a_contrast_agent_in_the_header_makes_t1_into_t1c():
    guess = recognise_contrast(scan(series_description="t1_mprage", contrast_bolus_agent="Gadovist 7 ml"))
    assert guess.contrast == "T1c"
    assert "agent" in guess.reason
    assert recognise_contrast(scan(series_description="t1_mprage", contrast_bolus_agent="NO")).contrast == "T1"
    assert recognise_contrast(scan(series_description="t2_tse", contrast_bolus_agent="Gadovist")).contrast == "T2"


def test_image_type_and_b_value_come_before_words():
    assert recognise_contrast(scan(series_description="t2 map", image_type=["DERIVED", "ADC"])).contrast == "ADC"
    assert recognise_contrast(scan(series_description="t2 map", image_type=["ORIGINAL", "DIFFUSION"])).contrast == "DWI"
    assert recognise_contrast(scan(image_type=["DERIVED", "FA"])).contrast == "other"
    assert recognise_contrast(scan(b_value_s_per_mm2=1000.0)).contrast == "DWI"


def test_ct_is_known_by_modality_unit_or_hounsfield_range():
    assert recognise_contrast(scan(modality="CT", series_description="T1 vertebra")).contrast == "CT"
    assert recognise_contrast(Image(NOISE, GRID, "HU")).contrast == "CT"
    hounsfield = np.linspace(-1024, 1800, NOISE.size).reshape(GRID.shape).astype(np.int16)
    assert recognise_contrast(named("head.nii.gz", hounsfield)).contrast == "CT"
    assert recognise_contrast(scan(hounsfield, series_description="t1")).contrast == "T1"  # an MR is no CT
    assert recognise_contrast(named("difference.nii.gz", hounsfield / 20)).contrast == "other"


def test_a_persons_choice_comes_first():
    image = scan(series_description="t1_mprage", source="scan-7.nii.gz")
    for pattern in ("scan-7.nii.gz", "scan-*", "t1_mprage"):
        guess = recognise_contrast(image, chosen={pattern: "FLAIR"})
        assert (guess.contrast, guess.reason) == ("FLAIR", "chosen by a person")
    assert recognise_contrast(image, chosen={"other*": "FLAIR"}).contrast == "T1"
    assert recognise_contrast(named("lesion_mask.nii.gz", NOISE > 100), chosen={"lesion_*": "T2"}).contrast == "T2"


def test_a_choice_that_is_no_contrast_is_refused():
    with pytest.raises(ValueError, match="'T3' is no contrast; choose from T1"):
        recognise_contrast(scan(), chosen={"a": "T3"})


def test_labels_beside_scans_are_not_scans():
    blocks = np.kron(np.arange(27).reshape(3, 3, 3), np.ones((4, 4, 4), dtype=np.int16))
    for image in (
        Labels((NOISE > 100).astype(np.uint8), GRID, metadata={"source": "study1_FLAIR.nii.gz"}),
        named("T1_lesions.nii.gz", (NOISE > 100).astype(np.uint8)),
        named("sub-01_T1w_drawing.nii.gz", (NOISE > 100) * 1.0),
        named("sub-01_FLAIR_seg2.nii.gz", blocks),
        named("regions.nii.gz", blocks),
    ):
        guess = recognise_contrast(image)
        assert guess.contrast == "other"
        assert "labels, not a scan" in guess.reason


def test_a_scan_named_after_a_lesion_or_a_program_stays_a_scan():
    whole = np.rint(NOISE).astype(np.uint8)
    assert recognise_contrast(named("lesion_study_T2.nii.gz", whole)).contrast == "T2"
    assert recognise_contrast(named("seg3d_MR_t1.nii.gz", whole)).contrast == "T1"


def test_what_nothing_tells_is_other():
    guess = recognise_contrast(named("otsu.nii.gz"))
    assert guess.contrast == "other"
    assert guess.reason == "neither header nor name says what it is"


@pytest.mark.parametrize("values", [np.zeros(GRID.shape), np.full(GRID.shape, np.nan), NOISE.astype(np.complex64)])
def test_odd_values_do_not_disturb(values):
    assert recognise_contrast(named("sub-01_T1w.nii.gz", values)).contrast == "T1"
    assert recognise_contrast(named("what.nii.gz", values)).contrast == "other"


@pytest.mark.parametrize("name", ["gt.nii.gz", "brainmask.nii", "sub-1_label-x_mask.nii.gz", "GOLD_STANDARD_N4.nii.gz"])
def test_mask_names(name):
    assert is_mask_name(name)


@pytest.mark.parametrize("name", ["T1.nii.gz", "lesionT2.nii", "seg3d_MR.nii.gz", "labelled.nii"])
def test_other_names(name):
    assert not is_mask_name(name)


@pytest.mark.real_data
def test_real_files_and_series_are_recognised(shared_data):
    expected = {
        "t1-heads/chris_t1.nii.gz": "T1",
        "t1-heads/otsu.nii.gz": "other",
        "t1-heads/seg3d_MR.nii.gz": "other",
        "lesions-ms-longitudinal/study1_FLAIR.nii.gz": "FLAIR",
        "lesions-ms-longitudinal/study2_T1W.nii.gz": "T1",
        "lesions-ms-longitudinal/gt.nii.gz": "other",
        "multicontrast-stroke/lesion.nii.gz": "other",
        "multicontrast-stroke/T2.nii.gz": "T2",
        "dicom-mr/siemens-skyra-mprage-child.zip": "T1",
        "dicom-mr/siemens-prisma-pd-t2-phantom.zip": "PD T2",
    }
    for name, contrasts in expected.items():
        found = [recognise_contrast(image).contrast for image in read_series(shared_data / name)]
        assert found == contrasts.split(), name
    kinds = {"_fla.": "FLAIR", "_t1c.": "T1c", "_t2.": "T2", "_t1.": "T1", "mask": "other"}
    for path in sorted((shared_data / "multicontrast-glioma").glob("*.nii.gz")):
        (image,) = read_series(path)
        assert recognise_contrast(image).contrast == next(kind for part, kind in kinds.items() if part in path.name)
