"""Row S1-03 whole: every planted fault found, no false alarm on 50 clean scans."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from cohortex import phantoms
from cohortex.image import Image
from cohortex.measure import check_quality
from cohortex.transform import Rigid

pytestmark = pytest.mark.acceptance

Fault = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def clean_scans() -> Iterator[tuple[str, Image]]:
    """Fifty scans of ten anatomies: every contrast, vendor, plane, thickness and head position."""
    for seed in range(50):
        rng = np.random.default_rng(1000 + seed)
        if seed % 5 == 0:
            head = phantoms.head(spacing_mm=2.0, rng=rng, deformation_mm=rng.uniform(0, 4))
        contrast = phantoms.CONTRASTS[seed % len(phantoms.CONTRASTS)]
        plane = ("axial", "sagittal", "coronal")[seed % 3]
        turn = Rigid.from_vectors(
            rotation_vector_rad=rng.normal(scale=0.06, size=3), translation_mm=rng.normal(scale=4, size=3)
        )
        image = phantoms.scan(
            head,
            contrast,
            spacing_mm=rng.uniform(1.5, 2.4),
            slice_thickness_mm=rng.uniform(2, 4.9),
            orientation=plane,
            scanner=phantoms.draw_scanner(rng, list(phantoms.SCANNERS)[seed % 3]),
            scanner_from_head=turn,
            rng=rng,
        )
        yield f"{seed} {contrast} {plane}", image


def cut_short(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    stream = values.ravel(order="F").copy()
    stream[int(rng.uniform(0.35, 0.75) * stream.size) :] = 0
    return stream.reshape(values.shape, order="F")


def one_nan(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    values[tuple(int(n * rng.uniform(0.3, 0.7)) for n in values.shape)] = rng.choice([np.nan, np.inf, -np.inf])
    return values


def constant(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.full_like(values, rng.integers(0, 100))


def blank_slice(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    values[:, :, int(values.shape[2] * rng.uniform(0.3, 0.7))] = 0
    return values


def repeated_slice(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    k = int(values.shape[2] * rng.uniform(0.3, 0.7))
    values[:, :, k] = values[:, :, k - 1]
    return values


FAULTS: dict[str, tuple[Fault, set[str]]] = {
    "cut short": (cut_short, {"missing slices", "truncation"}),
    "NaN or infinity": (one_nan, {"values"}),
    "constant": (constant, {"constant"}),
    "blank slice": (blank_slice, {"missing slices"}),
    "repeated slice": (repeated_slice, {"missing slices"}),
}


def raised(image: Image) -> set[str]:
    return {flag.check for flag in check_quality(image) if flag.level != "pass"}


def test_all_planted_faults_are_found_and_no_clean_scan_is_accused() -> None:
    missed, accused = [], []
    for name, image in clean_scans():
        if found := raised(image):
            accused.append((name, found))
        for fault, (spoil, checks) in FAULTS.items():
            rng = np.random.default_rng(zlib.crc32(f"{name} {fault}".encode()))
            if not raised(image.with_values(spoil(image.values.copy(), rng))) & checks:
                missed.append((name, fault))
    assert accused == []
    assert missed == []
