"""Uploads from a real browser to the real endpoints: dropped, paused, cut off, resumed, cancelled, held and decided."""

from __future__ import annotations

import base64
import re
import zipfile

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from served import Served

from cohortex import phantoms
from cohortex.server.assets import STATIC
from cohortex.study import Study
from cohortex.study.people import add_centre, add_uploader

pytestmark = pytest.mark.acceptance

PASSWORD = "correct horse battery"
expect.set_options(timeout=30_000)  # the machines of the tests are shared
SLOWLY_BYTES_PER_S = 400_000
CHECKED_WITHIN_MS = 90_000


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    if not (STATIC / "vendor" / "versions.json").is_file():
        pytest.skip("the browser libraries are not here; run: make install")
    home = tmp_path_factory.mktemp("uploads") / "study"
    study = Study.create(home, name="Lesions")
    add_centre(study, code="NORD", name="Hospital North", country="IT")
    add_uploader(study, centre="NORD", login="anna", name="Anna", password=PASSWORD)
    study.close()
    with Served(home, workers=1) as server:
        yield server


@pytest.fixture(scope="module")
def large_file(tmp_path_factory):
    """A zip of some megabytes that holds no image."""
    path = tmp_path_factory.mktemp("large") / "large.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("noise.bin", np.random.default_rng(3).bytes(3_000_000))
    return path


@pytest.fixture
def visit(view, served) -> str:
    """Somebody signed in on the page of a new visit; its key."""
    view.goto(f"{served.address}/sign-in")
    view.locator("#login").fill("anna")
    view.locator("#password").fill(PASSWORD)
    view.keyboard.press("Enter")
    view.wait_for_url("**/patients")
    code = sent(view, "/api/patients", {"sex": "F"})["code"]
    key = sent(view, f"/api/patients/{code}/visits", {"date": "2024-01-10"})["id"]
    view.on("dialog", lambda dialog: dialog.accept())  # "leave the page?" while a file is on its way
    view.goto(f"{served.address}/visits/{key}")
    return key


def sent(page: Page, path: str, content: dict[str, object]):
    address = re.match(r"https?://[^/]+", page.url)[0]
    reply = page.request.post(address + path, data=content, headers={"X-Cohortex": "1"})
    assert reply.ok, reply.text()
    return reply.json()


def uploads_of(page: Page, visit: str) -> list[dict[str, object]]:
    address = re.match(r"https?://[^/]+", page.url)[0]
    found = page.request.get(f"{address}/api/uploads").json()["uploads"]
    return [upload for upload in found if upload["visit"] == visit]


def send_slowly(page: Page) -> None:
    wire = page.context.new_cdp_session(page)
    wire.send("Network.enable")
    wire.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": SLOWLY_BYTES_PER_S},
    )


def offsets(page: Page) -> list[int]:
    """Where each piece that the page sends from now on begins."""
    begun: list[int] = []
    page.on(
        "request",
        lambda request: begun.append(int(request.headers["upload-offset"])) if request.method == "PATCH" else None,
    )
    return begun


def choose(page: Page, path) -> None:
    page.locator('upload-drop input[type="file"]').set_input_files(path)


def half_way(page: Page) -> None:
    expect(page.locator(".transfer .state")).to_contain_text(re.compile(r"[1-9]\S* [kM]B / .*left"))
    page.wait_for_timeout(2500)


def test_a_dropped_file_arrives_and_says_why_it_is_refused(view, visit, large_file):
    content = base64.b64encode(large_file.read_bytes()).decode()
    carried = view.evaluate_handle(
        """content => { const bytes = Uint8Array.from(atob(content), c => c.charCodeAt(0));
        const carried = new DataTransfer();
        carried.items.add(new File([bytes], "scan of Anna.zip"));
        return carried; }""",
        content,
    )
    view.dispatch_event("upload-drop .drop", "drop", {"dataTransfer": carried})
    card = view.locator("#uploads .upload")
    expect(card.get_by_text("Refused", exact=True)).to_be_visible(timeout=CHECKED_WITHIN_MS)
    expect(card.get_by_role("alert")).to_contain_text("The file is no DICOM image.")
    expect(view.locator(".transfer .state")).to_contain_text("Refused")
    [upload] = uploads_of(view, visit)
    assert upload["state"] == "refused"
    assert "Anna" not in str({**upload, "uploader": ""})  # nothing of the file's name is kept


def test_a_paused_transfer_goes_on_where_it_stopped(view, visit, large_file):
    send_slowly(view)
    choose(view, large_file)
    half_way(view)
    view.get_by_role("button", name="Pause").click()
    expect(view.locator(".transfer .state")).to_contain_text("paused")
    [paused] = uploads_of(view, visit)
    assert 0 < paused["offset"] < paused["size"]
    begun = offsets(view)
    view.get_by_role("button", name="Go on").click()
    expect(view.locator(".transfer .state")).to_contain_text(re.compile("Received|Being checked|Refused"))
    assert begun[0] >= paused["offset"]
    [done] = uploads_of(view, visit)
    assert (done["id"], done["offset"]) == (paused["id"], done["size"])


def test_after_a_reload_the_same_file_goes_on_where_it_was_cut_off(view, visit, large_file):
    send_slowly(view)
    choose(view, large_file)
    half_way(view)
    view.reload()
    expect(view.locator(".transfer")).to_contain_text("Interrupted upload")
    expect(view.locator(".transfer .state")).to_contain_text("Choose the same file again")
    [cut] = uploads_of(view, visit)
    assert 0 < cut["offset"] < cut["size"]
    begun = offsets(view)
    choose(view, large_file)
    expect(view.locator("#uploads .upload").get_by_text("Refused", exact=True)).to_be_visible(timeout=CHECKED_WITHIN_MS)
    assert begun[0] >= cut["offset"]
    assert [upload["id"] for upload in uploads_of(view, visit)] == [cut["id"]]
    expect(view.locator(".transfer")).to_have_count(1)


def test_a_cancelled_transfer_leaves_nothing(view, visit, large_file):
    send_slowly(view)
    choose(view, large_file)
    half_way(view)
    view.get_by_role("button", name="Cancel").click()
    expect(view.locator(".transfer")).to_have_count(0)
    assert [upload["state"] for upload in uploads_of(view, visit)] == ["withdrawn"]
    view.reload()
    expect(view.locator("upload-drop .drop")).to_be_visible()
    expect(view.locator(".transfer")).to_have_count(0)


def test_several_files_travel_one_after_the_other(view, visit, large_file, tmp_path):
    other = tmp_path / "other.zip"
    other.write_bytes(large_file.read_bytes() + b"\0")
    send_slowly(view)
    choose(view, [large_file, other])
    expect(view.locator(".transfer[data-state=sending]")).to_have_count(1)
    expect(view.locator(".transfer[data-state=waiting]")).to_have_count(1)
    expect(view.locator("#uploads .upload")).to_have_count(2, timeout=CHECKED_WITHIN_MS)
    assert len(uploads_of(view, visit)) == 2


def test_a_transfer_that_is_turned_down_says_why(view, visit, large_file):
    view.locator("upload-drop").evaluate("drop => drop.setAttribute('visit', 'nothing')")
    choose(view, large_file)
    expect(view.locator(".transfer[data-state=failed] .state")).to_contain_text("There is no such visit")
    assert uploads_of(view, visit) == []


def test_an_archive_of_two_patients_is_held_until_a_person_decides(view, visit, tmp_path):
    both = tmp_path / "both.zip"
    with zipfile.ZipFile(both, "w") as archive:
        for seed in (1, 2):
            scan = phantoms.scan(
                phantoms.head(spacing_mm=8, rng=np.random.default_rng(seed)), "T1", rng=np.random.default_rng(seed)
            )
            phantoms.write_dicom_zip({"T1": scan}, tmp_path / f"{seed}.zip", seed=seed)
            with zipfile.ZipFile(tmp_path / f"{seed}.zip") as one:
                for name in one.namelist():
                    archive.writestr(f"{seed}/{name}", one.read(name))
    choose(view, both)
    card = view.locator("#uploads .upload")
    expect(card.get_by_text("Held for you")).to_be_visible(timeout=CHECKED_WITHIN_MS)
    expect(card).to_contain_text("There seem to be two patients in this zip")
    expect(view.locator("#status")).to_contain_text("Needs attention")
    card.get_by_role("button", name="Decide").click()
    dialog = view.get_by_role("dialog")
    dialog.get_by_role("button", name="Confirm").click()
    expect(dialog).to_be_visible()  # without a decision and a reason nothing happens
    dialog.get_by_role("radio", name="Refuse and erase").check()
    dialog.get_by_label("Reason").fill("two people in one archive")
    dialog.get_by_role("button", name="Confirm").click()
    expect(card.get_by_text("Refused", exact=True)).to_be_visible()
    assert [upload["state"] for upload in uploads_of(view, visit)] == ["refused"]
