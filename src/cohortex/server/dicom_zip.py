"""The stored files of a series as a zip, written while it is sent: no series is ever whole in memory or copied."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from typing import IO, cast

from fastapi.responses import StreamingResponse

from cohortex.study import Study
from cohortex.study.database.tables import Series

_CHUNK_BYTES = 1 << 18


class _Passing:
    """A file to write to that hands on what was written; it cannot go back, and zipfile need not."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def write(self, data: bytes) -> int:
        self._waiting += data
        return len(data)

    def flush(self) -> None:
        """All is handed on by `taken`."""

    def taken(self) -> bytes:
        data = bytes(self._waiting)
        self._waiting.clear()
        return data


def dicom_zip(study: Study, series: Series) -> StreamingResponse:
    """Send the instances of a series.

    Parameters
    ----------
    study : Study
        Where.
    series : Series
        Whose; its instances are read before the reply begins.

    Returns
    -------
    StreamingResponse
        A zip with one file for each instance, stored as it is: pixels hardly shrink.
    """
    code = series.visit.patient.code
    names = [(f"{code}-series-{series.id}/{n:05d}.dcm", i.sha256) for n, i in enumerate(series.instances, 1)]
    headers = {"Content-Disposition": f'attachment; filename="{code}-series-{series.id}.zip"'}
    return StreamingResponse(_zipped(study, names), media_type="application/zip", headers=headers)


def _zipped(study: Study, names: list[tuple[str, str]]) -> Iterator[bytes]:
    target = _Passing()
    with zipfile.ZipFile(cast(IO[bytes], target), "w", zipfile.ZIP_STORED) as archive:  # it only writes
        for name, sha256 in names:
            with study.objects.reading(sha256) as source, archive.open(zipfile.ZipInfo(name), "w") as entry:
                while chunk := source.read(_CHUNK_BYTES):
                    entry.write(chunk)
                    yield target.taken()
            yield target.taken()
    yield target.taken()
