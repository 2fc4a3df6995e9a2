"""Narrow windows in a real browser: nothing runs out of the page, and legends are read to their end."""

from __future__ import annotations

import json

import numpy as np
import pytest

import cohortex as cx

GRID = cx.Grid.from_parts((20, 20, 20), spacing_mm=(6, 6, 6))
NAMES = {"1": "nuova o aumentata", "2": "scomparsa o ridotta"}
ROW = """<div class="row apart"><div class="segments" role="group"><a href="#">Tutte</a><a href="#">Fallita</a>
<a href="#">In corso</a><a href="#">In coda</a><a href="#">Conclusa</a></div>
<span class="chip bad">Nessun processo attivo: nulla viene elaborato</span></div>"""
CUBE_AT = 0.44  # of the width of the stage; the cube's left edge where all planes are shown


def test_filters_and_long_words_fold_instead_of_running_out_of_the_page(view, site):
    view.set_viewport_size({"width": 400, "height": 700})
    view.goto(site.page(ROW, language="it"))
    assert view.evaluate("document.documentElement.scrollWidth") == 400


@pytest.mark.parametrize("width", [400, 500, 520])
def test_the_legend_of_a_narrow_viewer_is_whole_and_its_menu_leaves_the_cube_free(view, site, width):
    cx.write_image(cx.Image(np.ones(GRID.shape, np.float32), GRID), site.folder / "narrow.nii.gz", overwrite=True)
    cx.write_image(cx.Labels(np.ones(GRID.shape, np.uint8), GRID), site.folder / "change.nii.gz", overwrite=True)
    overlay = {"name": "Variazione", "url": "/change.nii.gz", "kind": "labels", "names": NAMES, "on": True}
    bases = [{"name": "FLAIR", "src": "/narrow.nii.gz"}]
    view.set_viewport_size({"width": width, "height": 900})
    view.goto(site.page(
        f"<scan-viewer name='V' space='native' frame='1' bases='{json.dumps(bases)}' "
        f"overlays='{json.dumps([overlay])}'></scan-viewer>", language="it",
    ))  # fmt: skip
    view.wait_for_selector("scan-viewer[data-resolution=full]")
    view.evaluate("document.fonts.ready.then(() => true)")
    for part in view.locator(".overlay-name, .label-name").all():
        box = part.bounding_box()
        assert box["width"] > 40, view.inner_text(".overlay-row")
        assert box["x"] + box["width"] <= width
    stage, menu = (view.locator(part).bounding_box() for part in (".viewer-stage", ".viewer-corner.left"))
    assert menu["x"] + menu["width"] < stage["x"] + CUBE_AT * stage["width"]
