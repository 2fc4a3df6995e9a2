"""Clinical records: their fields, one value, what is plausible, the table, the statistics of the study."""

from cohortex.study.records.facts import PatientFacts, VisitFacts, age_band_of
from cohortex.study.records.fields import Choice, Field, all_fields, field, field_json, fields_for, form_json
from cohortex.study.records.figures import StudyStatistics
from cohortex.study.records.plausibility import Finding, RecordedVisit, judge_record, judge_visits
from cohortex.study.records.statistics import study_statistics
from cohortex.study.records.table import (
    ImportProblem,
    RecordRow,
    RecordsImport,
    read_records,
    template_csv,
    write_records,
)
from cohortex.study.records.value import ClinicalValue, RecordProblem, parse_value, value_text
from cohortex.study.records.wording import Language, Words

__all__ = [
    "Choice",
    "ClinicalValue",
    "Field",
    "Finding",
    "ImportProblem",
    "Language",
    "PatientFacts",
    "RecordProblem",
    "RecordRow",
    "RecordedVisit",
    "RecordsImport",
    "StudyStatistics",
    "VisitFacts",
    "Words",
    "age_band_of",
    "all_fields",
    "field",
    "field_json",
    "fields_for",
    "form_json",
    "judge_record",
    "judge_visits",
    "parse_value",
    "read_records",
    "study_statistics",
    "template_csv",
    "value_text",
    "write_records",
]
