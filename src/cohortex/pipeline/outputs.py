"""Writing what a run leaves for others: images, labels and transforms beside the report."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cohortex.geometry import Grid
from cohortex.image import Image
from cohortex.io import sidecar, write_image, write_transform
from cohortex.templates import mni152
from cohortex.transform import Rigid, Transform, displacement_of

_WRITERS = 4  # images written at a time
_FIELD_MM = 2.0  # spacing of written deformation fields: they vary over centimetres


def write_images(images: Mapping[str, Image], output: Path) -> dict[str, str]:
    """Write images as NIfTI under the given names.

    Parameters
    ----------
    images : mapping of str to Image
        File name without ending -> image.
    output : Path
        Folder; made where it is missing. Files of an earlier run of the same visit are replaced.

    Returns
    -------
    dict of str to str
        Name -> file name relative to `output`.
    """
    targets = {name: output / f"{name}.nii.gz" for name in images}
    for target in targets.values():
        target.parent.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(_WRITERS) as pool:  # compressing is most of it, and lets go of the interpreter
        list(pool.map(lambda name: write_image(images[name], targets[name], overwrite=True), images))
    return {name: target.relative_to(output).as_posix() for name, target in targets.items()}


def write_series(images: Iterable[tuple[str, Image]], output: Path) -> dict[str, str]:
    """Write the series of a visit, by name, as they were read, each with its BIDS sidecar, into `output/images`."""
    written: dict[str, str] = {}
    for name, image in images:
        base, number = safe_name(name), 1
        while f"images/{base}" in written:
            number += 1
            base = f"{safe_name(name)}_{number}"
        written |= write_images({f"images/{base}": image}, output)
        (output / "images" / f"{base}.json").write_text(json.dumps(sidecar(image), indent=2, sort_keys=True) + "\n")
    return written


def write_transforms(
    *, template_from_visit: Transform, visit_from_template: Transform, visit_grid: Grid, output: Path, prefix: str = ""
) -> dict[str, str]:
    """Write both directions between a visit and the template as displacement fields, in `output/transforms`.

    Each lies on a grid of about 2 mm of the space its points come from, in ITK's convention.
    """
    coarse = visit_grid.with_spacing([max(_FIELD_MM, s) for s in visit_grid.spacing_mm], keep="extent")
    fields = {
        f"transforms/{prefix}template_from_visit": displacement_of(template_from_visit, coarse),
        f"transforms/{prefix}visit_from_template": displacement_of(
            visit_from_template, mni152(spacing_mm=_FIELD_MM).grid
        ),
    }
    return {name: _write(transform, output / f"{name}.nii.gz", output) for name, transform in fields.items()}


def write_motions(motions: Mapping[str, Rigid], output: Path) -> dict[str, str]:
    """Write rigid transforms as ITK text files in `output/transforms`."""
    return {
        f"transforms/{name}": _write(motion, output / "transforms" / f"{name}.tfm", output)
        for name, motion in motions.items()
    }


def safe_name(name: str) -> str:
    """Make a file name of a series description: letters, digits, dots, dashes and underscores."""
    stem = re.sub(r"\.(nii|nii\.gz|nrrd|mha|mhd|dcm|png)$", "", name, flags=re.IGNORECASE)
    return re.sub(r"[^A-Za-z0-9.-]+", "_", stem).strip("._-") or "series"


def _write(transform: Transform, target: Path, output: Path) -> str:
    target.parent.mkdir(parents=True, exist_ok=True)
    write_transform(transform, target, overwrite=True)
    return target.relative_to(output).as_posix()
