"""Engines for SQLite and PostgreSQL that keep an acknowledged event, and the schema's migrations.

Rules kept here: on SQLite a commit reaches the disk before it returns (WAL, `synchronous=FULL`), a transaction that
will write takes the write lock when it begins, and a reader never holds that lock. Several processes may migrate at
once: one does the work, the others find it done.
"""

from __future__ import annotations

import sqlite3
from importlib import resources
from time import monotonic, sleep
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry

from ledger.rejection import rejected

BUSY_SECONDS: Final = 30
"""How long a SQLite connection waits for another process's lock before it gives up."""

_LOCKED: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_LOG_PAGES: Final = 8_000
_CACHE_KIBIBYTES: Final = 16_384
_BEGIN: Final = "sqlite_begin"
_MIGRATION_LOCK: Final = 0x6D696E677A68616E  # 'mingzhan' in ASCII: any number that is ours on a shared server


class DatabaseAddressError(ValueError):
    """A database URL that names no database this ledger can be kept in."""


def open_engine(url: str) -> Engine:
    """Return an engine for `sqlite:///path/to/file` or `postgresql://…` (psycopg 3); no connection is made yet.

    Raises DatabaseAddressError for any other address; the message never repeats a password.
    """
    try:
        address = make_url(url)
    except ArgumentError as error:
        raise DatabaseAddressError("not a database URL: expected sqlite:///FILE or postgresql://HOST/NAME") from error
    if address.get_backend_name() == "postgresql" and address.get_driver_name() == "psycopg":
        return create_engine(address, pool_size=10, max_overflow=20, pool_pre_ping=True, hide_parameters=True)
    if address.drivername != "sqlite" or address.database in (None, "", ":memory:"):
        shown = address.render_as_string(hide_password=True)
        raise DatabaseAddressError(f"{shown} cannot hold a ledger: expected sqlite:///FILE or postgresql://HOST/NAME")
    # Named parameters let one form of a row serve both drivers. What is in them is for no log.
    engine = create_engine(
        address,
        paramstyle="named",
        pool_size=10,
        max_overflow=20,
        connect_args={"timeout": BUSY_SECONDS},
        hide_parameters=True,
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def for_writing(engine: Engine) -> Engine:
    """Return the same engine, whose transactions on SQLite take the write lock when they begin."""
    return engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})


def migrate(engine: Engine) -> None:
    """Bring the schema up to date: all or nothing, and safe when several processes start at once.

    Raises Rejection `database-newer` for a database that a newer version of this program migrated.
    """
    with for_writing(engine).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        config = _configuration()
        known = {one.revision for one in ScriptDirectory.from_config(config).walk_revisions()}
        newer = sorted(set(MigrationContext.configure(connection).get_current_heads()) - known)
        if newer:
            message = f"found the schema {newer[0]}, which this version does not know: run the version that made it"
            raise rejected("database-newer", "database", message)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def schema_is_current(engine: Engine) -> bool:
    """Return whether the database has exactly the schema this code was written for."""
    expected = set(ScriptDirectory.from_config(_configuration()).get_heads())
    with engine.connect() as connection:
        return set(MigrationContext.configure(connection).get_current_heads()) == expected


def _configuration() -> Config:
    config = Config()
    config.set_main_option("path_separator", "os")
    # '%' starts an interpolation in alembic's configuration.
    folder = str(resources.files("ledger").joinpath("migrations")).replace("%", "%%")
    config.set_main_option("script_location", folder)
    return config


def _prepare_sqlite(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    # The driver's own transactions begin late and without a lock; ours begin in _begin_sqlite.
    connection.isolation_level = None
    _use_write_ahead_log(connection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    # What an erasure takes away shall not stay behind in free pages.
    connection.execute("PRAGMA secure_delete = ON")
    # Streams and keys are random, so each event dirties pages of its own in their indexes. Copying pages back to the
    # file less often writes a page once that was dirtied many times.
    connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIBIBYTES}")


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    # The mode is kept in the file. Changing it needs the file alone, and SQLite does not wait for that by itself.
    deadline = monotonic() + BUSY_SECONDS
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            # The low byte is the primary code; whatever else went wrong, waiting does not put it right.
            if error.sqlite_errorcode & 0xFF not in _LOCKED or monotonic() > deadline:
                raise
        else:
            if mode == "wal":
                return
            raise sqlite3.OperationalError(f"this file system allows no write-ahead log (journal mode {mode})")
        sleep(0.01)


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))
