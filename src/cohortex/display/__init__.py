"""Pictures of images: slices in radiological convention, windows, maps in colours."""

from cohortex.display.colours import ColourScale, colour_bar, limit_for
from cohortex.display.encoding import encoded, pixels, svg_text
from cohortex.display.panel import Outline, Overlay, panel
from cohortex.display.planes import Box, Numbering, Plane, View, best_plane
from cohortex.display.window import WINDOWS_HU, Window, window_for

__all__ = [
    "WINDOWS_HU",
    "Box",
    "ColourScale",
    "Numbering",
    "Outline",
    "Overlay",
    "Plane",
    "View",
    "Window",
    "best_plane",
    "colour_bar",
    "encoded",
    "limit_for",
    "panel",
    "pixels",
    "svg_text",
    "window_for",
]
