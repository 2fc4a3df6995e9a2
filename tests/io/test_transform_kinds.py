"""Kinds of ITK transform that libraries name differently."""

from pathlib import Path

import numpy as np
from numpy.testing import assert_allclose

from cohortex.io import read_transform

_PLAIN_MATRIX = """#Insight Transform File V1.0
#Transform 0
Transform: MatrixOffsetTransformBase_double_3_3
Parameters: 1.1 0.2 0 0 0.9 0 0 0 1 5 -6 7
FixedParameters: 10 20 30
"""


def test_a_plain_matrix_and_offset_is_read(tmp_path: Path) -> None:
    path = tmp_path / "plain.txt"
    path.write_text(_PLAIN_MATRIX)
    center = np.array([10.0, 20.0, 30.0])
    assert_allclose(read_transform(path)(center), center + np.array([5, -6, 7]))
    assert_allclose(read_transform(path)(center + np.array([0, 1, 0])), center + np.array([5.2, -5.1, 7]))
