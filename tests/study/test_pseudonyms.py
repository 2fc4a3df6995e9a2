"""Stand-ins: stable, keyed, and silent about what they stand for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortex.study.pseudonyms import Pseudonyms

ONE, OTHER = Pseudonyms(b"a" * 32), Pseudonyms(b"b" * 32)
UIDS = st.from_regex(r"1\.2(\.[1-9][0-9]{0,8}){1,5}", fullmatch=True)


@given(original=UIDS)
def test_a_uid_has_one_valid_stand_in_that_only_the_key_gives(original):
    stand_in = ONE.uid(original)
    assert stand_in == Pseudonyms(b"a" * 32).uid(original + "\0")
    assert stand_in.startswith("2.25.")
    assert len(stand_in) <= 64
    assert stand_in != OTHER.uid(original)
    assert original not in stand_in


@given(one=UIDS, other=UIDS)
def test_two_uids_have_two_stand_ins(one, other):
    assert (ONE.uid(one) == ONE.uid(other)) == (one == other)


def test_an_empty_uid_has_none():
    with pytest.raises(ValueError, match="empty UID"):
        ONE.uid(" \0")


@given(patient=st.text(min_size=1))
def test_the_days_of_a_patient_are_always_the_same_and_never_none(patient):
    assert -3650 <= ONE.day_shift(patient) <= -1
    assert ONE.day_shift(patient) == Pseudonyms(b"a" * 32).day_shift(patient)


def test_patients_are_shifted_differently():
    shifts = [ONE.day_shift(f"patient {n}") for n in range(400)]
    assert len(set(shifts)) > 350
    assert min(shifts) < -3000
    assert max(shifts) > -600


def test_nobody_has_no_day_shift():
    with pytest.raises(ValueError, match="no patient"):
        ONE.day_shift("")


@pytest.mark.parametrize("written", ["mrn 42 137", " MRN  42 137 ", "MRN 42 137\0", "mrn\t42 137"])
def test_a_hospital_number_is_recognised_however_it_is_written(written):
    assert ONE.patient_hash("C1", written) == ONE.patient_hash("C1", "MRN 42 137")


def test_a_hospital_number_is_another_person_in_another_centre_and_study():
    hashes = {ONE.patient_hash("C1", "42137"), ONE.patient_hash("C2", "42137"), OTHER.patient_hash("C1", "42137")}
    assert len(hashes) == 3


def test_no_part_of_one_entry_passes_into_the_next():
    assert ONE.patient_hash("C1", "1 42137") != ONE.patient_hash("C11", "42137")


@pytest.mark.parametrize(
    "number", ["", "  ", "ANONYMOUS", "anonymized", "0000", "unknown", "XXX", "Sconosciuto", "n a"]
)
def test_what_names_nobody_is_nobody(number):
    assert ONE.patient_hash("C1", number) is None
    assert ONE.person_hash("C1", number) is None


def test_the_parts_of_a_name_count_in_any_order_without_accents():
    assert ONE.person_hash("C1", "ROSSÌ^Maria^^") == ONE.person_hash("C1", "maria rossi")


def test_kinds_of_stand_ins_cannot_be_compared():
    assert ONE.person_hash("C1", "42137") != ONE.patient_hash("C1", "42137")


def test_a_short_secret_is_refused():
    with pytest.raises(ValueError, match="31 bytes; give at least 32"):
        Pseudonyms(b"s" * 31)


def test_the_secret_is_not_shown():
    assert "aaaa" not in repr(ONE)
    assert "aaaa" not in str(ONE)


def test_a_word_has_a_stand_in_of_the_size_of_a_coded_entry():
    assert ONE.word("WATERX") == ONE.word("WATERX") != ONE.word("FATX")
    assert len(ONE.word("a word of any length")) == 7
