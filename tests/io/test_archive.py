"""Archives that are what they claim, and archives that are not."""

import io
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest

from cohortex.errors import UnreadableFile, UnsafeArchive
from cohortex.io import ArchiveLimits, read_upload
from cohortex.io.archive import is_archive, unpacked


def zip_of(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def tar_of(path: Path, members: dict[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


@pytest.fixture
def temporary_folders(tmp_path, monkeypatch) -> Path:
    """Where temporary folders are made during the test, to see that they go."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.mark.parametrize("ending", [".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz"])
def test_members_come_out_whole_and_the_folder_goes(tmp_path, temporary_folders, ending):
    path = tmp_path / f"scan{ending}"
    members = {"a/one.bin": b"1" * 3000, "b/one.bin": b"2"}
    modes = {".tar": "w", ".tar.bz2": "w:bz2", ".tar.xz": "w:xz"}
    if ending == ".zip":
        zip_of(path, **members)
    else:
        tar_of(path, members, modes.get(ending, "w:gz"))
    assert is_archive(path)
    with unpacked(path) as found:
        assert {name: file.read_bytes() for file, name in found.names.items()} == members
        assert found.folder.is_dir()
    assert list(temporary_folders.iterdir()) == []


def test_the_folder_goes_also_when_reading_fails(tmp_path, temporary_folders):
    with pytest.raises(RuntimeError), unpacked(zip_of(tmp_path / "scan.zip", a=b"1")):
        raise RuntimeError("stopped")
    assert list(temporary_folders.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["../outside.txt", "/etc/outside.txt", "a/../../outside.txt", "C:/outside.txt", "..\\x"]
)
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_member_that_leads_out_of_the_folder_is_refused(tmp_path, temporary_folders, name, kind):
    path = tmp_path / f"scan.{kind}"
    if kind == "zip":
        zip_of(path, **{"good.txt": b"x", name: b"x"})
    else:
        tar_of(path, {"good.txt": b"x", name: b"x"}, "w")
    with pytest.raises(UnsafeArchive, match="leads out of the archive"), unpacked(path):
        pass
    assert not (tmp_path / "outside.txt").exists()
    assert list(temporary_folders.iterdir()) == []


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(tmp_path, kind):
    path = tmp_path / "scan.tar"
    with tarfile.open(path, "w") as archive:
        entry = tarfile.TarInfo("link")
        entry.type, entry.linkname = kind, "/etc/passwd"
        archive.addfile(entry)
    with pytest.raises(UnsafeArchive, match="link or a device"), unpacked(path):
        pass


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_a_bomb_is_stopped_by_its_ratio(tmp_path, kind):
    content = b"\0" * (4 << 20)
    path = tmp_path / f"bomb.{kind}"
    zip_of(path, a=content) if kind == "zip" else tar_of(path, {"a": content})
    with pytest.raises(UnsafeArchive, match="no scan packs so well"):
        read_upload(path, limits=ArchiveLimits(ratio_from_bytes=1 << 20))


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_an_archive_that_unpacks_too_large_is_refused(tmp_path, kind):
    path = tmp_path / f"large.{kind}"
    members = {str(n): bytes(range(256)) * 40 for n in range(10)}
    zip_of(path, **members) if kind == "zip" else tar_of(path, members, "w")
    with pytest.raises(UnsafeArchive, match="unpacks to more than"):
        read_upload(path, limits=ArchiveLimits(total_bytes=50_000))


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_an_archive_of_too_many_files_is_refused(tmp_path, kind):
    path = tmp_path / f"many.{kind}"
    members = {str(n): b"x" for n in range(10)}
    zip_of(path, **members) if kind == "zip" else tar_of(path, members, "w")
    with pytest.raises(UnsafeArchive, match="more than 5 files"):
        read_upload(path, limits=ArchiveLimits(members=5))


def test_an_encrypted_archive_is_refused(tmp_path):
    path = zip_of(tmp_path / "locked.zip", secret=b"x" * 100)
    content = bytearray(path.read_bytes())
    content[6] |= 1  # local header
    content[content.find(b"PK\x01\x02") + 8] |= 1  # directory
    path.write_bytes(bytes(content))
    with pytest.raises(UnsafeArchive, match=r"encrypted.*without a password"):
        read_upload(path)


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "tar"])
def test_a_truncated_archive_is_refused(tmp_path, kind):
    path = tmp_path / f"cut.{kind}"
    members = {str(n): bytes(range(256)) * 40 for n in range(4)}
    zip_of(path, **members) if kind == "zip" else tar_of(path, members, "w" if kind == "tar" else "w:gz")
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 5])
    with pytest.raises(UnreadableFile, match=r"cut\.(zip|tar).*(truncated|breaks off).*send it again"):
        read_upload(path)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("scan.zip", b"<html>Please log in</html>", r"scan\.zip: not a zip file; .* holds text\. Send the archive"),
        ("scan.zip", bytes(range(200)), "not a zip file; it is named like one but holds something else"),
        ("scan.tar.gz", b"hello", "not an archive; .* holds text"),
    ],
)
def test_a_file_that_only_bears_the_name_of_an_archive_is_not_called_truncated(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableFile, match=words):
        read_upload(tmp_path / name)


def test_a_broken_member_is_named_and_the_others_are_read(tmp_path):
    path = zip_of(tmp_path / "scan.zip", **{"good.txt": b"g" * 100, "bad.txt": bytes(range(256)) * 10})
    content = bytearray(path.read_bytes())
    content[content.find(b"bad.txt") + 60] ^= 0xFF
    path.write_bytes(bytes(content))
    with unpacked(path) as found:
        assert list(found.names.values()) == ["good.txt"]
        ((name, error),) = found.problems
    assert name == "bad.txt"
    assert "broken inside the archive" in str(error)


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_an_archive_in_the_archive_is_named(tmp_path, kind):
    path = tmp_path / f"outer.{kind}"
    members = {"inner.zip": b"PK\x03\x04", "note.txt": b"x"}
    zip_of(path, **members) if kind == "zip" else tar_of(path, members, "w")
    upload = read_upload(path)
    (problem,) = upload.problems
    assert isinstance(problem.error, UnsafeArchive)
    assert "inner.zip is an archive inside" in problem.reason


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_an_empty_archive_is_refused(tmp_path, kind):
    path = tmp_path / f"empty.{kind}"
    zip_of(path) if kind == "zip" else tar_of(path, {}, "w")
    with pytest.raises(UnreadableFile, match="archive is empty"):
        read_upload(path)


def test_a_file_of_no_bytes_named_zip_is_refused(tmp_path):
    (tmp_path / "nothing.zip").touch()
    with pytest.raises(UnreadableFile, match=r"nothing\.zip: the file is empty"):
        read_upload(tmp_path / "nothing.zip")


def test_one_name_twice_gives_two_files(tmp_path):
    path = tmp_path / "twice.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", b"1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a", b"2")
    with unpacked(path) as found:
        assert sorted(file.read_bytes() for file in found.names) == [b"1", b"2"]
