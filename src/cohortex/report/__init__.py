"""Reports for people and machines, drawn from results."""

from cohortex.report.headline import headline
from cohortex.report.record import comparison_record, visit_record
from cohortex.report.writing import write_comparison_report, write_visit_report

__all__ = ["comparison_record", "headline", "visit_record", "write_comparison_report", "write_visit_report"]
