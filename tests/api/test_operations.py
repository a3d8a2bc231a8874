"""Health, figures, request ids, and what is said when something fails that nobody did wrong."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine
from starlette.testclient import TestClient

from api.access.principals import Grant
from api.http import create_app
from api.settings import Settings
from ledger.appends import CommitUnknown
from ledger.database import open_engine
from projections.jurisdictions import Jurisdictions
from tests.api.accounts import bearer, token_of
from tests.api.county import HERE, UNIT, YEAR, Clock, County, observation


def served(url: str) -> Iterator[TestClient]:
    engine = open_engine(url)
    jurisdictions = Jurisdictions(engine, secrets.token_bytes)
    with TestClient(create_app(jurisdictions, Settings(), Clock())) as client:
        yield client
    jurisdictions.close()
    engine.dispose()


@pytest.fixture
def unmigrated(empty_database_url: str) -> Iterator[TestClient]:
    yield from served(empty_database_url)


@pytest.fixture
def unreachable() -> Iterator[TestClient]:
    # Nothing listens on port 1.
    yield from served("postgresql://nobody@127.0.0.1:1/nothing")


def test_a_server_with_its_database_is_live_and_ready(client: TestClient) -> None:
    assert client.get("/health/live").json() == {"status": "ok"}
    assert client.get("/health/ready").json() == {"status": "ok"}


def test_a_database_that_was_not_migrated_is_not_ready(unmigrated: TestClient) -> None:
    answer = unmigrated.get("/health/ready")

    assert (answer.status_code, answer.json()["code"]) == (503, "schema-not-current")
    assert unmigrated.get("/health/live").status_code == 200


def test_a_database_that_does_not_answer_is_said_to_be_unavailable(unreachable: TestClient) -> None:
    ready = unreachable.get("/health/ready")
    signed_in = bearer(f"mz_{'a' * 12}_{'b' * 43}")
    read = unreachable.get(HERE, headers=signed_in)
    written = unreachable.post(
        f"{YEAR}/observations", json=observation(), headers={"Idempotency-Key": "k", **signed_in}
    )

    assert (ready.status_code, ready.json()["code"]) == (503, "database-unavailable")
    for answer in (read, written):
        assert (answer.status_code, answer.json()["code"]) == (503, "ledger-unavailable")
        assert answer.headers["retry-after"] == "5"
        assert "127.0.0.1" not in answer.text


def test_what_nobody_expected_is_logged_and_not_told(
    application: FastAPI, client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    def fails() -> None:
        raise RuntimeError("the inside of the server")

    application.add_api_route("/fails", fails)
    with caplog.at_level(logging.ERROR, "mingzhang.http"):
        answer = client.get("/fails", headers={"X-Request-ID": "abc-1"})

    assert (answer.status_code, answer.json()["code"]) == (500, "internal-error")
    assert "inside" not in answer.text
    assert answer.headers["x-request-id"] == "abc-1"
    assert "abc-1" in answer.json()["detail"]
    assert "the inside of the server" in caplog.text


def test_a_commit_whose_outcome_is_unknown_may_be_sent_again(application: FastAPI, client: TestClient) -> None:
    def fails() -> None:
        raise CommitUnknown("the connection was lost")

    application.add_api_route("/fails", fails)
    answer = client.get("/fails")

    assert (answer.status_code, answer.json()["code"]) == (503, "commit-unknown")
    assert answer.headers["retry-after"] == "5"


@pytest.mark.parametrize("given", ["", "two words", "x" * 65, "<script>"])
def test_every_answer_has_a_request_id_of_plain_characters(client: TestClient, given: str) -> None:
    found = {client.get(path, headers={"X-Request-ID": given}).headers["x-request-id"] for path in ("/nix", "/docs")}

    assert len(found) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in found)


def test_the_figures_count_requests_and_events_and_name_no_unit(county: County, engine: Engine, clock: Clock) -> None:
    collector = bearer(token_of(engine, clock, "运维", [Grant("administrator")]))
    identifier = county.record()
    county.post(f"{YEAR}/observations", observation(), key="k")
    county.clock.set("2022-01-01T00:00:00+08:00")
    county.post(f"{YEAR}/observations", observation(), key="k")
    county.get(f"{YEAR}/sheets/{UNIT}")
    county.client.get("/nix/1")
    county.client.get("/nix/2")
    figures = county.client.get("/metrics", headers=collector)

    assert figures.headers["content-type"].startswith("text/plain")
    assert 'mingzhang_appended_events_total{ledger="360982"} 4.0' in figures.text
    assert 'mingzhang_ledger_events{ledger="360982"} 4.0' in figures.text
    route = "/api/v1/jurisdictions/{jurisdiction}/years/{year}/observations"
    assert f'mingzhang_http_requests_total{{method="POST",route="{route}",status="201"}} 3.0' in figures.text
    assert 'mingzhang_http_requests_total{method="GET",route="none",status="404"} 2.0' in figures.text
    assert UNIT not in figures.text
    assert identifier not in figures.text
