"""What a ZIP archive says it holds, read from its central directory. Nothing is unpacked.

Rules kept here (APPNOTE 6.3.10, sections 4.3.12 to 4.3.16): the directory ends where its end record begins and has
exactly the entries counted there, so that every reader sees the same; what is otherwise is no archive here. Entries
and the bytes they would unpack to are bounded.
"""

from __future__ import annotations

import struct
from typing import BinaryIO, Final, NamedTuple

from ledger.rejection import Rejection, rejected

MOST_ENTRIES: Final = 10_000
LARGEST_UNPACKED: Final = 1024**3
"""Most bytes that the entries of an archive may declare to unpack to, together."""

_END: Final = struct.Struct("<4s4H2LH")
_END_64: Final = struct.Struct("<4sQ2H2L4Q")
_LOCATOR: Final = struct.Struct("<4sLQL")
_ENTRY: Final = struct.Struct("<4s6H3L5H2L")
_LONGEST_COMMENT: Final = 0xFFFF
_IN_ZIP64: Final = 0xFFFFFFFF
_ZIP64_EXTRA: Final = 1


class _Directory(NamedTuple):
    entries: int
    start: int
    end: int


def entry_names(content: BinaryIO, size: int) -> frozenset[str] | None:
    """Return the names of an archive's entries, or None for what is no archive.

    Raises Rejection `evidence-archive-too-large` beyond `MOST_ENTRIES` or `LARGEST_UNPACKED`.
    """
    directory = _directory(content, size)
    if directory is None:
        return None
    if directory.entries > MOST_ENTRIES:
        raise _too_large(f"{directory.entries} entries, expected at most {MOST_ENTRIES}")
    names: set[str] = set()
    unpacked, at = 0, directory.start
    for _ in range(directory.entries):
        content.seek(at)
        header = content.read(_ENTRY.size)
        if len(header) < _ENTRY.size or not header.startswith(b"PK\x01\x02"):
            return None
        fields = _ENTRY.unpack(header)
        name_size, extra_size, comment_size = fields[10:13]
        names.add(content.read(name_size).decode("utf-8", "replace"))
        unpacked += _unpacked_size(fields[9], content.read(extra_size))
        if unpacked > LARGEST_UNPACKED:
            raise _too_large(f"it would unpack to more than {LARGEST_UNPACKED} bytes")
        at += _ENTRY.size + name_size + extra_size + comment_size
    return frozenset(names) if at == directory.end else None


def _directory(content: BinaryIO, size: int) -> _Directory | None:
    tail_start = max(0, size - _END.size - _LONGEST_COMMENT - _LOCATOR.size)
    content.seek(tail_start)
    tail = content.read(size - tail_start)
    at = _end_record(tail)
    if at is None:
        return None
    _, _, _, _, entries, length, start, _ = _END.unpack_from(tail, at)
    end = tail_start + at
    found = _end_record_64(content, tail, at)
    if found is not None:
        entries, length, start, end = found
    return _Directory(entries, start, end) if start + length == end else None


def _end_record(tail: bytes) -> int | None:
    """Return where the end record stands: the last one whose comment reaches exactly to the end of the file."""
    at = len(tail)
    while (at := tail.rfind(b"PK\x05\x06", 0, at)) >= 0:
        if len(tail) - at >= _END.size and at + _END.size + _END.unpack_from(tail, at)[7] == len(tail):
            return at
    return None


def _end_record_64(content: BinaryIO, tail: bytes, at: int) -> tuple[int, int, int, int] | None:
    """Return how many entries, the directory's length and start, and where the ZIP64 end record stands."""
    if at < _LOCATOR.size:
        return None
    signature, _, where, _ = _LOCATOR.unpack_from(tail, at - _LOCATOR.size)
    if signature != b"PK\x06\x07" or where >= 2**63:
        return None
    content.seek(where)
    record = content.read(_END_64.size)
    if len(record) < _END_64.size or not record.startswith(b"PK\x06\x06"):
        return None
    entries, length, start = _END_64.unpack(record)[7:10]
    return entries, length, start, where


def _unpacked_size(declared: int, extra: bytes) -> int:
    if declared != _IN_ZIP64:
        return declared
    at = 0
    while at + 12 <= len(extra):
        identifier, length = struct.unpack_from("<HH", extra, at)
        if identifier == _ZIP64_EXTRA:
            (found,) = struct.unpack_from("<Q", extra, at + 4)
            return int(found)
        at += 4 + length
    return _IN_ZIP64


def _too_large(found: str) -> Rejection:
    return rejected("evidence-archive-too-large", "file", f"the archive is refused: {found}; send its files one by one")
