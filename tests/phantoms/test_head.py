from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cohortex import phantoms
from cohortex.transform import jacobian_determinant


def brain_points(head: phantoms.Head, count: int = 20_000) -> np.ndarray:
    rng = np.random.default_rng(0)
    index = np.argwhere(head.brain.mask)
    index = index[rng.choice(len(index), count)] + rng.uniform(-0.5, 0.5, (count, 3))
    return head.grid.world_of(index)


@pytest.mark.parametrize("name", ["plain_head", "varied_head"])
def test_fractions_add_up_to_one_everywhere(name, request):
    head = request.getfixturevalue(name)
    total = sum(values.astype(int) for values in head.tissues.values()) / 255
    assert np.abs(total - 1).max() <= 7 / 255  # each of 14 bytes is rounded by half a step


def test_coarse_heads_keep_the_tissue_volumes(plain_head):
    maps = phantoms.mni_tissue()
    for tissue in ("grey", "white"):
        volume = plain_head.fraction(tissue).values.sum() * plain_head.grid.voxel_volume_mm3
        assert volume == pytest.approx(getattr(maps, tissue).sum() / 255, rel=1e-3)
    assert plain_head.brain.mask.sum() * 27 / 1000 == pytest.approx(1883, rel=0.005)


def test_head_has_what_a_head_has(plain_head):
    volumes = {name: plain_head.fraction(name).values.sum() * 27 / 1000 for name in phantoms.TISSUES}
    assert 300 < volumes["bone"] + volumes["marrow"] < 1000
    assert 10 < volumes["eye"] < 18  # two eyeballs of 7 ml
    assert volumes["air"] > 4000
    for name in ("skin", "fat", "muscle", "blood", "nerve", "lens", "tooth"):
        assert volumes[name] > 0, name


def test_skull_surrounds_the_brain_with_varying_thickness(plain_head):
    bone = plain_head.fraction("bone").values + plain_head.fraction("marrow").values
    thickness = []
    for angle in np.radians(np.arange(0, 360, 15)):
        steps = np.arange(60, 130, 0.5)
        ray = np.stack([steps * np.cos(angle), 15 + steps * np.sin(angle), np.full(steps.shape, 30.0)], axis=-1)
        index = np.rint(plain_head.grid.index_of(ray)).astype(int)
        inside = np.all((index >= 0) & (index < plain_head.grid.shape), axis=1)
        thickness.append(bone[tuple(index[inside].T)].sum() * 0.5)
    assert min(thickness) > 2
    assert np.std(thickness) > 0.4


def test_nose_points_forward_and_nothing_touches_the_border_but_the_neck(plain_head):
    tissue = plain_head.fraction("air").values < 0.5
    points = plain_head.grid.world_points()[tissue]
    tip = points[np.argmin(points[:, 1])]
    assert tip[1] < -100  # anterior of the brow, which ends at about -90
    assert abs(tip[0]) < 5
    for face in (tissue[0], tissue[-1], tissue[:, 0], tissue[:, -1], tissue[..., -1]):
        assert not face.any()
    assert tissue[..., 0].any()


def test_labels_lie_in_their_tissue_and_on_their_side(plain_head):
    labels, points = plain_head.labels.values, plain_head.grid.world_points()
    fluid, grey = plain_head.tissues["csf"], plain_head.tissues["grey"]
    for number, name in phantoms.LABEL_NAMES.items():
        inside = labels == number
        assert inside.any(), name
        assert ((fluid if "ventricle" in name else grey)[inside] > 127).all(), name
        if name.startswith(("left", "right")):
            assert (points[inside][:, 0].mean() > 0) == name.startswith("left"), name


def test_head_and_template_are_inverse_within_a_twentieth_of_a_millimetre(varied_head):
    points = brain_points(varied_head)
    there_and_back = varied_head.head_from_template(varied_head.template_from_head(points))
    assert np.linalg.norm(there_and_back - points, axis=1).max() < 0.05


def test_mean_displacement_is_what_was_asked_for(varied_head):
    template_points = brain_points(phantoms.head(spacing_mm=3.0))
    moved = np.linalg.norm(varied_head.head_from_template(template_points) - template_points, axis=1)
    assert moved.mean() == pytest.approx(2.5, rel=0.02)


def test_deformation_does_not_fold(varied_head):
    coarse = varied_head.grid.with_spacing(4.0)
    assert jacobian_determinant(varied_head.head_from_template, coarse).values.min() > 0.2


def test_true_transform_carries_the_anatomy(plain_head, varied_head):
    points = brain_points(plain_head, 3000)
    here = np.rint(plain_head.grid.index_of(points)).astype(int)
    there = np.rint(varied_head.grid.index_of(varied_head.head_from_template(plain_head.grid.world_of(here))))
    white = plain_head.tissues["white"][tuple(here.T)].astype(float)
    carried = varied_head.tissues["white"][tuple(there.astype(int).T)].astype(float)
    unmoved = varied_head.tissues["white"][tuple(here.T)].astype(float)
    assert np.corrcoef(white, carried)[0, 1] > 0.93  # nearest voxel of 3 mm on both sides
    assert np.corrcoef(white, unmoved)[0, 1] < np.corrcoef(white, carried)[0, 1] - 0.05


@pytest.mark.parametrize("growth", [1.3, 0.75])
def test_ventricles_grow_as_asked_and_the_skull_stays(plain_head, growth):
    grown = phantoms.head(spacing_mm=3.0, ventricle_growth=growth)
    # 3 mm voxels mix the wall with the fluid; at 1 mm it is 1 %: tests/acceptance
    assert grown.ventricle_volume_ml / plain_head.ventricle_volume_ml == pytest.approx(
        growth, rel=0.07
    )  # 3 mm voxels mix the wall
    skull = np.argwhere(plain_head.tissues["bone"] > 200)
    points = plain_head.grid.world_of(skull)
    points = points[points[:, 2] > 0]
    assert np.linalg.norm(grown.head_from_template(points) - points, axis=1).mean() < 0.15
    middle = np.array([[12.0, 0.0, 16.0]])
    back = grown.head_from_template(grown.template_from_head(middle))
    assert np.linalg.norm(back - middle) < 0.05


def test_same_seed_same_head():
    one, two = (phantoms.head(spacing_mm=4.0, rng=np.random.default_rng(3), deformation_mm=2.0) for _ in range(2))
    for name in phantoms.TISSUES:
        assert_array_equal(one.tissues[name], two.tissues[name])
    points = brain_points(one, 100)
    assert_array_equal(one.template_from_head(points), two.template_from_head(points))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"spacing_mm": 0.1}, "spacing_mm is 0.1"),
        ({"spacing_mm": 20.0}, "spacing_mm is 20"),
        ({"spacing_mm": float("nan")}, "spacing_mm is nan"),
        ({"deformation_mm": -1.0}, "deformation_mm is -1"),
        ({"deformation_mm": 2.0}, "needs rng"),
        ({"ventricle_growth": 9.0}, "ventricle_growth is 9"),
    ],
)
def test_heads_that_cannot_be_made_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        phantoms.head(**{"spacing_mm": 4.0, **arguments})


def test_a_tissue_that_does_not_exist_is_refused(plain_head):
    with pytest.raises(ValueError, match="no tissue 'gold'"):
        plain_head.fraction("gold")
