"""Which visits a path holds, of whom and in which order: from names, and from headers that are never shown."""

from cohortex.pipeline.visits.finding import LISTED, VisitSource, find_visits, names_of, with_headers
from cohortex.pipeline.visits.pair import doubts_about, find_visit_pair, refuse_two_persons

__all__ = [
    "LISTED",
    "VisitSource",
    "doubts_about",
    "find_visit_pair",
    "find_visits",
    "names_of",
    "refuse_two_persons",
    "with_headers",
]
