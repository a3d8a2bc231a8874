"""Erasure by law: two persons agree, and the file is gone, whatever becomes of the store meanwhile."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import Response
from sqlalchemy import Engine
from starlette.testclient import TestClient

from api.custody import Custody
from api.settings import Settings
from ledger.database import migrate, open_engine
from ledger.rejection import Rejection
from tests.api.accounts import office, token_of
from tests.api.county import HERE, YEAR, Clock, County, observation
from tests.ledger.evidence.files import PDF

FILES = f"{HERE}/evidence"
GROUND = {"ground": "《个人信息保护法》第四十七条第一款第三项"}


@pytest.fixture
def custody(application: FastAPI) -> Custody:
    found: Custody = application.state.edge.custody
    return found


@pytest.fixture
def file(county: County, client: TestClient) -> str:
    """A stored file that an entry rests on."""
    found = str(client.post(FILES, content=PDF).json()["file"])
    county.record(evidence=[{"title": "检查照片", "file": found}])
    return found


def propose(client: TestClient, file: str, key: str = "propose") -> Response:
    return client.post(f"{FILES}/{file}/erase", json=GROUND, headers={"Idempotency-Key": key})


def approve(colleague: TestClient, proposal: dict[str, Any]) -> Response:
    path = f"{HERE}/proposals/{proposal['proposal']}/approve"
    key = {"Idempotency-Key": f"approve-{proposal['proposal']}"}
    return colleague.post(path, json={"leaf_hash": proposal["leaf_hash"]}, headers=key)


def refusal(response: Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def objects(folder: Path) -> list[Path]:
    return [path for path in (folder / "evidence").rglob("*") if path.is_file()]


@contextmanager
def store_down(folder: Path) -> Iterator[None]:
    """Put something in the place of the folder that files are kept in, and the folder back at the end."""
    away = (folder / "evidence").rename(folder / "away")
    (folder / "evidence").write_text("no folder")
    yield
    (folder / "evidence").unlink()
    away.rename(folder / "evidence")


def test_a_file_is_gone_once_another_person_agreed(
    county: County, client: TestClient, colleague: TestClient, file: str, clock: Clock, tmp_path: Path
) -> None:
    proposal = propose(client, file).json()
    assert client.get(f"{FILES}/{file}/content").content == PDF
    clock.set("2022-01-04T09:00:00+08:00")
    receipts = approve(colleague, proposal).json()
    assert [one["event"] for one in receipts] == ["proposal.approved/1", "evidence.erased/1"]
    assert objects(tmp_path) == []
    assert refusal(client.get(f"{FILES}/{file}/content")) == (410, "evidence-erased")
    assert datetime.fromisoformat(county.get(f"{FILES}/{file}")["erased_at"]) == clock()


def test_an_erasure_is_done_and_answered_though_the_store_cannot_be_used(
    client: TestClient, colleague: TestClient, custody: Custody, clock: Clock, file: str, tmp_path: Path
) -> None:
    proposal = propose(client, file).json()
    with store_down(tmp_path):
        receipts = approve(colleague, proposal)
        assert (receipts.status_code, len(receipts.json())) == (201, 2)
        assert approve(colleague, proposal).json() == receipts.json()
    assert len(objects(tmp_path)) == 1
    assert refusal(client.get(f"{FILES}/{file}/content")) == (410, "evidence-erased")
    named = observation(evidence=[{"title": "检查照片", "file": file}])
    response = client.post(f"{YEAR}/observations", json=named, headers={"Idempotency-Key": "named"})
    assert refusal(response) == (422, "evidence-erased")
    assert propose(client, file, "again").json()["code"] == "evidence-erased"
    custody.prepare_evidence(["360982"], clock())
    assert objects(tmp_path) == []


def test_an_erasure_by_command_line_takes_two_persons(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    paper = tmp_path / "通报.pdf"
    paper.write_bytes(PDF)
    engine = open_engine(url)
    migrate(engine)
    tokens = [token_of(engine, lambda: datetime.now(UTC), name, office("360982")) for name in ("甲", "乙")]
    engine.dispose()

    def run(token: str, *words: str) -> tuple[int, str, str]:
        stated = {"MINGZHANG_DATABASE_URL": url, "MINGZHANG_TOKEN": token}
        command = [sys.executable, "-c", "from api.command_line import main; main()", *words]
        done = subprocess.run(
            command, cwd=tmp_path, env=os.environ | stated, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout, done.stderr

    one, other = tokens
    where = ("-j", "360982")
    assert run(one, "year", "open", "zhangshu-2021")[0] == 0
    file = json.loads(run(one, "evidence", "put", str(paper), *where, "--json")[1])["file"]
    erase = ("evidence", "erase", file, *where, "--ground", GROUND["ground"])
    assert "[sign-in-needed]" in run("", *erase)[2]
    status, told, said = run(one, *erase, "--json")
    assert status == 0, said
    [proposal] = json.loads(told)
    approve = ("proposal", "approve", *where, proposal["proposal"], "--leaf", proposal["leaf_hash"])
    assert "[approval-own]" in run(one, *approve)[2]
    status, told, said = run(other, *approve, "--json")
    assert [receipt["event"] for receipt in json.loads(told)] == ["proposal.approved/1", "evidence.erased/1"], said
    assert "[evidence-erased]" in run(one, "evidence", "get", file, *where, "--out", str(tmp_path / "copy"))[2]


def test_a_store_that_is_set_and_not_installed_refuses_the_start(
    engine: Engine, settings: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    monkeypatch.delitem(sys.modules, "ledger.evidence.s3", raising=False)
    there = Custody(engine, settings.model_copy(update={"evidence_bucket": "evidence"}), secrets.token_bytes)
    with pytest.raises(Rejection, match=r"pip install.*evidence-store-unavailable"):
        there.prepare_evidence([], clock())


def test_an_erasure_that_waits_is_not_proposed_again(client: TestClient, colleague: TestClient, file: str) -> None:
    proposal = propose(client, file)
    assert refusal(propose(client, file, "again")) == (409, "erasure-proposed")
    assert propose(client, file).json() == proposal.json()
    declined = f"{HERE}/proposals/{proposal.json()['proposal']}/decline"
    colleague.post(declined, json={"reason": "附件不全"}, headers={"Idempotency-Key": "decline"})
    assert approve(colleague, propose(client, file, "again").json()).status_code == 201
