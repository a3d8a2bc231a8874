"""Two small ledgers of real events, and how tests damage one of them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Engine, Table, select, update

from ledger.application import LedgerApplication
from ledger.checking.checking import check_ledger
from ledger.commands import Attempt, Observe, SchemeVersion
from ledger.events import Evidence, GroupOfUnits, Period
from ledger.tables import events
from tests.ledger.store import LANGXI, NINE, ZHANGSHU, KnowsEveryWord

PAPER = Evidence(title="通报", document="樟府办字〔2021〕8号")
PERIOD = Period(first=date(2021, 1, 1), last=date(2021, 12, 31))
SCHEME = SchemeVersion("scheme", "1", PERIOD, ("township",), b"id: scheme")
GROUPS = (GroupOfUnits(id="township", units=("福城街道",)),)
ACTOR = "经济信息中心"


def quietly(done: int, total: int) -> None:
    """Progress nobody watches."""


def small(engine: Engine, code: str) -> LedgerApplication:
    """A ledger with a scheme, a year and three observations: positions 1 to 5."""
    ledger = LedgerApplication(engine, code, KnowsEveryWord(), secrets.token_bytes)
    ledger.open_year(Attempt(ACTOR, NINE, "open"), 2021, SCHEME, GROUPS)
    for number in range(3):
        observe(ledger, f"k{number}")
    return ledger


@contextmanager
def two_ledgers(engine: Engine) -> Iterator[LedgerApplication]:
    """Langxi's ledger and Zhangshu's, which is given."""
    langxi, zhangshu = (small(engine, code) for code in (LANGXI, ZHANGSHU))
    yield zhangshu
    for ledger in (langxi, zhangshu):
        ledger.close()


def observe(ledger: LedgerApplication, key: str, *evidence: Evidence) -> Any:
    wish = Observe(unit="福城街道", kind="circular", occurred_on=date(2021, 3, 1), evidence=evidence or (PAPER,))
    [receipt] = ledger.observe(Attempt(ACTOR, NINE, key), 2021, [wish])
    return receipt


def found(engine: Engine) -> list[tuple[int | None, str, str]]:
    """What fsck finds in Zhangshu's ledger: position, code and what it is about."""
    return [one[:3] for one in check_ledger(engine, ZHANGSHU, quietly).findings]


def at(table: Table, position: int) -> ColumnElement[bool]:
    return (table.c.ledger == ZHANGSHU) & (table.c.position == position)


def state_at(engine: Engine, position: int) -> bytes:
    with engine.connect() as connection:
        state: bytes = connection.execute(select(events.c.state).where(at(events, position))).scalar_one()
    return state


def damage(engine: Engine, position: int, **values: Any) -> None:
    """Set columns of one event."""
    with engine.begin() as connection:
        connection.execute(update(events).where(at(events, position)).values(values))
