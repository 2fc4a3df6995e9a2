"""How much a check may take: memory, time, files; untrusted bytes get no more."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from cohortex.io import ArchiveLimits


@dataclass(frozen=True, kw_only=True)
class CheckLimits:
    """Limits on the process that reads an upload.

    Attributes
    ----------
    memory_bytes : int
        Address space, libraries included (some 0.8 GiB of it before the first byte is read).
    cpu_s, wall_s : float
        Processor time, and time on the clock, seconds.
    file_bytes : int
        Size of any file it writes.
    open_files : int
        Files open at the same time.
    archive : ArchiveLimits
        How far an archive may unpack, and into how many files.
    """

    memory_bytes: int = 6 << 30
    cpu_s: float = 1800.0
    wall_s: float = 3600.0
    file_bytes: int = 4 << 30
    open_files: int = 256
    archive: ArchiveLimits = field(default_factory=ArchiveLimits)

    def __post_init__(self) -> None:
        for name in ("memory_bytes", "cpu_s", "wall_s", "file_bytes", "open_files"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name):g}; give more than 0.")

    def as_entries(self) -> dict[str, object]:
        """Plain entries for the process that is started."""
        return dataclasses.asdict(self)
