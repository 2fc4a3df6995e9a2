"""Two-way tables of few patients: which rows and columns to put together so that what is shown tells of nobody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from cohortex.statistics.disclosure import Cell, Minimum


@dataclass(frozen=True)
class Folding:
    """Which lines of a two-way table are put together; none, or at least two with anyone in them.

    Attributes
    ----------
    rows, columns : tuple of bool
        Whether each is one of those put together.
    """

    rows: tuple[bool, ...]
    columns: tuple[bool, ...]


def folded_table(
    cells: Sequence[Sequence[Sequence[str]]],
    *,
    hidden_rows: Sequence[bool],
    hidden_columns: Sequence[bool],
    told_rows: Sequence[bool] = (),
    minimum: Minimum,
) -> Folding | None:
    """Say which rows and columns of a two-way table to put together, so that no cell of what is left is small.

    Parameters
    ----------
    cells : sequence of sequence of sequence of str
        Row by row, of every cell the centres of its patients, one per patient. Every patient is in one cell.
    hidden_rows, hidden_columns : sequence of bool
        Those that the table of rows alone, or of columns alone, hides; they are put together in any case.
    told_rows : sequence of bool
        Rows of which it can be told how many are in them even if few, as of those of whom the group is not known;
        none by default. While one is small, the sum it is in has two columns with anyone: else all of it are in one.
    minimum : Minimum
        What a cell needs to be shown.

    Returns
    -------
    Folding or None
        Besides those that are hidden alone, the smallest are put together, all of one size or none, and of all ways
        in which every cell is empty or reaches the minimum the one that leaves most cells, then most columns. None
        where no such way leaves two rows and two columns with anyone in them: nothing is shown then.

    Notes
    -----
    Nothing is hidden in what is left, so that sums with the margins give nothing away: they hide their own small
    numbers (`hidden_cells`). What was put together is chosen by size alone, which the margins show, and not by which
    line has a small cell: from that, small cells could be computed. The tests go through all small tables with both
    margins: who sees all three and knows this rule cannot compute a small number.
    """
    columns = [[row[place] for row in cells] for place in range(len(hidden_columns))]
    tells = any(
        is_told and _is_small([centre for cell in row for centre in cell], minimum)
        for row, is_told in zip(cells, told_rows or [False] * len(cells), strict=True)
    )
    best: tuple[int, int, Folding] | None = None
    for row_fold, column_fold in product(_folds(cells, hidden_rows), _folds(columns, hidden_columns)):
        merged = list(zip(*_merged(list(zip(*_merged(cells, row_fold), strict=True)), column_fold), strict=True))
        height = sum(any(row) for row in merged)
        width = sum(any(column) for column in zip(*merged, strict=True))
        if height < 2 or width < 2 or any(_is_small(cell, minimum) for row in merged for cell in row):
            continue
        if tells and sum(bool(cell) for cell in merged[-1]) < 2:
            continue
        if best is None or (height * width, width) > best[:2]:
            best = (height * width, width, Folding(row_fold, column_fold))
    return None if best is None else best[2]


def _folds(lines: Sequence[Sequence[Sequence[str]]], hidden: Sequence[bool]) -> Iterator[tuple[bool, ...]]:
    """All ways to put the smallest lines together, beginning with the fewest."""
    sizes = [sum(len(cell) for cell in line) for line in lines]
    others = sorted({size for size, is_hidden in zip(sizes, hidden, strict=True) if size and not is_hidden})
    for most in (0, *others):
        fold = tuple(is_hidden or 0 < size <= most for size, is_hidden in zip(sizes, hidden, strict=True))
        if sum(size > 0 and is_in for size, is_in in zip(sizes, fold, strict=True)) != 1:
            yield fold


def _merged(lines: Sequence[Sequence[Sequence[str]]], fold: Sequence[bool]) -> list[list[list[str]]]:
    """The lines that are not put together, in their order, then the sum of those that are."""
    inside = [line for line, is_in in zip(lines, fold, strict=True) if is_in]
    left = [[list(cell) for cell in line] for line, is_in in zip(lines, fold, strict=True) if not is_in]
    sums = [[[centre for cell in cells for centre in cell] for cells in zip(*inside, strict=True)]] if inside else []
    return left + sums


def _is_small(centres: Sequence[str], minimum: Minimum) -> bool:
    return bool(centres) and not minimum.reached_by(Cell(len(centres), len(set(centres))))
