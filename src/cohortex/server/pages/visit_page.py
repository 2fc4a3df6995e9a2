"""What the visit page shows: its uploads and the fields of its record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]


def visit_context(visit: Json, all_visits: Sequence[Json], fields: Json, record: Json) -> dict[str, Any]:
    """Join what the template ``visit.html`` shows.

    Parameters
    ----------
    visit : Visit
        The answer of ``GET /api/visits/{id}``.
    all_visits : sequence of mapping
        The visits of the answer of ``GET /api/visits``: where an upload can be moved.
    fields : mapping
        The answer of ``GET /api/fields``.
    record : mapping
        The answer of ``GET /api/visits/{id}/record``.

    Returns
    -------
    dict
        The template's variables; a section shows the fields that apply to this kind of visit.
    """
    return {
        "visit": visit,
        "all_visits": all_visits,
        "sections": [
            {**section, "shown": [field for field in section["fields"] if visit["kind"] in field["applies_to"]]}
            for section in fields["sections"]
        ],
        "values": record["values"],
        "findings": record["findings"],
    }
