"""Statistics of small groups: prediction, distances, maps of subjects."""

from cohortex.statistics.density import LEAST_SUBJECTS, density, scott_bandwidth
from cohortex.statistics.distances import checked_distances, joined, rms_difference
from cohortex.statistics.mds import Fit, Layout, lay_out, procrustes
from cohortex.statistics.predictive import GroupSummary, equivalent_z, predictive_t, without_one

__all__ = [
    "LEAST_SUBJECTS",
    "Fit",
    "GroupSummary",
    "Layout",
    "checked_distances",
    "density",
    "equivalent_z",
    "joined",
    "lay_out",
    "predictive_t",
    "procrustes",
    "rms_difference",
    "scott_bandwidth",
    "without_one",
"""Numbers from many patients: intervals of estimates, and what may be shown of them."""

from cohortex.statistics.disclosure import Cell, Minimum, hidden_cells
from cohortex.statistics.intervals import MedianInterval, ShareInterval, median_interval, wilson_interval

__all__ = [
    "Cell",
    "MedianInterval",
    "Minimum",
    "ShareInterval",
    "hidden_cells",
    "median_interval",
    "wilson_interval",
]
