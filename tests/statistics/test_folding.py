from __future__ import annotations

from collections import defaultdict

import pytest

from cohortex.statistics import Cell, Folding, Minimum, folded_table, hidden_cells

NONE = (False, False)


def fold(*rows, hidden_rows=None, hidden_columns=None, told_rows=(), centres="AB", **minimum):
    cells = [[[centres[place % len(centres)] for place in range(n)] for n in row] for row in rows]
    return folded_table(
        cells,
        hidden_rows=hidden_rows or [False] * len(rows),
        hidden_columns=hidden_columns or [False] * len(rows[0]),
        told_rows=told_rows,
        minimum=Minimum(**minimum),
    )


def test_a_table_of_large_cells_is_shown_as_it_is():
    assert fold([9, 0], [7, 12]) == Folding(NONE, NONE)


def test_the_smallest_columns_are_put_together_until_no_cell_is_small():
    assert fold([20, 4, 3], [30, 9, 5]) == Folding(NONE, (False, True, True))


def test_the_smallest_rows_are_put_together_until_no_cell_is_small():
    assert fold([20, 30], [9, 2], [3, 12]) == Folding((False, True, True), NONE)


def test_what_is_hidden_alone_is_put_together():
    hidden = (False, True, True)
    assert fold([20, 6, 6], [30, 7, 9], hidden_columns=hidden) == Folding(NONE, hidden)


def test_lines_of_one_size_are_put_together_or_none_of_them():
    assert fold([20, 5, 4, 9], [30, 6, 7, 2]) == Folding(NONE, (False, True, True, True))


def test_a_cell_from_one_centre_is_small():
    assert fold([9, 0], [7, 12], centres="A") is None
    assert fold([9, 0], [7, 12], centres="AB") is not None


def test_who_can_be_counted_by_subtraction_is_put_together_with_rows_that_are_not_all_in_one_column():
    told = (False, False, False, True)
    rows = ([20, 0], [9, 30], [25, 5], [2, 0])
    assert fold(*rows) == Folding((True, False, False, True), NONE)
    assert fold(*rows, told_rows=told) == Folding((True, False, True, True), NONE)
    assert fold([20, 0], [9, 30], [2, 0], told_rows=told[1:]) is None


def test_a_table_that_would_be_left_with_one_row_or_column_is_not_shown():
    assert fold([20, 3], [30, 9]) is None
    assert fold([20, 9]) is None
    assert fold([0, 0], [0, 0]) is None


def tables(total, cells):
    if cells == 1:
        yield (total,)
        return
    for first in range(total + 1):
        yield from ((first, *rest) for rest in tables(total - first, cells - 1))


def alone(sizes, minimum):
    hidden = hidden_cells([Cell(n, 1) for n in sizes], minimum=minimum)
    shown = tuple(None if is_hidden else n for n, is_hidden in zip(sizes, hidden, strict=True))
    return hidden, None if all(hidden) else shown


def together(lines, folded):
    left = [line for line, is_in in zip(lines, folded, strict=True) if not is_in]
    inside = [line for line, is_in in zip(lines, folded, strict=True) if is_in]
    return [*left, tuple(map(sum, zip(*inside, strict=True)))] if inside else left


def given_of(counts, height, width, minimum, *, told):
    """What the margins give, what the table beside them gives, and every number that is to stay unknown."""
    rows = [counts[width * row : width * (row + 1)] for row in range(height)]
    columns = list(zip(*rows, strict=True))
    sizes = [sum(row) for row in rows]
    named = sizes[:-1] if told else sizes
    numbers = [*named, *map(sum, columns), *counts]
    hidden_rows, told_rows = alone(named, minimum)
    hidden_columns, told_columns = alone([sum(column) for column in columns], minimum)
    if told and (sum(named) < minimum.patients or told_rows is None):
        told_rows = None
    elif told:
        told_rows = (*told_rows, sizes[-1])
    margins = (sum(counts), told_rows, told_columns)
    if not (told_rows and told_columns):
        return margins, None, numbers
    found = folded_table(
        [["A" * n for n in row] for row in rows],
        hidden_rows=(*hidden_rows, False) if told else hidden_rows,
        hidden_columns=hidden_columns,
        told_rows=[told and row == height - 1 for row in range(height)],
        minimum=minimum,
    )
    if not found:
        return margins, None, numbers
    left = together(list(zip(*together(rows, found.rows), strict=True)), found.columns)
    assert all(n == 0 or n >= minimum.patients for column in left for n in column)
    return margins, (found, tuple(left)), numbers


@pytest.mark.parametrize("told", [False, True], ids=["", "last-row-told"])
@pytest.mark.parametrize(
    ("height", "width", "least", "most"), [(2, 2, 3, 16), (2, 2, 4, 16), (2, 3, 3, 10), (3, 2, 3, 11), (2, 4, 3, 9)]
)
def test_no_small_cell_can_be_computed_from_the_table_and_both_margins(height, width, least, most, told):
    """All tables up to a size; who sees the three and knows the rules is left with two values for each small number.

    Where all patients are in one column, that of every row can be told by the margins alone; no table changes that.
    """
    minimum = Minimum(patients=least, centres=1)
    by_margins, by_all = defaultdict(list), defaultdict(list)
    for counts in (counts for total in range(least, most + 1) for counts in tables(total, height * width)):
        margins, shown, numbers = given_of(counts, height, width, minimum, told=told)
        by_margins[margins].append(numbers)
        by_all[margins, shown].append(numbers)
    assert any(shown for _, shown in by_all)
    for (margins, shown), possible in by_all.items():
        without = [set(numbers) for numbers in zip(*by_margins[margins], strict=True)]
        for numbers, before in zip(map(set, zip(*possible, strict=True)), without, strict=True):
            if len(numbers) == 1 and numbers <= set(range(1, least)):
                assert told, (margins, shown)
                assert len(before) == 1, (margins, shown)
