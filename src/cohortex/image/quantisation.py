"""Reducing values to steps: the other half of digitising an image, beside sampling it."""

from __future__ import annotations

import numpy as np

from cohortex.image.image import Image, Labels


def quantise(image: Image, *, step: float) -> Image:
    """Replace each value by the next lower multiple of a step: floor(value / step) * step.

    Parameters
    ----------
    image : Image
        Any image of numbers; NaN stays NaN.
    step : float
        Height of a step, in the unit of the image.

    Returns
    -------
    Image
        Same grid and unit; integers stay integers where the step is whole, and become float64 otherwise.

    Raises
    ------
    ValueError
        If the step is not positive and finite, or the image holds labels, which are names and have no steps.
    """
    if not (step > 0 and np.isfinite(step)):
        raise ValueError(f"step is {step:g}; give a positive number.")
    if isinstance(image, Labels):
        raise ValueError("labels are names, not quantities; they are not quantised.")
    if np.issubdtype(image.dtype, np.integer) and float(step).is_integer():
        return image.with_values((image.values // int(step) * int(step)).astype(image.dtype))
    steps = np.floor(image.values / step) * step
    return image.with_values(steps.astype(image.dtype) if np.issubdtype(image.dtype, np.floating) else steps)
