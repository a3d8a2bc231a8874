"""Tampering by SQL, as whoever holds the database can do it, on copies of a store of some hundred events.

Each case says with which codes fsck tells it, given a checkpoint that was taken before and kept elsewhere. Where the
tampering is perfect, so that all tables agree with one another, only that checkpoint tells; the test holds this too.
"""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from sqlalchemy import Column, Connection, Table, select, update

from ledger import tables
from ledger.checking.checkpoints import outside_checkpoint
from ledger.database import migrate, open_engine
from ledger.rejection import Rejection
from ledger.signing import LedgerProofs
from ledger.tables import evidence_files, facts, idempotency_keys, ledgers
from tests.ledger import tampering
from tests.ledger.tampering import Store, checked, codes, of, record, tampered
from tests.projections.conftest import CODE

# --- a store with some hundred events ------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def original(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("original")
    if request.param == "sqlite":
        yield _recorded(f"sqlite:///{folder / 'ledger.sqlite3'}", folder)
        return
    server: str = request.getfixturevalue("postgres_url")
    name: str = next(request.getfixturevalue("database_names"))
    _in_server(server, SQL("CREATE DATABASE {}").format(Identifier(name)))
    yield _recorded(f"{server}/{name}", folder)
    _in_server(server, SQL("DROP DATABASE {}").format(Identifier(name)))


def _recorded(url: str, folder: Path) -> Store:
    engine = open_engine(url)
    migrate(engine)
    record(engine, folder)
    proofs = LedgerProofs(engine, CODE, folder / "keys", "mingzhang", secrets.token_bytes)
    note, key = proofs.checkpoint(), proofs.verifier_key()
    engine.dispose()
    return Store(url, folder, note, key)


@pytest.fixture
def store(original: Store, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A copy to tamper with: database, files of evidence and key folder."""
    folder = tmp_path / "copy"
    shutil.copytree(original.folder, folder)
    if original.url.startswith("sqlite"):
        yield replace(original, url=f"sqlite:///{folder / 'ledger.sqlite3'}", folder=folder)
        return
    server, _, template = original.url.rpartition("/")
    name: str = next(request.getfixturevalue("database_names"))
    _in_server(server, SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(template)))
    yield replace(original, url=f"{server}/{name}", folder=folder)
    _in_server(server, SQL("DROP DATABASE {}").format(Identifier(name)))


def _in_server(url: str, statement: Any) -> None:
    with psycopg.connect(url, dbname="postgres", autocommit=True) as connection:
        connection.execute(statement)


def test_a_store_that_nobody_tampered_with_has_no_findings(store: Store) -> None:
    report = checked(store, [store.outside], store.keys)
    assert report.findings == ()
    assert report.events > 200
    assert [one.source for one in report.proved] == ["kept", "minute.checkpoint"]
    assert {one.checkpoint.size for one in report.proved} == {report.events}
    assert report.unused_evidence == 1


TAMPERING: Final[dict[Callable[[Connection], None], set[str]]] = {
    tampering.edit_a_byte: {"leaf-hash", "fact-differs", "head-differs"},
    tampering.edit_with_rehash: {"fact-differs", "head-differs"},
    tampering.edit_with_rehash_and_fact: {"head-differs"},
    tampering.edit_with_everything_rehashed: set(),
    tampering.edit_a_proposal_with_everything_rehashed: {"approval-other-bytes"},
    tampering.delete_the_last: {"position-missing", "fact-surplus", "key-range", "head-differs"},
    tampering.delete_the_last_with_the_head: {"fact-surplus", "key-range", "head-differs"},
    tampering.delete_the_last_three_with_everything: set(),
    tampering.delete_one_in_the_middle: {"position-missing", "fact-surplus", "head-differs"},
    tampering.delete_one_with_everything_renumbered: set(),
    tampering.renumber: {"position-missing", "fact-missing", "fact-surplus", "key-missing"},
    tampering.swap: {"fact-differs", "key-differs", "head-differs"},
    tampering.swap_with_everything_rehashed: set(),
    tampering.insert_a_back_dated_one_with_everything_rebuilt: set(),
    tampering.delete_a_key: {"key-missing"},
    tampering.remove_the_head: {"head-missing"},
    tampering.edit_a_fact: {"fact-differs"},
    tampering.delete_a_fact: {"fact-missing"},
    tampering.add_a_fact: {"fact-surplus"},
    tampering.replace_a_document: {"document-altered"},
    tampering.delete_a_document: {"document-missing"},
    tampering.delete_a_row_of_evidence: {"evidence-missing-row"},
}
"""What each tampering is told with by the store alone; nothing is told of what is perfect."""


@pytest.mark.parametrize("tamper", TAMPERING, ids=lambda tamper: tamper.__name__)
def test_tampering_is_caught(store: Store, tamper: Callable[[Connection], None]) -> None:
    tampered(store, tamper)
    assert codes(checked(store)) == TAMPERING[tamper]
    report = checked(store, [store.outside], store.keys)
    by_checkpoints = codes(report) - TAMPERING[tamper]
    assert by_checkpoints <= {"checkpoint-root", "checkpoint-beyond"}
    assert by_checkpoints or TAMPERING[tamper]
    # The kept checkpoint and the one from outside say the same.
    assert len(report.proved) == (0 if by_checkpoints else 2)


# --- files beside the database ---------------------------------------------------------------------------------------


def _objects(store: Store) -> list[Path]:
    """The objects of the file that an event names and of the one that none names."""
    return sorted(path for path in (store.folder / "evidence").rglob("*") if path.is_file())


def test_evidence_that_was_replaced_or_removed_is_caught(store: Store) -> None:
    first, second = _objects(store)
    kept = [path.read_bytes() for path in (first, second)]
    first.write_bytes(kept[1])
    second.write_bytes(kept[0])
    assert codes(checked(store, [store.outside])) == {"evidence-object-altered"}
    first.unlink()
    second.unlink()
    assert codes(checked(store, [store.outside])) == {"evidence-missing-object"}


def test_evidence_that_came_back_after_its_erasure_is_caught(store: Store) -> None:
    engine = open_engine(store.url)
    erased = select(evidence_files.c.object).where(evidence_files.c.erased_at.is_not(None))
    with engine.connect() as connection:
        name = connection.scalars(erased).one().hex()
    engine.dispose()
    path = store.folder / "evidence" / name[:2] / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"restored from a backup")
    assert codes(checked(store, [store.outside])) == {"evidence-not-erased"}


@pytest.mark.parametrize("line", range(5))
def test_a_checkpoint_whose_file_was_edited_is_caught(store: Store, line: int) -> None:
    lines = store.note.split(b"\n")
    # A letter of the origin, a digit of the size, a character of the root, a line of its own, the signature.
    edited = {0: b"m", 1: b"1", 2: b"A", 3: b"", 4: "— ".encode()}[line]
    lines[line] = lines[line].replace(edited, b"x", 1) if line == 0 else edited + lines[line][len(edited) + 1 :] + b"9"
    with pytest.raises(Rejection) as rejection:
        outside_checkpoint("minute.checkpoint", b"\n".join(lines), store.key, CODE)
    assert [one.code for one in rejection.value.refusals] == ["checkpoint-rejected"]
    (store.keys / f"{CODE}.checkpoint").write_bytes(b"\n".join(lines))
    assert codes(checked(store, key_folder=store.keys)) == {"checkpoint-unreadable"}


# --- columns outside the bytes ---------------------------------------------------------------------------------------


WRONG_KEY: Final = {"evidence-key-wrong"}
DIFFERS: Final = {"fact-differs"}
ALTERED: Final[dict[str, dict[str, set[str]]]] = {
    "ledgers": {
        "code": {"head-missing"},
        "size": {"position-missing", "head-differs"},
        "last_recorded_at": {"head-differs"},
        "edge": {"head-differs"},
    },
    "events": {
        "ledger": {"position-missing", "head-differs", "checkpoint-beyond"},
        "position": {"position-missing", "key-missing", "time-backwards", "head-differs", "checkpoint-root"},
        "stream": {"column-differs"},
        "version": {"column-differs"},
        "topic": {"column-differs"},
        "state": {"event-unreadable", "leaf-hash", "head-differs", "checkpoint-root"},
        "leaf_hash": {"leaf-hash"},
        "recorded_at": {"column-differs"},
    },
    "idempotency_keys": {
        "ledger": {"key-missing"},
        "key": {"key-differs"},
        # What was asked for under a key is not said by the events: whoever alters its digest gets a repeated request
        # refused, or another taken for it, and no event, fact or score changes.
        "digest": set(),
        "first_position": {"key-missing", "key-range"},
        "last_position": {"key-overlap", "key-differs", "key-range"},
    },
    "documents": {
        "ledger": {"document-missing"},
        "digest": {"document-unnamed", "document-altered", "document-missing"},
        "content": {"document-altered"},
    },
    "evidence_files": {
        "ledger": {"evidence-missing-row"},
        "commitment": {"evidence-missing-row"},
        "salt": {"evidence-commitment-wrong"},
        "object": {"evidence-missing-object"},
        **dict.fromkeys(("sealed_key", "size", "media_type", "stored_by", "stored_at"), WRONG_KEY),
        "erased_at": {"evidence-erased-without-event"},
    },
    "facts": {
        "ledger": {"fact-missing"},
        **{name: {"fact-missing", "fact-surplus"} for name in ("year", "position")},
        **dict.fromkeys(("observation", "entry", "unit", "kind", "occurred_on", "count", "attributes"), DIFFERS),
        **dict.fromkeys(("evidence", "note", "rectified_on", "reason", "recorded_at", "actor"), DIFFERS),
    },
}
"""What an altered cell of each column is told with: a new column needs its line here."""


def _row_to_alter(connection: Connection, column: Column[Any]) -> dict[str, Any]:
    """One row in which the column says something: of the keys an observation's, of the files one that is named."""
    table = column.table
    query = select(table).where(of(table, "code" if table is ledgers else "ledger"))
    if table is idempotency_keys:
        query = query.where(table.c.first_position == 3)
    elif table is evidence_files:
        named = facts.c.evidence.contains('"file"')
        [evidence] = connection.scalars(select(facts.c.evidence).where(named).order_by(facts.c.position).limit(1))
        query = query.where(table.c.commitment == bytes.fromhex(json.loads(evidence)[0]["file"]))
    elif column.nullable:
        query = query.where(column.is_not(None))
    return dict(connection.execute(query.order_by(*table.primary_key)).mappings().fetchmany(1)[0])


def _other(value: object) -> object:
    if isinstance(value, bytes):
        return value[:-1] + bytes([value[-1] ^ 1])
    if isinstance(value, str):
        return {"observe": "void"}.get(value, f"{value}x")
    return value + 1_000_000 if isinstance(value, int) else 1_600_000_000_000_000


def test_every_column_of_the_ledgers_tables_has_a_case() -> None:
    ledger_tables = [one for one in vars(tables).values() if isinstance(one, Table)]
    assert {one.name: set(one.c.keys()) for one in ledger_tables} == {name: set(one) for name, one in ALTERED.items()}


@pytest.mark.parametrize("place", [(name, column) for name in ALTERED for column in ALTERED[name]], ids=".".join)
def test_an_altered_column_is_caught(original: Store, place: tuple[str, str]) -> None:
    table, column = tables.metadata.tables[place[0]], tables.metadata.tables[place[0]].c[place[1]]
    rows: list[dict[str, Any]] = []

    def alter(connection: Connection) -> None:
        row = _row_to_alter(connection, column)
        rows[:] = row, {**row, column.name: _other(row[column.name])}
        _replace(connection, table, *rows)

    # The original itself: the cell is put back.
    tampered(original, alter)
    report = checked(original, [original.outside])
    tampered(original, lambda connection: _replace(connection, table, *reversed(rows)))
    assert codes(report) == ALTERED[table.name][column.name]


def test_every_cell_was_put_back(original: Store) -> None:
    assert checked(original, [original.outside]).findings == ()


def _replace(connection: Connection, table: Table, old: dict[str, Any], new: dict[str, Any]) -> None:
    where = [column == old[column.name] for column in table.primary_key]
    assert connection.execute(update(table).where(*where).values(new)).rowcount == 1
