from itertools import pairwise
from pathlib import Path

import pytest

from ledger.checkpoints import Checkpoint
from ledger.merkle import leaf_hash, root_of
from ledger.signed_notes import NoteRejected, SigningKey, signed
from ledger.tiles import (
    TilesRejected,
    entries_path,
    entry_bundle,
    export_tiles,
    read_entries,
    read_entry_bundle,
    read_tiles,
    tile_path,
    tiles_of,
)
from ledger.trees import TreeHashes

KEY = SigningKey.generate("mingzhang/360982", bytes(range(32)))
ENTRIES = [b'{"entry":%d}' % number for number in range(600)]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]


def note_of(size: int, leaves: list[bytes] = LEAVES) -> bytes:
    return signed(Checkpoint(KEY.name, size, root_of(leaves[:size])).text(), [KEY])


def tree_of(leaves: list[bytes]) -> TreeHashes:
    tree = TreeHashes()
    tree.extend(leaves)
    return tree


def export(folder: Path, size: int) -> Checkpoint:
    return export_tiles(folder, note_of(size), KEY.verifier, tree_of(LEAVES), ENTRIES)


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_paths_are_those_of_the_specification() -> None:
    assert tile_path(0, 0) == "tile/0/000"
    assert tile_path(1, 1_234_067) == "tile/1/x001/x234/067"
    assert tile_path(63, 999, 1) == "tile/63/999.p/1"
    assert tile_path(2, 1000, 255) == "tile/2/x001/000.p/255"
    assert entries_path(0, 15) == "tile/entries/000.p/15"
    assert entries_path(1_234_067) == "tile/entries/x001/x234/067"


@pytest.mark.parametrize(("level", "index", "width"), [(-1, 0, 1), (64, 0, 1), (0, -1, 1), (0, 0, 0), (0, 0, 257)])
def test_what_is_no_tile_has_no_path(level: int, index: int, width: int) -> None:
    with pytest.raises(ValueError, match="a tile"):
        tile_path(level, index, width)


def test_a_tree_of_70000_leaves_has_the_tiles_of_the_specifications_example() -> None:
    tiles = list(tiles_of(70_000))
    assert [tile for tile in tiles if tile[2] < 256] == [(0, 273, 112), (1, 1, 17), (2, 0, 1)]
    assert len([tile for tile in tiles if tile[0] == 0]) == 274
    assert len([tile for tile in tiles if tile[0] == 1]) == 2


def test_a_tree_of_256_leaves_has_a_partial_tile_above_the_full_one() -> None:
    assert list(tiles_of(256)) == [(0, 0, 256), (1, 0, 1)]
    assert list(tiles_of(0)) == []


def test_entries_are_bundled_behind_their_lengths() -> None:
    assert entry_bundle([b"one", b"", b"two"]) == b"\x00\x03one\x00\x00\x00\x03two"
    assert read_entry_bundle(entry_bundle([b"one", b"", b"x" * 65_535])) == [b"one", b"", b"x" * 65_535]
    with pytest.raises(ValueError, match="65536 bytes"):
        entry_bundle([b"x" * 65_536])


@pytest.mark.parametrize("data", [b"\x00", b"\x00\x03on", b"\x00\x01a\x00", b"\x00\x01a\xff\xffb"])
def test_a_bundle_that_ends_within_an_entry_is_refused(data: bytes) -> None:
    with pytest.raises(TilesRejected, match="ends within entry"):
        read_entry_bundle(data)


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 512, 600])
def test_what_is_exported_is_read_back(tmp_path: Path, size: int) -> None:
    exported = export(tmp_path, size)
    checkpoint, tree = read_tiles(tmp_path, KEY.verifier)
    assert exported == checkpoint == Checkpoint(KEY.name, size, root_of(LEAVES[:size]))
    assert (tree.size, tree.root()) == (size, checkpoint.root)
    assert list(read_entries(tmp_path, size)) == ENTRIES[:size]


def test_an_export_is_these_files(tmp_path: Path) -> None:
    export(tmp_path, 600)
    assert files(tmp_path) == [
        "checkpoint",
        "tile/0/000",
        "tile/0/001",
        "tile/0/002.p/88",
        "tile/1/000.p/2",
        "tile/entries/000",
        "tile/entries/001",
        "tile/entries/002.p/88",
    ]
    assert (tmp_path / "checkpoint").read_bytes() == note_of(600)


def test_exports_follow_each_other_in_one_folder(tmp_path: Path) -> None:
    sizes = [3, 256, 300, 600]
    for earlier, later in pairwise(sizes):
        export(tmp_path, earlier)
        export(tmp_path, later)
        for size in (earlier, later):
            assert read_tiles(tmp_path, KEY.verifier, note_of(size))[0].size == size
    with pytest.raises(TilesRejected, match="is newer: size 600, not 256"):
        export(tmp_path, 256)
    assert (tmp_path / "checkpoint").read_bytes() == note_of(600)


def test_a_full_tile_stands_in_for_a_partial_one(tmp_path: Path) -> None:
    export(tmp_path, 100)
    export(tmp_path, 256)
    (tmp_path / tile_path(0, 0, 100)).unlink()
    (tmp_path / entries_path(0, 100)).unlink()
    assert read_tiles(tmp_path, KEY.verifier, note_of(100))[0].size == 100
    assert list(read_entries(tmp_path, 100)) == ENTRIES[:100]


@pytest.mark.parametrize("name", ["tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2", "tile/entries/002.p/88"])
@pytest.mark.parametrize("damage", ["flip", "cut", "add", "remove"])
def test_a_damaged_file_is_found(tmp_path: Path, name: str, damage: str) -> None:
    export(tmp_path, 600)
    path = tmp_path / name
    data = path.read_bytes()
    if damage == "flip":
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    elif damage == "cut":
        path.write_bytes(data[:-1])
    elif damage == "add":
        path.write_bytes(data + b"\x00\x00")
    else:
        path.unlink()
    with pytest.raises(TilesRejected):
        read_tiles(tmp_path, KEY.verifier)


@pytest.mark.parametrize("path", [entries_path(0, 3), tile_path(0, 0, 3), "checkpoint"])
def test_a_file_larger_than_it_can_be_is_not_read(tmp_path: Path, path: str) -> None:
    export(tmp_path, 3)
    with (tmp_path / path).open("r+b") as file:
        file.truncate(2**40)
    with pytest.raises(TilesRejected, match="more than"):
        read_tiles(tmp_path, KEY.verifier)


def test_a_bundle_of_entries_without_end_is_not_read() -> None:
    with pytest.raises(TilesRejected, match="more than 256 entries"):
        read_entry_bundle(bytes(2 * 257))


def test_a_folder_is_believed_only_with_a_signed_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(TilesRejected, match="checkpoint is missing"):
        read_tiles(tmp_path, KEY.verifier)
    export(tmp_path, 3)
    with pytest.raises(NoteRejected):
        read_tiles(tmp_path, SigningKey.generate(KEY.name, bytes(32)).verifier)
    with pytest.raises(TilesRejected, match="tile/0/000 is missing"):
        read_tiles(tmp_path, KEY.verifier, note_of(4))


def test_entries_left_out_are_found(tmp_path: Path) -> None:
    for entries in (ENTRIES[:2], [*ENTRIES[:2], b"another"], [ENTRIES[1], ENTRIES[0], ENTRIES[2]]):
        with pytest.raises(TilesRejected, match=r"tile/entries/000\.p/3"):
            export_tiles(tmp_path, note_of(3), KEY.verifier, tree_of(LEAVES), entries)
    assert files(tmp_path) == []


def test_another_tree_is_not_exported(tmp_path: Path) -> None:
    for leaves in (LEAVES[:2], [LEAVES[1], *LEAVES[1:]]):
        with pytest.raises(TilesRejected, match="is not the one of the checkpoint"):
            export_tiles(tmp_path, note_of(3), KEY.verifier, tree_of(leaves), ENTRIES)
    assert files(tmp_path) == []


@pytest.mark.parametrize("size", [3, 4])
def test_a_rewritten_ledger_is_not_exported_over_the_first(tmp_path: Path, size: int) -> None:
    export(tmp_path, 3)
    rewritten = [b"rewritten", *ENTRIES[1:]]
    leaves = [leaf_hash(entry) for entry in rewritten]
    before = files(tmp_path)
    with pytest.raises(TilesRejected, match="does not continue"):
        export_tiles(tmp_path, note_of(size, leaves), KEY.verifier, tree_of(leaves), rewritten)
    assert files(tmp_path) == before
    assert read_tiles(tmp_path, KEY.verifier)[0].root == root_of(LEAVES[:3])


def test_a_file_that_was_written_is_not_replaced(tmp_path: Path) -> None:
    export(tmp_path, 300)
    (tmp_path / "tile/0/000").write_bytes(b"altered")
    with pytest.raises(TilesRejected, match="tile/0/000 holds other content"):
        export(tmp_path, 600)
    assert (tmp_path / "tile/0/000").read_bytes() == b"altered"
