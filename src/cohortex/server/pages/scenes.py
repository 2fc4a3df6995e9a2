"""Which images stand beside each other in linked viewers: from the files of results, per space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from cohortex.server.catalogue import Catalogue, format_date, format_unit
from cohortex.server.pages.file_titles import file_rank, file_title

Json = Mapping[str, Any]
SHOWN_FROM = 0.2  # of a map's largest magnitude: weaker than this is noise on a screen, the file keeps it
SIGNED_FROM = 0.1  # a map is drawn with two arms when its negative one is worth a colour
LABELS_OPACITY = 0.4
MAP_OPACITY = 0.7
LARGEST_PAIR = 2
_OUTLINED_ON = "FLAIR"  # what a viewer opens with, where it was sent
_CHANGES = {1: "more", 2: "less"}  # labels of a map of change
_SHOWN_AT_FIRST = ("lesions", "change")  # labels; those of the whole brain would cover the image


class Viewer(TypedDict):
    """What one viewer shows: the attributes of <scan-viewer>."""

    name: str
    space: str
    frame: str
    visit: str
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
    native = [_native(visit, visit_results[visit["id"]], comparison, words) for visit in made]
    scenes.append({"id": "native", "viewers": native})
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
    return _viewer(
        words("study.template_of", n=template["version"]), None, template["files"], "template", "", None, words
    )


def viewer_name(visit: Json, words: Catalogue) -> str:
    """Name a viewer after its visit, such as "First visit · 3 Mar 2024"."""
    return f"{words('visit_kind.' + visit['kind'])} · {format_date(visit['date'], words.language)}"


def _native(visit: Json, result: Json, comparison: Json | None, words: Catalogue) -> Viewer:
    """A visit on its own grid; its lesions as numbered in the comparison, where it took part in one."""
    files = _files(result, "native", visit["id"])
    outlined = _files(comparison, "native", visit["id"]) if comparison else []
    lesions = [file for file in outlined if file["name"].endswith("_lesions.nii.gz")]
    if lesions:
        files = [file for file in files if file["name"] != "lesions.nii.gz"] + lesions
    place_url = _place_url(result, visit)
    return _viewer(viewer_name(visit, words), visit, files, "native", str(visit["id"]), place_url, words)


def _midway(visit: Json, comparison: Json, words: Catalogue) -> Viewer:
    own = _files(comparison, "midway", visit["id"])
    shared = [file for file in _files(comparison, "midway", None) if file["kind"] != "image"]
    frame = str(comparison["id"])
    return _viewer(viewer_name(visit, words), visit, [*own, *shared], "midway", frame, None, words)


def _in_template(visit: Json, result: Json, deviation: Json | None, words: Catalogue) -> Viewer:
    files = _files(result, "template", visit["id"])
    if deviation:
        files += [
            file
            for file in deviation["files"]
            if file["space"] == "template" and file["kind"] == "map" and file["visit"] == visit["id"]
        ]
    return _viewer(viewer_name(visit, words), visit, files, "template", "", _place_url(result, visit), words)


def _viewer(
    name: str,
    visit: Json | None,
    files: Sequence[Json],
    space: str,
    frame: str,
    place_url: str | None,
    words: Catalogue,
) -> Viewer:
    ranked = sorted(files, key=lambda file: file_rank(file, visit, first=_OUTLINED_ON))
    return {
        "name": name,
        "space": space,
        "frame": frame,
        "visit": str(visit["id"]) if visit else "",
        "place_url": place_url,
        "bases": [_base(file, visit, words) for file in ranked if file["kind"] == "image"],
        "overlays": [_overlay(file, visit, words) for file in ranked if file["kind"] in ("labels", "map")],
    }


def _files(result: Json, space: str, visit: Any) -> list[Json]:
    return [file for file in result["files"] if file["space"] == space and file["visit"] == visit]


def _place_url(result: Json, visit: Json) -> str:
    return f"/api/results/{result['id']}/place?visit={visit['id']}"


def _base(file: Json, visit: Json | None, words: Catalogue) -> dict[str, Any]:
    return {
        "name": file_title(file, visit, words),
        "src": file["preview_url"] or file["url"],
        "full": file["url"],
        "unit": format_unit(file["unit"], words.language),
        "range": file["range"],
    }


def _overlay(file: Json, visit: Json | None, words: Catalogue) -> dict[str, Any]:
    overlay = {
        "url": file["url"],
        "name": file_title(file, visit, words),
        "unit": format_unit(file["unit"], words.language),
    }
    if file["kind"] == "labels":
        shown = any(part in file["name"] for part in _SHOWN_AT_FIRST)
        names = {str(n): words(f"change.{name}") for n, name in _CHANGES.items()} if "change" in file["name"] else {}
        return overlay | {"kind": "labels", "opacity": LABELS_OPACITY, "on": shown, "names": names}
    low, high = file["range"] or (0.0, 1.0)
    top = max(abs(low), abs(high)) or 1.0
    kind = "signed" if -low > SIGNED_FROM * top else "positive"
    return overlay | {"kind": kind, "min": SHOWN_FROM * top, "max": top, "opacity": MAP_OPACITY, "on": False}
