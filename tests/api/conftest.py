"""The whole application through a real ASGI client, on SQLite and on PostgreSQL."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine
from starlette.testclient import TestClient

from api.http import create_app
from api.settings import Settings
from projections.jurisdictions import Jurisdictions
from tests.api.county import Clock, County


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def application(engine: Engine, clock: Clock) -> Iterator[FastAPI]:
    jurisdictions = Jurisdictions(engine, secrets.token_bytes)
    yield create_app(jurisdictions, Settings(), clock)
    jurisdictions.close()


@pytest.fixture
def client(application: FastAPI) -> Iterator[TestClient]:
    with TestClient(application, follow_redirects=False) as client:
        yield client


@pytest.fixture
def new_county(client: TestClient, clock: Clock) -> County:
    """A jurisdiction without a ledger."""
    return County(client, clock)


@pytest.fixture
def county(new_county: County) -> County:
    """A jurisdiction with one open year."""
    new_county.open()
    return new_county
