"""cohortex: research imaging that hospitals share. Research use only, not a medical device."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from cohortex import transform
from cohortex.geometry import Grid
from cohortex.image import Image, Labels, reorient, resample
from cohortex.progress import Progress

if TYPE_CHECKING:
    from cohortex import display, intensity, io, lesions, measure, phantoms, registration, segmentation, templates
    from cohortex.io import read_image, read_series, write_image

__version__ = "0.1.0"

__all__ = [
    "Grid",
    "Image",
    "Labels",
    "Progress",
    "__version__",
    "display",
    "intensity",
    "io",
    "lesions",
    "measure",
    "phantoms",
    "read_image",
    "read_series",
    "registration",
    "reorient",
    "resample",
    "segmentation",
    "templates",
    "transform",
    "write_image",
]

_FROM_IO = ("read_image", "read_series", "write_image")


def __getattr__(name: str) -> object:
    """Import a folder when it is first asked for: the libraries behind them take seconds."""
    if name not in __all__:
        raise AttributeError(f"module 'cohortex' has no attribute {name!r}")
    return getattr(import_module("cohortex.io"), name) if name in _FROM_IO else import_module(f"cohortex.{name}")


def __dir__() -> list[str]:
    return sorted(__all__)
