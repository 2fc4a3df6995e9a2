from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from cohortex.geometry import Grid
from cohortex.lesions.ellipsoid import fit_ellipsoid, fit_ellipsoid_twice, view_of
from cohortex.phantoms.shape import Shape, draw_blob


def fits_of(volume_mm3, slice_mm, *, count=12, relief=0.0):
    rng = np.random.default_rng(11)
    fits = []
    for _ in range(count):
        grid = Grid.from_parts((24, 24, int(24 / slice_mm) + 1), spacing_mm=(1, 1, slice_mm))
        center = grid.center_mm + rng.uniform(-0.5, 0.5, 3) * (1, 1, slice_mm)
        part = Shape(parts=(draw_blob(rng, center_mm=center, volume_mm3=volume_mm3),)).fraction(grid)
        share = np.zeros(grid.shape, dtype=np.float32)
        share[part.box] = part.share
        lifted = np.full(grid.shape, 0.0, dtype=np.float32)
        lifted[12:] = relief
        excess = share * (1 - lifted) + rng.normal(0, 0.08, grid.shape).astype(np.float32)
        outline = ndimage.gaussian_filter(share, (0.7, 0.7, 0)) > 0.4
        near = ndimage.distance_transform_edt(~outline, sampling=grid.spacing_mm) <= 2
        fits.append(
            fit_ellipsoid(
                view_of(
                    excess,
                    near | ndimage.binary_dilation(outline),
                    outline,
                    relief=lifted,
                    spacing_mm=grid.spacing_mm,
                    noise=np.full(grid.shape, 0.08, dtype=np.float32),
                    background_sd=0.02,
                    contrast=1.0,
                    contrast_sd=0.3,
                )
            )
        )
    return fits


@pytest.mark.parametrize(("volume", "slice_mm", "tolerance"), [(60, 1, 0.05), (500, 1, 0.02), (500, 4, 0.05)])
def test_volume_and_contrast_of_a_lobed_ellipsoid_are_found(volume, slice_mm, tolerance):
    fits = fits_of(volume, slice_mm)
    assert np.mean([f.volume_mm3 for f in fits]) == pytest.approx(volume, rel=tolerance)
    assert np.mean([f.contrast for f in fits]) == pytest.approx(1, abs=2 * tolerance)


def test_thick_slices_leave_doubt_between_contrast_and_volume():
    thin, thick = fits_of(60, 1)[0], fits_of(60, 4)[0]
    assert thick.contrast_sd > 2 * thin.contrast_sd
    assert thick.slope < -0.3  # a fainter lesion would have to be larger


def test_said_doubt_is_the_scatter():
    fits = fits_of(250, 4, count=24)
    scatter = np.std([f.contrast for f in fits])
    assert 0.5 < scatter / np.mean([f.contrast_sd for f in fits]) < 2


def test_a_brighter_background_does_not_shrink_the_lesion():
    fits = fits_of(500, 1, relief=0.3)
    assert np.mean([f.volume_mm3 for f in fits]) == pytest.approx(500, rel=0.04)


def view(rng, shape, slice_mm, *, noise, offset_mm=0.0):
    """A lesion in a scan whose slices begin `offset_mm` further up."""
    grid = Grid.from_parts((24, 24, int(24 / slice_mm) + 1), spacing_mm=(1, 1, slice_mm), origin_mm=(0, 0, offset_mm))
    part = shape.fraction(grid)
    share = np.zeros(grid.shape, dtype=np.float32)
    share[part.box] = part.share
    outline = ndimage.gaussian_filter(share, (0.7, 0.7, 0)) > 0.4
    near = ndimage.distance_transform_edt(~outline, sampling=grid.spacing_mm) <= 2
    return view_of(
        share + rng.normal(0, noise, grid.shape).astype(np.float32),
        near | ndimage.binary_dilation(outline),
        outline,
        relief=np.zeros(grid.shape, dtype=np.float32),
        spacing_mm=grid.spacing_mm,
        noise=np.full(grid.shape, noise, dtype=np.float32),
        background_sd=0.03,
        contrast=1.0,
        contrast_sd=0.4,
        points_of=grid.world_of,
    )


@pytest.mark.parametrize("grown", [1.0, 1.35])
@pytest.mark.parametrize("slices_mm", [(1.0, 4.0), (4.0, 4.0)])
def test_one_shape_at_two_visits_tells_the_change_better_than_two_volumes(slices_mm, grown):
    rng = np.random.default_rng(5)
    together, apart, said = [], [], []
    for _ in range(12):
        center = 12 + rng.uniform(-0.5, 0.5, 3) * (1, 1, 4)
        drawn = rng.integers(2**31)
        views = []
        for size, slice_mm, offset in ((1.0, slices_mm[0], 0.0), (grown, slices_mm[1], 1.7)):
            blob = draw_blob(np.random.default_rng(drawn), center_mm=center, volume_mm3=120 * size)
            views.append(view(rng, Shape(parts=(blob,)), slice_mm, noise=0.2, offset_mm=offset))
        first, second, change_sd = fit_ellipsoid_twice(*views, contrast_ratio=1.0)
        together.append(np.log(second.volume_mm3 / first.volume_mm3 / grown))
        said.append(change_sd)
        apart.append(np.log(fit_ellipsoid(views[1]).volume_mm3 / fit_ellipsoid(views[0]).volume_mm3 / grown))
    assert np.std(together) < 0.8 * np.std(apart)
    assert abs(np.mean(together)) < 0.08
    assert 0.4 < np.std(together) / np.mean(said) < 1.6
