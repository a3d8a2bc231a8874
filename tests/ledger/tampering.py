"""A store of some hundred events, and what whoever holds its database can do to it by SQL."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid5

from sqlalchemy import Connection, Engine, Table, delete, func, insert, select, update

from ledger.appending import STREAMS
from ledger.canonical import canonical_bytes
from ledger.checking.checking import Report, check_ledger
from ledger.checking.checkpoints import Against, outside_checkpoint
from ledger.checking.kept import Evidence
from ledger.commands import Amend, EraseEvidence, Observe, Rectify, Void
from ledger.database import open_engine
from ledger.events import Changes
from ledger.events import Evidence as Paper
from ledger.evidence.erasures import finish_erasures
from ledger.evidence.stores import FolderStore
from ledger.evidence.vault import EvidenceVault
from ledger.facts import ENTRIES, fact_row, recorded_microseconds
from ledger.merkle import Edge, leaf_hash
from ledger.tables import documents, events, evidence_files, facts, idempotency_keys, ledgers
from projections.jurisdictions import Jurisdictions, scheme_units, scheme_version
from projections.proceedings.closings import close_year
from projections.scheme_files import source
from tests.projections.conftest import CIRCULAR, CODE, EVIDENCE, County

MASTER_KEY: Final = bytes(range(32))
PERSONS: Final = ("a1" * 16, "b2" * 16)
UNITS: Final = ("福城街道", "大桥街道", "中洲乡")


@dataclass(frozen=True)
class Store:
    """A ledger's store, its files of evidence, its key folder, and a checkpoint kept elsewhere."""

    url: str
    folder: Path
    note: bytes
    key: str

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    @property
    def outside(self) -> Against:
        return outside_checkpoint("minute.checkpoint", self.note, self.key, CODE)


def quietly(done: int, total: int) -> None:
    """Progress nobody watches."""


def record(engine: Engine, folder: Path) -> None:
    """A year with batches, corrections, evidence stored and erased, approvals, and a close."""
    jurisdictions = Jurisdictions(engine, secrets.token_bytes)
    county = County(jurisdictions)
    vault = EvidenceVault(engine, FolderStore(folder / "evidence"), MASTER_KEY, secrets.token_bytes)
    scheme, version = scheme_version(source("zhangshu-2021"), "zhangshu-2021")
    county.ledger.open_year(county.attempt(), 2021, version, scheme_units(scheme))
    for batch in range(8):
        county.ledger.observe(county.attempt(), 2021, [_wish(place, batch) for place in range(20)])
    observed = [county.observe(unit=UNITS[number % 3]) for number in range(30)]
    files = [vault.put(CODE, [b"\x00scan %d" % n], 1000, "办公室", county.now).commitment for n in range(3)]
    for file in files[:2]:
        wish = _wish(0, 0).model_copy(update={"evidence": (Paper(title="截图", file=file),), "note": "见截图"})
        county.ledger.observe(county.attempt(), 2021, [wish])
    county.ledger.amend(county.attempt(), observed[0], Amend(changes=Changes(count=2), reason="两处"))
    county.ledger.rectify(county.attempt(), observed[1], Rectify(on=date(2021, 4, 1), note="已整改"))
    county.ledger.void(county.attempt(), observed[2], Void(reason="撤销", evidence=EVIDENCE))
    first, second = (replace(county.attempt(), person=person) for person in PERSONS)
    [proposed] = county.ledger.void(first, observed[3], Void(reason="重复", evidence=EVIDENCE))
    county.ledger.approve(second, proposed.event.originator_id, proposed.leaf_hash.hex())
    first, second = (replace(county.attempt(), person=person) for person in PERSONS)
    [proposed] = county.ledger.erase_evidence(first, EraseEvidence(commitment=files[1], ground="个人信息保护法"))
    county.ledger.approve(second, proposed.event.originator_id, proposed.leaf_hash.hex())
    finish_erasures(engine, FolderStore(folder / "evidence"), CODE)
    close_year(jurisdictions, CODE, 2021, county.attempt(), "考核结束")
    county.ledger.reopen_year(county.attempt(), 2021, "漏登")
    for number in range(12):
        county.observe(unit=UNITS[number % 3])
    jurisdictions.close()


def _wish(place: int, batch: int) -> Observe:
    day = date(2021, 1, 5) + timedelta(days=batch * 20 + place)
    return Observe(unit=UNITS[place % 3], kind="circular", occurred_on=day, attributes={**CIRCULAR}, evidence=EVIDENCE)


def checked(store: Store, outside: Sequence[Against] = (), key_folder: Path | None = None) -> Report:
    engine = open_engine(store.url)
    objects = FolderStore(store.folder / "evidence")
    evidence = Evidence(objects, EvidenceVault(engine, objects, MASTER_KEY, secrets.token_bytes))
    try:
        return check_ledger(engine, CODE, quietly, outside=outside, key_folder=key_folder, evidence=evidence)
    finally:
        engine.dispose()


def codes(report: Report) -> set[str]:
    return {one.code for one in report.findings}


def tampered(store: Store, tamper: Callable[[Connection], None]) -> None:
    engine = open_engine(store.url)
    with engine.begin() as connection:
        tamper(connection)
    engine.dispose()


def of(table: Table, column: str = "ledger") -> Any:
    return table.c[column] == CODE


def _at(table: Table, position: int) -> Any:
    return (table.c.ledger == CODE) & (table.c.position == position)


def _states(connection: Connection) -> list[bytes]:
    return list(connection.scalars(select(events.c.state).where(of(events)).order_by(events.c.position)))


def _size(connection: Connection) -> int:
    size: int = connection.scalars(select(func.max(events.c.position)).where(of(events))).one()
    return size


def _recounted(state: bytes) -> bytes:
    changed = state.replace(b'"count":1', b'"count":7')
    assert changed != state
    return changed


def _put(connection: Connection, position: int, state: bytes, **more: object) -> None:
    connection.execute(update(events).where(_at(events, position)).values(state=state, **more))


def refitted(connection: Connection) -> None:
    """Fit leaf hashes, all other columns, facts and head to the bytes: all tables agree with one another again."""
    edge, last = Edge(), 0
    connection.execute(delete(facts).where(of(facts)))
    for position, state in enumerate(_states(connection), 1):
        event = json.loads(state)
        leaf, last = leaf_hash(state), recorded_microseconds(event["recorded_at"])
        said = {"stream": UUID(event["stream"]).bytes, "version": event["version"], "topic": event["type"]}
        _put(connection, position, state, leaf_hash=leaf, recorded_at=last, **said)
        edge = edge.append(leaf)
        if event["type"] in ENTRIES:
            row = {**dict.fromkeys(facts.c.keys()), **fact_row(position, event), "ledger": CODE}
            connection.execute(insert(facts), row)
    head = {"size": edge.size, "last_recorded_at": last, "edge": edge.to_bytes()}
    connection.execute(update(ledgers).where(of(ledgers, "code")).values(head))


def _moved(connection: Connection, behind: int, by: int) -> None:
    """Renumber the events behind a position, and the ranges of their keys."""
    moved = select(events.c.position).where(of(events), events.c.position > behind)
    for position in sorted(connection.scalars(moved), reverse=by > 0):
        connection.execute(update(events).where(_at(events, position)).values(position=position + by))
    for name in ("first_position", "last_position"):
        column = idempotency_keys.c[name]
        later = update(idempotency_keys).where(of(idempotency_keys), column > behind)
        connection.execute(later.values({name: column + by}))


def _removed(connection: Connection, position: int) -> None:
    connection.execute(delete(events).where(_at(events, position)))
    covers = (idempotency_keys.c.first_position == position) & (idempotency_keys.c.last_position == position)
    assert connection.execute(delete(idempotency_keys).where(of(idempotency_keys), covers)).rowcount == 1


def edit_a_byte(connection: Connection) -> None:
    _put(connection, 10, _recounted(_states(connection)[9]))


def edit_with_rehash(connection: Connection) -> None:
    changed = _recounted(_states(connection)[9])
    _put(connection, 10, changed, leaf_hash=leaf_hash(changed))


def edit_with_rehash_and_fact(connection: Connection) -> None:
    edit_with_rehash(connection)
    connection.execute(update(facts).where(_at(facts, 10)).values(count=7))


def edit_with_everything_rehashed(connection: Connection) -> None:
    edit_a_byte(connection)
    refitted(connection)


def edit_a_proposal_with_everything_rehashed(connection: Connection) -> None:
    states = _states(connection)
    at = next(at for at, state in enumerate(states) if b'"type":"proposal.made/1"' in state)
    _put(connection, at + 1, states[at].replace("重复".encode(), "误报".encode()))
    refitted(connection)


def delete_the_last(connection: Connection) -> None:
    connection.execute(delete(events).where(_at(events, _size(connection))))


def delete_the_last_with_the_head(connection: Connection) -> None:
    delete_the_last(connection)
    kept = Edge().extend(map(leaf_hash, _states(connection)))
    values = {"size": kept.size, "edge": kept.to_bytes()}
    connection.execute(update(ledgers).where(of(ledgers, "code")).values(values))


def delete_the_last_three_with_everything(connection: Connection) -> None:
    for _ in range(3):
        _removed(connection, _size(connection))
    refitted(connection)


def delete_one_in_the_middle(connection: Connection) -> None:
    connection.execute(delete(events).where(_at(events, 20)))


def delete_one_with_everything_renumbered(connection: Connection) -> None:
    position = _size(connection) - 5
    _removed(connection, position)
    _moved(connection, position, -1)
    refitted(connection)


def renumber(connection: Connection) -> None:
    last = _size(connection)
    connection.execute(update(events).where(_at(events, last)).values(position=last + 1))


def swap(connection: Connection) -> None:
    for old, new in ((10, 10**6), (11, 10), (10**6, 11)):
        connection.execute(update(events).where(_at(events, old)).values(position=new))


def swap_with_everything_rehashed(connection: Connection) -> None:
    """Two single observations also exchange their moments and keys."""
    last = _size(connection)
    first, second = (json.loads(state) for state in _states(connection)[-2:])
    moments = (first["recorded_at"], second["recorded_at"])
    second["recorded_at"], first["recorded_at"] = moments
    for position, event in ((last - 1, second), (last, first)):
        connection.execute(update(events).where(_at(events, position)).values(stream=b"%d" % position))
        _put(connection, position, canonical_bytes(event))
    for old, new in ((last - 1, 10**6), (last, last - 1), (10**6, last)):
        where = of(idempotency_keys) & (idempotency_keys.c.first_position == old)
        values = {"first_position": new, "last_position": new}
        connection.execute(update(idempotency_keys).where(where).values(values))
    refitted(connection)


def insert_a_back_dated_one_with_everything_rebuilt(connection: Connection) -> None:
    position = _size(connection) - 5
    event = json.loads(_states(connection)[position - 1])
    stream = uuid5(STREAMS, f"{CODE}/observation/forged/0")
    event |= {"stream": str(stream), "nonce": secrets.token_hex(16)}
    event["data"]["reading"]["unit"] = "大桥街道"
    _moved(connection, position, 1)
    row = {"ledger": CODE, "position": position + 1, "stream": stream.bytes, "version": 1, "topic": event["type"]}
    more = {"state": canonical_bytes(event), "leaf_hash": b"", "recorded_at": 0}
    connection.execute(insert(events), row | more)
    range_of_one = {"first_position": position + 1, "last_position": position + 1}
    key = {"ledger": CODE, "key": "forged", "digest": bytes(32), **range_of_one}
    connection.execute(insert(idempotency_keys), key)
    refitted(connection)


def delete_a_key(connection: Connection) -> None:
    first = idempotency_keys.c.first_position
    connection.execute(delete(idempotency_keys).where(of(idempotency_keys), first == 3))


def remove_the_head(connection: Connection) -> None:
    connection.execute(delete(ledgers).where(of(ledgers, "code")))


def edit_a_fact(connection: Connection) -> None:
    connection.execute(update(facts).where(_at(facts, 10)).values(unit="中洲乡"))


def delete_a_fact(connection: Connection) -> None:
    connection.execute(delete(facts).where(_at(facts, 10)))


def add_a_fact(connection: Connection) -> None:
    row = dict(connection.execute(select(facts).where(_at(facts, 10))).mappings().one())
    connection.execute(insert(facts), {**row, "position": 1})


def replace_a_document(connection: Connection) -> None:
    digest = min(connection.scalars(select(documents.c.digest).where(of(documents))))
    connection.execute(update(documents).where(documents.c.digest == digest).values(content=b"id: other"))


def delete_a_document(connection: Connection) -> None:
    connection.execute(delete(documents).where(of(documents)))


def delete_a_row_of_evidence(connection: Connection) -> None:
    connection.execute(delete(evidence_files).where(of(evidence_files), evidence_files.c.erased_at.is_(None)))
