"""The template in the contrast of a given image: what healthy tissue would look like there, and how much it varies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cohortex.image import Image, Labels
from cohortex.templates.mni152 import Template
from cohortex.transform import Transform, warp

_SAMPLES = 200_000
_ROUNDS = 12
_TUKEY = 4.685  # 95 % efficiency for normal errors; Beaton and Tukey 1974
_MAD_TO_SD = 1.4826
_LEAST_SAMPLES = 50
_MIXED = 0.3  # of 1 - sum of squared fractions: more than one tissue in the voxel


@dataclass(frozen=True, kw_only=True)
class TissueColours:
    """What each tissue is worth in an image.

    Attributes
    ----------
    values : mapping of str to float
        Typical value of each tissue, in the unit of the image.
    spreads : mapping of str to float
        Standard deviation inside each tissue, outliers left out.
    mixed_spread : float
        Further standard deviation where tissues meet: the template's folds are not the patient's.
    """

    values: Mapping[str, float]
    spreads: Mapping[str, float]
    mixed_spread: float

    def expected(self, fractions: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """Mix the values by the fractions, any shape."""
        return np.asarray(sum(self.values[name] * fractions[name] for name in self.values), dtype=np.float32)

    def spread(self, fractions: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """Mix the variances by the fractions, any shape; the spread in the unit of the image."""
        variance = sum(self.spreads[name] ** 2 * fractions[name] for name in self.values)
        return np.sqrt(variance + self.mixed_spread**2 * mixing(fractions)).astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class MatchedTemplate:
    """The template re-coloured.

    Attributes
    ----------
    expected : Image
        The healthy image expected, on the grid of the tissue maps, in the unit of the image matched.
    spread : Image
        Standard deviation expected there, same unit.
    colours : TissueColours
        The numbers behind both.
    """

    expected: Image
    spread: Image
    colours: TissueColours


def matched_to(
    template: Template, image: Image, *, image_from_template: Transform, mask: Labels | None = None
) -> MatchedTemplate:
    """Re-colour the template to the contrast of an image.

    Parameters
    ----------
    template : Template
        Tissue maps.
    image : Image
        Scalar image of three axes, any contrast, brain or whole head.
    image_from_template : Transform
        Takes a template point to the image, world mm.
    mask : Labels, optional
        Where the image may be trusted, on the grid of the image: the brain without lesions, where known.

    Returns
    -------
    MatchedTemplate
        On the grid of the template.

    Raises
    ------
    ValueError
        If fewer than 50 voxels of the template's brain lie inside the image and the mask.
    """
    there = np.asarray(warp(image, image_from_template, onto=template.grid, outside=np.nan).values, dtype=np.float32)
    usable = template.brain.mask & np.isfinite(there)
    if mask is not None:
        usable &= warp(mask, image_from_template, onto=template.grid).values != 0
    fractions = {name: np.asarray(map_.values, dtype=np.float32) for name, map_ in template.tissues.items()}
    colours = tissue_colours(there, fractions, usable)
    return MatchedTemplate(
        expected=Image(colours.expected(fractions), template.grid, image.unit),
        spread=Image(colours.spread(fractions), template.grid, image.unit),
        colours=colours,
    )


def tissue_colours(
    values: NDArray[np.float32], fractions: Mapping[str, NDArray[np.float32]], usable: NDArray[np.bool_]
) -> TissueColours:
    """Regress values on tissue fractions, with little weight for what does not fit (lesions, vessels, misalignment).

    Parameters
    ----------
    values : ndarray, shape (I, J, K)
        The image.
    fractions : mapping of str to ndarray, shape (I, J, K)
        Fraction of each tissue.
    usable : ndarray of bool, shape (I, J, K)
        Voxels to look at.

    Returns
    -------
    TissueColours
        Values by iteratively reweighted least squares with Tukey's biweight [1]_; spreads from the median absolute
        deviation.

    Raises
    ------
    ValueError
        If fewer than 50 voxels are usable.

    References
    ----------
    .. [1] Beaton and Tukey, *The fitting of power series*, Technometrics 16, 1974, 10.1080/00401706.1974.10489171.
    """
    index = np.flatnonzero(usable)
    if len(index) < _LEAST_SAMPLES:
        raise ValueError(f"{len(index)} voxels of brain to match the template with; 50 are needed. Check the mask.")
    index = index[:: max(1, len(index) // _SAMPLES)]
    names = list(fractions)
    design = np.stack([fractions[name].ravel()[index] for name in names], axis=1).astype(np.float64)
    target = values.ravel()[index].astype(np.float64)
    coefficients = robust_coefficients(design, target)
    residual = target - design @ coefficients
    overall = _spread(residual)
    spreads = {}
    for n, name in enumerate(names):
        pure = residual[design[:, n] > 0.9]
        spreads[name] = _spread(pure) if len(pure) >= _LEAST_SAMPLES else overall
    return TissueColours(
        values=dict(zip(names, coefficients.tolist(), strict=True)),
        spreads=spreads,
        mixed_spread=_mixed_spread(design, residual, list(spreads.values())),
    )


def robust_coefficients(design: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Least squares, reweighted with Tukey's biweight from a start that outliers do not shift.

    Parameters
    ----------
    design : ndarray, shape (n, p)
        Fractions, 0 to 1.
    target : ndarray, shape (n,)
        Values.

    Returns
    -------
    ndarray, shape (p,)
        The value of each column; that of a column with nothing in it is the typical value of all.
    """
    ridge = 1e-6 * np.eye(design.shape[1]) * len(target)  # a tissue outside the field of view must not run away
    coefficients = _medians(design, target)
    for _ in range(_ROUNDS):
        residual = target - design @ coefficients
        scale = _TUKEY * _MAD_TO_SD * float(np.median(np.abs(residual)))
        weight = np.clip(1 - (residual / scale) ** 2, 0, None) ** 2 if scale > 0 else np.ones(len(target))
        weighted = design * weight[:, None]
        level = float(np.average(target, weights=weight))
        coefficients = level + np.linalg.solve(
            weighted.T @ design + ridge, weighted.T @ (target - level * design.sum(axis=1))
        )
    return coefficients


def _medians(design: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Median of the purest voxels of each column, or of all where it has none."""
    result = np.full(design.shape[1], float(np.median(target)))
    for n in range(design.shape[1]):
        for least in (0.9, 0.7, 0.5):
            pure = target[design[:, n] > least]
            if len(pure) >= _LEAST_SAMPLES:
                result[n] = float(np.median(pure))
                break
    return result


def mixing(fractions: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    """How far voxels are from a single tissue: 0 for one tissue, 2/3 for three equal parts."""
    total = sum(fraction**2 for fraction in fractions.values())
    return np.clip(1 - np.asarray(total, dtype=np.float32), 0, 1)


def _mixed_spread(design: NDArray[np.float64], residual: NDArray[np.float64], spreads: Sequence[float]) -> float:
    mixed = 1 - np.sum(design**2, axis=1)
    where = mixed > _MIXED
    if np.count_nonzero(where) < _LEAST_SAMPLES:
        return 0.0
    explained = float(np.mean(design[where] @ (np.asarray(spreads) ** 2)))
    excess = _spread(residual[where]) ** 2 - explained
    return float(np.sqrt(max(0.0, excess) / float(np.mean(mixed[where]))))


def _spread(residual: NDArray[np.float64]) -> float:
    return _MAD_TO_SD * float(np.median(np.abs(residual - np.median(residual)))) if len(residual) else 0.0
