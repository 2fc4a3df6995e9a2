"""Which images stand beside each other in linked viewers: from the files of results, per space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from cohortex.server.catalogue import Catalogue, format_date

Json = Mapping[str, Any]
SHOWN_FROM = 0.2  # of a map's largest magnitude: weaker than this is noise on a screen, the file keeps it
SIGNED_FROM = 0.1  # a map is drawn with two arms when its negative one is worth a colour
LABELS_OPACITY = 0.4
MAP_OPACITY = 0.7
LARGEST_PAIR = 2


class Viewer(TypedDict):
    """What one viewer shows: the attributes of <scan-viewer>."""

    name: str
    space: str
    frame: str
    place_url: str | None
    bases: list[dict[str, Any]]
    overlays: list[dict[str, Any]]


class Scene(TypedDict):
    """Viewers that are linked: "native", "midway" or "template"."""

    id: str
    viewers: list[Viewer]


def patient_scenes(
    *,
    visits: Sequence[Json],
    visit_results: Mapping[Any, Json],
    comparison: Json | None,
    deviation: Json | None,
    template: Json | None,
    words: Catalogue,
) -> list[Scene]:
    """Choose what the patient page shows, the most telling first.

    Parameters
    ----------
    visits : sequence of Visit
        In order of time.
    visit_results : mapping of visit id to Result
        The current result of each visit that has one, with its files.
    comparison, deviation : Result or None
        The newest of each, with files.
    template : template version or None
        The study template's version with its files.
    words : Catalogue
        For the names of the viewers.

    Returns
    -------
    list of Scene
        Side by side halfway between two visits, as acquired, and beside the template; only those with images.
    """
    made = [visit for visit in visits if visit["id"] in visit_results][-LARGEST_PAIR:]
    scenes: list[Scene] = []
    if comparison:
        pair = [visit for visit in visits if visit["id"] in comparison["visits"]]
        scenes.append({"id": "midway", "viewers": [_midway(visit, comparison, words) for visit in pair]})
    scenes.append({"id": "native", "viewers": [_native(visit, visit_results[visit["id"]], words) for visit in made]})
    if made:
        beside = [_in_template(made[-1], visit_results[made[-1]["id"]], deviation, words)]
        if template:
            beside.append(template_viewer(template, words))
        scenes.append({"id": "template", "viewers": beside})
    for scene in scenes:
        scene["viewers"] = [viewer for viewer in scene["viewers"] if viewer["bases"]]
    return [scene for scene in scenes if scene["viewers"]]


def template_viewer(template: Json, words: Catalogue) -> Viewer:
    """Show one version of the study template."""
    return {
        "name": words("study.template_of", n=template["version"]),
        "space": "template",
        "frame": "",
        "place_url": None,
        "bases": [_base(file) for file in template["files"] if file["kind"] == "image"],
        "overlays": [_overlay(file) for file in template["files"] if file["kind"] in ("labels", "map")],
    }


def viewer_name(visit: Json, words: Catalogue) -> str:
    """Name a viewer after its visit, such as "First visit · 3 Mar 2024"."""
    return f"{words('visit_kind.' + visit['kind'])} · {format_date(visit['date'], words.language)}"


def _native(visit: Json, result: Json, words: Catalogue) -> Viewer:
    files = _files(result, "native", visit["id"])
    return _viewer(visit, files, "native", str(visit["id"]), _place_url(result, visit), words)


def _midway(visit: Json, comparison: Json, words: Catalogue) -> Viewer:
    own = _files(comparison, "midway", visit["id"])
    shared = [file for file in _files(comparison, "midway", None) if file["kind"] != "image"]
    return _viewer(visit, [*own, *shared], "midway", str(comparison["id"]), None, words)


def _in_template(visit: Json, result: Json, deviation: Json | None, words: Catalogue) -> Viewer:
    files = _files(result, "template", visit["id"])
    if deviation:
        files += [file for file in deviation["files"] if file["space"] == "template" and file["kind"] == "map"]
    return _viewer(visit, files, "template", "", _place_url(result, visit), words)


def _viewer(
    visit: Json, files: Sequence[Json], space: str, frame: str, place_url: str | None, words: Catalogue
) -> Viewer:
    return {
        "name": viewer_name(visit, words),
        "space": space,
        "frame": frame,
        "place_url": place_url,
        "bases": [_base(file) for file in files if file["kind"] == "image"],
        "overlays": [_overlay(file) for file in files if file["kind"] in ("labels", "map")],
    }


def _files(result: Json, space: str, visit: Any) -> list[Json]:
    return [file for file in result["files"] if file["space"] == space and file["visit"] == visit]


def _place_url(result: Json, visit: Json) -> str:
    return f"/api/results/{result['id']}/place?visit={visit['id']}"


def _base(file: Json) -> dict[str, Any]:
    return {
        "name": file["title"],
        "src": file["preview_url"] or file["url"],
        "full": file["url"],
        "unit": file["unit"] or "",
    }


def _overlay(file: Json) -> dict[str, Any]:
    overlay = {"url": file["url"], "name": file["title"], "unit": file["unit"] or ""}
    if file["kind"] == "labels":
        return overlay | {"kind": "labels", "opacity": LABELS_OPACITY, "on": True}
    low, high = file["range"] or (0.0, 1.0)
    top = max(abs(low), abs(high)) or 1.0
    kind = "signed" if -low > SIGNED_FROM * top else "positive"
    return overlay | {"kind": kind, "min": SHOWN_FROM * top, "max": top, "opacity": MAP_OPACITY, "on": False}
