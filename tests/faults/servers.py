"""The PostgreSQL server that faults are tried on: it can be stopped at once and started again, dumped and restored."""

from __future__ import annotations

import shlex
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import psycopg

from tests.postgres import START_SECONDS, NoPostgres, running_server


class Server:
    """A running server: its `url` without a database name, and its programs."""

    def __init__(self, url: str) -> None:
        self.url = url
        with psycopg.connect(url, dbname="postgres") as connection:
            self._data = Path(_asked(connection, "SHOW data_directory"))
            self._programs = Path(_asked(connection, "SELECT setting FROM pg_config WHERE name = 'BINDIR'"))
        # postgres refuses to run as root, and pg_ctl to stop what another user runs: both run as the data's owner.
        owner = self._data.stat()
        self._as_owner: dict[str, Any] = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
        self._restarted: subprocess.Popen[bytes] | None = None

    def run(self, program: str, *arguments: str | Path) -> None:
        """Run one of PostgreSQL's client programs. Raises CalledProcessError."""
        command: list[str | Path] = [self._programs / program, *arguments]
        subprocess.run(command, check=True, capture_output=True)

    def stop_immediately(self) -> None:
        """Stop the server without letting it put anything away: what is in its memory is gone, and a start recovers."""
        command: list[str | Path] = [self._programs / "pg_ctl", "stop", "-m", "immediate", "-D", self._data]
        subprocess.run(command, check=True, capture_output=True, cwd="/", **self._as_owner)
        if self._restarted is not None:
            self._restarted.wait()
            self._restarted = None

    def start(self) -> None:
        """Start the stopped server as it was started first, and wait until it takes connections."""
        command = shlex.split((self._data / "postmaster.opts").read_text())
        with (self._data / "faults.log").open("ab") as log:
            self._restarted = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", **self._as_owner)
        deadline = monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(self.url, dbname="postgres").close()
            except psycopg.OperationalError as error:
                if self._restarted.poll() is not None or monotonic() > deadline:
                    raise NoPostgres("PostgreSQL did not start again after it was stopped") from error
                sleep(0.02)
            else:
                return

    def end(self) -> None:
        """End the server where it was started again; the first one ends with its own context."""
        if self._restarted is not None:
            # PostgreSQL's immediate shutdown: nobody will read this data again.
            self._restarted.send_signal(signal.SIGQUIT)
            self._restarted.wait()


@contextmanager
def server() -> Iterator[Server]:
    """Start a server and end it afterwards, whichever start of it is running then. Raises NoPostgres."""
    with running_server() as url:
        started = Server(url)
        try:
            yield started
        finally:
            started.end()


def _asked(connection: psycopg.Connection, query: str) -> str:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return str(row[0])
