"""The study's own template: versions and files, open to every centre; and a release the coordinator asks for."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from sqlalchemy import select

from cohortex.server.api.files import file_reply
from cohortex.server.api.result_shapes import AskedShape, VersionShape, VersionsShape
from cohortex.server.api.shapes import ReasonSent
from cohortex.server.api.showing import files_shown
from cohortex.server.api.study import template_brief
from cohortex.server.asking import AVersion, Coordinator, Database, TheStudy
from cohortex.study.database import THE_STUDY
from cohortex.study.database.tables import TemplateVersion
from cohortex.study.processing.release_rule import ask_for_release

router = APIRouter(tags=["template"])


@router.get("/study/template")
def list_versions(session: Database) -> VersionsShape:
    """List all released versions, the latest first."""
    versions = session.scalars(select(TemplateVersion).order_by(TemplateVersion.number.desc())).all()
    return VersionsShape(
        current=versions[0].number if versions else None,
        versions=[
            VersionShape(
                **template_brief(version).model_dump(),
                reason=version.reason,
                files=files_shown(version.files, base=f"/api/study/template/{version.number}/files"),
            )
            for version in versions
        ],
    )


@router.get("/study/template/{version}/files/{name:path}", response_class=Response)
def give_template_file(
    name: str, version: AVersion, study: TheStudy, request: Request, preview: bool = False
) -> Response:
    """Give a file of a template version."""
    return file_reply(study, request, version.files, name, preview=preview)


@router.post("/study/template", status_code=201)
def ask_for_version(sent: ReasonSent, study: TheStudy, coordinator: Coordinator) -> AskedShape:
    """Ask for a new version now; refused where the image of a single patient could be told from the difference."""
    with study.session(THE_STUDY, writes=True) as session, session.begin():
        job = ask_for_release(session, by=coordinator, why=sent.reason)
        return AskedShape(job=job.id)
