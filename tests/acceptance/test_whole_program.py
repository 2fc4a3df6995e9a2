"""The program whole: the demo, a comparison repeated bit for bit in new processes, and visits of odd contrasts."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cohortex import phantoms
from cohortex.pipeline import find_visits, process_visit
from cohortex.report import write_visit_report

pytestmark = pytest.mark.acceptance


def program(*words: object) -> str:
    command = [sys.executable, "-m", "cohortex", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=3600, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def files_of(folder: Path) -> dict[str, bytes]:
    found = {file.relative_to(folder).as_posix(): file for file in folder.rglob("*") if file.is_file()}
    return {name: file.read_bytes() for name, file in found.items() if not name.startswith(".cohortex")}


def test_the_demo_makes_a_study_of_three_centres_and_processes_it(tmp_path):
    said = program("demo", "--output", tmp_path / "demo", "--port", 0, "--no-serve")
    assert "http://127.0.0.1:" in said
    counted = json.loads(program("study", "status", tmp_path / "demo" / "study", "--json"))
    assert sum(centre["patients"] for centre in counted["centres"]) == 8
    assert sum(centre["visits"] for centre in counted["centres"]) == 12
    assert len(counted["centres"]) == 3
    assert counted["template"]["version"] >= 1
    assert counted["jobs"]["queued"] == counted["jobs"]["running"] == counted["jobs"]["failed"] == 0
    again = program("demo", "--output", tmp_path / "demo", "--port", 0, "--no-serve")
    assert (
        json.loads(program("study", "status", tmp_path / "demo" / "study", "--json"))["centres"] == counted["centres"]
    )
    assert "http://127.0.0.1:" in again


def test_a_comparison_from_nothing_gives_the_same_bits_in_every_process(tmp_path):
    patient = phantoms.patient(seed=1, visits=2, spacing_mm=3, volume_mm3=(800, 4000), deformation_mm=1)
    (tmp_path / "uploads").mkdir()
    for number, visit in enumerate(patient.visits, start=1):
        phantoms.write_dicom_zip(visit.images, tmp_path / "uploads" / f"p01_visit-{number}.zip", seed=1)
    outcomes = []
    for workers in (0, 2):
        folder = tmp_path / f"with_{workers}"
        program("compare", tmp_path / "uploads", "--output", folder, "--workers", workers, "--json")
        outcomes.append(files_of(folder))
    assert sorted(outcomes[0]) == sorted(outcomes[1])
    assert [name for name in outcomes[0] if outcomes[0][name] != outcomes[1][name]] == []


@pytest.mark.parametrize("contrasts", [("T1",), ("T1c", "T2")])
def test_a_visit_without_flair_is_processed_and_its_lesions_found(tmp_path, contrasts):
    patient = phantoms.patient(
        seed=3,
        visits=1,
        spacing_mm=3,
        contrasts=contrasts,
        events={"same": 3},
        volume_mm3=(1500, 3500),
        distractors=False,
    )
    visit = patient.visits[0]
    phantoms.write_dicom_zip(visit.images, tmp_path / "p01_visit-1.zip", seed=3)
    result = process_visit(find_visits(tmp_path / "p01_visit-1.zip")[0], tmp_path / "out", workers=0)
    assert write_visit_report(result, tmp_path / "out").is_file()
    assert result.lesion_contrast == contrasts[-1]
    for truth in visit.lesions:
        centers = np.array([lesion.centroid_mm for lesion in result.lesions])
        assert np.linalg.norm(centers - np.asarray(truth.center_mm), axis=1).min() < 4
