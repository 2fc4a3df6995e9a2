"""Patients by category, with the small categories hidden."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from cohortex.statistics.disclosure import Minimum, hidden_cells
from cohortex.statistics.intervals import wilson_interval
from cohortex.study.records.facts import AGE_BANDS, EVENTS, PatientFacts, cell_of
from cohortex.study.records.fields import field as field_named
from cohortex.study.records.figures import CountRow, CountTable
from cohortex.study.records.survival import follow_up
from cohortex.study.records.wording import STATISTICS, Words

Categorise = Callable[[PatientFacts], str]
"""What a patient is counted under; empty where it is not known."""
SURVIVAL_LABELS = {state: STATISTICS[state] for state in ("alive", "dead")}


def count_tables(patients: Sequence[PatientFacts], *, minimum: Minimum) -> tuple[CountTable, ...]:
    """Count patients by centre, sex, age, leukaemia, phase, cause, course, survival and events of lesions.

    Parameters
    ----------
    patients : sequence of PatientFacts
        All patients of the study; enough to be shown at all.
    minimum : Minimum
        What a figure needs to be shown.

    Returns
    -------
    tuple of CountTable
        A patient is in the category that was said last. No two tables hold the same count, so that what one hides
        is not in the other.
    """
    bands = {band: Words(band, band) for band in AGE_BANDS}
    sexes = {sex: STATISTICS[f"sex_{sex}"] for sex in ("F", "M", "O", "U")}
    return (
        _centres(patients, minimum),
        _table("sex", patients, lambda patient: patient.sex, sexes, minimum),
        _table("age", patients, lambda patient: patient.age_band, bands, minimum),
        _table("diagnosis", patients, latest("leukaemia_type"), choice_labels("leukaemia_type"), minimum),
        _table("phase", patients, latest("treatment_phase"), choice_labels("treatment_phase"), minimum),
        _table("agents", patients, latest("cause"), choice_labels("cause"), minimum),
        _table("outcome", patients, lesion_course, choice_labels("outcome"), minimum),
        _table("survival", patients, survival_state, SURVIVAL_LABELS, minimum),
        _events(patients, minimum),
    )


def _centres(patients: Sequence[PatientFacts], minimum: Minimum) -> CountTable:
    """A row is one centre, so only patients count; its share is no estimate of anything and has no interval."""
    codes = sorted({patient.centre for patient in patients})
    members = [[patient for patient in patients if patient.centre == code] for code in codes]
    cells = [cell_of(inside) for inside in members]
    hidden = hidden_cells(cells, minimum=Minimum(patients=minimum.patients, centres=1))
    rows = tuple(
        CountRow(
            value=code,
            label=Words(code, code),
            n=None if is_hidden else len(inside),
            share=None if is_hidden else len(inside) / len(patients),
            low=None,
            high=None,
            hidden=is_hidden,
        )
        for code, inside, is_hidden in zip(codes, members, hidden, strict=True)
    )
    return CountTable(name="centres", title=STATISTICS["table_centres"], n=len(patients), rows=rows)


def _table(
    name: str,
    patients: Sequence[PatientFacts],
    category: Categorise,
    labels: Mapping[str, Words],
    minimum: Minimum,
) -> CountTable:
    known = [patient for patient in patients if category(patient) in labels]
    title = STATISTICS[f"table_{name}"]
    if not minimum.reached_by(cell_of(known)):
        return CountTable(name=name, title=title, n=None, rows=())
    members = {value: [patient for patient in known if category(patient) == value] for value in labels}
    hidden = hidden_cells([cell_of(inside) for inside in members.values()], minimum=minimum)
    if all(hidden):
        return CountTable(name=name, title=title, n=None, rows=())
    rows = [
        count_row(value, labels[value], len(inside), len(known), hidden=is_hidden)
        for (value, inside), is_hidden in zip(members.items(), hidden, strict=True)
        if inside or is_hidden
    ]
    return CountTable(name=name, title=title, n=len(known), rows=tuple(rows))


def _events(patients: Sequence[PatientFacts], minimum: Minimum) -> CountTable:
    """Patients with at least one event of a kind: kinds overlap, so each is a table of two, with and without."""
    compared = [patient for patient in patients if any(visit.events is not None for visit in patient.visits)]
    title = STATISTICS["table_events"]
    if not minimum.reached_by(cell_of(compared)):
        return CountTable(name="events", title=title, n=None, rows=())
    rows = []
    for event in EVENTS:
        having = [patient for patient in compared if _has(patient, event)]
        without = [patient for patient in compared if not _has(patient, event)]
        hidden = any(hidden_cells([cell_of(having), cell_of(without)], minimum=minimum))
        rows.append(count_row(event, STATISTICS[event], len(having), len(compared), hidden=hidden))
    return CountTable(name="events", title=title, n=len(compared), rows=tuple(rows))


def count_row(value: str, label: Words, count: int, n: int, *, hidden: bool = False) -> CountRow:
    """Give a row of a table with its share and interval, or only its name where it is hidden."""
    if hidden:
        return CountRow(value=value, label=label, n=None, share=None, low=None, high=None, hidden=True)
    share = wilson_interval(count, n)
    return CountRow(value=value, label=label, n=count, share=share.share, low=share.low, high=share.high, hidden=False)


def _has(patient: PatientFacts, event: str) -> bool:
    return any((visit.events or {}).get(event, 0) > 0 for visit in patient.visits)


def choice_labels(name: str) -> dict[str, Words]:
    """Give the choices of a field by value, in the order of the form."""
    return {choice.value: choice.label for choice in field_named(name).choices}


def latest(name: str, *, but: str = "") -> Categorise:
    """The choice that was said last, leaving `but` out."""

    def category(patient: PatientFacts) -> str:
        said = [visit.values[name].value for visit in patient.visits if name in visit.values]
        known = [value for value in said if isinstance(value, str) and value != but]
        return known[-1] if known else ""

    return category


lesion_course = latest("outcome", but="died")  # death is counted in one table only
"""The latest course of the lesions."""


def survival_state(patient: PatientFacts) -> str:
    """Alive or dead by what was said, empty where nothing was; who died stays dead."""
    if follow_up(patient).died:
        return "dead"
    said = (visit.values.get("alive") for visit in patient.visits)
    return "alive" if any(value is not None and value.value is True for value in said) else ""
