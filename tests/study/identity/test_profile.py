"""Table E.1-1 of PS3.15 as judge: of every attribute of the basic profile no value is left but by a written reason."""

import csv
import re
from pathlib import Path

import pytest
from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from cohortex.study.identity import deidentify
from cohortex.study.identity.attributes import ALLOWED, REASON_OF
from cohortex.study.identity.private import SAFE_PRIVATE

PLANTED = {
    "PN": "ROSSIX^MARIAX", "DA": "19610413", "TM": "041958", "DT": "19610413041958", "UI": "1.2.826.19610413",
    "AS": "061Y", "IS": "19610413", "DS": "1961.0413", "UR": "http://rossix.example/mariax",
}  # fmt: skip


def rows(standards):
    with (standards / "dicom_ps3_15_table_e1_1_2024e.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            found = re.fullmatch(r"\(([0-9A-F]{4}),([0-9A-F]{4})\)", row["tag"])
            if not found or not keyword_for_tag(int(found[1] + found[2], 16)):
                continue  # repeating groups and private tags are tested by themselves
            yield int(found[1] + found[2], 16), row


def planted(tag):
    vr = dictionary_VR(tag).split(" or ")[0]
    if vr == "SQ":
        item = Dataset()
        item.PatientName = item.TextValue = "ROSSIX^MARIAX"
        item.UID = "1.2.826.19610413"
        return vr, Sequence([item])
    if vr in ("OB", "OW", "UN", "OF", "OD", "OL"):
        return vr, b"ROSSIX^MARIAX ^ "
    if vr in ("US", "SS"):
        return vr, 1961
    if vr in ("UL", "SL", "FL", "FD"):
        return vr, 19610413
    return vr, PLANTED.get(vr, "ROSSIX MARIAX")


def test_every_attribute_of_the_profile_is_taken_out_or_kept_for_a_reason(
    standards, dicom_object, pseudonyms, bytes_of
):
    dataset, tags = dicom_object(), []
    for tag, _ in rows(standards):
        if tag >> 16 in (0x0000, 0x0002, 0x0004, 0x7FE0) or keyword_for_tag(tag) in ("SOPInstanceUID",):
            continue
        if keyword_for_tag(tag) in ("EncapsulatedDocument", "SeriesInstanceUID", "StudyInstanceUID"):
            continue
        vr, value = planted(tag)
        dataset.add_new(tag, vr, value)
        tags.append(tag)
    assert len(tags) > 500
    made = deidentify(dataset, pseudonyms=pseudonyms, patient_code="C1-0007", day_shift=-123)
    left = {keyword_for_tag(tag) for tag in tags if tag in made.dataset}
    written = {"PatientName", "PatientID", "PatientBirthDate", "StudyID", "AccessionNumber", "ReferringPhysicianName",
               "StudyTime"}  # fmt: skip
    assert left - written <= set(REASON_OF)
    for keyword in left - written:
        vr = dictionary_VR(made.dataset[keyword].tag)
        if vr not in ("AS", "TM"):  # kept as they are, for a reason: ages, and times of day beside shifted dates
            assert str(made.dataset[keyword].value) != str(dataset[keyword].value), keyword
    content = bytes_of(made.dataset)
    for text in ("ROSSIX", "MARIAX", "19610413", "1.2.826", "rossix"):
        for encoding in ("utf-8", "utf-16-le"):
            assert text.encode(encoding) not in content


def test_attributes_of_the_profile_that_stay_are_covered_by_an_option(standards):
    """What the basic profile removes stays only where an option that the object names allows it, or as a new value."""
    allowed = {"cleanDescOpt", "rtnLongModifDatesOpt", "rtnPatCharsOpt"}
    uncovered = []
    for tag, row in rows(standards):
        keyword = keyword_for_tag(tag)
        if keyword not in REASON_OF or "U" in row["basicProfile"]:
            continue
        if not any(row[option] for option in allowed):
            uncovered.append(keyword)
    assert uncovered == []


@pytest.mark.parametrize("tag", [0x50000005, 0x50003000, 0x60000022, 0x60003000, 0x60004000, 0x60FE3000])
def test_repeating_groups_of_the_profile_go(tag, dicom_object, pseudonyms, bytes_of):
    dataset = dicom_object()
    dataset.add_new(tag, "OB", b"ROSSIX^MARIAX ^ ")
    made = deidentify(dataset, pseudonyms=pseudonyms, patient_code="C1-0007", day_shift=-123)
    assert b"ROSSIX" not in bytes_of(made.dataset)


def test_every_kept_attribute_has_a_reason():
    assert all(len(reason) > 20 for reason in REASON_OF.values())


def test_the_document_lists_everything_that_is_kept():
    text = (Path(__file__).parents[3] / "docs" / "identity.md").read_text(encoding="utf-8")
    attributes, private = text.split("## Private elements")
    listed = set(re.findall(r"\b[A-Za-z0-9]*[A-Z][A-Za-z0-9]+\b", attributes))
    assert set(REASON_OF) <= listed
    assert all(kept.reason[1:] in attributes for kept in ALLOWED)
    for safe in SAFE_PRIVATE:
        row = next(line for line in private.splitlines() if safe.creator in line and safe.reason in line)
        assert f"{safe.element:02X}" in row
