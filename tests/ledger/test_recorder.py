"""What the ledger's store promises, on both databases."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import cast
from uuid import UUID, uuid4

import pytest
from eventsourcing.persistence import (
    IntegrityError,
    Notification,
    PersistenceError,
    StoredEvent,
)
from sqlalchemy import Engine, select

from ledger.appends import (
    AlreadyRecorded,
    ClockBehind,
    KeyReused,
    LedgerGrown,
    Request,
    StreamMoved,
)
from ledger.merkle import EMPTY_ROOT, leaf_hash, root_of
from ledger.recorder import LedgerRecorder
from ledger.tables import documents, events, facts
from tests.ledger.store import (
    LANGXI,
    NINE,
    REFUSED,
    ZHANGSHU,
    Open,
    entry,
    held_back,
    key,
    one_fact_each,
)


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


def test_a_decision_about_the_whole_ledger_is_refused_when_it_has_grown(recorder: LedgerRecorder) -> None:
    def whole(size: int) -> Callable[[], Request]:
        return lambda: Request([entry()], idempotency=key("whole"), expected_size=size)

    recorder.insert_events([entry(), entry()])
    for size in (0, 1, 3):
        with pytest.raises(LedgerGrown, match=f"expected to hold {size} events, found 2"):
            recorder.submit_prepared(whole(size)).result()
    assert recorder.submit_prepared(whole(2)).result() == [3]
    # What was recorded under the key is the answer, however long the ledger is by now.
    with pytest.raises(AlreadyRecorded):
        recorder.submit_prepared(whole(2)).result()
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
