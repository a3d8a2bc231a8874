"""Imports under way: read and recorded beside the request, with a progress that a page can ask for.

They are kept in memory: after a restart the file is sent again, which is harmless, because what was recorded is not
recorded twice. A workbook of many rows takes hundreds of megabytes while it is read, so few run at once, few wait, each
account has few, and the file is let go as soon as nobody can ask for it to be read again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Final, NamedTuple

from fastapi import FastAPI

from ledger.rejection import Rejection
from projections.workbooks.observations.importing import Checked, Progress
from projections.workbooks.observations.layout import ColumnMapping, SheetUntoldError
from schemes.problem import InvalidInput

MOST_OF_ACCOUNT: Final = 2
MOST_WAITING: Final = 4
_MOST_RUNNING: Final = 2
Check = Callable[["ImportJob", Progress], Checked]
Record = Callable[["ImportJob", Checked, Progress], "Done | Checked"]


class ImportsBusyError(RuntimeError):
    """Raised where no further workbook is taken in for now."""


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
    work: Future[Checked | Done] = field(default_factory=Future)
    stage: Stage = field(default=Stage("等待", 0, 0))
    agreed: Checked | None = None
    """What its sender has agreed to record, until it is recorded: what failed on the way can be tried again."""
    moved: bool = False
    """Whether the check replaces one that the ledger has moved away from before it was recorded."""

    @property
    def running(self) -> bool:
        """Whether something is under way."""
        return not self.work.done()

    @property
    def waiting(self) -> bool:
        """Whether nothing has begun yet."""
        return not (self.work.running() or self.work.done())

    def wait(self, seconds: float) -> None:
        """Wait so long at most for what is under way: most files need no page of progress."""
        wait_for([self.work], seconds)


class ImportJobs:
    """The imports of one application."""

    def __init__(self) -> None:
        self._running = ThreadPoolExecutor(_MOST_RUNNING, "import")
        self._jobs: dict[str, ImportJob] = {}
        self._lock = Lock()
        self._recording = Lock()

    def start(self, job: ImportJob, check: Check) -> None:
        """Begin to check a workbook; the account's oldest of too many is forgotten.

        Raises `ImportsBusyError` where too many wait, or too many of the account are under way.
        """
        with self._lock:
            own = [one for one in self._jobs.values() if one.account == job.account]
            ended = [one for one in own if not one.running]
            too_many = len(own) - len(ended) >= MOST_OF_ACCOUNT
            if too_many or sum(one.waiting for one in self._jobs.values()) >= MOST_WAITING:
                raise ImportsBusyError("other workbooks are still being read; send it again later")
            for one in ended[: max(0, len(own) - MOST_OF_ACCOUNT + 1)]:
                del self._jobs[one.id]
            self._jobs[job.id] = job
            self._submit_check(job, check)

    def check(self, job: ImportJob, mapping: ColumnMapping, check: Check) -> None:
        """Check the workbook again under that mapping, unless it is under way or nothing is left to be checked."""
        with self._lock:
            if job.data and not job.running:
                job.mapping = mapping
                self._submit_check(job, check)

    def record(self, job: ImportJob, record: Record) -> None:
        """Record what was checked, unless it is under way, was recorded already, or was found wrong.

        Where the check does not hold any more, a new one takes its place and nothing is recorded.
        """
        with self._lock:
            if job.running:
                return
            checked = job.agreed if job.work.exception() is not None else job.work.result()
            if isinstance(checked, Checked) and not checked.problems and checked.recorded_at is None:
                job.stage = Stage("登记", 0, 0)
                job.agreed = checked
                job.work = self._running.submit(self._recorded, job, checked, record)

    def find(self, identifier: str, account: str, jurisdiction: str, year: int) -> ImportJob | None:
        """Return the account's own import of that year; None where this process does not know it."""
        job = self._jobs.get(identifier)
        known = job is not None and (job.account, job.jurisdiction, job.year) == (account, jurisdiction, year)
        return job if known else None

    def close(self) -> None:
        """Drop what waits; what has begun ends on its own. Imports may begin again afterwards."""
        with self._lock:
            self._running.shutdown(wait=False, cancel_futures=True)
            self._running = ThreadPoolExecutor(_MOST_RUNNING, "import")
            self._jobs = {name: job for name, job in self._jobs.items() if not job.work.cancelled()}

    def _submit_check(self, job: ImportJob, check: Check) -> None:
        job.moved, job.agreed = False, None
        job.stage = Stage("等待", 0, 0)
        job.work = self._running.submit(self._checked, job, check)

    def _checked(self, job: ImportJob, check: Check) -> Checked:
        try:
            checked = check(job, lambda *told: self._tell(job, *told))
        except SheetUntoldError:
            raise
        except (InvalidInput, Rejection):
            job.data = b""
            raise
        if checked.recorded_at is not None:
            job.data = b""
        return checked

    def _recorded(self, job: ImportJob, checked: Checked, record: Record) -> Checked | Done:
        # One after the other: what one records may change what another was agreed to do.
        with self._recording:
            outcome = record(job, checked, lambda *told: self._tell(job, *told))
        job.agreed = None
        if isinstance(outcome, Checked):
            job.moved = outcome.recorded_at is None and outcome.outlook != checked.outlook
        if isinstance(outcome, Done) or outcome.recorded_at is not None:
            job.data = b""
        return outcome

    @staticmethod
    def _tell(job: ImportJob, what: str, done: int, total: int) -> None:
        job.stage = Stage(what, done, total)


@asynccontextmanager
async def imports_closed(app: FastAPI) -> AsyncIterator[None]:
    """Close the application's imports when it ends."""
    yield
    imports: ImportJobs = app.state.imports
    imports.close()
