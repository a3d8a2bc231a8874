"""What the store promises when things fail, and when many want something at once; on both databases."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from threading import Thread
from uuid import UUID, uuid4

import pytest
from eventsourcing.persistence import (
    IntegrityError,
    InterfaceError,
    InternalError,
    Notification,
)
from sqlalchemy import Engine, event, select, text, update
from sqlalchemy.exc import OperationalError

from ledger.appends import (
    CommitUnknown,
    LedgerUnavailable,
)
from ledger.database import open_engine
from ledger.merkle import leaf_hash, root_of
from ledger.recorder import LedgerRecorder
from ledger.tables import facts, ledgers
from tests.ledger.store import (
    OTHERS_CUT_OFF,
    ROOT,
    ZHANGSHU,
    Open,
    entry,
    held_back,
    key,
    one_fact_each,
)


def test_a_failed_commit_is_unknown_and_never_reported_as_recorded(recorder: LedgerRecorder, engine: Engine) -> None:
    def fail(_: object) -> None:
        raise OperationalError("COMMIT", None, Exception("the disk is gone"))

    event.listen(engine, "commit", fail)
    with pytest.raises(CommitUnknown, match="ask by the key") as error:
        recorder.insert_events([entry()], idempotency=key("k"))
    assert error.value.code == "commit-unknown"
    event.remove(engine, "commit", fail)
    assert recorder.find_key("k") is None
    assert recorder.insert_events([entry()], idempotency=key("k")) == [1]


def test_a_lost_connection_at_commit_is_unknown(postgres_engine: Engine) -> None:
    engine = postgres_engine

    def cut_off(_: Sequence[Notification]) -> list[Mapping[str, object]]:
        with engine.connect() as other:
            assert other.execute(text(OTHERS_CUT_OFF)).scalars().all() == [True]
        return []

    recorder = LedgerRecorder(engine, ZHANGSHU, cut_off)
    with pytest.raises(CommitUnknown):
        recorder.insert_events([entry()], idempotency=key("k"))
    recorder.close()
    again = LedgerRecorder(engine, ZHANGSHU)
    assert again.insert_events([entry()], idempotency=key("k")) == [1]
    again.close()


def test_a_lost_connection_before_the_commit_records_nothing(postgres_engine: Engine) -> None:
    engine = postgres_engine

    def cut_off(notifications: Sequence[Notification]) -> list[Mapping[str, object]]:
        with engine.connect() as other:
            other.execute(text(OTHERS_CUT_OFF))
        return one_fact_each(notifications)

    recorder = LedgerRecorder(engine, ZHANGSHU, cut_off)
    with pytest.raises(LedgerUnavailable):
        recorder.insert_events([entry()], idempotency=key("k"))
    recorder.close()
    assert LedgerRecorder(engine, ZHANGSHU).find_key("k") is None


def test_a_database_that_cannot_be_reached_is_unavailable() -> None:
    for url in ("sqlite:////proc/nowhere/ledger.sqlite3", "postgresql://127.0.0.1:1/nowhere"):
        recorder = LedgerRecorder(open_engine(url), ZHANGSHU)
        with pytest.raises(LedgerUnavailable):
            recorder.insert_events([entry()])
        recorder.close()


def test_a_damaged_head_is_noticed(recorder: LedgerRecorder, engine: Engine) -> None:
    recorder.insert_events([entry()])
    with engine.begin() as connection:
        connection.execute(update(ledgers).values(size=2))
    with pytest.raises(InternalError, match="size 2, but an edge of 1"):
        recorder.insert_events([entry()])


def test_close_writes_what_was_submitted_and_takes_nothing_more(recorder: LedgerRecorder) -> None:
    futures = [recorder.submit([entry()]) for _ in range(100)]
    recorder.close()
    assert [future.result() for future in futures] == [[position] for position in range(1, 101)]
    with pytest.raises(InterfaceError, match="closed"):
        recorder.submit([entry()])
    recorder.close()


def test_a_cancelled_request_is_not_recorded(recorder: LedgerRecorder, engine: Engine) -> None:
    _, go_on = held_back(recorder, engine)
    cancelled, kept = recorder.submit([entry()]), recorder.submit([entry()])
    assert cancelled.cancel()
    go_on.set()
    assert kept.result() == [2]


def test_many_clients_of_several_recorders_leave_one_dense_sequence(open_ledger: Open, engine: Engine) -> None:
    """Two recorders stand for two processes: they share nothing but the database."""
    recorders = [open_ledger(derive=one_fact_each) for _ in range(2)]

    def client(number: int) -> list[int]:
        positions: list[int] = []
        for turn in range(10):
            stream = uuid4()
            request = [entry(stream, 1, stream.bytes), entry(stream, 2, stream.bytes)]
            recorder = recorders[number % 2]
            positions += recorder.insert_events(request, idempotency=key(f"{number} {turn}")) or ()
        return positions

    with ThreadPoolExecutor(16) as clients:
        acknowledged = list(clients.map(client, range(16)))
    assert sorted(position for positions in acknowledged for position in positions) == list(range(1, 321))
    assert all(positions == sorted(positions) for positions in acknowledged)
    found = recorders[0].select_notifications(1, 1_000)
    assert [notification.id for notification in found] == list(range(1, 321))
    assert [first.originator_id for first in found[::2]] == [second.originator_id for second in found[1::2]]
    assert recorders[0].head().edge.root() == root_of([leaf_hash(notification.state) for notification in found])
    with engine.connect() as connection:
        assert connection.execute(select(facts.c.position).order_by(facts.c.position)).scalars().all() == list(
            range(1, 321)
        )


def test_many_clients_of_one_stream_win_once_each_version(open_ledger: Open) -> None:
    recorders, stream = [open_ledger() for _ in range(2)], uuid4()

    def client(number: int) -> list[int]:
        won: list[int] = []
        for version in range(1, 11):
            try:
                recorders[number % 2].insert_events([entry(stream, version)])
            except IntegrityError:
                continue
            won.append(version)
        return won

    with ThreadPoolExecutor(8) as clients:
        won = [version for versions in clients.map(client, range(8)) for version in versions]
    assert sorted(won) == list(range(1, len(won) + 1))
    assert [found.originator_version for found in recorders[0].select_events(stream)] == sorted(won)


def test_many_ledgers_begin_at_once(open_ledger: Open) -> None:
    recorders = [open_ledger() for _ in range(8)]
    with ThreadPoolExecutor(8) as clients:
        positions = clients.map(lambda recorder: recorder.insert_events([entry()]), recorders)
        assert sorted(positions) == [[position] for position in range(1, 9)]


def test_a_subscription_sees_what_others_append(open_ledger: Open) -> None:
    reading, writing = open_ledger(), open_ledger()
    seen: list[int] = []

    def read() -> None:
        with reading.subscribe(gt=1) as subscription:
            for notification in subscription:
                seen.append(notification.id)
                if notification.id == 600:
                    return

    writing.insert_events([entry()])
    reader = Thread(target=read)
    reader.start()
    for _ in range(6):
        writing.insert_events([entry() for _ in range(100)])
    reader.join()
    assert seen == list(range(2, 601))


def test_a_waiting_subscription_can_be_stopped(recorder: LedgerRecorder) -> None:
    subscription = recorder.subscribe()
    reader = Thread(target=lambda: list(subscription))
    reader.start()
    subscription.stop()
    reader.join()


def test_no_acknowledged_event_is_lost_when_the_process_is_killed(database_url: str, recorder: LedgerRecorder) -> None:
    command = [sys.executable, "-W", "error", "-m", "tests.ledger.appender", database_url, ZHANGSHU]
    acknowledged: dict[int, UUID] = {}
    for _ in range(3):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
            assert process.stdout is not None
            for line in islice(process.stdout, 200):
                position, stream = line.split()
                acknowledged[int(position)] = UUID(stream)
            process.kill()
            # What it had acknowledged before it died counts too; a line that was cut off does not.
            for line in process.stdout.read().split("\n")[:-1]:
                position, stream = line.split()
                acknowledged[int(position)] = UUID(stream)
    found = recorder.select_notifications(1, 1_000_000)
    assert [notification.id for notification in found] == list(range(1, len(found) + 1))
    kept = {notification.id: notification.originator_id for notification in found}
    assert acknowledged.items() <= kept.items()
    assert len(acknowledged) >= 600
    head = recorder.head()
    assert (head.size, head.edge.root()) == (len(found), root_of([leaf_hash(event.state) for event in found]))
    assert recorder.insert_events([entry()]) == [len(found) + 1]
