"""Units are printed as laboratories print them."""

from __future__ import annotations

import pytest

from cohortex.server.catalogue import format_unit, units_printed


@pytest.mark.parametrize(
    ("unit", "printed"),
    [("10*9/L", "10⁹/L"), ("/uL", "/µL"), ("ug/mL", "µg/mL"), ("mg/dL", "mg/dL"), ("{index}", "indice"), ("1", ""),
     ("arbitrary", ""), (None, ""), ("white matter = 1", "× sostanza bianca"), ("HU", "HU"), ("{other}", "other")],
)  # fmt: skip
def test_a_unit_is_written_as_people_read_it(unit, printed):
    assert format_unit(unit, "it") == printed


def test_units_within_a_text_are_written_so_and_its_words_are_left_alone():
    text = "Platelets: 3 10*9/L or 5 ug/mL is unusual under 210*9/L; 2 /uL until then."
    assert units_printed(text) == "Platelets: 3 10⁹/L or 5 µg/mL is unusual under 210*9/L; 2 /µL until then."
