"""Statistics of small groups: prediction, intervals, distances, maps of subjects, and what may be shown of them."""

from cohortex.statistics.density import LEAST_SUBJECTS, density, scott_bandwidth
from cohortex.statistics.disclosure import Cell, Minimum, hidden_cells
from cohortex.statistics.distances import checked_distances, joined, rms_difference
from cohortex.statistics.folding import Folding, folded_table
from cohortex.statistics.intervals import MedianInterval, ShareInterval, median_interval, wilson_interval
from cohortex.statistics.mds import Fit, Layout, lay_out, procrustes
from cohortex.statistics.moderation import steadied
from cohortex.statistics.placing import place_among
from cohortex.statistics.predictive import GroupSummary, equivalent_z, predictive_t, without_one
from cohortex.statistics.survival import FollowUp, SurvivalAt, days_to_show, survival_at

__all__ = [
    "LEAST_SUBJECTS",
    "Cell",
    "Fit",
    "Folding",
    "FollowUp",
    "GroupSummary",
    "Layout",
    "MedianInterval",
    "Minimum",
    "ShareInterval",
    "SurvivalAt",
    "checked_distances",
    "days_to_show",
    "density",
    "equivalent_z",
    "folded_table",
    "hidden_cells",
    "joined",
    "lay_out",
    "median_interval",
    "place_among",
    "predictive_t",
    "procrustes",
    "rms_difference",
    "scott_bandwidth",
    "steadied",
    "survival_at",
    "wilson_interval",
    "without_one",
]
