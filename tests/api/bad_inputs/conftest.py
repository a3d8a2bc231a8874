"""One county on SQLite for all bad inputs: none of them may leave anything behind, so they can share it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine
from starlette.testclient import TestClient

from api.http import create_app
from api.settings import Settings
from ledger.database import migrate, open_engine
from projections.jurisdictions import Jurisdictions
from tests.api.accounts import COUNTIES, bearer, office, token_of
from tests.api.county import Clock, County


@pytest.fixture(scope="package")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bad-inputs")


@pytest.fixture(scope="package")
def shared_clock() -> Clock:
    return Clock()


@pytest.fixture(scope="package")
def shared_engine(shared_folder: Path) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{shared_folder / 'ledger.sqlite3'}")
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture(scope="package")
def shared_application(shared_engine: Engine, shared_clock: Clock, shared_folder: Path) -> Iterator[FastAPI]:
    jurisdictions = Jurisdictions(shared_engine, secrets.token_bytes)
    settings = Settings(key_folder=shared_folder / "keys", evidence_folder=shared_folder / "evidence")
    yield create_app(jurisdictions, settings, shared_clock)
    jurisdictions.close()


@pytest.fixture(scope="package")
def stranger(shared_application: FastAPI) -> Iterator[TestClient]:
    """Somebody who has not signed in, at the shared county."""
    with TestClient(shared_application, base_url="https://testserver", follow_redirects=False) as client:
        yield client


@pytest.fixture(scope="package")
def shared(shared_application: FastAPI, shared_engine: Engine, shared_clock: Clock) -> Iterator[County]:
    """A jurisdiction with one open year and one observation."""
    with ExitStack() as stack:
        office_clients = [
            stack.enter_context(
                TestClient(
                    shared_application,
                    headers=bearer(token_of(shared_engine, shared_clock, name, office(*COUNTIES))),
                    follow_redirects=False,
                )
            )
            for name in ("考核办", "考核办乙", "收件员")
        ]
        client, colleague, clerk = office_clients
        county = County(client, shared_clock, colleague, clerk)
        county.open()
        county.record()
        yield county
