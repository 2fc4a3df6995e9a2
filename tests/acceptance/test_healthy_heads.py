"""A head without lesions, with flow, distractors and a template that misses by 1 mm, in which nothing may be found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from cohortex import phantoms
from cohortex.geometry import Grid
from cohortex.image import Image
from cohortex.lesions import outline_lesions
from cohortex.phantoms.acquisition import carried_labels
from cohortex.phantoms.distractors import draw_distractors, draw_flow
from cohortex.transform import Rigid

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(7200)]

MISALIGNED_MM = 1.0


def tissue_of(head: phantoms.Head, grid: Grid, seed: int) -> dict[str, Image]:
    """True tissue fractions moved by a smooth random field of `MISALIGNED_MM`, as after an elastic alignment."""
    rng = np.random.default_rng(seed)
    index = head.grid.index_of(grid.world_points())
    sigma = [12 / s for s in grid.spacing_mm]
    shift = np.stack([ndimage.gaussian_filter(rng.standard_normal(grid.shape), sigma) for _ in range(3)], axis=-1)
    index += shift * MISALIGNED_MM / np.sqrt(np.mean(np.sum(shift**2, axis=-1)))
    where = np.moveaxis(index, -1, 0)
    return {
        name: Image(
            ndimage.map_coordinates(head.tissues[name].astype(np.float32) / 255, where, order=1).astype(np.float32),
            grid,
        )
        for name in ("grey", "white", "csf")
    }


@pytest.mark.parametrize(("seed", "slice_mm"), [(130, 1.0), (131, 4.0), (132, 1.0), (133, 4.0)])
def test_a_head_without_lesions_shows_none(seed: int, slice_mm: float) -> None:
    rng = np.random.default_rng(seed)
    head = phantoms.head(spacing_mm=1.0, rng=rng, deformation_mm=2.0)
    distractors = draw_distractors(head, rng)
    distractors = replace(distractors, flow=draw_flow(head, rng))
    scanner = replace(phantoms.draw_scanner(rng, "ge-like"), bias=0.0)
    images = {
        contrast: phantoms.scan(
            head,
            contrast,
            slice_thickness_mm=slice_mm,
            scanner=scanner,
            distractors=distractors,
            rng=np.random.default_rng([seed, n]),
        )
        for n, contrast in enumerate(("T1", "FLAIR"))
    }
    grid = images["FLAIR"].grid
    brain = carried_labels(head.brain, grid, source_from_world=Rigid.identity())
    outline = outline_lesions(images, brain=brain, tissue=tissue_of(head, grid, seed))
    assert [round(lesion.volume_mm3) for lesion in outline.measured] == []
