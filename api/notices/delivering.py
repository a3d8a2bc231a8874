"""Delivering notices: each to each of its targets, in the order of the ledger, until it is taken.

1. What there is to tell comes from `projections.notices`, for the units that a target is for, and only what came about
   after the target was stated. What a restricted view does not show is never sent.
2. Before a notice is handed over, its try is put down: how often it was tried, and when the next one would be due. Of
   several processes one does so. A process that ends in between leaves a notice that is tried again: it may come twice,
   under the same id. What was put down as delivered is never sent again.
3. A target that does not take a notice gets no later one before: the wait doubles from half a minute to an hour. After
   `MOST_TRIES` the notice is given up, and the next one follows.
4. Each round looks anew where notices go: what is added while a server runs is delivered to. With nowhere to go a round
   is two short questions to the database.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from threading import Event, Thread
from typing import Final, NamedTuple

from eventsourcing.persistence import PersistenceError
from httpx2 import Client
from sqlalchemy import Row, and_, insert, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from api.notices.mail import send_mail
from api.notices.message import DeliveryFailed, Message, message_of
from api.notices.tables import notice_deliveries
from api.notices.targets import Target, Targets
from api.notices.webhooks import new_client, post
from api.settings import Settings
from ledger.appends import LedgerUnavailable, microseconds
from ledger.database import for_writing
from ledger.decisions import local_day
from ledger.rejection import Rejection
from projections.answer_models import Answer
from projections.jurisdictions import Jurisdictions
from projections.notices import Notice, notices

MOST_TRIES: Final = 10
FIRST_WAIT: Final = timedelta(seconds=30)
LONGEST_WAIT: Final = timedelta(hours=1)
SECONDS_BETWEEN: Final = 5.0
_logger: Final = logging.getLogger("mingzhang.notices")
Clock = Callable[[], datetime]


class RoundAnswer(Answer):
    """What one round did: how many notices were delivered, failed for now, were given up, and wait still."""

    delivered: int = 0
    failed: int = 0
    given_up: int = 0
    waiting: int = 0


class _Told(NamedTuple):
    """A notice of a ledger to a unit, before it is known who gets it."""

    notice: Notice
    year: int
    key: str
    message: Message


class Deliveries:
    """The deliveries of one database."""

    def __init__(self, jurisdictions: Jurisdictions, settings: Settings, clock: Clock) -> None:
        self._jurisdictions = jurisdictions
        self._engine = jurisdictions.engine
        self._settings = settings
        self._clock = clock
        self._targets = Targets(jurisdictions.engine, clock, jurisdictions.random_bytes)
        self._told: dict[str, tuple[int, date, list[_Told]]] = {}

    def round(self, ended: Event | None = None) -> RoundAnswer:
        """Try once what is due, of every target; `ended` stops before the next notice."""
        found, mailing = RoundAnswer(), self._settings.smtp_host is not None
        targets = [one for one in self._targets.targets() if mailing or one.channel == "webhook"]
        if not targets:
            # A client reads all certificates: too much for every few seconds of a server that has nobody to tell.
            return found
        with new_client() as client:
            for target in targets:
                found = self._deliver(target, client, found, ended or Event())
        return found

    def _deliver(self, target: Target, client: Client, found: RoundAnswer, ended: Event) -> RoundAnswer:
        rows = self._rows(target)
        counts = found.model_dump()
        messages = self._messages(target)
        for at, message in enumerate(messages):
            row = rows.get(message.event)
            if row is not None and row.state != "pending":
                continue
            state = None if ended.is_set() else self._try(target, client, message, row)
            if state is None or state == "failed":
                counts["failed"] += state == "failed"
                still = [one for one in messages[at:] if one.event not in rows or rows[one.event].state == "pending"]
                counts["waiting"] += len(still) - (state == "failed")
                break
            counts[state] += 1
        return RoundAnswer(**counts)

    def _try(self, target: Target, client: Client, message: Message, row: Row[tuple[object, ...]] | None) -> str | None:
        """Return `delivered`, `failed` or `given_up`; None where it is not due, or another process tries it now."""
        now = self._clock()
        tries = 0 if row is None else row.attempts
        if row is not None and row.next_try_at > microseconds(now):
            return None
        if not self._put_down(target, message, tries, now):
            return None
        try:
            if target.secret is None:
                send_mail(self._settings, message, target.address, now)
            else:
                post(client, message, target.address, target.secret, now)
        except DeliveryFailed as failure:
            state = "given_up" if tries + 1 >= MOST_TRIES else "pending"
            _logger.warning("notice %s to %s %s: %s", message.event, target.channel, target.id, failure)
            self._update(target, message, state=state, last_error=str(failure))
            return "failed" if state == "pending" else state
        self._update(target, message, state="delivered", last_error=None)
        return "delivered"

    def _put_down(self, target: Target, message: Message, tries: int, now: datetime) -> bool:
        """Put the try down before it is made; false where another process did so first."""
        wait = min(FIRST_WAIT * 2**tries, LONGEST_WAIT)
        due = microseconds(now + wait)
        if tries:
            return self._update(target, message, tries, attempts=tries + 1, next_try_at=due)
        row = {"event": message.event, "channel": target.channel, "target": target.id, "ledger": target.jurisdiction}
        try:
            with for_writing(self._engine).begin() as connection:
                connection.execute(
                    insert(notice_deliveries), row | {"state": "pending", "attempts": 1, "next_try_at": due}
                )
        except IntegrityError:
            return False
        return True

    def _update(self, target: Target, message: Message, tries: int | None = None, **values: object) -> bool:
        table = notice_deliveries.c
        this = and_(table.event == message.event, table.channel == target.channel, table.target == target.id)
        if tries is not None:
            this = and_(this, table.attempts == tries, table.state == "pending")
        with for_writing(self._engine).begin() as connection:
            return connection.execute(update(notice_deliveries).where(this).values(**values)).rowcount == 1

    def _rows(self, target: Target) -> dict[str, Row[tuple[object, ...]]]:
        table = notice_deliveries.c
        asked = select(notice_deliveries).where(
            table.ledger == target.jurisdiction, table.channel == target.channel, table.target == target.id
        )
        with self._engine.connect() as connection:
            return {row.event: row for row in connection.execute(asked)}

    # --- what there is to tell ---------------------------------------------------------------------------------------

    def _messages(self, target: Target) -> Sequence[Message]:
        told = self._of_ledger(target.jurisdiction)
        keys = None if target.units is None else self._keys(target.jurisdiction, target.units)
        return [
            one.message
            for one in told
            if one.notice.at >= target.since and (keys is None or (one.year, one.key) in keys)
        ]

    def _keys(self, code: str, names: Sequence[str]) -> set[tuple[int, str]]:
        """Return the units of these names in each year, as (year, key): a name can be another unit's in another."""
        found = ((state.year, state.unit(name)) for state in self._jurisdictions.open_years(code) for name in names)
        return {(year, unit.key) for year, unit in found if unit is not None}

    def _of_ledger(self, code: str) -> list[_Told]:
        """Return every notice of a ledger in its order; worked out anew only when there are entries or another day."""
        size, today = self._jurisdictions.sizes().get(code, 0), local_day(self._clock())
        known = self._told.get(code)
        if known is None or known[:2] != (size, today):
            years = self._jurisdictions.open_years(code) if size else ()
            told = [one for state in years for one in self._of_year(code, state.year, today)]
            told.sort(key=lambda one: (one.notice.at, one.notice.position, one.message.event))
            known = self._told[code] = (size, today, told)
        return known[2]

    def _of_year(self, code: str, year: int, today: date) -> Iterator[_Told]:
        view = self._jurisdictions.view(code, year)
        for unit in view.state.units.values():
            for notice in notices(view.seen_by((unit.key,), view.state), today).notices:
                name = unit.name_on(view.as_of)
                message = message_of(notice, f"/jurisdictions/{code}/years/{year}", name, unit.key)
                yield _Told(notice, year, unit.key, message)


@contextmanager
def delivering(jurisdictions: Jurisdictions, settings: Settings, clock: Clock) -> Iterator[None]:
    """Deliver in a thread of its own while the block runs."""
    ended = Event()
    thread = Thread(target=_deliver_until, args=(Deliveries(jurisdictions, settings, clock), ended), name="notices")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _deliver_until(deliveries: Deliveries, ended: Event) -> None:
    while True:
        try:
            deliveries.round(ended)
        except (SQLAlchemyError, PersistenceError, LedgerUnavailable, Rejection) as error:
            # The ledger will be there again, or says itself on every page that it is damaged.
            _logger.error("notices cannot be delivered now: %s", error)
        except Exception as error:  # the last place before the thread's end: whatever it is, it is logged
            _logger.error("a round of notices failed", exc_info=error)
        if ended.wait(SECONDS_BETWEEN):
            return
