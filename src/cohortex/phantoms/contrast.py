"""What each tissue looks like in each contrast, and how a scanner would have acquired it.

Values are round numbers for 3 T (CT: HU), chosen to order the tissues as they appear; healthy white matter is 100 in
T1, T1c, T2, FLAIR and b0. The trace-weighted image follows from b0 and ADC; ADC is in mm²/s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

Contrast = Literal["T1", "T1c", "T2", "FLAIR", "b0", "trace", "ADC", "CT"]
"""T1, T1 with contrast agent, T2, FLAIR, diffusion (b0, trace at b = 1000 s/mm², ADC) and CT."""

CONTRASTS: tuple[Contrast, ...] = get_args(Contrast)

B_VALUE_S_PER_MM2 = 1000.0

_TISSUE_VALUES: Mapping[str, Mapping[str, float]] = {
    "T1":    {"white": 100, "grey": 68, "csf": 24, "blood": 38, "nerve": 95, "eye": 22, "lens": 60, "bone": 6,
              "marrow": 92, "skin": 62, "fat": 150, "muscle": 50, "tooth": 2, "air": 0},
    "T1c":   {"white": 101, "grey": 70, "csf": 25, "blood": 185, "nerve": 96, "eye": 23, "lens": 60, "bone": 7,
              "marrow": 96, "skin": 84, "fat": 150, "muscle": 60, "tooth": 2, "air": 0},
    "T2":    {"white": 100, "grey": 132, "csf": 330, "blood": 18, "nerve": 98, "eye": 320, "lens": 40, "bone": 8,
              "marrow": 110, "skin": 72, "fat": 175, "muscle": 62, "tooth": 3, "air": 0},
    "FLAIR": {"white": 100, "grey": 122, "csf": 18, "blood": 20, "nerve": 102, "eye": 24, "lens": 45, "bone": 8,
              "marrow": 95, "skin": 85, "fat": 190, "muscle": 66, "tooth": 3, "air": 0},
    "b0":    {"white": 100, "grey": 128, "csf": 340, "blood": 14, "nerve": 98, "eye": 320, "lens": 25, "bone": 4,
              "marrow": 14, "skin": 28, "fat": 16, "muscle": 52, "tooth": 2, "air": 0},
    "ADC":   {"white": 0.72e-3, "grey": 0.80e-3, "csf": 3.0e-3, "blood": 1.2e-3, "nerve": 0.75e-3, "eye": 2.9e-3,
              "lens": 1.0e-3, "bone": 0.3e-3, "marrow": 0.5e-3, "skin": 0.9e-3, "fat": 0.1e-3, "muscle": 1.3e-3,
              "tooth": 0.3e-3, "air": 0},
    "CT":    {"white": 28, "grey": 38, "csf": 8, "blood": 52, "nerve": 30, "eye": 12, "lens": 75, "bone": 1150,
              "marrow": 480, "skin": 45, "fat": -95, "muscle": 55, "tooth": 2100, "air": -1000},
}  # fmt: skip


def tissue_values(contrast: Contrast, changes: Mapping[str, float] | None = None) -> dict[str, float]:
    """Give the value of each tissue in a contrast.

    Parameters
    ----------
    contrast : str
        One of `CONTRASTS`.
    changes : mapping of str to float, optional
        Factor per tissue by which another scanner's protocol shifts the contrast.

    Returns
    -------
    dict of str to float
        Arbitrary units (white matter 100), mm²/s for ADC, HU for CT.

    Raises
    ------
    ValueError
        If the contrast is not one the phantom knows.
    """
    if contrast not in CONTRASTS:
        raise ValueError(f"contrast is {contrast!r}; the phantom knows {', '.join(CONTRASTS)}.")
    factors = changes or {}
    if contrast == "trace":
        b0, adc = tissue_values("b0", changes), _TISSUE_VALUES["ADC"]
        return {tissue: value * float(np.exp(-B_VALUE_S_PER_MM2 * adc[tissue])) for tissue, value in b0.items()}
    return {tissue: value * factors.get(tissue, 1.0) for tissue, value in _TISSUE_VALUES[contrast].items()}


def unit_of(contrast: Contrast) -> str:
    """Unit of the values of a contrast."""
    return {"CT": "HU", "ADC": "mm²/s"}.get(contrast, "arbitrary")


@dataclass(frozen=True, kw_only=True)
class Acquisition:
    """Settings a scanner would write in the header, SI units."""

    modality: str
    sequence_name: str
    echo_time_s: float | None = None
    repetition_time_s: float | None = None
    inversion_time_s: float | None = None
    flip_angle_deg: float | None = None
    b_value_s_per_mm2: float | None = None
    contrast_bolus_agent: str | None = None
    kvp: float | None = None


ACQUISITIONS: Mapping[str, Acquisition] = {
    "T1": Acquisition(modality="MR", sequence_name="gradient echo 3D, inversion prepared", echo_time_s=0.00298,
                      repetition_time_s=2.3, inversion_time_s=0.9, flip_angle_deg=9),
    "T1c": Acquisition(modality="MR", sequence_name="gradient echo 3D, inversion prepared", echo_time_s=0.00298,
                       repetition_time_s=2.3, inversion_time_s=0.9, flip_angle_deg=9,
                       contrast_bolus_agent="Gadobutrol"),
    "T2": Acquisition(modality="MR", sequence_name="turbo spin echo", echo_time_s=0.1, repetition_time_s=5.2,
                      flip_angle_deg=150),
    "FLAIR": Acquisition(modality="MR", sequence_name="turbo spin echo, inversion recovery", echo_time_s=0.094,
                         repetition_time_s=9.0, inversion_time_s=2.5, flip_angle_deg=150),
    "b0": Acquisition(modality="MR", sequence_name="spin echo planar, diffusion", echo_time_s=0.085,
                      repetition_time_s=5.6, flip_angle_deg=90, b_value_s_per_mm2=0),
    "trace": Acquisition(modality="MR", sequence_name="spin echo planar, diffusion", echo_time_s=0.085,
                         repetition_time_s=5.6, flip_angle_deg=90, b_value_s_per_mm2=B_VALUE_S_PER_MM2),
    "ADC": Acquisition(modality="MR", sequence_name="spin echo planar, diffusion", echo_time_s=0.085,
                       repetition_time_s=5.6, flip_angle_deg=90),
    "CT": Acquisition(modality="CT", sequence_name="helical", kvp=120),
}  # fmt: skip
