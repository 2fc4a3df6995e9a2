"""The page: self-contained, truthful, safe, the same every time, and usable without seeing."""

from __future__ import annotations

import base64
import html
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from cohortex.errors import TargetExists
from cohortex.image import Image, Labels
from cohortex.lesions import LesionParameters
from cohortex.pipeline.results import ComparisonResult, VisitResult
from cohortex.report import write_comparison_report, write_visit_report
from cohortex.report.page import _FORMATS, value_at

VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """Reads a page strictly: every element closed in order, every id once."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.headers: list[dict[str, str | None]] = []
        self.numbers: list[tuple[str, str, str]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if "id" in found:
            self.ids.append(str(found["id"]))
        self.links += [str(found[name]) for name in ("href", "src", "action", "srcset") if name in found]
        if tag == "img":
            self.images.append(found)
        if tag == "th":
            self.headers.append(found)
        if tag == "data":
            self.numbers.append((str(found["data-key"]), str(found["value"]), ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "data":
            key, value, words = self.numbers[-1]
            self.numbers[-1] = (key, value, words + data)
        if "style" not in self.open:
            self.text += data


@pytest.fixture(scope="module")
def reports(
    visit: VisitResult, comparison: ComparisonResult, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    return {
        "visit": write_visit_report(visit, folder / "visit"),
        "comparison": write_comparison_report(comparison, folder / "comparison"),
    }


@pytest.mark.parametrize("kind", ["visit", "comparison"])
def test_page_is_well_formed_self_contained_and_small(reports: dict[str, Path], kind: str) -> None:
    text = reports[kind].read_text(encoding="utf-8")
    page = Page(text)
    words = re.sub(r"data:image/(webp|png);base64,[A-Za-z0-9+/=\s]+", "", text)
    assert not re.search(r"https?:|//[a-z]|@import|<script|<link|url\((?!#)", words)
    assert all(
        link.startswith(("#", "data:image/webp;base64,", "data:image/png;base64,")) or re.fullmatch(r"[\w.-]+", link)
        for link in page.links
    )
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    assert len(text.encode()) < 4_000_000


@pytest.mark.parametrize("kind", ["visit", "comparison"])
def test_every_number_on_the_page_is_that_of_the_record(reports: dict[str, Path], kind: str) -> None:
    record = json.loads(reports[kind].with_name("report.json").read_text(encoding="utf-8"))
    page = Page(reports[kind].read_text(encoding="utf-8"))
    assert len(page.numbers) > 40
    for key, value, words in page.numbers:
        assert float(value) == value_at(record, key), key
        shown = float(words.replace("−", "-").replace("\u202f%", ""))
        digits = len(words.partition(".")[2])
        assert shown == pytest.approx(float(value), abs=0.51 * 10.0**-digits, rel=6e-3), key
    assert record["headline"] in page.text


@pytest.mark.parametrize("kind", ["visit", "comparison"])
def test_page_speaks_to_those_who_do_not_see_it(reports: dict[str, Path], kind: str) -> None:
    page = Page(reports[kind].read_text(encoding="utf-8"))
    assert len(page.images) > 15
    assert all(len(str(image["alt"])) > 12 and image["width"] and image["height"] for image in page.images)
    assert any("left frontal white matter" in str(image["alt"]) for image in page.images)
    assert page.headers
    assert all(header.get("scope") in ("row", "col") for header in page.headers)


@pytest.mark.parametrize("kind", ["visit", "comparison"])
def test_page_says_what_it_is_and_its_limits(reports: dict[str, Path], kind: str) -> None:
    words = Page(reports[kind].read_text(encoding="utf-8")).text
    assert words.count("Research use only. Not a medical device.") >= 2
    for promise in ("P-0042", "can miss small, faint", "not proven on patients", "cohortex 0.1.0", "align_deformable"):
        assert promise in words


@pytest.mark.parametrize("kind", ["visit", "comparison"])
def test_shape_is_said_to_be_relative_to_the_size_of_the_brain(reports: dict[str, Path], kind: str) -> None:
    """The mean in the brain is taken off: a brain 11 % larger than the template everywhere shows 0, not +0.1."""
    page = Page(reports[kind].read_text(encoding="utf-8"))
    assert "relative to the overall size of this brain" in page.text
    assert "11 % larger than this brain as a whole would have it" in page.text
    assert any(str(image["alt"]).startswith("log-Jacobian less the brain’s mean") for image in page.images)
    assert "ln(volume ÷ template), less the brain’s mean" in reports[kind].read_text(encoding="utf-8")


def test_why_a_spot_on_the_map_of_changes_is_not_counted_is_said_beside_it(reports: dict[str, Path]) -> None:
    page = reports["comparison"].read_text(encoding="utf-8")
    beside = page.split("What changed in brightness</h3>")[1].split("</p>")[0]
    assert "A coloured spot that the table does not count is smaller than what is outlined, lies in fluid, or" in beside


def test_limits_say_of_which_volume_a_change_is_a_share(reports: dict[str, Path]) -> None:
    words = Page(reports["comparison"].read_text(encoding="utf-8")).text
    share = LesionParameters().change_share
    assert f"the larger of {100 * share:.0f} % of the smaller volume and twice the standard deviation" in words


def test_events_have_a_word_and_a_symbol(reports: dict[str, Path]) -> None:
    text = reports["comparison"].read_text(encoding="utf-8")
    for kind, word in (
        ("new", "new"),
        ("grown", "grown"),
        ("shrunk", "shrunk"),
        ("gone", "gone"),
        ("same", "unchanged"),
    ):
        assert re.search(rf'<span class="chip level-{kind}"><svg.*?</svg>{word}</span>', text)


def test_pictures_are_twice_as_dense_as_the_page(reports: dict[str, Path]) -> None:
    for image in Page(reports["comparison"].read_text(encoding="utf-8")).images[:4]:
        picture = Picture.open(io.BytesIO(base64.b64decode(str(image["src"]).partition(",")[2])))
        assert picture.width == pytest.approx(2 * int(str(image["width"])), abs=2)


def test_same_result_gives_the_same_bytes(
    reports: dict[str, Path], comparison: ComparisonResult, tmp_path: Path
) -> None:
    again = write_comparison_report(comparison, tmp_path)
    for name in ("report.html", "report.json"):
        assert again.with_name(name).read_bytes() == reports["comparison"].with_name(name).read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.json"]


def test_hostile_words_are_shown_and_never_obeyed(comparison: ComparisonResult, tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>"
    series = replace(comparison.baseline.series[0], name=hostile, contrast_reason='"><img src=x>')
    result = replace(
        comparison,
        study_code=hostile,
        events=tuple(replace(event, place=f'{hostile}" onload="x') for event in comparison.events[:1]),
        baseline=replace(comparison.baseline, series=(series,), visit="</style>"),
        files={"table": "javascript:alert(1)"},
    )
    text = write_comparison_report(result, tmp_path).read_text(encoding="utf-8")
    page = Page(text)
    assert "<script" not in text
    assert hostile in page.text
    assert not any(link.startswith("javascript:") for link in page.links)
    assert all(str(image["src"]).startswith("data:image/webp") for image in page.images)
    assert html.escape(hostile) in text


def test_nothing_found_is_a_page_too(comparison: ComparisonResult, tmp_path: Path) -> None:
    empty = Labels(np.zeros_like(comparison.images.change.values), comparison.images.change.grid)
    baseline, follow_up = (
        replace(v, lesions=(), differing_regions=(), images=replace(v.images, lesions=empty))
        for v in (comparison.baseline, comparison.follow_up)
    )
    images = replace(comparison.images, change=empty, baseline_lesions=empty, follow_up_lesions=empty)
    result = replace(
        comparison, baseline=baseline, follow_up=follow_up, events=(), images=images, baseline_total_ml=0.0,
        follow_up_total_ml=0.0,
    )  # fmt: skip
    page = Page(write_comparison_report(result, tmp_path / "two").read_text(encoding="utf-8"))
    assert "No lesion was outlined at either visit." in page.text
    assert "does not prove there is none" in page.text
    page = Page(write_visit_report(baseline, tmp_path / "one").read_text(encoding="utf-8"))
    assert "No lesion was outlined on FLAIR" in page.text


def test_forty_lesions_fill_the_table_and_a_dozen_are_pictured(many_lesions: ComparisonResult, tmp_path: Path) -> None:
    path = write_comparison_report(many_lesions, tmp_path)
    page = Page(path.read_text(encoding="utf-8"))
    assert "The 12 most urgent of 40 lesions are pictured; the other 28 are in the table above." in page.text
    assert {f"events.{n}.change_ml" for n in range(40)} <= {key for key, _, _ in page.numbers}
    assert path.stat().st_size < 4_000_000


def test_a_single_slice_has_a_report(visit: VisitResult, tmp_path: Path) -> None:
    k = 20
    grid = visit.images.reference.grid
    one = grid.cropped((0, 0, k), (*grid.shape[:2], k + 1))

    def cut(image: Image) -> Image:
        return type(image)(image.values[:, :, k : k + 1], one, image.unit)

    images = replace(
        visit.images,
        **{
            name: cut(getattr(visit.images, name))
            for name in ("reference", "brain", "lesions", "difference", "log_jacobian")
        },
    )
    page = Page(write_visit_report(replace(visit, images=images), tmp_path).read_text(encoding="utf-8"))
    assert page.images
    assert sum(str(image["alt"]).startswith("Outline of the brain") for image in page.images) == 1  # no other plane


def test_outline_of_the_brain_is_shown_for_each_visit_in_three_planes(reports: dict[str, Path]) -> None:
    for kind, count in (("visit", 3), ("comparison", 6)):
        page = Page(reports[kind].read_text(encoding="utf-8"))
        assert sum(str(image["alt"]).startswith("Outline of the brain") for image in page.images) == count


def test_what_was_not_measured_is_a_dash(visit: VisitResult, tmp_path: Path) -> None:
    lesion = replace(visit.lesions[0], volume_sd_ml=float("nan"), contrast_to_noise=float("nan"), template_mm=None)
    text = write_visit_report(replace(visit, lesions=(lesion,)), tmp_path).read_text(encoding="utf-8")
    assert "nan" not in Page(text).text.lower().split()
    assert "–" in Page(text).text


def test_pictures_of_the_report_have_the_left_of_the_patient_on_the_right(
    compared: Callable[..., ComparisonResult], tmp_path: Path
) -> None:
    sources = {}
    for codes in ("RAI", "PSR"):
        result = compared(codes=codes)
        page = Page(write_comparison_report(result, tmp_path / codes).read_text(encoding="utf-8"))
        before, after = (
            np.asarray(
                Picture.open(io.BytesIO(base64.b64decode(str(image["src"]).partition(",")[2]))).convert("L"), float
            )
            for image in page.images
            if "lesion 1, left frontal" in str(image["alt"]) and not str(image["alt"]).startswith("Where")
        )
        where = next(image for image in page.images if str(image["alt"]).startswith("Where lesion 1 "))
        whole = np.asarray(Picture.open(io.BytesIO(base64.b64decode(str(where["src"]).partition(",")[2]))).convert("L"))
        bright = whole[whole.shape[0] // 10 : whole.shape[0] * 2 // 5] > 215  # between the letters
        assert bright.sum() > 50
        sources[codes] = float(np.nonzero(bright)[1].mean() / whole.shape[1])
        assert sources[codes] > 0.55  # the lesion in the left frontal lobe
        middle = slice(after.shape[0] * 2 // 5, after.shape[0] * 3 // 5)
        assert after[middle, middle].mean() > before[middle, middle].mean() + 60  # new: only afterwards
    assert max(sources.values()) - min(sources.values()) < 0.02


def test_every_format_writes_a_dash_for_what_is_not_known() -> None:
    assert {form(None) for form in _FORMATS.values()} == {"–"}


def test_regions_are_not_counted_against_a_template_the_brain_is_not_on(visit: VisitResult, tmp_path: Path) -> None:
    def card(result: VisitResult, folder: str) -> str:
        text = write_visit_report(result, tmp_path / folder).read_text(encoding="utf-8")
        found = re.search(r"<dt>Differing regions</dt><dd class=\"big\">(.*?)</dd>", text)
        assert found
        return found[1]

    assert card(visit, "good") == "2"
    assert card(replace(visit, alignment=replace(visit.alignment, converged=False)), "lost") == "–"


def test_lesions_are_said_to_be_among_the_regions_that_differ(visit: VisitResult, tmp_path: Path) -> None:
    words = "The outlined lesions are among these regions"
    for lesions, expected in ((visit.lesions, True), ((), False)):
        page = write_visit_report(replace(visit, lesions=lesions), tmp_path / str(expected))
        assert (words in page.read_text(encoding="utf-8")) is expected


def test_no_line_of_the_table_begins_with_an_arrow_or_a_plus(compared: Callable[..., ComparisonResult], tmp_path: Path):
    result = compared()
    grown = result.events[1]
    merged = replace(grown, event="merged", baseline_labels=(1, 2), follow_up_labels=(2,))
    page = write_comparison_report(replace(result, events=(grown, merged)), tmp_path).read_text(encoding="utf-8")
    cells = re.findall(r'<td class="n wraps"[^>]*>(.*?)</td>', page, flags=re.DOTALL)
    told = [re.sub(r"<[^>]*>", "", html.unescape(cell)).strip() for cell in cells]
    assert len(told) == 4
    for words in told:
        assert "→" in words
        assert not re.search(r"[ \n][→+]", words), words
    assert re.fullmatch(r"\d+\u00a0→\u00a0\d+", told[1])  # one slice before, one after: one line
    assert " + " not in told[2]
    assert "\u00a0+ " in told[2]


def test_volumes_of_a_row_and_their_change_have_one_precision(reports: dict[str, Path]) -> None:
    page = reports["comparison"].read_text(encoding="utf-8")
    rows = re.findall(r"<tr>(?:(?!</tr>).)*Baseline ± sd, ml(?:(?!</tr>).)*</tr>", page, flags=re.DOTALL)[1:]
    assert len(rows) == 6
    for row in rows:
        words = re.findall(r'data-key="[^"]*_ml">([^<]*)</data>', row)
        assert len(words) in (4, 6), words  # each with its standard deviation
        assert len({len(word.partition(".")[2]) for word in words}) == 1, words
    assert 'data-key="total_change_sd_ml"' in rows[-1]


def test_a_table_that_scrolls_shows_a_shadow_where_more_of_it_lies(reports: dict[str, Path]) -> None:
    style = reports["comparison"].read_text(encoding="utf-8").split("</style>")[0]
    rule = re.search(r"\.scroll, \.sheet\.flush \{(.*?)\}", style, flags=re.DOTALL)
    assert rule
    assert "overflow-x: auto" in rule[1]
    assert rule[1].count("no-repeat local") == rule[1].count("var(--shadow)") == 2  # a cover and a shadow at each side


def test_another_visit_does_not_get_into_the_folder_of_a_report(comparison: ComparisonResult, tmp_path: Path) -> None:
    write_visit_report(comparison.baseline, tmp_path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    with pytest.raises(TargetExists, match="P-0042 baseline; that of P-0042 month 6"):
        write_visit_report(comparison.follow_up, tmp_path)
    with pytest.raises(TargetExists, match="P-0042 baseline; that of P-0042 baseline → month 6"):
        write_comparison_report(comparison, tmp_path)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_a_report_written_again_leaves_no_file_of_the_first_that_it_does_not_name(
    visit: VisitResult, tmp_path: Path
) -> None:
    for name in ("lesions.nii.gz", "T2_corrected.nii.gz", "own.nii.gz"):
        (tmp_path / name).write_text(name)
    write_visit_report(replace(visit, files={"lesions": "lesions.nii.gz", "T2": "T2_corrected.nii.gz"}), tmp_path)
    write_visit_report(replace(visit, files={"lesions": "lesions.nii.gz"}), tmp_path)
    left = sorted(file.name for file in tmp_path.iterdir())
    assert left == ["lesions.nii.gz", "own.nii.gz", "report.html", "report.json"]
