"""Subscriptions to a ledger: each event once, in order, soon after it was committed by whatever process."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from threading import Condition
from typing import Final

from eventsourcing.persistence import ApplicationRecorder, Notification, Subscription

POLL_SECONDS: Final = 0.05
"""How often a subscription looks for what other processes appended."""
PAGE: Final = 500
"""Most events read at once."""


class Appended:
    """Tells waiting subscriptions that this process appended something."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._times = 0

    def times(self) -> int:
        """Return how often something was appended; read it before reading the ledger."""
        with self._changed:
            return self._times

    def tell(self) -> None:
        """Wake whoever waits."""
        with self._changed:
            self._times += 1
            self._changed.notify_all()

    def wait(self, times: int) -> None:
        """Wait until more was appended than the given number of times, but no longer than POLL_SECONDS."""
        with self._changed:
            if self._times == times:
                self._changed.wait(POLL_SECONDS)


class PollingSubscription(Subscription[ApplicationRecorder]):
    """Reads the ledger page by page, and waits at its end.

    Waits for this process's own appends, and looks for those of others every POLL_SECONDS: the way that works on
    SQLite and behind a connection pooler alike. Positions become visible in their order, so none is passed by.
    """

    def __init__(
        self, recorder: ApplicationRecorder, appended: Appended, gt: int | None = None, topics: Sequence[str] = ()
    ) -> None:
        super().__init__(recorder=recorder, gt=gt, topics=topics)
        self._appended = appended
        self._read: deque[Notification] = deque()

    def stop(self) -> None:
        """End the iteration, also one that waits in another thread."""
        super().stop()
        self._appended.tell()

    def __next__(self) -> Notification:
        while not self._has_been_stopped:
            if self._read:
                notification = self._read.popleft()
                self._last_notification_id = notification.id
                return notification
            times = self._appended.times()
            self._read.extend(
                self._recorder.select_notifications(
                    self._last_notification_id, PAGE, topics=self._topics, inclusive_of_start=False
                )
            )
            if not self._read and not self._has_been_stopped:
                self._appended.wait(times)
        raise StopIteration
