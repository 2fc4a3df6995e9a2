"""The map of the study: distances between its patients and to its template, laid out in the plane.

The layout follows the patients in the template in force, and changes only with a release. Whoever came later is placed
into it by the distances to them, so that the density others see tells of no single patient.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, select

from cohortex.pipeline import Runner, stored_node
from cohortex.pipeline.study_steps import distance_row, features_of_brain, features_of_template
from cohortex.progress import Progress, ProgressCallback
from cohortex.statistics.density import density
from cohortex.statistics.mds import lay_out
from cohortex.statistics.placing import place_among
from cohortex.study.database import THE_STUDY, StudySession
from cohortex.study.database.tables import Job, MapPoint, OpenFigure, TemplateVersion
from cohortex.study.home import Study
from cohortex.study.jobs.worker import Finish
from cohortex.study.processing.following import current_version, member_visits
from cohortex.study.processing.templating import averaged_brains, brain_keys

_CELLS = 48  # of the density, in each direction
_ROOM = 0.9  # around the points, of their range: the density comes to its end


def distances(study: Study, job: Job, progress: ProgressCallback) -> Finish:
    """Measure all distances that are not known yet, and lay the map out."""
    del job
    with study.session(THE_STUDY) as session:
        number = current_version(session)
        if number is None:
            return _nothing
        version = session.get_one(TemplateVersion, number)
        keys = brain_keys(session)
        visits = member_visits(session)
        averaged = averaged_brains(study, session, version)
    keys |= averaged  # a visit processed again since moves nobody before the next release
    members = sorted(averaged, key=averaged.__getitem__)
    others = sorted(keys.keys() - averaged.keys())
    template = features_of_template(stored_node(version.key))
    rows: dict[str, NDArray[np.float64]] = {}
    with Runner(study.settings.results, workers=0) as runner:
        features = {patient: features_of_brain(stored_node(key)) for patient, key in keys.items()}
        for done, patient in enumerate((*members, *others)):
            progress(Progress(task="measuring distances", done=done, total=len(keys)))
            targets = [features[other] for other in members] + [template]
            row = runner.value(distance_row(features[patient], targets))
            rows[patient] = np.array([distance.joint_mm for distance in row])
    matrix = np.array([[*rows[patient]] for patient in members])  # (members, members + template)
    square = np.block([[matrix[:, :-1], matrix[:, -1:]], [matrix[:, -1:].T, np.zeros((1, 1))]])
    layout = lay_out(square)
    points = dict(zip(members, layout.points[:-1], strict=True))
    for patient in others:
        points[patient] = place_among(layout.points, rows[patient])
    content = _figure(layout.points, stress=layout.stress, version=number, study=study, members=len(members))

    def finish(session: StudySession) -> None:
        if current_version(session) != number:
            return  # a release came between; its own map follows
        session.execute(delete(MapPoint).where(MapPoint.version == number))
        for patient, visit in visits.items():
            x, y = points[patient]
            session.add(
                MapPoint(
                    version=number, patient_id=patient, centre_id=visit.centre_id, uploader_id=visit.uploader_id,
                    x=float(x), y=float(y), distance_to_template=float(rows[patient][-1]),
                )
            )  # fmt: skip
        latest = session.scalar(
            select(OpenFigure).where(OpenFigure.kind == "map").order_by(OpenFigure.id.desc()).limit(1)
        )
        if latest is None or latest.content != content:
            session.add(OpenFigure(kind="map", template_version=number, content=content))

    return finish


def _figure(points: NDArray[np.float64], *, stress: float, version: int, study: Study, members: int) -> dict[str, Any]:
    """What every centre sees of the map: the template's place and the density of its patients, no patient."""
    low, high = points.min(axis=0), points.max(axis=0)
    room = _ROOM * np.maximum(high - low, 1e-3)
    x, y = (np.linspace(low[n] - room[n], high[n] + room[n], _CELLS) for n in (0, 1))
    shown = members >= study.info.least_patients
    return {
        "version": version,
        "n": members if shown else None,
        "stress": stress,
        "template": {"x": float(points[-1, 0]), "y": float(points[-1, 1])},
        "density": {
            "x": [round(float(value), 4) for value in x],
            "y": [round(float(value), 4) for value in y],
            "values": np.round(density(points[:-1], x=x, y=y), 6).tolist(),
        }
        if shown
        else None,
    }


def _nothing(_: StudySession) -> None:
    """There is no template yet, so there is no map."""
