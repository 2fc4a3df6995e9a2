"""The figures of the study by leukaemia and by treatment phase, with small groups put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cohortex.statistics.disclosure import Minimum, hidden_cells
from cohortex.statistics.folding import Folding, folded_table
from cohortex.study.records.counts import (
    SURVIVAL_LABELS,
    Categorise,
    choice_labels,
    count_row,
    latest,
    lesion_course,
    survival_state,
)
from cohortex.study.records.courses import grouped_courses
from cohortex.study.records.facts import PatientFacts, cell_of
from cohortex.study.records.figures import CountTable, GroupedTable, Grouping, SurvivalCurve
from cohortex.study.records.survival import survival_curves
from cohortex.study.records.wording import STATISTICS, Words

_Group = tuple[str, Words, Sequence[PatientFacts]]
_OTHERS = "others"
_NOT_KNOWN = "not_known"
_WITH_NOT_KNOWN = (STATISTICS["not_known"], STATISTICS["others_or_not_known"])


def all_groupings(
    patients: Sequence[PatientFacts], *, survival: SurvivalCurve, minimum: Minimum
) -> tuple[Grouping, ...]:
    """Give causes, course, survival and measures by leukaemia and by treatment phase.

    Parameters
    ----------
    patients : sequence of PatientFacts
        All patients of the study; enough to be shown at all.
    survival : SurvivalCurve
        Of all patients.
    minimum : Minimum
        What a figure needs to be shown.

    Returns
    -------
    tuple of Grouping
        By the leukaemia that was said last, and by the phase at the first examination: a phase that was reached later
        was reached by those who lived to reach it, and would make survival look better than it is.

    Notes
    -----
    Groups that are hidden in the count of groups, and those that leave a small cell in a table, are put together with
    others; patients of whom the group is not known are a group, as they can be had by subtraction. Groups of the
    curves of survival are those of the table of survival, or several of these put together.
    """
    return (
        _grouping("diagnosis", "leukaemia_type", latest("leukaemia_type"), patients, survival, minimum),
        _grouping("phase", "treatment_phase", _first_phase, patients, survival, minimum),
    )


def _first_phase(patient: PatientFacts) -> str:
    said = patient.visits[0].values.get("treatment_phase") if patient.visits else None
    return said.value if said is not None and isinstance(said.value, str) else ""


def _grouping(
    name: str,
    field: str,
    category: Categorise,
    patients: Sequence[PatientFacts],
    survival: SurvivalCurve,
    minimum: Minimum,
) -> Grouping:
    groups = _by(patients, category, choice_labels(field))
    hidden = _hidden([members for _, _, members in groups[:-1]], minimum)  # of the last it is not known
    tables = {
        "agents": (latest("cause"), choice_labels("cause")),
        "outcome": (lesion_course, choice_labels("outcome")),
        "survival": (survival_state, SURVIVAL_LABELS),
    }
    foldings = {table: _folding(groups, hidden, *columns, minimum=minimum) for table, columns in tables.items()}
    return Grouping(
        name=name,
        title=STATISTICS[f"by_{name}"],
        tables=tuple(_table(table, groups, *columns, foldings[table]) for table, columns in tables.items()),
        courses=grouped_courses([] if all(hidden) else _put_together(groups, (*hidden, False)), minimum=minimum),
        survival=_curves(groups, foldings["survival"], survival, minimum),
    )


def _by(patients: Sequence[PatientFacts], category: Categorise, labels: Mapping[str, Words]) -> list[_Group]:
    """Everyone by category, those of whom it is not known last."""
    named: list[_Group] = [
        (value, label, [patient for patient in patients if category(patient) == value])
        for value, label in labels.items()
    ]
    unknown = [patient for patient in patients if category(patient) not in labels]
    return [*named, (_NOT_KNOWN, STATISTICS[_NOT_KNOWN], unknown)]


def _hidden(members: Sequence[Sequence[PatientFacts]], minimum: Minimum) -> tuple[bool, ...]:
    """What a table of these alone hides."""
    everyone = [patient for inside in members for patient in inside]
    if not minimum.reached_by(cell_of(everyone)):
        return (True,) * len(members)
    return hidden_cells([cell_of(inside) for inside in members], minimum=minimum)


def _folding(
    groups: Sequence[_Group],
    hidden: Sequence[bool],
    category: Categorise,
    labels: Mapping[str, Words],
    *,
    minimum: Minimum,
) -> Folding | None:
    everyone = [patient for _, _, members in groups for patient in members]
    columns = _hidden([[p for p in everyone if category(p) == value] for value in labels], minimum)
    if all(hidden) or all(columns):
        return None
    cells = [
        [[patient.centre for patient in members if category(patient) == value] for value in labels]
        for _, _, members in groups
    ]
    folding = folded_table(
        cells,
        hidden_rows=(*hidden, False),
        hidden_columns=columns,
        told_rows=(*[False] * len(hidden), True),
        minimum=minimum,
    )
    if folding is None:
        return None
    for _, _, members in _put_together(groups, folding.rows):
        unknown = [patient for patient in members if category(patient) not in labels]
        if unknown and not minimum.reached_by(cell_of(unknown)):
            return None  # the group's own number, told elsewhere, would tell how many
    return folding


def _table(
    name: str, groups: Sequence[_Group], category: Categorise, labels: Mapping[str, Words], folding: Folding | None
) -> GroupedTable:
    title = STATISTICS[f"table_{name}"]
    if folding is None:
        return GroupedTable(name=name, title=title, groups=())
    tables = []
    for value, label, members in _put_together(groups, folding.rows):
        columns = _put_together(_by(members, category, labels)[:-1], folding.columns)
        n = sum(len(inside) for _, _, inside in columns)
        if n:
            rows = tuple(count_row(column, words, len(inside), n) for column, words, inside in columns)
            tables.append(CountTable(name=value, title=label, n=n, rows=rows))
    used = {row.value for table in tables for row in table.rows if row.n}
    return GroupedTable(
        name=name,
        title=title,
        groups=tuple(
            CountTable(name=t.name, title=t.title, n=t.n, rows=tuple(row for row in t.rows if row.value in used))
            for t in tables
        ),
    )


def _put_together(groups: Sequence[_Group], folded: Sequence[bool]) -> list[_Group]:
    """The groups that are left, then the others as one."""
    inside = [group for group, is_in in zip(groups, folded, strict=True) if is_in]
    left = [group for group, is_in in zip(groups, folded, strict=True) if not is_in]
    if not any(members for _, _, members in inside):
        return left
    unknown = any(members and label in _WITH_NOT_KNOWN for _, label, members in inside)
    label = STATISTICS["others_or_not_known" if unknown else _OTHERS]
    return [*left, (_OTHERS, label, [patient for _, _, members in inside for patient in members])]


def _curves(
    groups: Sequence[_Group], folding: Folding | None, survival: SurvivalCurve, minimum: Minimum
) -> tuple[SurvivalCurve, ...]:
    if folding is None or survival.n is None:
        return ()
    lines = [group for group in _put_together(groups, folding.rows) if group[2]]
    hidden = hidden_cells([cell_of(members) for _, _, members in lines], minimum=minimum)
    if any(hidden):  # with the others, if there are some already
        lines = _put_together(lines, [is_in or lines[place][0] == _OTHERS for place, is_in in enumerate(hidden)])
    return survival_curves(lines, of_all=survival, minimum=minimum) if len(lines) > 1 else ()
