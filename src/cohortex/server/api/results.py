"""Results: what each says, its files, and what lies at a point of its images."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from cohortex.errors import Refused
from cohortex.server.api.files import file_reply
from cohortex.server.api.result_shapes import EventShape, LesionShape, PlaceShape, ResultShape, ValueAtPoint
from cohortex.server.api.showing import files_shown, result_brief
from cohortex.server.asking import Database, OwnResult, OwnSeries, SignedIn, TheStudy
from cohortex.server.catalogue import Language, place_in_words
from cohortex.server.dicom_zip import dicom_zip
from cohortex.server.lookup import Lookups
from cohortex.study.database import Asker
from cohortex.study.results import events_of, file_of, lesions_of, record_of, transforms_of

router = APIRouter(tags=["results"])
Millimetres = Annotated[float, Query(allow_inf_nan=False, ge=-10_000, le=10_000, description="LPS mm")]


@router.get("/results/{result_id}")
def show_result(result: OwnResult, study: TheStudy, asker: SignedIn) -> ResultShape:
    """Show a result: its record, its files, its lesions, and what became of them; places in the asker's language."""
    record = record_of(study, result)
    return ResultShape(
        **result_brief(result).model_dump(),
        record=record,
        files=files_shown(result.files, base=f"/api/results/{result.id}/files"),
        lesions=[
            LesionShape(**{name: lesion[name] for name in LesionShape.model_fields} | _said(lesion["place"], asker))
            for lesion in lesions_of(result, record)
        ],
        events=[
            EventShape(**{name: event[name] for name in EventShape.model_fields} | _said(event["place"], asker))
            for event in events_of(result, record)
        ],
    )


@router.get("/results/{result_id}/files/{name:path}", response_class=Response)
def give_file(name: str, result: OwnResult, study: TheStudy, request: Request, preview: bool = False) -> Response:
    """Give a file of a result; with `preview`, a small version of an image where there is one."""
    return file_reply(study, request, result.files, name, preview=preview)


@router.get("/results/{result_id}/report", response_class=Response)
def give_report(result: OwnResult, study: TheStudy, request: Request) -> Response:
    """Give the report as one HTML file that needs no network."""
    return file_reply(study, request, result.files, "report.html")


@router.get("/results/{result_id}/report.json", response_class=Response)
def give_record(result: OwnResult, study: TheStudy, request: Request) -> Response:
    """Give the figures of the report for machines."""
    return file_reply(study, request, result.files, "report.json")


@router.get("/results/{result_id}/value")
def tell_value(
    file: str, x: Millimetres, y: Millimetres, z: Millimetres, result: OwnResult, request: Request
) -> ValueAtPoint:
    """Tell the value of the voxel nearest to a point of the image's own world."""
    wanted = file_of(result.files, file)
    if wanted["kind"] not in ("image", "labels", "map"):
        raise Refused("This file holds no image.", fields={"file": "Name an image, labels or a map."})
    lookups: Lookups = request.app.state.lookups
    ending = "".join(PurePosixPath(file).suffixes[-2:])
    found = lookups.value(str(wanted["sha256"]), ending=ending, point_mm=(x, y, z))
    return ValueAtPoint.model_validate(found)


@router.get("/results/{result_id}/place")
def tell_place(
    start: Annotated[Literal["native", "template"], Query(alias="from")],
    x: Millimetres,
    y: Millimetres,
    z: Millimetres,
    result: OwnResult,
    session: Database,
    asker: SignedIn,
    request: Request,
    visit: str | None = None,
) -> PlaceShape:
    """Bring a point of a visit to the template, or back, and say in words where it is."""
    transforms = transforms_of(session, result, visit)
    lookups: Lookups = request.app.state.lookups
    found = lookups.place(
        template_from_visit=str(transforms["template_from_visit"]["sha256"]),
        visit_from_template=str(transforms["visit_from_template"]["sha256"]),
        start=start,
        point_mm=(x, y, z),
    )
    place = PlaceShape.model_validate(found)
    return place.model_copy(update={"words": place_in_words(place.words, _language(asker))})


@router.get("/series/{series_id}/dicom", response_class=Response)
def give_dicom(series: OwnSeries, study: TheStudy) -> Response:
    """Give the stored, de-identified DICOM files of a series as a zip."""
    if series.withdrawn_at is not None:
        raise Refused("This series was withdrawn.", remedy="Ask for one that is part of the study.")
    return dicom_zip(study, series)


def _said(place: str, asker: Asker) -> dict[str, str]:
    return {"place": place_in_words(place, _language(asker))}


def _language(asker: Asker) -> Language:
    return "it" if asker.language == "it" else "en"
