"""Clinical records: the form, one visit's record, and the records of the centre as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, cast

from fastapi import APIRouter, Depends, Query, Request, Response

from cohortex.server.api.shapes import (
    FindingShape,
    FormShape,
    HistoryShape,
    ImportShape,
    ProblemShape,
    RecordSent,
    RecordShape,
    ValueShape,
)
from cohortex.server.asking import Database, OwnVisit, SignedIn, TheStudy
from cohortex.server.catalogue import units_printed
from cohortex.server.faults import Unanswerable
from cohortex.study.database import Asker
from cohortex.study.database.tables import Visit
from cohortex.study.entries import value_of
from cohortex.study.record_entries import enter, entered, judge, replaced
from cohortex.study.record_tables import export_records, import_records
from cohortex.study.records import Language, form_json, template_csv, value_text

router = APIRouter(tags=["records"])


@router.get("/fields")
def list_fields(asker: SignedIn, language: Literal["en", "it"] | None = None) -> FormShape:
    """Describe the form of the clinical record: sections, fields, choices, units, limits."""
    return FormShape.model_validate(form_json(language or _language(asker)))


@router.get("/visits/{visit_id}/record")
def show_record(visit: OwnVisit, asker: SignedIn) -> RecordShape:
    """Show the record of a visit, what the plausibility rules say of it, and what was replaced."""
    return _shown(visit, _language(asker))


@router.put("/visits/{visit_id}/record")
def change_record(
    sent: RecordSent, visit: OwnVisit, study: TheStudy, session: Database, asker: SignedIn
) -> RecordShape:
    """Enter, change or (with null) take back values; fields that are not named stay."""
    enter(study, session, visit, sent.values, language=_language(asker))
    return _shown(visit, _language(asker))


async def _table(request: Request) -> bytes:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "text/csv":
        raise Unanswerable(415, "A table of records comes as text/csv.", "Save it as CSV (UTF-8) and send that.")
    return await request.body()


@router.post(
    "/records/import",
    openapi_extra={"requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}},
)
def take_table(
    content: Annotated[bytes, Depends(_table)],
    study: TheStudy,
    session: Database,
    asker: SignedIn,
    dry_run: Annotated[bool, Query(description="Only say what would be written.")] = False,
) -> ImportShape:
    """Enter the records of a table, as a whole or not at all."""
    language = _language(asker)
    found = import_records(study, session, content, dry_run=dry_run, language=language)
    return ImportShape(
        rows=found.rows,
        problems=[ProblemShape.model_validate(problem.to_json(language)) for problem in found.problems],
        changes=found.changes,
        written=found.written,
    )


@router.get("/records/export", response_class=Response)
def give_table(session: Database) -> Response:
    """Give all records of the centre as CSV; dates are shifted."""
    return _csv(export_records(session), "records.csv")


@router.get("/records/template", response_class=Response)
def give_empty_table(_: SignedIn) -> Response:
    """Give an empty table with every column."""
    return _csv(template_csv(), "records-empty.csv")


def _csv(text: str, name: str) -> Response:
    return Response(
        text, media_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def _shown(visit: Visit, language: Language) -> RecordShape:
    values = {}
    for name, entry in entered(visit).items():
        value = value_of(entry)
        values[name] = ValueShape(
            value=value.value,
            label=value_text(value, language),
            unit=value.unit,
            comparator=value.comparator,
            missing=value.missing,
            recorded_at=entry.entered_at,
            recorded_by=entry.uploader.name,
        )
    return RecordShape(
        values=values,
        findings=[_finding(finding.to_json(language)) for finding in judge(visit.patient)[visit.id]],
        history=[
            HistoryShape(
                field=entry.field,
                label=value_text(value_of(entry), language),
                recorded_at=entry.entered_at,
                recorded_by=entry.uploader.name,
                replaced_at=entry.replaced_at or entry.entered_at,
            )
            for entry in replaced(visit)
        ],
    )


def _finding(said: Mapping[str, object]) -> FindingShape:
    finding = FindingShape.model_validate(said)
    return finding.model_copy(update={"message": units_printed(finding.message)})


def _language(asker: Asker) -> Language:
    return cast(Language, asker.language)
