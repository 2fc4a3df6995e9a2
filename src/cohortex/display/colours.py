"""The diverging colours of maps on anatomy, and their colour bar."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

_COOL_TO_WARM = ("#b8f2ff", "#2f9dff", "#1b3bd6", "#3a3a44", "#c81e1e", "#ff8a1e", "#fff0a8")
_DIVERGING = LinearSegmentedColormap.from_list("cool-to-warm", _COOL_TO_WARM, N=511)
_NICE = (0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
_INK = "#010203"  # replaced by the ink of the page where the bar is placed


@dataclass(frozen=True, kw_only=True)
class ColourScale:
    """A diverging scale around zero: cool below, warm above.

    Attributes
    ----------
    limit : float
        Value with the brightest colour; beyond it the colour stays.
    threshold : float
        Values nearer to zero than this are not coloured.
    label : str
        What is shown, with its unit.
    opacity : float
        Of the colours over the anatomy, 0 to 1.
    """

    limit: float
    threshold: float = 0.0
    label: str
    opacity: float = 0.85

    def __post_init__(self) -> None:
        if not 0 <= self.threshold < self.limit:
            raise ValueError(f"limit {self.limit:g} must exceed threshold {self.threshold:g}, which is 0 or more.")

    def rgba(self, values: NDArray[np.generic]) -> NDArray[np.float64]:
        """Colours with opacity, shape (..., 4), 0 to 1; NaN and values under the threshold are transparent."""
        number = np.asarray(values, dtype=np.float64)
        size = np.nan_to_num(np.abs(number), nan=0.0, posinf=np.inf)
        colours = _DIVERGING(Normalize(-self.limit, self.limit, clip=True)(np.nan_to_num(number, nan=0.0)))
        if self.threshold > 0:
            opacity = np.where(size >= self.threshold, self.opacity, 0.0)
        else:
            opacity = self.opacity * np.clip(size / (0.25 * self.limit), 0.0, 1.0)  # zero change is invisible
        colours[..., 3] = opacity
        return np.asarray(colours, dtype=np.float64)


def limit_for(values: NDArray[np.generic], *, percentile: float = 99.5, smallest: float = 0.0) -> float:
    """Find a round limit that takes in nearly all sizes.

    Parameters
    ----------
    values : ndarray
        Values of the map inside the brain; NaN is left out.
    percentile : float
        Share of absolute values the limit takes in, %.
    smallest : float
        The least limit returned.

    Returns
    -------
    float
        1, 1.5, 2, 3, 4, 5, 6, 8 or 10 times a power of ten; 1 for a map of zeros.
    """
    sizes = np.abs(np.asarray(values, dtype=np.float64).ravel())
    sizes = sizes[np.isfinite(sizes)]
    wanted = max(float(np.percentile(sizes, percentile)) if sizes.size else 0.0, smallest)
    if wanted <= 0:
        return 1.0
    decade = 10.0 ** np.ceil(np.log10(wanted))
    return float(f"{decade * next(n for n in _NICE if n * decade >= wanted * (1 - 1e-9)):.3g}")


def colour_bar(scale: ColourScale, *, width_px: int = 260) -> Figure:
    """Draw the colour bar of a scale, with ticks and its label, for `svg_text`.

    Parameters
    ----------
    scale : ColourScale
        The scale.
    width_px : int
        Width on the page, CSS pixels.

    Returns
    -------
    Figure
        The band on black, as over dark anatomy; the letters take the colour of the page.
    """
    figure = Figure(figsize=(width_px / 96, 44 / 96), dpi=96)
    figure.patch.set_alpha(0.0)
    axes = figure.add_axes((0.06, 0.72, 0.88, 0.26))
    ramp = np.linspace(-scale.limit, scale.limit, 255)[None, :]
    rgba = scale.rgba(ramp)
    axes.set_facecolor("#26262b")
    rgba[..., :3] = rgba[..., :3] * rgba[..., 3:] + np.array([0.15, 0.15, 0.17]) * (1 - rgba[..., 3:])
    axes.imshow(rgba[..., :3], extent=(-scale.limit, scale.limit, 0, 1), aspect="auto", interpolation="nearest")
    ticks = [-scale.limit, -scale.limit / 2, 0.0, scale.limit / 2, scale.limit]
    if scale.threshold > 0:
        ticks = [-scale.limit, -scale.threshold, scale.threshold, scale.limit]
    axes.set_yticks([])
    axes.set_xticks(ticks, labels=[signed(t) for t in ticks])
    axes.tick_params(labelsize=8, colors=_INK, length=2, pad=1)
    axes.set_xlabel(scale.label, fontsize=8, color=_INK, labelpad=1)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return figure


def signed(value: float) -> str:
    """Write a tick with a true minus sign and a plus."""
    if value == 0:
        return "0"
    return ("+" if value > 0 else "−") + f"{abs(value):g}"
