"""`cohortex convert`: scans from one format into another, series by series."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.markup import escape

from cohortex.cli.screen import console, grid_words, list_problems, progress_bars
from cohortex.errors import SeveralImages, TargetExists
from cohortex.image import Image, Labels
from cohortex.io import Upload, image_ending, read_image, read_upload, sidecar, write_image
from cohortex.io.file_names import bids_names
from cohortex.io.formats import WRITTEN_ENDINGS
from cohortex.pipeline.contrast import recognise_contrast
from cohortex.pipeline.output_folder import folder_for_output

_SUFFIXES = {"T1": "T1w", "T1c": "ce-agent_T1w", "T2": "T2w", "FLAIR": "FLAIR", "DWI": "dwi", "PD": "PDw", "CT": "ct"}


_FILE_TYPE = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}")  # .dcm, .mgz, .mp4; not the .5 of "1.5" nor the .2 of "v1.2"


def convert(
    source: Annotated[Path, typer.Argument(help="Image file, DICOM folder, zip or tar.", exists=True)],
    target: Annotated[
        Path, typer.Argument(help="File to write (.nii.gz, .nii, .nrrd, .mha, .png), or a folder: one file per series.")
    ],
    ending: Annotated[str, typer.Option("--format", help="Ending of the files in a target folder.")] = ".nii.gz",
    gaps: Annotated[Literal["refuse", "interpolate"], typer.Option(help="What to do about missing slices.")] = "refuse",
    uneven: Annotated[
        Literal["refuse", "resample"], typer.Option(help="What to do about unevenly spaced slices.")
    ] = "refuse",
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON and no progress.")] = False,
) -> None:
    """Convert SOURCE to TARGET; values and places stay as they are, and no file is ever overwritten.

    A folder as TARGET gets one file per series under a BIDS-like name, each with a JSON sidecar. A series that
    cannot be read does not stop the others; it is listed, and the exit code is 1.
    """
    if image_ending(f"x{ending}") != ending:
        raise typer.BadParameter(f"{ending} is no ending that can be written.", param_hint="--format")
    _refuse_other_file_types(target)
    with progress_bars(quiet=as_json) as progress:
        if image_ending(target.name) is not None and not target.is_dir():
            try:
                image = read_image(source, gaps=gaps, uneven=uneven, progress=progress)
            except SeveralImages as error:
                raise SeveralImages(f"{error.found} Give a folder as target: it gets one file for each.") from error
            upload = Upload(images=(image,), problems=(), ignored=(), warnings=())
            files = [target]
        else:
            upload = read_upload(source, gaps=gaps, uneven=uneven, progress=progress)
            suffixes = [_suffix(image) for image in upload.images]
            files = [target / f"{name}{ending}" for name in bids_names(upload.images, suffixes)]
        _refuse_existing(files)
        written = []
        if files:
            with folder_for_output(files[0].parent):
                written = [_written(image, file) for image, file in zip(upload.images, files, strict=True)]
    if as_json:
        typer.echo(json.dumps({"written": written, **_reasons(upload)}, indent=2, ensure_ascii=False))
    else:
        _say(upload, written)
    if upload.problems or not upload.images:
        raise typer.Exit(1)


def _suffix(image: Image) -> str:
    if isinstance(image, Labels):
        return "mask" if len(_labelled(image)) == 1 else "dseg"
    contrast = recognise_contrast(image).contrast
    return _SUFFIXES.get(contrast, "image" if contrast == "other" else contrast)


def _labelled(image: Labels) -> dict[int, str]:
    names = image.metadata.get("label_names")
    return names if isinstance(names, dict) else {}


def _refuse_other_file_types(target: Path) -> None:
    """Refuse a target that is named as a file of a type that is not written, rather than make a folder of that name."""
    if image_ending(target.name) is None and not target.is_dir() and _FILE_TYPE.fullmatch(target.suffix):
        raise typer.BadParameter(
            f"{target.name}: {target.suffix} cannot be written. End a file with {', '.join(WRITTEN_ENDINGS)}; if a "
            "folder is meant, make it first or leave the dot out.",
            param_hint="TARGET",
        )


def _refuse_existing(files: Sequence[Path]) -> None:
    """Refuse where any of the files or their sidecars is there, before the first is written."""
    for made in (path for file in files for path in (file, _sidecar_of(file))):
        if made.exists():
            raise TargetExists(
                f"{made.resolve().parent.name}: it holds {made.name} already, and nothing is overwritten. Give another "
                "target, or remove what is there first."
            )


def _sidecar_of(file: Path) -> Path:
    ending = image_ending(file.name) or ""
    return file.with_name(f"{file.name[: -len(ending)]}.json")


def _written(image: Image, file: Path) -> dict[str, object]:
    """Write an image and its sidecar."""
    beside = _sidecar_of(file)
    write_image(image, file)
    beside.write_text(json.dumps(sidecar(image), indent=2, ensure_ascii=False, default=str) + "\n", encoding="utf-8")
    return {"file": file.name, "sidecar": beside.name, "warnings": image.metadata.get("warnings", [])}


def _reasons(upload: Upload) -> dict[str, object]:
    return {
        "problems": [{"file": problem.file, "reason": problem.reason} for problem in upload.problems],
        "ignored": [reason for _, reason in upload.ignored],
        "warnings": list(upload.warnings),
    }


def _say(upload: Upload, written: list[dict[str, object]]) -> None:
    for entry, image in zip(written, upload.images, strict=True):
        console.print(f"[green]✓[/] {escape(str(entry['file']))}  {', '.join(grid_words(image))}", soft_wrap=True)
        for warning in image.metadata.get("warnings", ()):  # type: ignore[attr-defined]
            console.print(f"  [yellow]![/] {escape(str(warning))}", soft_wrap=True)
    for warning in upload.warnings:
        console.print(f"[yellow]![/] {escape(warning)}", soft_wrap=True)
    for _, reason in upload.ignored:
        console.print(f"[dim]left out: {escape(reason)}[/]", soft_wrap=True)
    list_problems(upload)
