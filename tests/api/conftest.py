"""The whole application through a real ASGI client, on SQLite and on PostgreSQL."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine
from starlette.testclient import TestClient

from api.access.principals import Grant
from api.http import create_app
from api.notices.targets import Targets
from api.settings import Settings
from projections.jurisdictions import Jurisdictions
from tests.api.accounts import COUNTIES, bearer, office, token_of
from tests.api.county import Clock, County


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(key_folder=tmp_path / "keys", evidence_folder=tmp_path / "evidence", live_seconds=0)


@pytest.fixture
def application(engine: Engine, clock: Clock, settings: Settings) -> Iterator[FastAPI]:
    jurisdictions = Jurisdictions(engine, secrets.token_bytes)
    yield create_app(jurisdictions, settings, clock)
    jurisdictions.close()


@pytest.fixture
def visitor(application: FastAPI) -> Iterator[TestClient]:
    """Somebody who has not signed in."""
    with TestClient(application, base_url="https://testserver", follow_redirects=False) as client:
        yield client


@pytest.fixture
def client(application: FastAPI, engine: Engine, clock: Clock) -> Iterator[TestClient]:
    """An account of the assessment office, with all of its roles in every county."""
    token = token_of(engine, clock, "考核办", office(*COUNTIES))
    with TestClient(application, headers=bearer(token), follow_redirects=False) as client:
        yield client


@pytest.fixture
def colleague(client: TestClient, application: FastAPI, engine: Engine, clock: Clock) -> Iterator[TestClient]:
    """The account of another person of the office."""
    token = token_of(engine, clock, "考核办乙", office(*COUNTIES))
    with TestClient(application, headers=bearer(token), follow_redirects=False) as client:
        yield client


@pytest.fixture
def clerk(client: TestClient, application: FastAPI, engine: Engine, clock: Clock) -> Iterator[TestClient]:
    """The account of a third person, who takes in what units hand in on paper."""
    token = token_of(engine, clock, "收件员", [Grant("recorder", code) for code in COUNTIES])
    with TestClient(application, headers=bearer(token), follow_redirects=False) as client:
        yield client


@pytest.fixture
def new_county(client: TestClient, clock: Clock, colleague: TestClient, clerk: TestClient) -> County:
    """A jurisdiction without a ledger."""
    return County(client, clock, colleague, clerk)


@pytest.fixture
def county(new_county: County) -> County:
    """A jurisdiction with one open year."""
    new_county.open()
    return new_county


@pytest.fixture
def jurisdictions(engine: Engine) -> Iterator[Jurisdictions]:
    """The ledgers as another process of the same database has them."""
    found = Jurisdictions(engine, secrets.token_bytes)
    yield found
    found.close()


@pytest.fixture
def targets(engine: Engine, clock: Clock) -> Targets:
    return Targets(engine, clock, secrets.token_bytes)
