"""A server stays within its memory: it carries no library that only processing needs."""

from __future__ import annotations

import json
import subprocess
import sys

PROCESSING_ONLY = ("SimpleITK", "nibabel", "nilearn", "numba", "pandas", "skimage", "sklearn")


def test_what_serves_a_study_loads_no_library_that_only_processing_needs():
    script = (
        "import json, sys; from cohortex.cli.app import program; program('serve'); "
        "import cohortex.server.serving, cohortex.server.app; "
        f"print(json.dumps([name for name in {PROCESSING_ONLY!r} if name in sys.modules]))"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert json.loads(found.stdout) == []
