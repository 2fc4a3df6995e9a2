"""A person who does not exist, planted in scans, and the search for that person in whatever a study writes."""

from __future__ import annotations

import base64
import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from datetime import date

from cohortex import phantoms

BORN = date(1947, 11, 23)
# long words, each with PHANTOM in it: none is found by chance in millions of compressed bytes
PLANTED = phantoms.PlantedIdentity(
    patient_name="PHANTOMESPOSITO^ANNAPHANTOMA",
    patient_id="MRN-09918273645",
    birth_date=f"{BORN:%Y%m%d}",
    age="073Y",
    address="Via del Phantomuccio 181, Nessunopoli",
    telephone="+39 000 77311552",
    other_id="PHNNNA47S63X999Z",
    referring_physician="PHANTOMBIANCHI^LUCAPHANTOMO",
    operator="PHANTOMVERDI^PHANTOMA",
    institution="Ospedale Phantomatico San Nessuno",
    institution_address="Piazza Phantomatica 1, Nessunopoli",
    station="PHANTOMMR01",
    accession_number="ACC77190249918",
    comment="Pat. Phantomesposito Annaphantoma; chiamare Dr. Phantombianchi",
)
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{64,}")
_DEEPEST = 6


def contents(data: bytes, depth: int = 0) -> Iterator[bytes]:
    """The bytes themselves, and whatever is packed in them: gzip, zip, the picture of a PNG, base64 in a text."""
    yield data
    if depth == _DEEPEST:
        return
    inner: list[bytes] = []
    if data[:2] == b"\x1f\x8b":
        inner = [gzip.decompress(data)]
    elif data[:4] == b"PK\3\4":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield "\n".join(archive.namelist()).encode()
            inner = [archive.read(name) for name in archive.namelist()]
    elif data[:8] == b"\x89PNG\r\n\x1a\n":
        inner = [zlib.decompress(_image_data(data))]
    elif data[:1] in (b"<", b"{", b"["):
        inner = [_from_base64(found.group()) for found in _BASE64.finditer(data)]
    for packed in inner:
        yield from contents(packed, depth + 1)


def _from_base64(text: bytes) -> bytes:
    whole = text[:-1] if len(text) % 4 == 1 else text
    return base64.b64decode(whole + b"=" * (-len(whole) % 4))


def _image_data(png: bytes) -> bytes:
    start, chunks = 8, []
    while start < len(png):
        length = int.from_bytes(png[start : start + 4], "big")
        if png[start + 4 : start + 8] == b"IDAT":
            chunks.append(png[start + 8 : start + 8 + length])
        start += 12 + length
    return b"".join(chunks)


def found_in(data: bytes, *, words: Iterable[str]) -> set[str]:
    """Which words the bytes hold, in any case and encoding, packed or not."""
    by_stem: dict[str, list[str]] = {}  # most hold the same stem, which is looked for first: millions of bytes
    for word in words:
        stem = "phantom" if "phantom" in word.lower() else word.lower()
        by_stem.setdefault(stem, []).append(word)
    hits = set()
    for part in contents(data):
        lower = part.lower()
        for stem, of_stem in by_stem.items():
            for code in ("utf-8", "utf-16-le", "utf-16-be"):
                if stem.encode(code) in lower:
                    hits |= {word for word in of_stem if word.lower().encode(code) in lower}
    return hits
