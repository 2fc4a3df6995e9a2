"""Scanning the digital head: a picture in one contrast, in a scanner's grid, with what disturbs it known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cohortex.geometry import Grid
from cohortex.image import Image
from cohortex.phantoms.acquisition import (
    Orientation,
    averaged_over_voxels,
    blurred,
    scan_grid,
    shading,
    with_gaussian_noise,
    with_rician_noise,
)
from cohortex.phantoms.anatomy import grid_axes
from cohortex.phantoms.contrast import ACQUISITIONS, B_VALUE_S_PER_MM2, Contrast, tissue_values, unit_of
from cohortex.phantoms.deposit import Deposit
from cohortex.phantoms.distractors import NO_DISTRACTORS, Distractors, add_to_tissue
from cohortex.phantoms.head import Head
from cohortex.phantoms.lattice import interpolated
from cohortex.phantoms.scanner import IDEAL_SCANNER, Scanner, series_description
from cohortex.transform import Rigid

_TEXTURE_SPACING_MM = 6.0
_TEXTURE_SD = 0.015  # of the signal


def scan(
    head: Head,
    contrast: Contrast,
    *,
    grid: Grid | None = None,
    spacing_mm: float | None = None,
    slice_thickness_mm: float | None = None,
    slice_gap_mm: float = 0.0,
    orientation: Orientation = "axial",
    scanner: Scanner = IDEAL_SCANNER,
    scanner_from_head: Rigid | None = None,
    lesions: Sequence[Deposit] = (),
    distractors: Distractors = NO_DISTRACTORS,
    texture: bool = True,
    rng: np.random.Generator | None = None,
) -> Image:
    """Take a picture of a head.

    Parameters
    ----------
    head : Head
        The anatomy.
    contrast : {"T1", "T1c", "T2", "FLAIR", "b0", "trace", "ADC", "CT"}
        What is pictured.
    grid : Grid, optional
        Voxels of the scan; laid over the head's field of view when omitted.
    spacing_mm : float, optional
        In-plane spacing, mm; that of the head when omitted.
    slice_thickness_mm : float, optional
        Thickness of the excited slice, mm (box profile); the in-plane spacing, or that of `grid`, when omitted.
    slice_gap_mm : float
        Unexcited space between slices, mm.
    orientation : {"axial", "sagittal", "coronal"}
        Plane of the slices.
    scanner : Scanner
        Gain, noise, shading, blur and shifts of contrast.
    scanner_from_head : Rigid, optional
        Head position: takes a point of the head's own world to the world of the picture. The grid stays.
    lesions : sequence of Deposit
        What is planted, in the head's own world.
    distractors : Distractors
        What only looks like a lesion.
    texture : bool
        Whether tissue varies smoothly by 1.5 % (MR only); the pattern belongs to the anatomy.
    rng : numpy.random.Generator, optional
        Noise and shading; needed when the scanner has either.

    Returns
    -------
    Image
        float32. MR: white matter is 100 times the gain (trace: times exp(-b ADC)); ADC: mm²/s, 0 in air;
        CT: HU. Metadata as a reader would give it from DICOM.

    Raises
    ------
    ValueError
        If the scanner is noisy or shaded and no `rng` is given, or both `grid` and a spacing are.
    """
    noisy = scanner.noise_sd_hu > 0 if contrast == "CT" else scanner.noise_sd > 0 or scanner.bias > 0
    if rng is None:
        if noisy:
            raise ValueError("this scanner has noise or shading: give rng, a numpy.random.Generator.")
        rng = np.random.default_rng(0)
    if grid is not None and spacing_mm is not None:
        raise ValueError("give grid or spacing_mm, not both.")
    in_plane = head.grid.spacing_mm[0] if spacing_mm is None else spacing_mm
    if grid is None:
        thickness = in_plane if slice_thickness_mm is None else slice_thickness_mm
        grid = scan_grid(
            head.grid, in_plane_mm=in_plane, slice_spacing_mm=thickness + slice_gap_mm, orientation=orientation
        )
    thickness = grid.spacing_mm[2] if slice_thickness_mm is None else slice_thickness_mm
    take = _Take(head, grid, thickness, scanner, scanner_from_head or Rigid.identity(), lesions, distractors, texture)
    values = _adc(take, rng) if contrast == "ADC" else _disturbed(take, contrast, take.signal(contrast), rng)
    return Image(values, grid, unit_of(contrast), _metadata(contrast, scanner, orientation, thickness, grid))


class _Take:
    """One position of one head in one scanner: the clean signal of any contrast."""

    def __init__(
        self,
        head: Head,
        grid: Grid,
        thickness_mm: float,
        scanner: Scanner,
        scanner_from_head: Rigid,
        lesions: Sequence[Deposit],
        distractors: Distractors,
        texture: bool,
    ) -> None:
        self.head, self.grid, self.thickness_mm, self.scanner = head, grid, thickness_mm, scanner
        self.scanner_from_head = scanner_from_head
        self.lesions, self.distractors, self.texture = lesions, distractors, texture

    def signal(self, contrast: Contrast) -> NDArray[np.float32]:
        """Noise-free values before gain, averaged over the voxels, with everything planted."""
        fine = _tissue_intensity(self.head, contrast, self.scanner, texture=self.texture)
        add_to_tissue(fine, self.head, contrast, self.scanner, self.distractors)

        def paint(values: NDArray[np.float32], where: Grid, box_mm: tuple[float, ...]) -> None:
            for deposit in (*self.distractors.deposits, *self.lesions):
                deposit.paint(
                    values, where, contrast, self.scanner, world_from_head=self.scanner_from_head, box_mm=box_mm
                )

        in_plane = self.grid.spacing_mm
        return averaged_over_voxels(
            fine,
            self.head.grid,
            self.grid,
            source_from_world=self.scanner_from_head.inverse(),
            voxel_mm=(in_plane[0], in_plane[1], self.thickness_mm),
            outside=-1000.0 if contrast == "CT" else 0.0,
            paint=paint,
        )


def _tissue_intensity(head: Head, contrast: Contrast, scanner: Scanner, *, texture: bool) -> NDArray[np.float32]:
    """Sum of the tissues' values by their fractions, on the grid of the head."""
    changes = scanner.contrast_changes if contrast not in ("ADC", "CT") else None
    table = tissue_values(contrast, changes)
    values = np.zeros(head.grid.shape, dtype=np.float32)
    total = np.zeros(head.grid.shape, dtype=np.uint16)
    for tissue, fraction in head.tissues.items():
        if table[tissue] != 0:
            values += fraction * np.float32(table[tissue] / 255)
        total += fraction
    values *= np.float32(255) / np.maximum(total, 1)  # fractions in bytes add up to 255 within rounding
    if texture and contrast not in ("ADC", "CT"):
        values *= _texture(head, contrast)
    return values


def _texture(head: Head, contrast: Contrast) -> NDArray[np.float32]:
    """Smooth factor about 1 that belongs to the anatomy: the same at every visit and every spacing."""
    rng = np.random.default_rng([head.texture_seed, sum(contrast.encode())])
    axes = grid_axes(head.grid)
    low = [axis[0] - head.grid.spacing_mm[0] for axis in axes]
    counts = [int(np.ceil(extent / _TEXTURE_SPACING_MM)) + 2 for extent in head.grid.extent_mm]
    noise = ndimage.gaussian_filter(rng.standard_normal(counts), 0.8)
    lattice = [start + _TEXTURE_SPACING_MM * np.arange(n) for start, n in zip(low, counts, strict=True)]
    return 1 + interpolated(noise / noise.std() * _TEXTURE_SD, lattice, axes)


def _disturbed(
    take: _Take, contrast: Contrast, signal: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.float32]:
    scanner = take.scanner
    values = blurred(signal, take.grid, scanner.blur_fwhm_mm)
    if contrast == "CT":
        return with_gaussian_noise(values, rng, sd=scanner.noise_sd_hu)
    if scanner.bias > 0:
        values = values * shading(take.grid, rng, largest=scanner.bias)
    values = with_rician_noise(values, rng, sd=scanner.noise_sd)
    return values if scanner.gain == 1 else values * np.float32(scanner.gain)


def _adc(take: _Take, rng: np.random.Generator) -> NDArray[np.float32]:
    """ADC as a scanner makes it: ln(b0 / trace) / b from two pictures with their own noise; 0 in air."""
    signal = take.signal("b0")
    adc = take.signal("ADC")
    b0 = _disturbed(take, "b0", signal, np.random.default_rng(int(rng.integers(2**63))))
    shading_seed = int(rng.integers(2**63))
    weighted = signal * np.exp(np.float32(-B_VALUE_S_PER_MM2) * adc)
    trace = _disturbed(take, "trace", weighted, np.random.default_rng(shading_seed))
    if take.scanner.bias > 0 or take.scanner.noise_sd > 0:
        seen = signal > max(3 * take.scanner.noise_sd, 1.0)
    else:
        seen = signal > 1.0
    ratio = np.where(seen, np.maximum(b0, 1e-3) / np.maximum(trace, 1e-3), 1.0)
    return np.clip(np.log(ratio) / B_VALUE_S_PER_MM2, 0, 4e-3).astype(np.float32)


def _metadata(
    contrast: Contrast, scanner: Scanner, orientation: Orientation, thickness_mm: float, grid: Grid
) -> dict[str, object]:
    """What a reader would find in the header."""
    used = ACQUISITIONS[contrast]
    name = series_description(scanner.vendor, contrast, orientation=orientation, slice_thickness_mm=thickness_mm)
    entries: dict[str, object] = {
        "phantom_contrast": contrast,
        "modality": used.modality,
        "series_description": name,
        "protocol_name": name,
        "sequence_name": used.sequence_name,
        "manufacturer": scanner.manufacturer,
        "manufacturer_model_name": scanner.model if used.modality == "MR" else "CT " + scanner.model,
        "slice_thickness_mm": thickness_mm,
        "slice_spacing_mm": grid.spacing_mm[2],
        "patient_position": "HFS",
        "body_part_examined": "HEAD",
        "image_type": _image_type(contrast),
    }
    if used.modality == "MR":
        entries["magnetic_field_strength_t"] = scanner.field_strength_t
    for key in (
        "echo_time_s", "repetition_time_s", "inversion_time_s", "flip_angle_deg", "b_value_s_per_mm2",
        "contrast_bolus_agent", "kvp",
    ):  # fmt: skip
        value = getattr(used, key)
        if value is not None:
            entries[key] = value
    if contrast == "CT":
        entries["convolution_kernel"] = {"siemens-like": "H31s", "ge-like": "STANDARD"}.get(scanner.vendor, "UB")
    return entries


def _image_type(contrast: Contrast) -> list[str]:
    if contrast == "CT":
        return ["ORIGINAL", "PRIMARY", "AXIAL"]
    if contrast == "ADC":
        return ["DERIVED", "PRIMARY", "DIFFUSION", "ADC"]
    if contrast == "trace":
        return ["DERIVED", "PRIMARY", "DIFFUSION", "TRACEW"]
    return ["ORIGINAL", "PRIMARY", "M", "ND"]
