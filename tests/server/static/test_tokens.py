"""Colours: only the token file names them, and text on its paper meets WCAG AA in both themes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[3] / "src" / "cohortex" / "server" / "static"
TOKENS = (STATIC / "tokens.css").read_text(encoding="utf-8")
AA_TEXT, AA_EDGE = 4.5, 3.0
TEXTS = ("--ink", "--ink-2", "--ink-3", "--accent")
PAPERS = ("--page", "--surface", "--raised", "--hover", "--chosen")
EVENTS = ("new", "grown", "merged", "split", "shrunk", "gone", "same")
PAIRS = [
    *((text, paper) for text in TEXTS for paper in PAPERS),
    *((f"--{name}", f"--{name}-paper") for name in ("good", "caution", "bad", "busy", "quiet")),
    *((f"--event-{name}", "--surface") for name in EVENTS),
    ("--on-accent", "--accent-solid"),
    ("--on-accent", "--accent-solid-hover"),
    ("--screen-ink", "--screen-bar"),
    ("--screen-ink-2", "--screen-bar"),
]


def colour(name: str, theme: int) -> str:
    value = re.search(rf"{name}:\s*([^;]+);", TOKENS)
    assert value, name
    both = re.fullmatch(r"light-dark\((#\w{6}), (#\w{6})\)", value[1])
    return both[theme + 1] if both else value[1]


def luminance(hexadecimal: str) -> float:
    channels = [int(hexadecimal[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]  # WCAG 2.2
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_black_on_white_has_the_contrast_of_the_formula():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "paper"), PAIRS)
def test_text_can_be_read_on_its_paper(text, paper, theme):
    assert contrast(colour(text, theme), colour(paper, theme)) >= AA_TEXT


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_the_edge_of_a_field_can_be_seen(theme):
    assert contrast(colour("--line-strong", theme), colour("--surface", theme)) >= AA_EDGE


def test_every_token_used_exists():
    sheets = "".join(path.read_text(encoding="utf-8") for path in STATIC.glob("*.css"))
    own = {"--event"}  # set by the classes of an event
    assert set(re.findall(r"var\((--[\w-]+)", sheets)) - own <= set(re.findall(r"(--[\w-]+):", TOKENS))
