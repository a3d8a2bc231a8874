"""The measurements: each runs in a process of its own, and gives its figure and what else is worth knowing.

Whoever adds one adds it to `MEASUREMENTS`; which of them are held against each other, `tests.bench.__main__` knows.
"""

from __future__ import annotations

import csv
import http.client
import os
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median, quantiles
from tempfile import NamedTemporaryFile
from threading import Barrier
from time import perf_counter
from typing import TypeVar
from urllib.parse import quote, urlsplit

import duckdb
import psycopg
from sqlalchemy import make_url, select

from api.access.principals import Grant
from ledger.commands import Attempt, Observe
from ledger.database import open_engine
from ledger.rebuilding import rebuild_facts
from ledger.tables import events
from schemes.sheets import sheets
from tests.api.accounts import bearer, token_of
from tests.bench.outcomes import Measurement, Outcome
from tests.bench.pages import PAGES
from tests.bench.questions import QUESTIONS
from tests.bench.workload import CODE, YEAR, County, county, now, observations, opened_year, states

T = TypeVar("T")

CLIENTS = 64
EACH = 50
"""Single appends of each client."""
BATCH = 1_000
BATCHES = 5
WARM_UP = 200
REBUILT = 10_000
COUNTIES, COUNTY_FACTS = 100, 10_000
REQUESTS = 1_500


def single_appends(database: str) -> Outcome:
    """Measure observations a second, one a command, of clients that each wait for their answer."""
    wishes = observations(CLIENTS * EACH, seed=1)
    start = Barrier(CLIENTS + 1)
    waits: list[float] = []
    with opened_year(database) as ledger, ThreadPoolExecutor(CLIENTS) as pool:

        def append(client: int) -> None:
            own = wishes[client * EACH : (client + 1) * EACH]
            start.wait()
            for at, wish in enumerate(own):
                begun = perf_counter()
                ledger.observe(Attempt("考评办", now(), f"{client}-{at}"), YEAR, [wish])
                waits.append(perf_counter() - begun)

        ledger.observe(Attempt("考评办", now(), "warm-up"), YEAR, observations(WARM_UP, seed=2))
        clients = [pool.submit(append, client) for client in range(CLIENTS)]
        start.wait()
        begun = perf_counter()
        for client in clients:
            client.result()
        seconds = perf_counter() - begun
    return Outcome(len(wishes) / seconds, f"p99 {quantiles(waits, n=100)[-1] * 1000:.0f} ms")


def batch_appends(database: str) -> Outcome:
    """Measure observations a second, a thousand a command."""
    with opened_year(database) as ledger:

        def append(batch: Sequence[Observe], key: str) -> None:
            ledger.observe(Attempt("考评办", now(), key), YEAR, batch)

        return Outcome(_batches_a_second(observations((BATCHES + 1) * BATCH, seed=1), append))


def sqlite_single_inserts(database: str) -> Outcome:
    """Measure rows a second, each committed on its own, of the bytes that `single_appends` writes."""
    rows = [(state,) for state in states(CLIENTS * EACH, seed=1)]
    with _sqlite(database) as connection:
        begun = perf_counter()
        for row in rows:
            connection.execute(_SQLITE_INSERT, row)
        return Outcome(len(rows) / (perf_counter() - begun))


def sqlite_batch_inserts(database: str) -> Outcome:
    """Measure rows a second, a thousand in a transaction, of the bytes that `batch_appends` writes."""
    with _sqlite(database) as connection:

        def insert(batch: Sequence[tuple[bytes]], _: str) -> None:
            connection.execute("BEGIN")
            connection.executemany(_SQLITE_INSERT, batch)
            connection.execute("COMMIT")

        return Outcome(_batches_a_second([(state,) for state in states((BATCHES + 1) * BATCH, seed=1)], insert))


def postgres_single_inserts(database: str) -> Outcome:
    """Measure as `sqlite_single_inserts` does, on PostgreSQL."""
    rows = [(state,) for state in states(CLIENTS * EACH, seed=1)]
    with _postgres(database) as connection:
        begun = perf_counter()
        for row in rows:
            connection.execute(_POSTGRES_INSERT, row)
        return Outcome(len(rows) / (perf_counter() - begun))


def postgres_batch_inserts(database: str) -> Outcome:
    """Measure as `sqlite_batch_inserts` does, on PostgreSQL."""
    with _postgres(database) as connection:

        def insert(batch: Sequence[tuple[bytes]], _: str) -> None:
            with connection.transaction(), connection.cursor() as cursor:
                cursor.executemany(_POSTGRES_INSERT, batch)

        return Outcome(_batches_a_second([(state,) for state in states((BATCHES + 1) * BATCH, seed=1)], insert))


_SQLITE_INSERT = "INSERT INTO events (state) VALUES (?)"
_POSTGRES_INSERT = "INSERT INTO events (state) VALUES (%s)"


@contextmanager
def _sqlite(database: str) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(make_url(database).database or "", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE events (position INTEGER PRIMARY KEY, state BLOB NOT NULL)")
        yield connection


@contextmanager
def _postgres(database: str) -> Iterator[psycopg.Connection]:
    with closing(psycopg.connect(database, autocommit=True)) as connection:
        connection.execute("CREATE TABLE events (position bigserial PRIMARY KEY, state bytea NOT NULL)")
        yield connection


def _batches_a_second(rows: Sequence[T], append: Callable[[Sequence[T], str], None]) -> float:
    """Return rows a second by the median batch; the first batch warms up."""
    seconds = []
    for start in range(0, len(rows), BATCH):
        begun = perf_counter()
        append(rows[start : start + BATCH], f"batch-{start}")
        seconds.append(perf_counter() - begun)
    return BATCH / median(seconds[1:])


def year_of_a_county(_: str) -> Outcome:
    """Measure milliseconds for all sheets of a county: 60 units, 5,000 facts."""
    given = county(units=60, facts=5_000, seed=1)
    seconds = [_evaluation(given) for _ in range(BATCHES)]
    return Outcome(median(seconds) * 1000, "60 units, 5,000 facts")


def million_facts(_: str) -> Outcome:
    """Measure seconds for the sheets of 100 counties with 10,000 facts each."""
    given = _counties()
    return Outcome(sum(_evaluation(given[at % len(given)]) for at in range(COUNTIES)), "100 counties of 10,000")


def million_facts_scanned(_: str) -> Outcome:
    """Measure seconds for DuckDB's sum of counts by county, unit and kind over a table of the same facts."""
    given = _counties()
    with NamedTemporaryFile("w", suffix=".csv", encoding="utf-8") as file, closing(duckdb.connect()) as connection:
        rows = csv.writer(file)
        rows.writerow(("county", "unit", "kind", "count"))
        for at in range(COUNTIES):
            rows.writerows((at, fact.unit, fact.kind, fact.count) for fact in given[at % len(given)].facts)
        file.flush()
        connection.execute("CREATE TABLE facts AS SELECT * FROM read_csv(?)", [file.name])
        seconds = []
        for _round in range(BATCHES + 1):
            begun = perf_counter()
            connection.execute(_SCAN).fetchone()
            seconds.append(perf_counter() - begun)
    return Outcome(median(seconds[1:]))


_SCAN = """
SELECT count(*), max(total) FROM (SELECT county, unit, kind, sum(count) AS total FROM facts GROUP BY county, unit, kind)
"""


def _counties() -> list[County]:
    """Ten different counties, each to be taken ten times: drawing a million facts would take most of the run."""
    return [county(units=60, facts=COUNTY_FACTS, seed=seed) for seed in range(COUNTIES // 10)]


def _evaluation(given: County) -> float:
    begun = perf_counter()
    sheets(given.situation())
    return perf_counter() - begun


def rebuilding(database: str) -> Outcome:
    """Measure microseconds an event for a rebuild of the facts table."""
    with opened_year(database) as ledger:
        _fill(ledger.observe)
    engine = open_engine(database)
    begun = perf_counter()
    rows = rebuild_facts(engine, CODE, lambda *_: None)
    seconds = perf_counter() - begun
    engine.dispose()
    return Outcome(seconds / rows * 1e6, f"{rows:,} events")


def reading_events(database: str) -> Outcome:
    """Measure microseconds an event for reading the bytes of all events."""
    with opened_year(database) as ledger:
        _fill(ledger.observe)
    engine = open_engine(database)
    begun = perf_counter()
    with engine.connect() as connection:
        rows = connection.execute(select(events.c.position, events.c.state).order_by(events.c.position)).all()
    seconds = perf_counter() - begun
    engine.dispose()
    return Outcome(seconds / len(rows) * 1e6)


def _fill(observe: Callable[[Attempt, int, Sequence[Observe]], object]) -> None:
    wishes = observations(REBUILT, seed=1)
    for start in range(0, REBUILT, BATCH):
        observe(Attempt("考评办", now(), f"fill-{start}"), YEAR, wishes[start : start + BATCH])


def sheet_over_http(database: str) -> Outcome:
    """Measure milliseconds for a unit's sheet whose year is in the server's cache."""
    return _over_http(database, known=False)


def sheet_not_modified(database: str) -> Outcome:
    """Measure milliseconds for the answer that the reader's copy of the sheet is still good."""
    return _over_http(database, known=True)


def liveness_over_http(database: str) -> Outcome:
    """Measure milliseconds for the server's shortest answer."""
    return _over_http(database, known=False, path="/health/live")


def _over_http(database: str, known: bool, path: str | None = None) -> Outcome:
    with opened_year(database) as ledger:
        ledger.observe(Attempt("考评办", now(), "fill"), YEAR, observations(BATCH, seed=1))
    engine = open_engine(database)
    token = token_of(engine, now, "考评办", [Grant("auditor", CODE)])
    engine.dispose()
    unit = observations(1, seed=1)[0].unit
    asked = path or f"/api/v1/jurisdictions/{CODE}/years/{YEAR}/sheets/{quote(unit)}"
    program = str(Path(sys.executable).with_name("mingzhang"))
    command = [program, "serve", "--port", "0", "--database", database]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        try:
            waits = _requests(address, asked, known, token)
        finally:
            server.send_signal(signal.SIGTERM)
            _, status, usage = os.wait4(server.pid, 0)
            server.returncode = os.waitstatus_to_exitcode(status)
    milliseconds = [seconds * 1000 for seconds in waits]
    return Outcome(median(milliseconds), f"p99 {quantiles(milliseconds, n=100)[-1]:.1f} ms", usage.ru_maxrss)


def _requests(address: str, path: str, known: bool, token: str) -> list[float]:
    connection = http.client.HTTPConnection(urlsplit(address).netloc)
    signed_in = bearer(token)
    headers = signed_in
    waits = []
    for _ in range(REQUESTS + WARM_UP):
        begun = perf_counter()
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        response.read()
        waits.append(perf_counter() - begun)
        tag = response.headers["ETag"]
        expected = 304 if "If-None-Match" in headers else 200
        if response.status != expected:
            raise RuntimeError(f"{path}: expected status {expected}, got {response.status}")
        if known:
            headers = {"If-None-Match": tag, **signed_in}
    connection.close()
    return waits[WARM_UP:]


MEASUREMENTS: dict[str, Measurement] = {
    one.__name__: one
    for one in (
        single_appends,
        batch_appends,
        sqlite_single_inserts,
        sqlite_batch_inserts,
        postgres_single_inserts,
        postgres_batch_inserts,
        year_of_a_county,
        million_facts,
        million_facts_scanned,
        rebuilding,
        reading_events,
        sheet_over_http,
        sheet_not_modified,
        liveness_over_http,
        *QUESTIONS,
        *PAGES,
    )
}


def peak_kibibytes() -> int:
    """Return the most memory this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
