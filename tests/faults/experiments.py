"""What a fault is, and where it is tried: new ledgers, seeded randomness, processes of its own."""

from __future__ import annotations

import multiprocessing
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import count
from multiprocessing.context import ForkServerContext
from pathlib import Path
from random import Random
from typing import Final, Literal

import psycopg
from psycopg.sql import SQL, Identifier

from ledger.application import LedgerApplication
from ledger.commands import Attempt, SchemeVersion
from ledger.database import migrate, open_engine
from ledger.events import GroupOfUnits, Period
from tests.faults.servers import Server
from tests.ledger.store import ZHANGSHU, KnowsEveryWord

Database = Literal["sqlite", "postgresql"]
DATABASES: Final[tuple[Database, ...]] = ("sqlite", "postgresql")

CODE: Final = ZHANGSHU
YEAR: Final = 2021
UNIT: Final = "福城街道"
ACTOR: Final = "经济信息中心"
PATIENCE: Final = 60
"""Seconds after which a process that should have answered or ended is taken for stuck."""

PROCESSES: Final[ForkServerContext] = multiprocessing.get_context("forkserver")
"""Every process is forked off one that has everything imported: starting hundreds of them costs little."""


class Untried(RuntimeError):
    """A fault could not be tried: the message says why."""


class Stuck(Untried):
    """A process did not answer or end in time."""


@dataclass(frozen=True, slots=True)
class Found:
    """What came of an experiment: how many times the fault struck, the figure, and whether the promise held.

    None says that it could not be tried, which is no better than a broken promise.
    """

    times: int
    figure: str
    holds: bool | None


class Place:
    """Where an experiment is made: `folder` for its files, `random` for its moments, and databases.

    `server` is the PostgreSQL server, where there is one.
    """

    def __init__(self, folder: Path, seed: int, *, quick: bool, server: Server | None) -> None:
        self.random = Random(seed)  # noqa: S311  # moments of faults, no secrets
        self._folder = folder
        self._quick = quick
        self._server = server
        self._numbers: Iterator[int] = count(1)

    @property
    def server(self) -> Server:
        assert self._server is not None
        return self._server

    def times(self, full: int, quick: int) -> int:
        """Return how many times to try."""
        return quick if self._quick else full

    def new_folder(self) -> Path:
        folder = self._folder / str(next(self._numbers))
        folder.mkdir()
        return folder

    def new_database(self, database: Database) -> str:
        """Return the URL of a database without any table."""
        if database == "sqlite":
            return f"sqlite:///{self.new_folder() / 'ledger.sqlite3'}"
        name = f"faults_{next(self._numbers)}"
        with psycopg.connect(self.server.url, dbname="postgres", autocommit=True) as connection:
            connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        return f"{self.server.url}/{name}"

    def new_ledger(self, database: Database) -> str:
        """Return the URL of a database with a ledger whose year is open."""
        url = self.new_database(database)
        open_year(url)
        return url


def open_year(url: str) -> None:
    """Bring the database up to date and open the year in its ledger."""
    engine = open_engine(url)
    migrate(engine)
    ledger = LedgerApplication(engine, CODE, KnowsEveryWord(), secrets.token_bytes)
    period = Period(first=date(YEAR, 1, 1), last=date(YEAR, 12, 31))
    scheme = SchemeVersion("scheme", "1", period, ("township",), b"id: scheme")
    ledger.open_year(
        Attempt(ACTOR, datetime.now(UTC), "open"), YEAR, scheme, (GroupOfUnits(id="township", units=(UNIT,)),)
    )
    ledger.close()
    engine.dispose()


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault and its control: one experiment, made as the product is, and made with one part broken.

    `experiment` is told whether to break it. The promise is what `Found.holds` tells of both.
    """

    family: str
    title: str
    database: Database
    control: str
    experiment: Callable[[Place, bool], Found]
