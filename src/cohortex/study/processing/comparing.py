"""Comparing two visits of a patient that have both been processed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from cohortex.pipeline import compare_visits
from cohortex.pipeline.results import ComparisonResult
from cohortex.progress import ProgressCallback
from cohortex.study.database import THE_STUDY, StudySession
from cohortex.study.database.tables import Job, Visit
from cohortex.study.home import Study
from cohortex.study.jobs.worker import Finish, Handler
from cohortex.study.processing.files import keep_files
from cohortex.study.processing.following import comparison_made, follow_each_other
from cohortex.study.processing.sources import lay_out, series_in
from cohortex.study.processing.visiting import keep_result, needed


def comparison_handler(write_report: Callable[[ComparisonResult, Path], Path]) -> Handler:
    """Make the handler of "comparison" jobs.

    Parameters
    ----------
    write_report : callable
        `report.write_comparison_report`, from the floor above.

    Returns
    -------
    Handler
        For `jobs.work`.
    """

    def compare(study: Study, job: Job, progress: ProgressCallback) -> Finish:
        later, earlier = needed(job.visit_id, job), needed(job.arguments.get("earlier"), job)
        with study.session(THE_STUDY) as session:
            series = series_in(session, earlier, later)
            wanted = series and follow_each_other(session, earlier, later)
        if not wanted:
            return _nothing
        folder = study.work_folder(job.id)
        try:
            before, after, output = folder / "earlier", folder / "later", folder / "result"
            before.mkdir()
            after.mkdir()
            result = compare_visits(
                lay_out(study, earlier, before),
                lay_out(study, later, after),
                output,
                same_person=True,  # whose each upload is was judged when it came in
                store=study.settings.results,
                workers=0,
                progress=progress,
            )
            write_report(result, output)
            record = json.loads((output / "report.json").read_text(encoding="utf-8"))
            files = keep_files(study, output, visits={"baseline": earlier, "follow_up": later})
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        summary = {
            "event_counts": record["event_counts"],
            "lesion_count": record["follow_up"]["lesion_count"],
            "lesion_volume_ml": record["follow_up_total_ml"],
            "change_ml": record["total_change_ml"],
        }

        def finish(session: StudySession) -> None:
            if not follow_each_other(session, earlier, later):
                return  # a visit between them was processed meanwhile, and is compared with both
            if series_in(session, earlier, later) != series:
                return  # what changed them has queued the visit again, and its comparisons follow
            visit = session.get_one(Visit, later)
            keep_result(
                session, kind="comparison", visit=visit, earlier=earlier, record=record, files=files, summary=summary
            )
            comparison_made(session, cause=job.cause)

        return finish

    return compare


def _nothing(_: StudySession) -> None:
    """One of the visits was left without a scan, or another has come to stand between them."""
