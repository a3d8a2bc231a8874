"""Group commit: requests that wait at the same time share one transaction, written by one thread.

Rules kept here: requests are taken, and prepared, in the order of their submission and one at a time; nobody hears of
an outcome before the transaction that decided it has ended; a group that the database refuses is written request by
request, so that only the culprit fails. What a transaction is, `append` knows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from threading import Event, Lock, Thread, current_thread
from typing import Final

from eventsourcing.persistence import InterfaceError

from ledger.appends import CommitUnknown, LedgerUnavailable, Outcome, Request

MOST_REQUESTS: Final = 512
"""Most requests that share a transaction."""
MOST_EVENTS: Final = 5_000
"""No further request joins a transaction that has so many events."""
LINGER_SECONDS: Final = 2.0
"""How long the writing thread waits for more before it ends; the next request starts another."""

Prepare = Callable[[], Request]
"""Gives the request to write, just before it is written; what it raises is the answer to the one who asked."""
Taken = tuple[Request, Future[Sequence[int]]]


class GroupCommit:
    """Gathers requests and writes them by `append`, which takes a group and returns the outcome of each.

    `append` raises only when nothing of the whole group was recorded, or CommitUnknown.
    """

    def __init__(self, name: str, append: Callable[[Sequence[Request]], Sequence[Outcome]]) -> None:
        self._name = name
        self._append = append
        # Clients share no lock on the way in: with 64 of them, waiting for it cost more than everything else.
        self._waiting: deque[tuple[Prepare, Future[Sequence[int]]]] = deque()
        self._woken = Event()
        self._starting = Lock()
        self._thread: Thread | None = None
        self._closed = False

    def submit(self, prepare: Prepare) -> Future[Sequence[int]]:
        """Put the request in the queue; the future gives the positions. Raises InterfaceError after `close`."""
        if self._closed:
            raise InterfaceError(f"{self._name} is closed: nothing can be appended any more")
        future: Future[Sequence[int]] = Future()
        self._waiting.append((prepare, future))
        # Only now: a thread that is about to end sees the request, or this sees that the thread has ended.
        if self._thread is None:
            self._start()
        if not self._woken.is_set():
            self._woken.set()
        return future

    def close(self) -> None:
        """Write what was submitted, then end. Closing twice is closing once."""
        self._closed = True
        self._woken.set()
        with self._starting:
            thread = self._thread
        if thread is not None:
            thread.join()

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = Thread(target=self._write_groups, name=self._name, daemon=True)
                self._thread.start()

    def _write_groups(self) -> None:
        while self._is_needed():
            while self._waiting:
                group = self._take()
                if group:
                    self._write(group)

    def _is_needed(self) -> bool:
        """Wait for requests; whether there are any, or else the writing thread has to end."""
        # Cleared before the queue is looked at: a request that comes later wakes again.
        self._woken.clear()
        if not self._waiting and not self._closed:
            self._woken.wait(LINGER_SECONDS)
        if self._waiting:
            return True
        with self._starting:
            self._thread = None
            # A request that came before that line counted on this thread; a later one starts another.
            if self._waiting:
                self._thread = current_thread()
            return self._thread is not None

    def _take(self) -> list[Taken]:
        group: list[Taken] = []
        events = 0
        while self._waiting and len(group) < MOST_REQUESTS and events < MOST_EVENTS:
            prepare, future = self._waiting.popleft()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                request = prepare()
            except Exception as error:  # noqa: BLE001  # whatever failed is the answer to the one who asked
                future.set_exception(error)
            else:
                group.append((request, future))
                events += len(request.events)
        return group

    def _write(self, group: Sequence[Taken]) -> None:
        outcomes: Sequence[Outcome]
        try:
            outcomes = self._append([request for request, _ in group])
        except (LedgerUnavailable, CommitUnknown) as error:
            outcomes = [error] * len(group)
        except Exception as error:  # noqa: BLE001  # whatever failed is the answer to the one who asked
            if len(group) > 1:
                for waiting in group:
                    self._write([waiting])
                return
            outcomes = [error]
        for (_, future), outcome in zip(group, outcomes, strict=True):
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
