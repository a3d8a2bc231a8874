"""The published vectors of RFC 6962, C2SP signed-note, tlog-checkpoint and tlog-tiles, RFC 8785, and real Rekor proofs.

Each test says how many cases there must be: an empty folder fails.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from hashlib import sha256
from itertools import count, islice, pairwise
from pathlib import Path
from struct import unpack
from typing import Any

import pytest

from ledger.canonical import JsonProblem, canonical_bytes, read_json
from ledger.checkpoints import Checkpoint, open_checkpoint, parse_checkpoint
from ledger.merkle import (
    Edge,
    ProofRejected,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from ledger.signed_notes import NoteRejected, SigningKey, VerifierKey, note_bytes, open_note, parse_note, signed
from ledger.tiles import entries_path, entry_bundle, read_entries, read_entry_bundle, read_tiles, tile_path
from ledger.trees import TreeHashes


def cases(folder: Path, expected: int) -> list[tuple[str, Any]]:
    found = [(str(path.relative_to(folder)), json.loads(path.read_bytes())) for path in sorted(folder.rglob("*.json"))]
    assert len(found) == expected
    return found


def hashes(written: list[str] | None) -> list[bytes]:
    return [b64decode(one) for one in written or ()]


def holds(check: Any, *arguments: Any) -> bool:
    try:
        check(*arguments)
    except ProofRejected:
        return False
    return True


# --- RFC 6962 --------------------------------------------------------------------------------------------------


def test_inclusion_proofs(vectors: Path) -> None:
    answers = {
        name: holds(
            verify_inclusion,
            b64decode(case["leafHash"]),
            case["leafIdx"],
            case["treeSize"],
            hashes(case["proof"]),
            b64decode(case["root"]),
        )
        is not case["wantErr"]
        for name, case in cases(vectors / "merkle-rfc6962" / "inclusion", 98)
    }
    assert [name for name, right in answers.items() if not right] == []


def test_consistency_proofs(vectors: Path) -> None:
    answers = {
        name: holds(
            verify_consistency,
            case["size1"],
            case["size2"],
            hashes(case["proof"]),
            b64decode(case["root1"]),
            b64decode(case["root2"]),
        )
        is not case["wantErr"]
        for name, case in cases(vectors / "merkle-rfc6962" / "consistency", 98)
    }
    assert [name for name, right in answers.items() if not right] == []


@pytest.mark.parametrize("folder", ["inclusion", "consistency"])
def test_both_verdicts_are_among_the_proofs(vectors: Path, folder: str) -> None:
    wanted = [case["wantErr"] for _, case in cases(vectors / "merkle-rfc6962" / folder, 98)]
    assert (wanted.count(True), wanted.count(False)) == (92, 6)


def test_the_reference_tree_of_eight_leaves(vectors: Path) -> None:
    tree8 = json.loads((vectors / "merkle-rfc6962" / "tree8.json").read_bytes())
    leaves = [leaf_hash(bytes.fromhex(one)) for one in tree8["leaf_inputs_hex"]]
    tree = TreeHashes()
    tree.extend(leaves)
    levels = [[bytes.fromhex(one) for one in level] for level in tree8["node_hashes_hex_by_level"]]
    roots = [bytes.fromhex(one) for one in tree8["root_hashes_hex_by_size"]]
    assert ([len(level) for level in levels], len(roots)) == ([8, 4, 2, 1], 9)
    assert leaves == levels[0]
    for below, above in pairwise(levels):
        assert [node_hash(*below[start : start + 2]) for start in range(0, len(below), 2)] == above
    for size, root in enumerate(roots):
        assert root_of(leaves[:size]) == Edge().extend(leaves[:size]).root() == tree.root(size) == root
    for size in range(1, 9):
        for index in range(size):
            assert tree.inclusion_proof(index, size) == inclusion_proof(leaves[:size], index)
            verify_inclusion(leaves[index], index, size, tree.inclusion_proof(index, size), roots[size])
        for first in range(1, size + 1):
            assert tree.consistency_proof(first, size) == consistency_proof(leaves[:size], first)
            verify_consistency(first, size, tree.consistency_proof(first, size), roots[first], roots[size])


def test_real_proofs_of_rekor(vectors: Path) -> None:
    found = json.loads((vectors / "rekor-real" / "inclusion.json").read_bytes())["cases"]
    assert sorted(case["tree_size"] for case in found) == [646, 25_901_138, 75_441_653, 114_818_493]
    for case in found:
        leaf, proof, root = leaf_hash(b64decode(case["leaf_data_b64"])), hashes(case["hashes_b64"]), case["root_b64"]
        verify_inclusion(leaf, case["index"], case["tree_size"], proof, b64decode(root))
        assert not holds(verify_inclusion, leaf, case["index"] - 1, case["tree_size"], proof, b64decode(root))


def test_real_checkpoints_of_rekor(vectors: Path) -> None:
    found = json.loads((vectors / "rekor-real" / "inclusion.json").read_bytes())["cases"]
    noted = [case for case in found if case["checkpoint"]]
    assert len(noted) == 3
    for case in noted:
        # Their keys are not Ed25519 or not known here: what is held is the form, byte for byte.
        data = case["checkpoint"].encode()
        text, lines = parse_note(data)
        assert note_bytes(text, lines) == data
        checkpoint = parse_checkpoint(text)
        assert (checkpoint.size, checkpoint.root) == (case["tree_size"], b64decode(case["root_b64"]))
        assert checkpoint.text() == text


# --- C2SP signed-note, tlog-checkpoint -------------------------------------------------------------------------


def note_cases(vectors: Path) -> Any:
    found = json.loads((vectors / "signed-note" / "note_cases.json").read_bytes())
    assert len(found["cases"]) == 15
    return found


def test_notes(vectors: Path) -> None:
    verdicts = []
    for case in note_cases(vectors)["cases"]:
        data = case["note"].encode() if "note" in case else b64decode(case["note_b64"])
        keys = [VerifierKey.parse(vkey) for vkey in case["vkeys"]]
        if "error" in case:
            # Our message begins with the words of the vectors' own.
            with pytest.raises(NoteRejected, match=f"^{case['error'].split(' (', 1)[0]}"):
                open_note(data, keys)
        else:
            note = open_note(data, keys)
            assert [one.name for one in note.signatures] == case["verified"], case["name"]
            assert note_bytes(*parse_note(data)) == data
        verdicts.append("error" in case)
    assert (verdicts.count(True), verdicts.count(False)) == (11, 4)


def test_the_signing_key_signs_the_golden_note(vectors: Path) -> None:
    found = note_cases(vectors)
    golden = found["cases"][0]
    key = SigningKey.parse(found["skey_peter"])
    assert key.text() == found["skey_peter"]
    assert key.verifier.text() == golden["vkeys"][0]
    assert signed(golden["note"].split("\n\n")[0] + "\n", [key]) == golden["note"].encode()


def test_bad_verifier_keys(vectors: Path) -> None:
    found = note_cases(vectors)
    vkey = found["cases"][0]["vkeys"][0]
    parts = {vkey[start:end] for start in range(len(vkey)) for end in range(start, len(vkey) + 1)} - {vkey}
    raised = [f"{vkey[:at]}{chr(ord(vkey[at]) + 1)}{vkey[at + 1 :]}" for at in range(len(vkey))]
    bad = [*found["bad_vkeys"], *parts, *raised]
    assert len(found["bad_vkeys"]) == 2
    for text in bad:
        with pytest.raises(NoteRejected):
            VerifierKey.parse(text)


def test_checkpoint_bodies(vectors: Path) -> None:
    found = json.loads((vectors / "signed-note" / "checkpoint_body.json").read_bytes())
    tree = found["format_tree"]
    checkpoint = Checkpoint(tree["origin_line"], tree["n"], leaf_hash(tree["record"].encode()))
    assert checkpoint.text() == tree["golden"]
    assert parse_checkpoint(tree["golden"]) == checkpoint
    assert len(found["bad"]) == 3
    other_origin, *malformed = found["bad"]
    # Go's reader knows one origin only; ours compares it with the key's name when a note is opened.
    assert parse_checkpoint(other_origin).origin != checkpoint.origin
    key = SigningKey.generate(checkpoint.origin.replace(" ", "-"), bytes(32))
    with pytest.raises(NoteRejected, match="expected one of"):
        open_checkpoint(signed(other_origin, [key]), key.verifier)
    for text in malformed:
        with pytest.raises(NoteRejected):
            parse_checkpoint(text)


# --- C2SP tlog-tiles -------------------------------------------------------------------------------------------


def test_a_whole_tiled_log(vectors: Path) -> None:
    folder = vectors / "tessera-tlog-tiles"
    manifest = json.loads((folder / "MANIFEST.json").read_bytes())
    verifier, entries = VerifierKey.parse(manifest["vkey"]), [one.encode() for one in manifest["entries"]]
    assert manifest["sizes_with_checkpoint"] == [*range(16)]
    assert len(entries) == 15
    grown, heads = TreeHashes(), []
    for size in range(16):
        checkpoint, tree = read_tiles(folder, verifier, (folder / f"checkpoint.{size}").read_bytes())
        heads.append(checkpoint)
        assert (checkpoint.size, checkpoint.origin) == (size, manifest["origin_line"])
        assert list(read_entries(folder, size)) == entries[:size]
        if size:
            grown.extend([leaf_hash(entries[size - 1])])
            assert (folder / tile_path(0, 0, size)).read_bytes() == grown.tile(0, 0, size)
            bundle = (folder / entries_path(0, size)).read_bytes()
            assert entry_bundle(entries[:size]) == bundle
            assert read_entry_bundle(bundle) == entries[:size]
        for first in range(1, size + 1):
            verify_consistency(first, size, tree.consistency_proof(first, size), heads[first].root, checkpoint.root)
    assert read_tiles(folder, verifier)[0] == heads[15]


# --- RFC 8785 --------------------------------------------------------------------------------------------------

WITH_FRACTIONS = {"structures.json", "values.json"}
"""What our strict reader refuses by design, because decimals travel as strings; our writer takes it."""


def test_canonical_json(vectors: Path) -> None:
    folder = vectors / "jcs-rfc8785"
    inputs = sorted((folder / "input").glob("*.json"))
    assert len(inputs) == 6
    for path in inputs:
        data, expected = path.read_bytes(), (folder / "output" / path.name).read_bytes()
        assert bytes.fromhex((folder / "outhex" / f"{path.stem}.txt").read_text()) == expected
        assert canonical_bytes(json.loads(data)) == expected
        if path.name in WITH_FRACTIONS:
            with pytest.raises(JsonProblem) as problem:
                read_json(data)
            assert problem.value.code == "json-fraction"
        else:
            assert canonical_bytes(read_json(data)) == expected
            assert canonical_bytes(read_json(expected)) == expected


def doubles(static: list[str]) -> Iterator[int]:
    """The sequence of doubles that the vectors describe, as their 64 bits."""
    yield from (int(one, 16) for one in static)
    yield from (0x0010000000000000 + one for one in range(2000))
    block = bytes(32)
    for _ in count():
        block = sha256(block).digest()
        yield from (word for word in unpack("<4Q", block) if is_finite_and_not_zero(word))


def is_finite_and_not_zero(word: int) -> bool:
    return word << 1 & 0xFFFFFFFFFFFFFFFF != 0 and word >> 52 & 0x7FF != 0x7FF


def test_numbers_as_ecmascript_writes_them(vectors: Path) -> None:
    # Our reader refuses fractions, so no event holds one; the writer is held to RFC 8785 all the same.
    found = json.loads((vectors / "jcs-rfc8785" / "es6_numbers.json").read_bytes())
    wanted = [one for one in found["sha256_of_first_n_lines"] if one["lines"] <= 10_000]
    assert [one["lines"] for one in wanted] == [1_000, 10_000]
    lines = [
        b"%x,%b\n" % (word, canonical_bytes(unpack(">d", word.to_bytes(8))[0]))
        for word in islice(doubles(found["static_u64"]), 10_000)
    ]
    for one in wanted:
        text = b"".join(lines[: one["lines"]])
        assert (len(text), sha256(text).hexdigest()) == (one["bytes"], one["sha256"])
