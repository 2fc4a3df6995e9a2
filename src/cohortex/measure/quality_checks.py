"""The checks an image passes before anything is measured in it: pass, warn or fail, with the reason."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cohortex.geometry import axis_codes
from cohortex.image import Image, Labels
from cohortex.measure.coverage import check_coverage
from cohortex.measure.foreground import foreground_mask
from cohortex.measure.noise import signal_to_noise
from cohortex.measure.quality import QualityFlag
from cohortex.measure.slice_axis import slice_axis
from cohortex.measure.slice_checks import check_slices

_THICK_SLICES_MM = 5.0
_COARSE_PIXELS_MM = 2.5
_UNUSABLE_MM = 10.0
_SMALLEST_MM = 0.1
_FIELD_MM = (100.0, 600.0)  # a head fits; outside, the header may not be in mm
_WIDE_GAP = 1.5  # spacing over slice thickness
_FEW_SLICES, _TOO_FEW_SLICES = 12, 5
_LOW_SNR, _UNUSABLE_SNR = 6.0, 3.0
_SATURATED_SHARE = 0.005
_FEW_VALUES = 16  # distinct values from which a scan is not taken for a mask
_NO_AIR_SHARE = 0.98
_SAMPLE = 200_000


def check_quality(image: Image, *, brain: Labels | None = None) -> tuple[QualityFlag, ...]:
    """Check a scan of a head for what would spoil its measurement.

    Parameters
    ----------
    image : Image
        Scan as it was read, in its own unit; of several volumes or channels the first is looked at, and all for
        values that are not finite.
    brain : Labels, optional
        Brain mask on the same grid, for truncation and signal-to-noise; the head as a whole when omitted.

    Returns
    -------
    tuple of QualityFlag
        One flag per check, in this order: "values" (NaN, infinity), "constant", "spacing", "slices" (how many),
        "orientation", "missing slices", "truncation", "signal-to-noise", "clipping", "unit". The last five
        need a scan of three axes that is not constant, and are left out otherwise.

    Raises
    ------
    ValueError
        If given labels, a field of vectors or complex values, or the brain mask lies on another grid.
    """
    if isinstance(image, Labels) or "vector" in image.extra_axes or np.issubdtype(image.dtype, np.complexfloating):
        raise ValueError("quality is checked on scans of real values, not on labels, vectors or complex values.")
    if brain is not None and not brain.grid.same_as(image.grid):
        raise ValueError("the brain mask lies on another grid; resample it onto the image first.")
    values = image.values.reshape(*image.grid.shape, -1)[..., 0]
    values = values.astype(np.float32) if values.dtype == bool else values
    scalar = Image(values, image.grid, image.unit, image.metadata)
    constant = _check_constant(values)
    flags = [_check_values(image), constant, _check_spacing(image), _check_count(image), _check_orientation(image)]
    if image.grid.ndim != 3 or min(values.shape) < 2 or constant.level == "fail":
        return tuple(flags)
    head = foreground_mask(scalar)
    if np.mean(head) > _NO_AIR_SHARE:
        head = np.zeros_like(head)  # a crop, or a unit that hides the air: the head has no outline here
    flags += [
        check_slices(image, values, head, slice_axis(image.grid)),
        check_coverage(values, image.grid, head, brain),
        _check_noise(scalar, brain if brain is not None else Labels(head if head.any() else ~head, image.grid)),
        _check_clipping(values, head),
        _check_unit(scalar, head),
    ]
    return tuple(flags)


def _check_values(image: Image) -> QualityFlag:
    bad = ~np.isfinite(image.values)
    count = int(np.count_nonzero(bad))
    if count == 0:
        return QualityFlag(check="values", level="pass", message="Every value is finite.", value=0)
    spatial = bad.reshape(*image.grid.shape, -1).any(axis=-1)
    parts, _ = ndimage.label(spatial)
    edge = np.zeros(spatial.shape, dtype=bool)
    for axis in range(spatial.ndim):
        edge[(slice(None),) * axis + ([0, -1],)] = True
    outer = np.isin(parts, np.unique(parts[edge & spatial]))
    inner = int(np.count_nonzero(spatial & ~outer))
    if inner:
        text = (
            f"{count} values are NaN or infinite, {inner} of them inside the image. Ask the centre to export it again."
        )
        return QualityFlag(check="values", level="fail", message=text, value=count)
    text = f"{count} values at the border are NaN or infinite, as resampling leaves them. Fill them with 0 before use."
    return QualityFlag(check="values", level="warn", message=text, value=count)


def _check_constant(values: NDArray[Any]) -> QualityFlag:
    finite = values[np.isfinite(values)]
    if finite.size == 0 or finite.min() == finite.max():
        what = f"Every voxel is {finite[0]:g}" if finite.size else "No voxel has a value"
        text = f"{what}: there is no picture. Ask the centre to export the series again."
        return QualityFlag(check="constant", level="fail", message=text, value=1)
    distinct = len(np.unique(finite[:: max(1, finite.size // _SAMPLE)]))
    if distinct < _FEW_VALUES:
        text = (
            f"Only {distinct} different values: this looks like a mask or a label image, not a scan. Check the upload."
        )
        return QualityFlag(check="constant", level="warn", message=text, value=distinct)
    return QualityFlag(check="constant", level="pass", message="The values vary.", value=distinct)


def _check_spacing(image: Image) -> QualityFlag:
    grid = image.grid
    spacing, axis = np.asarray(grid.spacing_mm), slice_axis(image.grid)
    in_plane, between = float(np.max(np.delete(spacing, axis))), float(spacing[axis])
    thickness = image.metadata.get("slice_thickness_mm")
    fail, warn = [], []
    if spacing.max() > _UNUSABLE_MM or spacing.min() < _SMALLEST_MM:
        fail.append(f"a spacing of {'×'.join(f'{s:.3g}' for s in spacing)} mm cannot be measured in")
    elif grid.ndim == 3 and not _FIELD_MM[0] <= max(grid.extent_mm) <= _FIELD_MM[1]:
        warn.append(
            f"the field of view is {max(grid.extent_mm):.0f} mm, which fits no head (check that the header is in mm)"
        )
    if grid.ndim == 3 and _THICK_SLICES_MM + 1e-3 < between <= _UNUSABLE_MM:
        warn.append(
            f"slices are {between:.3g} mm apart (more than {_THICK_SLICES_MM:g}); small lesions fall between them"
        )
    if _COARSE_PIXELS_MM < in_plane <= _UNUSABLE_MM:
        warn.append(f"pixels are {in_plane:.3g} mm wide (more than {_COARSE_PIXELS_MM:g})")
    if isinstance(thickness, int | float) and thickness > 0 and between > _WIDE_GAP * thickness:
        warn.append(f"slices {thickness:.3g} mm thick lie {between:.3g} mm apart; what lies between is not seen")
    if not grid.is_orthogonal:
        warn.append("the voxel axes are not at right angles (gantry tilt); resample before comparing slices")
    if fail or warn:
        text = "; ".join(fail + warn)
        return QualityFlag(
            check="spacing", level="fail" if fail else "warn", message=text[0].upper() + text[1:] + ".", value=between
        )
    text = f"Voxels of {'×'.join(f'{s:.3g}' for s in spacing)} mm."
    return QualityFlag(check="spacing", level="pass", message=text, value=between)


def _check_count(image: Image) -> QualityFlag:
    count = image.grid.shape[slice_axis(image.grid)] if image.grid.ndim == 3 else 1
    if count < _TOO_FEW_SLICES:
        text = f"{count} slice{'s' if count > 1 else ''}: too few for a volume (a localiser?). Choose another series."
        return QualityFlag(check="slices", level="fail", message=text, value=count)
    if count < _FEW_SLICES:
        text = f"Only {count} slices: alignment and volumes will be uncertain. Prefer a series with more slices."
        return QualityFlag(check="slices", level="warn", message=text, value=count)
    return QualityFlag(check="slices", level="pass", message=f"{count} slices.", value=count)


def _check_orientation(image: Image) -> QualityFlag:
    grid = image.grid
    if not grid.orientation_known:
        text = "The file does not say where left and right are. Send the DICOM original, or state the orientation."
        return QualityFlag(check="orientation", level="fail", message=text)
    if grid.ndim == 2:
        return QualityFlag(check="orientation", level="pass", message="A single picture.")
    handed = "right" if np.linalg.det(grid.direction) > 0 else "left"
    text = f"Indices grow towards {axis_codes(grid)}; {handed}-handed axes, which are handled."
    return QualityFlag(check="orientation", level="pass", message=text)


def _check_noise(image: Image, tissue: Labels) -> QualityFlag:
    try:
        found = signal_to_noise(image, tissue)
    except ValueError:
        text = "Too little tissue to estimate the noise. Look at the image before using it."
        return QualityFlag(check="signal-to-noise", level="warn", message=text)
    low, high = found.ratio_interval
    text = f"Signal-to-noise {found.ratio:.1f} (95 % interval {low:.1f} to {high:.1f})."
    if found.ratio < _UNUSABLE_SNR:
        text += f" Below {_UNUSABLE_SNR:g} tissue and noise cannot be told apart; ask for another scan."
        return QualityFlag(check="signal-to-noise", level="fail", message=text, value=found.ratio)
    if found.ratio < _LOW_SNR:
        text += f" Below {_LOW_SNR:g} small lesions are uncertain."
        return QualityFlag(check="signal-to-noise", level="warn", message=text, value=found.ratio)
    return QualityFlag(check="signal-to-noise", level="pass", message=text, value=found.ratio)


def _check_clipping(values: NDArray[Any], head: NDArray[np.bool_]) -> QualityFlag:
    inside = values[head & np.isfinite(values)]
    top = inside.max() if inside.size else 0
    share = float(np.mean(inside == top)) if inside.size else 0.0
    if share > _SATURATED_SHARE:
        text = (
            f"{share:.1%} of the head has the largest value, {top:g}: bright tissue was cut off. Ask for unscaled data."
        )
        return QualityFlag(check="clipping", level="warn", message=text, value=share)
    return QualityFlag(check="clipping", level="pass", message="Bright tissue is not cut off.", value=share)


def _check_unit(image: Image, head: NDArray[np.bool_]) -> QualityFlag:
    values = image.values[np.isfinite(image.values)]
    if image.metadata.get("modality") == "CT" and image.unit != "HU":
        text = f"A CT in {image.unit} instead of HU: slope and intercept are missing. Send the DICOM original."
        return QualityFlag(check="unit", level="warn", message=text)
    if image.unit == "HU":
        median = float(np.median(image.values[head] if head.any() else values))
        if not (values.min() < -200 and -150 <= median <= 300):
            text = (
                f"Values from {values.min():g} with a median of {median:g} in the head are no plausible HU "
                "(air -1000, brain 35). Check slope and intercept."
            )
            return QualityFlag(check="unit", level="warn", message=text, value=median)
        return QualityFlag(check="unit", level="pass", message="Plausible HU.", value=median)
    negative = float(np.mean(image.values[head] < 0)) if head.any() else 0.0
    return QualityFlag(check="unit", level="pass", message=f"Unit: {image.unit}.", value=negative)
