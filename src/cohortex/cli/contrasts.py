"""The options by which a person says which series is which contrast."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from cohortex.pipeline import Contrast


def _option(contrast: str) -> object:
    return typer.Option(
        metavar="FILE|SERIES",
        help=f"This file, or the series of this name, is the {contrast}, whatever its header says.",
        show_default=False,
    )


T1Series = Annotated[str | None, _option("T1")]
T1cSeries = Annotated[str | None, _option("T1 with contrast agent")]
T2Series = Annotated[str | None, _option("T2")]
FlairSeries = Annotated[str | None, _option("FLAIR")]
CtSeries = Annotated[str | None, _option("CT")]


def chosen_contrasts(
    *, t1: str | None, t1c: str | None, t2: str | None, flair: str | None, ct: str | None
) -> dict[str, Contrast]:
    """Gather what a person named: file or series name -> contrast.

    Raises
    ------
    BadParameter
        If one file or series was named for two contrasts.
    """
    named: dict[Contrast, str | None] = {"T1": t1, "T1c": t1c, "T2": t2, "FLAIR": flair, "CT": ct}
    chosen: dict[str, Contrast] = {}
    seen: dict[str | Path, Contrast] = {}
    for contrast, name in named.items():
        if name is None:
            continue
        what = Path(name).resolve() if Path(name).is_file() else name  # one file may be spelled in two ways
        if what in seen:
            raise typer.BadParameter(
                f"{Path(name).name} was given both as {seen[what]} and as {contrast}; one image shows one contrast. "
                "Give another file or series for one of them, or leave one option out."
            )
        seen[what] = chosen[name] = contrast
    return chosen
