"""Results: what they say, their bytes, and what lies at a point."""

from __future__ import annotations

import hashlib
import io
import zipfile

import pytest

from cohortex.study.database import THE_STUDY
from cohortex.study.database.tables import Result, Series, now


@pytest.fixture
def mine(filled):
    return filled.centres["AA"]


def test_a_result_shows_its_record_files_and_lesions(anna, mine):
    found = anna.get(f"/api/results/{mine.results['visit']}").json()
    assert (found["kind"], found["current"], found["visit"]) == ("visit", True, mine.visits[0])
    assert found["record"]["headline"] == found["headline"]
    assert found["lesions"][0] == {
        "label": 1, "visit": mine.visits[0], "volume_ml": 0.5, "place": "planted-aa", "centroid_mm": [1, 2, 3],
        "template_mm": [5, 0, 9],
    }  # fmt: skip
    assert {file["kind"] for file in found["files"]} == {"image", "transform", "report"}  # no sidecars
    assert "aligned_brain" not in found["summary"]


def test_an_event_lies_at_its_largest_part_halfway_between_the_visits(anna, mine):
    found = anna.get(f"/api/results/{mine.results['comparison']}").json()
    grown, gone = found["events"]
    assert found["visits"] == mine.visits
    assert grown["midway_mm"] == pytest.approx([2 - 4, 2 + 2, 2 - 6])  # the follow-up's largest, moved back
    assert gone["midway_mm"] == pytest.approx([1 - 4, 2 + 2, 3 - 6])  # nothing is left: where it was
    assert [lesion["visit"] for lesion in found["lesions"]] == [mine.visits[0], mine.visits[1], mine.visits[1]]


def test_bytes_never_change_and_are_kept_by_the_browser(anna, mine):
    url = f"/api/results/{mine.results['visit']}/files/FLAIR_corrected.nii.gz"
    whole = anna.get(url)
    assert whole.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert whole.headers["etag"] == f'"{hashlib.sha256(whole.content).hexdigest()}"'
    again = anna.get(url, headers={"If-None-Match": whole.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    part = anna.get(url, headers={"Range": "bytes=2-9"})
    assert (part.status_code, part.content) == (206, whole.content[2:10])
    assert anna.get(url, headers={"Range": "bytes=999999999-"}).status_code == 416


def test_a_file_that_is_not_there_is_said_so_and_no_name_leads_out(anna, mine):
    for name in ("nothing.nii.gz", "../../../study.db", "%2e%2e/%2e%2e/study.db"):
        assert anna.get(f"/api/results/{mine.results['visit']}/files/{name}").status_code == 404


def test_lost_bytes_are_said_to_be_lost(anna, mine, filled):
    with filled.study.session(THE_STUDY) as session:
        sha256 = session.get_one(Result, mine.results["visit"]).files["FLAIR_corrected.nii.gz"]["sha256"]
    filled.study.objects.address(sha256).unlink()
    reply = anna.get(f"/api/results/{mine.results['visit']}/files/FLAIR_corrected.nii.gz")
    assert reply.status_code == 503
    assert "backup" in reply.json()["error"]["message"]


def test_the_report_runs_no_script_and_keeps_its_own_policy(anna, mine):
    reply = anna.get(f"/api/results/{mine.results['visit']}/report")
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    policy = reply.headers["content-security-policy"]
    assert "sandbox" in policy
    assert "script" not in policy
    assert anna.get(f"/api/results/{mine.results['visit']}/report.json").json()["headline"].startswith("planted")


def test_the_value_at_a_point_is_that_of_the_nearest_voxel(anna, mine):
    at = {"file": "FLAIR_corrected.nii.gz", "x": 5.2, "y": 4.0, "z": 3.0}
    found = anna.get(f"/api/results/{mine.results['visit']}/value", params=at).json()
    assert found == {
        "value": 6.0,
        "unit": "arbitrary",
        "index": [3, 2, 1],
        "inside": True,
    }  # the image holds its world x
    halfway = anna.get(f"/api/results/{mine.results['visit']}/value", params={**at, "x": 5.0}).json()
    assert halfway["index"] == [2, 2, 1]  # a tie goes to the lower index
    outside = anna.get(f"/api/results/{mine.results['visit']}/value", params={**at, "x": -40}).json()
    assert (outside["inside"], outside["value"]) == (False, None)


@pytest.mark.parametrize(
    ("change", "status"),
    [({"file": "report.html"}, 422), ({"file": "nothing"}, 404), ({"x": "nan"}, 422), ({"x": 1e9}, 422)],
)
def test_a_point_or_file_that_has_no_value_is_refused(anna, mine, change, status):
    at = {"file": "FLAIR_corrected.nii.gz", "x": 5.2, "y": 4.0, "z": 3.0, **change}
    assert anna.get(f"/api/results/{mine.results['visit']}/value", params=at).status_code == status


@pytest.mark.parametrize("kind", ["visit", "comparison", "deviation"])
def test_a_point_is_brought_to_the_template_and_back(anna, mine, kind):
    url = f"/api/results/{mine.results[kind]}/place"
    there = anna.get(url, params={"from": "native", "x": 4, "y": 6, "z": 6}).json()
    assert there["template_mm"] == pytest.approx([8, 4, 12], abs=1e-4)
    back = anna.get(url, params={"from": "template", "x": 8, "y": 4, "z": 12}).json()
    assert back["native_mm"] == pytest.approx([4, 6, 6], abs=1e-4)
    assert back["words"] == there["words"] != ""


def test_a_point_of_a_visit_the_result_is_not_about_is_refused(anna, mine, filled):
    at = {"from": "native", "x": 4, "y": 6, "z": 6, "visit": filled.centres["BB"].visits[0]}
    reply = anna.get(f"/api/results/{mine.results['visit']}/place", params=at)
    assert reply.status_code == 404
    at["visit"] = "nothing"
    assert anna.get(f"/api/results/{mine.results['visit']}/place", params=at).json() == reply.json()


def test_a_series_comes_as_a_zip_of_its_stored_files(anna, mine):
    reply = anna.get(f"/api/series/{mine.series}/dicom")
    with zipfile.ZipFile(io.BytesIO(reply.content)) as archive:
        assert archive.testzip() is None
        assert [archive.read(name) for name in archive.namelist()] == [b"DICM planted-aa"]


def test_a_withdrawn_series_is_given_no_more(anna, mine, filled):
    with filled.study.session(THE_STUDY, writes=True) as session, session.begin():
        session.get_one(Series, mine.series).withdrawn_at = now()
    assert anna.get(f"/api/series/{mine.series}/dicom").status_code == 409


def test_an_older_result_stays_readable_and_names_what_took_its_place(anna, mine, filled):
    with filled.study.session(THE_STUDY, writes=True) as session, session.begin():
        older = session.get_one(Result, mine.results["deviation"])
        older.stale_at, older.superseded_by = now(), mine.results["visit"]
    found = anna.get(f"/api/results/{mine.results['deviation']}").json()
    assert (found["current"], found["superseded_by"]) == (False, mine.results["visit"])
    assert found["template_version"] == 1
