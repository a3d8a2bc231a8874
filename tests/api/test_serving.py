"""The command that serves: one line on standard output, loopback only, an orderly end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from httpx2 import Client

from ledger.database import open_engine
from ledger.recorder import LedgerRecorder
from tests.api.county import HERE, YEAR, observation

COMMAND = str(Path(sys.executable).with_name("mingzhang"))
SECONDS = 60


@dataclass
class Server:
    process: subprocess.Popen[str]
    address: str
    folder: Path

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.folder / 'data' / 'ledger.db'}"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    environment = os.environ | {"MINGZHANG_DATABASE_URL": f"sqlite:///{tmp_path / 'data' / 'ledger.db'}"}
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [COMMAND, "serve", "--port", "0"], env=environment, stdout=subprocess.PIPE, stderr=log, text=True
        )
    assert process.stdout is not None
    try:
        yield Server(process, process.stdout.readline().rstrip("\n"), tmp_path)
    finally:
        process.kill()
        process.communicate(timeout=SECONDS)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_real_server_serves_and_ends_in_order(server: Server, ending: signal.Signals) -> None:
    with Client(base_url=server.address) as client:
        opened = client.post(f"{HERE}/years", json={"scheme": "zhangshu-2021"}, headers={"Idempotency-Key": "open"})
        recorded = client.post(f"{YEAR}/observations", json=observation(), headers={"Idempotency-Key": "one"})
        header = {"Idempotency-Key": "two", "Content-Type": "application/json"}
        large = client.post(f"{YEAR}/observations", content=b'"' + b"x" * 10_000_000 + b'"', headers=header)
        chunks = client.post(f"{YEAR}/observations", content=iter([b'"' + b"x" * 5_000_000] * 2), headers=header)
        elsewhere = client.get(HERE, headers={"Host": "attacker.example"})
        page = client.get("/docs")
    server.process.send_signal(ending)
    rest, _ = server.process.communicate(timeout=SECONDS)

    assert (opened.status_code, recorded.status_code, page.status_code) == (201, 201, 200)
    assert [(one.status_code, one.json()["code"]) for one in (large, chunks)] == [(413, "body-too-large")] * 2
    assert elsewhere.status_code == 400
    assert elsewhere.headers["x-request-id"]
    assert (server.process.returncode, rest) == (0, "")
    log = (server.folder / "log").read_text("utf-8")
    assert "no access control yet" in log
    assert "Traceback" not in log
    engine = open_engine(server.database_url)
    assert LedgerRecorder(engine, "360982").head().size == 3
    engine.dispose()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.0.1", "example.com", "::"])  # noqa: S104  # refused is what they are
def test_a_host_that_is_not_loopback_is_refused(tmp_path: Path, host: str) -> None:
    environment = os.environ | {"MINGZHANG_DATABASE_URL": f"sqlite:///{tmp_path / 'ledger.db'}"}
    refused = subprocess.run(
        [COMMAND, "serve", "--host", host, "--port", "0"], env=environment, capture_output=True, text=True, check=False
    )

    assert refused.returncode == 2
    assert "host-not-loopback" in refused.stderr
    assert refused.stdout == ""
    assert not (tmp_path / "ledger.db").exists()


def test_a_port_that_is_taken_is_refused(server: Server) -> None:
    refused = subprocess.run(
        [COMMAND, "serve", "--port", server.address.rpartition(":")[2]], capture_output=True, text=True, check=False
    )

    assert refused.returncode == 2
    assert "port-not-free" in refused.stderr
