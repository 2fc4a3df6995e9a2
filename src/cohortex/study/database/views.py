"""Views of the database for reports and exports: patients and visits by kind, and one row per visit for analysis.

They are made anew by the version that starts, and read by the study itself only: a person's session refuses text that
bypasses the mapped classes. Each names centre and uploader, so that an export can be one centre's.
"""

from __future__ import annotations

from sqlalchemy import Engine, text

from cohortex.study.database.engine import writing
from cohortex.study.records import Field, all_fields

VIEWS = ("at_patients", "ht_patients_primary", "ht_patients_followup", "at_visits")

_WHO = "centre.code AS centre, uploader.login AS uploader"
_PATIENTS = f"""
SELECT patient.code AS patient, {_WHO}, patient.sex, patient.birth_date AS birth_date_shifted, patient.created_at,
       (SELECT COUNT(*) FROM visit WHERE visit.patient_id = patient.id) AS visits
FROM patient
JOIN centre ON centre.id = patient.centre_id
JOIN uploader ON uploader.id = patient.uploader_id
"""
_VISITS = f"""
SELECT patient.code AS patient, visit.id AS visit, {_WHO}, visit.date AS date_shifted, visit.created_at,
       (SELECT COUNT(*) FROM series WHERE series.visit_id = visit.id AND series.withdrawn_at IS NULL) AS series
FROM visit
JOIN patient ON patient.id = visit.patient_id
JOIN centre ON centre.id = visit.centre_id
JOIN uploader ON uploader.id = visit.uploader_id
WHERE visit.kind = '{{kind}}'
"""
_ANALYSIS = f"""
SELECT patient.code AS patient, patient.sex, {_WHO}, visit.id AS visit, visit.kind,
       {{day}} AS day, {{age}} AS age_years, {{names}},
       {{count}} AS lesion_count, {{volume}} AS lesion_volume_ml, {{brain}} AS brain_volume_ml
FROM visit
JOIN patient ON patient.id = visit.patient_id
JOIN centre ON centre.id = visit.centre_id
JOIN uploader ON uploader.id = visit.uploader_id
JOIN visit AS first_visit ON first_visit.patient_id = patient.id AND first_visit.kind = 'first'
LEFT JOIN result ON result.visit_id = visit.id AND result.kind = 'visit' AND result.stale_at IS NULL
LEFT JOIN (
    SELECT entry.visit_id, {{columns}}
    FROM record_entry AS entry WHERE entry.replaced_at IS NULL GROUP BY entry.visit_id
) AS record ON record.visit_id = visit.id
"""
_DAYS_PER_YEAR = "365.2425"


def refresh_views(engine: Engine) -> None:
    """Make all views anew.

    Parameters
    ----------
    engine : Engine
        A database in the form of this version, SQLite or PostgreSQL.
    """
    with writing(engine).begin() as connection:
        for name, query in _queries(postgresql=engine.dialect.name == "postgresql").items():
            connection.execute(text(f"DROP VIEW IF EXISTS {name}"))
            connection.execute(text(f"CREATE VIEW {name} AS {query}"))


def _queries(*, postgresql: bool) -> dict[str, str]:
    days = "({0} - {1})" if postgresql else "CAST(julianday({0}) - julianday({1}) AS INTEGER)"
    kept = "result.summary ->> '{0}'" if postgresql else "json_extract(result.summary, '$.{0}')"
    number = "CAST({0} AS DOUBLE PRECISION)" if postgresql else "CAST({0} AS REAL)"
    columns = {name: column for known in all_fields() for name, column in _columns(known, number).items()}
    analysis = _ANALYSIS.format(
        day=days.format("visit.date", "first_visit.date"),
        age=f"ROUND({days.format('visit.date', 'patient.birth_date')} / {_DAYS_PER_YEAR}, 2)",
        names=", ".join(f"record.{name}" for name in columns),
        columns=", ".join(f"{column} AS {name}" for name, column in columns.items()),
        count=f"CAST({kept.format('lesion_count')} AS INTEGER)",
        volume=number.format(kept.format("lesion_volume_ml")),
        brain=number.format(kept.format("brain_volume_ml")),
    )
    primary, followup = (_VISITS.format(kind=kind) for kind in ("first", "follow-up"))
    return dict(zip(VIEWS, (_PATIENTS, primary, followup, analysis), strict=True))


def _columns(known: Field, number: str) -> dict[str, str]:
    """One column for the value, one for the sign beside a number, one for the reason why it is missing."""

    def of(column: str) -> str:
        return f"MAX(CASE WHEN entry.field = '{known.name}' THEN entry.{column} END)"

    value = of("value")
    if known.kind == "number":
        value = number.format(value)
    elif known.kind == "day":
        value = f"CAST({value} AS INTEGER)"
    columns = {known.name: value}
    if known.comparators:
        columns[f"{known.name}_sign"] = f"NULLIF({of('comparator')}, '')"
    columns[f"{known.name}_missing"] = f"NULLIF({of('missing')}, '')"
    return columns
