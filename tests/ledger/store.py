"""What the tests of the store share: events, keys, facts, and a recorder held back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from threading import Event
from uuid import UUID, uuid4

from eventsourcing.persistence import (
    Notification,
    StoredEvent,
)
from sqlalchemy import Engine, event

from ledger.appends import (
    Idempotency,
)
from ledger.decisions import Unit, YearState
from ledger.events import Reading
from ledger.recorder import LedgerRecorder

ZHANGSHU = "360982"
LANGXI = "341821"
NINE = datetime(2021, 3, 2, 9, tzinfo=UTC)
REFUSED = b"the database refuses this"

OTHERS_CUT_OFF = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'"
ROOT = Path(__file__).parents[2]

Open = Callable[..., LedgerRecorder]


class KnowsEveryWord:
    """An admission that refuses nothing, and counts every day as a working day."""

    def reading(self, year: YearState, reading: Reading) -> None:
        """Know every word."""

    def indicator(self, year: YearState, unit: Unit, indicator: str) -> None:
        """Know every row."""

    def weighs(self, year: YearState, reading: Reading) -> bool:
        return reading.kind == "discretion"

    def touches(self, year: YearState, unit: Unit, reading: Reading, indicator: str) -> bool:
        """Let every row look at everything."""
        return True

    def term_end(self, start: date, working_days: int, before: date) -> date | None:
        end = start + timedelta(days=working_days)
        return end if end < before else None


def entry(stream: UUID | None = None, version: int = 1, state: bytes = b"state") -> StoredEvent:
    return StoredEvent(stream or uuid4(), version, "observed", state)


def key(name: str, content: bytes = b"content") -> Idempotency:
    return Idempotency(name, sha256(content).digest())


def one_fact_each(notifications: Sequence[Notification]) -> list[Mapping[str, object]]:
    return [fact_of(notification) for notification in notifications]


def fact_of(notification: Notification) -> Mapping[str, object]:
    assert isinstance(notification.originator_id, UUID)
    return {
        "position": notification.id,
        "year": 2021,
        "observation": notification.originator_id.bytes,
        # The table's own constraint knows no such entry.
        "entry": "refused" if notification.state == REFUSED else "observe",
        "unit": "福城街道",
        "recorded_at": 0,
    }


def held_back(recorder: LedgerRecorder, engine: Engine) -> tuple[Event, Event]:
    """Hold the next transaction after its lock is taken, so that what is submitted meanwhile becomes one group."""
    begun, go_on = Event(), Event()

    def hold(*_: object) -> None:
        if not begun.is_set():
            begun.set()
            go_on.wait(60)

    event.listen(engine, "commit", hold)
    recorder.submit([entry(state=b"held")])
    assert begun.wait(60)
    return begun, go_on
