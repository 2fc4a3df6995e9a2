"""Heads that several tests look at, at 3 mm so that they take a second."""

from __future__ import annotations

import numpy as np
import pytest

from cohortex import phantoms


@pytest.fixture(scope="session")
def plain_head() -> phantoms.Head:
    return phantoms.head(spacing_mm=3.0)


@pytest.fixture(scope="session")
def varied_head() -> phantoms.Head:
    return phantoms.head(spacing_mm=3.0, rng=np.random.default_rng(7), deformation_mm=2.5)


@pytest.fixture(scope="session")
def two_visits() -> phantoms.PhantomPatient:
    return phantoms.patient(seed=11, visits=2, spacing_mm=3.0, slice_thickness_mm=(3.0, 4.0))
