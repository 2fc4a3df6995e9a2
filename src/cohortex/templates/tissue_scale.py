"""One scale of grey values for all visits: what fluid, grey and white matter are worth in each contrast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_T1 = MappingProxyType({"csf": 0.25, "grey": 0.7, "white": 1.0})
TISSUE_LEVELS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "T1": _T1,
        "T1c": _T1,
        "T2": MappingProxyType({"white": 1.0, "grey": 1.3, "csf": 3.2}),
        "FLAIR": MappingProxyType({"csf": 0.2, "white": 1.0, "grey": 1.2}),
        "CT": MappingProxyType({"csf": 0.3, "white": 1.0, "grey": 1.3}),
    }
)
"""Level of each tissue on the common scale; white matter is 1. Rounded from usual protocols: any
scanner is brought to them, so that they need not be those of one."""

_NAMES = {"csf": "fluid", "grey": "grey matter", "white": "white matter"}
_LEAST_RANGE = 0.2  # of what is usual between fluid and white matter
_PURE = (0.9, 0.7, 0.5)  # fraction of a tissue in voxels that show it; the purest that are enough
_LEAST_VOXELS = 50


@dataclass(frozen=True, kw_only=True)
class TissueScale:
    """Takes grey values of one image to the common scale.

    Attributes
    ----------
    found, levels : mapping of str to float
        "csf", "grey" and "white" in the unit of the image and on the common scale.
    """

    found: Mapping[str, float]
    levels: Mapping[str, float]

    @property
    def shifts(self) -> dict[str, float]:
        """What each tissue lacks to its level once white matter is 1."""
        return {name: level - self.found[name] / self.found["white"] for name, level in self.levels.items()}

    def __call__(
        self, values: NDArray[np.float32], *, fractions: Mapping[str, NDArray[np.float32]]
    ) -> NDArray[np.float32]:
        """Bring values to the common scale.

        Parameters
        ----------
        values : ndarray
            In the unit of the image, any shape.
        fractions : mapping of str to ndarray
            Share of "csf", "grey" and "white" there in the template, same shape.

        Returns
        -------
        ndarray of float32
            value / white + sum of shift times share: one factor for all, so that neither noise nor a lesion is
            stretched unevenly, and a tissue's own shift where the template has it.
        """
        shift = sum(shift * fractions[name] for name, shift in self.shifts.items())
        return np.asarray(values / self.found["white"] + shift, dtype=np.float32)


def tissue_medians(
    values: NDArray[np.float32], fractions: Mapping[str, NDArray[np.float32]], usable: NDArray[np.bool_]
) -> dict[str, float]:
    """Take the median of each tissue where the template holds hardly anything else, best with no neighbour of another.

    Thin fluid is mixed with what is around it in coarse voxels, and would make the scale depend on their size.

    Parameters
    ----------
    values : ndarray, shape (I, J, K)
        An image on the grid of the template.
    fractions : mapping of str to ndarray, shape (I, J, K)
        Fraction of each tissue, 0 to 1.
    usable : ndarray of bool, shape (I, J, K)
        Healthy brain.

    Returns
    -------
    dict of str to float
        Medians, which lesions that were missed hardly shift.

    Raises
    ------
    ValueError
        If a tissue fills half of fewer than 50 usable voxels.
    """
    found = {}
    for name, fraction in fractions.items():
        core = ndimage.binary_erosion(fraction >= _PURE[0])
        for pure in (core, *(fraction >= least for least in _PURE)):
            seen = values[usable & pure]
            if len(seen) >= _LEAST_VOXELS:
                found[name] = float(np.median(seen))
                break
        else:
            raise ValueError(
                f"{len(seen)} voxels of {_NAMES[name]} lie on the template and {_LEAST_VOXELS} are needed; check the "
                "brain mask, the field of view and the alignment with the template."
            )
    return found


def tissue_scale(found: Mapping[str, float], *, contrast: str) -> TissueScale:
    """Find the scale of an image from what its healthy tissues are worth.

    Parameters
    ----------
    found : mapping of str to float
        Typical value of "csf", "grey" and "white" in the image, such as `tissue_medians`.
    contrast : str
        Key of `TISSUE_LEVELS`.

    Returns
    -------
    TissueScale
        All three tissues reach their level: the standardisation by landmarks of [1]_ with tissues for landmarks.

    Raises
    ------
    ValueError
        If the contrast has no scale, or fluid and white matter are alike or the wrong way round for it.

    References
    ----------
    .. [1] Nyúl, Udupa and Zhang, *New variants of a method of MRI scale standardization*, IEEE Transactions on Medical
       Imaging 19, 2000, 10.1109/42.836373.
    """
    if contrast not in TISSUE_LEVELS:
        raise ValueError(
            f"contrast is {contrast!r}, for which there is no common scale; there is one for "
            f"{', '.join(TISSUE_LEVELS)}. Correct the contrast of the series, or leave the visit out."
        )
    levels = TISSUE_LEVELS[contrast]
    across = (found["white"] - found["csf"]) / (levels["white"] - levels["csf"])
    if not across > _LEAST_RANGE * found["white"] > 0:
        raise ValueError(
            f"white matter is worth {found['white']:.4g} and fluid {found['csf']:.4g}, which no {contrast} shows; "
            "check the contrast of the series and its alignment with the template."
        )
    return TissueScale(found=dict(found), levels=dict(levels))
