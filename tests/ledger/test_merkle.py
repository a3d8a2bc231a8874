from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.merkle import (
    EMPTY_ROOT,
    Edge,
    ProofRejected,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

# The reference tree of Certificate Transparency: eight leaves, and the root of each of its sizes
# (transparency-dev/merkle).
LEAVES = [
    leaf_hash(bytes.fromhex(leaf))
    for leaf in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@dataclass(frozen=True)
class Tree:
    leaves: list[bytes]

    @property
    def size(self) -> int:
        return len(self.leaves)


trees = st.builds(Tree, st.lists(st.binary(max_size=4).map(leaf_hash), min_size=1, max_size=70))


def proved_inclusion(tree: Tree, index: int) -> list[bytes]:
    return inclusion_proof(tree.leaves, index)


def flipped(value: bytes, bit: int) -> bytes:
    position = bit % (8 * len(value))
    changed = bytearray(value)
    changed[position // 8] ^= 1 << position % 8
    return bytes(changed)


def rejected(check: Callable[[], None]) -> bool:
    try:
        check()
    except ProofRejected:
        return True
    return False


@pytest.mark.parametrize("size", range(9))
def test_roots_of_the_reference_tree(size: int) -> None:
    assert root_of(LEAVES[:size]).hex() == ROOTS[size]


def test_inclusion_in_the_reference_tree() -> None:
    # PATH(5, D[8]): leaf 4, the node over 6 and 7, the node over 0 to 3.
    assert [value.hex() for value in inclusion_proof(LEAVES, 5)] == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    verify_inclusion(LEAVES[5], 5, 8, inclusion_proof(LEAVES, 5), bytes.fromhex(ROOTS[8]))


def test_consistency_of_the_reference_tree() -> None:
    # PROOF(6, D[8]): the node over 4 and 5, the node over 6 and 7, the node over 0 to 3.
    proof = consistency_proof(LEAVES, 6)
    assert [value.hex() for value in proof] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    verify_consistency(6, 8, proof, bytes.fromhex(ROOTS[6]), bytes.fromhex(ROOTS[8]))


@given(trees)
def test_the_edge_grows_leaf_by_leaf_as_it_does_at_once(tree: Tree) -> None:
    edge = Edge()
    for size, leaf in enumerate(tree.leaves, 1):
        edge = edge.append(leaf)
        assert edge.root() == root_of(tree.leaves[:size])
    assert edge == Edge().extend(tree.leaves)
    assert edge.size == tree.size


@given(trees)
def test_the_edge_survives_its_bytes(tree: Tree) -> None:
    edge = Edge().extend(tree.leaves)
    assert Edge.from_bytes(edge.to_bytes()) == edge


@pytest.mark.parametrize("data", [b"", bytes(7), bytes(9), bytes(7) + b"\x01", bytes(8) + bytes(32)])
def test_bytes_that_are_no_edge_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="edge"):
        Edge.from_bytes(data)


def test_the_empty_edge_has_the_empty_root() -> None:
    assert Edge().root() == EMPTY_ROOT == root_of([])


@given(trees, st.data())
def test_every_leaf_is_proved_to_be_included(tree: Tree, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, tree.size - 1))
    verify_inclusion(tree.leaves[index], index, tree.size, proved_inclusion(tree, index), root_of(tree.leaves))


@given(trees, st.data())
def test_an_altered_inclusion_proof_is_rejected(tree: Tree, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, tree.size - 1))
    proof, root, leaf = proved_inclusion(tree, index), root_of(tree.leaves), tree.leaves[index]
    bit = data.draw(st.integers(0, 255))
    assert rejected(lambda: verify_inclusion(flipped(leaf, bit), index, tree.size, proof, root))
    assert rejected(lambda: verify_inclusion(leaf, index, tree.size, proof, flipped(root, bit)))
    assert rejected(lambda: verify_inclusion(leaf, index, tree.size, [*proof, root], root))
    assert rejected(lambda: verify_inclusion(leaf, index, tree.size, [leaf, *proof], root))
    for place in range(len(proof)):
        altered = [*proof[:place], flipped(proof[place], bit), *proof[place + 1 :]]
        assert rejected(lambda: verify_inclusion(leaf, index, tree.size, altered, root))  # noqa: B023
        shortened = proof[:place] + proof[place + 1 :]
        assert rejected(lambda: verify_inclusion(leaf, index, tree.size, shortened, root))  # noqa: B023


@given(trees, st.data())
def test_every_earlier_tree_is_proved_to_be_the_start(tree: Tree, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, tree.size))
    proof = consistency_proof(tree.leaves, first)
    verify_consistency(first, tree.size, proof, root_of(tree.leaves[:first]), root_of(tree.leaves))


@given(trees, st.data())
def test_an_altered_consistency_proof_is_rejected(tree: Tree, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, tree.size))
    proof, old, new = consistency_proof(tree.leaves, first), root_of(tree.leaves[:first]), root_of(tree.leaves)
    bit = data.draw(st.integers(0, 255))
    assert rejected(lambda: verify_consistency(first, tree.size, proof, flipped(old, bit), new))
    assert rejected(lambda: verify_consistency(first, tree.size, proof, old, flipped(new, bit)))
    assert rejected(lambda: verify_consistency(first, tree.size, [*proof, new], old, new))
    for place in range(len(proof)):
        altered = [*proof[:place], flipped(proof[place], bit), *proof[place + 1 :]]
        assert rejected(lambda: verify_consistency(first, tree.size, altered, old, new))  # noqa: B023
        shortened = proof[:place] + proof[place + 1 :]
        assert rejected(lambda: verify_consistency(first, tree.size, shortened, old, new))  # noqa: B023


@pytest.mark.parametrize("second", [0, 1, 8])
def test_no_proof_starts_from_an_empty_tree(second: int) -> None:
    root = root_of(LEAVES[:second])
    for proof in ([], [root]):
        with pytest.raises(ProofRejected, match="0 < first"):
            verify_consistency(0, second, proof, EMPTY_ROOT, root)
    with pytest.raises(IndexError):
        consistency_proof(LEAVES[:second], 0)


def test_what_is_not_in_the_tree_is_not_proved() -> None:
    with pytest.raises(IndexError):
        inclusion_proof(LEAVES, 8)
    with pytest.raises(IndexError):
        consistency_proof(LEAVES, 9)
    with pytest.raises(ProofRejected, match="outside"):
        verify_inclusion(LEAVES[0], 8, 8, [], root_of(LEAVES))
    with pytest.raises(ProofRejected, match="32 bytes"):
        verify_inclusion(b"short", 0, 1, [], root_of(LEAVES[:1]))
