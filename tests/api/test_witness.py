"""The server of a witness: what it answers to whom, and that it is on the disk before it answers."""

from __future__ import annotations

import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from httpx2 import Client
from starlette.testclient import TestClient
from typer.testing import CliRunner

import api.commands.witness  # noqa: F401  # the command registers itself
from api.command_line import app
from api.witness import create_witness
from ledger.checkpoints import open_cosigned
from ledger.signed_notes import SigningKey
from ledger.witness_store import KEY_FILE, WitnessStore
from ledger.witnessing import LARGEST_REQUEST
from tests.ledger.witnessed import KEY, NOON, ORIGIN, WITNESS_KEY, Log

LOG = Log()
SECONDS = 60
MINGZHANG = [sys.executable, "-c", "from api.command_line import main; main()"]
SIZE = "text/x.tlog.size"
PLAIN = "text/plain; charset=utf-8"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The folder of a witness with a key."""
    folder = tmp_path / "witness"
    folder.mkdir()
    (folder / KEY_FILE).write_text(f"{WITNESS_KEY.text()}\n", "utf-8")
    (folder / KEY_FILE).chmod(0o600)
    return folder


@pytest.fixture
def client(state: Path) -> Iterator[TestClient]:
    store = WitnessStore(state)
    served = create_witness(store.witness((KEY.verifier,)), store, lambda: datetime.fromtimestamp(NOON, UTC))
    with TestClient(served, raise_server_exceptions=False) as client:
        yield client


def asked(client: TestClient | Client, body: bytes) -> tuple[int, str, str]:
    response = client.post("/add-checkpoint", content=body)
    return response.status_code, response.headers["content-type"], response.text


def test_a_cosignature_is_one_line_on_the_checkpoint(client: TestClient) -> None:
    status, media_type, line = asked(client, LOG.asks(0, 7).body())
    assert (status, media_type) == (200, PLAIN)
    head, [seen] = open_cosigned(LOG.note(7) + line.encode(), KEY.verifier, [WITNESS_KEY.verifier])
    assert (head, seen.timestamp) == (LOG.head(7), NOON)


def test_each_refusal_has_the_status_that_the_protocol_gives_it(client: TestClient) -> None:
    assert asked(client, LOG.asks(0, 7).body())[0] == 200
    stranger = SigningKey.generate("mingzhang/341821", bytes(32))
    impostor = SigningKey.generate(ORIGIN, bytes(32))
    requests = {
        "malformed": b"old 7\n",
        "old beyond new": LOG.asks(9, 8).body(),
        "signed by nobody known": Log(key=impostor).asks(7, 9).body(),
        "unknown ledger": Log(key=stranger).asks(7, 9).body(),
        "another size": LOG.asks(5, 9).body(),
        "shrunken": LOG.asks(5, 5).body(),
        "fork": Log(seed="b").asks(7, 7).body(),
        "rewritten": Log(seed="b").asks(7, 9).body(),
    }
    answers = {name: asked(client, body) for name, body in requests.items()}
    assert {name: status for name, (status, _, _) in answers.items()} == {
        "malformed": 400,
        "old beyond new": 400,
        "signed by nobody known": 403,
        "unknown ledger": 404,
        "another size": 409,
        "shrunken": 409,
        "fork": 409,
        "rewritten": 422,
    }
    assert answers["another size"] == answers["shrunken"] == (409, SIZE, "7\n")
    # A size would make the client ask again, which cannot help here.
    assert answers["fork"][1] == PLAIN
    assert "witness-fork" in answers["fork"][2]
    assert asked(client, LOG.asks(7, 9).body())[0] == 200


@pytest.mark.parametrize("size", [LARGEST_REQUEST + 1, 20 * LARGEST_REQUEST])
def test_a_request_that_is_too_large_is_not_read_to_its_end(client: TestClient, size: int) -> None:
    assert asked(client, b"x" * size)[0] == 413


def test_there_is_nothing_else(client: TestClient) -> None:
    paths = {path: client.get(path).status_code for path in ("/", "/checkpoint", "/add-checkpoint", "/docs")}
    assert paths == {"/": 404, "/checkpoint": 404, "/add-checkpoint": 405, "/docs": 404}
    assert client.put("/add-checkpoint", content=LOG.asks(0, 7).body()).status_code == 405


@pytest.mark.parametrize("method", ["damage", "no room"])
def test_what_cannot_be_kept_is_not_cosigned_and_tells_nothing_of_the_machine(
    client: TestClient, state: Path, method: str
) -> None:
    kept = state / f"{sha256(ORIGIN.encode()).hexdigest()}.checkpoint"
    if method == "damage":
        kept.write_bytes(b"damaged")
    else:
        kept.with_name(f"{kept.name}.new").mkdir()
    status, _, said = asked(client, LOG.asks(0, 7).body())
    assert status == 500
    assert str(state) not in said
    assert "—" not in said


# --- a real process --------------------------------------------------------------------------------------------------


@contextmanager
def serving(state: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A witness process and its address; killed at the end if it has not ended."""
    words = ["witness", "serve", "--state", str(state), "--log", KEY.verifier.text(), "--listen", "127.0.0.1:0", *more]
    with (state.parent / "log").open("a") as log:
        process = subprocess.Popen([*MINGZHANG, *words], stdout=subprocess.PIPE, stderr=log, text=True)
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline().rstrip("\n")
    finally:
        process.kill()
        process.communicate(timeout=SECONDS)


def test_a_witness_that_was_killed_knows_what_it_cosigned(state: Path) -> None:
    with serving(state) as (process, address), Client(base_url=address) as client:
        assert asked(client, LOG.asks(0, 7).body())[0] == 200
        process.kill()
    with serving(state) as (process, address), Client(base_url=address) as client:
        assert asked(client, LOG.asks(0, 9).body()) == (409, SIZE, "7\n")
        assert asked(client, Log(seed="b").asks(7, 7).body())[0] == 409
        assert asked(client, LOG.asks(7, 9).body())[0] == 200
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=SECONDS)
    assert (process.returncode, rest) == (0, "")
    log = (state.parent / "log").read_text("utf-8")
    assert f"cosigned {ORIGIN} of size 9" in log
    assert "witness-fork" in log
    assert "Traceback" not in log
    assert WITNESS_KEY.text().rpartition("+")[2] not in log


def test_a_body_that_is_sent_in_pieces_is_bounded_too(state: Path) -> None:
    with serving(state) as (_, address), Client(base_url=address) as client:
        pieces = client.post("/add-checkpoint", content=iter([b"x" * 50_000] * 3))
        assert pieces.status_code == 413
        assert asked(client, LOG.asks(0, 7).body())[0] == 200


def test_with_a_certificate_the_witness_speaks_tls(state: Path) -> None:
    certificate, key = self_signed(state.parent)
    with serving(state, "--tls-certificate", str(certificate), "--tls-key", str(key)) as (_, address):
        trusting = ssl.create_default_context(cafile=str(certificate))
        with Client(base_url=address, verify=trusting) as client:
            assert address.startswith("https://127.0.0.1:")
            assert asked(client, LOG.asks(0, 7).body())[0] == 200


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 and its key, as files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "witness.example.com")])
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
        .sign(key, hashes.SHA256())
    )
    written = folder / "certificate.pem", folder / "certificate.key"
    written[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    written[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return written


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--listen", "0.0.0.0:0"], "tls-needed"),
        (["--listen", "[::]:0"], "tls-needed"),
        (["--listen", "192.168.0.1:0"], "tls-needed"),
        (["--listen", "witness.example.com:0"], "tls-needed"),
        (["--listen", "127.0.0.1"], "listen-form"),
        (["--listen", "127.0.0.1:65536"], "listen-form"),
        (["--tls-certificate", "certificate.pem"], "certificate-incomplete"),
        (["--tls-certificate", "nowhere.pem", "--tls-key", "nowhere.key"], "certificate-not-usable"),
        (["--log", "mingzhang/360982"], "verifier-key-form"),
        (["--log", WITNESS_KEY.verifier.text()], "witness-logs"),
        (["--state", "elsewhere"], "witness-key-missing"),
    ],
)
def test_what_makes_no_witness_is_refused_at_its_start(
    state: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], code: str
) -> None:
    monkeypatch.chdir(state.parent)
    stated = ["witness", "serve", "--state", str(state), "--log", KEY.verifier.text(), *words]
    refused = CliRunner().invoke(app, stated)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert f"[{code}]" in refused.stderr


def test_a_port_that_is_taken_is_refused(state: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        words = ["witness", "serve", "--state", str(state), "--log", KEY.verifier.text(), "--listen", listen]
        refused = CliRunner().invoke(app, words)
    assert (refused.exit_code, "[port-not-free]" in refused.stderr) == (2, True)


def test_the_key_of_a_witness_by_command_line(tmp_path: Path) -> None:
    words = ["witness", "key", "--state", str(tmp_path / "w")]
    assert CliRunner().invoke(app, words).exit_code == 2
    made = CliRunner().invoke(app, [*words, "--name", "witness.example.com/w1"])
    assert made.stdout.startswith("witness.example.com/w1+")
    assert CliRunner().invoke(app, words).stdout == made.stdout
    assert (tmp_path / "w" / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert "PRIVATE" not in made.output
