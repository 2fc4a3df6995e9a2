from __future__ import annotations

from collections import defaultdict
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortex.statistics import Cell, Minimum, hidden_cells


def hide(*patients, centres=2, **minimum):
    return hidden_cells([Cell(n, centres) for n in patients], minimum=Minimum(**minimum))


def test_cells_that_are_large_enough_are_shown():
    assert hide(5, 12, 30) == (False, False, False)


def test_a_cell_nobody_is_in_is_shown_and_protects_nobody():
    assert hide(0, 3, 9, 20) == (False, True, True, False)


def test_small_cells_take_the_next_smallest_with_them():
    assert hide(20, 3, 9) == (False, True, True)
    assert hide(1, 1, 30, 20) == (True, True, False, True)


def test_of_several_that_are_equally_small_all_are_taken():
    assert hide(9, 3, 9, 10) == (True, True, True, False)


def test_a_cell_from_one_centre_is_hidden_however_large():
    cells = [Cell(40, 1), Cell(30, 2), Cell(50, 3)]
    assert hidden_cells(cells, minimum=Minimum()) == (True, True, False)
    assert hidden_cells(cells, minimum=Minimum(centres=1)) == (False, False, False)


def test_where_every_cell_is_small_everything_is_hidden():
    assert hide(2, 4, 0) == (True, True, True)
    assert hide(2, 9) == (True, True)
    assert hide() == ()


@pytest.mark.parametrize("least", [3, 4, 5])
@pytest.mark.parametrize("width", [2, 3, 4, 5])
def test_no_hidden_cell_can_be_computed_from_what_is_shown(least, width):
    """All tables up to a size; who sees one table and knows the rule is left with two values for each hidden cell."""
    largest = {2: 30, 3: 20, 4: 13, 5: 9}[width]
    seen = defaultdict(list)
    for patients in product(range(largest), repeat=width):
        if sum(patients) >= least:  # a smaller table is not shown at all
            hidden = hide(*patients, patients=least)
            shown = tuple(None if is_hidden else n for n, is_hidden in zip(patients, hidden, strict=True))
            seen[sum(patients), shown].append(patients)
    for (total, shown), possible in seen.items():
        inside = total - sum(n or 0 for n in shown)
        if inside > largest - 1:
            continue  # other tables that look the same lie outside of those gone through
        for place, n in enumerate(shown):
            if n is None:
                values = {patients[place] for patients in possible}
                assert len(values) > 1, (total, shown, values)


@given(st.lists(st.builds(Cell, st.integers(0, 40), st.integers(1, 3)), max_size=8), st.integers(3, 8))
def test_what_is_shown_reaches_the_minimum_and_hidden_cells_are_several(cells, least):
    minimum = Minimum(patients=least)
    hidden = hidden_cells(cells, minimum=minimum)
    inside = [cell for cell, is_hidden in zip(cells, hidden, strict=True) if is_hidden and cell.patients]
    shown = [cell for cell, is_hidden in zip(cells, hidden, strict=True) if not is_hidden and cell.patients]
    assert all(minimum.reached_by(cell) for cell in shown)
    assert not (shown and len(inside) == 1)


@pytest.mark.parametrize(("patients", "centres"), [(0, 2), (2, 2), (5, 0)])
def test_a_minimum_of_nothing_is_refused(patients, centres):
    with pytest.raises(ValueError, match="protects nobody; give 3 or more"):
        Minimum(patients=patients, centres=centres)
