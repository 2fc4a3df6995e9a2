"""Which visits a path holds: one archive, a folder of DICOM or NIfTI, a BIDS folder, or a folder of visits."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from cohortex.errors import VisitProblem
from cohortex.io.archive import ARCHIVE_ENDINGS
from cohortex.pipeline.visits.headers import VisitHeaders, read_visit_headers
from cohortex.pipeline.visits.order import natural_key, sorting_key
from cohortex.pipeline.visits.study_code import names_no_person, study_code_from, study_code_from_content, visit_from

_IMAGES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd", ".mgz", ".mgh", ".hdr", ".img", ".img.gz")
_NOTES = (".json", ".bval", ".bvec", ".txt", ".md", ".csv", ".tsv", ".html", ".pdf")
_ONE_VISIT = "visit-1"
_BIDS_VISIT_FOLDERS = ("anat", "dwi", "perf", "ct")
_PROBED = 3  # files of a folder looked into for DICOM: a DICOMDIR or a note may come first

LISTED = 3
"""How many files or problems a message names; the rest is counted."""


@dataclass(frozen=True, kw_only=True)
class VisitSource:
    """Where one visit of one person lies.

    Attributes
    ----------
    study_code : str
        Stands for the person; from names of files and folders, never from headers. Where no name of the path that
        was given names a person, a neutral code made from the content of the scans.
    visit : str
        Which visit.
    paths : tuple of Path
        What to read: an archive, a folder of DICOM, or image files (labels among them are recognised later).
    reason : str
        Why this is one visit, in words.
    apart : bool
        Whether each path is read by itself, so that one that comes later leaves what was made of the others as it is.
    notes : tuple of str
        Which scans beside it were left out, and what to do about it.
    headers : VisitHeaders or None
        What the headers of `paths` say, where they were read; `headers_of` reads them where not. Never shown.
    """

    study_code: str
    visit: str
    paths: tuple[Path, ...]
    reason: str
    apart: bool = False
    notes: tuple[str, ...] = ()
    headers: VisitHeaders | None = field(default=None, repr=False, compare=False)

    @property
    def name(self) -> str:
        """Study code and visit."""
        return f"{self.study_code} {self.visit}"


def find_visits(source: Path | Sequence[Path], *, study_code: str | None = None) -> list[VisitSource]:
    """Find the visits in a path, or take the given files as one visit.

    Several files given together are one visit. An archive is one visit. In a folder: BIDS `sub-*`, `ses-*`; one
    visit for each archive; DICOM files, in subfolders too, one visit for each examination (Study Instance UID);
    other image files one visit, unless their names begin with different visits (study1_, visit-2_, ses-03) or
    persons (sub-01_): then one visit each. Subfolders without DICOM are searched in the same way.

    Parameters
    ----------
    source : Path or sequence of Path
        A file, a folder, or files of one visit.
    study_code : str, optional
        Instead of the codes taken from names; allowed when all visits are of one person.

    Returns
    -------
    list of VisitSource
        Sorted by study code and visit, as a person would: visit-2 before visit-10, baseline before follow-up.

    Raises
    ------
    FileNotFoundError
        If there is nothing at a path.
    VisitProblem
        If a folder holds nothing that looks like a scan, or `study_code` is given for several persons.
    """
    given = [source] if isinstance(source, Path) else list(source)
    for path in given:
        if not path.exists():
            raise FileNotFoundError(f"{path.name}: no such file or folder; check the path.")
    if not given:
        raise VisitProblem("no file was given; name an archive, a folder or the image files of a visit.")
    if len(given) > 1:
        found = [_visit(given[0], given, "given together")]
    elif given[0].is_dir():
        found = _in_folder(_with_a_name(given[0]))
    else:
        found = [_visit(given[0], given, "one file")]
    if not found:
        raise VisitProblem(
            f"{given[0].name}: no archive, DICOM or NIfTI file in this folder. Give the folder that holds the scans."
        )
    if study_code is not None:
        persons = {visit.study_code for visit in found if visit.study_code}  # a name that names nobody is no person
        if len(persons) > 1:
            raise VisitProblem(
                f"{given[0].name} holds visits of {len(persons)} persons ({', '.join(sorted(persons))}); one study "
                "code cannot stand for them. Process one person, or leave the code out."
            )
        found = [replace(visit, study_code=study_code) for visit in found]
    return _told_apart(
        _all_coded(
            sorted(found, key=lambda visit: (natural_key(visit.study_code), sorting_key(visit.visit), visit.paths))
        )
    )


def headers_of(visit: VisitSource) -> VisitHeaders:
    """Give what the headers of a visit say, read now unless they were before."""
    return visit.headers if visit.headers is not None else read_visit_headers(visit.paths)


def with_headers(visit: VisitSource) -> VisitSource:
    """Let a visit carry what its headers say, so that they are read once: an archive is unpacked for it."""
    return replace(visit, headers=headers_of(visit))


def names_of(paths: Sequence[Path]) -> str:
    """Name files in a message, the first ones of many."""
    return ", ".join(path.name for path in paths[:LISTED]) + (" …" if len(paths) > LISTED else "")


def _in_folder(folder: Path) -> list[VisitSource]:
    if folder.name.startswith("sub-"):
        return _in_bids_person(folder)
    if folder.name.startswith("ses-"):
        person = folder.resolve().parent.name  # of a BIDS folder, whether named or not
        code = study_code_from(person) if person.startswith("sub-") else _person_and_visit(folder)[0]
        return _bids_visit(folder, code, folder.name)
    if persons := _folders(folder, "sub-"):
        return [visit for person in persons for visit in _in_bids_person(person)]  # not derivatives, not sourcedata
    found: list[VisitSource] = []
    files = _files(folder)
    for archive in (file for file in files if _ends(file, ARCHIVE_ENDINGS)):
        found.append(_visit(archive, [archive], "one archive"))
    if images := [file for file in files if _ends(file, _IMAGES)]:
        found += _by_names(folder, images)
    found += _by_examination(folder)
    for subfolder in _folders(folder, ""):
        if not any(map(_is_dicom_folder, _all_folders(subfolder))):
            found += _in_folder(subfolder)
    return found


def _with_a_name(folder: Path) -> Path:
    """The folder as it was given, with its own name where that is "." or ".."; those above it stay unnamed."""
    return folder if folder.name not in ("", "..") else folder / ".." / folder.resolve().name


def _person_and_visit(place: Path) -> tuple[str, str | None]:
    """Read the study code and the visit off a path; the code is empty where no name in it names a person.

    What is named after a visit or a contrast only ("baseline.zip", "visit1/flair.nii.gz") belongs to the person that
    the folder above is named after, if it was given: a folder one happens to work in is nobody's name.
    """
    visit = None
    for level in (place, *place.parents[:3]):
        if level.name in ("", ".."):
            break
        visit = visit or visit_from(level.name, of_image=_ends(level, _IMAGES))
        if not names_no_person(level.name):
            return study_code_from(level.name), visit
    return "", visit


def _all_coded(visits: list[VisitSource]) -> list[VisitSource]:
    """Give visits that no name gives a person one code, from the first of them: a later one does not change it."""
    unnamed = [visit for visit in visits if not visit.study_code]
    if not unnamed:
        return visits
    code = study_code_from_content(unnamed[0].paths)
    return [visit if visit.study_code else replace(visit, study_code=code) for visit in visits]


def _in_bids_person(person: Path) -> list[VisitSource]:
    code = study_code_from(person.name)
    sessions = _folders(person, "ses-")
    if sessions:
        return [visit for session in sessions for visit in _bids_visit(session, code, session.name)]
    return _bids_visit(person, code, _ONE_VISIT)


def _bids_visit(folder: Path, code: str, visit: str) -> list[VisitSource]:
    images = [
        file
        for place in (folder, *(folder / name for name in _BIDS_VISIT_FOLDERS))
        if place.is_dir()
        for file in _files(place)
        if _ends(file, _IMAGES)
    ]
    if not images:
        return []
    others = [
        file
        for place in _folders(folder, "")
        if place.name not in _BIDS_VISIT_FOLDERS and not place.name.startswith("ses-")
        for file in _files(place)
        if _ends(file, _IMAGES)
    ]
    notes = _left_out(others, f"not in {', '.join(_BIDS_VISIT_FOLDERS)}", "Give files of this visit together to use")
    return [VisitSource(study_code=code, visit=visit, paths=tuple(images), reason="BIDS names", notes=notes)]


def _by_names(folder: Path, images: list[Path]) -> list[VisitSource]:
    """Image files of one folder: several visits only where every scan among them names its own."""
    groups: dict[tuple[str, str], list[Path]] = defaultdict(list)
    shared: list[Path] = []
    for image in images:
        visit = visit_from(image.name, of_image=True)
        person = study_code_from(image.name) if image.name.startswith("sub-") else ""
        if visit is None and not person:
            shared.append(image)  # such as a mask of both visits
        else:
            groups[person, visit or _ONE_VISIT].append(image)
    if len(groups) < 2:
        return [_visit(folder, images, "image files of one folder", visit=next(iter(groups), ("", None))[1])]
    code, _ = _person_and_visit(folder)
    notes = _left_out(shared, "of no visit by name", "Name the visit in the file name to use")
    return [
        VisitSource(
            study_code=person or code,
            visit=visit,
            paths=tuple(paths),
            reason=f"file names that speak of {visit}"
            + (f"; {len(shared)} files name no visit and are left out" if shared else ""),
            notes=notes,
        )
        for (person, visit), paths in groups.items()
    ]


def _left_out(files: Sequence[Path], why: str, remedy: str) -> tuple[str, ...]:
    """Tell which images of a folder no visit was given; nothing where there are none."""
    if not files:
        return ()
    names = ", ".join(file.name for file in files[:LISTED]) + (
        f" and {len(files) - LISTED} more" if len(files) > LISTED else ""
    )
    what, them = ("image was", "it") if len(files) == 1 else ("images were", "them")
    return (f"{len(files)} {what} left out, {why}: {names}. {remedy} {them}.",)


def _by_examination(folder: Path) -> list[VisitSource]:
    """DICOM in a folder and below: the folders of one examination are one visit."""
    examinations: dict[str, list[Path]] = defaultdict(list)
    for place in _all_folders(folder):
        if _is_dicom_folder(place):
            examinations[_examination(place)].append(place)
    found = []
    for places in examinations.values():
        root = Path(os.path.commonpath(places))
        others = [place for group in examinations.values() if group is not places for place in group]
        paths = places if any(other.is_relative_to(root) for other in others) else [root]
        parts = root.relative_to(folder).parts if len(examinations) > 1 else ()
        place = next((folder / part for part in parts if not names_no_person(part)), folder)
        visit = next((visit for part in reversed((folder.name, *parts)) if (visit := visit_from(part))), None)
        found.append(_visit(place, paths, "DICOM of one examination", visit=visit))
    return found


def _visit(place: Path, paths: Sequence[Path], reason: str, *, visit: str | None = None) -> VisitSource:
    code, named = _person_and_visit(place)
    return VisitSource(
        study_code=code,
        visit=visit or named or _ONE_VISIT,
        paths=tuple(paths),
        reason=reason,
    )


def _told_apart(visits: list[VisitSource]) -> list[VisitSource]:
    """Number visits that would otherwise bear the same code and name."""
    seen: dict[tuple[str, str], int] = {}
    result = []
    for visit in visits:
        key = visit.study_code, visit.visit
        seen[key] = seen.get(key, 0) + 1
        result.append(visit if seen[key] == 1 else replace(visit, visit=f"{visit.visit}-{seen[key]}"))
    return result


def _examination(folder: Path) -> str:
    for file in _files(folder):
        if _is_dicom(file) and (uids := read_visit_headers([file]).examinations):
            return min(uids)
    return folder.as_posix()


def _is_dicom_folder(folder: Path) -> bool:
    candidates = [file for file in _files(folder) if not _ends(file, (*_IMAGES, *ARCHIVE_ENDINGS, *_NOTES))]
    return any(_is_dicom(file) for file in candidates[:_PROBED])


def _is_dicom(file: Path) -> bool:
    """Whether a file has DICOM's mark at byte 128 (PS3.10), or its usual ending where the mark was left out."""
    with file.open("rb") as stream:
        start = stream.read(132)
    return start[128:] == b"DICM" or (file.suffix.lower() in (".dcm", ".ima") and len(start) == 132)


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.is_file() and not file.name.startswith("."))


def _folders(folder: Path, start: str) -> list[Path]:
    return sorted(
        sub
        for sub in folder.iterdir()
        if sub.is_dir() and sub.name.startswith(start) and not sub.name.startswith((".", "__MACOSX"))
    )


def _all_folders(folder: Path) -> list[Path]:
    """The folder and all below it, but hidden ones."""
    return [folder, *(deeper for sub in _folders(folder, "") for deeper in _all_folders(sub))]


def _ends(file: Path, endings: Iterable[str]) -> bool:
    return file.name.lower().endswith(tuple(endings))
