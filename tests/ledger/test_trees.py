import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import merkle
from ledger.merkle import EMPTY_ROOT, leaf_hash, root_of, verify_consistency, verify_inclusion
from ledger.trees import TILE_WIDTH, TreeHashes

LEAVES = [leaf_hash(b"leaf %d" % number) for number in range(600)]
sizes = st.integers(1, 300)


def tree_of(leaves: list[bytes]) -> TreeHashes:
    tree = TreeHashes()
    tree.extend(leaves)
    return tree


WHOLE = tree_of(LEAVES)


@given(sizes, st.data())
@settings(max_examples=30)
def test_proofs_are_those_of_the_plain_functions(size: int, data: st.DataObject) -> None:
    index, first = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    assert WHOLE.root(size) == root_of(LEAVES[:size])
    assert WHOLE.inclusion_proof(index, size) == merkle.inclusion_proof(LEAVES[:size], index)
    assert WHOLE.consistency_proof(first, size) == merkle.consistency_proof(LEAVES[:size], first)


@given(st.integers(1, 600), st.data())
@settings(max_examples=30)
def test_proofs_hold(size: int, data: st.DataObject) -> None:
    index, first = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    verify_inclusion(LEAVES[index], index, size, WHOLE.inclusion_proof(index, size), WHOLE.root(size))
    verify_consistency(first, size, WHOLE.consistency_proof(first, size), WHOLE.root(first), WHOLE.root(size))


@given(st.lists(st.integers(0, 40), max_size=8))
@settings(max_examples=30)
def test_a_tree_grows_in_portions_as_it_does_at_once(portions: list[int]) -> None:
    tree, put_in = TreeHashes(), 0
    for portion in portions:
        tree.extend(iter(LEAVES[put_in : put_in + portion]))
        put_in += portion
        assert (tree.size, tree.root()) == (put_in, root_of(LEAVES[:put_in]))
    assert [tree.root(size) for size in range(put_in + 1)] == [WHOLE.root(size) for size in range(put_in + 1)]
    assert [tree.leaf_hash(index) for index in range(put_in)] == LEAVES[:put_in]


def test_the_empty_tree_has_the_empty_root() -> None:
    assert TreeHashes().root() == WHOLE.root(0) == EMPTY_ROOT


def test_a_proof_has_as_many_hashes_as_the_tree_has_levels() -> None:
    assert len(WHOLE.inclusion_proof(0, 512)) == 9
    assert len(WHOLE.inclusion_proof(0, 600)) == 10
    # The last of 513 leaves hangs at the root itself.
    assert len(WHOLE.inclusion_proof(512, 513)) == 1


def test_tiles_hold_the_roots_of_full_tiles_below() -> None:
    assert WHOLE.tile(0, 0) == b"".join(LEAVES[:TILE_WIDTH])
    assert WHOLE.tile(0, 2, 88) == b"".join(LEAVES[512:])
    assert WHOLE.tile(1, 0, 2) == root_of(LEAVES[:256]) + root_of(LEAVES[256:512])


@pytest.mark.parametrize(
    ("level", "index", "width"), [(0, 2, 89), (0, 3, 1), (1, 0, 3), (2, 0, 1), (-1, 0, 1), (0, -1, 1), (0, 0, 257)]
)
def test_a_tile_that_is_not_in_the_tree_is_not_given(level: int, index: int, width: int) -> None:
    with pytest.raises(IndexError, match="no tile"):
        WHOLE.tile(level, index, width)


def test_what_is_not_in_the_tree_is_not_proved() -> None:
    for index, size in [(5, 5), (-1, 5), (0, 601), (0, 0), (0, -1)]:
        with pytest.raises(IndexError):
            WHOLE.inclusion_proof(index, size)
    for first, second in [(0, 5), (6, 5), (1, 601), (-1, 5)]:
        with pytest.raises(IndexError):
            WHOLE.consistency_proof(first, second)
    for size in (-1, 601):
        with pytest.raises(IndexError):
            WHOLE.root(size)
    for index in (-1, 600):
        with pytest.raises(IndexError):
            WHOLE.leaf_hash(index)


def test_what_is_no_hash_changes_nothing() -> None:
    tree = tree_of(LEAVES[:3])
    with pytest.raises(ValueError, match="32 bytes"):
        tree.extend([LEAVES[3], b"short"])
    assert (tree.size, tree.root()) == (3, root_of(LEAVES[:3]))
