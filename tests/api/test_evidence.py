"""Evidence over HTTP and by command line: stored, told of, saved, refused."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import Response
from sqlalchemy import Engine
from starlette.testclient import TestClient

from api.access.principals import Grant
from api.routes import evidence
from api.settings import Settings
from tests.api.accounts import bearer, token_of
from tests.api.county import HERE, OTHER, UNIT, Clock, County
from tests.ledger.evidence.files import PDF, archive, declared, image, jpeg_of_size, png_header

FILES = f"{HERE}/evidence"
UNKNOWN = "ab" * 32
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
LIMIT = 4096


def store(client: TestClient, content: bytes, media_type: str = "application/octet-stream") -> Response:
    return client.post(FILES, content=content, headers={"Content-Type": media_type})


def stored(client: TestClient, content: bytes) -> str:
    response = store(client, content)
    assert response.status_code == 201, response.text
    return str(response.json()["file"])


def refusal(response: Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


@pytest.fixture
def speaker(application: FastAPI, engine: Engine, clock: Clock) -> Iterator[TestClient]:
    """The account of one unit."""
    token = token_of(engine, clock, "福城街道联络员", [Grant("unit", "360982", UNIT)])
    with TestClient(application, headers=bearer(token), follow_redirects=False) as client:
        yield client


@pytest.fixture
def small(application: FastAPI) -> None:
    """Files of at most `LIMIT` bytes."""
    settings: Settings = application.state.settings
    application.state.settings = settings.model_copy(update={"largest_evidence": LIMIT})


def test_a_file_is_stored_told_of_and_given_back(county: County, client: TestClient, clock: Clock) -> None:
    content = image("PNG")
    answer = store(client, content, "text/html").json()
    assert (answer["size"], answer["media_type"]) == (len(content), "image/png")
    assert answer["sha256"] == sha256(content).hexdigest() != answer["file"]
    known = county.get(f"{FILES}/{answer['file']}")
    assert (known["file"], known["size"], known["erased_at"]) == (answer["file"], len(content), None)
    assert (known["stored_by"], datetime.fromisoformat(known["stored_at"])) == ("考核办", clock())
    given = client.get(f"{FILES}/{answer['file']}/content")
    assert (given.status_code, given.content) == (200, content)
    assert int(given.headers["content-length"]) == len(content)


def test_an_observation_rests_on_a_stored_file(county: County, client: TestClient) -> None:
    file = stored(client, PDF)
    observation = county.record(evidence=[{"title": "检查照片", "file": file}])
    answer = county.get(f"{HERE}/observations/{observation}")
    assert [one["file"] for one in answer["entries"][0]["evidence"]] == [file]


@pytest.mark.parametrize(
    ("content", "asked", "shown", "extension"),
    [
        (image("PNG"), "", "attachment", "png"),
        (image("PNG"), "?inline=true", "inline", "png"),
        (PDF, "?inline=true", "inline", "pdf"),
        (SVG, "?inline=true", "attachment", "txt"),
        (b"<!doctype html><script>alert(1)</script>", "?inline=true", "attachment", "txt"),
        (b"\x00" + PDF, "?inline=true", "attachment", "bin"),
        (archive("word/document.xml"), "?inline=true", "attachment", "docx"),
    ],
)
@pytest.mark.usefixtures("county")
def test_what_is_read_is_saved_and_only_images_and_pdf_are_shown(
    client: TestClient, content: bytes, asked: str, shown: str, extension: str
) -> None:
    file = stored(client, content)
    headers = client.get(f"{FILES}/{file}/content{asked}").headers
    assert headers["content-disposition"] == f'{shown}; filename="evidence-{file[:12]}.{extension}"'
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"] == "private, no-store"
    assert not {"html", "xml", "javascript"} & set(headers["content-type"].replace("+", "/").split("/"))


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 422, "evidence-empty"),
        (png_header(60_000, 60_000), 422, "evidence-image-too-large"),
        (jpeg_of_size(60_000, 60_000), 422, "evidence-image-too-large"),
        (declared(archive("bomb"), 2**31), 422, "evidence-archive-too-large"),
    ],
)
@pytest.mark.usefixtures("county")
def test_what_cannot_be_kept_is_refused(client: TestClient, content: bytes, status: int, code: str) -> None:
    assert refusal(store(client, content)) == (status, code)


@pytest.mark.usefixtures("county", "small")
def test_a_file_of_the_limit_is_taken_and_one_byte_more_is_not(client: TestClient, tmp_path: Path) -> None:
    assert store(client, b"a" * LIMIT).status_code == 201
    assert refusal(store(client, b"a" * (LIMIT + 1))) == (413, "evidence-too-large")
    in_parts = client.post(FILES, content=iter([b"a" * LIMIT, b"a"]))
    assert refusal(in_parts) == (413, "evidence-too-large")
    assert client.post(FILES, content=iter([b"a" * (LIMIT - 1), b"a"])).status_code == 201
    assert len([path for path in (tmp_path / "evidence").rglob("*") if path.is_file()]) == 2


@pytest.mark.usefixtures("county")
def test_what_nobody_stored_is_not_there(client: TestClient) -> None:
    for path in (f"{FILES}/{UNKNOWN}", f"{FILES}/{UNKNOWN}/content"):
        assert refusal(client.get(path)) == (404, "unknown-evidence")
    for name in ("..%2f..%2fkeys", "AB" * 32, "ab" * 31, f"{UNKNOWN}0", "%00" * 32):
        assert client.get(f"{FILES}/{name}").status_code in {404, 422}


def test_a_jurisdiction_without_a_ledger_keeps_no_files(client: TestClient) -> None:
    assert refusal(store(client, PDF)) == (404, "unknown-jurisdiction")
    assert refusal(client.get(f"{FILES}/{UNKNOWN}")) == (404, "unknown-jurisdiction")


@pytest.mark.usefixtures("county")
def test_nothing_is_given_of_a_damaged_file(client: TestClient, tmp_path: Path) -> None:
    file = stored(client, image("PNG"))
    [path] = [path for path in (tmp_path / "evidence").rglob("*") if path.is_file()]
    path.write_bytes(path.read_bytes()[:-1] + b"\x00")
    response = client.get(f"{FILES}/{file}/content")
    assert refusal(response) == (500, "evidence-damaged")
    assert image("PNG")[:8] not in response.content


@pytest.mark.usefixtures("county")
def test_a_store_that_cannot_be_used_is_said_so(client: TestClient, tmp_path: Path) -> None:
    (tmp_path / "evidence").write_text("no folder")
    assert refusal(store(client, PDF)) == (503, "evidence-store-unavailable")


def test_a_unit_sees_its_own_files_and_those_of_its_own_observations(
    county: County, client: TestClient, speaker: TestClient
) -> None:
    own = stored(speaker, b"from the unit")
    about, other, unused = (stored(client, text) for text in (b"about the unit", b"about another", b"unused"))
    county.record(evidence=[{"title": "照片", "file": about}])
    county.record(unit=OTHER, evidence=[{"title": "照片", "file": other}])
    for path in ("", "/content"):
        seen = {file: speaker.get(f"{FILES}/{file}{path}").status_code for file in (own, about, other, unused, UNKNOWN)}
        assert seen == {own: 200, about: 200, other: 404, unused: 404, UNKNOWN: 404}
    hidden, absent = (speaker.get(f"{FILES}/{file}").json() for file in (other, UNKNOWN))
    assert json.loads(json.dumps(hidden).replace(other, UNKNOWN)) == absent


def test_storing_a_file_is_no_entry(county: County, client: TestClient) -> None:
    size = county.size()
    assert stored(client, PDF) != stored(client, PDF)
    assert county.size() == size


@pytest.mark.usefixtures("county")
def test_nobody_reads_files_without_signing_in(client: TestClient, visitor: TestClient) -> None:
    file = stored(client, PDF)
    for path in (f"{FILES}/{file}", f"{FILES}/{file}/content"):
        assert visitor.get(path).status_code == 401
    assert store(visitor, PDF).status_code == 401


async def _posted(application: FastAPI, headers: dict[str, str], messages: AsyncIterator[dict[str, Any]]) -> list[Any]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return await anext(messages)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "https",
        "path": FILES,
        "raw_path": FILES.encode(),
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "server": ("testserver", 443),
        "client": ("127.0.0.1", 1),
    }
    await application(scope, receive, send)
    return sent


@pytest.mark.usefixtures("county", "small")
def test_a_file_that_says_it_is_too_large_is_refused_before_it_is_read(
    application: FastAPI, client: TestClient
) -> None:
    async def messages() -> AsyncIterator[dict[str, Any]]:
        raise AssertionError("nobody reads it")
        yield {}

    headers = {"Authorization": client.headers["authorization"], "Content-Length": str(LIMIT + 1)}
    sent = asyncio.run(_posted(application, headers, messages()))
    assert (sent[0]["status"], json.loads(sent[1]["body"])["code"]) == (413, "evidence-too-large")


@pytest.mark.parametrize("ending", ["gone", "silent"])
@pytest.mark.usefixtures("county")
def test_a_sender_that_stops_leaves_nothing_behind(
    application: FastAPI, client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:

    monkeypatch.setattr(evidence, "SILENCE", 0.2)

    async def messages() -> AsyncIterator[dict[str, Any]]:
        yield {"type": "http.request", "body": b"a" * 100_000, "more_body": True}
        if ending == "gone":
            yield {"type": "http.disconnect"}
        await asyncio.sleep(60)

    sent = asyncio.run(_posted(application, {"Authorization": client.headers["authorization"]}, messages()))
    assert sent[0]["status"] == {"gone": 400, "silent": 408}[ending]
    assert json.loads(sent[1]["body"])["code"] == "evidence-incomplete"
    assert [path for path in (tmp_path / "evidence").rglob("*") if path.is_file()] == []


def run(folder: Path, *words: str) -> tuple[int, str, str]:
    command = [sys.executable, "-c", "from api.command_line import main; main()", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_files_by_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINGZHANG_DATABASE_URL", f"sqlite:///{tmp_path}/ledger.db")
    paper, copy = tmp_path / "通报.pdf", tmp_path / "copy.pdf"
    paper.write_bytes(PDF)
    where = ("-j", "360982")
    assert "[unknown-jurisdiction]" in run(tmp_path, "evidence", "put", str(paper), *where)[2]
    assert run(tmp_path, "year", "open", "zhangshu-2021")[0] == 0
    status, told, said = run(tmp_path, "evidence", "put", str(paper), *where, "--json")
    assert status == 0, said
    answer = json.loads(told)
    assert (answer["media_type"], answer["sha256"]) == ("application/pdf", sha256(PDF).hexdigest())
    file = answer["file"]
    known = json.loads(run(tmp_path, "evidence", "show", file, *where, "--json")[1])
    assert (known["size"], known["stored_by"], known["erased_at"]) == (len(PDF), "office", None)
    assert run(tmp_path, "evidence", "get", file, *where, "--out", str(copy))[0] == 0
    assert copy.read_bytes() == PDF
    for words, code in (
        (("get", file, "--out", str(copy)), "not-accessible"),
        (("get", UNKNOWN, "--out", str(tmp_path / "none")), "unknown-evidence"),
        (("show", "../keys"), "commitment-form"),
        (("put", str(tmp_path / "none")), "file-not-readable"),
    ):
        status, _, said = run(tmp_path, "evidence", *words, *where)
        assert (status, f"[{code}]" in said) == (2, True), said
    assert not (tmp_path / "none").exists()
    assert copy.read_bytes() == PDF
