"""What the visit page shows: its uploads and the fields of its record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]


def visit_context(visit: Json, patient: Json, fields: Json, record: Json) -> dict[str, Any]:
    """Join what the template ``visit.html`` shows.

    Parameters
    ----------
    visit : Visit
        The answer of ``GET /api/visits/{id}``.
    patient : Patient
        Whose visit it is; its other visits are where an upload can be moved.
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
        "other_visits": [{**other, "patient": patient["code"]} for other in patient["visits"]],
        "sections": [
            {**section, "shown": [field for field in section["fields"] if visit["kind"] in field["applies_to"]]}
            for section in fields["sections"]
        ],
        "values": record["values"],
        "findings": record["findings"],
    }
