"""Proofs and checkpoints that prove something else, or nothing: each is refused, over HTTP and by who checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import NamedTuple

import pytest

from ledger.checkpoints import Checkpoint, open_checkpoint
from ledger.merkle import (
    EMPTY_ROOT,
    ProofRejected,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from ledger.signed_notes import NoteRejected, SigningKey, VerifierKey, signed
from tests.api.bad_inputs.refusals import refusal
from tests.api.county import HERE, County

SIZE, INDEX = 11, 6
LEAVES = [leaf_hash(bytes([number])) for number in range(SIZE)]
ROOT = root_of(LEAVES)


class Inclusion(NamedTuple):
    leaf: bytes = LEAVES[INDEX]
    at: int = INDEX
    size: int = SIZE
    proof: tuple[bytes, ...] = tuple(inclusion_proof(LEAVES, INDEX))
    root: bytes = ROOT


GOOD = Inclusion()
PATH = GOOD.proof
INCLUSIONS: dict[str, Inclusion] = {
    "index = size": GOOD._replace(at=SIZE),
    "index beyond": GOOD._replace(at=2**64),
    "index of another leaf": GOOD._replace(at=INDEX + 1),
    "a negative index": GOOD._replace(at=-1),
    "index by size less": GOOD._replace(at=INDEX - SIZE),
    "size 0": GOOD._replace(at=0, size=0),
    "size 0 and the empty root": GOOD._replace(at=0, size=0, proof=(), root=EMPTY_ROOT),
    "a negative size": GOOD._replace(size=-1),
    "a smaller size": GOOD._replace(size=INDEX + 1),
    "a much larger size": GOOD._replace(size=2**63),
    "a leaf of 31 bytes": GOOD._replace(leaf=GOOD.leaf[:-1]),
    "a leaf of 33 bytes": GOOD._replace(leaf=GOOD.leaf + b"\0"),
    "an empty leaf": GOOD._replace(leaf=b""),
    "a root of 31 bytes": GOOD._replace(root=ROOT[:-1]),
    "a root of 64 characters": GOOD._replace(root=ROOT.hex().encode()),
    "a sibling of 31 bytes": GOOD._replace(proof=(PATH[0][:-1], *PATH[1:])),
    "a sibling of 33 bytes": GOOD._replace(proof=(PATH[0] + b"\0", *PATH[1:])),
    "an empty sibling": GOOD._replace(proof=(b"", *PATH[1:])),
    "no proof": GOOD._replace(proof=()),
    "a sibling less": GOOD._replace(proof=PATH[:-1]),
    "a first sibling less": GOOD._replace(proof=PATH[1:]),
    "a sibling more": GOOD._replace(proof=(*PATH, PATH[-1])),
    "an empty root more": GOOD._replace(proof=(*PATH, EMPTY_ROOT)),
    "1000 siblings": GOOD._replace(proof=PATH * 250),
    "swapped siblings": GOOD._replace(proof=(PATH[1], PATH[0], *PATH[2:])),
    "siblings from above": GOOD._replace(proof=PATH[::-1]),
    "another leaf": GOOD._replace(leaf=LEAVES[0]),
    "a node for a leaf": GOOD._replace(leaf=root_of(LEAVES[6:8]), proof=PATH[1:]),
    "the root for a leaf": GOOD._replace(leaf=ROOT, at=0, size=SIZE, proof=()),
    "another leaf's proof": GOOD._replace(proof=tuple(inclusion_proof(LEAVES, 0))),
    "the proof of another size": GOOD._replace(proof=tuple(inclusion_proof(LEAVES[:8], INDEX))),
    "the root of another size": GOOD._replace(root=root_of(LEAVES[:8])),
    "a flipped bit": GOOD._replace(proof=(bytes([PATH[0][0] ^ 1]) + PATH[0][1:], *PATH[1:])),
    "a flipped bit of the root": GOOD._replace(root=ROOT[:-1] + bytes([ROOT[-1] ^ 1])),
}


@pytest.mark.parametrize("name", INCLUSIONS)
def test_a_proof_of_something_else_is_refused(name: str) -> None:
    verify_inclusion(*GOOD)

    with pytest.raises(ProofRejected):
        verify_inclusion(*INCLUSIONS[name])


class Consistency(NamedTuple):
    first: int = 6
    second: int = SIZE
    proof: tuple[bytes, ...] = tuple(consistency_proof(LEAVES, 6))
    first_root: bytes = root_of(LEAVES[:6])
    second_root: bytes = ROOT


WHOLE = Consistency()
CONSISTENCIES: dict[str, Consistency] = {
    "first = 0": WHOLE._replace(first=0, proof=(), first_root=EMPTY_ROOT),
    "first > second": WHOLE._replace(first=SIZE + 1),
    "a negative first": WHOLE._replace(first=-6),
    "the sizes swapped": WHOLE._replace(first=SIZE, second=6),
    "second = 0": WHOLE._replace(first=0, second=0, proof=(), first_root=EMPTY_ROOT, second_root=EMPTY_ROOT),
    "no proof": WHOLE._replace(proof=()),
    "a hash less": WHOLE._replace(proof=WHOLE.proof[:-1]),
    "a hash more": WHOLE._replace(proof=(*WHOLE.proof, ROOT)),
    "a hash of 31 bytes": WHOLE._replace(proof=(WHOLE.proof[0][:-1], *WHOLE.proof[1:])),
    "hashes swapped": WHOLE._replace(proof=WHOLE.proof[::-1]),
    "a root of 31 bytes": WHOLE._replace(first_root=WHOLE.first_root[:-1]),
    "another old root": WHOLE._replace(first_root=root_of(LEAVES[:7])),
    "another new root": WHOLE._replace(second_root=root_of(LEAVES[:10])),
    "the roots swapped": WHOLE._replace(first_root=ROOT, second_root=root_of(LEAVES[:6])),
    "one size, two roots": WHOLE._replace(first=SIZE, proof=(), first_root=root_of(LEAVES[::-1])),
    "one size, with a proof": WHOLE._replace(first=SIZE, proof=(ROOT,), first_root=ROOT),
    "the proof of another size": WHOLE._replace(proof=tuple(consistency_proof(LEAVES, 5))),
    "a rewritten tree": WHOLE._replace(second_root=root_of([*LEAVES[:3], *LEAVES[4:], LEAVES[3]])),
}


@pytest.mark.parametrize("name", CONSISTENCIES)
def test_a_proof_of_another_continuation_is_refused(name: str) -> None:
    verify_consistency(*WHOLE)

    with pytest.raises(ProofRejected):
        verify_consistency(*CONSISTENCIES[name])


KEY = SigningKey.generate("mingzhang/360982", b"k" * 32)
OTHER_KEY = SigningKey.generate("mingzhang/360982", b"o" * 32)
FOREIGN_KEY = SigningKey.generate("mingzhang/360983", b"k" * 32)
HEAD = Checkpoint(KEY.name, SIZE, ROOT)
NOTE = signed(HEAD.text(), [KEY])
TEXT, LINES = NOTE.split(b"\n\n")


def note(text: str, key: SigningKey = KEY) -> bytes:
    return signed(text, [key])


def line(number: int, new: str) -> bytes:
    """The signed head with another line, signed again by the right key."""
    lines = HEAD.text().split("\n")
    lines[number] = new
    return note("\n".join(lines))


CHECKPOINTS: dict[str, bytes | Callable[[], bytes]] = {
    "nothing": b"",
    "noise": b"\xff" * 100,
    "no signature": TEXT + b"\n",
    "an empty line and nothing": TEXT + b"\n\n",
    "signed by another key": note(HEAD.text(), OTHER_KEY),
    "of another ledger": note(replace(HEAD, origin=FOREIGN_KEY.name).text(), FOREIGN_KEY),
    "another ledger's origin": line(0, "mingzhang/360983"),
    "the signature of another head": TEXT + b"\n\n" + note(replace(HEAD, size=10).text()).split(b"\n\n")[1],
    "another size under the signature": NOTE.replace(b"\n11\n", b"\n12\n"),
    "another root under the signature": NOTE.replace(TEXT.split(b"\n")[2][:4], b"AAAA"),
    "the signature twice": NOTE + LINES,
    "a flipped bit of the signature": NOTE[:-10] + bytes([NOTE[-10] ^ 1]) + NOTE[-9:],
    "the signature cut": NOTE[:-5] + b"\n",
    "no line end": NOTE[:-1],
    "CR LF": NOTE.replace(b"\n", b"\r\n"),
    "a byte order mark": b"\xef\xbb\xbf" + NOTE,
    "NUL": NOTE.replace(b"11", b"1\x001"),
    "a tab": NOTE.replace(b"\n11\n", b"\n11\t\n"),
    "a hyphen for the dash": NOTE.replace("—".encode(), b"-"),
    "a negative size": lambda: line(1, "-11"),
    "a leading zero": lambda: line(1, "011"),
    "a plus": lambda: line(1, "+11"),
    "a fraction": lambda: line(1, "11.0"),
    "an exponent": lambda: line(1, "1e1"),
    "digits of another script": lambda: line(1, "１１"),
    "2**63": lambda: line(1, str(2**63)),
    "a huge size": lambda: line(1, "9" * 5_000),
    "a root of 31 bytes": lambda: line(2, "A" * 40 + "AA=="),
    "a root in hexadecimal": lambda: line(2, ROOT.hex()),
    "a root of another alphabet": lambda: line(2, "-" * 43 + "="),
    "a root with unused bits": lambda: line(2, "A" * 42 + "B="),
    "no root": lambda: note(f"{KEY.name}\n11\n"),
    "an origin that is empty": lambda: line(0, ""),
    "101 signatures": TEXT + b"\n\n" + LINES * 101,
    "more than a note may be": lambda: NOTE + b"x" * 1_000_000,
}


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_a_checkpoint_that_is_none_of_this_ledger_is_refused(name: str) -> None:
    made = CHECKPOINTS[name]
    assert open_checkpoint(NOTE, KEY.verifier) == HEAD

    with pytest.raises(NoteRejected):
        open_checkpoint(made if isinstance(made, bytes) else made(), KEY.verifier)


KEYS = {
    "nothing": "",
    "a private key": KEY.text(),
    "another key's id": KEY.verifier.text().replace(KEY.verifier.key_id.hex(), OTHER_KEY.verifier.key_id.hex()),
    "another name": KEY.verifier.text().replace("360982", "360983"),
    "an unknown type": "x+00000000+CQAA",
    "a key of 31 bytes": "x+00000000+AQ" + "A" * 42,
    "a line end": KEY.verifier.text() + "\n",
    "a space in the name": "a b+00000000+AQ",
    "no base64": "x+00000000+!!!!",
}


@pytest.mark.parametrize("name", KEYS)
def test_a_key_that_is_none_is_refused_and_not_shown(name: str) -> None:
    with pytest.raises(NoteRejected) as refused:
        VerifierKey.parse(KEYS[name])
    assert KEY.text()[-40:] not in str(refused.value)


INVALID = "field-invalid"
ASKED: dict[str, tuple[int, str, str]] = {
    "proof/inclusion": (422, "field-missing", "position"),
    "proof/inclusion?position=0": (422, INVALID, "position"),
    "proof/inclusion?position=-1": (422, INVALID, "position"),
    "proof/inclusion?position=x": (422, INVALID, "position"),
    "proof/inclusion?position=1e1": (422, INVALID, "position"),
    "proof/inclusion?position=9999": (422, "unknown-position", "position"),
    f"proof/inclusion?position={2**63 - 1}": (422, "unknown-position", "position"),
    f"proof/inclusion?position={2**63}": (422, INVALID, "position"),
    "proof/inclusion?position=1&size=0": (422, INVALID, "size"),
    "proof/inclusion?position=1&size=9999": (422, "proof-size", "size"),
    "proof/inclusion?position=3&size=2": (422, "unknown-position", "position"),
    "proof/inclusion?position=1&index=1": (422, "parameter-unknown", "index"),
    "proof/consistency": (422, "field-missing", "first"),
    "proof/consistency?first=0": (422, INVALID, "first"),
    "proof/consistency?first=9999": (422, "proof-size", "first"),
    "proof/consistency?first=3&second=2": (422, "proof-size", "first"),
    f"proof/consistency?first=1&second={2**63 - 1}": (422, "proof-size", "size"),
    f"proof/consistency?first=1&second={2**63}": (422, INVALID, "second"),
    "entries?after=-1": (422, INVALID, "after"),
    "entries?limit=0": (422, INVALID, "limit"),
    "entries?limit=1000000": (422, INVALID, "limit"),
    f"entries?after={2**63}": (422, INVALID, "after"),
    "entries/0/bytes": (422, INVALID, "position"),
    "entries/-1/bytes": (422, INVALID, "position"),
    "entries/9999/bytes": (404, "unknown-position", "position"),
    f"entries/{2**63}/bytes": (422, INVALID, "position"),
    "checkpoint?size=1": (422, "parameter-unknown", "size"),
}


@pytest.mark.parametrize("asked", ASKED)
def test_a_proof_that_cannot_be_is_not_given(shared: County, asked: str) -> None:
    assert refusal(shared.client.get(f"{HERE}/{asked}")) == ASKED[asked]


@contextmanager
def rejected() -> Iterator[None]:
    with pytest.raises(ProofRejected):
        yield


def test_a_good_checkpoint_with_another_leafs_proof_proves_nothing(shared: County) -> None:
    key = VerifierKey.parse(shared.client.get(f"{HERE}/verifier-key").text.strip())
    head = open_checkpoint(shared.client.get(f"{HERE}/checkpoint").content, key)
    one, other = (shared.get(f"{HERE}/proof/inclusion", position=at, size=head.size) for at in (1, 2))
    mine, path, others = (
        bytes.fromhex(one["leaf_hash"]),
        [bytes.fromhex(hash_) for hash_ in one["hashes"]],
        [bytes.fromhex(hash_) for hash_ in other["hashes"]],
    )

    verify_inclusion(mine, 0, head.size, path, head.root)
    with rejected():
        verify_inclusion(mine, 0, head.size, others, head.root)
    with rejected():
        verify_inclusion(mine, 1, head.size, path, head.root)
    with rejected():
        verify_inclusion(bytes.fromhex(other["leaf_hash"]), 0, head.size, path, head.root)
