"""A tree's hashes kept level by level, so that every proof takes as many steps as the tree has levels. Pure.

Rules kept here: level k holds the root of each complete subtree of 2^k leaves, in order; nothing that was put in
changes. Roots and proofs are those of `ledger.merkle`, which needs all leaves for each of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Final

from ledger.merkle import EMPTY_ROOT, HASH_SIZE, node_hash

TILE_LEVELS: Final = 8
TILE_WIDTH: Final = 2**TILE_LEVELS
"""Most hashes of a tile (C2SP tlog-tiles)."""


class TreeHashes:
    """The tree of a ledger as far as it was put in; 64 bytes a leaf. One writer at a time is the caller's care."""

    def __init__(self) -> None:
        self._levels = [bytearray()]
        self._size = 0

    @property
    def size(self) -> int:
        """The number of leaves."""
        return self._size

    def extend(self, leaf_hashes: Iterable[bytes]) -> None:
        """Put in more leaves, given as their leaf hashes in order. Raises ValueError for one that is no hash."""
        leaves = list(leaf_hashes)
        if any(len(value) != HASH_SIZE for value in leaves):
            raise ValueError(f"every leaf hash has {HASH_SIZE} bytes")
        self._levels[0] += b"".join(leaves)
        level = 0
        while len(self._levels[level]) >= 2 * HASH_SIZE:
            if level + 1 == len(self._levels):
                self._levels.append(bytearray())
            below, above = self._levels[level], self._levels[level + 1]
            for start in range(2 * len(above), len(below) - HASH_SIZE, 2 * HASH_SIZE):
                above += sha256(b"\x01" + below[start : start + 2 * HASH_SIZE]).digest()
            level += 1
        # Last, so that who reads meanwhile finds every hash of the size it sees.
        self._size = len(self._levels[0]) // HASH_SIZE

    def leaf_hash(self, index: int) -> bytes:
        """Return the leaf hash at an index (from 0). Raises IndexError."""
        if not 0 <= index < self.size:
            raise IndexError(f"leaf {index} is not in a tree of {self.size}")
        return self._node(0, index)

    def root(self, size: int | None = None) -> bytes:
        """Return the root of the first `size` leaves, left out: of all. Raises IndexError for more than there are."""
        return self._root_between(0, self._known(self.size if size is None else size))

    def inclusion_proof(self, index: int, size: int) -> list[bytes]:
        """Return PATH(index, D[size]) of RFC 6962 section 2.1.1.

        Raises IndexError unless 0 ≤ index < size ≤ the number of leaves.
        """
        if not 0 <= index < self._known(size):
            raise IndexError(f"leaf {index} is not in a tree of {size}")
        path: list[bytes] = []
        start, end = 0, size
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                path.append(self._root_between(middle, end))
                end = middle
            else:
                path.append(self._root_between(start, middle))
                start = middle
        return path[::-1]

    def consistency_proof(self, first: int, second: int) -> list[bytes]:
        """Return PROOF(first, D[second]) of RFC 6962 section 2.1.2.

        Raises IndexError unless 0 < first ≤ second ≤ the number of leaves.
        """
        if not 0 < first <= self._known(second):
            raise IndexError(f"no consistency proof from {first} to {second} leaves: expected 0 < first <= second")
        path: list[bytes] = []
        start, end = 0, second
        while first != end:
            middle = start + _split(end - start)
            if first <= middle:
                path.append(self._root_between(middle, end))
                end = middle
            else:
                path.append(self._root_between(start, middle))
                start = middle
        if start:
            path.append(self._root_between(start, end))
        return path[::-1]

    def tile(self, level: int, index: int, width: int = TILE_WIDTH) -> bytes:
        """Return the first `width` hashes of a tile (C2SP tlog-tiles), one after the other. Raises IndexError."""
        start, height = index * TILE_WIDTH, TILE_LEVELS * level
        if level < 0 or index < 0 or not 0 < width <= TILE_WIDTH or start + width > self.size >> height:
            raise IndexError(f"no tile {index} of level {level} and width {width} in a tree of {self.size}")
        return bytes(self._levels[height][start * HASH_SIZE : (start + width) * HASH_SIZE])

    def _known(self, size: int) -> int:
        if not 0 <= size <= self.size:
            raise IndexError(f"no tree of {size} leaves: expected 0 to {self.size}")
        return size

    def _node(self, level: int, index: int) -> bytes:
        return bytes(self._levels[level][index * HASH_SIZE : (index + 1) * HASH_SIZE])

    def _root_between(self, start: int, end: int) -> bytes:
        """Return the root of the leaves from `start` to `end`, which a split of RFC 6962 has put together."""
        complete: list[bytes] = []
        while start < end:
            # The largest complete subtree comes first: it begins at a multiple of its own size.
            level = (end - start).bit_length() - 1
            complete.append(self._node(level, start >> level))
            start += 1 << level
        if not complete:
            return EMPTY_ROOT
        root = complete.pop()
        while complete:
            root = node_hash(complete.pop(), root)
        return root


def _split(size: int) -> int:
    """Return the largest power of two below `size` (k of RFC 6962 section 2.1)."""
    return 1 << ((size - 1).bit_length() - 1)
