"""The facts held against the events, and both against what the ledger says of itself; on both databases."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from datetime import date
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import ColumnElement, Engine, Table, delete, select, text, update

from ledger.application import LedgerApplication
from ledger.commands import Attempt, Observe, SchemeVersion
from ledger.events import Evidence, GroupOfUnits, Period
from ledger.merkle import leaf_hash
from ledger.rebuilding import compare_facts, rebuild_facts
from ledger.rejection import Rejection
from ledger.tables import documents, events, facts, ledgers
from tests.ledger.store import LANGXI, NINE, ZHANGSHU, KnowsEveryWord

pytestmark = pytest.mark.usefixtures("ledger")

EVIDENCE = (Evidence(title="通报", document="樟府办字〔2021〕8号"),)
PERIOD = Period(first=date(2021, 1, 1), last=date(2021, 12, 31))
SCHEME = SchemeVersion("scheme", "1", PERIOD, ("township",), b"id: scheme")
GROUPS = (GroupOfUnits(id="township", units=("福城街道",)),)


def _quietly(done: int, total: int) -> None:
    """Progress nobody watches."""


def _ledger(engine: Engine, code: str) -> LedgerApplication:
    return LedgerApplication(engine, code, KnowsEveryWord(), secrets.token_bytes)


def _observe(ledger: LedgerApplication, key: str) -> None:
    wish = Observe(unit="福城街道", kind="circular", occurred_on=date(2021, 3, 1), evidence=EVIDENCE)
    ledger.observe(Attempt("经济信息中心", NINE, key), 2021, [wish])


@pytest.fixture
def ledger(engine: Engine) -> Iterator[LedgerApplication]:
    """Two ledgers of a scheme, a year and three observations each: positions 1 to 5. One of them is Zhangshu's."""
    both = [_ledger(engine, code) for code in (LANGXI, ZHANGSHU)]
    for one in both:
        one.open_year(Attempt("经济信息中心", NINE, "open"), 2021, SCHEME, GROUPS)
        for number in range(3):
            _observe(one, f"k{number}")
    yield both[1]
    for one in both:
        one.close()


def _found(engine: Engine) -> list[tuple[int, str]]:
    return [(one.position, one.column) for one in compare_facts(engine, ZHANGSHU, _quietly)]


def _at(table: Table, position: int) -> ColumnElement[bool]:
    return (table.c.ledger == ZHANGSHU) & (table.c.position == position)


def _state(engine: Engine, position: int) -> bytes:
    with engine.connect() as connection:
        state: bytes = connection.execute(select(events.c.state).where(_at(events, position))).scalar_one()
    return state


def _facts(engine: Engine) -> list[Mapping[Any, Any]]:
    with engine.connect() as connection:
        rows = connection.execute(facts.select().order_by(facts.c.ledger, facts.c.position)).mappings()
        return [dict(row) for row in rows]


def _damage(engine: Engine, position: int, **values: Any) -> None:
    with engine.begin() as connection:
        connection.execute(update(events).where(_at(events, position)).values(values))


def test_a_sound_ledger_has_no_differences(engine: Engine) -> None:
    reached: list[tuple[int, int]] = []
    assert list(compare_facts(engine, ZHANGSHU, lambda done, total: reached.append((done, total)))) == []
    assert reached == [(5, 5)]
    assert list(compare_facts(engine, "110101", _quietly)) == []


def test_last_events_that_are_gone_are_told(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(delete(events).where(events.c.ledger == ZHANGSHU, events.c.position >= 4))
    assert _found(engine) == [
        (4, "events.*"),
        (4, "*"),
        (5, "*"),
        (5, "ledgers.size"),
        (5, "ledgers.edge"),
    ]
    with pytest.raises(Rejection, match="expected events 4 to 5, found None; restore a backup") as rejection:
        rebuild_facts(engine, ZHANGSHU, _quietly)
    assert [one.code for one in rejection.value.refusals] == ["ledger-damaged"]


def test_all_events_that_are_gone_are_told(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(delete(events).where(events.c.ledger == ZHANGSHU))
    assert (1, "events.*") in _found(engine)


def test_a_changed_event_is_told_also_after_a_rebuild(engine: Engine) -> None:
    changed = _state(engine, 3).replace(b'"count":1', b'"count":7')
    _damage(engine, 3, state=changed)
    assert _found(engine) == [(3, "events.leaf_hash"), (3, "count"), (5, "ledgers.edge")]
    live = _facts(engine)
    with pytest.raises(Rejection, match=r"position 3 events\.leaf_hash"):
        rebuild_facts(engine, ZHANGSHU, _quietly)
    assert _facts(engine) == live


def test_an_event_changed_together_with_its_hash_and_fact_is_told_by_the_tree(engine: Engine) -> None:
    changed = _state(engine, 3).replace(b'"count":1', b'"count":7')
    _damage(engine, 3, state=changed, leaf_hash=leaf_hash(changed))
    assert rebuild_facts(engine, ZHANGSHU, _quietly) == 3
    assert _found(engine) == [(5, "ledgers.edge")]


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ({"topic": "observation.voided/1"}, "events.topic"),
        ({"recorded_at": 1}, "events.recorded_at"),
        ({"version": 9}, "events.version"),
        ({"stream": b"no UUID"}, "events.stream"),
        ({"leaf_hash": b"x" * 32}, "events.leaf_hash"),
    ],
)
def test_a_column_that_is_not_what_the_event_says_is_told(engine: Engine, damage: dict[str, Any], told: str) -> None:
    _damage(engine, 3, **damage)
    assert _found(engine) == [(3, told)]


@pytest.mark.parametrize("state", [b"", b"\xff", b"[]", b"{}", b"[" * 100_000, b'{"ledger":"360982","type":[]}'])
def test_bytes_that_are_no_event_are_told(engine: Engine, state: bytes) -> None:
    _damage(engine, 3, state=state)
    assert _found(engine) == [(3, "events.state"), (3, "events.leaf_hash"), (3, "*"), (5, "ledgers.edge")]
    with pytest.raises(Rejection, match="an event of ledger 360982"):
        rebuild_facts(engine, ZHANGSHU, _quietly)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ({"size": 4}, ["ledgers.size"]),
        ({"size": 10**12}, ["events.*", "ledgers.size"]),
        ({"edge": b"no edge"}, ["ledgers.edge"]),
        ({"last_recorded_at": 0}, ["ledgers.last_recorded_at"]),
    ],
)
def test_a_head_that_is_not_that_of_the_events_is_told(engine: Engine, damage: dict[str, Any], told: list[str]) -> None:
    with engine.begin() as connection:
        connection.execute(update(ledgers).where(ledgers.c.code == ZHANGSHU).values(damage))
    assert [one.column for one in compare_facts(engine, ZHANGSHU, _quietly)] == told


def test_a_row_moved_to_another_year_is_told_there_and_here(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(update(facts).where(_at(facts, 3)).values(year=2020))
        connection.execute(update(facts).where(_at(facts, 5)).values(observation=b"no UUID"))
    assert _found(engine) == [(3, "*"), (5, "observation"), (3, "*")]
    assert rebuild_facts(engine, ZHANGSHU, _quietly) == 3
    assert _found(engine) == []


def test_what_is_recorded_while_it_compares_is_no_difference(ledger: LedgerApplication, engine: Engine) -> None:
    recorded: list[int] = []

    def record(_: int, total: int) -> None:
        _observe(ledger, "meanwhile")
        recorded.append(total)

    assert list(compare_facts(engine, ZHANGSHU, record)) == []
    assert recorded == [5]
    assert ledger.ledger_recorder.head().size == 6
    assert _found(engine) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_event_that_the_shell_turned_into_text_is_read_as_its_bytes(engine: Engine) -> None:
    with engine.begin() as connection:
        change = "UPDATE events SET state = replace(CAST(state AS TEXT), :old, :new) WHERE position = 3"
        connection.execute(text(change), {"old": '"count":1', "new": '"count":2'})
    assert _found(engine) == [(3, "events.leaf_hash"), (3, "count"), (5, "ledgers.edge")]


def _scheme_document() -> ColumnElement[bool]:
    return (documents.c.ledger == ZHANGSHU) & (documents.c.digest == sha256(SCHEME.document).digest())


def test_a_document_that_an_event_names_and_that_is_gone_is_told(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(delete(documents).where(_scheme_document()))
    assert _found(engine) == [(1, "documents.*")]
    # The facts do not rest on it.
    assert rebuild_facts(engine, ZHANGSHU, _quietly) == 3


def test_a_document_that_was_altered_is_told_and_not_given(engine: Engine, ledger: LedgerApplication) -> None:
    with engine.begin() as connection:
        connection.execute(update(documents).where(_scheme_document()).values(content=b"id: other"))
    [difference] = compare_facts(engine, ZHANGSHU, _quietly)
    digests = [sha256(content).hexdigest() for content in (SCHEME.document, b"id: other")]
    assert difference == (1, "documents.content", *digests)
    with pytest.raises(Rejection) as rejection:
        ledger.ledger_recorder.document(sha256(SCHEME.document).digest())
    assert [one.code for one in rejection.value.refusals] == ["ledger-damaged"]
