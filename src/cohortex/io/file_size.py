"""Refusing a header that asks for more voxels than its file can hold, before any memory is asked for."""

from __future__ import annotations

from collections.abc import Sequence

from cohortex.errors import UnreadableFile

_LARGEST_DEFLATE_RATIO = 1100  # deflate cannot do better than 1032 : 1


def refuse_impossible_size(*, name: str, shape: Sequence[int], needed: int, present: int, packed: bool) -> None:
    """Compare the bytes that a header asks for with those of the file.

    Parameters
    ----------
    name : str
        What the message calls the file.
    shape : sequence of int
        Voxels along each axis, for the message.
    needed, present : int
        Bytes asked for, and in the file.
    packed : bool
        Whether the file is deflate-compressed.

    Raises
    ------
    UnreadableFile
        If the voxels cannot be in there.
    """
    if needed > present * (_LARGEST_DEFLATE_RATIO if packed else 1):
        raise UnreadableFile(
            f"{name}: its header asks for {'×'.join(map(str, shape))} voxels, {needed:,} bytes; the file has "
            f"{present:,}. It is truncated or its header is wrong; send it again."
        )
