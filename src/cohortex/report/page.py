"""The page of a report, written from its record and its pictures."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
from markupsafe import Markup

from cohortex.display import colour_bar, svg_text
from cohortex.pipeline.results import ComparisonResult, VisitResult
from cohortex.report import pictures
from cohortex.report.catalogue import ENGLISH
from cohortex.report.chart import Course, volume_chart
from cohortex.report.methods import methods_of
from cohortex.report.record import Record, worst_level
from cohortex.report.wording import (
    change_text,
    change_with_sd_text,
    decimals_of_row,
    number_text,
    percent_text,
    signed_text,
    volume_text,
    volume_with_sd_text,
)

_COLOURS = {
    "baseline": pictures.BASELINE_COLOUR,
    "follow_up": pictures.FOLLOW_UP_COLOUR,
    "brain": pictures.BRAIN_COLOUR,
}
_EVENT_COLOURS = {
    "new": "#d64a3f", "grown": "#d9772b", "merged": "#8b6be0", "split": "#8b6be0", "shrunk": "#159c90",
    "gone": "#4a86e0", "same": "#8892a0",
}  # fmt: skip  # readable on white and on the dark page alike

_FORMATS: Mapping[str, Callable[[float | None], str]] = {
    "volume": volume_text,
    "change": change_text,
    "percent": percent_text,
    "count": lambda value: number_text(value, decimals=0),
    "whole": lambda value: number_text(value, decimals=0),
    "mm": lambda value: number_text(value, decimals=1),
    "ratio": lambda value: number_text(value, decimals=2),
    "share": lambda value: number_text(value, decimals=3) if value else number_text(value, decimals=0),
    "signed": lambda value: signed_text(value, decimals=1),
    "spacing": lambda value: "–" if value is None else f"{value:.3g}",
    "general": lambda value: "–" if value is None else f"{value:.4g}".replace("-", "−"),
}


def visit_page(result: VisitResult, record: Record, *, text: Mapping[str, str] = ENGLISH) -> str:
    """Write the page of a visit.

    Parameters
    ----------
    result : VisitResult
        Where the pictures come from.
    record : dict
        `visit_record` of it: every figure on the page is one of the record.
    text : mapping
        The catalogue of words.

    Returns
    -------
    str
        One self-contained HTML document.
    """
    return (
        _environment()
        .get_template("visit.html")
        .render(
            **_numbers(record),
            r=record,
            t=text,
            style=_style(),
            methods=methods_of(record, text=text),
            colours=_COLOURS,
            regions_count=len(record["differing_regions"]),
            tissue_note=_tissue_note(record),
            similarity_note=Markup("{} {}").format(
                text["template_similarity"],
                _data(
                    "alignment.similarity",
                    record["alignment"]["similarity"],
                    number_text(record["alignment"]["similarity"], decimals=2),
                ),
            ),
            shown=pictures.visit_lesions(result.images, record, text=text),
            overview=pictures.visit_overview(result.images, record, text=text),
            checks=[pictures.brain_check(result.images, result.visit, text=text)],
            maps=_with_bars(pictures.visit_maps(result.images, text=text)),
        )
    )


def comparison_page(result: ComparisonResult, record: Record, *, text: Mapping[str, str] = ENGLISH) -> str:
    """Write the page of a comparison. Parameters are those of `visit_page`, with `comparison_record`."""
    counts = record["event_counts"]
    change = _with_bars({"change": pictures.comparison_map(result.images, text=text)})["change"]
    return (
        _environment()
        .get_template("comparison.html")
        .render(
            **_numbers(record),
            r=record,
            t=text,
            style=_style(),
            methods=methods_of(record, text=text),
            colours=_COLOURS,
            worst=worst_level([record["baseline"]["quality"], record["follow_up"]["quality"]]),
            shown=pictures.comparison_lesions(result.images, record, text=text),
            overview=pictures.comparison_overview(result.images, text=text),
            checks=[pictures.brain_check(v.images, v.visit, text=text) for v in (result.baseline, result.follow_up)],
            change_map=change,
            change_note=_change_note(record),
            split_note=", ".join(f"{counts[kind]} {text[kind]}" for kind in ("split", "merged") if counts[kind]),
            maps=_with_bars(pictures.visit_maps(result.follow_up.images, text=text)),
            charts=_charts(record, text),
            chart_alt=text["alt_chart"].format(
                numbers=f"{volume_text(record['baseline_total_ml'])} → {volume_text(record['follow_up_total_ml'])}"
            ),
        )
    )


def value_at(record: Record, key: str) -> Any:
    """The value of a record under a dotted key, such as "lesions.0.volume_ml"."""
    value: Any = record
    for part in key.split("."):
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["address"] = lambda name: quote(str(name), safe="/")
    return environment


def _style() -> Markup:
    return Markup((Path(__file__).parent / "style.css").read_text(encoding="utf-8"))


def _numbers(record: Record) -> dict[str, Callable[..., Any]]:
    """The writers of numbers: one value, a value ± its standard deviation, and volumes ± sd in one precision."""

    def number(key: str, form: str) -> Markup:
        value = value_at(record, key)
        return _data(key, value, _FORMATS[form](value))

    def plus_minus(key: str, sd_key: str, *, signed: bool = False, decimals: int | None = None) -> Markup:
        value, sd = value_at(record, key), value_at(record, sd_key)
        words = (change_with_sd_text if signed else volume_with_sd_text)(value, sd, decimals=decimals).split(" ± ")
        if len(words) == 1:
            return _data(key, value, words[0])
        spread = _data(sd_key, sd, words[1])
        return Markup('{}<span class="sd"> ± {}</span>').format(_data(key, value, words[0]), spread)

    def row(*keys: str) -> Callable[..., Markup]:
        sd_keys = {key: f"{key.removesuffix('_ml')}_sd_ml" for key in keys}
        decimals = decimals_of_row(
            [value_at(record, key) for key in keys], [value_at(record, key) for key in sd_keys.values()]
        )
        return lambda key, *, signed=False: plus_minus(key, sd_keys[key], signed=signed, decimals=decimals)

    return {"n": number, "pm": plus_minus, "row": row}


def _data(key: str, value: float | None, words: str) -> Markup:
    if value is None:
        return Markup.escape(words)
    return Markup('<data value="{}" data-key="{}">{}</data>').format(repr(value), key, words)


def _change_note(record: Record) -> Markup:
    """Change of the total in percent and ml, in one line."""
    percent, volume = record["total_change_percent"], record["total_change_ml"]
    parts = [] if percent is None else [_data("total_change_percent", percent, percent_text(percent))]
    parts.append(Markup("{} ml").format(_data("total_change_ml", volume, change_text(volume))))
    return Markup(", ").join(parts)


def _tissue_note(record: Record) -> Markup:
    """Grey, white and CSF volumes in one line."""
    volumes = record["tissue_volumes_ml"]
    parts = [
        Markup("{} {}").format(
            name, _data(f"tissue_volumes_ml.{name}", volumes[name], number_text(volumes[name], decimals=0))
        )
        for name in volumes
    ]
    return Markup(" · ").join(parts)


def _with_bars(maps: Mapping[str, pictures.MapPictures]) -> dict[str, dict[str, object]]:
    return {
        name: {
            "pictures": drawn.pictures,
            "label": drawn.scale.label,
            "limit": f"{drawn.scale.limit:g}",
            "bar": Markup(svg_text(colour_bar(drawn.scale), name=f"bar-{name}")),
        }
        for name, drawn in maps.items()
    }


def _charts(record: Record, text: Mapping[str, str]) -> tuple[Markup, ...]:
    def course(name: str, before: str, after: str, holder: Record, colour: str) -> Course:
        keys = (f"{before}_ml", f"{after}_ml"), (f"{before}_sd_ml", f"{after}_sd_ml")
        volumes, sds = (tuple(math.nan if holder[k] is None else float(holder[k]) for k in pair) for pair in keys)
        return Course(name=name, volumes_ml=volumes, sds_ml=sds, colour=colour)

    if not record["events"]:
        return ()
    visits = [record["baseline"]["visit"], record["follow_up"]["visit"]]
    total = course("", "baseline_total", "follow_up_total", record, "#2f7fd6")
    each = [
        course(
            f"{e['number']} {text[e['event']]}", "baseline_volume", "follow_up_volume", e, _EVENT_COLOURS[e["event"]]
        )
        for e in record["events"]
    ]
    figures = (
        volume_chart(visits, [total], title=text["chart_total"], width_px=360, values=True),
        volume_chart(visits, each, title=text["chart_each"], width_px=460),
    )
    return tuple(Markup(svg_text(figure, name=f"chart-{n}")) for n, figure in enumerate(figures))
