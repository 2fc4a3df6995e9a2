"""What changed in a patient with multiple sclerosis, against a mask drawn by experts; a naive subtraction beside it.

The change outlined on each visit's own FLAIR is brought into the space of the mask with the transforms that came with
it, so that no alignment of ours is used for the judgement. The naive subtraction takes these given transforms too, and
the threshold that turns out best: an advantage no one has in practice.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cohortex.image import Image
from cohortex.io import read_image, read_transform
from cohortex.pipeline import compare_visits, find_visit_pair
from cohortex.transform import warp

_LESION_VOXELS = 3  # smaller pieces of the given mask count for Dice, not as lesions
_SMOOTH_VOXELS = (1.0, 1.0, 0.3)


@dataclass(frozen=True)
class Agreement:
    """How a change mask agrees with the given one."""

    dice: float
    detected: int
    missed: int
    false: int
    volume_ml: float

    def row(self, name: str) -> str:
        """One line of the table."""
        return f"| {name} | {self.dice:.2f} | {self.detected} | {self.missed} | {self.false} | {self.volume_ml:.2f} |"


def agreement(found: NDArray[np.bool_], given: NDArray[np.bool_], voxel_ml: float) -> Agreement:
    """Compare two masks voxel by voxel and piece by piece (26 neighbours)."""
    touching = np.ones((3, 3, 3))
    pieces, count = ndimage.label(given, touching)
    large = [n for n in range(1, count + 1) if np.count_nonzero(pieces == n) >= _LESION_VOXELS]
    detected = sum(bool(found[pieces == n].any()) for n in large)
    ours, own = ndimage.label(found, touching)
    false = sum(not given[ours == n].any() for n in range(1, own + 1) if np.count_nonzero(ours == n) >= _LESION_VOXELS)
    dice = 2 * np.count_nonzero(found & given) / max(found.sum() + given.sum(), 1)
    return Agreement(float(dice), detected, len(large) - detected, false, float(found.sum()) * voxel_ml)


def main(arguments: list[str] | None = None) -> None:
    """Compare the visits, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder with the two visits, gt.nii.gz and brainmask.nii.gz")
    parser.add_argument("--output", type=Path, help="where a comparison was, or shall be, written")
    options = parser.parse_args(arguments)
    folder: Path = options.folder
    output = options.output or Path(tempfile.mkdtemp())
    if not (output / "change_baseline.nii.gz").exists():
        compare_visits(*find_visit_pair(folder), output)
    given = read_image(folder / "gt.nii.gz")
    grid, voxel_ml = given.grid, given.grid.voxel_volume_mm3 / 1000
    truth = np.asarray(given.values) > 0
    brain = np.asarray(read_image(folder / "brainmask.nii.gz").values) > 0

    to_common = {}
    for number in (1, 2):
        transform = read_transform(folder / f"study{number}_FLAIR_to_common_space.txt")
        flair = read_image(folder / f"study{number}_FLAIR.nii.gz")
        to_common[number] = (transform, warp(Image(flair.values.astype(np.float32), flair.grid), transform, onto=grid))

    def brought(name: str, number: int, code: int) -> NDArray[np.bool_]:
        change = read_image(output / name)
        share = Image((np.asarray(change.values) == code).astype(np.float32), change.grid)
        return np.asarray(warp(share, to_common[number][0], onto=grid).values) >= 0.5

    new = brought("change_follow_up.nii.gz", 2, 1)
    gone = brought("change_baseline.nii.gz", 1, 2)
    rows = [
        agreement(new, truth, voxel_ml).row("cohortex, new or grown"),
        agreement(new | gone, truth, voxel_ml).row("cohortex, new, grown, gone or shrunk"),
    ]
    scaled = []
    for number in (1, 2):
        values = ndimage.gaussian_filter(to_common[number][1].values.astype(np.float64), _SMOOTH_VOXELS)
        inside = values[brain]
        scaled.append((values - np.median(inside)) / (1.4826 * np.median(np.abs(inside - np.median(inside)))))
    rise = np.where(brain, scaled[1] - scaled[0], 0)
    best = max(np.arange(0.5, 6, 0.05), key=lambda t: agreement(rise > t, truth, voxel_ml).dice)
    rows.append(agreement(rise > best, truth, voxel_ml).row(f"naive subtraction, threshold {best:.2f} in hindsight"))
    sys.stdout.write(
        f"Given: {truth.sum() * voxel_ml:.2f} ml of change.\n\n"
        "| | Dice | detected | missed | false | ml |\n|---|---|---|---|---|---|\n" + "\n".join(rows) + "\n"
    )


if __name__ == "__main__":
    main()
