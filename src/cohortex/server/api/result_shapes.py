"""The shapes of what the API gives about results, the template, the map and the figures of the study."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from cohortex.server.api.shapes import CentreShape, ResultBrief, Shape

Point = list[float]
"""Three coordinates, LPS mm."""


class FileShape(Shape):
    """A file of a result or of a template version."""

    name: str
    title: str
    kind: Literal["image", "labels", "map", "transform", "report"]
    space: Literal["native", "template", "midway"]
    visit: str | None
    size: int
    url: str
    preview_url: str | None
    unit: str
    range: list[float] | None


class LesionShape(Shape):
    """A lesion."""

    label: int
    visit: str
    volume_ml: float | None
    place: str
    centroid_mm: Point
    template_mm: Point | None


class EventShape(Shape):
    """What became of a lesion between two visits."""

    number: int
    event: str
    place: str
    baseline_volume_ml: float | None
    follow_up_volume_ml: float | None
    change_percent: float | None
    midway_mm: Point | None
    template_mm: Point | None
    baseline_labels: list[int]
    follow_up_labels: list[int]


class ResultShape(ResultBrief):
    """A result with its record, files, lesions and events."""

    record: dict[str, Any]
    files: list[FileShape]
    lesions: list[LesionShape]
    events: list[EventShape]


class ValueAtPoint(Shape):
    """The voxel nearest to a point."""

    value: float | None
    unit: str
    index: list[int]
    inside: bool


class PlaceShape(Shape):
    """A point in a visit and in the template, and where that is."""

    native_mm: Point
    template_mm: Point
    words: str


class RuleShape(Shape):
    """New patients, and centres they come from, that release a new template."""

    patients: int
    centres: int


class TemplateBrief(Shape):
    """The template in force."""

    version: int
    n_patients: int
    n_centres: int
    released_at: datetime


class WaitingShape(Shape):
    """The asker's own patients who are not in the template yet; nothing is told of other centres."""

    patients: int


class OwnCounts(Shape):
    """What the asker's centre has given."""

    patients: int
    visits: int
    series: int


class StudyShape(Shape):
    """The study, as every centre sees it."""

    name: str
    centres: list[CentreShape]
    rule: RuleShape
    template: TemplateBrief | None
    waiting: WaitingShape
    mine: OwnCounts


class VersionShape(TemplateBrief):
    """One released version of the template."""

    reason: str
    files: list[FileShape]


class VersionsShape(Shape):
    """All released versions, the latest first."""

    current: int | None
    versions: list[VersionShape]


class AskedShape(Shape):
    """A release that was asked for: the number of its job."""

    job: str


class MapPointShape(Shape):
    """Where one of the asker's own patients lies."""

    patient: str
    x: float
    y: float
    distance_to_template: float


class DensityShape(Shape):
    """How densely the patients of the study lie; no single one can be told."""

    x: list[float]
    y: list[float]
    values: list[list[float]]


class PlanePoint(Shape):
    """A place on the map."""

    x: float
    y: float


class MapShape(Shape):
    """The map of the study."""

    version: int | None
    shown: bool
    reason: str
    points: list[MapPointShape]
    density: DensityShape | None
    template: PlanePoint | None
    stress: float | None
    n: int | None


class StatisticsShape(Shape):
    """The statistics of the study; a small group is hidden, and all of them while the study is small."""

    shown: bool
    reason: str = ""
    least_patients: int
    least_centres: int
    made_at: datetime | None = None
    n_patients: int | None = None
    n_centres: int | None = None
    tables: list[dict[str, Any]] = Field(default_factory=list)
    courses: list[dict[str, Any]] = Field(default_factory=list)
    survival: dict[str, Any] | None = None
    groupings: list[dict[str, Any]] = Field(default_factory=list)


class ContributionShape(Shape):
    """What one centre has given."""

    code: str
    name: str
    patients: int
    visits: int
    series: int
    complete_records: int


class ContributionsShape(Shape):
    """What every centre has given."""

    centres: list[ContributionShape]
