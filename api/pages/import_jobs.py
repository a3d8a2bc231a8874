"""Imports under way: read and recorded beside the request, with a progress that a page can ask for.

They are kept in memory: after a restart the file is sent again, which is harmless, because what was recorded is not
recorded twice. Few run at once and few are kept: a workbook of many rows takes hundreds of megabytes while it is read.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final, NamedTuple

from projections.workbooks.observations.importing import Checked, Progress
from projections.workbooks.observations.layout import ColumnMapping

MOST_KEPT: Final = 8
_MOST_RUNNING: Final = 2


class Done(NamedTuple):
    """What was recorded: how many observations, and how many proposals that wait for a second person."""

    observations: int
    proposals: int


class Stage(NamedTuple):
    """What is being done, how much of it and of how much; 0 of 0 where that is not known."""

    what: str
    done: int
    total: int


@dataclass
class ImportJob:
    """One workbook on its way: checked, perhaps again under another mapping, and recorded at most once."""

    id: str
    account: str
    jurisdiction: str
    year: int
    file: str
    data: bytes
    mapping: ColumnMapping
    checking: Future[Checked]
    stage: Stage = field(default=Stage("等待", 0, 0))
    recording: Future[Done] | None = None

    @property
    def running(self) -> bool:
        """Whether something is under way."""
        return not (self.recording or self.checking).done()

    def wait(self, seconds: float) -> None:
        """Wait so long at most for what is under way: most files need no page of progress."""
        under_way: Future[Any] = self.recording or self.checking
        wait_for([under_way], seconds)


class ImportJobs:
    """The imports of this process."""

    def __init__(self) -> None:
        self._running = ThreadPoolExecutor(_MOST_RUNNING, "import")
        self._jobs: dict[str, ImportJob] = {}
        self._lock = Lock()

    def start(self, job: ImportJob, check: Callable[[Progress], Checked]) -> None:
        """Begin to check a workbook; the oldest of too many is forgotten."""
        with self._lock:
            self._jobs[job.id] = job
            finished = [one.id for one in self._jobs.values() if not one.running]
            for name in finished[: max(0, len(self._jobs) - MOST_KEPT)]:
                del self._jobs[name]
        self.check(job, check)

    def check(self, job: ImportJob, check: Callable[[Progress], Checked]) -> None:
        """Check the workbook, unless it is being checked or recorded already."""
        with self._lock:
            if job.recording is None:
                job.checking = self._running.submit(check, lambda *told: self._tell(job, *told))

    def record(self, job: ImportJob, record: Callable[[], Done]) -> None:
        """Record the workbook, unless that was begun already and did not fail."""
        with self._lock:
            if job.recording is None or (job.recording.done() and job.recording.exception() is not None):
                job.stage = Stage("登记", 0, 0)
                job.recording = self._running.submit(record)

    def find(self, identifier: str, account: str, jurisdiction: str, year: int) -> ImportJob | None:
        """Return the account's own import of that year; None where this process does not know it."""
        job = self._jobs.get(identifier)
        known = job is not None and (job.account, job.jurisdiction, job.year) == (account, jurisdiction, year)
        return job if known else None

    @staticmethod
    def _tell(job: ImportJob, what: str, done: int, total: int) -> None:
        job.stage = Stage(what, done, total)


def nothing_yet() -> Future[Checked]:
    """Return the check of a job that has not begun."""
    return Future()
