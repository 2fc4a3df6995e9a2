"""Transforms in files: ITK's (.tfm, .txt, .mat, .h5) for linear ones, NIfTI displacement fields for the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from cohortex.errors import TargetExists, UnknownFormat, UnreadableFile
from cohortex.io.formats import read_file, write_image
from cohortex.io.simpleitk_bridge import from_simpleitk
from cohortex.transform import Affine, Chain, Displacement, Rigid, Transform

_ITK_ENDINGS = (".tfm", ".txt", ".mat", ".h5", ".hdf5")
_FIELD_ENDINGS = (".nii", ".nii.gz", ".nrrd", ".mha")
_RIGID = ("Euler3DTransform", "VersorRigid3DTransform", "VersorTransform")


def write_transform(transform: Transform, path: Path | str, *, overwrite: bool = False) -> None:
    """Write a transform for other programs: it takes points of the fixed image to the moving image, LPS mm, as ITK's.

    Parameters
    ----------
    transform : Transform
        Rigid or affine for an ITK file (.tfm text; .mat or .h5), a `Displacement` for a displacement field
        (.nii.gz: NIfTI vector intent, components in LPS mm, the convention of ITK and ANTs). The inverse field of a
        `Displacement` goes into a file of its own: write `transform.inverse()`.
    path : Path or str
        Where to.
    overwrite : bool
        Whether an existing file may be replaced.

    Raises
    ------
    TargetExists
        If there is a file and `overwrite` is false.
    UnknownFormat
        If the ending does not fit the transform.
    """
    path = Path(path)
    lowered = path.name.lower()
    if isinstance(transform, Displacement) and lowered.endswith(_FIELD_ENDINGS):
        write_image(transform.field, path, overwrite=overwrite)
        return
    if not isinstance(transform, Affine | Rigid) or not lowered.endswith(_ITK_ENDINGS):
        raise UnknownFormat(
            f"{path.name}: a {type(transform).__name__} does not go into this kind of file. Give .tfm for rigid and "
            "affine transforms, .nii.gz for a Displacement; displacement_of(transform, grid) turns a chain into one."
        )
    if path.exists() and not overwrite:
        raise TargetExists(f"{path.name} exists already. Choose another name, or remove it first.")
    partial = path.with_name(f".{path.stem}.partial{path.suffix}")
    try:
        sitk.WriteTransform(_itk_of(transform), str(partial))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def read_transform(path: Path | str) -> Transform:
    """Read a transform written by us, ITK, SimpleITK, ANTs or Slicer.

    Parameters
    ----------
    path : Path or str
        ITK transform file (.tfm, .txt, .mat, .h5), or a displacement field (.nii, .nii.gz, .nrrd, .mha).

    Returns
    -------
    Transform
        moving_from_fixed on LPS mm: `Rigid` for ITK's rigid kinds, `Affine` for its other linear kinds,
        `Displacement`, or a `Chain` for a composite. Beyond its grid a `Displacement` keeps the edge's value, where
        ITK takes 0.

    Raises
    ------
    UnreadableFile
        If the file is empty, corrupt, or holds no transform of three axes.
    UnknownFormat
        If the ending is none of these.
    """
    path = Path(path)
    lowered = path.name.lower()
    if lowered.endswith(_FIELD_ENDINGS):
        field = read_file(path)
        if field.values.ndim == 4 and field.values.shape[-1] == 3 and field.extra_axes != ("vector",):
            field = type(field)(field.values, field.grid, "mm", field.metadata, ("vector",))
        try:
            return Displacement(field)
        except ValueError as error:
            raise UnreadableFile(f"{path.name}: no displacement field ({error}). Give a field of 3-vectors.") from error
    if not lowered.endswith(_ITK_ENDINGS):
        raise UnknownFormat(f"{path.name}: no transform file. Give {', '.join((*_ITK_ENDINGS, *_FIELD_ENDINGS))}.")
    if path.stat().st_size == 0:
        raise UnreadableFile(f"{path.name}: the file is empty (0 bytes). Send it again.")
    try:
        found = sitk.ReadTransform(str(path))
    except RuntimeError as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise UnreadableFile(f"{path.name}: not a transform of ITK ({lines[-1][:200]}).") from error
    return _from_itk(found, path.name)


def _itk_of(transform: Affine | Rigid) -> Any:
    result: Any = sitk.VersorRigid3DTransform() if isinstance(transform, Rigid) else sitk.AffineTransform(3)
    result.SetMatrix(transform.matrix[:3, :3].ravel().tolist())
    result.SetTranslation(transform.matrix[:3, 3].tolist())
    return result


def _is_matrix_in_disguise(composite: Any) -> bool:
    """Recognise ITK's plain MatrixOffsetTransformBase: SimpleITK shows it as a composite of itself, without end."""
    if composite.GetNumberOfTransforms() != 1 or not composite.IsLinear():
        return False
    return bool(composite.GetNthTransform(0).Downcast().GetName() == "CompositeTransform")


def _from_itk(found: Any, name: str) -> Transform:
    if found.GetDimension() != 3:
        raise UnreadableFile(f"{name}: a transform of {found.GetDimension()} axes; 3 are needed.")
    found = found.Downcast()
    kind = found.GetName()
    if kind == "CompositeTransform" and not _is_matrix_in_disguise(found):
        parts = [_from_itk(found.GetNthTransform(n), name) for n in range(found.GetNumberOfTransforms())]
        return Chain.of(*parts)  # ITK applies the last one first, as we do
    if kind == "DisplacementFieldTransform":
        return Displacement(from_simpleitk(found.GetDisplacementField(), unit="mm", vector=True))
    if not found.IsLinear():
        raise UnreadableFile(f"{name}: a {kind} is not supported. Write it as a displacement field.")
    matrix = np.eye(4)
    origin = np.asarray(found.TransformPoint((0.0, 0.0, 0.0)))
    for axis in range(3):
        matrix[:3, axis] = np.asarray(found.TransformPoint(np.eye(3)[axis].tolist())) - origin
    matrix[:3, 3] = origin
    if hasattr(found, "GetMatrix"):
        matrix[:3, :3] = np.asarray(found.GetMatrix()).reshape(3, 3)
    try:
        return Rigid(matrix) if kind in _RIGID else Affine(matrix)
    except ValueError as error:
        raise UnreadableFile(f"{name}: {error}") from error
