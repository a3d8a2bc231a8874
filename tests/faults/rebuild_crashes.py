"""`kill -9` after every statement of a rebuild of the facts, before its commit, and after it."""

from __future__ import annotations

import os
import signal
from datetime import UTC, date, datetime
from functools import partial
from hashlib import sha256
from itertools import count
from typing import Any, Final

import psycopg
from sqlalchemy import Connection, delete, event, update

from ledger.application import LedgerApplication
from ledger.commands import Attempt, Observe
from ledger.database import open_engine
from ledger.rebuilding import PAGE, rebuild_facts
from ledger.tables import facts
from tests.faults.appending import EVIDENCE, open_ledger
from tests.faults.checking import differences
from tests.faults.experiments import (
    ACTOR,
    CODE,
    DATABASES,
    PATIENCE,
    PROCESSES,
    UNIT,
    YEAR,
    Database,
    Fault,
    Found,
    Place,
    Stuck,
)

OBSERVATIONS, QUICK_OBSERVATIONS = 5 * PAGE, PAGE + 1
BATCH: Final = 5_000


def crash_in_rebuild(database: Database, place: Place, broken: bool) -> Found:
    """Kill a rebuild one step later each time: the facts are what they were, or what they must be, never between."""
    url = place.new_ledger(database)
    _record(url, place.times(OBSERVATIONS, QUICK_OBSERVATIONS))
    new = _digest(url)
    _spoil(url)
    old = _digest(url)
    found: list[str] = []
    for step in count(1):
        killed = _killed_at(url, step, broken)
        found.append(_digest(url))
        if not killed:
            break
    engine = open_engine(url)
    differing = differences(engine)
    engine.dispose()
    before, after = found.count(old), found.count(new)
    figure = f"old {before}, new {after}, between {len(found) - before - after}, differences at the end {differing}"
    holds = old != new and found == [old] * before + [new] * after and before > 0 and after > 1 and differing == 0
    return Found(len(found) - 1, figure, holds)


def _record(url: str, observations: int) -> None:
    ledger = open_ledger(url, LedgerApplication)
    wish = Observe(unit=UNIT, kind="circular", occurred_on=date(YEAR, 3, 1), evidence=EVIDENCE)
    for first in range(0, observations, BATCH):
        wishes = [wish] * min(BATCH, observations - first)
        ledger.observe(Attempt(ACTOR, datetime.now(UTC), f"from-{first}"), YEAR, wishes)
    ledger.close()


def _spoil(url: str) -> None:
    """Make the facts such that a rebuild has something to put right on every page."""
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.execute(delete(facts).where(facts.c.position % 100 == 0))
        connection.execute(update(facts).where(facts.c.position % 100 == 1).values(count=7))
    engine.dispose()


def _digest(url: str) -> str:
    """Return a digest of the whole table."""
    engine = open_engine(url)
    whole = sha256()
    with engine.connect() as connection:
        for row in connection.execute(facts.select().order_by(facts.c.year, facts.c.position)):
            whole.update(repr(tuple(row)).encode())
    engine.dispose()
    return whole.hexdigest()


def _killed_at(url: str, step: int, broken: bool) -> bool:
    """Rebuild in a process that is killed at that step; return whether it came to it."""
    process = PROCESSES.Process(target=_rebuild_to, args=(url, step, broken))
    process.start()
    process.join(PATIENCE)
    code = process.exitcode
    process.kill()
    process.join()
    if code not in (0, -signal.SIGKILL):
        raise Stuck(f"a rebuild did not end as it should (exit {code})")
    return code != 0


class _HoldingCursor(psycopg.ServerCursor[Any]):
    """A cursor that outlives the transaction it was opened in."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **{**options, "withhold": True})


def _rebuild_to(url: str, last: int, committing: bool) -> None:
    engine, steps = open_engine(url), count(1)

    def step(*_: object) -> None:
        if next(steps) == last:
            os.kill(os.getpid(), signal.SIGKILL)

    def commit(connection: Connection, *_: Any) -> None:
        connection.connection.commit()

    def hold_cursors(connection: Any, _: object) -> None:
        # What the rebuild reads from would end with the first commit.
        connection.server_cursor_factory = _HoldingCursor

    if committing:
        if engine.dialect.name == "postgresql":
            event.listen(engine, "connect", hold_cursors)
        event.listen(engine, "after_cursor_execute", commit)
    # Nothing is counted before there is a connection: making one has statements of its own.
    engine.connect().close()
    event.listen(engine, "after_cursor_execute", step)
    event.listen(engine, "commit", step)
    rebuild_facts(engine, CODE, lambda *_: None)
    step()


FAULTS: Final = tuple(
    Fault(
        "rebuild",
        "kill -9 at every step of a rebuild",
        database,
        "each statement a transaction",
        partial(crash_in_rebuild, database),
    )
    for database in DATABASES
)
