"""The study as every centre sees it: map, statistics, contributions; own patients as dots, others as a density."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from sqlalchemy import func, select

from cohortex.server.api.result_shapes import (
    ContributionShape,
    ContributionsShape,
    MapPointShape,
    MapShape,
    OwnCounts,
    RuleShape,
    StatisticsShape,
    StudyShape,
    TemplateBrief,
    WaitingShape,
)
from cohortex.server.api.shapes import CentreShape
from cohortex.server.asking import Database, SignedIn, TheStudy
from cohortex.study.contributions import contributions, new_since_release
from cohortex.study.database import StudySession
from cohortex.study.database.tables import (
    Centre,
    FigureKind,
    MapPoint,
    OpenFigure,
    Patient,
    Series,
    StudyInfo,
    TemplateVersion,
    Visit,
)
from cohortex.study.processing.following import current_version
from cohortex.study.records.wording import STATISTICS

router = APIRouter(tags=["study"])
_NO_MAP = "The map is shown once the study has a template of enough patients."


@router.get("/study")
def show_study(session: Database) -> StudyShape:
    """Show the study: its centres, its rule, the template in force, and what the own centre gave."""
    info = session.scalars(select(StudyInfo)).one()
    version = current_version(session)
    template = session.get(TemplateVersion, version) if version is not None else None
    return StudyShape(
        name=info.name,
        centres=[CentreShape.model_validate(row) for row in session.scalars(select(Centre).order_by(Centre.code))],
        rule=RuleShape(patients=info.rule_patients, centres=info.rule_centres),
        template=template_brief(template) if template else None,
        waiting=WaitingShape(patients=new_since_release(session)),
        mine=OwnCounts(
            patients=_count(session, Patient),
            visits=_count(session, Visit),
            series=session.scalar(select(func.count()).select_from(Series).where(Series.withdrawn_at.is_(None))) or 0,
        ),
    )


@router.get("/study/map")
def show_map(session: Database) -> MapShape:
    """Show the map: the own patients as points, all as a density, and the template."""
    figure = _latest(session, "map")
    if figure is None or figure.content["density"] is None:
        return MapShape(
            version=None, shown=False, reason=_NO_MAP, points=[], density=None, template=None, stress=None, n=None
        )
    points = session.execute(
        select(Patient.code, MapPoint)
        .join(Patient, Patient.id == MapPoint.patient_id)
        .where(MapPoint.version == figure.template_version)
        .order_by(Patient.code)
    )
    return MapShape(
        version=figure.template_version,
        shown=True,
        reason="",
        points=[
            MapPointShape(patient=code, x=point.x, y=point.y, distance_to_template=point.distance_to_template)
            for code, point in points
        ],
        density=figure.content["density"],
        template=figure.content["template"],
        stress=figure.content["stress"],
        n=figure.content["n"],
    )


@router.get("/study/statistics")
def show_statistics(session: Database, asker: SignedIn) -> StatisticsShape:
    """Show the statistics; while too few patients of too few centres are in, always the very same refusal."""
    figure = _latest(session, "statistics")
    content = figure.content[asker.language] if figure else {"shown": False}
    info = session.scalars(select(StudyInfo)).one()
    least: dict[str, Any] = {"least_patients": info.least_patients, "least_centres": info.least_centres}
    if figure is None or not content["shown"]:
        words = STATISTICS["too_few"].filled(patients=str(info.least_patients), centres=str(info.least_centres))
        return StatisticsShape(shown=False, reason=words.it if asker.language == "it" else words.en, **least)
    return StatisticsShape(**{**content, **least, "made_at": figure.made_at})


@router.get("/study/contributions")
def show_contributions(study: TheStudy, _: SignedIn) -> ContributionsShape:
    """Show what each centre has given."""
    return ContributionsShape(centres=[ContributionShape.model_validate(row) for row in contributions(study)])


def template_brief(template: TemplateVersion) -> TemplateBrief:
    """Show a template version in a line."""
    return TemplateBrief(
        version=template.number,
        n_patients=template.n_patients,
        n_centres=template.n_centres,
        released_at=template.released_at,
    )


def figures_state(session: StudySession) -> dict[str, str | int | None]:
    """Tell by what a page knows that the figures of the study are new."""
    figure = _latest(session, "statistics")
    shown = figure is not None and bool(figure.content["en"]["shown"])
    return {
        "template_version": current_version(session),
        "statistics_made_at": figure.made_at.isoformat() if figure and shown else None,
    }


def _latest(session: StudySession, kind: FigureKind) -> OpenFigure | None:
    return session.scalar(select(OpenFigure).where(OpenFigure.kind == kind).order_by(OpenFigure.id.desc()).limit(1))


def _count(session: StudySession, row: type[Patient | Visit]) -> int:
    return session.scalar(select(func.count()).select_from(row)) or 0
