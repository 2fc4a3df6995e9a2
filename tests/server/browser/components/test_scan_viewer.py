"""The viewer shows the right side, place and value: checked against the array it was given, in a real browser."""

from __future__ import annotations

import io
import json
import re

import numpy as np
import pytest
from PIL import Image as Picture

import cohortex as cx

SPACING_MM = (3.0, 3.5, 4.0)
SHAPE = (40, 44, 32)
ORIGIN_MM = (-58.0, -75.0, -62.0)


@pytest.fixture(scope="module")
def scan() -> cx.Image:
    """Every voxel has its own value: a place that is wrong by one voxel shows it."""
    values = np.arange(np.prod(SHAPE), dtype=np.int32).reshape(SHAPE)
    return cx.Image(values, cx.Grid.from_parts(SHAPE, spacing_mm=SPACING_MM, origin_mm=ORIGIN_MM))


@pytest.fixture(scope="module")
def files(site, scan):
    cx.write_image(scan, site.folder / "scan.nii.gz")
    coarse = cx.Image(scan.values[::2, ::2, ::2].copy(), scan.grid.with_spacing(tuple(2 * s for s in SPACING_MM)))
    cx.write_image(coarse, site.folder / "preview.nii.gz")
    labels = np.zeros(SHAPE, np.uint8)
    labels[30:34, 20:24, 14:18] = 7
    cx.write_image(cx.Labels(labels, scan.grid), site.folder / "lesions.nii.gz")
    (site.folder / "broken.nii.gz").write_bytes(b"no image")
    return site


def viewer(name: str = "Visit", **attributes: str) -> str:
    given = {"src": "/preview.nii.gz", "full": "/scan.nii.gz", "space": "native", "frame": "1", **attributes}
    written = " ".join(f"{key.replace('_', '-')}='{value}'" for key, value in given.items())
    return f"<scan-viewer name='{name}' {written}></scan-viewer>"


def opened(view, site, *viewers: str):
    view.goto(site.page(f"<div class='viewers'>{''.join(viewers)}</div>"))
    for n in range(len(viewers)):
        view.locator("scan-viewer").nth(n).and_(view.locator("[data-resolution=full]")).wait_for()
    return view.locator("scan-viewer")


def place(shown) -> np.ndarray:
    return np.array([float(x) for x in shown.get_by_test_id("readout-mm").get_attribute("data-lps").split()])


def value(shown) -> float:
    return float(shown.get_by_test_id("readout-value").get_attribute("data-value"))


def index_of(lps: np.ndarray) -> tuple[int, ...]:
    return tuple(int(n) for n in np.rint((lps - ORIGIN_MM) / SPACING_MM))


def click_axial(shown, across: float, down: float) -> None:
    """Click a place of the axial picture alone, as fractions of the stage."""
    canvas = shown.locator("canvas")
    box = canvas.bounding_box()
    canvas.click(position={"x": across * box["width"], "y": down * box["height"]})


def test_the_value_under_the_crosshair_is_the_voxel_of_the_array(view, files, scan):
    shown = opened(view, files, viewer())
    shown.locator("[data-layout=axial]").click()
    for across, down in ((0.4, 0.45), (0.62, 0.5), (0.5, 0.7)):
        click_axial(shown, across, down)
        assert value(shown) == scan.values[index_of(place(shown))]


def test_the_left_of_the_picture_is_the_right_of_the_patient_and_can_be_switched(view, files):
    shown = opened(view, files, viewer())
    shown.locator("[data-layout=axial]").click()
    assert shown.get_attribute("data-image-left") == "R"
    click_axial(shown, 0.35, 0.5)
    radiological = place(shown)
    assert radiological[0] < 0  # LPS: the patient's right
    assert shown.get_by_test_id("readout-mm").inner_text().startswith("R ")
    shown.get_by_test_id("convention").click()
    assert shown.get_attribute("data-image-left") == "L"
    click_axial(shown, 0.35, 0.5)
    assert place(shown)[0] > 0
    assert shown.get_by_test_id("readout-mm").inner_text().startswith("L ")


def test_the_picture_on_the_screen_is_the_slice_with_the_patients_left_on_its_right(view, files):
    shown = opened(view, files, viewer())  # the values grow to the left of the patient
    shown.locator("[data-layout=axial]").click()
    view.wait_for_timeout(300)
    sides = brightness_of_sides(shown)
    assert sides[1] > max(1.8 * sides[0], 120)
    shown.get_by_test_id("convention").click()
    view.wait_for_timeout(300)
    np.testing.assert_allclose(brightness_of_sides(shown)[::-1], sides, atol=20)


def brightness_of_sides(shown) -> tuple[float, float]:
    """The mean grey of the left and right of what is drawn, inside the slice and away from the crosshair."""
    grey = np.asarray(Picture.open(io.BytesIO(shown.locator("canvas").screenshot())).convert("L"), float)
    rows, columns = np.nonzero(grey > 25)
    low, high = np.percentile(columns, (2, 98)).astype(int)
    top, bottom = np.percentile(rows, (20, 80)).astype(int)
    quarter = (high - low) // 4
    return float(grey[top:bottom, low : low + quarter].mean()), float(grey[top:bottom, high - quarter : high].mean())


def test_the_top_of_an_axial_picture_is_the_front_of_the_patient(view, files):
    shown = opened(view, files, viewer())
    shown.locator("[data-layout=axial]").click()
    click_axial(shown, 0.5, 0.3)
    front = place(shown)
    click_axial(shown, 0.5, 0.7)
    assert front[1] < place(shown)[1]  # LPS: smaller is anterior


def test_going_to_a_place_shows_that_place_in_lps(view, files, scan):
    shown = opened(view, files, viewer())
    target = np.asarray(ORIGIN_MM) + np.array([31, 12, 20]) * SPACING_MM
    view.evaluate("p => document.querySelector('scan-viewer').goTo(p)", target.tolist())
    np.testing.assert_allclose(place(shown), target, atol=0.01)
    assert value(shown) == scan.values[31, 12, 20]
    x, y, z = target
    words = re.sub(r"\s+", " ", shown.get_by_test_id("readout-mm").inner_text())
    assert words == f"{'L' if x > 0 else 'R'} {abs(x):.1f} {'P' if y > 0 else 'A'} {abs(y):.1f} S {z:.1f} mm"


def test_an_arrow_key_steps_one_slice(view, files):
    shown = opened(view, files, viewer())
    shown.locator("[data-layout=axial]").click()
    click_axial(shown, 0.5, 0.5)
    before = place(shown)
    view.keyboard.press("ArrowUp")
    np.testing.assert_allclose(place(shown) - before, (0, 0, SPACING_MM[2]), atol=0.01)


def test_linked_viewers_of_one_frame_follow_and_others_do_not(view, files):
    shown = opened(view, files, viewer(link="a"), viewer(link="a"), viewer(link="a", frame="2"))
    target = np.asarray(ORIGIN_MM) + np.array([10, 30, 8]) * SPACING_MM
    elsewhere = place(shown.nth(2))
    view.evaluate("p => document.querySelector('scan-viewer').goTo(p)", target.tolist())
    np.testing.assert_allclose(place(shown.nth(1)), target, atol=0.01)
    np.testing.assert_allclose(place(shown.nth(2)), elsewhere, atol=0.01)


def test_an_overlay_says_its_label_and_can_be_switched_off(view, files):
    overlay = {"url": "/lesions.nii.gz", "name": "Lesions", "kind": "labels", "opacity": 0.4, "on": True}
    shown = opened(view, files, viewer(overlays=json.dumps([overlay])))
    inside = np.asarray(ORIGIN_MM) + np.array([31, 21, 15]) * SPACING_MM
    view.evaluate("p => document.querySelector('scan-viewer').goTo(p)", inside.tolist())
    assert shown.get_by_test_id("readout-overlay").inner_text() == "Lesions 7"
    shown.locator("canvas").focus()
    view.keyboard.press("o")
    assert shown.get_by_test_id("readout-overlay").inner_text() == ""


def test_choosing_a_lesion_moves_each_viewer_to_its_own_place(view, files):
    points = {"native 1": [2.0, -5.0, 2.0], "native 2": [-10.0, 16.0, -6.0]}
    row = f"<lesion-list for='s'><button data-points='{json.dumps(points)}'>1</button></lesion-list>"
    shown = opened(view, files, viewer(data_scene="s"), viewer(data_scene="s", frame="2") + row)
    view.locator("lesion-list button").click()
    np.testing.assert_allclose(place(shown.nth(0)), points["native 1"], atol=0.01)
    np.testing.assert_allclose(place(shown.nth(1)), points["native 2"], atol=0.01)


@pytest.mark.parametrize(("file", "reason"), [("/gone.nii.gz", "error 404"), ("/broken.nii.gz", "not a readable")])
def test_a_file_that_fails_says_why_and_offers_to_try_again(view, files, file, reason):
    view.goto(files.page(viewer(src=file, full="")))
    message = view.get_by_role("alert")
    message.wait_for()
    assert "Visit cannot be shown" in message.inner_text()
    assert reason in message.inner_text()
    assert message.get_by_role("button", name="Try again").is_visible()


def test_a_file_that_does_not_come_holds_up_no_other_viewer(view, files):
    view.goto(files.page(f"<div class='viewers'>{viewer('A', src='/never.nii.gz')}{viewer('B')}</div>"))
    view.locator("scan-viewer[name=B][data-resolution=full]").wait_for(timeout=15_000)
    assert view.locator("scan-viewer[name=A][data-state]").count() == 0


def test_a_viewer_that_is_removed_before_its_turn_leaves_it_to_the_next(view, files):
    view.goto(files.page(f"<div class='viewers'>{viewer('A', src='/never.nii.gz')}{viewer('B')}</div>"))
    view.evaluate("document.querySelector('scan-viewer').remove()")
    view.locator("scan-viewer[name=B][data-resolution=full]").wait_for(timeout=15_000)


def test_a_series_chosen_before_the_first_is_loaded_is_the_one_that_is_shown(view, files, scan):
    cx.write_image(scan.with_values(np.full(SHAPE, 7, np.int32)), files.folder / "sevens.nii.gz")
    bases = [
        {"name": name, "src": None, "full": f"/{file}.nii.gz"} for name, file in (("T1", "scan"), ("T2", "sevens"))
    ]
    held: list = []
    view.route("**/vendor/niivue.js", lambda route: held.append(route))
    with view.expect_request("**/vendor/niivue.js"):
        view.goto(files.page(viewer(bases=json.dumps(bases))))
    view.evaluate("document.querySelector('scan-viewer').chooseBase(1)")
    held[0].continue_()
    shown = view.locator("scan-viewer[data-resolution=full]")
    shown.wait_for()
    assert value(shown) == 7


def test_without_webgl_the_viewer_says_what_to_do(view, files):
    view.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    view.goto(files.page(viewer()))
    message = view.get_by_role("alert")
    message.wait_for()
    assert "no WebGL 2" in message.inner_text()
    assert "hardware acceleration" in message.inner_text()
