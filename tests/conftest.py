"""Settings that hold for every test, and the databases that tests run on."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings
from psycopg.sql import SQL, Identifier
from sqlalchemy import Engine

from ledger.database import migrate, open_engine
from tests.postgres import running_server

# A law holds or does not; how long an example takes on a busy machine says nothing about it.
settings.register_profile("untimed", parent=settings(), deadline=None)
settings.load_profile("untimed")

_TEMPLATE = "migrated"
_EMPTY = "template0"


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL, without a database name, of a server with a migrated template database."""
    with running_server() as url:
        with psycopg.connect(url, dbname="postgres", autocommit=True) as connection:
            connection.execute(SQL("CREATE DATABASE {}").format(Identifier(_TEMPLATE)))
        engine = open_engine(f"{url}/{_TEMPLATE}")
        migrate(engine)
        engine.dispose()
        yield url


@pytest.fixture(scope="session")
def database_names() -> Iterator[str]:
    return (f"test_{number}" for number in count(1))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without any table."""
    yield from _database(request, tmp_path, _EMPTY)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database of its own, with the present schema and nothing in it."""
    yield from _database(request, tmp_path, _TEMPLATE)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def postgres_engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """For what only a database server can do, such as losing a connection."""
    for url in _postgresql(request, _TEMPLATE):
        engine = open_engine(url)
        yield engine
        engine.dispose()


def _database(request: pytest.FixtureRequest, folder: Path, template: str) -> Iterator[str]:
    if request.param == "postgresql":
        yield from _postgresql(request, template)
        return
    url = f"sqlite:///{folder / 'ledger.sqlite3'}"
    if template == _TEMPLATE:
        engine = open_engine(url)
        migrate(engine)
        engine.dispose()
    yield url


def _postgresql(request: pytest.FixtureRequest, template: str) -> Iterator[str]:
    server: str = request.getfixturevalue("postgres_url")
    name: str = next(request.getfixturevalue("database_names"))
    database, source = Identifier(name), Identifier(template)
    with psycopg.connect(server, dbname="postgres", autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {} TEMPLATE {}").format(database, source))
        yield f"{server}/{name}"
        connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(database))
