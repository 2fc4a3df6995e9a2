"""Grids, orientations and checks of place: pure functions, LPS millimetres."""

from cohortex.geometry.grid import Grid
from cohortex.geometry.orientation import axis_codes, closest_axes, reorient_grid
from cohortex.geometry.rotation import rotation_about_axis, rotation_angle_deg, rotation_from_vector

__all__ = [
    "Grid",
    "axis_codes",
    "closest_axes",
    "reorient_grid",
    "rotation_about_axis",
    "rotation_angle_deg",
    "rotation_from_vector",
]
