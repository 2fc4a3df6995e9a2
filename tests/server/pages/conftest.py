"""Answers of the JSON API in small, for tests of what pages make of them."""

from __future__ import annotations

from typing import Any

import pytest

HOSTILE = "<script>alert(1)</script>\" onclick='x"


def brief(identifier: int, kind: str, visits: list[int], **changes: Any) -> dict[str, Any]:
    return {
        "id": identifier,
        "kind": kind,
        "visit": visits[-1],
        "visits": visits,
        "template_version": 3,
        "made_at": f"2024-03-{identifier:02d}T08:00:00Z",
        "current": True,
        "superseded_by": None,
        "headline": f"headline {identifier}",
        "summary": {"lesion_count": 2, "lesion_volume_ml": 5.0, "event_counts": {"new": 1, "grown": 1}},
    } | changes


def file(title: str, kind: str, space: str, visit: int | None, **changes: Any) -> dict[str, Any]:
    url = f"/api/results/0/files/{title}"
    return {
        "name": title,
        "title": title,
        "kind": kind,
        "space": space,
        "visit": visit,
        "size": 9,
        "url": url,
        "preview_url": None,
        "unit": None,
        "range": None,
    } | changes


def lesion(label: int, visit: int, centroid_mm: list[float], template_mm: list[float] | None) -> dict[str, Any]:
    return {
        "label": label,
        "visit": visit,
        "volume_ml": 2.5,
        "place": "left frontal lobe",
        "centroid_mm": centroid_mm,
        "template_mm": template_mm,
    }


def upload(state: str, **changes: Any) -> dict[str, Any]:
    verdict = {
        "series": 5,
        "modality": "MR",
        "contrast": "FLAIR",
        "description": HOSTILE,
        "instances": 30,
        "shape": [9, 9, 9],
        "spacing_mm": [1, 1, 1],
        "verdict": "accepted",
        "reason": None,
        "remedy": None,
    }
    return {
        "id": f"u-{state}",
        "visit": 11,
        "patient": "C1-0001",
        "uploader": {"name": HOSTILE},
        "size": 12_000_000,
        "offset": 12_000_000,
        "state": state,
        "received_at": "2024-03-02T08:00:00Z",
        "receipt": "sha-0123456789abcdef",
        "reason": None,
        "remedy": None,
        "question": None,
        "suspected_patient": None,
        "verdicts": [verdict],
    } | changes


def step(action: str, **changes: Any) -> dict[str, Any]:
    at = "2024-03-02T08:00:00Z"
    return {"at": at, "who": "Anna", "by_the_study": False, "action": action, "detail": "one"} | changes


def series(contrast: str, description: str) -> dict[str, Any]:
    return {
        "id": 5,
        "upload": "u-1",
        "modality": "MR",
        "contrast": contrast,
        "description": description,
        "instances": 30,
        "shape": [9, 9, 9],
        "spacing_mm": [1, 1, 1],
    }


def visit(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": 10 + number,
        "patient": "C1-0001",
        "number": number,
        "kind": "first" if number == 1 else "follow-up",
        "date": f"2024-0{number}-05",
        "day": 31 * (number - 1),
        "age": 34.96,
        "uploader": {"name": "Anna"},
        "record": {"complete": 4, "of": 16},
        "series": [series("T1", "AX T1"), series("FLAIR", "AX FLAIR")],
        "uploads": [],
        "results": [],
        "status": "ready",
    } | changes


@pytest.fixture
def who() -> dict[str, Any]:
    return {
        "login": "anna",
        "name": "Anna",
        "role": "coordinator",
        "language": "en",
        "centre": {"code": "C1", "name": HOSTILE},
        "study": {"name": HOSTILE, "version": "1"},
    }


@pytest.fixture
def patient() -> dict[str, Any]:
    held = upload("held", question="other-patient", reason="PatientID differs.", suspected_patient="C1-0009")
    old = brief(3, "deviation", [12], current=False, superseded_by=5)
    return {
        "code": "C1-0001",
        "sex": "F",
        "age_at_first": 34.96,
        "centre": {"code": "C1", "name": "Centre"},
        "uploader": {"name": "Anna"},
        "template_version": 3,
        "visits": [
            visit(1, results=[brief(1, "visit", [11])]),
            visit(
                2,
                results=[brief(2, "visit", [12]), old],
                uploads=[held, upload("committed"), upload("refused", reason="Not a zip.", remedy="Send a zip.")],
                status="attention",
            ),
        ],
        "comparisons": [brief(4, "comparison", [11, 12])],
        "deviation": brief(5, "deviation", [12]),
        "trace": [
            step("upload refused", detail="twice"),
            step("upload held", by_the_study=True),
            step("upload received", detail=HOSTILE),
        ],
    }


@pytest.fixture
def details(patient) -> dict[int, dict[str, Any]]:
    def of_visit(identifier: int, number: int, shift_mm: float) -> dict[str, Any]:
        place = [10.0 + shift_mm, 20.0, 30.0]
        return patient["visits"][number - 1]["results"][0] | {
            "files": [
                file("FLAIR_corrected.nii.gz", "image", "native", identifier),
                file("brain.nii.gz", "labels", "native", identifier),
                file("images/AX_T1.nii.gz", "image", "native", identifier),
                file("images/AX_FLAIR.nii.gz", "image", "native", identifier, preview_url="/preview"),
                file("lesions.nii.gz", "labels", "native", identifier),
                file("brain_template.nii.gz", "image", "template", identifier),
            ],
            "lesions": [lesion(1, identifier, place, [10.0, 20.0, 30.0])],
            "events": [],
        }

    event = {
        "number": 1,
        "event": "grown",
        "place": "left frontal lobe",
        "baseline_volume_ml": 2.5,
        "follow_up_volume_ml": 4.0,
        "change_percent": 60.0,
        "midway_mm": [1.0, 2.0, 3.0],
        "template_mm": [11.0, 20.0, 30.0],
        "baseline_labels": [1],
        "follow_up_labels": [1, 2],
    }
    new = event | {"number": 2, "event": "new", "baseline_volume_ml": None, "change_percent": None}
    new |= {"template_mm": [-60.0, -60.0, 0.0], "baseline_labels": [], "follow_up_labels": [3]}
    small = lesion(2, 12, [99.0, 0.0, 0.0], None) | {"volume_ml": 0.1}
    return {
        1: of_visit(11, 1, 0.0),
        2: of_visit(12, 2, 5.0),
        4: patient["comparisons"][0]
        | {
            "files": [
                file("baseline_common.nii.gz", "image", "midway", 11),
                file("follow_up_common.nii.gz", "image", "midway", 12),
                file("difference.nii.gz", "map", "midway", None, range=[-40, 30]),
                file("follow_up_lesions.nii.gz", "labels", "native", 12),
            ],
            "lesions": [
                lesion(1, 11, [10.0, 20.0, 30.0], [10.0, 20.0, 30.0]),
                small,
                lesion(1, 12, [15.0, 20.0, 30.0], None),
                lesion(3, 12, [-50.0, -60.0, 0.0], None),
            ],
            "events": [event, new],
        },
        5: patient["deviation"]
        | {
            "files": [file("deviation_volume.nii.gz", "map", "template", 12, range=[0, 8])],
            "lesions": [],
            "events": [],
        },
    }


@pytest.fixture
def template() -> dict[str, Any]:
    return {
        "version": 3,
        "n_patients": 6,
        "n_centres": 2,
        "released_at": "2024-02-02T08:00:00Z",
        "reason": "rule",
        "files": [file("template_mean.nii.gz", "image", "template", None, preview_url="/small")],
    }


@pytest.fixture
def study_answers(template) -> dict[str, Any]:
    row = {"label": HOSTILE, "n": 4, "share": 0.5, "low": 0.2, "high": 0.8, "hidden": False}
    point = {"visit": 1, "n": 6, "median": 3.0, "q1": 2.0, "q3": 4.0, "low": 1.0, "high": 9.0, "hidden": False}
    lived = {"day": 30, "survival": 0.8, "low": 0.6, "high": 0.9, "at_risk": 24, "deaths": 6, "hidden": False}
    late = dict.fromkeys(lived) | {"day": 90, "hidden": True}
    curve = {"value": "", "label": "All patients", "n": 30, "hidden": False, "points": [lived, late]}
    return {
        "study": {
            "name": HOSTILE,
            "centres": [{"code": "C1", "name": "Centre", "country": "IT"}],
            "rule": {"patients": 5, "centres": 2},
            "template": {key: template[key] for key in ("version", "n_patients", "n_centres", "released_at")},
            "waiting": {"patients": 1, "centres": None},
            "mine": {"patients": 3, "visits": 5, "series": 9},
        },
        "template": {"current": 3, "versions": [template]},
        "study_map": {
            "version": 3,
            "shown": True,
            "reason": None,
            "stress": 0.1,
            "n": 6,
            "template": {"x": 0.0, "y": 0.0},
            "points": [{"patient": "C1-0001", "x": 3.0, "y": 1.0, "distance_to_template": 1.5}],
            "density": {"x": [-1.0, 0.0, 1.0], "y": [-0.5, 0.5], "values": [[1, 2, 3], [4, 5, 6]]},
        },
        "statistics": {
            "shown": True,
            "reason": None,
            "made_at": "2024-02-02T08:00:00Z",
            "n_patients": 6,
            "n_centres": 2,
            "tables": [{"name": "diagnosis", "title": HOSTILE, "rows": [row, row | {"hidden": True}]}],
            "courses": [{"name": "volume", "title": "Volume", "unit": "ml", "points": [point]}],
            "least_patients": 5,
            "least_centres": 2,
            "survival": curve,
            "groupings": [
                {
                    "name": "diagnosis",
                    "title": "By leukaemia",
                    "tables": [
                        {
                            "name": "agents",
                            "title": HOSTILE,
                            "hidden": False,
                            "groups": [{"name": "ALL", "title": HOSTILE, "n": 6, "rows": [row | {"value": "vzv"}]}],
                        },
                        {"name": "outcome", "title": "Course", "hidden": True, "groups": []},
                    ],
                    "courses": [
                        {
                            "name": "volume",
                            "title": "Volume",
                            "unit": "ml",
                            "groups": [{"name": "ALL", "title": HOSTILE, "unit": "ml", "points": [point]}],
                        }
                    ],
                    "survival": [curve | {"label": HOSTILE}],
                },
                {"name": "phase", "title": "By phase", "tables": [], "courses": [], "survival": []},
            ],
        },
        "contributions": {
            "centres": [{"code": "C1", "name": HOSTILE, "patients": 3, "visits": 5, "series": 9, "complete_records": 2}]
        },
    }
