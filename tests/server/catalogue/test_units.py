"""Units are printed as laboratories print them."""

from __future__ import annotations

import pytest

from cohortex.server.catalogue import format_unit


@pytest.mark.parametrize(
    ("unit", "printed"),
    [("10*9/L", "10⁹/L"), ("/uL", "/µL"), ("ug/mL", "µg/mL"), ("mg/dL", "mg/dL"), ("{index}", "indice"), ("1", ""),
     ("arbitrary", ""), (None, ""), ("white matter = 1", "× sostanza bianca"), ("HU", "HU"), ("{other}", "other")],
)  # fmt: skip
def test_a_unit_is_written_as_people_read_it(unit, printed):
    assert format_unit(unit, "it") == printed
