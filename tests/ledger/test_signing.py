import secrets
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, insert, update

from ledger import signing
from ledger.checkpoints import Checkpoint, cosigned, open_checkpoint, open_cosigned
from ledger.database import for_writing
from ledger.merkle import EMPTY_ROOT, Edge, leaf_hash, root_of, verify_consistency, verify_inclusion
from ledger.recorder import LedgerRecorder
from ledger.rejection import Rejection
from ledger.signed_notes import SignatureType, SigningKey, VerifierKey, signed
from ledger.signing import LedgerProofs
from ledger.tables import events, ledgers
from ledger.tiles import read_entries, read_tiles
from tests.ledger.signed_ledgers import ORIGIN, WITNESS, kept, refused
from tests.ledger.store import LANGXI, ROOT, ZHANGSHU, Open, entry

SECOND = SigningKey.generate("example.com/second", b"2" * 32, SignatureType.COSIGNATURE)
STATES = [b"state %d" % number for number in range(1, 13)]
LEAVES = [leaf_hash(state) for state in STATES]

Prove = Callable[..., LedgerProofs]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "keys"


@pytest.fixture
def prove(engine: Engine, folder: Path) -> Prove:
    """Another server on the same store and folder, each time: nothing is known from before."""

    def proofs(code: str = ZHANGSHU) -> LedgerProofs:
        return LedgerProofs(engine, code, folder, "mingzhang", secrets.token_bytes)

    return proofs


@pytest.fixture
def recorder(open_ledger: Open) -> LedgerRecorder:
    """A ledger of five entries."""
    recorder = open_ledger()
    append(recorder, 5)
    return recorder


def append(recorder: LedgerRecorder, size: int) -> None:
    recorder.insert_events([entry(state=state) for state in STATES[recorder.head().size : size]])


def opened(proofs: LedgerProofs) -> Checkpoint:
    return open_checkpoint(proofs.checkpoint(), VerifierKey.parse(proofs.verifier_key()))


def head(size: int) -> Checkpoint:
    return Checkpoint(ORIGIN, size, root_of(LEAVES[:size]))


def cut(engine: Engine, size: int) -> None:
    """Make the store what it was when it had that size, as a restored backup does."""
    with for_writing(engine).begin() as connection:
        connection.execute(delete(events).where(events.c.position > size))
    set_head(engine, LEAVES[:size])


def set_head(engine: Engine, leaves: list[bytes]) -> None:
    with for_writing(engine).begin() as connection:
        values = {"size": len(leaves), "edge": Edge().extend(leaves).to_bytes()}
        connection.execute(update(ledgers).where(ledgers.c.code == ZHANGSHU).values(values))


def edit(engine: Engine, position: int, **values: object) -> None:
    with for_writing(engine).begin() as connection:
        connection.execute(update(events).where(events.c.position == position).values(values))


def remove(engine: Engine, position: int) -> None:
    with for_writing(engine).begin() as connection:
        connection.execute(delete(events).where(events.c.position == position))


# --- the signed head -------------------------------------------------------------------------------------------


def test_the_present_head_is_signed_and_kept(prove: Prove, folder: Path, recorder: LedgerRecorder) -> None:
    proofs = prove()
    assert opened(proofs) == head(5)
    assert (folder / f"{ZHANGSHU}.checkpoint").read_bytes() == proofs.checkpoint()
    append(recorder, 8)
    assert opened(proofs) == opened(prove()) == head(8)
    assert (folder / f"{ZHANGSHU}.checkpoint").read_bytes() == proofs.checkpoint()


def test_an_empty_ledger_has_a_signed_head(prove: Prove) -> None:
    assert opened(prove()) == Checkpoint(ORIGIN, 0, EMPTY_ROOT)


@pytest.mark.usefixtures("recorder")
def test_one_head_has_one_note(prove: Prove, folder: Path) -> None:
    note = prove().checkpoint()
    before = (folder / f"{ZHANGSHU}.checkpoint").stat()
    proofs = prove()
    assert {prove().checkpoint(), proofs.checkpoint(), proofs.checkpoint()} == {note}
    after = (folder / f"{ZHANGSHU}.checkpoint").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_ledgers_have_heads_of_their_own(prove: Prove, recorder: LedgerRecorder, open_ledger: Open) -> None:
    open_ledger(LANGXI).insert_events([entry(state=b"elsewhere")])
    assert opened(prove(LANGXI)) == Checkpoint(f"mingzhang/{LANGXI}", 1, leaf_hash(b"elsewhere"))
    assert opened(prove()) == head(recorder.head().size)


@pytest.mark.usefixtures("recorder")
def test_what_cannot_be_kept_is_not_given(prove: Prove, folder: Path, engine: Engine) -> None:
    cut(engine, 3)
    prove().checkpoint()
    before = (folder / f"{ZHANGSHU}.checkpoint").read_bytes()
    # Nothing can be written at this path.
    (folder / f"{ZHANGSHU}.checkpoint.new").mkdir()
    with for_writing(engine).begin() as connection:
        connection.execute(insert(events).values(row(4)))
    set_head(engine, LEAVES[:4])
    with pytest.raises(OSError, match=r"checkpoint\.new"):
        prove().checkpoint()
    assert (folder / f"{ZHANGSHU}.checkpoint").read_bytes() == before


def row(position: int) -> dict[str, object]:
    return {
        "ledger": ZHANGSHU,
        "position": position,
        "stream": position.to_bytes(16),
        "version": 1,
        "topic": "observed",
        "state": STATES[position - 1],
        "leaf_hash": LEAVES[position - 1],
        "recorded_at": 0,
    }


@pytest.mark.usefixtures("recorder")
def test_a_store_older_than_what_was_signed_is_refused(prove: Prove, folder: Path, engine: Engine) -> None:
    running = prove()
    running.checkpoint()
    before = kept(folder)
    cut(engine, 3)
    # A server that was running, and one that starts.
    for proofs in (running, prove()):
        for ask in (proofs.checkpoint, proofs.check_continuation):
            with refused("checkpoint-not-consistent", "size 5", "only 3 entries", "restore the newer backup"):
                ask()
    assert kept(folder) == before


def test_a_store_that_grew_again_after_it_was_cut_is_refused(
    prove: Prove, engine: Engine, recorder: LedgerRecorder
) -> None:
    running = prove()
    running.checkpoint()
    cut(engine, 3)
    recorder.insert_events([entry(state=b"other %d" % number) for number in range(4)])
    for proofs in (running, prove()):
        for ask in (proofs.checkpoint, proofs.check_continuation):
            with refused("checkpoint-not-consistent", "first 5 of the store's 7 entries", "restore a backup"):
                ask()


@pytest.mark.usefixtures("recorder")
def test_an_entry_altered_with_its_hashes_is_refused(prove: Prove, engine: Engine) -> None:
    prove().checkpoint()
    edit(engine, 2, state=b"forged", leaf_hash=leaf_hash(b"forged"))
    set_head(engine, [LEAVES[0], leaf_hash(b"forged"), *LEAVES[2:5]])
    for ask in (prove().checkpoint, prove().check_continuation):
        with refused("checkpoint-not-consistent", "altered after they were signed"):
            ask()


@pytest.mark.parametrize(
    "damage",
    [
        lambda engine: edit(engine, 2, state=b"forged"),
        lambda engine: remove(engine, 2),
        lambda engine: remove(engine, 5),
        lambda engine: set_head(engine, LEAVES[:4]),
        lambda engine: set_head(engine, LEAVES[1:6]),
    ],
    ids=["edited", "hole", "last removed", "shorter head", "other edge"],
)
@pytest.mark.usefixtures("recorder")
def test_damage_after_signing_is_refused(prove: Prove, engine: Engine, damage: Callable[[Engine], None]) -> None:
    prove().check_continuation()
    prove().checkpoint()
    damage(engine)
    for ask in (prove().checkpoint, prove().check_continuation):
        with pytest.raises(Rejection) as rejection:
            ask()
        assert rejection.value.refusals[0].code in {"checkpoint-not-consistent", "ledger-damaged"}


@pytest.mark.parametrize(
    ("damage", "word"),
    [
        (lambda engine: edit(engine, 2, state=b"forged"), "two roots"),
        (lambda engine: remove(engine, 2), "position 2"),
        (lambda engine: remove(engine, 5), "position 5"),
        (lambda engine: set_head(engine, LEAVES[1:6]), "two roots"),
    ],
    ids=["edited", "hole", "last removed", "other edge"],
)
@pytest.mark.usefixtures("recorder")
def test_a_store_that_contradicts_itself_is_never_signed(
    prove: Prove, folder: Path, engine: Engine, damage: Callable[[Engine], None], word: str
) -> None:
    damage(engine)
    proofs = prove()
    for _ in range(2):
        with refused("ledger-damaged", word):
            proofs.checkpoint()
        with refused("ledger-damaged", word):
            proofs.inclusion(1, 5)
    assert not (folder / f"{ZHANGSHU}.checkpoint").exists()


@pytest.mark.usefixtures("recorder")
def test_columns_beside_the_bytes_are_not_believed(prove: Prove, engine: Engine) -> None:
    edit(engine, 2, leaf_hash=bytes(32))
    proofs = prove()
    assert opened(proofs) == head(5)
    assert proofs.leaf_hash(2) == LEAVES[1]


def test_the_check_at_start_makes_nothing(prove: Prove, folder: Path, recorder: LedgerRecorder) -> None:
    prove().check_continuation()
    assert not folder.exists()
    prove().checkpoint()
    before = kept(folder)
    append(recorder, 7)
    prove().check_continuation()
    assert kept(folder) == before


@pytest.mark.usefixtures("recorder")
def test_a_kept_checkpoint_that_does_not_verify_is_refused(prove: Prove, folder: Path) -> None:
    prove().checkpoint()
    stranger = SigningKey.generate(ORIGIN, bytes(32))
    for note in (b"", b"damaged\n", signed(head(5).text(), [stranger])):
        (folder / f"{ZHANGSHU}.checkpoint").write_bytes(note)
        for ask in (prove().checkpoint, prove().check_continuation):
            with refused("checkpoint-damaged", "restore both"):
                ask()


# --- several processes -----------------------------------------------------------------------------------------


def test_a_process_sees_what_another_has_signed(prove: Prove, engine: Engine, recorder: LedgerRecorder) -> None:
    first, second = prove(), prove()
    assert opened(first) == head(5)
    append(recorder, 8)
    assert opened(second) == head(8)
    # The first has signed 5 entries itself, and is held to the 8 that the second signed.
    cut(engine, 6)
    with refused("checkpoint-not-consistent", "size 8", "only 6 entries"):
        first.checkpoint()


def test_who_signs_waits_for_who_is_signing(engine: Engine, folder: Path) -> None:
    waiting: list[Future[str]] = []

    def random_bytes(size: int) -> bytes:
        # The first is making the key. Without the lock the second would make one of its own meanwhile.
        second = LedgerProofs(engine, ZHANGSHU, folder, "mingzhang", secrets.token_bytes)
        waiting.append(pool.submit(second.verifier_key))
        with pytest.raises(TimeoutError):
            waiting[0].result(timeout=0.5)
        return secrets.token_bytes(size)

    with ThreadPoolExecutor(1) as pool:
        vkey = LedgerProofs(engine, ZHANGSHU, folder, "mingzhang", random_bytes).verifier_key()
        assert waiting[0].result() == vkey


SIGN = """
import secrets, sys
from pathlib import Path
from ledger.database import open_engine
from ledger.signing import LedgerProofs
url, folder, code = sys.argv[1:]
proofs = LedgerProofs(open_engine(url), code, Path(folder), "mingzhang", secrets.token_bytes)
sys.stdin.read()
sys.stdout.buffer.write(proofs.checkpoint())
"""


@pytest.mark.usefixtures("recorder")
def test_processes_that_start_at_once_have_one_key_and_one_note(prove: Prove, folder: Path, database_url: str) -> None:
    command = [sys.executable, "-c", SIGN, database_url, str(folder), ZHANGSHU]
    running = [subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)]
    for one in running:
        assert one.stdin is not None
        one.stdin.close()
        one.stdin = None
    notes = {one.communicate(timeout=60)[0] for one in running}
    assert [one.returncode for one in running] == [0, 0]
    assert notes == {prove().checkpoint()}


# --- cosignatures ----------------------------------------------------------------------------------------------


def test_cosignatures_are_given_with_the_very_checkpoint(prove: Prove, recorder: LedgerRecorder) -> None:
    proofs = prove()
    note, verifier = proofs.checkpoint(), VerifierKey.parse(proofs.verifier_key())
    assert proofs.cosigned_checkpoint() is None
    proofs.keep_cosignatures(cosigned(note, verifier, WITNESS, 100))
    proofs.keep_cosignatures(cosigned(note, verifier, SECOND, 200))
    proofs.keep_cosignatures(cosigned(note, verifier, WITNESS, 300))
    both = prove().checkpoint()
    checkpoint, cosignatures = open_cosigned(both, verifier, [WITNESS.verifier, SECOND.verifier])
    assert checkpoint == head(5)
    assert [one.timestamp for one in cosignatures] == [300, 200]
    append(recorder, 6)
    # Nobody has cosigned the new head; the old one stays at hand.
    assert open_cosigned(proofs.checkpoint(), verifier, [WITNESS.verifier]) == (head(6), ())
    assert proofs.cosigned_checkpoint() == prove().cosigned_checkpoint() == both


def test_cosignatures_of_an_older_checkpoint_are_let_go(prove: Prove, recorder: LedgerRecorder) -> None:
    proofs = prove()
    older, verifier = proofs.checkpoint(), VerifierKey.parse(proofs.verifier_key())
    append(recorder, 6)
    newer = cosigned(proofs.checkpoint(), verifier, WITNESS, 100)
    proofs.keep_cosignatures(newer)
    proofs.keep_cosignatures(cosigned(older, verifier, SECOND, 200))
    assert proofs.cosigned_checkpoint() == proofs.checkpoint() == newer


@pytest.mark.usefixtures("recorder")
@pytest.mark.parametrize("taken", ["checkpoint", "cosignatures"])
def test_an_older_store_is_refused_while_either_signed_head_is_kept(
    prove: Prove, folder: Path, engine: Engine, taken: str
) -> None:
    proofs = prove()
    proofs.keep_cosignatures(cosigned(proofs.checkpoint(), VerifierKey.parse(proofs.verifier_key()), WITNESS, 100))
    [path] = folder.glob(f"*.{taken}")
    path.unlink()
    cut(engine, 3)
    for ask in (prove().checkpoint, prove().check_continuation):
        with refused("checkpoint-not-consistent", "size 5", "only 3 entries"):
            ask()


@pytest.mark.usefixtures("recorder")
def test_without_its_key_no_other_is_made_beside_a_cosigned_head(prove: Prove, folder: Path) -> None:
    proofs = prove()
    proofs.keep_cosignatures(cosigned(proofs.checkpoint(), VerifierKey.parse(proofs.verifier_key()), WITNESS, 100))
    for path in (*folder.glob("*.checkpoint"), *folder.glob("*.signing-key")):
        path.unlink()
    with refused("signing-key-missing", "cosignatures", "restore the key"):
        prove().checkpoint()


@pytest.mark.usefixtures("recorder")
def test_what_is_no_cosigned_checkpoint_of_the_ledger_is_refused(prove: Prove) -> None:
    proofs = prove()
    note = proofs.checkpoint()
    stranger = SigningKey.generate(ORIGIN, bytes(32))
    foreign = cosigned(signed(head(5).text(), [stranger]), stranger.verifier, WITNESS, 100)
    not_a_cosignature = note + SigningKey.generate("example.com/log", bytes(32)).sign(head(5).text()).line().encode()
    for wrong in (b"", note, foreign, not_a_cosignature):
        with refused("cosignatures-invalid", ORIGIN):
            proofs.keep_cosignatures(wrong)
    assert proofs.cosigned_checkpoint() is None


# --- proofs ----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("recorder")
def test_every_entry_is_proved_to_be_included(prove: Prove) -> None:
    proofs = prove()
    assert proofs.size() == 5
    for size in range(1, 6):
        for position in range(1, size + 1):
            proof = proofs.inclusion(position, size)
            verify_inclusion(proofs.leaf_hash(position), position - 1, size, proof, proofs.root(size))
    assert [proofs.leaf_hash(position) for position in range(1, 6)] == LEAVES[:5]


def test_every_earlier_head_is_proved_to_be_the_start(prove: Prove, recorder: LedgerRecorder) -> None:
    proofs = prove()
    heads = [opened(proofs)]
    for size in range(6, 9):
        append(recorder, size)
        heads.append(opened(proofs))
    for first in heads:
        for second in heads[heads.index(first) :]:
            proof = proofs.consistency(first.size, second.size)
            verify_consistency(first.size, second.size, proof, first.root, second.root)


@pytest.mark.usefixtures("recorder")
def test_what_the_ledger_does_not_have_is_not_proved(prove: Prove) -> None:
    proofs = prove()
    for position, size in [(0, 5), (-1, 5), (4, 3), (1, 0)]:
        with refused("unknown-position", f"no position {position}"):
            proofs.inclusion(position, size)
    for size in (-1, 6, 2**63):
        for ask in (lambda: proofs.inclusion(1, size), lambda: proofs.root(size), lambda: proofs.consistency(1, size)):  # noqa: B023
            with refused("proof-size", f"no tree of {size}", "0 to 5"):
                ask()
    for first, second in [(0, 5), (-1, 5), (4, 3), (0, 0)]:
        with refused("proof-size", "1 <= first <= second"):
            proofs.consistency(first, second)
    for position in (0, 6, -1):
        with refused("unknown-position", "1 to 5"):
            proofs.leaf_hash(position)
    for first, last in [(0, 5), (4, 3), (1, 6), (0, 0)]:
        with refused("unknown-position"):
            proofs.entries(first, last)


def test_entries_are_given_by_position(prove: Prove, recorder: LedgerRecorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing, "PAGE", 2)
    proofs = prove()
    append(recorder, 12)
    assert list(proofs.entries(1, 12)) == STATES
    assert list(proofs.entries(3, 3)) == STATES[2:3]
    assert proofs.root(12) == root_of(LEAVES)


@pytest.mark.parametrize(
    "damage",
    [lambda engine: edit(engine, 4, state=b"forged"), lambda engine: remove(engine, 4)],
    ids=["edited", "removed"],
)
@pytest.mark.usefixtures("recorder")
def test_an_entry_that_is_not_its_leaf_is_not_given(
    prove: Prove, engine: Engine, damage: Callable[[Engine], None]
) -> None:
    proofs = prove()
    proofs.checkpoint()
    damage(engine)
    given = proofs.entries(1, 5)
    assert [next(given) for _ in range(3)] == STATES[:3]
    with refused("ledger-damaged", "position 4"):
        next(given)


def test_entries_behind_the_head_are_not_counted(prove: Prove, engine: Engine, recorder: LedgerRecorder) -> None:
    with for_writing(engine).begin() as connection:
        connection.execute(insert(events).values(row(6)))
    assert opened(prove()) == head(recorder.head().size) == head(5)


def test_the_ledger_is_exported_as_static_files(prove: Prove, tmp_path: Path, recorder: LedgerRecorder) -> None:
    proofs, export = prove(), tmp_path / "export"
    assert proofs.export_tiles(export) == head(5)
    append(recorder, 9)
    assert proofs.export_tiles(export) == head(9)
    verifier = VerifierKey.parse(proofs.verifier_key())
    assert read_tiles(export, verifier)[0] == head(9)
    assert list(read_entries(export, 9)) == STATES[:9]
