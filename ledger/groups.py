"""Group commit: requests that wait at the same time share one transaction, written by one thread.

Rules kept here: requests are taken in the order of their submission; nobody hears of an outcome before the transaction that
decided it has ended; a group that the database refuses is written request by request, so that only the culprit fails. What a
transaction is, `append` knows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from sys import maxsize
from threading import Condition, Lock, Thread
from time import monotonic
from typing import Final

from eventsourcing.persistence import InterfaceError

from ledger.appends import CommitUnknown, LedgerUnavailable, Outcome, Request

MOST_REQUESTS: Final = 512
"""Most requests that share a transaction."""
MOST_EVENTS: Final = 5_000
"""Most events of the requests that share a transaction; one larger request has its own."""
GATHER_SECONDS: Final = 0.001
"""How long a group waits for as many requests as the one before it had."""
LINGER_SECONDS: Final = 2.0
"""How long the writing thread waits for more before it ends; the next request starts another."""

Waiting = tuple[Request, Future[Sequence[int]]]


class GroupCommit:
    """Gathers requests and writes them by `append`, which takes a group and returns the outcome of each.

    `append` raises only when nothing of the whole group was recorded, or CommitUnknown.
    """

    def __init__(self, name: str, append: Callable[[Sequence[Request]], Sequence[Outcome]]) -> None:
        self._name = name
        self._append = append
        self._changed = Condition(Lock())
        self._waiting: deque[Waiting] = deque()
        self._thread: Thread | None = None
        self._closed = False
        self._worth_waking = maxsize
        self._last_group = 1

    def submit(self, request: Request) -> Future[Sequence[int]]:
        """Put the request in the queue; the future gives the positions. Raises InterfaceError after `close`."""
        future: Future[Sequence[int]] = Future()
        with self._changed:
            if self._closed:
                raise InterfaceError(f"{self._name} is closed: nothing can be appended any more")
            self._waiting.append((request, future))
            if self._thread is None:
                self._thread = Thread(target=self._write_groups, name=self._name, daemon=True)
                self._thread.start()
            elif len(self._waiting) >= self._worth_waking:
                self._changed.notify()
        return future

    def close(self) -> None:
        """Write what was submitted, then end. Closing twice is closing once."""
        with self._changed:
            self._closed = True
            self._changed.notify()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _write_groups(self) -> None:
        while group := self._next_group():
            self._write([waiting for waiting in group if waiting[1].set_running_or_notify_cancel()])

    def _next_group(self) -> list[Waiting]:
        """Wait for requests and take them; none when it is time for the writing thread to end."""
        with self._changed:
            self._wait_for(1, LINGER_SECONDS)
            if not self._waiting:
                self._thread = None
                return []
            # Clients that were just answered ask again in a moment: one commit for all of them is worth the wait.
            self._wait_for(self._last_group, GATHER_SECONDS)
            group = self._take()
            self._last_group = len(group)
            return group

    def _wait_for(self, requests: int, seconds: float) -> None:
        deadline = monotonic() + seconds
        self._worth_waking = requests
        while len(self._waiting) < requests and not self._closed and (left := deadline - monotonic()) > 0:
            self._changed.wait(left)
        self._worth_waking = maxsize

    def _take(self) -> list[Waiting]:
        group: list[Waiting] = []
        events = 0
        while self._waiting and len(group) < MOST_REQUESTS:
            events += len(self._waiting[0][0].events)
            if group and events > MOST_EVENTS:
                break
            group.append(self._waiting.popleft())
        return group

    def _write(self, group: Sequence[Waiting]) -> None:
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
