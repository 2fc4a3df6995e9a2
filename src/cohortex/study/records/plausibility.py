"""What in a record is odd or cannot be: the plausibility rules of the study, each a function with its number."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from cohortex.study.records.fields import JSON, Limits, all_fields
from cohortex.study.records.fields import field as field_named
from cohortex.study.records.number_text import written_number
from cohortex.study.records.value import ClinicalValue
from cohortex.study.records.wording import FINDINGS, Language, Words

Level = Literal["error", "warning"]

_OLDEST_YEARS = 120
_YEAR_DAYS = 365.25
_MYCOLOGICAL_GALACTOMANNAN = 1.0  # one serum, EORTC/MSGERC 2020; general knowledge, to be confirmed


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one rule says about a record.

    Attributes
    ----------
    rule : str
        Its number in the list of plausibility rules; "own-1" where it is not of that list.
    level : {"error", "warning"}
        An error is refused; a warning is asked about and may stand.
    field : str
        The field to look at.
    message : Words
        What is odd and what to do, in every language.
    """

    rule: str
    level: Level
    field: str
    message: Words

    def to_json(self, language: Language = "en") -> dict[str, JSON]:
        """Give rule, level, field and message in one language."""
        return {
            "rule": self.rule,
            "level": self.level,
            "field": self.field,
            "message": self.message.in_language(language),
        }


@dataclass(frozen=True, kw_only=True)
class RecordedVisit:
    """What was recorded at one visit.

    Attributes
    ----------
    day : int
        Days from the first examination.
    values : mapping of str to ClinicalValue
        By name of the field.
    """

    day: int
    values: Mapping[str, ClinicalValue]


@dataclass(frozen=True, kw_only=True)
class _Case:
    """A visit with what came before it."""

    visit: RecordedVisit
    earlier: tuple[RecordedVisit, ...]
    age_years: float | None

    def given(self, name: str) -> ClinicalValue | None:
        return self.visit.values.get(name)

    def now(self, name: str) -> object:
        """The value at this visit; None where there is none or it is missing."""
        value = self.given(name)
        return None if value is None else value.value

    def so_far(self, name: str) -> ClinicalValue | None:
        """The latest that was said about the field, at this visit or before."""
        for visit in (self.visit, *reversed(self.earlier)):
            if name in visit.values:
                return visit.values[name]
        return None

    def latest(self, name: str) -> object:
        value = self.so_far(name)
        return None if value is None else value.value

    def day(self, name: str) -> int | None:
        value = self.so_far(name)
        return None if value is None else value.days

    def group(self, name: str) -> str:
        """The group of the latest choice; empty where there is none."""
        value = self.latest(name)
        return field_named(name).choice(value).group if isinstance(value, str) else ""

    def before(self, name: str, group: str) -> bool:
        """Whether an earlier visit has a choice of the group."""
        chosen = (visit.values[name].value for visit in self.earlier if name in visit.values)
        return any(isinstance(value, str) and field_named(name).choice(value).group == group for value in chosen)


def judge_record(
    values: Mapping[str, ClinicalValue],
    *,
    day: int = 0,
    age_years: float | None = None,
    earlier: Sequence[RecordedVisit] = (),
) -> tuple[Finding, ...]:
    """Judge what is recorded at one visit by every rule.

    Parameters
    ----------
    values : mapping of str to ClinicalValue
        What is recorded at the visit, by name of the field.
    day : int
        Day of the visit from the first examination.
    age_years : float, optional
        Age at the first examination, years; None where it is not known.
    earlier : sequence of RecordedVisit
        The patient's visits before this one, in any order.

    Returns
    -------
    tuple of Finding
        Errors first, else in the order of the rules; empty for a record that is in order.

    Notes
    -----
    What a field refuses on its own (a number out of its hard limits, no unit, an unknown organism) is refused when
    the value is read, by `parse_value`.
    """
    case = _Case(
        visit=RecordedVisit(day=day, values=MappingProxyType(dict(values))),
        earlier=tuple(sorted(earlier, key=lambda visit: visit.day)),
        age_years=age_years,
    )
    found = [finding for rule in _RULES for finding in rule(case)]
    return tuple(sorted(found, key=lambda finding: finding.level))  # "error" before "warning"; else as they came


def judge_visits(visits: Sequence[RecordedVisit], *, age_years: float | None = None) -> tuple[tuple[Finding, ...], ...]:
    """Judge every visit of a patient with what came before it; the findings come in the order of `visits`."""
    return tuple(
        judge_record(
            visit.values,
            day=visit.day,
            age_years=age_years,
            earlier=[other for other in visits if other.day < visit.day],
        )
        for visit in visits
    )


RULE_NUMBERS = (
    *("2", "8", "12", "13", "14", "15", "16", "17", "20", "22", "25", "26", "27", "30"),
    *("own-1", "own-2", "own-3", "own-4"),
)
"""Rules that findings name, beside "ask-" and a field for an unusual number of it."""

_Rule = Callable[[_Case], tuple[Finding, ...]]


def _finding(number: str, level: Level, field: str, **parts: Words | str) -> tuple[Finding, ...]:
    return (Finding(rule=number, level=level, field=field, message=FINDINGS[number].filled(**parts)),)


def _asked_about_unusual_numbers(case: _Case) -> tuple[Finding, ...]:
    """Rules 2 (neutrophils) and 8 (protein), and the ask limits of the other fields."""
    numbers = {"neutrophils": "2", "csf_protein": "8"}
    found: list[Finding] = []
    for known in all_fields():
        value = case.given(known.name)
        if value is None or value.number is None or known.limits is None or not _is_unusual(value.number, known.limits):
            continue
        message = FINDINGS["ask"].filled(
            field=known.label,
            number=f"{value.comparator}{written_number(value.number)}",
            unit=known.unit,
            low=written_number(_or(known.limits.ask_low, known.limits.low)),
            high=written_number(_or(known.limits.ask_high, known.limits.high)),
            units=", ".join(known.units),
        )
        rule = numbers.get(known.name, f"ask-{known.name}")
        found.append(Finding(rule=rule, level="warning", field=known.name, message=message))
    return tuple(found)


def _is_unusual(number: float, limits: Limits) -> bool:
    return not _or(limits.ask_low, limits.low) <= number <= _or(limits.ask_high, limits.high)


def _or(limit: float | None, otherwise: float) -> float:
    return otherwise if limit is None else limit


def _rule_12_maintenance_before_remission(case: _Case) -> tuple[Finding, ...]:
    if case.latest("leukaemia_type") != "ALL" or case.now("treatment_phase") != "maintenance":
        return ()
    remission = case.day("first_remission_day")
    if remission is not None and remission <= case.visit.day:
        return ()  # on the day of remission too
    reached_before = case.before("remission_status", "remission")
    if remission is not None or (case.now("remission_status") == "not_reached" and not reached_before):
        return _finding("12", "error", "treatment_phase")
    return ()


def _rule_13_transplant_before_diagnosis(case: _Case) -> tuple[Finding, ...]:
    return _before_diagnosis(case, "13", "transplant_day")


def _rule_14_remission_before_diagnosis(case: _Case) -> tuple[Finding, ...]:
    return _before_diagnosis(case, "14", "first_remission_day")


def _before_diagnosis(case: _Case, number: str, name: str) -> tuple[Finding, ...]:
    diagnosis, event = case.day("leukaemia_diagnosis_day"), case.day(name)
    said_now = case.given("leukaemia_diagnosis_day") or case.given(name)
    if not said_now or diagnosis is None or event is None or event >= diagnosis:
        return ()
    return _finding(number, "error", name, day=str(event), diagnosis=str(diagnosis))


def _rule_15_relapse_without_remission(case: _Case) -> tuple[Finding, ...]:
    relapse = case.now("remission_status") == "relapse" or case.now("treatment_phase") == "relapse_therapy"
    if not relapse or case.group("leukaemia_type") != "acute":
        return ()
    remission = case.so_far("first_remission_day")
    known = remission is not None and (remission.days is None or remission.days <= case.visit.day)
    if known or case.before("remission_status", "remission"):
        return ()  # also where the day is said to be unknown
    return _finding("15", "error", "first_remission_day")


def _rule_16_visit_before_first_examination(case: _Case) -> tuple[Finding, ...]:
    return _finding("16", "error", "visit", day=str(case.visit.day)) if case.visit.day < 0 else ()


def _rule_17_visit_after_death(case: _Case) -> tuple[Finding, ...]:
    deaths = [death for visit in case.earlier if (death := _death_said_at(visit)) is not None]
    if deaths and min(deaths) < case.visit.day:
        return _finding("17", "error", "visit", day=str(case.visit.day), death=str(min(deaths)))
    said_now = case.now("death_day")
    if not isinstance(said_now, int):
        return ()
    after = [visit.day for visit in case.earlier if visit.day > said_now and _says_anything(visit.values)]
    if not after:
        return ()
    message = FINDINGS["17-death"].filled(day=str(after[0]), death=str(said_now))
    return (Finding(rule="17", level="error", field="death_day", message=message),)


def _death_said_at(visit: RecordedVisit) -> int | None:
    """The day of death that a visit tells of: the day given, else its own if it says that the patient died."""
    given = visit.values.get("death_day")
    if given is not None and given.days is not None:
        return given.days
    return visit.day if _says_dead(visit.values) else None


def _says_anything(values: Mapping[str, ClinicalValue]) -> bool:
    return any(value.missing == "" for value in values.values())


def _says_dead(values: Mapping[str, ClinicalValue]) -> bool:
    alive, outcome = values.get("alive"), values.get("outcome")
    return (alive is not None and alive.value is False) or (outcome is not None and outcome.value == "died")


def _rule_20_after_transplant_without_one(case: _Case) -> tuple[Finding, ...]:
    if case.now("treatment_phase") != "after_transplant":
        return ()
    transplant, day = case.latest("transplant"), case.day("transplant_day")
    later = day is not None and day > case.visit.day
    return _finding("20", "error", "transplant") if transplant == "none" or later else ()


def _rule_22_birth_and_age(case: _Case) -> tuple[Finding, ...]:
    if case.age_years is None:
        return ()
    diagnosis = case.now("leukaemia_diagnosis_day")
    age = case.age_years + case.visit.day / _YEAR_DAYS
    if not 0 <= age <= _OLDEST_YEARS:
        return _finding("22", "error", "birth_date", age=written_number(round(age, 1)))
    if isinstance(diagnosis, int) and diagnosis < -(case.age_years + 1) * _YEAR_DAYS:  # age may be whole years
        message = FINDINGS["22-diagnosis"].filled(day=str(diagnosis))
        return (Finding(rule="22", level="error", field="leukaemia_diagnosis_day", message=message),)
    return ()


def _rule_25_proven_on_serum_antigen(case: _Case) -> tuple[Finding, ...]:
    proven = case.now("evidence_level") == "proven" and case.latest("cause_basis") == "serum_antigen"
    return _finding("25", "error", "evidence_level") if proven else ()


def _rule_26_fungal_level_on_another_cause(case: _Case) -> tuple[Finding, ...]:
    group, level = case.group("cause"), case.now("evidence_level")
    if group in ("", "fungus", "mixed", "not_identified") or level in (None, "none"):
        return ()
    return _finding("26", "error", "evidence_level")


def _rule_27_possible_with_mycological_evidence(case: _Case) -> tuple[Finding, ...]:
    """In serum, and a warning: the list names lavage fluid, and the cut-off for serum is not confirmed yet."""
    value = case.given("galactomannan_serum")
    mycological = value is not None and (value.number or 0) >= _MYCOLOGICAL_GALACTOMANNAN and value.comparator != "<"
    possible = case.now("evidence_level") == "possible" and case.latest("cause") in (None, "aspergillus")
    return _finding("27", "warning", "evidence_level") if mycological and possible else ()


def _rule_30_radiation_injury_without_radiation(case: _Case) -> tuple[Finding, ...]:
    if case.now("cause") != "radiation_injury":
        return ()
    names = ("radiation", "cns_prophylaxis")
    recorded = any(case.group(name) == "radiation" or case.before(name, "radiation") for name in names)
    return () if recorded else _finding("30", "warning", "radiation")


def _own_1_died_but_alive(case: _Case) -> tuple[Finding, ...]:
    contradicts = case.now("outcome") == "died" and case.now("alive") is True
    return _finding("own-1", "error", "alive") if contradicts else ()


def _own_2_transplant_and_its_day(case: _Case) -> tuple[Finding, ...]:
    contradicts = case.now("transplant") == "none" and case.day("transplant_day") is not None
    return _finding("own-2", "error", "transplant") if contradicts else ()


def _own_3_alive_on_the_day_of_death(case: _Case) -> tuple[Finding, ...]:
    death = case.day("death_day")
    contradicts = case.now("alive") is True and death is not None and death <= case.visit.day
    return _finding("own-3", "error", "death_day", death=str(death)) if contradicts else ()


def _own_4_dead_before_the_day_of_death(case: _Case) -> tuple[Finding, ...]:
    death = case.day("death_day")
    contradicts = _says_dead(case.visit.values) and death is not None and death > case.visit.day
    if not contradicts:
        return ()
    return _finding("own-4", "error", "death_day", day=str(case.visit.day), death=str(death))


_RULES: tuple[_Rule, ...] = (
    _asked_about_unusual_numbers,
    _rule_12_maintenance_before_remission,
    _rule_13_transplant_before_diagnosis,
    _rule_14_remission_before_diagnosis,
    _rule_15_relapse_without_remission,
    _rule_16_visit_before_first_examination,
    _rule_17_visit_after_death,
    _rule_20_after_transplant_without_one,
    _rule_22_birth_and_age,
    _rule_25_proven_on_serum_antigen,
    _rule_26_fungal_level_on_another_cause,
    _rule_27_possible_with_mycological_evidence,
    _rule_30_radiation_injury_without_radiation,
    _own_1_died_but_alive,
    _own_2_transplant_and_its_day,
    _own_3_alive_on_the_day_of_death,
    _own_4_dead_before_the_day_of_death,
)
