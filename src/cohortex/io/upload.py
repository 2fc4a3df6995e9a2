"""Everything in an upload: images, what went wrong with the others, and what was no image at all."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cohortex.errors import CohortexError, NotAnImage, SeveralImages, UnknownFormat, UnreadableFile
from cohortex.image import Image
from cohortex.io.archive import ArchiveLimits, is_archive, unpacked
from cohortex.io.dicom_file import DIRECTORY_CLASS, DicomFile, looks_like_dicom, patient_key, read_dicom_file
from cohortex.io.dicom_objects import images_of_files
from cohortex.io.dicom_series import Gaps, Uneven
from cohortex.io.formats import format_of, read_file
from cohortex.io.quiet import quiet_dicom_library
from cohortex.progress import Progress, ProgressCallback, silent


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Something in an upload that could not be read.

    Attributes
    ----------
    file : str
        Its name in the upload, or the series.
    error : CohortexError
        What is wrong and what to do next.
    series_known : bool
        Whether it is known to which series it belongs; if not, any series beside it may lack a slice.
    """

    file: str
    error: CohortexError
    series_known: bool = False

    @property
    def reason(self) -> str:
        """The message, with file, reason and remedy."""
        return str(self.error)


@dataclass(frozen=True, kw_only=True)
class Upload:
    """What was found in a file, folder or archive.

    Attributes
    ----------
    images : tuple of Image
        Every image that could be read, series by series.
    problems : tuple of Problem
        What should have been an image and is not.
    ignored : tuple of (str, str)
        Files that are no images (text, DICOMDIR, reports), each with the reason.
    warnings : tuple of str
        What looks wrong about the upload as a whole, such as two patients in it.
    """

    images: tuple[Image, ...]
    problems: tuple[Problem, ...]
    ignored: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]


def read_upload(
    path: Path | str,
    *,
    gaps: Gaps = "refuse",
    uneven: Uneven = "refuse",
    limits: ArchiveLimits | None = None,
    progress: ProgressCallback = silent,
) -> Upload:
    """Read every image in a file, folder, zip or tar; a bad series never loses the good ones.

    Parameters
    ----------
    path : Path or str
        One file of any format read here, a folder, or an archive of such files.
    gaps : {"refuse", "interpolate"}
        What to do about missing slices.
    uneven : {"refuse", "resample"}
        What to do about unevenly spaced slices.
    limits : ArchiveLimits, optional
        How far an archive may unpack.
    progress : callable, optional
        Told after each file; reading stops when it raises.

    Returns
    -------
    Upload
        Images, problems, ignored files and warnings.

    Raises
    ------
    UnreadableFile, UnsafeArchive
        If the file or archive as a whole cannot be read.
    FileNotFoundError
        If there is nothing at `path`.
    """
    with members(Path(path), limits=limits, progress=progress) as (names, problems), quiet_dicom_library():
        return _read_members(names, list(problems), gaps=gaps, uneven=uneven, progress=progress)


def read_series(
    path: Path | str,
    *,
    gaps: Gaps = "refuse",
    uneven: Uneven = "refuse",
    limits: ArchiveLimits | None = None,
    progress: ProgressCallback = silent,
) -> list[Image]:
    """Read every image in a DICOM folder, zip, tar or file, and raise if any of them cannot be read.

    Parameters
    ----------
    path, gaps, uneven, limits, progress
        As for `read_upload`, which goes on after a bad series.

    Returns
    -------
    list of Image
        Series by series.

    Raises
    ------
    CohortexError
        The first problem found (its message says how many more there are); `NotAnImage` where nothing in the
        upload is an image.
    """
    upload = read_upload(path, gaps=gaps, uneven=uneven, limits=limits, progress=progress)
    name = Path(path).name
    if upload.problems:
        first = upload.problems[0]
        more = f" ({len(upload.problems) - 1} more problems in {name})" if len(upload.problems) > 1 else ""
        raise type(first.error)(first.reason + more) from first.error
    if not upload.images:
        listed = "; ".join(reason for _, reason in upload.ignored[:5])
        raise NotAnImage(f"{name}: no image in it. {listed or 'It is empty.'}")
    return list(upload.images)


def read_image(
    path: Path | str,
    *,
    gaps: Gaps = "refuse",
    uneven: Uneven = "refuse",
    limits: ArchiveLimits | None = None,
    progress: ProgressCallback = silent,
) -> Image:
    """Read one image from a file, folder or archive.

    Parameters
    ----------
    path, gaps, uneven, limits, progress
        As for `read_upload`.

    Returns
    -------
    Image
        The only image there.

    Raises
    ------
    SeveralImages
        If there are more; the message names them all.
    CohortexError
        As `read_series`.
    """
    images = read_series(path, gaps=gaps, uneven=uneven, limits=limits, progress=progress)
    if len(images) > 1:
        found = (
            f"{Path(path).name}: {len(images)} images where one was asked for: "
            f"{'; '.join(_described(image) for image in images)}."
        )
        raise SeveralImages(f"{found} Use read_series, or give the files of one image.", found=found)
    return images[0]


def _described(image: Image) -> str:
    number = image.metadata.get("series_number")
    what = image.metadata.get("series_description") or image.metadata.get("source") or "image"
    size = "×".join(map(str, image.values.shape))
    echo = image.metadata.get("echo_time_s")
    parts = [f"series {number}" if number is not None else "", str(what), size]
    if isinstance(echo, float):
        parts.append(f"TE {echo * 1000:g} ms")
    return " ".join(part for part in parts if part)


@contextmanager
def members(
    path: Path, *, limits: ArchiveLimits | None = None, progress: ProgressCallback = silent
) -> Iterator[tuple[dict[Path, str], tuple[tuple[str, CohortexError], ...]]]:
    """Find the files of an upload: the file itself, those of a folder, or those of an archive while it is open.

    Yields
    ------
    dict of Path to str
        Each file and its name in the upload, sorted by name.
    tuple of (str, CohortexError)
        Archive members that could not be unpacked.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path.name}: no such file or folder.")
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        if not files:
            raise UnreadableFile(f"{path.name}: the folder is empty. Give the folder that holds the scan.")
        yield {file: file.relative_to(path).as_posix() for file in files}, ()
    elif is_archive(path):
        with unpacked(path, limits=limits, progress=progress) as found:
            yield dict(sorted(found.names.items(), key=lambda item: item[1])), found.problems
    else:
        yield {path: path.name}, ()


def _read_members(
    names: dict[Path, str],
    broken: Sequence[tuple[str, CohortexError]],
    *,
    gaps: Gaps,
    uneven: Uneven,
    progress: ProgressCallback,
) -> Upload:
    problems = [Problem(file=name, error=error) for name, error in broken]
    ignored: list[tuple[str, str]] = []
    dicom: list[DicomFile] = []
    images: list[Image] = []
    alone = len(names) == 1 and not broken
    for done, (path, name) in enumerate(names.items()):
        progress(Progress(task="reading headers", done=done, total=len(names)))
        try:
            if _is_second_half(path, names):
                continue
            if _is_other_format(path, name):
                images.append(read_file(path, name=name, progress=progress))
            elif path.stat().st_size == 0:
                raise UnreadableFile(f"{name}: the file is empty (0 bytes). Send it again.")
            elif looks_like_dicom(path) and not _is_resource_fork(name):
                file = read_dicom_file(path, name=name)
                if file.header.file_meta.get("MediaStorageSOPClassUID") == DIRECTORY_CLASS:
                    ignored.append((name, f"{name}: a DICOMDIR; its images are read from their own files"))
                else:
                    dicom.append(file)
            elif alone:
                raise UnknownFormat(
                    f"{name}: no format read here. Give DICOM, NIfTI, NRRD, MetaImage, PNG or an archive."
                )
            elif is_archive(path):
                ignored.append((name, f"{name}: an archive inside the upload; unpack it first"))
            else:
                ignored.append((name, f"{name}: not an image file"))
        except CohortexError as error:
            problems.append(Problem(file=name, error=error))
    if dicom:
        progress(Progress(task="reading headers", done=len(names), total=len(names)))
    found = images_of_files(dicom, gaps=gaps, uneven=uneven, progress=progress)
    problems.extend(Problem(file=name, error=error, series_known=True) for name, error in found.problems)
    ignored.extend(found.ignored)
    if alone and found.ignored and not found.images and not found.problems:
        problems.append(Problem(file=found.ignored[0][0], error=NotAnImage(found.ignored[0][1])))
    return Upload(
        images=(*images, *found.images),
        problems=tuple(problems),
        ignored=tuple(ignored),
        warnings=tuple(_whole_warnings(dicom)),
    )


def _is_other_format(path: Path, name: str) -> bool:
    if _is_resource_fork(name):
        return False
    return format_of(name) is not None and not (path.suffix.lower() == ".img" and looks_like_dicom(path))


def _is_second_half(path: Path, names: Container[Path]) -> bool:
    """Whether a file is the .img of a pair, which is read through its .hdr."""
    for ending, other in ((".img", ".hdr"), (".img.gz", ".hdr.gz")):
        if path.name.lower().endswith(ending):
            return path.with_name(path.name[: -len(ending)] + other) in names
    return False


def _is_resource_fork(name: str) -> bool:
    """Whether a file is what a Mac adds to archives: ._name, __MACOSX, .DS_Store."""
    parts = name.split("/")
    return "__MACOSX" in parts or parts[-1].startswith("._") or parts[-1] == ".DS_Store"


def _whole_warnings(files: Iterable[DicomFile]) -> list[str]:
    keys = {patient_key(file.header) for file in files}
    if len(keys) < 2:
        return []
    return [f"{len(keys)} patients in one upload (keys {', '.join(sorted(keys))}); check that they belong together"]
