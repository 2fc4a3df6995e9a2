"""Figures as bytes that are the same every time."""

from __future__ import annotations

import io
import re
from typing import Literal

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image as Picture

_DENSITY = 2.0  # device pixels per CSS pixel: sharp on a good screen and on paper
_WEBP_QUALITY = 88


def pixels(figure: Figure, *, density: float = _DENSITY) -> NDArray[np.uint8]:
    """Draw a figure into pixels, shape (row, column, 3), red, green, blue."""
    canvas = FigureCanvasAgg(figure)
    dpi = figure.dpi
    figure.set_dpi(dpi * density)
    try:
        canvas.draw()  # type: ignore[no-untyped-call]
        return np.array(canvas.buffer_rgba(), dtype=np.uint8)[..., :3]  # type: ignore[no-untyped-call]
    finally:
        figure.set_dpi(dpi)


def encoded(figure: Figure, *, kind: Literal["webp", "png"] = "webp", density: float = _DENSITY) -> bytes:
    """Draw a figure into the bytes of a WebP or PNG file, without date, program name or other metadata.

    Parameters
    ----------
    figure : Figure
        What to draw.
    kind : {"webp", "png"}
        WebP is small and loses what nobody sees; PNG loses nothing.
    density : float
        Device pixels per CSS pixel.

    Returns
    -------
    bytes
        The same for the same figure.
    """
    picture = Picture.fromarray(pixels(figure, density=density))
    target = io.BytesIO()
    if kind == "webp":
        picture.save(target, "WEBP", quality=_WEBP_QUALITY, method=4)
    else:
        picture.save(target, "PNG", optimize=True)
    return target.getvalue()


def svg_text(figure: Figure, *, name: str) -> str:
    """Write a figure as SVG to place inside a page.

    Parameters
    ----------
    figure : Figure
        What to draw. The colour #010203 becomes the page's ink (`currentColor`).
    name : str
        Letters, digits and hyphens, unique on the page: it starts every id, so that figures do not mix.

    Returns
    -------
    str
        An <svg> element without XML header, date or outside address; text stays text.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", name):
        raise ValueError(f"name is {name!r}; give letters, digits and hyphens, a letter first.")
    target = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": name, "svg.fonttype": "none"}):
        figure.savefig(target, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = target.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r' xmlns(:xlink)?="[^"]*"| version="[^"]*"', "", text).replace("xlink:href", "href")
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'href="#', f'href="#{name}-', text)
    text = re.sub(r"url\(#", f"url(#{name}-", text)
    return text.replace("#010203", "currentColor").strip()
