"""What the ledger's store promises, on both databases."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import islice
from pathlib import Path
from threading import Event, Thread
from typing import cast
from uuid import UUID, uuid4

import pytest
from eventsourcing.persistence import (
    IntegrityError,
    InterfaceError,
    InternalError,
    Notification,
    PersistenceError,
    StoredEvent,
)
from sqlalchemy import Engine, event, select, text, update
from sqlalchemy.exc import OperationalError

from ledger.appends import (
    AlreadyRecorded,
    ClockBehind,
    CommitUnknown,
    Idempotency,
    KeyReused,
    LedgerUnavailable,
    Request,
    StreamMoved,
)
from ledger.database import open_engine
from ledger.merkle import EMPTY_ROOT, leaf_hash, root_of
from ledger.recorder import Derive, LedgerRecorder
from ledger.tables import documents, events, facts, ledgers

ZHANGSHU = "360982"
LANGXI = "341821"
NINE = datetime(2021, 3, 2, 9, tzinfo=UTC)
REFUSED = b"the database refuses this"

OTHERS_CUT_OFF = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'"
ROOT = Path(__file__).parents[2]

Open = Callable[..., LedgerRecorder]


@pytest.fixture
def open_ledger(engine: Engine) -> Iterator[Open]:
    opened: list[LedgerRecorder] = []

    def open_one(code: str = ZHANGSHU, derive: Derive | None = None) -> LedgerRecorder:
        opened.append(LedgerRecorder(engine, code, derive))
        return opened[-1]

    yield open_one
    for recorder in opened:
        recorder.close()


@pytest.fixture
def recorder(open_ledger: Open) -> LedgerRecorder:
    return open_ledger()


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


def test_a_new_ledger_is_empty(recorder: LedgerRecorder) -> None:
    size, last_recorded_at, edge = recorder.head()
    assert (size, last_recorded_at, edge.root()) == (0, datetime(1970, 1, 1, tzinfo=UTC), EMPTY_ROOT)
    assert recorder.max_notification_id() is None
    assert recorder.insert_events([]) == []
    assert recorder.head().size == 0


def test_positions_are_dense_and_leaves_are_the_bytes(recorder: LedgerRecorder, engine: Engine) -> None:
    states = [b"{}", b'{"a":1}', "福城街道".encode(), bytes(range(256)), b"x" * 65_535]
    assert recorder.insert_events([entry(state=states[0])]) == [1]
    assert recorder.insert_events([entry(state=state) for state in states[1:4]]) == [2, 3, 4]
    assert recorder.insert_events([entry(state=states[4])]) == [5]
    leaves = [leaf_hash(state) for state in states]
    head = recorder.head()
    assert (head.size, head.edge.size, head.edge.root()) == (5, 5, root_of(leaves))
    with engine.connect() as connection:
        rows = connection.execute(select(events.c.state, events.c.leaf_hash).order_by(events.c.position))
        assert [tuple(row) for row in rows] == list(zip(states, leaves, strict=True))


def test_ledgers_do_not_order_each_other(open_ledger: Open) -> None:
    first, second = open_ledger(ZHANGSHU), open_ledger(LANGXI)
    shared = entry()
    assert [first.insert_events([shared]), second.insert_events([shared])] == [[1], [1]]
    second.insert_events([entry(state=b"only here")], recorded_at=NINE, idempotency=key("k"), documents=[b"only here"])
    assert [found.state for found in second.select_notifications(1, 10)] == [b"state", b"only here"]
    assert [found.state for found in first.select_notifications(1, 10)] == [b"state"]
    assert first.find_key("k") is None
    assert first.document(sha256(b"only here").digest()) is None
    assert first.head().size == 1


def test_the_same_key_answers_with_what_it_recorded(recorder: LedgerRecorder) -> None:
    recorder.insert_events([entry()])
    recorder.insert_events([entry(), entry()], idempotency=key("k"))
    assert recorder.find_key("k") == (sha256(b"content").digest(), 2, 3)
    with pytest.raises(AlreadyRecorded) as answer:
        recorder.insert_events([entry(), entry()], idempotency=key("k"))
    assert (answer.value.code, answer.value.first_position, answer.value.last_position) == (
        "key-already-recorded",
        2,
        3,
    )
    assert recorder.head().size == 3


def test_a_repeated_request_is_recognised_before_its_streams_are(recorder: LedgerRecorder) -> None:
    request = [entry()]
    recorder.insert_events(request, idempotency=key("k"), expects={uuid4(): 0}, recorded_at=NINE)
    with pytest.raises(AlreadyRecorded):
        recorder.insert_events(request, idempotency=key("k"), recorded_at=NINE - timedelta(days=1))


def test_the_same_key_for_other_content_is_refused(recorder: LedgerRecorder) -> None:
    recorder.insert_events([entry()], idempotency=key("k"))
    with pytest.raises(KeyReused, match="use a new key for new content") as refusal:
        recorder.insert_events([entry()], idempotency=key("k", b"other"))
    assert (refusal.value.code, refusal.value.first_position) == ("key-reused", 1)
    assert recorder.head().size == 1


def test_one_key_sent_at_once_records_once(recorder: LedgerRecorder, engine: Engine) -> None:
    _, go_on = held_back(recorder, engine)
    futures = [recorder.submit([entry()], idempotency=key("k")) for _ in range(5)]
    go_on.set()
    assert futures[0].result() == [2]
    for future in futures[1:]:
        answer = future.exception()
        assert isinstance(answer, AlreadyRecorded)
        assert answer.first_position == 2
    assert recorder.head().size == 2


@pytest.mark.parametrize("version", [0, 1, 3])
def test_an_event_is_the_next_of_its_stream(recorder: LedgerRecorder, version: int) -> None:
    stream = uuid4()
    recorder.insert_events([entry(stream, 1)])
    with pytest.raises(IntegrityError):
        recorder.insert_events([entry(), entry(stream, version)])
    assert recorder.insert_events([entry(stream, 2)]) == [2]
    assert recorder.head().size == 2


@pytest.mark.parametrize("versions", [(0, 0), (1, 1), (1, 3), (2, 1)])
def test_events_of_one_request_follow_each_other(recorder: LedgerRecorder, versions: tuple[int, ...]) -> None:
    stream = uuid4()
    with pytest.raises(IntegrityError):
        recorder.insert_events([entry(stream, version) for version in versions])
    assert recorder.head().size == 0


def test_a_decision_is_refused_when_its_streams_moved(recorder: LedgerRecorder) -> None:
    year = uuid4()
    recorder.insert_events([entry(year, 1)], expects={year: 0})
    recorder.insert_events([entry()], expects={year: 1})
    recorder.insert_events([entry(year, 2)], expects={year: 1})
    with pytest.raises(StreamMoved, match="decide again") as refusal:
        recorder.insert_events([entry()], expects={year: 1})
    assert (refusal.value.stream, refusal.value.expected, refusal.value.found) == (year, 1, 2)
    with pytest.raises(StreamMoved):
        recorder.insert_events([entry()], expects={uuid4(): 1})
    assert recorder.head().size == 3


def test_time_does_not_go_back(recorder: LedgerRecorder) -> None:
    recorder.insert_events([entry()], recorded_at=NINE)
    recorder.insert_events([entry()], recorded_at=NINE.astimezone())
    with pytest.raises(ClockBehind) as refusal:
        recorder.insert_events([entry()], recorded_at=NINE - timedelta(microseconds=1))
    assert (refusal.value.code, refusal.value.last) == ("clock-behind", NINE)
    recorder.insert_events([entry()], recorded_at=NINE + timedelta(microseconds=1))
    recorder.insert_events([entry()])
    assert recorder.head()[:2] == (4, NINE + timedelta(microseconds=1))


def test_a_moment_needs_a_zone(recorder: LedgerRecorder) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        recorder.insert_events([entry()], recorded_at=NINE.replace(tzinfo=None))


def test_what_is_no_append_is_refused(recorder: LedgerRecorder) -> None:
    with pytest.raises(ValueError, match="at least one event"):
        recorder.insert_events([], idempotency=key("k"))
    with pytest.raises(TypeError, match="expected a UUID"):
        recorder.insert_events([StoredEvent("text", 1, "observed", b"")])
    with pytest.raises(TypeError, match="no argument record_at"):
        recorder.insert_events([entry()], record_at=NINE)
    assert recorder.head().size == 0


def test_a_refused_request_leaves_its_group_alone(recorder: LedgerRecorder, engine: Engine) -> None:
    stream = uuid4()
    _, go_on = held_back(recorder, engine)
    good = recorder.submit([entry(stream, 1)], recorded_at=NINE, documents=[b"scheme"])
    bad = [
        recorder.submit([entry(), entry(stream, 1)], recorded_at=NINE, idempotency=key("bad")),
        recorder.submit([entry()], recorded_at=NINE - timedelta(hours=1), documents=[b"never"]),
        recorder.submit([entry()], expects={stream: 0}),
    ]
    after = recorder.submit([entry(stream, 2)], expects={stream: 1}, recorded_at=NINE, idempotency=key("good"))
    go_on.set()
    assert (good.result(), after.result()) == ([2], [3])
    assert [type(future.exception()) for future in bad] == [IntegrityError, ClockBehind, StreamMoved]
    assert recorder.find_key("bad") is None
    assert recorder.document(sha256(b"never").digest()) is None
    assert recorder.document(sha256(b"scheme").digest()) == b"scheme"


def test_requests_are_prepared_in_turn_and_one_that_cannot_be_leaves_the_others_alone(
    recorder: LedgerRecorder, engine: Engine
) -> None:
    prepared: list[str] = []

    def preparing(name: str) -> Callable[[], Request]:
        def prepare() -> Request:
            prepared.append(name)
            if name == "impossible":
                raise ValueError(name)
            return Request([entry()])

        return prepare

    _, go_on = held_back(recorder, engine)
    futures = [recorder.submit_prepared(preparing(name)) for name in ("first", "impossible", "last")]
    assert prepared == []
    go_on.set()
    assert (futures[0].result(), futures[2].result()) == ([2], [3])
    assert isinstance(futures[1].exception(), ValueError)
    assert prepared == ["first", "impossible", "last"]


def test_a_request_the_database_refuses_leaves_its_group_alone(open_ledger: Open, engine: Engine) -> None:
    recorder = open_ledger(derive=one_fact_each)
    taken = uuid4()
    recorder.insert_events([entry(taken, 1)])
    _, go_on = held_back(recorder, engine)
    futures = [
        recorder.submit([entry()], idempotency=key("a")),
        recorder.submit([entry(state=REFUSED)], idempotency=key("b")),
        recorder.submit([entry(taken, 1)], idempotency=key("c")),
        recorder.submit([entry()], idempotency=key("d")),
    ]
    go_on.set()
    assert (futures[0].result(), futures[3].result()) == ([3], [4])
    assert [type(futures[place].exception()) for place in (1, 2)] == [IntegrityError, IntegrityError]
    assert [recorder.find_key(name) is None for name in "abcd"] == [False, True, True, False]
    assert recorder.head().edge.root() == root_of(
        [leaf_hash(found.state) for found in recorder.select_notifications(1, 10)]
    )


def test_facts_are_written_with_their_events(open_ledger: Open, engine: Engine) -> None:
    recorder = open_ledger(derive=one_fact_each)
    stream = uuid4()
    recorder.insert_events([entry(), entry(stream)])
    with pytest.raises(PersistenceError):
        recorder.insert_events([entry(), entry(state=REFUSED)])
    with engine.connect() as connection:
        rows = connection.execute(select(facts).order_by(facts.c.position)).all()
    assert [(row.ledger, row.position, row.unit, row.note) for row in rows] == [
        (ZHANGSHU, 1, "福城街道", None),
        (ZHANGSHU, 2, "福城街道", None),
    ]
    assert UUID(bytes=rows[1].observation) == stream
    assert recorder.head().size == 2


def test_an_error_while_deriving_fails_the_request_only(open_ledger: Open) -> None:
    def derive(notifications: Sequence[Notification]) -> list[Mapping[str, object]]:
        raise LookupError(f"no such unit at {notifications[0].id}")

    with pytest.raises(LookupError, match="no such unit at 1"):
        open_ledger(derive=derive).insert_events([entry()])
    assert open_ledger().insert_events([entry()]) == [1]


def test_documents_are_kept_once_by_their_content(recorder: LedgerRecorder, engine: Engine) -> None:
    recorder.insert_events([entry()], documents=[b"scheme", b"scheme", b"other"])
    recorder.insert_events([entry()], documents=[b"scheme"])
    with engine.connect() as connection:
        assert sorted(connection.execute(select(documents.c.content)).scalars()) == [b"other", b"scheme"]


def test_what_the_driver_refuses_comes_as_the_librarys_error(recorder: LedgerRecorder) -> None:
    with pytest.raises(IntegrityError, match="topic"):
        recorder.insert_events([StoredEvent(uuid4(), 1, cast(str, None), b"")])
    assert recorder.insert_events([entry()]) == [1]


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
