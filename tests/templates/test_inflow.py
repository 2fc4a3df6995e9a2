from __future__ import annotations

import numpy as np

from cohortex.geometry import Grid
from cohortex.templates import fluid_inflow_on, mni152
from cohortex.transform import Rigid

TURNED = Rigid.from_vectors(rotation_vector_rad=(0.1, -0.1, 0.2), translation_mm=(5, -8, 12))


def test_the_medulla_is_marked_wherever_the_head_lies():
    grid = mni152(spacing_mm=2).grid
    marked = fluid_inflow_on(grid, template_from_image=Rigid.identity())
    assert marked.grid == grid
    index = np.rint(grid.index_of([[0, 42, -60], [0, 42, -30], [30, 60, -56], [0, 10, 20]])).astype(int)
    assert [bool(marked.mask[tuple(i)]) for i in index] == [True, False, False, False]  # not pons, tonsils, hemisphere

    elsewhere = Grid.from_parts((120, 140, 30), spacing_mm=(1.5, 1.5, 5), origin_mm=(-90, -100, -90))
    points = elsewhere.world_of(np.argwhere(fluid_inflow_on(elsewhere, template_from_image=TURNED).mask))
    assert np.linalg.norm(TURNED(points).mean(axis=0) - [0, 44, -62]) < 6
    volume_ml = len(points) * elsewhere.voxel_volume_mm3 / 1000
    assert 5 < volume_ml < 28 * 32 * 20 / 1000 * 1.2
