"""The files of a result: what each shows, in which space, kept as objects, with a small preview for the first look."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from cohortex.image import Image, Labels, resample
from cohortex.image.packing import Packing
from cohortex.io import read_image, read_transform, write_packed_nifti
from cohortex.study.database import StudySession
from cohortex.study.database.tables import StoredObject
from cohortex.study.home import Study
from cohortex.transform import Affine, Rigid

FileKind = Literal["image", "labels", "map", "transform", "report", "record"]
Space = Literal["native", "template", "midway"]

_PREVIEW_MM = 2.0
_FEWER = 0.5  # of the voxels: a viewer waits for voxels, not for bytes, so a preview of more helps nobody
_BRIGHTEST = 99.95  # percentile; what is brighter has that brightness in the preview
_SIDES = ("baseline", "follow_up")

_TITLES: tuple[tuple[str, str, FileKind, Space], ...] = (  # the first that matches the name without its ending
    (r"images/(?P<what>.+)", "{what}, as sent", "image", "native"),
    (r"transforms/template_from_visit", "Visit to template", "transform", "native"),
    (r"transforms/visit_from_template", "Template to visit", "transform", "template"),
    (r"transforms/from_midway", "Midway to visit", "transform", "midway"),
    (r"lesions_template", "Lesions in template space", "labels", "template"),
    (r"lesions", "Lesions", "labels", "native"),
    (r"brain_template", "Brain in template space", "image", "template"),
    (r"deformation_template", "Local volume against MNI152, in template space", "map", "template"),
    (r"brain", "Brain", "labels", "native"),
    (r"difference", "Difference to the template (z)", "map", "native"),
    (r"log_jacobian", "Local volume against the template (ln)", "map", "native"),
    (r"(?P<what>\w+)_corrected", "{what}, shading taken off", "image", "native"),
    (r"change_common", "Change, halfway between the visits", "labels", "midway"),
    (r"change", "Change", "labels", "native"),
    (r"common", "Both visits brought together", "image", "midway"),
    (r"deviation_intensity", "Deviation from the study, brightness (z)", "map", "template"),
    (r"deviation_volume", "Deviation from the study, local volume (z)", "map", "template"),
    (r"template_mean", "Study template", "image", "template"),
    (r"template_sd", "Spread between patients", "map", "template"),
    (r"template_deformation", "Mean local volume (ln)", "map", "template"),
    (r"report", "Report", "report", "native"),
)


def keep_files(study: Study, folder: Path, *, visits: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Put every file of a folder into the object store and say what each is.

    Parameters
    ----------
    study : Study
        Where.
    folder : Path
        What a step left, with `report.json` and `report.html` in it.
    visits : mapping of str to str
        "" -> key of the only visit, or "baseline" and "follow_up" -> key of each.

    Returns
    -------
    dict
        File name -> sha256, size, title, kind, space, visit, unit, range, preview (sha256 and size, or None), and the
        matrix of a motion.
    """
    kept: dict[str, dict[str, Any]] = {}
    for path in sorted(file for file in folder.rglob("*") if file.is_file()):
        name = path.relative_to(folder).as_posix()
        if name.startswith(".") or "/." in name:
            continue
        receipt = study.objects.put_file(path)
        kept[name] = {
            "sha256": receipt.sha256,
            "size": receipt.size,
            **described(name, visits=visits),
            "unit": "",
            "range": None,
            "preview": None,
        }
        if name.endswith(".tfm"):
            kept[name]["matrix"] = matrix_of(path)
        if name.endswith(".nii.gz") and kept[name]["kind"] in ("image", "labels", "map"):
            kept[name] |= _seen(study, path, kept[name]["kind"])
    return kept


def described(name: str, *, visits: Mapping[str, str]) -> dict[str, Any]:
    """Say from its name what a file of a result is."""
    stem = re.sub(r"(\.nii\.gz|\.[a-z]+)$", "", name)
    visit = visits.get("")
    for side in _SIDES:
        if re.match(rf"(transforms/)?{side}_|change_{side}$", stem):
            visit = visits.get(side)
            stem = re.sub(rf"{side}_|_{side}$", "", stem, count=1)
    if name == "report.json" or (name.startswith("images/") and name.endswith(".json")):
        return {"title": "Record", "kind": "record", "space": "native", "visit": visit}
    for pattern, title, kind, space in _TITLES:
        if found := re.fullmatch(pattern, stem):
            return {"title": title.format(**found.groupdict()), "kind": kind, "space": space, "visit": visit}
    return {"title": stem, "kind": "image", "space": "native", "visit": visit}


def matrix_of(path: Path) -> list[list[float]]:
    """Give the matrix of a stored motion, so that who only needs a point moved need not read files of transforms."""
    motion = read_transform(path)
    if not isinstance(motion, Affine | Rigid):
        raise ValueError(f"{path.name} holds no matrix.")
    return [[float(entry) for entry in row] for row in motion.matrix]


def receipts_of(files: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Collect the objects that files and their previews are kept in: SHA-256 -> bytes."""
    found = {}
    for file in files:
        found[file["sha256"]] = file["size"]
        if file.get("preview"):
            found[file["preview"]["sha256"]] = file["preview"]["size"]
    return found


def note_objects(session: StudySession, receipts: Mapping[str, int]) -> None:
    """Write receipts of objects into the database, each once."""
    for sha256, size in receipts.items():
        if session.get(StoredObject, sha256) is None:
            session.add(StoredObject(sha256=sha256, size=size))
    session.flush()


def _seen(study: Study, path: Path, kind: FileKind) -> dict[str, Any]:
    """Tell unit and range of an image file, and keep a preview of a picture that is large."""
    image = read_image(path)
    values = image.values[np.isfinite(image.values) & (image.values != 0)]
    if isinstance(image, Labels) or not values.size:
        limits = [0.0, float(values.max()) if values.size else 1.0]
    elif float(values.min()) < 0 and image.unit in ("z", "ln"):
        reach = float(np.percentile(np.abs(values), 99.5))
        limits = [-reach, reach]
    else:
        limits = [float(limit) for limit in np.percentile(values, (1, 99.8))]
    found: dict[str, Any] = {"unit": image.unit, "range": limits}
    if kind == "image" and image.grid.ndim == 3 and image.is_scalar and _voxels_of_preview(image) <= _FEWER:
        target = path.with_name("preview.nii.gz")
        _write_preview(image, target)
        receipt = study.objects.put_file(target)
        target.unlink()
        found["preview"] = {"sha256": receipt.sha256, "size": receipt.size}
    return found


def _preview_spacing_mm(image: Image) -> tuple[float, ...]:
    return tuple(max(spacing, _PREVIEW_MM) for spacing in image.grid.spacing_mm)


def _voxels_of_preview(image: Image) -> float:
    """How many voxels a preview has, as a share of the image's."""
    return float(np.prod(np.asarray(image.grid.spacing_mm) / _preview_spacing_mm(image)))


def _write_preview(image: Image, path: Path) -> None:
    """Write an image on voxels of two millimetres in 256 levels: as much as a screen shows at first sight."""
    finite = image.with_values(np.nan_to_num(image.values).astype(np.float32))
    small = resample(finite, spacing_mm=_preview_spacing_mm(image))
    low, high = float(small.values.min()), float(np.percentile(small.values, _BRIGHTEST))
    packing = Packing(slope=max(high - low, 1e-12) / 255, intercept=low, dtype=np.dtype(np.uint8))
    write_packed_nifti(small.with_values(np.clip(small.values, low, high)), path, packing=packing)
