"""The words and figures of the pages in every language."""

from cohortex.server.catalogue.figures import format_date, format_entry, format_moment, format_number, format_size
from cohortex.server.catalogue.places import place_in_words
from cohortex.server.catalogue.reasons import reason_in_words
from cohortex.server.catalogue.units import format_unit, units_printed
from cohortex.server.catalogue.words import LANGUAGES, Catalogue, Language, catalogue

__all__ = [
    "LANGUAGES",
    "Catalogue",
    "Language",
    "catalogue",
    "format_date",
    "format_entry",
    "format_moment",
    "format_number",
    "format_size",
    "format_unit",
    "place_in_words",
    "reason_in_words",
    "units_printed",
]
