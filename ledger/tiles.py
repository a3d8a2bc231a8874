"""The ledger as static files (C2SP tlog-tiles): written to a folder, and read back and verified.

Rules kept here: the paths and contents are those of the specification; a file once written is never replaced by
another content, but for the checkpoint, which is written last and never by an older one; what is read back is believed
only as far as it leads to the root that the ledger's key has signed. Who may have the entries is left to others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from ledger.canonical import LARGEST_EVENT
from ledger.checkpoints import Checkpoint, open_checkpoint
from ledger.merkle import HASH_SIZE, leaf_hash
from ledger.signed_notes import VerifierKey
from ledger.trees import TILE_WIDTH, TreeHashes

HIGHEST_LEVEL: Final = 63
CHECKPOINT_PATH: Final = "checkpoint"
LARGEST_NOTE: Final = 1_000_000
"""Most bytes of a checkpoint with its signatures."""
_LENGTH_FIELD: Final = 2
_LARGEST_BUNDLE: Final = TILE_WIDTH * (_LENGTH_FIELD + LARGEST_EVENT)


class TilesRejected(ValueError):
    """Files that are not the ledger they should be: the message names the file, what was expected and what came."""


def tile_path(level: int, index: int, width: int = TILE_WIDTH) -> str:
    """Return the path of a tile: `tile/<L>/<N>`, with `.p/<W>` where it is partial. Raises ValueError."""
    if not 0 <= level <= HIGHEST_LEVEL:
        raise ValueError(f"a tile's level is 0 to {HIGHEST_LEVEL}, got {level}")
    return f"tile/{level}/{_number(index, width)}"


def entries_path(index: int, width: int = TILE_WIDTH) -> str:
    """Return the path of an entry bundle: `tile/entries/<N>`, with `.p/<W>` where it is partial. Raises ValueError."""
    return f"tile/entries/{_number(index, width)}"


def tiles_of(size: int) -> Iterator[tuple[int, int, int]]:
    """Yield level, index and width of every tile of a tree of `size` leaves, the lowest level first."""
    level, count = 0, size
    while count:
        full, rest = divmod(count, TILE_WIDTH)
        yield from ((level, index, TILE_WIDTH) for index in range(full))
        if rest:
            yield level, full, rest
        level, count = level + 1, full


def entry_bundle(entries: Iterable[bytes]) -> bytes:
    """Return entries one after the other, each behind its length in 2 bytes. Raises ValueError for one too long."""
    bundle = bytearray()
    for entry in entries:
        if len(entry) > LARGEST_EVENT:
            raise ValueError(f"an entry of {len(entry)} bytes, expected at most {LARGEST_EVENT}")
        bundle += len(entry).to_bytes(_LENGTH_FIELD) + entry
    return bytes(bundle)


def read_entry_bundle(data: bytes) -> list[bytes]:
    """Return the entries of a bundle. Raises TilesRejected where it ends within one, or holds more than a bundle."""
    entries: list[bytes] = []
    start = 0
    while start < len(data):
        if len(entries) == TILE_WIDTH:
            raise TilesRejected(f"an entry bundle of {len(data)} bytes holds more than {TILE_WIDTH} entries")
        end = start + _LENGTH_FIELD + int.from_bytes(data[start : start + _LENGTH_FIELD])
        if start + _LENGTH_FIELD > len(data) or end > len(data):
            raise TilesRejected(f"an entry bundle of {len(data)} bytes ends within entry {len(entries) + 1}")
        entries.append(data[start + _LENGTH_FIELD : end])
        start = end
    return entries


def export_tiles(
    folder: Path, checkpoint: bytes, verifier: VerifierKey, tree: TreeHashes, entries: Iterable[bytes]
) -> Checkpoint:
    """Write the ledger as far as the signed checkpoint goes, and return that checkpoint.

    `entries` are the exact bytes of all its leaves in order. Files of an earlier export stay. Raises NoteRejected for a
    checkpoint that the key has not signed; TilesRejected where the tree or the entries are not those of the checkpoint,
    or do not continue what the folder holds: the folder's checkpoint is then what it was.
    """
    signed = open_checkpoint(checkpoint, verifier)
    if tree.size < signed.size or tree.root(signed.size) != signed.root:
        raise TilesRejected(f"the tree of {tree.size} leaves is not the one of the checkpoint of size {signed.size}")
    _check_earlier(folder / CHECKPOINT_PATH, verifier, signed, tree)
    remaining = iter(entries)
    for level, index, width in tiles_of(signed.size):
        hashes = tree.tile(level, index, width)
        if level == 0:
            bundled = list(islice(remaining, width))
            _check_entries(entries_path(index, width), bundled, hashes)
            _write_once(folder / entries_path(index, width), entry_bundle(bundled))
        _write_once(folder / tile_path(level, index, width), hashes)
    _replace(folder / CHECKPOINT_PATH, checkpoint)
    return signed


def read_tiles(folder: Path, verifier: VerifierKey, checkpoint: bytes | None = None) -> tuple[Checkpoint, TreeHashes]:
    """Return the checkpoint of a folder and its tree, after everything up to it was verified.

    `checkpoint` is a signed note to hold the files against; left out, the folder's own. Raises NoteRejected for a
    checkpoint that the key has not signed, TilesRejected for the first file that is missing or does not hold.
    """
    # 1. The checkpoint is signed by the ledger's key.
    note = _read(folder / CHECKPOINT_PATH) if checkpoint is None else checkpoint
    if note is None:
        raise TilesRejected(f"{folder / CHECKPOINT_PATH} is missing")
    signed = open_checkpoint(note, verifier)
    # 2. The lowest tiles give the tree, and it has the signed root.
    tree = TreeHashes()
    for level, index, width in tiles_of(signed.size):
        if level == 0:
            tree.extend(_split(_hashes(folder, level, index, width)))
    if tree.root() != signed.root:
        raise TilesRejected(f"expected root {signed.root.hex()}, got {tree.root().hex()} from the tiles of {folder}")
    for level, index, width in tiles_of(signed.size):
        if level:
            # 3. Every higher tile is the one of that tree.
            if _hashes(folder, level, index, width) != tree.tile(level, index, width):
                raise TilesRejected(f"{folder / tile_path(level, index, width)} is not made of the tiles below it")
        else:
            # 4. Every entry is the leaf of that tree.
            path = entries_path(index, width)
            _check_entries(path, _bundle(folder, index, width), tree.tile(level, index, width))
    return signed, tree


def read_entries(folder: Path, size: int) -> Iterator[bytes]:
    """Yield the entries of the first `size` leaves, which `read_tiles` has verified. Raises TilesRejected."""
    for level, index, width in tiles_of(size):
        if level == 0:
            yield from _bundle(folder, index, width)


def _check_earlier(path: Path, verifier: VerifierKey, signed: Checkpoint, tree: TreeHashes) -> None:
    """Check that what a folder holds already is the start of what is to be written."""
    note = _read(path)
    if note is None:
        return
    earlier = open_checkpoint(note, verifier)
    if earlier.size > signed.size:
        raise TilesRejected(f"{path} is newer: size {earlier.size}, not {signed.size}; export to another folder")
    if tree.root(earlier.size) != earlier.root:
        found = f"its first {earlier.size} leaves have root {tree.root(earlier.size).hex()}, not {earlier.root.hex()}"
        raise TilesRejected(f"this tree does not continue {path}: {found}; keep both")


def _number(index: int, width: int) -> str:
    """Return an index in groups of three digits, `x` before all but the last, and the width of a partial tile."""
    if index < 0 or not 0 < width <= TILE_WIDTH:
        raise ValueError(f"a tile has an index from 0 and a width of 1 to {TILE_WIDTH}, got {index} and {width}")
    rest, last = divmod(index, 1000)
    written = f"{last:03}"
    while rest:
        rest, group = divmod(rest, 1000)
        written = f"x{group:03}/{written}"
    return written if width == TILE_WIDTH else f"{written}.p/{width}"


def _hashes(folder: Path, level: int, index: int, width: int) -> bytes:
    """Return the tile's hashes; a full tile stands in for a partial one that is there no more."""
    path = folder / tile_path(level, index, width)
    data = _read(path, TILE_WIDTH * HASH_SIZE)
    expected = width * HASH_SIZE
    if data is None:
        path = folder / tile_path(level, index)
        data = _read(path, TILE_WIDTH * HASH_SIZE)
        expected = TILE_WIDTH * HASH_SIZE
    if data is None or len(data) != expected:
        found = "is missing" if data is None else f"has {len(data)} bytes"
        raise TilesRejected(f"{path} {found}, expected {expected} bytes")
    return data[: width * HASH_SIZE]


def _bundle(folder: Path, index: int, width: int) -> list[bytes]:
    """Return the entries of a bundle; a full bundle stands in for a partial one that is there no more."""
    path, expected = folder / entries_path(index, width), width
    data = _read(path, width * (_LENGTH_FIELD + LARGEST_EVENT))
    if data is None:
        path, expected = folder / entries_path(index), TILE_WIDTH
        data = _read(path, _LARGEST_BUNDLE)
    if data is None:
        raise TilesRejected(f"{path} is missing, expected {expected} entries")
    entries = read_entry_bundle(data)
    if len(entries) != expected:
        raise TilesRejected(f"{path} has {len(entries)} entries, expected {expected}")
    return entries[:width]


def _check_entries(path: str, entries: list[bytes], hashes: bytes) -> None:
    expected = _split(hashes)
    if len(entries) != len(expected):
        raise TilesRejected(f"{path} has {len(entries)} entries, expected {len(expected)}")
    for number, (entry, value) in enumerate(zip(entries, expected, strict=True), 1):
        if leaf_hash(entry) != value:
            raise TilesRejected(f"entry {number} of {path} does not hash to its leaf {value.hex()}")


def _split(hashes: bytes) -> list[bytes]:
    return [hashes[start : start + HASH_SIZE] for start in range(0, len(hashes), HASH_SIZE)]


def _read(path: Path, largest: int = LARGEST_NOTE) -> bytes | None:
    """Return a file's bytes, None where there is none. Raises TilesRejected for one larger than it can be."""
    try:
        with path.open("rb") as file:
            # One byte more than is taken: a file is never read on only to find it too large.
            data = file.read(largest + 1)
    except FileNotFoundError:
        return None
    if len(data) > largest:
        raise TilesRejected(f"{path} has more than {largest} bytes")
    return data


def _write_once(path: Path, data: bytes) -> None:
    kept = _read(path, _LARGEST_BUNDLE)
    if kept is None:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, data)
    elif kept != data:
        raise TilesRejected(f"{path} holds other content; keep it, and export to another folder")


def _replace(path: Path, data: bytes) -> None:
    """Write a file that is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_name(f".{path.name}.new")
    written.write_bytes(data)
    written.replace(path)
