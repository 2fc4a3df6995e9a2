"""Scanners as the phantom knows them: how they scale, blur, shade and disturb a picture, and what they call it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

Vendor = Literal["siemens-like", "ge-like", "philips-like"]
"""Whose habits the headers imitate; nothing was made by these manufacturers."""

_TISSUES_THAT_VARY = ("grey", "csf", "fat", "muscle", "marrow", "skin", "blood")


@dataclass(frozen=True, kw_only=True)
class Scanner:
    """How one scanner pictures the head.

    Attributes
    ----------
    vendor : {"siemens-like", "ge-like", "philips-like"}
        Style of names and headers.
    manufacturer, model : str
        As in the header.
    field_strength_t : float
        Tesla.
    gain : float
        Factor on every MR signal (not ADC, not CT), noise included.
    noise_sd : float
        Standard deviation of the MR noise before the gain, in units where white matter is 100.
    noise_sd_hu : float
        Standard deviation of the CT noise, HU.
    bias : float
        Greatest deviation of the shading from 1 over the grid, such as 0.2; MR only.
    blur_fwhm_mm : float
        Full width at half maximum of the Gaussian point spread in the finished grid, mm.
    contrast_changes : mapping of str to float
        Factor per tissue that its protocol shifts the contrast by.
    """

    vendor: Vendor = "siemens-like"
    manufacturer: str = "SIEMENS"
    model: str = "Prisma"
    field_strength_t: float = 3.0
    gain: float = 1.0
    noise_sd: float = 0.0
    noise_sd_hu: float = 0.0
    bias: float = 0.0
    blur_fwhm_mm: float = 0.0
    contrast_changes: Mapping[str, float] = field(default_factory=dict)


IDEAL_SCANNER = Scanner()
"""No noise, no shading, no blur, gain 1."""

SCANNERS: Mapping[Vendor, Scanner] = {
    "siemens-like": Scanner(gain=3.2, noise_sd=4.0, noise_sd_hu=4.0, bias=0.15, blur_fwhm_mm=0.6),
    "ge-like": Scanner(
        vendor="ge-like", manufacturer="GE MEDICAL SYSTEMS", model="DISCOVERY MR750", gain=21.0, noise_sd=5.0,
        noise_sd_hu=5.0, bias=0.2, blur_fwhm_mm=0.8,
        contrast_changes={"grey": 0.97, "csf": 1.08, "fat": 0.9, "muscle": 1.05},
    ),
    "philips-like": Scanner(
        vendor="philips-like", manufacturer="Philips Medical Systems", model="Achieva", gain=1.4, noise_sd=4.5,
        noise_sd_hu=4.5, bias=0.12, blur_fwhm_mm=0.7,
        contrast_changes={"grey": 1.02, "csf": 0.92, "fat": 1.1, "marrow": 1.05},
    ),
}  # fmt: skip
"""Three habits of scaling, noise and header."""


def draw_scanner(rng: np.random.Generator, vendor: Vendor, *, variation: float = 1.0) -> Scanner:
    """Draw one scanner of a vendor's habits.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of the variation.
    vendor : {"siemens-like", "ge-like", "philips-like"}
        Habits to vary.
    variation : float
        1: gain ±40 %, noise ±20 %, shading ±30 %, contrast ±4 % per tissue; 0 gives the vendor's own.

    Returns
    -------
    Scanner
        The scanner drawn.
    """
    habits = SCANNERS[vendor]
    changes = {
        tissue: habits.contrast_changes.get(tissue, 1.0) * float(1 + variation * rng.uniform(-0.04, 0.04))
        for tissue in _TISSUES_THAT_VARY
    }
    return replace(
        habits,
        gain=habits.gain * float(np.exp(variation * rng.uniform(-0.35, 0.35))),
        noise_sd=habits.noise_sd * float(1 + variation * rng.uniform(-0.2, 0.2)),
        noise_sd_hu=habits.noise_sd_hu * float(1 + variation * rng.uniform(-0.2, 0.2)),
        bias=habits.bias * float(1 + variation * rng.uniform(-0.3, 0.3)),
        contrast_changes=changes,
    )


_NAMES: Mapping[Vendor, Mapping[str, str]] = {
    "siemens-like": {
        "T1": "t1_mprage_{o}_p2_iso", "T1c": "t1_mprage_{o}_p2_iso_KM", "T2": "t2_tse_{o}",
        "FLAIR": "t2_tirm_{o}_dark-fluid", "b0": "ep2d_diff_b0_{o}", "trace": "ep2d_diff_3scan_trace_{o}_TRACEW",
        "ADC": "ep2d_diff_3scan_trace_{o}_ADC", "CT": "Head  {t:.1f}  H31s",
    },
    "ge-like": {
        "T1": "{O} T1 BRAVO", "T1c": "{O} T1 BRAVO +C", "T2": "{O} T2 FSE", "FLAIR": "{O} FLAIR", "b0": "{O} DWI b0",
        "trace": "{O} DWI b1000", "ADC": "ADC ({O} DWI)", "CT": "HEAD STANDARD {t:.2f}",
    },
    "philips-like": {
        "T1": "sT1W_3D_TFE_{o}", "T1c": "sT1W_3D_TFE_{o}_GD", "T2": "T2W_TSE_{o}", "FLAIR": "T2W_FLAIR_{o}",
        "b0": "DWI_SSh_b0", "trace": "DWI_SSh_b1000", "ADC": "dADC", "CT": "Brain {t:.1f}, iDose",
    },
}  # fmt: skip

_ORIENTATION_WORDS = {"axial": ("tra", "AX"), "sagittal": ("sag", "SAG"), "coronal": ("cor", "COR")}


def series_description(vendor: Vendor, contrast: str, *, orientation: str, slice_thickness_mm: float) -> str:
    """Name a series as technicians name it on such a scanner."""
    small, capital = _ORIENTATION_WORDS[orientation]
    return _NAMES[vendor][contrast].format(o=small, O=capital, t=slice_thickness_mm)
