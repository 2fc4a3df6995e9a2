"""Texts: the words of the trade stay as they were written, everything else goes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortex import phantoms
from cohortex.geometry import Grid
from cohortex.image import Image
from cohortex.phantoms.scanner import series_description
from cohortex.pipeline.contrast import recognise_contrast
from cohortex.study.identity import clean_text
from cohortex.study.identity.words import words_of

KEPT = [
    "t2_tirm_tra_dark-fluid", "AX T1 BRAVO +C", "sT1W_3D_TFE_tra_GD", "eT2W_FLAIR_SPAIR", "MPRAGE_GRAPPA2",
    "ep2d_diff_3scan_trace_tra_TRACEW", "t1_mprage_sag_p2_iso_1.0", "AxT1FLAIR", "*tfl3d1_16ns", "*ep_b1000t",
    "pd+t2_tse_sag_ISO_1.8mm", "DWI b 1000", "3D T1 SPACE post KM", "Ax T2 PROPELLER", "MRHR_T1_AX-POST", "cor t2*",
    "SWI_Images", "mIP_Images",
    "dti_tra_dir16_PA_rot", "Head  6.0  H31s", "B30s", "SAG MPRAGE 220 FOV", "t1_fl2d_sag", "*fl3d1", "epi_dti",
    "T2W_TSE_tra", "localizer", "3-plane loc", "Brain 6.0, iDose", "DWI_SSh_b1000", "t1 mprage senza mdc",
]  # fmt: skip
LOST = [
    "ROSSI MARIA", "Rossì", "P1234567", "13/04/1961", "13.04.61", "19610413", "331 555 0142", "0042137",
    "FNTMRA61D53X999Z", "Corti", "Ospedale San Nessuno", "2024", "Dr. Bianchi", "via Fantasma",
]  # fmt: skip


@pytest.mark.parametrize("text", KEPT)
def test_words_of_the_trade_stay_as_they_are(text):
    assert clean_text(text) == text


@pytest.mark.parametrize("text", LOST)
def test_names_numbers_and_dates_go(text):
    assert clean_text(text) == ""


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("t1 mprage ROSSI MARIA", "t1 mprage"),
        ("ROSSI t1_mprage_sag", "t1_mprage_sag"),
        ("FLAIR 13/04/1961 ax", "FLAIR ax"),
        ("t2 Rossì_tra", "t2 tra"),
        ("AX ROSSI +C", "AX +C"),
        ("T1 C+ Bianchi", "T1 C+"),
    ],
)
def test_what_stays_of_a_mixed_text_keeps_its_order(text, left):
    assert clean_text(text) == left


def test_a_word_of_the_trade_that_is_the_patients_name_goes():
    assert clean_text("t1 BRAVO dixon", never=words_of(["BRAVO^Ines"])) == "t1 dixon"
    assert clean_text("t1_BravoSag", never=words_of(["BRAVO^Ines"])) == "t1"
    assert clean_text("scan 1234", never=words_of(["1234"])) == "scan"


@given(st.text(max_size=40))
def test_cleaning_twice_changes_nothing_more(text):
    once = clean_text(text)
    assert clean_text(once) == once
    assert once.isascii()


@given(
    seed=st.integers(0, 5000), before=st.sampled_from(["t1 ", "ax_", ""]), after=st.sampled_from(["", " tra", "_p2"])
)
def test_nothing_planted_survives_in_a_description(seed, before, after):
    for planted in phantoms.invented_identity(seed=seed).planted_strings():
        if planted == "PHANTOM":
            continue  # a word of the trade in this house
        cleaned = clean_text(f"{before}{planted}{after}")
        assert planted not in cleaned


@pytest.mark.parametrize("vendor", ["siemens-like", "ge-like", "philips-like"])
@pytest.mark.parametrize("contrast", ["T1", "T1c", "T2", "FLAIR", "b0", "trace", "ADC"])
def test_the_contrast_of_a_description_is_recognised_as_before(vendor, contrast):
    text = series_description(vendor, contrast, orientation="axial", slice_thickness_mm=5)
    image = Image(np.arange(8.0).reshape(2, 2, 2), Grid.from_parts((2, 2, 2)))
    before, after = (
        recognise_contrast(image.with_metadata(modality="MR", series_description=described)).contrast
        for described in (text, clean_text(text))
    )
    assert after == before != "other"


def test_versions_keep_their_dotted_numbers_and_no_dates():
    assert clean_text("5.3.1.3", dotted=True) == "5.3.1.3"
    assert clean_text("13.04.1961", dotted=True) == ""
