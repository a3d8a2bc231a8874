"""A real server process: how it starts, refuses to start, and ends."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from httpx2 import Client

from ledger.database import migrate, open_engine
from ledger.recorder import LedgerRecorder
from tests.api.accounts import bearer, office, token_of
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
    with started(tmp_path) as server:
        yield server


@contextmanager
def started(folder: Path, **settings: str) -> Iterator[Server]:
    """A server on the folder's database; its address is empty where it did not start."""
    stated = {"MINGZHANG_DATABASE_URL": f"sqlite:///{folder / 'data' / 'ledger.db'}", **settings}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [COMMAND, "serve", "--port", "0"],
            cwd=folder,
            env=os.environ | stated,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout is not None
    try:
        yield Server(process, process.stdout.readline().rstrip("\n"), folder)
    finally:
        process.kill()
        process.communicate(timeout=SECONDS)


def office_token(server: Server) -> dict[str, str]:
    engine = open_engine(server.database_url)
    token = token_of(engine, lambda: datetime.now(UTC), "考核办", office("360982"))
    engine.dispose()
    return bearer(token)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_real_server_serves_and_ends_in_order(server: Server, ending: signal.Signals) -> None:
    with Client(base_url=server.address, headers=office_token(server)) as client:
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
    assert (elsewhere.status_code, elsewhere.headers["content-type"]) == (400, "application/problem+json")
    assert elsewhere.headers["x-request-id"]
    assert elsewhere.json()["code"] == "host-unknown"
    assert "MINGZHANG_PUBLIC_URL" in elsewhere.json()["detail"]
    assert (server.process.returncode, rest) == (0, "")
    log = (server.folder / "log").read_text("utf-8")
    assert "one-time password" in log
    assert "Traceback" not in log
    engine = open_engine(server.database_url)
    assert LedgerRecorder(engine, "360982").head().size == 3
    engine.dispose()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.0.1", "example.com", "::"])  # noqa: S104  # refused is what they are
def test_a_host_that_is_not_loopback_needs_tls(tmp_path: Path, host: str) -> None:
    environment = os.environ | {"MINGZHANG_DATABASE_URL": f"sqlite:///{tmp_path / 'ledger.db'}"}
    refused = subprocess.run(
        [COMMAND, "serve", "--host", host, "--port", "0"], env=environment, capture_output=True, text=True, check=False
    )

    assert refused.returncode == 2
    assert "tls-needed" in refused.stderr
    assert refused.stdout == ""
    assert not (tmp_path / "ledger.db").exists()


def test_a_port_that_is_taken_is_refused(server: Server) -> None:
    refused = subprocess.run(
        [COMMAND, "serve", "--port", server.address.rpartition(":")[2]], capture_output=True, text=True, check=False
    )

    assert refused.returncode == 2
    assert "port-not-free" in refused.stderr


def test_the_first_start_makes_an_administrator_who_has_to_choose_a_password(server: Server) -> None:
    log = (server.folder / "log").read_text("utf-8")
    found = re.search(r"account '(\w+)', one-time password '([^']+)'", log)
    assert found is not None
    with Client(base_url=server.address) as client:
        signed_in = client.post("/api/v1/session", json={"name": found[1], "password": found[2]})
        cookie = {"Cookie": signed_in.headers["set-cookie"].partition(";")[0]}
        before = [client.get(f"/api/v1/{path}", headers=cookie) for path in ("accounts", "jurisdictions", "tokens")]
        who = client.get("/api/v1/session", headers=cookie)
        body = {"old": found[2], "new": "第一个管理员的口令-2026"}
        changed = client.post("/api/v1/session/password", json=body, headers=cookie)
        cookie = {"Cookie": changed.headers["set-cookie"].partition(";")[0]}
        after = client.get("/api/v1/accounts", headers=cookie)

    assert (signed_in.status_code, signed_in.json()["must_change"]) == (200, True)
    assert [(one.status_code, one.json()["code"]) for one in before] == [(403, "password-must-change")] * 3
    assert "/api/v1/session/password" in before[0].json()["detail"]
    assert (who.status_code, changed.status_code, after.status_code) == (200, 200, 200)
    flags = {one.strip() for one in changed.headers["set-cookie"].split(";")[1:]}
    assert {"HttpOnly", "Secure", "SameSite=strict", "Path=/"} <= flags
    with started(server.folder) as again:
        assert again.address
    assert "one-time password" not in (server.folder / "log").read_text("utf-8")


def test_an_older_copy_is_not_served_where_a_newer_checkpoint_was_signed(tmp_path: Path) -> None:
    with started(tmp_path) as server, Client(base_url=server.address, headers=office_token(server)) as client:
        client.post(f"{HERE}/years", json={"scheme": "zhangshu-2021"}, headers={"Idempotency-Key": "open"})
        with sqlite3.connect(tmp_path / "data" / "ledger.db") as now, sqlite3.connect(tmp_path / "older.db") as older:
            now.backup(older)
        client.post(f"{YEAR}/observations", json=observation(), headers={"Idempotency-Key": "one"})
        signed = client.get(f"{HERE}/checkpoint")
        assert signed.text.splitlines()[1] == "3"
    for file in (tmp_path / "data").glob("ledger.db*"):
        file.unlink()
    (tmp_path / "older.db").rename(tmp_path / "data" / "ledger.db")

    with started(tmp_path) as server:
        assert (server.address, server.process.wait(SECONDS)) == ("", 2)
    assert "checkpoint-not-consistent" in (tmp_path / "log").read_text("utf-8")


def test_a_ledger_has_its_key_from_the_start_on_and_a_new_one_is_told_loudly(tmp_path: Path) -> None:
    with started(tmp_path) as server, Client(base_url=server.address, headers=office_token(server)) as client:
        client.post(f"{HERE}/years", json={"scheme": "zhangshu-2021"}, headers={"Idempotency-Key": "open"})
    key_file = tmp_path / "data" / "keys" / "360982.signing-key"
    told = []
    for lost in (True, False, True):
        if lost:
            key_file.unlink(missing_ok=True)
        with started(tmp_path) as server:
            assert server.address
            assert key_file.exists()
        log = (tmp_path / "log").read_text("utf-8")
        found = re.search(r"ledger 360982: public key (mingzhang/360982\+\S+)", log)
        assert found is not None
        told.append((found[1], "WARNING: ledger 360982" in log))
    assert [warned for _, warned in told] == [True, False, True]
    assert told[0][0] == told[1][0] != told[2][0]


def test_evidence_whose_key_is_lost_ends_the_start(tmp_path: Path) -> None:
    with started(tmp_path) as server, Client(base_url=server.address, headers=office_token(server)) as client:
        client.post(f"{HERE}/years", json={"scheme": "zhangshu-2021"}, headers={"Idempotency-Key": "open"})
        header = {"Content-Type": "application/octet-stream"}
        assert client.post(f"{HERE}/evidence", content=b"%PDF-1.7\n", headers=header).status_code == 201
    (tmp_path / "data" / "keys" / "evidence.key").unlink()
    with started(tmp_path) as server:
        assert (server.address, server.process.wait(SECONDS)) == ("", 2)
    assert "[evidence-key-wrong]" in (tmp_path / "log").read_text("utf-8")


def test_a_bucket_without_the_library_for_it_ends_the_start(tmp_path: Path) -> None:
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "boto3.py").write_text('raise ModuleNotFoundError(name="boto3")\n', "utf-8")
    stated = {"MINGZHANG_EVIDENCE_BUCKET": "evidence", "PYTHONPATH": str(tmp_path / "without")}
    with started(tmp_path, **stated) as server:
        assert (server.address, server.process.wait(SECONDS)) == ("", 2)
    log = (tmp_path / "log").read_text("utf-8")
    assert "[evidence-store-unavailable]" in log
    assert "one-time password" not in log


def test_a_database_of_a_newer_version_is_one_refusal(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/newer.db")
    migrate(engine)
    engine.dispose()
    with sqlite3.connect(tmp_path / "newer.db") as newer:
        newer.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
    environment = os.environ | {"MINGZHANG_DATABASE_URL": f"sqlite:///{tmp_path}/newer.db"}
    for words in (["serve", "--port", "0"], ["fsck", "-j", "360982"]):
        refused = subprocess.run(
            [COMMAND, *words], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert (refused.returncode, refused.stdout) == (2, "")
        assert "[database-newer]" in refused.stderr.splitlines()[-1]
        assert "Traceback" not in refused.stderr


def test_the_database_is_for_its_user_alone(server: Server) -> None:
    modes = {one.name: one.stat().st_mode & 0o777 for one in (server.folder / "data").glob("ledger.db*")}
    assert modes == {"ledger.db": 0o600, "ledger.db-wal": 0o600, "ledger.db-shm": 0o600}
    assert (server.folder / "data").stat().st_mode & 0o777 == 0o700


def test_with_a_certificate_the_server_speaks_tls(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    stated = {"MINGZHANG_TLS_CERTIFICATE": str(certificate), "MINGZHANG_TLS_KEY": str(key)}
    with started(tmp_path, **stated) as server:
        assert server.address.startswith("https://127.0.0.1:")
        with Client(base_url=server.address, verify=ssl.create_default_context(cafile=certificate)) as client:
            assert client.get("/health/live").json() == {"status": "ok"}


@pytest.mark.parametrize(
    ("stated", "code", "named"),
    [
        ({"KEY": "server.key"}, "certificate-incomplete", "MINGZHANG_TLS_CERTIFICATE"),
        ({"CERTIFICATE": "server.crt"}, "certificate-incomplete", "MINGZHANG_TLS_KEY"),
        ({"CERTIFICATE": "nowhere.crt", "KEY": "server.key"}, "certificate-not-usable", "MINGZHANG_TLS_CERTIFICATE"),
        ({"CERTIFICATE": "server.crt", "KEY": "nowhere.key"}, "certificate-not-usable", "MINGZHANG_TLS_KEY"),
        ({"CERTIFICATE": "server.crt", "KEY": "other/server.key"}, "certificate-not-usable", "MINGZHANG_TLS_KEY"),
        ({"CERTIFICATE": "server.key", "KEY": "server.crt"}, "certificate-not-usable", "MINGZHANG_TLS_KEY"),
    ],
)
def test_a_certificate_that_cannot_be_used_is_refused_before_anything_is_made(
    tmp_path: Path, stated: dict[str, str], code: str, named: str
) -> None:
    (tmp_path / "other").mkdir()
    self_signed(tmp_path / "other")
    self_signed(tmp_path)
    with started(tmp_path, **{f"MINGZHANG_TLS_{name}": file for name, file in stated.items()}) as server:
        assert (server.address, server.process.wait(SECONDS)) == ("", 2)
    [line] = (tmp_path / "log").read_text("utf-8").splitlines()
    assert f"[{code}]" in line
    assert named in line
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])  # noqa: S104  # every address is what they are
def test_a_server_on_every_address_needs_the_name_that_people_reach_it_by(tmp_path: Path, host: str) -> None:
    certificate, key = self_signed(tmp_path)
    stated = {"MINGZHANG_HOST": host, "MINGZHANG_TLS_CERTIFICATE": str(certificate), "MINGZHANG_TLS_KEY": str(key)}
    with started(tmp_path, **stated) as server:
        assert (server.address, server.process.wait(SECONDS)) == ("", 2)
    log = (tmp_path / "log").read_text("utf-8")
    assert "[public-url-needed]" in log
    assert "MINGZHANG_PUBLIC_URL" in log
    assert not (tmp_path / "data").exists()


def self_signed(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mingzhang")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "server.crt", folder / "server.key"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    files[1].write_bytes(private)
    return files
