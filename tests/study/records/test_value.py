from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortex.study.records.fields import all_fields, field
from cohortex.study.records.number_text import read_number, shown, unit_named, written_number
from cohortex.study.records.value import ClinicalValue, RecordProblem, parse_value, value_text

NUMBERS = [known for known in all_fields() if known.kind == "number"]


@pytest.mark.parametrize(
    ("name", "typed", "number", "comparator"),
    [
        ("crp", "12 mg/L", 12.0, ""),
        ("crp", "0.7 mg/dL", 7.0, ""),
        ("crp", "<0,6 mg/L", 0.6, "<"),
        ("crp", "< 0.6 mg/l", 0.6, "<"),
        ("neutrophils", "0 10*9/L", 0.0, ""),
        ("neutrophils", "480/µL", 0.48, ""),
        ("neutrophils", "1.250 ×10⁹/L", 1.25, ""),
        ("platelets", "150000/mm3", 150.0, ""),
        ("platelets", "3 G/L", 3.0, ""),
        ("platelets", "1900 x10^9/L", 1900.0, ""),
        ("csf_protein", "45 mg/dL", 0.45, ""),
        ("csf_protein", "0.02 g/L", 0.02, ""),
        ("csf_cells", "12 10*6/L", 12.0, ""),
        ("galactomannan_serum", "12.3", 12.3, ""),
        ("galactomannan_serum", "0,5 index", 0.5, ""),
    ],
)
def test_a_number_is_read_as_laboratories_write_it_and_converted_exactly(name, typed, number, comparator):
    value = parse_value(name, typed)
    assert (value.value, value.unit, value.comparator) == (number, field(name).unit, comparator)


def test_a_number_and_its_unit_may_come_apart():
    value = parse_value("crp", {"value": 0.7, "unit": "mg/dL", "comparator": ">"})
    assert (value.value, value.unit, value.comparator) == (7.0, "mg/L", ">")


@pytest.mark.parametrize(
    ("name", "typed", "message"),
    [
        ("crp", "12", r"12 has no unit\. Give the unit, one of: mg/L"),
        ("crp", "1200 mg/L", "1200 mg/L is outside 0 to 1000 mg/L"),
        ("crp", "5 {index}", "the unit .* is not accepted"),
        ("crp", "12 mmol/L", "not accepted"),
        ("crp", "<= 5 mg/L", "<= is not a comparator"),
        ("crp", "<0 mg/L", "outside"),
        ("crp", "2e3 mg/L", "not a number"),
        ("crp", "1-2 mg/L", "not a number"),
        ("crp", "1.2.3 mg/L", "not a number"),
        ("crp", True, "not a number"),
        ("crp", float("nan"), "not a number"),
        ("crp", [1], "not a number"),
        ("crp", {"value": "<5", "comparator": ">", "unit": "mg/L"}, "not a comparator"),
        ("crp", {"value": "5 mg/L", "unit": "mg/dL"}, "two units that differ"),
        ("crp", {"value": 5, "size": 3}, "has no part"),
        ("crp", {"value": 5, "unit": "mg/L", "missing": "unknown"}, "a value and a reason"),
        ("crp", {"missing": "on_holiday"}, "is no reason"),
        ("crp", "", "nothing is given"),
        ("crp", None, "nothing is given"),
        ("platelets", "150000 10*9/L", "outside 0 to 5000"),
        ("platelets", "150.000 /uL", r"may be 150\.000 or 150000"),
        ("platelets", "150,000 /uL", r"may be 150\.000 or 150000"),
        ("neutrophils", {"value": -0.1, "unit": "10*9/L"}, r"-0\.1 10\*9/L is outside"),
        ("galactomannan_serum", "240", "outside 0 to 25"),
        ("cause", "9606", "9606 is none of the choices"),
        ("cause", {"value": "candida", "unit": "g"}, "it has no unit"),
        ("cause", {"value": "candida", "comparator": "<"}, "not a comparator"),
        ("cause", {"value": "candida", "code": "99"}, "99 is none of the choices"),
        ("cause", {"value": "Mycoplasma", "code": "5052"}, "none of the choices"),
        ("cause", 5.5, "none of the choices"),
        ("leukaemia_type", {"value": "AML", "code": "C91.0"}, r"code C91\.0 does not mean acute myeloid"),
        ("leukaemia_type", {"value": "not_done"}, "is no reason"),
        ("transplant_day", "soon", "not a number of days"),
        ("transplant_day", "2.5", "not a number of days"),
        ("transplant_day", "2024-03-01", "first examination is not known here"),
        ("transplant_day", "99999", "outside -43830 to 36525"),
        ("alive", "perhaps", "neither yes nor no"),
    ],
)
def test_what_a_field_does_not_take_is_refused_with_what_to_do(name, typed, message):
    with pytest.raises(RecordProblem, match=message) as caught:
        parse_value(name, typed)
    assert caught.value.field == name
    assert caught.value.remedy.en.endswith(".")
    assert caught.value.message.it != caught.value.message.en


def test_a_date_that_does_not_exist_is_refused():
    with pytest.raises(RecordProblem, match="not a number of days"):
        parse_value("transplant_day", "2024-02-31", first_examination=date(2024, 3, 1))


@pytest.mark.parametrize(
    ("name", "typed", "stored"),
    [
        ("leukaemia_type", "aml", "AML"),
        ("leukaemia_type", "C92.4", "AML"),
        ("leukaemia_type", "ICD-10 C91.0", "ALL"),
        ("leukaemia_type", 91857003, "ALL"),
        ("leukaemia_type", {"code": "91861009"}, "AML"),
        ("leukaemia_type", {"value": "AML", "code": "C92.5"}, "AML"),
        ("cause", "NCBI Taxonomy 5052", "aspergillus"),
        ("cause", "JC polyomavirus", "jc_virus"),
        ("treatment_phase", "Dopo il trapianto", "after_transplant"),
        ("transplant_day", "-400", -400),
        ("transplant_day", "−400", -400),
        ("transplant_day", 12.0, 12),
        ("alive", "sì", True),
        ("alive", "No", False),
        ("alive", False, False),
    ],
)
def test_choices_days_and_answers_are_read(name, typed, stored):
    assert parse_value(name, typed).value == stored


def test_a_date_becomes_days_from_the_first_examination():
    value = parse_value("transplant_day", "2023-01-31", first_examination=date(2024, 3, 6))
    assert value.days == -400


@pytest.mark.parametrize("typed", ["not_done", "not done", "non eseguito", {"missing": "not_done"}])
def test_a_reason_stands_for_a_missing_value(typed):
    value = parse_value("crp", typed)
    assert (value.value, value.missing) == (None, "not_done")


def test_a_value_is_never_both_there_and_missing():
    for wrong in ({"value": 1.0, "missing": "unknown"}, {}):
        with pytest.raises(ValueError, match="and not both"):
            ClinicalValue(field="crp", **wrong)


@pytest.mark.parametrize("name", ["Rossi", "Mario Rossi", "12/03/1985", "RSSMRA85C12H501X", "0012345678", "120385"])
def test_a_message_never_repeats_what_may_be_a_person(name):
    for known in all_fields():
        with pytest.raises(RecordProblem) as caught:
            parse_value(known, name)
        said = f"{caught.value} {caught.value.message.it} {caught.value.remedy.it}"
        assert name not in said
        assert name not in str(shown({"value": name}).en)


@pytest.mark.parametrize("typed", ["C91.0", "9606", "<0.6", "-0.1 g/L", "150000", "480 10*9/L"])
def test_a_message_shows_what_looks_like_a_code_or_a_number(typed):
    assert shown(typed).en == typed


@pytest.mark.parametrize(
    ("value", "english", "italian"),
    [
        (ClinicalValue(field="crp", value=0.6, unit="mg/L", comparator="<"), "< 0.6 mg/L", "< 0,6 mg/L"),
        (ClinicalValue(field="galactomannan_serum", value=12.3, unit="{index}"), "12.3", "12,3"),
        (ClinicalValue(field="transplant_day", value=-30), "day -30", "giorno -30"),
        (ClinicalValue(field="alive", value=True), "yes", "sì"),
        (ClinicalValue(field="cns_disease", value="CNS1"), "CNS1: no blasts", "SNC1: nessun blasto"),
        (ClinicalValue(field="crp", missing="refused"), "refused", "rifiutato"),
    ],
)
def test_a_value_is_said_in_words(value, english, italian):
    assert value_text(value) == english
    assert value_text(value, "it") == italian


@pytest.mark.parametrize("known", NUMBERS, ids=lambda known: known.name)
@given(data=st.data())
def test_a_stored_number_is_read_back_to_the_bit(known, data):
    limits = known.limits
    number = data.draw(st.floats(limits.low, limits.high, allow_subnormal=False))
    comparator = data.draw(st.sampled_from(["", ">"]))
    value = ClinicalValue(field=known.name, value=abs(number), unit=known.unit, comparator=comparator)
    assert parse_value(known, value.to_json()) == value
    assert parse_value(known, f"{comparator}{written_number(abs(number))} {known.unit}") == value


@given(st.floats(0, 1e6, allow_subnormal=False))
def test_a_written_number_has_one_reading(number):
    read = read_number(written_number(number))
    assert read is not None
    assert float(read.number) == number
    assert read.thousands is None


def test_a_gram_is_not_a_giga():
    assert unit_named("G/L", ["g/L"]) is None
    assert unit_named("g/l", ["10*9/L", "g/L"]) == "g/L"
