"""What a witness cosigns, what it refuses, and what it keeps."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.checkpoints import Checkpoint, open_cosigned
from ledger.rejection import Rejection
from ledger.signed_notes import NoteRejected, SignatureType, SigningKey, signed, timestamp_of
from ledger.witness_store import KEY_FILE, WitnessStore
from ledger.witnessing import LARGEST_REQUEST, MOST_HASHES, Cosigned, Forked, SizeConflict, Submission, Witness
from tests.ledger.witnessed import KEY, NOON, ORIGIN, WITNESS, WITNESS_KEY, Log, add

LOG = Log()
FORK = Log(seed="b", shared=5)
STATE = sha256(ORIGIN.encode()).hexdigest()


def seen(size: int) -> Checkpoint:
    """What the witness has seen: this ledger's head of that size."""
    return LOG.head(size)


def cosigned(asked: Submission, before: Checkpoint | None = None) -> Cosigned:
    return WITNESS.cosign(asked, before, NOON)


def refused(asked: Submission, before: Checkpoint | None = None) -> str:
    with pytest.raises(Rejection) as rejection:
        cosigned(asked, before)
    [one] = rejection.value.refusals
    return one.code


# --- the request -----------------------------------------------------------------------------------------------------


@settings(max_examples=30)
@given(
    old=st.integers(0, 2**63 - 1),
    hashes=st.lists(st.binary(min_size=32, max_size=32), max_size=MOST_HASHES),
)
def test_a_request_is_read_as_it_was_written(old: int, hashes: list[bytes]) -> None:
    asked = Submission(old, tuple(hashes), LOG.note(7))
    assert Submission.parse(asked.body()) == asked


def test_a_request_is_written_as_the_protocol_says() -> None:
    body = Submission(3, (b"\x00" * 32, b"\xff" * 32), b"origin\n").body()
    assert body == (
        b"old 3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n//////////////////////////////////////////8=\n\norigin\n"
    )


ALL_BITS = base64.urlsafe_b64encode(b"\xff" * 32).decode()
HASH = base64.b64encode(bytes(32)).decode()
NOTE = LOG.note(7).decode()
MALFORMED = {
    "nothing": "",
    "no empty line": f"old 0\n{NOTE.partition(chr(10))[2].replace(chr(10) * 2, chr(10))}",
    "no old size": f"\n{NOTE}",
    "a size alone": f"7\n\n{NOTE}",
    "another word": f"size 0\n\n{NOTE}",
    "upper case": f"Old 0\n\n{NOTE}",
    "two spaces": f"old  0\n\n{NOTE}",
    "a space behind": f"old 0 \n\n{NOTE}",
    "a leading zero": f"old 07\n\n{NOTE}",
    "a sign": f"old +0\n\n{NOTE}",
    "a negative size": f"old -1\n\n{NOTE}",
    "a size in hexadecimal": f"old 0x7\n\n{NOTE}",
    "other digits": f"old ٣\n\n{NOTE}",
    "20 digits": f"old {10**19}\n\n{NOTE}",
    "4,000 digits": f"old {'9' * 4000}\n\n{NOTE}",
    "no size": f"old \n\n{NOTE}",
    "carriage returns": f"old 0\r\n\r\n{NOTE}",
    "a hash of 31 bytes": f"old 1\n{base64.b64encode(bytes(31)).decode()}\n\n{NOTE}",
    "a hash of 33 bytes": f"old 1\n{base64.b64encode(bytes(33)).decode()}\n\n{NOTE}",
    "a hash without padding": f"old 1\n{HASH.rstrip('=')}\n\n{NOTE}",
    "unused bits in a hash": f"old 1\n{HASH[:-2]}B=\n\n{NOTE}",
    "base64 for addresses": f"old 1\n{ALL_BITS}\n\n{NOTE}",
    "a hash in hexadecimal": f"old 1\n{'00' * 32}\n\n{NOTE}",
    "a space before a hash": f"old 1\n {HASH}\n\n{NOTE}",
    "64 hashes": f"old 1\n{f'{HASH}{chr(10)}' * 64}\n{NOTE}",
    "no checkpoint": "old 0\n\n",
    "no signature": f"old 0\n\n{LOG.head(7).text()}",
    "a note that is no checkpoint": f"old 0\n\n{signed('会议纪要' + chr(10), [KEY]).decode()}",
    "a checkpoint of size 07": f"old 0\n\n{NOTE.replace(f'{chr(10)}7{chr(10)}', f'{chr(10)}07{chr(10)}')}",
    "a root of 31 bytes": "old 0\n\n" + f"{ORIGIN}\n7\n{base64.b64encode(bytes(31)).decode()}\n\n— x AAAAAAA=\n",
    "a signature line without a newline": f"old 0\n\n{NOTE}"[:-1],
    "something behind the note": f"old 0\n\n{NOTE}x",
    "NUL in the note": f"old 0\n\n{NOTE.replace('/', chr(0), 1)}",
    "too large": f"old 0\n\n{NOTE}" + "— x AAAAAAA=\n" * 6000,
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_request_is_refused_before_anything_else(body: str) -> None:
    with pytest.raises(Rejection) as rejection:
        WITNESS.open(Submission.parse(body.encode()))
    assert [one.code for one in rejection.value.refusals] == ["witness-request"]


@pytest.mark.parametrize("body", [b"\xff\xfe", b"old 0\xff\n\n" + LOG.note(7), b"old 0\n\n\xff" + LOG.note(7)])
def test_bytes_that_are_no_text_are_refused(body: bytes) -> None:
    with pytest.raises(Rejection, match="witness-request"):
        WITNESS.open(Submission.parse(body))


def test_a_request_of_the_most_hashes_has_room() -> None:
    body = Submission(1, (bytes(32),) * MOST_HASHES, LOG.note(7)).body()
    assert len(Submission.parse(body).proof) == 63
    assert len(body) < LARGEST_REQUEST // 10


# --- the decision ----------------------------------------------------------------------------------------------------


def test_the_first_head_is_cosigned_as_it_comes() -> None:
    answer = cosigned(LOG.asks(0, 7))
    head, [cosignature] = open_cosigned(answer.note, KEY.verifier, [WITNESS_KEY.verifier])
    assert (head, cosignature.timestamp) == (LOG.head(7), NOON)
    assert answer.line == f"{answer.note.decode().splitlines()[-1]}\n"


@settings(max_examples=30)
@given(data=st.data())
def test_every_continuation_is_cosigned_and_no_altered_proof_is(data: st.DataObject) -> None:
    old = data.draw(st.integers(1, 19))
    size = data.draw(st.integers(old + 1, 20))
    asked = LOG.asks(old, size)
    assert cosigned(asked, seen(old)).checkpoint == LOG.head(size)
    at = data.draw(st.integers(0, len(asked.proof) - 1))
    bit = data.draw(st.integers(0, 255))
    altered = (int.from_bytes(asked.proof[at]) ^ 1 << bit).to_bytes(32)
    assert refused(replace(asked, proof=(*asked.proof[:at], altered, *asked.proof[at + 1 :])), seen(old)) == (
        "witness-proof"
    )


def test_the_same_head_is_cosigned_again_at_a_later_moment() -> None:
    again = WITNESS.cosign(LOG.asks(7, 7), seen(7), NOON + 60)
    _, [cosignature] = open_cosigned(again.note, KEY.verifier, [WITNESS_KEY.verifier])
    assert cosignature.timestamp == NOON + 60


def test_an_old_size_beyond_the_checkpoint_is_refused() -> None:
    assert refused(LOG.asks(8, 7), seen(8)) == "witness-old-size"


@pytest.mark.parametrize(("asked", "has"), [(LOG.asks(0, 9), 7), (LOG.asks(5, 9), 7), (LOG.asks(8, 9), 7)])
def test_another_old_size_is_told_the_right_one(asked: Submission, has: int) -> None:
    with pytest.raises(SizeConflict) as conflict:
        cosigned(asked, seen(has))
    assert conflict.value.size == has


def test_a_ledger_that_shrank_is_refused_whatever_it_says() -> None:
    assert {refused(LOG.asks(old, 5), seen(7)) for old in (0, 3, 5)} == {"witness-size"}
    assert refused(LOG.asks(7, 5), seen(7)) == "witness-old-size"


def test_two_roots_of_one_size_are_a_fork() -> None:
    with pytest.raises(Forked):
        cosigned(FORK.asks(7, 7), seen(7))


def test_a_fork_from_before_what_was_seen_has_no_proof() -> None:
    assert refused(FORK.asks(7, 12), seen(7)) == "witness-proof"
    assert cosigned(FORK.asks(5, 12), seen(5)).checkpoint == FORK.head(12)


@pytest.mark.parametrize(
    ("old", "size", "hashes"), [(0, 7, 1), (7, 7, 1), (7, 12, 0)], ids=["from nothing", "to itself", "left out"]
)
def test_a_proof_has_exactly_the_hashes_it_needs(old: int, size: int, hashes: int) -> None:
    proof = (bytes(32),) * hashes
    assert refused(replace(LOG.asks(old, size), proof=proof), seen(old) if old else None) == "witness-proof"


def test_an_empty_tree_has_the_empty_root() -> None:
    assert cosigned(LOG.asks(0, 0)).checkpoint.size == 0
    wrong = Submission(0, (), signed(Checkpoint(ORIGIN, 0, bytes(32)).text(), [KEY]))
    assert refused(wrong) == "witness-request"


def test_an_unknown_ledger_is_refused_before_its_signature_is_looked_at() -> None:
    stranger = SigningKey.generate("mingzhang/341821", bytes(32))
    assert refused(Log(key=stranger).asks(0, 7)) == "witness-unknown-log"


def test_a_head_that_no_known_key_signed_is_refused() -> None:
    impostor = SigningKey.generate(ORIGIN, bytes(32))
    assert refused(Log(key=impostor).asks(0, 7)) == "witness-signature"
    altered = LOG.note(7).replace(b"\n7\n", b"\n8\n")
    assert refused(Submission(0, (), altered)) == "witness-signature"


def test_signatures_of_others_are_neither_trusted_nor_kept() -> None:
    impostor = SigningKey.generate(ORIGIN, bytes(32))
    both = signed(LOG.head(7).text(), [impostor, KEY])
    assert cosigned(Submission(0, (), both)) == cosigned(LOG.asks(0, 7))


def test_a_ledger_may_have_two_known_keys() -> None:
    new = SigningKey.generate(ORIGIN, bytes(32))
    both = Witness(WITNESS_KEY, (KEY.verifier, new.verifier))
    assert both.cosign(Log(key=new).asks(0, 7), None, NOON).checkpoint == LOG.head(7)


def test_further_lines_of_a_checkpoint_are_cosigned_with_it() -> None:
    text = replace(LOG.head(7), extensions=("further",)).text()
    answer = cosigned(Submission(0, (), signed(text, [KEY])))
    assert answer.note.decode().startswith(text)
    assert open_cosigned(answer.note, KEY.verifier, [WITNESS_KEY.verifier])[1]


def test_keys_are_those_of_a_witness_and_of_ledgers() -> None:
    with pytest.raises(NoteRejected, match="makes no cosignatures"):
        Witness(KEY, ())
    with pytest.raises(NoteRejected, match="expected the key of a ledger"):
        Witness(WITNESS_KEY, (WITNESS_KEY.verifier,))


# --- what is kept ----------------------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> WitnessStore:
    store = WitnessStore(tmp_path)
    (tmp_path / KEY_FILE).write_text(WITNESS_KEY.text(), "utf-8")
    (tmp_path / KEY_FILE).chmod(0o600)
    return store


def test_a_witness_that_starts_again_knows_what_it_has_seen(store: WitnessStore, tmp_path: Path) -> None:
    add(store, LOG.asks(0, 7))
    with pytest.raises(SizeConflict) as conflict:
        add(WitnessStore(tmp_path), LOG.asks(0, 9))
    assert conflict.value.size == 7
    assert add(WitnessStore(tmp_path), LOG.asks(7, 9)).checkpoint == LOG.head(9)


def test_each_ledger_has_a_file_of_its_own(store: WitnessStore, tmp_path: Path) -> None:
    other = SigningKey.generate("../../etc/passwd", bytes(32))
    witness = store.witness((KEY.verifier, other.verifier))
    for log in (LOG, Log(key=other)):
        store.add_checkpoint(witness, log.asks(0, 7), NOON)
    names = [sha256(name.encode()).hexdigest() for name in (ORIGIN, other.name)]
    kept = {path.name for path in tmp_path.iterdir()}
    assert kept == {KEY_FILE, *(f"{name}.{end}" for name in names for end in ("checkpoint", "lock"))}


def test_nothing_is_kept_of_what_is_refused(store: WitnessStore, tmp_path: Path) -> None:
    add(store, LOG.asks(0, 7))
    before = (tmp_path / f"{STATE}.checkpoint").read_bytes()
    for asked in (FORK.asks(7, 12), LOG.asks(0, 12), LOG.asks(5, 5)):
        with pytest.raises(Rejection):
            add(store, asked)
    assert (tmp_path / f"{STATE}.checkpoint").read_bytes() == before


def test_the_first_fork_is_kept_as_the_proof_of_it(store: WitnessStore, tmp_path: Path) -> None:
    add(store, LOG.asks(0, 7))
    for seed in ("b", "c"):
        with pytest.raises(Forked):
            add(store, Log(seed=seed).asks(7, 7))
    assert (tmp_path / f"{STATE}.fork").read_bytes() == Log(seed="b").note(7)


@pytest.mark.parametrize("damage", [b"", b"x", LOG.note(7), WITNESS.cosign(LOG.asks(0, 7), None, NOON).note[:-2]])
def test_a_damaged_state_is_never_taken_for_none(store: WitnessStore, tmp_path: Path, damage: bytes) -> None:
    (tmp_path / f"{STATE}.checkpoint").write_bytes(damage)
    with pytest.raises(Rejection, match="witness-state-damaged"):
        add(store, LOG.asks(0, 7))


def test_the_state_of_another_ledger_is_refused(store: WitnessStore, tmp_path: Path) -> None:
    other = SigningKey.generate("mingzhang/341821", bytes(32))
    store.add_checkpoint(store.witness((other.verifier,)), Log(key=other).asks(0, 3), NOON)
    name = sha256(other.name.encode()).hexdigest()
    (tmp_path / f"{name}.checkpoint").rename(tmp_path / f"{STATE}.checkpoint")
    with pytest.raises(Rejection, match="witness-state-damaged"):
        add(store, LOG.asks(3, 7))


def test_no_cosignature_goes_out_that_could_not_be_kept(store: WitnessStore, tmp_path: Path) -> None:
    add(store, LOG.asks(0, 7))
    (tmp_path / f"{STATE}.checkpoint.new").mkdir()
    with pytest.raises(OSError, match=r"checkpoint\.new"):
        add(store, LOG.asks(7, 9))
    (tmp_path / f"{STATE}.checkpoint.new").rmdir()
    with pytest.raises(SizeConflict) as conflict:
        add(store, LOG.asks(9, 12))
    assert conflict.value.size == 7


def test_of_requests_at_once_from_one_size_one_is_cosigned(store: WitnessStore) -> None:
    add(store, LOG.asks(0, 7))

    def outcome(size: int) -> int | None:
        try:
            return add(store, LOG.asks(7, size)).checkpoint.size
        except SizeConflict:
            return None

    with ThreadPoolExecutor(8) as pool:
        found = [size for size in pool.map(outcome, range(8, 21)) if size]
    assert len(found) == 1
    assert add(store, LOG.asks(found[0], 20)).checkpoint == LOG.head(20)


def test_of_two_processes_at_once_from_one_size_one_cosigns(store: WitnessStore, tmp_path: Path) -> None:
    add(store, LOG.asks(0, 7))
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.ledger.witnessed", str(tmp_path), "7", str(size)],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for size in (9, 12)
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    found = sorted(int(process.communicate(timeout=60)[0]) for process in started)
    assert found in ([-9, 9], [-12, 12])


# --- the key ---------------------------------------------------------------------------------------------------------


def test_a_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    store = WitnessStore(tmp_path / "witness")
    made = store.made_key("witness.example.com/w1", os.urandom)
    assert store.made_key("witness.example.com/w1", os.urandom) == made == store.key()
    assert made.type is SignatureType.COSIGNATURE
    assert (tmp_path / "witness" / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "witness").stat().st_mode & 0o777 == 0o700
    with pytest.raises(Rejection, match="witness-key-name"):
        store.made_key("witness.example.com/w2", os.urandom)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb"])
def test_a_name_that_no_line_can_hold_makes_no_key(tmp_path: Path, name: str) -> None:
    with pytest.raises(Rejection, match="witness-key-name"):
        WitnessStore(tmp_path / "witness").made_key(name, os.urandom)
    assert not (tmp_path / "witness").exists()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
def test_a_key_that_others_can_reach_is_not_used(store: WitnessStore, tmp_path: Path, mode: int) -> None:
    (tmp_path / KEY_FILE).chmod(mode)
    with pytest.raises(Rejection, match="witness-key-file"):
        store.key()


@pytest.mark.parametrize("content", [b"", b"\xff", b"PRIVATE+KEY+x", KEY.text().encode()])
def test_what_is_no_key_of_a_witness_is_refused_without_being_shown(
    store: WitnessStore, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / KEY_FILE).write_bytes(content)
    with pytest.raises(Rejection, match="witness-key-file") as rejection:
        store.key()
    assert KEY.text().rpartition("+")[2] not in str(rejection.value)


def test_without_a_key_the_way_to_one_is_told(tmp_path: Path) -> None:
    with pytest.raises(Rejection, match="mingzhang witness key"):
        WitnessStore(tmp_path / "nowhere").key()


def test_the_moment_of_a_cosignature_is_the_one_told() -> None:
    answer = cosigned(LOG.asks(0, 7))
    assert timestamp_of(WITNESS_KEY.cosign(LOG.head(7).text(), NOON)) == NOON
    assert answer.line == WITNESS_KEY.cosign(LOG.head(7).text(), NOON).line()
