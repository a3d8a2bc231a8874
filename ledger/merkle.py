"""Merkle trees of RFC 6962 (SHA-256), their proofs, and the checks of RFC 9162. Pure: bytes in, bytes or a verdict out.

Rules kept here: a leaf is hashed as SHA-256(0x00 ‖ leaf), a node as SHA-256(0x01 ‖ left ‖ right) (RFC 6962 section
2.1), and a tree of n leaves splits at the largest power of two below n. A checked proof raises ProofRejected or is
good; nothing in between. Signatures, and whether a root is the one that was published, are left to others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Self

HASH_SIZE: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()
"""The root of a tree without leaves (RFC 6962 section 2.1)."""

_SIZE_FIELD: Final = 8


class ProofRejected(ValueError):
    """A proof, or the statement it was given for, does not hold: the message says what was expected and what came."""


def leaf_hash(leaf: bytes) -> bytes:
    """Return SHA-256(0x00 ‖ leaf) (RFC 6962 section 2.1)."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 ‖ left ‖ right) (RFC 6962 section 2.1)."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Edge:
    """The right edge of a tree: all that is needed to append to it and to know its root.

    `hashes` holds the root of each complete subtree, the largest (leftmost) first: one for each bit set in `size`.
    Raises ValueError when the two do not fit.
    """

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        """Refuse an edge that no tree has."""
        if self.size < 0 or len(self.hashes) != self.size.bit_count():
            raise ValueError(f"an edge of size {self.size} cannot have {len(self.hashes)} hashes")
        if any(len(value) != HASH_SIZE for value in self.hashes):
            raise ValueError(f"every hash of an edge has {HASH_SIZE} bytes")

    def append(self, leaf: bytes) -> Edge:
        """Return the edge after one more leaf, given as its leaf hash."""
        return self.extend((leaf,))

    def extend(self, leaves: Iterable[bytes]) -> Edge:
        """Return the edge after more leaves, given as their leaf hashes in order."""
        size, hashes = self.size, list(self.hashes)
        for leaf in leaves:
            # Each low bit set in the old size is a complete subtree that the new leaf completes to a larger one.
            merged, bits = leaf, size
            while bits & 1:
                merged = sha256(b"\x01" + hashes.pop() + merged).digest()
                bits >>= 1
            hashes.append(merged)
            size += 1
        return Edge(size, tuple(hashes))

    def root(self) -> bytes:
        """Return the tree's root hash."""
        if not self.hashes:
            return EMPTY_ROOT
        root = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            root = node_hash(left, root)
        return root

    def to_bytes(self) -> bytes:
        """Return the size as 8 bytes, most significant first, and then the hashes."""
        return self.size.to_bytes(_SIZE_FIELD) + b"".join(self.hashes)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read what `to_bytes` wrote. Raises ValueError for anything else."""
        hashes = data[_SIZE_FIELD:]
        if len(data) < _SIZE_FIELD or len(hashes) % HASH_SIZE:
            raise ValueError(f"{len(data)} bytes are no tree edge: expected 8 and a multiple of {HASH_SIZE}")
        starts = range(0, len(hashes), HASH_SIZE)
        return cls(int.from_bytes(data[:_SIZE_FIELD]), tuple(hashes[start : start + HASH_SIZE] for start in starts))


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Return the root hash of a tree, given its leaf hashes in order (RFC 6962 section 2.1)."""
    return Edge().extend(leaves).root()


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return PATH(index, leaves) of RFC 6962 section 2.1.1; leaves are leaf hashes, the first has index 0.

    Raises IndexError for a leaf that is not in the tree.
    """
    if not 0 <= index < len(leaves):
        raise IndexError(f"leaf {index} is not in a tree of {len(leaves)}")
    path: list[bytes] = []
    start, end = 0, len(leaves)
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(root_of(leaves[middle:end]))
            end = middle
        else:
            path.append(root_of(leaves[start:middle]))
            start = middle
    return path[::-1]


def consistency_proof(leaves: Sequence[bytes], first: int) -> list[bytes]:
    """Return PROOF(first, leaves) of RFC 6962 section 2.1.2: the tree of `first` leaves is the start of this one.

    Empty where both are the same tree. Raises IndexError unless 0 < first ≤ the number of leaves.
    """
    if not 0 < first <= len(leaves):
        raise IndexError(f"no consistency proof from {first} to {len(leaves)} leaves: expected 0 < first <= second")
    path: list[bytes] = []
    start, end = 0, len(leaves)
    while first != end:
        middle = start + _split(end - start)
        if first <= middle:
            path.append(root_of(leaves[middle:end]))
            end = middle
        else:
            path.append(root_of(leaves[start:middle]))
            start = middle
    if start:
        # The old tree's last subtree is not the old root itself, so the one who checks has to be given it.
        path.append(root_of(leaves[start:end]))
    return path[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that the leaf hash `leaf` stands at `index` (from 0) in the tree of `size` leaves with this root.

    The steps are those of RFC 9162 section 2.1.3.2. Raises ProofRejected.
    """
    _check_hashes(leaf, root, *proof)
    # 1. Compare the index with the size.
    if not 0 <= index < size:
        raise ProofRejected(f"leaf index {index} is outside a tree of {size} leaves")
    # 2. and 3. Start at the leaf, on the lowest level.
    fn, sn, computed = index, size - 1, leaf
    # 4. Go up one level with each value of the path.
    for value in proof:
        # 4a. The root was reached before the path ended.
        if sn == 0:
            raise ProofRejected(f"inclusion proof of {len(proof)} hashes is too long for leaf {index} of {size}")
        # 4b. The value is a left sibling: of a right child, or of the tree's right edge.
        if fn & 1 or fn == sn:
            computed = node_hash(value, computed)
            fn, sn = _up_to_right_child(fn, sn)
        else:
            computed = node_hash(computed, value)
        # 4c. Up one level.
        fn, sn = fn >> 1, sn >> 1
    # 5. The whole path was used and leads to the root.
    if sn != 0:
        raise ProofRejected(f"inclusion proof of {len(proof)} hashes is too short for leaf {index} of {size}")
    _check_root("root", root, computed)


def verify_consistency(first: int, second: int, proof: Sequence[bytes], first_root: bytes, second_root: bytes) -> None:
    """Check that the tree of `first` leaves is the start of the tree of `second` leaves, given both roots.

    The steps are those of RFC 9162 section 2.1.4.2. A first size of 0 always fails: every tree begins with the empty
    one, so such a proof proves nothing. Raises ProofRejected.
    """
    if not 0 < first <= second:
        raise ProofRejected(f"no consistency between {first} and {second} leaves: expected 0 < first <= second")
    if first < second:
        _check_hashes(first_root, second_root, *proof)
        computed_first, computed_second = _roots_by_consistency(first, second, proof, first_root)
        _check_root("first root", first_root, computed_first)
        _check_root("second root", second_root, computed_second)
    elif proof:
        raise ProofRejected(f"trees of one size need an empty consistency proof, got {len(proof)} hashes")
    else:
        _check_root("second root", first_root, second_root)


def _roots_by_consistency(first: int, second: int, proof: Sequence[bytes], first_root: bytes) -> tuple[bytes, bytes]:
    # 1. Two sizes need a path.
    if not proof:
        raise ProofRejected(f"consistency proof from {first} to {second} is empty")
    # 2. An old tree that is one complete subtree is itself the first value.
    path = [first_root, *proof] if first & (first - 1) == 0 else proof
    # 3. and 4. Start at the old tree's last complete subtree.
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    # 5. Both roots are computed from the same first value.
    fr = sr = path[0]
    # 6. Go up one level with each further value.
    for value in path[1:]:
        # 6a. The new root was reached before the path ended.
        if sn == 0:
            raise ProofRejected(f"consistency proof of {len(proof)} hashes is too long for {first} to {second}")
        # 6b. The value stands left of both trees' edges, or right of the old tree.
        if fn & 1 or fn == sn:
            fr, sr = node_hash(value, fr), node_hash(value, sr)
            fn, sn = _up_to_right_child(fn, sn)
        else:
            sr = node_hash(sr, value)
        # 6c. Up one level.
        fn, sn = fn >> 1, sn >> 1
    # 7. The whole path was used; whether it leads to both roots, the caller compares.
    if sn != 0:
        raise ProofRejected(f"consistency proof of {len(proof)} hashes is too short for {first} to {second}")
    return fr, sr


def _up_to_right_child(fn: int, sn: int) -> tuple[int, int]:
    """Skip the levels on which a node at the tree's edge has no sibling."""
    while not fn & 1 and fn:
        fn, sn = fn >> 1, sn >> 1
    return fn, sn


def _split(size: int) -> int:
    """Return the largest power of two below `size` (k of RFC 6962 section 2.1)."""
    return 1 << ((size - 1).bit_length() - 1)


def _check_hashes(*hashes: bytes) -> None:
    for value in hashes:
        if len(value) != HASH_SIZE:
            raise ProofRejected(f"expected hashes of {HASH_SIZE} bytes, got one of {len(value)}")


def _check_root(name: str, expected: bytes, computed: bytes) -> None:
    if expected != computed:
        raise ProofRejected(f"expected {name} {expected.hex()}, got {computed.hex()} from the proof")
