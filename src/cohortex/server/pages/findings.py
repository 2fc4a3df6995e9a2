"""What a result found, in a sentence of the page's language: the report's own, or one made of its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cohortex.server.catalogue import Catalogue, format_number

Json = Mapping[str, Any]
_REPORTS = "en"  # the language reports are written in
EVENTS = ("new", "grown", "merged", "split", "shrunk", "gone", "same")


def finding_of(result: Json, words: Catalogue) -> str:
    """Say what a result found.

    Parameters
    ----------
    result : ResultBrief
        As the API shows it.
    words : Catalogue
        Of the page.

    Returns
    -------
    str
        One sentence; empty where nothing can be said.
    """
    headline, summary = str(result["headline"] or ""), result["summary"]
    if words.language == _REPORTS:
        return headline
    if result["kind"] == "visit" and summary.get("lesion_count") is not None:
        return _visit(summary, words)
    if result["kind"] == "comparison" and summary.get("event_counts"):
        return _comparison(summary, words)
    if result["kind"] == "deviation" and summary.get("groups_intensity") is not None:
        found = {name: summary[name] for name in ("groups_intensity", "groups_volume", "n")}
        return words("finding.deviation", **found)
    return headline


def _visit(summary: Json, words: Catalogue) -> str:
    count, volume = summary["lesion_count"], summary["lesion_volume_ml"]
    if count == 0:
        return words("finding.no_lesion")
    return words(
        "finding.visit",
        lesions=words.counted("lesion.count", count),
        volume=format_number(volume, 1, words.language),
    )


def _comparison(summary: Json, words: Catalogue) -> str:
    counts = summary["event_counts"]
    parts = [words.counted(f"finding.{name}", counts[name]) for name in EVENTS if counts.get(name)]
    text = words("finding.comparison", events=", ".join(parts))
    after, change = summary.get("lesion_volume_ml"), summary.get("change_ml")
    if after is None or change is None:
        return f"{text}."
    before = after - change
    share = f" ({format_number(100 * change / before, 0, words.language, sign=True)} %)" if before > 0 else ""
    volumes = [format_number(volume, 1, words.language) for volume in (before, after)]
    return text + words("finding.volumes", before=volumes[0], after=volumes[1], share=share)
