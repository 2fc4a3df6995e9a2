"""What a visit's report is given: slices numbered as the series numbers them."""

from pathlib import Path

import pytest

from cohortex.geometry import Grid
from cohortex.pipeline import VisitSource
from cohortex.pipeline.series import SeriesChoice, SeriesLook
from cohortex.pipeline.visit_plan import LookedAtVisit
from cohortex.pipeline.visit_result import series_records, slice_number


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


def look(contrast: str) -> SeriesLook:
    return SeriesLook(
        name=f"AX {contrast}",
        contrast=contrast,
        contrast_reason="neither header nor name says what it is",
        shape=(9, 9, 9),
        spacing_mm=(1, 1, 1),
        orientation="LPS",
        unit="arbitrary",
        is_volume=True,
        quality=(),
        warnings=(),
    )


def test_what_to_do_about_series_not_recognised_is_said_once():
    looks = tuple(map(look, ("T1", "other", "other")))
    source = VisitSource(study_code="p01", visit="visit-1", paths=(Path("scan.zip"),), reason="one archive")
    looked_at = LookedAtVisit(source=source, images=(), looks=looks, problems=(), notes=())
    records = series_records(looked_at, SeriesChoice(outlined=0, aligned=0, by_contrast={"T1": 0}))
    assert records[0].used_for == "alignment and lesions"
    assert ["--t1" in record.used_for for record in records] == [False, True, False]
    assert all("neither header nor name says" in record.used_for for record in records[1:])
