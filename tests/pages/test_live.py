"""Live updates: what a stream tells, to whom, and when it ends; spoken to as a server speaks to the application."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Coroutine, MutableMapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine

from api.access.access import Access
from api.access.principals import Grant
from api.pages import live
from api.settings import Settings
from tests.api.accounts import bearer, token_of
from tests.api.county import OTHER, UNIT, YEAR, County

PAGE = YEAR.removeprefix("/api/v1")
LIVE = f"{PAGE}/live"
SECONDS = 20
"""Longer than any answer takes; nothing waits for it but a failing test."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(key_folder=tmp_path / "keys", evidence_folder=tmp_path / "evidence", live_seconds=SECONDS * 10)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "SECONDS_BETWEEN_LOOKS", 0.02)


class Stream:
    """A stream of one account: its messages one by one, and whether it has ended."""

    def __init__(self) -> None:
        self.sent: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self.status = 0

    async def next(self) -> str:
        """Return the next event's text; empty where the stream has ended."""
        while True:
            message = await asyncio.wait_for(self.sent.get(), SECONDS)
            if message["type"] == "http.response.start":
                self.status = message["status"]
            elif message["body"] and not message["body"].startswith(b":"):
                return str(message["body"].decode())
            elif not message.get("more_body"):
                return ""


@asynccontextmanager
async def streaming(app: FastAPI, token: str, **state: object) -> AsyncIterator[Stream]:
    stream, gone = Stream(), asyncio.Event()
    requested = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> dict[str, Any]:
        for message in requested:
            return message
        await gone.wait()
        return {"type": "http.disconnect"}

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "https",
        "path": LIVE,
        "raw_path": LIVE.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"testserver"), (b"authorization", f"Bearer {token}".encode())],
        "server": ("testserver", 443),
        "client": ("testclient", 50000),
        "state": state,
    }
    serving = asyncio.create_task(app(scope, receive, stream.sent.put))
    yield stream
    gone.set()
    await asyncio.wait_for(serving, SECONDS)


@pytest.fixture
def token(county: County, engine: Engine) -> str:
    return token_of(engine, county.clock, "登记员", [Grant("recorder", "360982")])


@pytest.fixture
def unit_token(county: County, engine: Engine) -> str:
    return token_of(engine, county.clock, "福城街道联络员", [Grant("unit", "360982", UNIT)])


def data(event: str) -> str:
    found = re.search(r"^data: (.*)$", event, re.MULTILINE)
    assert found, event
    return found[1]


async def recorded(county: County, **changes: Any) -> None:
    """Record while the streams go on: what blocks is done beside them."""
    await asyncio.to_thread(county.record, **changes)


def run(steps: Coroutine[Any, Any, None]) -> None:
    asyncio.run(steps)


def test_the_office_is_told_each_new_length_of_the_ledger(county: County, application: FastAPI, token: str) -> None:
    async def steps() -> None:
        async with streaming(application, token) as stream:
            first = await stream.next()
            assert stream.status == 200
            assert "retry: 3000" in first
            assert data(first) == str(county.size())
            await recorded(county)
            assert data(await stream.next()) == str(county.size())

    run(steps())


def test_a_unit_is_told_of_its_own_matters_and_learns_nothing_of_others(
    county: County, application: FastAPI, token: str, unit_token: str
) -> None:
    async def steps() -> None:
        async with streaming(application, token) as office, streaming(application, unit_token) as unit:
            first = data(await unit.next())
            await office.next()
            await recorded(county, unit=OTHER)
            await office.next()
            await recorded(county)
            await office.next()
            second = data(await unit.next())
            await recorded(county, unit=OTHER)
            await office.next()
            await recorded(county)
            third = data(await unit.next())
            assert len({first, second, third}) == 3
            assert not {first, second, third} & {str(size) for size in range(county.size() + 1)}

    run(steps())


def test_a_stream_ends_with_the_account_and_says_so(application: FastAPI, token: str) -> None:
    access: Access = application.state.edge.access

    async def steps() -> None:
        async with streaming(application, token) as stream:
            await stream.next()
            [kept] = await asyncio.to_thread(access.tokens, "登记员")
            await asyncio.to_thread(access.revoke_token, None, kept.prefix)
            assert await stream.next() == "event: ended\ndata: ended\n\n"
            assert await stream.next() == ""

    run(steps())


def test_a_stream_ends_at_once_when_the_server_does(application: FastAPI, token: str) -> None:
    async def steps() -> None:
        ending = asyncio.Event()
        async with streaming(application, token, **{live.ENDING: ending}) as stream:
            await stream.next()
            ending.set()
            assert await stream.next() == ""

    run(steps())


def test_a_stream_ends_by_itself_when_its_time_is_over(county: County, application: FastAPI, token: str) -> None:
    application.state.settings = application.state.settings.model_copy(update={"live_seconds": 0})

    async def steps() -> None:
        async with streaming(application, token) as stream:
            assert data(await stream.next()) == str(county.size())
            assert await stream.next() == ""

    run(steps())


def test_a_stream_is_counted_and_has_no_part_in_how_long_answers_take(
    county: County, application: FastAPI, token: str, engine: Engine
) -> None:
    application.state.settings = application.state.settings.model_copy(update={"live_seconds": 0})

    async def steps() -> None:
        async with streaming(application, token) as stream:
            await stream.next()

    run(steps())
    county.get("/health/live")
    collector = bearer(token_of(engine, county.clock, "运维", [Grant("administrator")]))
    figures = county.client.get("/metrics", headers=collector).text
    assert f'mingzhang_http_requests_total{{method="GET",route="{live.LIVE}",status="200"}} 1.0' in figures
    assert f'mingzhang_http_request_seconds_count{{method="GET",route="{live.LIVE}"}}' not in figures
    assert 'mingzhang_http_request_seconds_count{method="GET",route="/health/live"} 1.0' in figures


def test_a_year_that_is_not_open_has_no_stream(county: County) -> None:
    response = county.client.get(LIVE.replace("2021", "2022"))
    assert (response.status_code, "text/event-stream" in response.headers["content-type"]) == (404, False)
