"""Run every measurement, its baseline beside it in turns, and print one table.

Each measurement is a process of its own, so that its peak memory is its own; a figure and its baseline take turns, so
that whatever else the machine does meets both; the median of the rounds counts. Aims are printed, not asserted.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Literal, TypedDict

import psycopg
from psycopg.sql import SQL, Identifier
from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.bench.measurements import MEASUREMENTS, peak_kibibytes
from tests.postgres import running_server


@dataclass(frozen=True, slots=True)
class Comparison:
    """A line of the table. The ratio is own ÷ baseline: for rates as much as possible, for times as little."""

    title: str
    unit: str
    own: str
    baseline: str | None = None
    baseline_title: str = ""
    at_least: float | None = None
    at_most: float | None = None
    database: Literal["sqlite", "postgresql"] = "sqlite"
    rounds: int = 5


COMPARISONS = (
    Comparison(
        "single appends, 64 clients, SQLite",
        "observations/s",
        "single_appends",
        "sqlite_single_inserts",
        "sqlite3, one row a commit",
        at_least=2.0,
    ),
    Comparison(
        "batches of 1,000, SQLite",
        "observations/s",
        "batch_appends",
        "sqlite_batch_inserts",
        "sqlite3, executemany",
        at_least=0.5,
    ),
    Comparison(
        "single appends, 64 clients, PostgreSQL",
        "observations/s",
        "single_appends",
        "postgres_single_inserts",
        "psycopg, one row a commit",
        at_least=2.0,
        database="postgresql",
    ),
    Comparison(
        "batches of 1,000, PostgreSQL",
        "observations/s",
        "batch_appends",
        "postgres_batch_inserts",
        "psycopg, executemany",
        at_least=0.5,
        database="postgresql",
    ),
    Comparison("whole year of one county", "ms", "year_of_a_county", rounds=3),
    Comparison(
        "one million facts",
        "s",
        "million_facts",
        "million_facts_scanned",
        "DuckDB, sum … group by",
        at_most=20,
        rounds=1,
    ),
    Comparison(
        "derivation of a unit", "ms", "derivation_of_a_unit", "plain_evaluation", "evaluation of the year", rounds=3
    ),
    Comparison(
        "without each of a unit's own",
        "ms",
        "what_ifs_of_a_unit",
        "plain_evaluation",
        "evaluation of the year",
        rounds=3,
    ),
    Comparison(
        "smallest sets of a unit",
        "ms",
        "smallest_sets_of_a_unit",
        "plain_evaluation",
        "evaluation of the year",
        rounds=3,
    ),
    Comparison("revised replay", "ms", "revised_replay", "plain_evaluation", "evaluation of the year", rounds=3),
    Comparison(
        "revised replays of 100 counties", "s", "revised_replays", "plain_evaluations", "evaluations of them", rounds=1
    ),
    Comparison("cached sheet over HTTP", "ms", "sheet_over_http", "liveness_over_http", "/health/live", rounds=3),
    Comparison("the same, not modified", "ms", "sheet_not_modified", "liveness_over_http", "/health/live", rounds=3),
    Comparison(
        "page: overview, cold browser",
        "ms",
        "first_page_in_cold_browser",
        "shortest_page_in_cold_browser",
        "/health/live in it",
        rounds=1,
    ),
    Comparison(
        "page: incident, click to new score",
        "ms",
        "incident_to_new_score",
        "incident_over_http",
        "the same by two requests",
        rounds=1,
    ),
    Comparison(
        "page: slider of a unit", "ms", "slider_over_http", "liveness_of_demonstration", "/health/live", rounds=1
    ),
    Comparison(
        "page: slowest main page", "ms", "slowest_page_over_http", "liveness_of_demonstration", "/health/live", rounds=1
    ),
    Comparison("rebuild of facts", "µs/event", "rebuilding", "reading_events", "reading the events", rounds=3),
)


@dataclass(frozen=True, slots=True)
class Line:
    """What came out of a comparison; memory in MiB."""

    title: str
    unit: str
    own: float
    baseline: float | None
    baseline_title: str
    ratio: float | None
    aim: str
    reached: bool | None
    own_peak: float
    baseline_peak: float | None
    note: str


class Taken(TypedDict):
    """What a measurement's process prints."""

    figure: float
    note: str
    peak_kibibytes: int


@contextmanager
def databases(folder: Path) -> Iterator[dict[str, Iterator[str]]]:
    """Give addresses of new databases, as many as are asked for, on SQLite and on a PostgreSQL server."""
    with running_server() as server, psycopg.connect(server, dbname="postgres", autocommit=True) as connection:

        def postgresql() -> Iterator[str]:
            for number in count():
                connection.execute(SQL("CREATE DATABASE {}").format(Identifier(f"bench_{number}")))
                yield f"{server}/bench_{number}"

        yield {
            "sqlite": (f"sqlite:///{folder}/{number}.sqlite" for number in count()),
            "postgresql": postgresql(),
        }


def compared(comparison: Comparison, addresses: Iterator[str]) -> Line:
    """Return the line of a comparison, its measurements taken in turns."""
    taken: dict[str, list[Taken]] = {name: [] for name in (comparison.own, comparison.baseline) if name}
    for _ in range(comparison.rounds):
        for name, outcomes in taken.items():
            outcomes.append(measured(name, next(addresses)))
    figures = {name: median(one["figure"] for one in outcomes) for name, outcomes in taken.items()}
    peaks = {name: max(one["peak_kibibytes"] for one in outcomes) / 1024 for name, outcomes in taken.items()}
    own = figures[comparison.own]
    baseline = figures[comparison.baseline] if comparison.baseline else None
    ratio = own / baseline if baseline else None
    aim, reached = "", None
    if ratio is not None and comparison.at_least is not None:
        aim, reached = f"≥ {comparison.at_least}", ratio >= comparison.at_least
    if ratio is not None and comparison.at_most is not None:
        aim, reached = f"≤ {comparison.at_most}", ratio <= comparison.at_most
    return Line(
        comparison.title,
        comparison.unit,
        own,
        baseline,
        comparison.baseline_title,
        ratio,
        aim,
        reached,
        peaks[comparison.own],
        peaks[comparison.baseline] if comparison.baseline else None,
        taken[comparison.own][-1]["note"],
    )


def measured(name: str, database: str) -> Taken:
    """Run one measurement in a process of its own."""
    command = [sys.executable, "-m", "tests.bench", "--measure", name, "--database", database]
    found = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    outcome: Taken = json.loads(found.stdout)
    return outcome


def measure(name: str, database: str) -> None:
    """Take one measurement and print it."""
    outcome = asdict(MEASUREMENTS[name](database))
    if outcome["peak_kibibytes"] is None:
        outcome["peak_kibibytes"] = peak_kibibytes()
    sys.stdout.write(json.dumps(outcome))


def shown(lines: Sequence[Line]) -> Table:
    """Return the table for the terminal."""
    table = Table(title=f"Python {platform.python_version()}, {platform.machine()}")
    for title in ("measured", "", "unit", "baseline", "", "ratio", "aim", "reached", "peak MiB", "its peak", ""):
        table.add_column(title, justify="left" if title in ("measured", "unit", "baseline", "reached") else "right")
    for line in lines:
        table.add_row(
            line.title,
            _number(line.own),
            line.unit,
            line.baseline_title,
            _number(line.baseline),
            _number(line.ratio),
            line.aim,
            "" if line.reached is None else ("yes" if line.reached else "no"),
            _number(line.own_peak),
            _number(line.baseline_peak),
            line.note,
        )
    return table


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(prog="./run bench", description="Measure speed and memory.")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file, too")
    parser.add_argument("--only", default="", metavar="WORD", help="measure what has this word in its title")
    parser.add_argument(
        "--folder", type=Path, default=Path.cwd(), help="on which disk (default: the one of this folder)"
    )
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--database", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        measure(asked.measure, asked.database)
        return
    chosen = [one for one in COMPARISONS if asked.only in one.title]
    with TemporaryDirectory(prefix=".bench-", dir=asked.folder) as folder, databases(Path(folder)) as addresses:
        progress = track(chosen, "measuring", console=Console(stderr=True), transient=True)
        lines = [compared(one, addresses[one.database]) for one in progress]
    console = Console()
    console.print(shown(lines)) if console.is_terminal else Console(width=200).print(shown(lines))
    if asked.json:
        asked.json.write_text(
            json.dumps([asdict(line) for line in lines], ensure_ascii=False, indent=2) + "\n", "utf-8"
        )


if __name__ == "__main__":
    main()
