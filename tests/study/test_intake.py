"""What waits in the intake is encrypted, resumable after any death, and gone once wiped."""

from __future__ import annotations

import os

import pytest

from cohortex.errors import NotThere, Refused, UnreadableFile
from cohortex.study.intake import FRAME_BYTES, Intake

SCAN = b"PHANTOM^ROSSI^MARIA" * 200_000  # more than three frames


@pytest.fixture
def intake(tmp_path) -> Intake:
    return Intake(tmp_path / "intake", key=b"k" * 32, content_key=b"c" * 32)


def send(intake: Intake, data: bytes, *, name: str = "a1", step: int = 700_001) -> None:
    intake.begin(name)
    for start in range(0, len(data), step):
        appending = intake.append(name, offset=start, most=len(data) - start)
        appending.write(data[start : start + step])
        appending.close()


def test_what_was_sent_in_pieces_comes_out_whole(intake):
    send(intake, SCAN)
    assert intake.received("a1") == len(SCAN)
    assert b"".join(intake.pieces("a1")) == SCAN


def test_no_name_can_be_read_on_the_disk(intake, tmp_path):
    send(intake, SCAN)
    stored = b"".join(path.read_bytes() for path in (tmp_path / "intake").iterdir())
    assert len(stored) > len(SCAN)
    assert b"ROSSI" not in stored


def test_a_frame_torn_by_a_crash_is_cut_off_and_sent_again(intake, tmp_path):
    send(intake, SCAN)
    path = tmp_path / "intake" / "a1.sealed"
    with path.open("r+b") as stream:
        stream.truncate(path.stat().st_size - 1000)
    stands = intake.received("a1")
    assert 0 < stands < len(SCAN)
    appending = intake.append("a1", offset=stands, most=len(SCAN) - stands)
    appending.write(SCAN[stands:])
    assert appending.close() == len(SCAN)
    assert b"".join(intake.pieces("a1")) == SCAN


@pytest.mark.parametrize("left", [bytes(4096), b"\xff" * 3, b"\x7f" * 64])
def test_what_a_power_cut_left_behind_the_last_frame_is_cut_off(intake, tmp_path, left):
    send(intake, SCAN[:1000])
    with (tmp_path / "intake" / "a1.sealed").open("ab") as stream:
        stream.write(left)
    assert intake.received("a1") == 1000
    appending = intake.append("a1", offset=1000, most=len(SCAN) - 1000)
    appending.write(SCAN[1000:])
    assert appending.close() == len(SCAN)
    assert b"".join(intake.pieces("a1")) == SCAN


def test_bytes_at_another_offset_are_refused(intake):
    send(intake, b"x" * 100)
    with pytest.raises(Refused, match="stands at byte 100"):
        intake.append("a1", offset=40, most=100)


def test_more_bytes_than_announced_are_refused(intake):
    intake.begin("a1")
    appending = intake.append("a1", offset=0, most=3)
    with pytest.raises(Refused, match="more bytes"):
        appending.write(b"1234")
    assert appending.close() == 0


def test_the_same_bytes_have_the_same_receipt_however_they_were_cut(intake, tmp_path):
    send(intake, SCAN, name="a1", step=FRAME_BYTES)
    send(intake, SCAN, name="b2", step=123_457)
    assert intake.receipt("a1") == intake.receipt("b2")
    elsewhere = Intake(tmp_path / "other", key=b"k" * 32, content_key=b"d" * 32)
    send(elsewhere, SCAN)
    assert elsewhere.receipt("a1") != intake.receipt("a1")


@pytest.mark.parametrize("where", [20, 400, -5])
def test_a_changed_byte_is_noticed(intake, tmp_path, where):
    send(intake, SCAN)
    path = tmp_path / "intake" / "a1.sealed"
    data = bytearray(path.read_bytes())
    data[where] ^= 1
    path.write_bytes(data)
    with pytest.raises(UnreadableFile):
        b"".join(intake.pieces("a1"))


def test_frames_cannot_be_exchanged(intake, tmp_path):
    send(intake, b"a" * FRAME_BYTES + b"b" * FRAME_BYTES, step=FRAME_BYTES)
    path = tmp_path / "intake" / "a1.sealed"
    data = path.read_bytes()
    header = len(data) - 2 * (FRAME_BYTES + 4 + 12 + 16)
    first, second = data[header : header + (len(data) - header) // 2], data[header + (len(data) - header) // 2 :]
    path.write_bytes(data[:header] + second + first)
    with pytest.raises(UnreadableFile, match="damaged"):
        b"".join(intake.pieces("a1"))


def test_another_study_cannot_open_it(intake, tmp_path):
    send(intake, SCAN)
    with pytest.raises(UnreadableFile, match="another study"):
        list(Intake(tmp_path / "intake", key=b"x" * 32, content_key=b"c" * 32).pieces("a1"))


def test_what_is_wiped_is_gone_and_wiping_twice_is_harmless(intake, tmp_path):
    send(intake, SCAN)
    intake.wipe("a1")
    intake.wipe("a1")
    assert not os.listdir(tmp_path / "intake")
    with pytest.raises(NotThere):
        intake.received("a1")


def test_a_name_that_leads_elsewhere_is_refused(intake):
    with pytest.raises(ValueError, match="letters and digits"):
        intake.begin("../a1")
