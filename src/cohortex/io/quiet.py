"""Keeping the DICOM library's own remarks off the screen: they may quote a header, and we judge it ourselves."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_dicom_library() -> Iterator[None]:
    """Silence pydicom's log and warnings for the time of a `with` block, and restore both."""
    logger = logging.getLogger("pydicom")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
