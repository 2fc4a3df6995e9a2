"""What a table may show without telling of a single patient: small cells hidden, and others so they stay hidden."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Minimum:
    """From how many patients and centres on a figure is shown.

    Attributes
    ----------
    patients, centres : int
        Both must be reached. 1 patient hides nothing; 2 protect nobody, as two hidden cells of a table of two can
        only be one each.

    Raises
    ------
    ValueError
        If `patients` is neither 1 nor at least 3, or `centres` is below 1.
    """

    patients: int = 5
    centres: int = 2

    def __post_init__(self) -> None:
        if self.patients < 1 or self.patients == 2 or self.centres < 1:
            raise ValueError(
                f"A minimum of {self.patients} patients and {self.centres} centres protects nobody; give 3 or more "
                "patients (or 1 to hide nothing) and 1 or more centres."
            )

    def reached_by(self, cell: Cell) -> bool:
        """Whether a figure about these patients may be shown."""
        return cell.patients >= self.patients and cell.centres >= self.centres


@dataclass(frozen=True)
class Cell:
    """How many patients a figure is about, and from how many centres they are."""

    patients: int
    centres: int


def hidden_cells(cells: Sequence[Cell], *, minimum: Minimum) -> tuple[bool, ...]:
    """Say which cells of a table to hide when its total is known.

    Parameters
    ----------
    cells : sequence of Cell
        Every patient of the table is in exactly one of them.
    minimum : Minimum
        What a cell needs to be shown.

    Returns
    -------
    tuple of bool
        Whether each cell is hidden: those below the minimum, and with them the smallest that are not, all of that
        size. Where no cell reaches the minimum, all are hidden, empty ones too; else an empty cell tells of nobody and
        is shown.

    Notes
    -----
    Publish the total and the shown cells, order rows by something else than their size, and say of hidden cells only
    that they are hidden: not which were too small. Then no hidden cell can be computed, knowing this rule too: any
    exchange of the hidden numbers gives a table that looks the same, and they are not all equal. The tests prove it
    by going through all small tables. (Taking only as many cells along as are needed, or one of several that are
    equally small, does not do: the order of the rows then betrays who was taken.) A centre that subtracts its own
    patients from a cell learns how many are not its own; the minimum of centres is what limits that.
    """
    small = [cell.patients > 0 and not minimum.reached_by(cell) for cell in cells]
    large = [cell.patients for cell, is_small in zip(cells, small, strict=True) if cell.patients and not is_small]
    if not any(small):
        return tuple(small)
    if not large:
        return (True,) * len(cells)
    return tuple(is_small or cell.patients == min(large) for cell, is_small in zip(cells, small, strict=True))
