"""The catalogues agree with each other and with what templates and scripts ask for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from cohortex.server.catalogue import LANGUAGES, catalogue
from cohortex.study.database.tables import JobCause, TraceAction, UploadQuestion

SERVER = Path(__file__).parents[3] / "src" / "cohortex" / "server"
TEMPLATES = sorted((SERVER / "templates").rglob("*.html"))
SCRIPTS = sorted(path for path in (SERVER / "static").rglob("*.js") if "vendor" not in path.parts)

CODES = {  # what the API may send, shown by catalogue["group." + code]
    "sex": ("F", "M", "O", "U"),
    "role": ("uploader", "coordinator"),
    "patient_status": ("empty", "waiting", "processing", "ready", "attention"),
    "visit_kind": ("first", "follow-up"),
    "upload_state": ("receiving", "received", "checking", "held", "committed", "refused", "withdrawn"),
    "upload_question": get_args(UploadQuestion),
    "verdict": ("accepted", "duplicate", "held", "refused"),
    "event": ("same", "grown", "shrunk", "new", "gone", "split", "merged"),
    "result_kind": ("visit", "comparison", "deviation"),
    "job_kind": ("check", "visit", "comparison", "template", "deviation", "distances", "statistics"),
    "job_state": ("queued", "running", "done", "failed", "cancelled"),
    "scene": ("native", "midway", "template", "native_text", "midway_text", "template_text"),
    "study": ("reason_rule", "reason_coordinator"),
    "cause": get_args(JobCause),
    "trace": tuple(action.replace(" ", "_") for action in get_args(TraceAction)),
    "scripts.upload_state": ("receiving", "received", "checking", "held", "committed", "refused", "withdrawn"),
    "scripts.job_state": ("queued", "running", "done", "failed", "cancelled"),
}


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def test_every_language_has_the_same_keys():
    keys = {language: set(catalogue(language).words) for language in LANGUAGES}
    assert keys["it"] == keys["en"]


def test_every_language_fills_the_same_placeholders():
    english, italian = catalogue("en").words, catalogue("it").words
    assert {key: placeholders(text) for key, text in english.items()} == {
        key: placeholders(text) for key, text in italian.items()
    }


def test_no_text_is_empty():
    for language in LANGUAGES:
        assert [key for key, text in catalogue(language).words.items() if not text.strip()] == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_template_asks_for_no_missing_word(template):
    source = template.read_text(encoding="utf-8")
    asked = set(re.findall(r'\bt\("([\w.-]+)"(?!\s*~)', source))
    for counted in re.findall(r'\btn\("([\w.-]+)"', source):
        asked |= {f"{counted}.one", f"{counted}.other"}
    assert asked - set(catalogue("en").words) == set()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_asks_for_no_missing_word(script):
    asked = set(re.findall(r'\bword\("([\w.]+)"', script.read_text(encoding="utf-8")))
    assert asked - set(catalogue("en").for_scripts()) == set()


@pytest.mark.parametrize("group", CODES)
def test_every_code_of_the_api_has_a_word(group):
    missing = [code for code in CODES[group] if not catalogue("en").has(f"{group}.{code}")]
    assert missing == []


def test_templates_show_no_words_of_their_own():
    """Text between tags must come from the catalogue; what is left is punctuation, units and the name cohortex."""
    allowed = {"cohortex", "ml", "mm", "n", "English", "Italiano"}
    for template in TEMPLATES:
        source = re.sub(
            r"{#.*?#}|{% block width %}[\w-]+{% endblock %}|{%.*?%}|{{.*?}}|<script.*?</script>",
            " ",
            template.read_text("utf-8"),
            flags=re.S,
        )
        texts = re.sub(r"<[^>]*>", " ", source, flags=re.S)
        assert set(re.findall(r"[A-Za-z]+", texts)) <= allowed, template.name


def test_a_text_is_filled_and_counted():
    words = catalogue("en")
    assert words("patient.version", n=3) == "version 3"
    assert words.counted("patients.count", 1) == "one patient"
    assert words.counted("patients.count", 2) == "2 patients"


def test_a_missing_key_is_refused_by_name():
    with pytest.raises(KeyError, match=r"en\.json has no 'patients\.nothing'"):
        catalogue("en")("patients.nothing")


def test_a_missing_placeholder_is_refused():
    with pytest.raises(KeyError, match="n"):
        catalogue("en")("patient.version", m=3)


def test_an_unknown_language_is_refused():
    with pytest.raises(ValueError, match="no catalogue for 'fr'; there are en, it"):
        catalogue("fr")  # type: ignore[arg-type]
