"""`cohortex info`: what is in a file, folder or archive, and what looks wrong with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cohortex.cli.screen import console, grid_words, list_problems, progress_bars
from cohortex.geometry import axis_codes
from cohortex.image import Image, Labels
from cohortex.io import Upload, read_upload
from cohortex.pipeline.contrast import recognise_contrast

_SCANNER = ("modality", "manufacturer", "manufacturer_model_name")
_TIMES = {"echo_time_s": "TE", "repetition_time_s": "TR", "inversion_time_s": "TI"}
_DETAILS = ("series_description", *_SCANNER, *_TIMES)
_WIDE = 160  # columns where the output goes into a file, which has no width


def info(
    path: Annotated[Path, typer.Argument(help="Image file, DICOM folder, zip or tar.", exists=True)],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and no progress.")] = False,
) -> None:
    """Say what is in PATH: images, geometry, orientation, units, and what looks wrong. Nothing is changed.

    The exit code is 1 where nothing in it could be read as an image.
    """
    with progress_bars(quiet=as_json) as progress:
        upload = read_upload(path, progress=progress)
    if as_json:
        typer.echo(json.dumps(_as_dict(upload), indent=2, ensure_ascii=False, default=str))
    else:
        _show(upload)
    if not upload.images:
        raise typer.Exit(1)


def describe(image: Image) -> dict[str, object]:
    """Gather what there is to say about one image, as plain values.

    Parameters
    ----------
    image : Image
        Any image.

    Returns
    -------
    dict
        Source, kind, contrast and how it is known, size, spacing (mm), origin (LPS mm), orientation codes, unit, type,
        range of finite values, header entries, and under "wrong" what looks wrong.
    """
    grid, values = image.grid, image.values
    guess = recognise_contrast(image)
    finite = values[np.isfinite(values)] if np.issubdtype(values.dtype, np.floating) else values
    wrong = [str(warning) for warning in image.metadata.get("warnings", ())]  # type: ignore[attr-defined]
    if finite.size < values.size:
        wrong.append(f"{values.size - finite.size} values are NaN or infinite")
    if finite.size and finite.min() == finite.max():
        wrong.append("every voxel has the same value")
    if grid.ndim == 3 and not grid.is_orthogonal:
        wrong.append("the axes are not at right angles (sheared grid)")
    if not grid.orientation_known and not any("left and right" in text for text in wrong):
        wrong.append("left and right are not known")
    return {
        "source": image.metadata.get("source", ""),
        "kind": "labels" if isinstance(image, Labels) else "image",
        "contrast": guess.contrast,
        "contrast_reason": guess.reason,
        "shape": [int(n) for n in values.shape],
        "further_axes": list(image.extra_axes),
        "spacing_mm": [round(s, 6) for s in grid.spacing_mm],
        "origin_mm_lps": [round(x, 4) for x in grid.origin_mm],
        "orientation": axis_codes(grid) if grid.ndim == 3 else "???",
        "unit": image.unit,
        "type": str(values.dtype),
        "range": [float(finite.min()), float(finite.max())] if finite.size else [],
        "header": {key: image.metadata[key] for key in _DETAILS if key in image.metadata},
        "wrong": wrong,
    }


def _as_dict(upload: Upload) -> dict[str, object]:
    return {
        "images": [describe(image) for image in upload.images],
        "problems": [{"file": problem.file, "reason": problem.reason} for problem in upload.problems],
        "ignored": [reason for _, reason in upload.ignored],
        "warnings": list(upload.warnings),
    }


def _show(upload: Upload) -> None:
    table = Table(title_justify="left")
    for name in ("image", "contrast", "grid", "values", "what looks wrong"):
        table.add_column(name, overflow="fold")  # a long name goes on in the next line
    for image in upload.images:
        table.add_row(*map(escape, _row(image)))
    if upload.images:
        page = console if console.is_terminal else Console(highlight=False, width=_WIDE)
        page.print(table)
    for warning in upload.warnings:
        console.print(f"[yellow]![/] {escape(warning)}", soft_wrap=True)
    for _, reason in upload.ignored:
        console.print(f"[dim]left out: {escape(reason)}[/]", soft_wrap=True)
    list_problems(upload)


def _row(image: Image) -> list[str]:
    """What the table says of an image: name, contrast, grid, values, what looks wrong."""
    entry = describe(image)
    low_high = " … ".join(f"{x:g}" for x in entry["range"])  # type: ignore[attr-defined]
    return [
        "\n".join(_named(image)),
        str(entry["contrast"]),
        "\n".join(grid_words(image)),
        f"{low_high} {image.unit}\n{entry['type']}",
        "\n".join(entry["wrong"]) or "nothing",  # type: ignore[arg-type]
    ]


def _named(image: Image) -> list[str]:
    """Series, file, scanner and times of an image, each where it is known."""
    metadata = image.metadata
    scanner = " ".join(str(metadata[key]) for key in _SCANNER if metadata.get(key))
    times = [
        f"{name} {value * 1000:g} ms" for key, name in _TIMES.items() if isinstance(value := metadata.get(key), float)
    ]
    lines = (str(metadata.get("series_description") or ""), str(metadata.get("source") or ""), scanner)
    return [line for line in (*lines, ", ".join(times)) if line]
