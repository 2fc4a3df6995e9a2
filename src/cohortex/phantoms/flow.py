"""Smooth anatomy changes with a known inverse: stationary velocity fields and their exponential.

The velocity lives on a coarse lattice over the head; its flow and the flow back are computed by scaling and squaring
with cubic interpolation and stored as displacement fields fine enough to be read linearly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from cohortex.geometry import Grid
from cohortex.image import Image
from cohortex.phantoms.anatomy import HEAD_HIGH_MM, HEAD_LOW_MM, grid_axes
from cohortex.phantoms.lattice import averaged, splined
from cohortex.phantoms.mni_tissue import mni_tissue
from cohortex.transform import Displacement

_VELOCITY_SPACING_MM = 5.0
_FIELD_SPACING_MM = 2.0
_CORRELATION_MM = 30.0  # sd of the Gaussian that smooths the random velocity
_EDGE_MM = 24.0  # the velocity falls to nothing over this margin
_STEP_MM = 0.3  # displacement of the first small step of scaling and squaring

Field = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Flow:
    """A diffeomorphism as two displacement fields on the velocity lattice, mm.

    Attributes
    ----------
    forward, backward : ndarray, shape (I, J, K, 3)
        Displacement of the map and of its inverse.
    """

    forward: Field
    backward: Field

    def after(self, first: Flow) -> Flow:
        """Compose: first `first`, then this one."""
        return Flow(
            forward=first.forward + _read(self.forward, first.forward),
            backward=self.backward + _read(first.backward, self.backward),
        )

    def displacement(self) -> Displacement:
        """Give the map as a `Displacement` with its inverse, 2 mm lattice, float32."""
        lattice = _lattice(_VELOCITY_SPACING_MM)
        fine = _lattice(_FIELD_SPACING_MM)

        def image(field: Field) -> Image:
            parts = [splined(field[..., n], grid_axes(lattice), grid_axes(fine)) for n in range(3)]
            return Image(np.stack(parts, axis=-1).astype(np.float32), fine, "mm", {}, ("vector",))

        return Displacement(image(self.forward), image(self.backward))


def random_flow(rng: np.random.Generator, *, mean_mm: float) -> Flow:
    """Draw a smooth random deformation.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of the anatomy.
    mean_mm : float
        Mean length of the displacement over the brain mask, mm (met within 1 %).

    Returns
    -------
    Flow
        exp(v) and exp(-v) of a Gaussian-smoothed random velocity.
    """
    lattice = _lattice(_VELOCITY_SPACING_MM)
    noise = rng.standard_normal((*lattice.shape, 3))
    sigma = _CORRELATION_MM / _VELOCITY_SPACING_MM
    velocity = np.stack([ndimage.gaussian_filter(noise[..., n], sigma) for n in range(3)], axis=-1)
    brain = _brain_share(lattice)
    velocity -= np.average(velocity.reshape(-1, 3), axis=0, weights=brain.ravel())  # deform, do not merely shift
    velocity *= _edge_window(lattice)[..., None]

    def mean_length(flow: Flow) -> float:
        return float(np.average(np.linalg.norm(flow.forward, axis=-1), weights=brain))

    start = mean_mm / float(np.average(np.linalg.norm(velocity, axis=-1), weights=brain))
    return _scaled_until(velocity, start, mean_length, mean_mm)


def ventricle_flow(ventricles: NDArray[np.float32], grid: Grid, *, growth: float) -> Flow:
    """Dilate the ventricles and take the volume from the CSF around the brain.

    The velocity is the gradient of a potential whose Laplacian is positive in the ventricles, negative in the CSF
    outside them, and sums to nothing: tissue between moves and keeps its volume, the skull stays.

    Parameters
    ----------
    ventricles : ndarray of float32
        Share of each voxel of `grid` that is CSF of a ventricle.
    grid : Grid
        Grid along the world axes.
    growth : float
        Volume of the ventricles after, over before (mean Jacobian, met within 1 %).

    Returns
    -------
    Flow
        The dilation and its inverse.
    """
    lattice = _lattice(_VELOCITY_SPACING_MM)
    axes, new_axes = grid_axes(grid), grid_axes(lattice)
    source = averaged(ventricles, axes, new_axes).astype(float)
    maps = mni_tissue()
    csf = averaged(maps.csf, grid_axes(maps.grid), new_axes).astype(float) / 255
    sink = csf * (ndimage.gaussian_filter(source, 2.0) < 0.02)
    divergence = ndimage.gaussian_filter(source, 0.8)
    divergence -= sink * (divergence.sum() / sink.sum())
    velocity = _gradient_of_potential(divergence) * _edge_window(lattice)[..., None]

    box = ndimage.find_objects((ventricles > 0).astype(np.int8))[0]
    inside = ventricles[box].astype(float)
    near = [axis[part] for axis, part in zip(axes, box, strict=True)]

    def grown(flow: Flow) -> float:
        displacement = np.stack([splined(flow.forward[..., n], new_axes, near) for n in range(3)], axis=-1)
        return float((_jacobian(displacement, grid.spacing_mm[0]) * inside).sum() / inside.sum())

    wanted = float(np.log(growth))
    return _scaled_until(velocity, wanted, lambda flow: float(np.log(grown(flow))), wanted)


def _scaled_until(velocity: Field, start: float, measure: Callable[[Flow], float], wanted: float) -> Flow:
    """Scale the velocity until the flow's measure is what is wanted, by the secant rule."""
    scale = start
    for _ in range(4):
        flow = _exponential(scale * velocity)
        reached = measure(flow)
        if abs(reached / wanted - 1) < 0.005:
            break
        scale *= wanted / reached
    return flow


def _exponential(velocity: Field) -> Flow:
    """exp(v) and exp(-v) by scaling and squaring, cubic interpolation, in float64."""
    longest = float(np.max(np.linalg.norm(velocity, axis=-1)))
    squarings = max(0, int(np.ceil(np.log2(max(longest, 1e-9) / _STEP_MM))))

    def exponential(v: Field) -> Field:
        small = v / 2**squarings
        small = small + 0.5 * (_read(small, small) - small)  # second order start: midpoint of the step
        for _ in range(squarings):
            small = small + _read(small, small)
        return small

    return Flow(forward=exponential(velocity), backward=exponential(-velocity))


def _read(field: Field, displacement: Field) -> Field:
    """Read a field at each lattice point moved by a displacement, mm; the edge repeats."""
    index = np.moveaxis(displacement, -1, 0) / _VELOCITY_SPACING_MM + np.indices(field.shape[:3])
    return np.stack([ndimage.map_coordinates(field[..., n], index, order=3, mode="nearest") for n in range(3)], axis=-1)


def _jacobian(displacement: Field, spacing_mm: float) -> Field:
    """Determinant of identity plus gradient."""
    slopes = np.stack([np.gradient(displacement, spacing_mm, axis=n) for n in range(3)], axis=-1)
    return np.asarray(np.linalg.det(slopes + np.eye(3)))


def _gradient_of_potential(divergence: Field) -> Field:
    """Solve the Poisson equation with no flux through the border (cosine transform) and take the gradient, mm."""
    spectrum = fft.dctn(divergence, type=2)
    waves = [2 * (1 - np.cos(np.pi * np.arange(n) / n)) / _VELOCITY_SPACING_MM**2 for n in divergence.shape]
    laplacian = -(waves[0][:, None, None] + waves[1][None, :, None] + waves[2][None, None, :])
    laplacian[0, 0, 0] = 1.0
    spectrum = spectrum / laplacian
    spectrum[0, 0, 0] = 0.0
    potential = fft.idctn(spectrum, type=2)
    return np.stack(np.gradient(potential, _VELOCITY_SPACING_MM), axis=-1)


def _lattice(spacing_mm: float) -> Grid:
    shape = np.floor((HEAD_HIGH_MM - HEAD_LOW_MM) / spacing_mm).astype(int) + 1
    return Grid.from_parts(
        tuple(int(n) for n in shape),
        spacing_mm=(spacing_mm,) * 3,
        origin_mm=tuple(HEAD_LOW_MM),
        frame_of_reference="phantom head",
    )


def _brain_share(lattice: Grid) -> Field:
    maps = mni_tissue()
    return averaged(maps.brain, grid_axes(maps.grid), grid_axes(lattice)).astype(float) / 255


def _edge_window(lattice: Grid) -> Field:
    """1 inside, falling smoothly to 0 at the faces of the lattice, shape (I, J, K)."""
    window = np.ones(lattice.shape)
    for n, size in enumerate(lattice.shape):
        depth = np.minimum(np.arange(size), np.arange(size)[::-1]) * _VELOCITY_SPACING_MM / _EDGE_MM
        ramp = np.clip(depth, 0, 1)
        shape = [1, 1, 1]
        shape[n] = size
        window = window * (ramp**2 * (3 - 2 * ramp)).reshape(shape)
    return window
