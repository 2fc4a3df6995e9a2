"""What a visit's report is given: slices numbered as the series numbers them."""

import pytest

from cohortex.geometry import Grid
from cohortex.pipeline.visit_result import slice_number


@pytest.mark.parametrize(
    ("spacing_mm", "numbers", "expected"),
    [
        ((1, 1, 5), (12, 11, 10), 11),  # numbered by the header, along the third axis
        ((1, 1, 1), (12, 11, 10), 11),
        ((1, 1, 5), None, 2),
        ((5, 1, 1), (12, 11, 10), 2),  # thick along the first axis: the header's numbers are those of another
    ],
)
def test_a_slice_bears_the_number_of_its_header_where_that_counts_along_its_axis(spacing_mm, numbers, expected):
    grid = Grid.from_parts((3, 3, 3), spacing_mm=spacing_mm)
    assert slice_number(1, grid, numbers) == expected
