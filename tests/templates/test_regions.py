"""Places in words against textbook coordinates and independent atlases."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from nilearn import datasets

from cohortex.geometry import Grid
from cohortex.image import Image, Labels
from cohortex.io import read_image
from cohortex.registration import align_affine
from cohortex.templates import mni152
from cohortex.templates.regions import REGIONS, describe_place, region_numbers
from cohortex.transform import warp

LPS_FROM_RAS = np.array([-1.0, -1.0, 1.0])

TEXTBOOK = [  # structure, one MNI coordinate (RAS, mm) of its left or middle part, region
    ("hand knob of the precentral gyrus", (-38, -22, 56), "frontal"),
    ("face area of the precentral gyrus", (-54, -4, 32), "frontal"),
    ("supplementary motor area", (-6, -2, 58), "frontal"),
    ("middle frontal gyrus", (-40, 30, 32), "frontal"),
    ("superior frontal gyrus", (-20, 34, 44), "frontal"),
    ("frontal pole", (-24, 60, 4), "frontal"),
    ("Broca, pars opercularis", (-52, 14, 16), "frontal"),
    ("orbitofrontal cortex", (-26, 36, -14), "frontal"),
    ("gyrus rectus", (-6, 36, -20), "frontal"),
    ("anterior cingulate", (-4, 36, 18), "frontal"),
    ("frontal eye field", (-28, -4, 52), "frontal"),
    ("centrum semiovale, frontal", (-26, 18, 30), "frontal"),
    ("hand area of the postcentral gyrus", (-44, -30, 54), "parietal"),
    ("superior parietal lobule", (-24, -60, 60), "parietal"),
    ("supramarginal gyrus", (-58, -38, 34), "parietal"),
    ("angular gyrus", (-46, -62, 34), "parietal"),
    ("precuneus", (-6, -60, 42), "parietal"),
    ("posterior cingulate", (-6, -46, 30), "parietal"),
    ("intraparietal sulcus", (-36, -50, 46), "parietal"),
    ("hippocampus, body", (-28, -20, -16), "temporal"),
    ("hippocampus, head", (-24, -12, -20), "temporal"),
    ("amygdala", (-23, -4, -20), "temporal"),
    ("temporal pole", (-40, 12, -32), "temporal"),
    ("superior temporal gyrus", (-60, -20, 0), "temporal"),
    ("Heschl's gyrus", (-46, -20, 8), "temporal"),
    ("middle temporal gyrus", (-60, -34, -6), "temporal"),
    ("inferior temporal gyrus", (-54, -30, -24), "temporal"),
    ("fusiform face area", (-40, -50, -18), "temporal"),
    ("parahippocampal gyrus", (-24, -32, -16), "temporal"),
    ("calcarine cortex", (-10, -88, 4), "occipital"),
    ("cuneus", (-8, -82, 26), "occipital"),
    ("lingual gyrus", (-12, -70, -4), "occipital"),
    ("occipital pole", (-20, -98, -4), "occipital"),
    ("middle occipital gyrus", (-34, -84, 12), "occipital"),
    ("insula", (-38, 4, 0), "insular"),
    ("insula, posterior", (-38, -14, 6), "insular"),
    ("putamen", (-26, 4, 0), "basal ganglia"),
    ("pallidum", (-20, -4, -2), "basal ganglia"),
    ("caudate, head", (-12, 14, 8), "basal ganglia"),
    ("accumbens", (-9, 12, -8), "basal ganglia"),
    ("thalamus", (-12, -18, 8), "thalamus"),
    ("pulvinar", (-14, -28, 8), "thalamus"),
    ("cerebellum, lobule VI", (-24, -60, -26), "cerebellum"),
    ("cerebellum, crus I", (-40, -66, -34), "cerebellum"),
    ("cerebellum, lobule VIII", (-24, -60, -52), "cerebellum"),
    ("dentate nucleus", (-15, -56, -34), "cerebellum"),
    ("vermis", (0, -62, -20), "cerebellum"),
    ("pons", (0, -26, -32), "brain stem"),
    ("midbrain", (-8, -20, -10), "brain stem"),
    ("medulla", (0, -40, -54), "brain stem"),
    ("splenium", (0, -38, 14), "corpus callosum"),
    ("genu", (-4, 28, 8), "corpus callosum"),
    ("body of the corpus callosum", (0, 2, 26), "corpus callosum"),
    ("lateral ventricle, body", (-6, -4, 20), "ventricle"),
    ("third ventricle", (0, -10, -2), "ventricle"),
    ("fourth ventricle", (0, -46, -32), "ventricle"),
]


@pytest.mark.parametrize(("structure", "ras_mm", "region"), TEXTBOOK, ids=[name for name, _, _ in TEXTBOOK])
def test_a_textbook_coordinate_lies_in_its_region(structure, ras_mm, region):
    place = describe_place(np.array(ras_mm) * LPS_FROM_RAS)
    assert place.region == region, structure
    assert place.side == ("midline" if abs(ras_mm[0]) <= 3 else "left")


@pytest.mark.parametrize(("structure", "ras_mm", "region"), TEXTBOOK[::5], ids=[name for name, _, _ in TEXTBOOK[::5]])
def test_the_mirrored_coordinate_gives_the_mirrored_words(structure, ras_mm, region):
    left = describe_place(np.array(ras_mm) * LPS_FROM_RAS)
    right = describe_place(np.array(ras_mm) * (1, -1, 1))
    assert right.region == left.region == region, structure
    assert right.words == left.words.replace("left", "right")


@pytest.mark.parametrize(
    ("ras_mm", "words"),
    [
        ((-26, 18, 30), "left frontal white matter"),
        ((6, -2, 58), "right frontal grey matter"),
        ((24, -60, -26), "right cerebellum"),
        ((0, -26, -32), "brain stem"),
        ((-26, 4, 0), "left basal ganglia"),
        ((0, -38, 14), "corpus callosum"),
        ((-6, -4, 20), "left lateral ventricle"),
        ((0, -10, -2), "third ventricle"),
        ((0, -46, -32), "fourth ventricle"),
        ((-20, 26, 14), "left frontal periventricular white matter"),
        ((0, 0, 95), "outside the brain"),
    ],
)
def test_a_place_reads_as_a_radiologist_would_say_it(ras_mm, words):
    assert describe_place(np.array(ras_mm) * LPS_FROM_RAS).words == words


def test_a_structure_across_two_lobes_names_both():
    y = np.linspace(-45, 0, 40)
    points = np.stack([np.full(40, -28.0), y, np.full(40, 32.0)], axis=1) * LPS_FROM_RAS
    assert describe_place(points).words == "left frontal and parietal white matter"


def test_a_structure_on_both_sides_is_bilateral():
    x = np.linspace(-12, 12, 30)
    points = np.stack([x, np.full(30, -38.0), np.full(30, 13.0)], axis=1) * LPS_FROM_RAS
    place = describe_place(points)
    assert place.side == "both"
    assert place.words == "bilateral corpus callosum"


def test_the_tissue_comes_from_the_maps_that_are_given():
    grid = Grid.from_parts((3, 3, 3), spacing_mm=(100, 100, 100), origin_mm=(-100, -100, -100))
    ones, zeros = Image(np.ones(grid.shape, np.float32), grid), Image(np.zeros(grid.shape, np.float32), grid)
    point = np.array((-38, -22, 56)) * LPS_FROM_RAS
    for name, expected in (("grey", "grey matter"), ("white", "white matter"), ("csf", "fluid")):
        maps = {"grey": zeros, "white": zeros, "csf": zeros} | {name: ones}
        assert describe_place(point, tissue=maps).tissue == expected
    assert describe_place(point, tissue={"grey": zeros, "white": zeros, "csf": zeros}).words == "outside the brain"


def seitzman() -> tuple[np.ndarray, np.ndarray]:
    """Coordinates (RAS) and anatomical labels of 300 functional regions, carried by nilearn."""
    folder = Path(datasets.__file__).parent / "data"
    rows = (folder / "seitzman_2018_ROIs_300inVol_MNI_allInfo.txt").read_text().splitlines()[1:]
    labels = (folder / "seitzman_2018_ROIs_anatomicalLabels.txt").read_text().splitlines()[1:]
    points = np.array([[float(v) for v in row.split()[:3]] for row in rows if row.strip()])
    kinds = np.array([int(v) for v in labels if v.strip()])
    return points, kinds


@pytest.mark.parametrize(
    ("number", "regions"),
    [
        (1, {"frontal", "parietal", "temporal", "occipital", "insular"}),
        (2, {"frontal", "parietal", "temporal", "occipital", "insular"}),
        (3, {"temporal"}),  # hippocampus
        (4, {"temporal"}),  # amygdala
        (5, {"basal ganglia"}),
        (6, {"thalamus"}),
        (7, {"cerebellum"}),
    ],
)
def test_an_independent_parcellation_agrees(number, regions):
    points, kinds = seitzman()
    chosen = points[kinds == number]
    found = np.array(REGIONS)[region_numbers(chosen * LPS_FROM_RAS)]
    inside = found[(found != "outside") & (found != "ventricle")]
    assert len(inside) > 0.75 * len(chosen)  # some centres lie just off the template's brain
    assert np.mean([name in regions for name in inside]) >= 0.9


def test_region_numbers_keep_the_shape_of_the_points():
    points = mni152(spacing_mm=8.0).grid.world_points()[::4, ::4, ::4]
    assert region_numbers(points).shape == points.shape[:-1]


@pytest.mark.parametrize("points", [np.zeros((0, 3)), [1.0, 2.0], [0.0, np.nan, 0.0], np.zeros((2, 2, 3))])
def test_what_is_no_set_of_points_is_refused(points):
    with pytest.raises(ValueError, match="points_mm"):
        describe_place(points)


def test_missing_tissue_maps_are_named():
    with pytest.raises(ValueError, match="white, csf"):
        describe_place((0, 0, 0), tissue={"grey": mni152(spacing_mm=8.0).grey})


OWN_WORDS = {  # Neuromorphometrics' abbreviations by lobe
    "frontal": "ACgG AOrG CO FO FRP GRe IFG IOrG LOrG MCgG MFC MFG MOrG MPrG MSFG OFC OpIFG OrIFG POrG PrG SCA SFG SMC "
    "TrIFG",
    "parietal": "AnG MPoG PCgG PCu PO PoG SMG SPL",
    "temporal": "Ent FuG ITG MTG PHG PP PT STG TMP TTG Hippocampus Amygdala",
    "occipital": "Calc Cun IOG LiG MOG OCP OFuG SCLC SOG",
    "insular": "AIns PIns",
    "basal ganglia": "Accumbens Caudate Pallidum Putamen",
    "thalamus": "Thalamus",
    "cerebellum": "Cerebellum Cerebellar",
    "brain stem": "Brain",
}


@pytest.mark.real_data
def test_the_regions_agree_with_a_labelled_brain_that_was_not_looked_at_when_drawing_them(shared_data):
    folder = shared_data / "labelled-brains"
    template = mni152(spacing_mm=2.0)
    scan = read_image(folder / "1125_SS.nii.gz")
    labels = read_image(folder / "1125_glm.nii.gz")
    alignment = align_affine(template.t1, scan)
    onto = warp(Labels(labels.values, labels.grid), alignment.moving_from_fixed, onto=template.grid).values
    lobe_of = {word: lobe for lobe, words in OWN_WORDS.items() for word in words.split()}
    rows = csv.reader((folder / "MICCAI-Challenge-2012-Label-Information.csv").read_text().splitlines())
    names = {
        int(row[0]): row[1].removeprefix("Right ").removeprefix("Left ").split() for row in rows if row[0].isdigit()
    }
    truth = {n: lobe_of[name[0]] for n, name in names.items() if name and name[0] in lobe_of}
    found = np.array(REGIONS)[region_numbers(template.grid.world_points())]
    judged = np.isin(onto, list(truth)) & (found != "outside")
    expected = np.array([truth.get(n, "") for n in range(onto.max() + 1)])[onto]
    assert judged.sum() > 50_000
    assert np.mean(found[judged] == expected[judged]) >= 0.88  # 0.90 measured; borders between lobes
