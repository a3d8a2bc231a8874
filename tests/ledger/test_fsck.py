"""What fsck finds, and that it finds it whatever the cells of the database hold."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, Table, delete, func, insert, literal_column, select, update

from ledger.application import LedgerApplication
from ledger.canonical import canonical_bytes
from ledger.checking.checking import Report, check_ledger
from ledger.checking.checkpoints import Against, Tree, outside_checkpoint
from ledger.checking.findings import shown
from ledger.checking.kept import Evidence
from ledger.checkpoints import Checkpoint
from ledger.commands import Attempt, EraseEvidence
from ledger.events import Evidence as Paper
from ledger.evidence.erasures import finish_erasures
from ledger.evidence.stores import FolderStore
from ledger.evidence.vault import EvidenceVault
from ledger.merkle import leaf_hash, root_of
from ledger.rejection import Rejection
from ledger.signing import LedgerProofs
from ledger.tables import documents, events, evidence_files, facts, idempotency_keys, ledgers
from tests.ledger.small_ledgers import ACTOR, SCHEME, at, damage, found, observe, quietly, state_at, two_ledgers
from tests.ledger.store import LANGXI, NINE, ZHANGSHU
from tests.ledger.tampering import refitted

MASTER_KEY = bytes(32)
PERSONS = ("a1" * 16, "b2" * 16)


@pytest.fixture
def ledger(engine: Engine) -> Iterator[LedgerApplication]:
    with two_ledgers(engine) as ledger:
        yield ledger


@pytest.fixture
def evidence(engine: Engine, tmp_path: Path) -> Evidence:
    store = FolderStore(tmp_path / "evidence")
    return Evidence(store, EvidenceVault(engine, store, MASTER_KEY, secrets.token_bytes))


# --- a sound ledger --------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("ledger")
def test_of_a_sound_ledger_nothing_is_found(engine: Engine) -> None:
    reached: list[tuple[int, int]] = []
    report = check_ledger(engine, ZHANGSHU, lambda done, total: reached.append((done, total)))
    assert report == Report(ZHANGSHU, 5, (), (), 0)
    assert reached == [(5, 5)]
    assert check_ledger(engine, "110101", quietly) == Report("110101", 0, (), (), 0)


def test_what_is_recorded_while_it_checks_is_no_finding(engine: Engine, ledger: LedgerApplication) -> None:
    recorded: list[int] = []

    def record(_: int, total: int) -> None:
        observe(ledger, "meanwhile")
        recorded.append(total)

    assert check_ledger(engine, ZHANGSHU, record).findings == ()
    assert recorded == [5]
    assert check_ledger(engine, ZHANGSHU, quietly).events == 6


# --- events ----------------------------------------------------------------------------------------------------------


def _forged(engine: Engine, position: int, **said: Any) -> None:
    """Let an event say something else, in canonical bytes, and fit everything else to them."""
    event = json.loads(state_at(engine, position)) | said
    with engine.begin() as connection:
        connection.execute(update(events).where(at(events, position)).values(state=canonical_bytes(event)))
        refitted(connection)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"recorded_at": "2021-03-02T08:59:59.000000Z"}, "time-backwards"),
        ({"version": 2}, "stream-version"),
        ({"more": "than an event says"}, "event-form"),
        ({"recorded_at": "2021-03-02T17:00:00+08:00"}, "event-form"),
        ({"version": "1"}, "event-form"),
        ({"ledger": LANGXI}, "event-unreadable"),
        ({"nonce": "short"}, "event-unreadable"),
        ({"recorded_at": "0001-01-01T00:00:00+10:00"}, "event-unreadable"),
        ({"data": []}, "event-unreadable"),
        ({"stream": 7}, "event-unreadable"),
    ],
)
@pytest.mark.usefixtures("ledger")
def test_an_event_with_everything_fitted_to_it_is_told_by_what_it_says(
    engine: Engine, said: dict[str, Any], code: str
) -> None:
    event = json.loads(state_at(engine, 4)) | said
    state = canonical_bytes(event)
    damage(engine, 4, state=state, leaf_hash=leaf_hash(state))
    assert (4, code, "events.state") in found(engine)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ((b'":', b'": '), "event-not-canonical"),
        ((b"{", b'{"actor":"x",'), "event-unreadable"),
        ((b'"count":1', b'"count":1.0'), "event-unreadable"),
        ((b'"count":1', b'"count":1e999'), "event-unreadable"),
        ((b'"count":1', b'"count":NaN'), "event-unreadable"),
        ((b"\xe5", b"\xff"), "event-unreadable"),
    ],
)
@pytest.mark.usefixtures("ledger")
def test_bytes_in_another_form_are_told(engine: Engine, change: tuple[bytes, bytes], code: str) -> None:
    state = state_at(engine, 4).replace(*change, 1)
    damage(engine, 4, state=state, leaf_hash=leaf_hash(state))
    assert (4, code, "events.state") in found(engine)


@pytest.mark.usefixtures("ledger")
def test_a_nonce_used_twice_is_told_at_the_second(engine: Engine) -> None:
    _forged(engine, 5, nonce=json.loads(state_at(engine, 3))["nonce"])
    assert found(engine) == [(5, "nonce-reused", "events.state")]


@pytest.mark.usefixtures("ledger")
def test_a_finding_is_one_line(engine: Engine) -> None:
    damage(engine, 4, topic="observation\nvoided/1" * 100)
    [one] = check_ledger(engine, ZHANGSHU, quietly).findings
    assert str(one).isprintable()
    expected = r"position 4: events.topic: expected observation.observed/1, found observation\nvoided/1observation\n"
    assert str(one).startswith(expected)
    assert str(one).endswith("… (2000 characters) [column-differs]")


# --- proposals -------------------------------------------------------------------------------------------------------


def _erased(ledger: LedgerApplication, evidence: Evidence) -> int:
    """Have a file erased by two persons; return the position of the proposal, behind which approval and erasure are."""
    assert evidence.vault is not None
    file = evidence.vault.put(ZHANGSHU, [b"scan"], 100, ACTOR, NINE).commitment
    observe(ledger, "with-file", Paper(title="截图", file=file))
    first, second = (Attempt(ACTOR, NINE, f"by-{person[:2]}", person) for person in PERSONS)
    [proposed] = ledger.erase_evidence(first, EraseEvidence(commitment=file, ground="个人信息保护法"))
    ledger.approve(second, proposed.event.originator_id, proposed.leaf_hash.hex())
    finish_erasures(ledger._engine, evidence.store, ZHANGSHU)
    return proposed.position


def _codes(engine: Engine) -> list[tuple[int | None, str]]:
    return [one[:2] for one in found(engine)]


def test_an_erasure_by_two_persons_is_sound(engine: Engine, ledger: LedgerApplication, evidence: Evidence) -> None:
    _erased(ledger, evidence)
    assert check_ledger(engine, ZHANGSHU, quietly, evidence=evidence).findings == ()


def _said(engine: Engine, position: int, **said: Any) -> None:
    _forged(engine, position, data=json.loads(state_at(engine, position))["data"] | said)


def test_an_approval_is_held_against_its_proposal(
    engine: Engine, ledger: LedgerApplication, evidence: Evidence
) -> None:
    proposal = _erased(ledger, evidence)
    approval = proposal + 1
    leaf = json.loads(state_at(engine, approval))["data"]["leaf_hash"]
    _said(engine, approval, person=PERSONS[0])
    unapproved = (approval + 1, "erasure-unapproved")
    assert _codes(engine) == [(approval, "approval-own"), unapproved]
    _said(engine, approval, person=PERSONS[1], leaf_hash="00" * 32)
    assert _codes(engine) == [(approval, "approval-other-bytes"), unapproved]
    _said(engine, approval, leaf_hash=leaf, recorded=2)
    assert _codes(engine) == [(approval, "approval-recorded")]
    _said(engine, approval, recorded=1)
    _forged(engine, approval + 1, actor="别人")
    assert _codes(engine) == [(approval + 1, "approval-other-content")]
    _forged(engine, approval + 1, actor=ACTOR)
    assert _codes(engine) == []
    _said(engine, proposal, action="void", about="6f0d1c52-4b86-5a7e-9c43-0d6a6f2b1e90")
    told = [(proposal, "proposal-content"), (approval, "approval-other-bytes"), unapproved]
    assert _codes(engine) == told


def test_an_erasure_without_an_approval_is_told(engine: Engine, ledger: LedgerApplication, evidence: Evidence) -> None:
    proposal = _erased(ledger, evidence)
    event = json.loads(state_at(engine, proposal + 1)) | {"type": "proposal.declined/1"}
    declined = event["data"]
    _forged(engine, proposal + 1, type="proposal.declined/1", data={"person": declined["person"], "reason": "附件不全"})
    assert _codes(engine) == [(proposal + 2, "erasure-unapproved")]


def test_an_approval_of_nothing_is_told(engine: Engine, ledger: LedgerApplication, evidence: Evidence) -> None:
    proposal = _erased(ledger, evidence)
    _forged(engine, proposal + 1, stream="6f0d1c52-4b86-5a7e-9c43-0d6a6f2b1e90", version=1)
    assert _codes(engine) == [(proposal + 1, "approval-without-proposal"), (proposal + 2, "erasure-unapproved")]


# --- keys, documents, evidence ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("ledger")
def test_keys_cover_each_event_once(engine: Engine) -> None:
    keys = idempotency_keys
    with engine.begin() as connection:
        connection.execute(delete(keys).where(keys.c.ledger == ZHANGSHU, keys.c.first_position == 3))
        connection.execute(update(keys).where(keys.c.first_position == 4).values(digest=b"short"))
        row = {"ledger": ZHANGSHU, "key": "more", "digest": bytes(32)}
        connection.execute(insert(keys), [{**row, "first_position": 5, "last_position": 9}])
    assert found(engine) == [
        (None, "key-range", "idempotency_keys.last_position"),
        (3, "key-missing", "idempotency_keys.*"),
        (4, "key-form", "idempotency_keys.digest"),
        (5, "key-differs", "idempotency_keys.key"),
        (5, "key-overlap", "idempotency_keys.*"),
    ]


@pytest.mark.parametrize("length", [168, 200, 256])
def test_a_key_of_every_length_that_is_taken_is_sound(engine: Engine, ledger: LedgerApplication, length: int) -> None:
    observe(ledger, "k" * length)
    assert found(engine) == []


@pytest.mark.usefixtures("ledger")
def test_documents_are_those_that_events_name(engine: Engine) -> None:
    named = (documents.c.ledger == ZHANGSHU) & (documents.c.digest == sha256(SCHEME.document).digest())
    with engine.begin() as connection:
        connection.execute(update(documents).where(named).values(content=b"id: other"))
        more = {"ledger": ZHANGSHU, "digest": sha256(b"more").digest(), "content": b"more"}
        connection.execute(insert(documents), more)
    assert found(engine) == [(None, "document-unnamed", "documents.*"), (1, "document-altered", "documents.content")]
    with engine.begin() as connection:
        connection.execute(delete(documents).where(documents.c.ledger == ZHANGSHU))
    assert found(engine) == [(1, "document-missing", "documents.*")]


def test_without_the_master_key_objects_are_held_against_their_own_hash(
    engine: Engine, ledger: LedgerApplication, evidence: Evidence, tmp_path: Path
) -> None:
    assert evidence.vault is not None
    stored = [evidence.vault.put(ZHANGSHU, [b"scan %d" % n], 100, ACTOR, NINE) for n in range(2)]
    position = observe(ledger, "with-file", Paper(title="截图", file=stored[0].commitment)).position

    def told(*, key: bool = False) -> list[tuple[int | None, str]]:
        without = Evidence(evidence.store, evidence.vault if key else None)
        report = check_ledger(engine, ZHANGSHU, quietly, evidence=without)
        assert report.unused_evidence == 1
        return [one[:2] for one in report.findings]

    assert told() == told(key=True) == []
    objects = [path for path in (tmp_path / "evidence").rglob("*") if path.is_file()]
    for path in objects:
        path.write_bytes(b"another")
    assert told() == told(key=True) == [(position, "evidence-object-altered")]
    for path in objects:
        path.unlink()
    assert told() == told(key=True) == [(position, "evidence-missing-object")]


# --- cells of any content --------------------------------------------------------------------------------------------


ANYTHING = [None, "", "text", 0, -(2**63), 2**63 - 1, 3.5, b"", b"\xff", b"[" * 60_000, "字" * 70_000]
NO_UTF_8 = "CAST(x'ff' AS TEXT)"
BY_TYPE: dict[str, list[Any]] = {
    "BIGINT": [0, -(2**63), 2**63 - 1],
    "TEXT": ["", "字" * 70_000],
    "BYTEA": [b"", b"\xff", b"[" * 60_000],
}
TABLES = (ledgers, events, idempotency_keys, documents, evidence_files, facts)


def _with_a_file(ledger: LedgerApplication, evidence: Evidence) -> None:
    assert evidence.vault is not None
    file = evidence.vault.put(ZHANGSHU, [b"scan"], 100, ACTOR, NINE).commitment
    observe(ledger, "with-file", Paper(title="截图", file=file))


def _without_constraints(engine: Engine, table: Table) -> None:
    """Make the table anew as whoever holds a SQLite file can: every cell takes anything."""
    ordered = select(table).order_by(*table.primary_key)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE copied AS {ordered.compile(engine)}")
        connection.exec_driver_sql(f"DROP TABLE {table.name}")
        connection.exec_driver_sql(f"ALTER TABLE copied RENAME TO {table.name}")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_cell_of_any_content_is_told(
    engine: Engine, ledger: LedgerApplication, evidence: Evidence, table: Table
) -> None:
    _with_a_file(ledger, evidence)
    _without_constraints(engine, table)
    of = table.c["code" if table is ledgers else "ledger"] == ZHANGSHU
    with engine.connect() as connection:
        row: int = connection.execute(
            select(func.max(literal_column("rowid"))).select_from(table).where(of)
        ).scalar_one()
        cells = connection.execute(select(table).where(literal_column("rowid") == row)).mappings().one()
    for column in cells:
        for value in [*ANYTHING, NO_UTF_8]:
            _set(engine, table, column, row, value)
            report = check_ledger(engine, ZHANGSHU, quietly, evidence=evidence)
            assert report.findings or value == cells[column], (column, value)
        _set(engine, table, column, row, cells[column])
    assert check_ledger(engine, ZHANGSHU, quietly, evidence=evidence).findings == ()


def _set(engine: Engine, table: Table, column: str, row: int, value: object) -> None:
    new = NO_UTF_8 if value is NO_UTF_8 else ":value"
    statement = f'UPDATE {table.name} SET "{column}" = {new} WHERE rowid = :row'  # noqa: S608  # names of our own
    with engine.begin() as connection:
        connection.exec_driver_sql(statement, {"value": value, "row": row})


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_cell_that_a_typed_column_takes_is_told(
    engine: Engine, ledger: LedgerApplication, evidence: Evidence, table: Table
) -> None:
    _with_a_file(ledger, evidence)
    of = table.c["code" if table is ledgers else "ledger"] == ZHANGSHU
    last = select(table).where(of).order_by(*(column.desc() for column in table.primary_key)).limit(1)
    with engine.connect() as connection:
        cells = dict(connection.execute(last).mappings().one())
    for column in table.columns:
        # The table's own constraint takes no other words.
        values = ["void"] if column.name == "entry" else BY_TYPE[column.type.compile(engine.dialect)]
        for value in values:
            _replaced(engine, table, cells, {**cells, column.name: value})
            report = check_ledger(engine, ZHANGSHU, quietly, evidence=evidence)
            _replaced(engine, table, {**cells, column.name: value}, cells)
            assert report.findings or value == cells[column.name], (column.name, value)
    assert check_ledger(engine, ZHANGSHU, quietly, evidence=evidence).findings == ()


def _replaced(engine: Engine, table: Table, old: dict[str, Any], new: dict[str, Any]) -> None:
    with engine.begin() as connection:
        where = [column == old[column.name] for column in table.primary_key]
        assert connection.execute(update(table).where(*where).values(new)).rowcount == 1


@pytest.mark.parametrize("value", [b"\x00" * 1000, "\ud800" * 300, "a\nb", 10**300, 1.5])
def test_what_is_shown_of_a_cell_is_printable_and_short(value: object) -> None:
    text = shown(value)
    assert text is not None
    assert text.isprintable()
    assert len(text) < 2000


# --- checkpoints -----------------------------------------------------------------------------------------------------


@given(
    leaves=st.lists(st.binary(max_size=2), max_size=20), sizes=st.sets(st.integers(0, 24)), portion=st.integers(1, 9)
)
@settings(max_examples=30)
def test_a_tree_has_at_each_size_the_root_of_its_first_leaves(
    leaves: list[bytes], sizes: set[int], portion: int
) -> None:
    hashes = [leaf_hash(leaf) for leaf in leaves]
    against = [Against("here", Checkpoint("x/360982", size, root_of(hashes[:size]))) for size in sorted(sizes)]
    tree = Tree(against)
    for start in range(0, len(hashes), portion):
        tree.extend(hashes[start : start + portion])
    tree.extend([])
    assert tree.edge.root() == root_of(hashes)
    assert tree.proved() == [one for one in against if one.checkpoint.size <= len(leaves)]
    assert [one.code for one in tree.findings()] == ["checkpoint-beyond"] * sum(size > len(leaves) for size in sizes)


def _proofs(engine: Engine, folder: Path, code: str = ZHANGSHU) -> LedgerProofs:
    return LedgerProofs(engine, code, folder, "mingzhang", secrets.token_bytes)


def test_a_checkpoint_proves_what_was_recorded_before_it(
    engine: Engine, ledger: LedgerApplication, tmp_path: Path
) -> None:
    proofs = _proofs(engine, tmp_path)
    outside = outside_checkpoint("minute", proofs.checkpoint(), proofs.verifier_key(), ZHANGSHU)
    observe(ledger, "later")
    assert check_ledger(engine, ZHANGSHU, quietly, outside=[outside]).proved == (outside,)
    _forged(engine, 6, actor="别人")
    assert check_ledger(engine, ZHANGSHU, quietly, outside=[outside]).proved == (outside,)
    _forged(engine, 5, actor="别人")
    report = check_ledger(engine, ZHANGSHU, quietly, outside=[outside], key_folder=tmp_path)
    assert [one[:3] for one in report.findings] == [
        (None, "checkpoint-root", "checkpoint kept"),
        (None, "checkpoint-root", "checkpoint minute"),
    ]
    assert report.proved == ()


@pytest.mark.usefixtures("ledger")
def test_a_checkpoint_of_another_ledger_or_key_is_refused(engine: Engine, tmp_path: Path) -> None:
    own, other = (_proofs(engine, tmp_path, code) for code in (ZHANGSHU, LANGXI))
    for note, key, code in (
        (other.checkpoint(), other.verifier_key(), "checkpoint-other-ledger"),
        (own.checkpoint(), other.verifier_key(), "checkpoint-rejected"),
        (own.checkpoint(), "no key", "checkpoint-rejected"),
        (b"\xff", own.verifier_key(), "checkpoint-rejected"),
    ):
        with pytest.raises(Rejection) as rejection:
            outside_checkpoint("minute", note, key, ZHANGSHU)
        assert [one.code for one in rejection.value.refusals] == [code]


@pytest.mark.usefixtures("ledger")
def test_a_kept_checkpoint_whose_key_is_gone_is_told(engine: Engine, tmp_path: Path) -> None:
    _proofs(engine, tmp_path).checkpoint()
    (tmp_path / f"{ZHANGSHU}.signing-key").unlink()
    report = check_ledger(engine, ZHANGSHU, quietly, key_folder=tmp_path)
    assert [(one.code, one.found) for one in report.findings] == [("checkpoint-unreadable", "no signing key beside it")]
