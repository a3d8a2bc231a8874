"""The ledger with one part broken on purpose: what the controls are made with."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any
from uuid import UUID

from eventsourcing.persistence import ApplicationRecorder, IntegrityError, PersistenceError
from sqlalchemy import Connection, select

from ledger.appends import Batch, Head, Outcome, Request
from ledger.application import LedgerApplication
from ledger.facts import fact_rows
from ledger.groups import Prepare
from ledger.merkle import Edge
from ledger.recorder import LedgerRecorder
from ledger.tables import ledgers


class AnswersEarlyRecorder(LedgerRecorder):
    """Answers requests of one event as soon as they have their positions, before anything is written."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._early: dict[UUID | str, Future[Sequence[int]]] = {}

    def submit_prepared(self, prepare: Prepare) -> Future[Sequence[int]]:
        answered: Future[Sequence[int]] = Future()

        def remember() -> Request:
            request = prepare()
            self._early[request.events[0].originator_id] = answered
            return request

        def answer(real: Future[Sequence[int]]) -> None:
            # What was not even admitted: a used key, a moment in the past.
            error = real.exception()
            if not answered.done() and error is not None:
                answered.set_exception(error)

        super().submit_prepared(remember).add_done_callback(answer)
        return answered

    def _write(self, connection: Connection, batch: Batch) -> None:
        for notification in batch.notifications():
            answered = self._early.pop(notification.originator_id)
            if not answered.done():
                answered.set_result([notification.id])
        super()._write(connection, batch)


class AnswersEarly(LedgerApplication):
    """A ledger that acknowledges before the commit."""

    def construct_recorder(self) -> ApplicationRecorder:
        return AnswersEarlyRecorder(self._engine, self.code, fact_rows)


class UnlockedRecorder(LedgerRecorder):
    """Takes the last position plus one without the lock of the ledger's row; a collision is told, not tried again."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._writing = self._engine

    def _locked_head(self, connection: Connection) -> Head:
        row = connection.execute(select(ledgers).where(ledgers.c.code == self.ledger)).one()
        edge = Edge.from_bytes(row.edge)
        return Head(edge.size, self.head().last_recorded_at, edge)

    def _append(self, requests: Sequence[Request]) -> list[Outcome]:
        try:
            return super()._append(requests)
        except IntegrityError as collision:
            raise PersistenceError(f"collided: {collision}") from collision


class Unlocked(LedgerApplication):
    """A ledger whose appends do not wait for each other."""

    def construct_recorder(self) -> ApplicationRecorder:
        return UnlockedRecorder(self._engine, self.code, fact_rows)
