from __future__ import annotations

from pathlib import Path

from cohortex.study.records.field_table import fields_markdown
from cohortex.study.records.fields import all_fields, sources
from cohortex.study.records.plausibility import RULE_NUMBERS
from cohortex.study.records.table import read_records

PAGE = Path(__file__).parents[3] / "docs" / "records.md"
REFRESH = (
    "docs/records.md is behind fields.json: replace what follows “## The fields” and its paragraph by what "
    "cohortex.study.records.field_table.fields_markdown() gives."
)


def test_the_page_of_records_has_the_fields_as_they_are():
    assert PAGE.read_text(encoding="utf-8").endswith(f"\n\n{fields_markdown()}"), REFRESH


def test_the_page_of_records_names_every_rule():
    table = PAGE.read_text(encoding="utf-8").split("## What is plausible")[1].split("## ")[0]
    named = {
        cell.strip() for line in table.splitlines() if line.startswith("|") for cell in line.split("|")[1].split(",")
    }
    assert set(RULE_NUMBERS) <= named


def test_every_field_and_source_is_in_the_table():
    table = fields_markdown()
    assert all(f"| `{known.name}` |" in table for known in all_fields())
    assert all(f"| {key} |" in table for key in sources())
    assert (
        "| `crp` | C-reactive protein / Proteina C reattiva | both | number, mg/L | 1988-5 | 0 to 1000 (500)" in table
    )


def test_the_lines_of_the_page_work(tmp_path, monkeypatch):
    (tmp_path / "records.csv").write_text("patient,visit,crp [mg/L]\nC1-0001,2024-03-01,<5\n")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(PAGE.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0], names)
    assert names["crp"].value == 6.0
    assert names["findings"] == ()
    assert read_records(names["text"].encode()) == names["found"]
