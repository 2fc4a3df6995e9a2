"""One slice drawn the way a radiologist expects it: sides marked, in millimetres, with outlines and maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from cohortex.display.colours import ColourScale
from cohortex.display.planes import Box, Numbering, Plane, View
from cohortex.display.window import Window, window_for
from cohortex.image import Image, Labels

_PAPER_DPI = 96  # a CSS pixel
_LIGHT = "#f2f2f2"
_HALO = [patheffects.withStroke(linewidth=2.0, foreground="black", alpha=0.85)]
_BAR_LENGTHS_MM = (1, 2, 5, 10, 20, 50, 100, 200)


@dataclass(frozen=True, kw_only=True, eq=False)
class Outline:
    """Borders of labels to draw, along voxel edges.

    Attributes
    ----------
    labels : Labels
        On the grid of the picture.
    colour : str
        Any matplotlib colour.
    style : {"solid", "dotted"}
        Of the line.
    only : tuple of int, optional
        Labels drawn; all when omitted.
    """

    labels: Labels
    colour: str
    style: Literal["solid", "dotted"] = "solid"
    only: tuple[int, ...] | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Overlay:
    """A map in colours over the anatomy, on the grid of the picture; `within` limits it to a mask."""

    image: Image
    scale: ColourScale
    within: Labels | None = None


def panel(
    image: Image,
    *,
    plane: Plane = "axial",
    slice_index: int | None = None,
    at_mm: ArrayLike | None = None,
    window: Window | None = None,
    outlines: Sequence[Outline] = (),
    overlay: Overlay | None = None,
    box: Box | None = None,
    marked: Box | None = None,
    title: str = "",
    numbering: Numbering = "slice",
    width_px: int = 240,
) -> Figure:
    """Draw one slice in radiological convention, whatever the voxel order of the image.

    Parameters
    ----------
    image : Image
        Scalar image, three axes.
    plane : {"axial", "coronal", "sagittal"}
        The cut.
    slice_index : int, optional
        Slice along the direction of the plane (from inferior, anterior or right); the middle when neither this
        nor `at_mm` is given.
    at_mm : array_like, shape (3,), optional
        World point, mm: the slice nearest to it.
    window : Window, optional
        Black and white; `window_for` the image when omitted.
    outlines : sequence of Outline
        Drawn in order.
    overlay : Overlay, optional
        Map in colours.
    box : Box, optional
        Part of the picture to draw; all when omitted.
    marked : Box, optional
        Rectangle to mark, such as where an enlarged part lies.
    title : str
        Words at the upper left.
    numbering : {"slice", "position"}
        How the slice is named at the lower right.
    width_px : int
        Width on the page, CSS pixels; the height follows from the millimetres.

    Returns
    -------
    Figure
        Without margins, on black; L/R, A/P or S/I at the edges, a scale bar at the lower left.

    Raises
    ------
    ValueError
        If outlines or overlay lie on another grid, or the slice does not exist.
    """
    view = View.of(image, plane)
    if slice_index is None:
        slice_index = view.slices // 2 if at_mm is None else view.slice_at(at_mm)
    if not 0 <= slice_index < view.slices:
        raise ValueError(f"slice_index is {slice_index}; there are {view.slices} {plane} slices, counted from 0.")
    window = window or window_for(image)
    box = box or Box(rows=(0, view.size[0]), columns=(0, view.size[1]))
    height_mm = (box.rows[1] - box.rows[0]) * view.pixel_mm[0]
    width_mm = (box.columns[1] - box.columns[0]) * view.pixel_mm[1]
    height_px = width_px * height_mm / width_mm
    line_scale = float(np.clip(width_px / width_mm / 3, 0.65, 1.0))  # thinner where a millimetre is small
    figure = Figure(figsize=(width_px / _PAPER_DPI, height_px / _PAPER_DPI), dpi=_PAPER_DPI, facecolor="black")
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.imshow(
        window.grey(view.volume(image)[slice_index]),
        cmap="gray",
        vmin=0,
        vmax=1,
        extent=_extent(view),
        interpolation="bilinear",
        interpolation_stage="data",
    )
    if overlay is not None:
        axes.imshow(_colours_of(view, overlay, slice_index), extent=_extent(view), interpolation="nearest")
    for outline in outlines:
        _draw_outline(axes, view, outline, slice_index, line_scale=line_scale)
    if marked is not None:
        _draw_rectangle(axes, view, marked)
    axes.set_xlim(box.columns[0] * view.pixel_mm[1], box.columns[1] * view.pixel_mm[1])
    axes.set_ylim(box.rows[1] * view.pixel_mm[0], box.rows[0] * view.pixel_mm[0])
    axes.set_aspect("auto")  # the figure already has the shape of the box in mm
    _write_letters(figure, view, small=width_px < 200)
    _write(figure, 0.025, 0.975, title, ha="left", va="top", size=7.5)
    name = view.name_of(slice_index, numbering=numbering)
    _write(figure, 0.975, 0.025, name, ha="right", va="bottom", size=7)
    _draw_scale_bar(figure, width_mm)
    return figure


def _extent(view: View) -> tuple[float, float, float, float]:
    rows, columns = view.size
    height, width = view.pixel_mm
    return 0.0, columns * width, rows * height, 0.0


def _colours_of(view: View, overlay: Overlay, slice_index: int) -> NDArray[np.float64]:
    colours = overlay.scale.rgba(view.volume(overlay.image)[slice_index])
    if overlay.within is not None:
        colours[..., 3] *= view.volume(overlay.within)[slice_index] != 0
    return colours


def _draw_outline(axes: Axes, view: View, outline: Outline, slice_index: int, *, line_scale: float) -> None:
    picture = view.volume(outline.labels)[slice_index]
    if outline.only is not None:
        picture = np.where(np.isin(picture, outline.only), picture, 0)
    height, width = view.pixel_mm
    lines = [[(x0 * width, y0 * height), (x1 * width, y1 * height)] for x0, y0, x1, y1 in voxel_edges(picture)]
    if not lines:
        return
    dotted = outline.style == "dotted"
    width = 1.0 if dotted else 1.2
    dashes: list[Any] = [(0, (1.4, 1.4))] if dotted else ["solid"]
    for colour, thickness, opacity in (("black", width + 1.0, 0.45), (outline.colour, width, 1.0)):
        axes.add_collection(  # a dark casing below, so that the line is seen on white too
            LineCollection(
                lines,
                colors=colour,
                linewidths=thickness * line_scale,
                alpha=opacity,
                linestyles=dashes,
                capstyle="butt" if dotted else "projecting",
            )
        )


def voxel_edges(picture: NDArray[Any]) -> list[tuple[int, int, int, int]]:
    """Find the straight lines between pixels of different label.

    Parameters
    ----------
    picture : ndarray of int, shape (row, column)
        Labels, 0 outside.

    Returns
    -------
    list of tuple
        (x0, y0, x1, y1) in pixels from the upper left corner; neighbouring edges of one line are joined.
    """
    padded = np.pad(picture, 1)
    lines = []
    for y, x0, x1 in _runs(padded[1:, :] != padded[:-1, :]):
        lines.append((x0 - 1, y, x1 - 1, y))
    for x, y0, y1 in _runs((padded[:, 1:] != padded[:, :-1]).T):
        lines.append((x, y0 - 1, x, y1 - 1))
    return lines


def _runs(edges: NDArray[np.bool_]) -> list[tuple[int, int, int]]:
    """Runs of set entries of each row: (row, first, past the last)."""
    steps = np.diff(np.pad(edges, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(steps == 1)
    _, stops = np.nonzero(steps == -1)
    return [(int(r), int(a), int(b)) for r, a, b in zip(rows, starts, stops, strict=True)]


def _draw_rectangle(axes: Axes, view: View, marked: Box) -> None:
    height, width = view.pixel_mm
    axes.add_patch(
        Rectangle(
            (marked.columns[0] * width, marked.rows[0] * height),
            (marked.columns[1] - marked.columns[0]) * width,
            (marked.rows[1] - marked.rows[0]) * height,
            fill=False,
            edgecolor=_LIGHT,
            linewidth=0.8,
        )
    )


def _write(figure: Figure, x: float, y: float, words: str, *, ha: str, va: str, size: float) -> None:
    figure.text(x, y, words, ha=ha, va=va, size=size, color=_LIGHT, path_effects=_HALO)


def _write_letters(figure: Figure, view: View, *, small: bool) -> None:
    left, right, top, bottom = view.edges
    size = 8.0 if small else 9.0
    places = [(0.025, 0.5, left, "left", "center"), (0.975, 0.5, right, "right", "center")]
    places += [(0.5, 0.975, top, "center", "top"), (0.5, 0.025, bottom, "center", "bottom")]
    for x, y, letter, ha, va in places:
        figure.text(x, y, letter, ha=ha, va=va, size=size, weight="bold", color=_LIGHT, path_effects=_HALO)


def _draw_scale_bar(figure: Figure, width_mm: float) -> None:
    length = max((n for n in _BAR_LENGTHS_MM if n <= width_mm / 3.5), default=1)
    bar = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    bar.set_axis_off()
    bar.set_xlim(0, 1)
    bar.set_ylim(0, 1)
    share = length / width_mm
    bar.plot(
        [0.03, 0.03 + share],
        [0.035, 0.035],
        color=_LIGHT,
        linewidth=1.6,
        solid_capstyle="butt",
        path_effects=[patheffects.withStroke(linewidth=3.0, foreground="black")],
    )
    name = f"{length // 10} cm" if length >= 10 else f"{length} mm"
    _write(figure, 0.03, 0.05, name, ha="left", va="bottom", size=6.5)
