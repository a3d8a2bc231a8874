"""The facts derived anew from the events, on both databases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from sqlalchemy import Engine, delete, update

from ledger.application import LedgerApplication
from ledger.merkle import leaf_hash
from ledger.rebuilding import rebuild_facts
from ledger.rejection import Rejection
from ledger.tables import events, facts, ledgers
from tests.ledger.small_ledgers import at, damage, found, quietly, state_at, two_ledgers
from tests.ledger.store import ZHANGSHU

pytestmark = pytest.mark.usefixtures("small_ledger")


@pytest.fixture
def small_ledger(engine: Engine) -> Iterator[LedgerApplication]:
    with two_ledgers(engine) as ledger:
        yield ledger


def _facts(engine: Engine) -> list[Mapping[Any, Any]]:
    with engine.connect() as connection:
        rows = connection.execute(facts.select().order_by(facts.c.ledger, facts.c.position)).mappings()
        return [dict(row) for row in rows]


def test_facts_are_put_right_and_those_of_other_ledgers_stay(engine: Engine) -> None:
    live = _facts(engine)
    with engine.begin() as connection:
        connection.execute(update(facts).where(at(facts, 3)).values(year=2020))
        connection.execute(update(facts).where(at(facts, 4)).values(observation=b"no UUID"))
        connection.execute(delete(facts).where(at(facts, 5)))
    reached: list[tuple[int, int]] = []
    assert rebuild_facts(engine, ZHANGSHU, lambda done, total: reached.append((done, total))) == 3
    assert reached == [(5, 5)]
    assert _facts(engine) == live
    assert found(engine) == []


def test_of_a_ledger_that_is_not_there_nothing_is_derived(engine: Engine) -> None:
    assert rebuild_facts(engine, "110101", quietly) == 0


def test_events_that_are_gone_stop_a_rebuild(engine: Engine) -> None:
    live = _facts(engine)
    with engine.begin() as connection:
        connection.execute(delete(events).where(events.c.ledger == ZHANGSHU, events.c.position >= 4))
    with pytest.raises(Rejection, match=r"expected events 4 to 5, found nothing.*; restore a backup") as rejection:
        rebuild_facts(engine, ZHANGSHU, quietly)
    assert [one.code for one in rejection.value.refusals] == ["ledger-damaged"]
    assert _facts(engine) == live


def test_a_hole_stops_a_rebuild(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(delete(events).where(at(events, 3)))
    with pytest.raises(Rejection, match="expected events 3 to 3, found nothing"):
        rebuild_facts(engine, ZHANGSHU, quietly)


@pytest.mark.parametrize("state", [b"", b"\xff", b"[]", b"{}", b"[" * 60_000, b'{"ledger":"360982","type":[]}'])
def test_bytes_that_are_no_event_stop_a_rebuild(engine: Engine, state: bytes) -> None:
    damage(engine, 3, state=state, leaf_hash=leaf_hash(state))
    with pytest.raises(Rejection, match=r"position 3: events\.state: expected an event of this ledger"):
        rebuild_facts(engine, ZHANGSHU, quietly)


def test_a_changed_event_stops_a_rebuild(engine: Engine) -> None:
    live = _facts(engine)
    damage(engine, 3, state=state_at(engine, 3).replace(b'"count":1', b'"count":7'))
    with pytest.raises(Rejection, match=r"position 3: events\.leaf_hash"):
        rebuild_facts(engine, ZHANGSHU, quietly)
    assert _facts(engine) == live


def test_an_event_changed_together_with_its_hash_is_derived_anew_and_told_by_the_tree(engine: Engine) -> None:
    changed = state_at(engine, 3).replace(b'"count":1', b'"count":7')
    damage(engine, 3, state=changed, leaf_hash=leaf_hash(changed))
    assert rebuild_facts(engine, ZHANGSHU, quietly) == 3
    assert found(engine) == [(None, "head-differs", "ledgers.edge")]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_size_that_is_no_number_stops_a_rebuild(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(update(ledgers).where(ledgers.c.code == ZHANGSHU).values(size="many"))
    with pytest.raises(Rejection, match=r"ledgers\.size: expected a number, found many"):
        rebuild_facts(engine, ZHANGSHU, quietly)


def test_the_ledger_goes_on_after_a_rebuild(engine: Engine, small_ledger: LedgerApplication) -> None:
    rebuild_facts(engine, ZHANGSHU, quietly)
    assert small_ledger.ledger_recorder.head().size == 5
