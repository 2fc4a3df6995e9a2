"""Things put into a head that change its intensity: lesions, and what only looks like one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cohortex.geometry import Grid
from cohortex.phantoms.contrast import B_VALUE_S_PER_MM2, Contrast, tissue_values
from cohortex.phantoms.scanner import Scanner
from cohortex.phantoms.shape import Shape
from cohortex.transform import Rigid

LookName = Literal["plaque", "ring", "solid", "infarct", "perivascular space", "speck", "choroid plexus", "marrow"]

_STEP_MM = 0.5  # between the points that measure partial volume


@dataclass(frozen=True, kw_only=True)
class Look:
    """How far core, rim and surroundings differ from the healthy tissue in their place, at strength 1.

    Attributes
    ----------
    core, rim : mapping of str to float
        Difference per contrast: units where white matter is 100, mm²/s for ADC, HU for CT. Trace follows from
        b0 and ADC.
    rim_share : float
        Thickness of the rim over the radius.
    """

    core: Mapping[str, float]
    rim: Mapping[str, float]
    rim_share: float = 0.25


def _even(**differences: float) -> Look:
    return Look(core=differences, rim=differences)


LOOKS: Mapping[LookName, Look] = {
    "plaque": _even(T1=-24, T1c=-24, T2=95, FLAIR=60, b0=70, ADC=0.3e-3, CT=-9),
    "ring": Look(
        core={"T1": -38, "T1c": -38, "T2": 150, "FLAIR": 60, "b0": 90, "ADC": -0.22e-3, "CT": -14},
        rim={"T1": -8, "T1c": 85, "T2": 60, "FLAIR": 60, "b0": 50, "ADC": 0.05e-3, "CT": 4},
        rim_share=0.3,
    ),
    "solid": _even(T1=-16, T1c=65, T2=55, FLAIR=55, b0=45, ADC=-0.15e-3, CT=12),
    "infarct": _even(T1=-14, T1c=-12, T2=70, FLAIR=50, b0=60, ADC=-0.33e-3, CT=-10),
    "perivascular space": _even(T1=-70, T1c=-70, T2=210, FLAIR=-70, b0=210, ADC=2.0e-3, CT=-18),
    "speck": _even(T1=-5, T1c=-5, T2=35, FLAIR=40, b0=20, ADC=0.1e-3, CT=-2),
    "choroid plexus": _even(T1=40, T1c=150, T2=-120, FLAIR=75, b0=-120, ADC=-1.2e-3, CT=35),
    "marrow": _even(T1=90, T1c=90, T2=110, FLAIR=130, b0=10, ADC=0.2e-3, CT=-200),
}
"""Plaque-like, ring-like, solid and infarct-like lesions; then what no reader would call a lesion."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Deposit:
    """One lesion, or one thing that only looks like it, in the head's own world.

    Attributes
    ----------
    shape : Shape
        Where it is. What lies inside counts as its volume: core and rim, not the oedema.
    look : str
        Key of `LOOKS`.
    strength : float
        Factor on the look's MR differences (CT and ADC too).
    tissue_mix : mapping of str to float
        Fractions of the healthy tissue it replaces.
    oedema_mm : float
        How far a fading halo reaches beyond the surface, mm; 0 for none.
    oedema_strength : float
        Height of the halo at the surface over the core's difference.
    """

    shape: Shape
    look: LookName
    strength: float
    tissue_mix: Mapping[str, float]
    oedema_mm: float = 0.0
    oedema_strength: float = 0.5

    def values(self, contrast: Contrast, scanner: Scanner) -> tuple[float, float, float]:
        """Value of core, of rim, and of the healthy tissue in its place, before gain."""
        if contrast == "trace":
            b0, adc = self.values("b0", scanner), self.values("ADC", scanner)
            core, rim, healthy = (s * float(np.exp(-B_VALUE_S_PER_MM2 * a)) for s, a in zip(b0, adc, strict=True))
            return core, rim, healthy
        healthy_values = tissue_values(contrast, scanner.contrast_changes if contrast not in ("ADC", "CT") else None)
        healthy = sum(share * healthy_values[tissue] for tissue, share in self.tissue_mix.items())
        look = LOOKS[self.look]
        core, rim = (healthy + self.strength * part.get(contrast, 0.0) for part in (look.core, look.rim))
        if contrast != "CT":
            core, rim = max(core, 0.0), max(rim, 0.0)
        return core, rim, healthy

    def contrast_to_noise(self, contrast: Contrast, scanner: Scanner) -> float:
        """Mean difference from the healthy tissue over the noise sd, volume-weighted; infinite without noise."""
        noise = scanner.noise_sd_hu if contrast == "CT" else scanner.noise_sd
        core, rim, healthy = self.values(contrast, scanner)
        inner = (1 - LOOKS[self.look].rim_share) ** 3
        difference = inner * core + (1 - inner) * rim - healthy
        return float("inf") if noise == 0 else difference / noise

    def paint(
        self,
        values: NDArray[np.float32],
        grid: Grid,
        contrast: Contrast,
        scanner: Scanner,
        *,
        world_from_head: Rigid,
        box_mm: tuple[float, ...] | None = None,
    ) -> None:
        """Mix the deposit into values on a grid, in place, by the share of a box (the voxel) that it fills."""
        core, rim, healthy = self.values(contrast, scanner)
        smallest = float(min(min(part.radii_mm) for part in self.shape.parts))
        outer = 1 + self.oedema_mm / smallest
        box, levels = self.shape.levels_on(
            grid, world_from_head=world_from_head, step_mm=_STEP_MM, margin=outer, box_mm=box_mm
        )
        if levels.size == 0:
            return
        inner = 1 - LOOKS[self.look].rim_share
        in_core = (levels < inner).mean(axis=-1)
        in_rim = (levels < 1).mean(axis=-1) - in_core
        here = values[box]
        if self.oedema_mm > 0:
            fade = np.clip((outer - levels) / (outer - 1), 0, 1)
            halo = np.where(levels >= 1, fade * fade, 0).mean(axis=-1) * self.oedema_strength
            here = here + halo * (core - healthy)
        values[box] = here * (1 - in_core - in_rim) + in_core * core + in_rim * rim
