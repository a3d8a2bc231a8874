"""The signed head by command line: the page for the minutes, and both ways to a witness's cosignature."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from unicodedata import east_asian_width

import pytest
import segno
from typer.testing import CliRunner

import api.commands.checkpoint
import api.commands.witness
import api.commands.year  # noqa: F401  # the commands register themselves
from api.command_line import app
from api.documents.checkpoint_minute import COLUMNS, groups, minute
from ledger.checkpoints import open_checkpoint, open_cosigned
from ledger.signed_notes import SignatureType, SigningKey, VerifierKey, note_bytes, parse_note
from ledger.tiles import read_tiles
from projections.proofs.heads import HeadAnswer, head_answer
from tests.ledger.witnessed import KEY, WITNESS_KEY, Log

HERE = ("-j", "360982")
NIGHT = datetime(2026, 11, 22, 18, 30, 5, tzinfo=UTC)
OTHER_WITNESS = SigningKey.generate("witness.example.com/w2", bytes(32), SignatureType.COSIGNATURE)


@dataclass
class Office:
    """The machine of the ledger, with an open year, and the folder of a witness, which stands elsewhere."""

    folder: Path

    def run(self, *words: str) -> tuple[int, str, str]:
        done = CliRunner().invoke(app, list(words))
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.stdout, done.stderr

    def said(self, *words: str) -> str:
        status, shown, told = self.run(*words)
        assert status == 0, told
        return shown

    def head(self, *words: str) -> Any:
        return json.loads(self.said("checkpoint", *HERE, "--json", *words))

    def grow(self, name: str) -> None:
        """Record one more entry."""
        where = (*HERE, "--year", "2021", name, "--group", "township")
        self.said("year", "join", *where, "--on", "2021-06-01", "--reason", "区划调整")

    @property
    def verifier(self) -> VerifierKey:
        return VerifierKey.parse(self.head()["verifier_key"])

    @property
    def state(self) -> Path:
        return self.folder / "elsewhere"

    def witness_key(self) -> VerifierKey:
        """The witness's key, made when it is first asked for."""
        words = ("witness", "key", "--state", str(self.state), "--name", "witness.example.com/w1")
        return VerifierKey.parse(self.said(*words).removesuffix("\n"))

    def answer(self, request: Path) -> Path:
        """Carry a request to the witness, and its answer back."""
        answered = request.with_suffix(".cosigned")
        watch = ("--log", self.verifier.text(), "--state", str(self.state))
        self.said("witness", "add", str(request), *watch, "--out", str(answered))
        return answered


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    monkeypatch.setenv("MINGZHANG_DATABASE_URL", f"sqlite:///{tmp_path}/ledger.db")
    monkeypatch.setenv("MINGZHANG_KEY_FOLDER", str(tmp_path / "keys"))
    office = Office(tmp_path)
    office.said("year", "open", "zhangshu-2021")
    return office


# --- the page --------------------------------------------------------------------------------------------------------


def head_with(*witnesses: SigningKey, log: Log | None = None) -> HeadAnswer:
    chosen = log or Log()
    text_, lines = parse_note(chosen.note(17))
    note = note_bytes(text_, [*lines, *(one.cosign(text_, 1_700_000_000) for one in witnesses)])
    known = [WITNESS_KEY.verifier]
    return head_answer("360982", note, chosen.key.verifier, known, NIGHT)


def width(line: str) -> int:
    return sum(2 if east_asian_width(one) in "WF" else 1 for one in line)


def code_of(page: str, dark: str = "█", above: str = "▀", below: str = "▄") -> list[list[int]]:
    """The dark (1) and light (0) parts of the page's code, without its quiet zone."""
    lines = page.split("\n")
    end = next(number for number, line in enumerate(lines) if line.startswith("二维码内容"))
    start = max(number for number, line in enumerate(lines[:end]) if not line) + 1
    rows: list[list[int]] = []
    for line in lines[start:end]:
        rows.append([int(one in dark + above) for one in line])
        rows.append([int(one in dark + below) for one in line])
    return [row[4:-4] for row in rows[4 : 4 + len(rows[0]) - 8]]


def modules(content: bytes) -> list[list[int]]:
    return [list(row) for row in segno.make_qr(content, error="L", mode="byte", boost_error=False).matrix]


def test_the_page_holds_what_people_compare_and_sign() -> None:
    head = head_with(WITNESS_KEY, OTHER_WITNESS)
    lines = minute(head, on_paper=True).split("\n")
    expected = [
        "账本（origin）mingzhang/360982",
        "记录条数      17",
        "出具日期      2026年11月23日",
        "出具时刻      2026-11-23 02:30:05（北京时间）",
        f"    {KEY.verifier.text()}",
        "    witness.example.com/w1  2023-11-15 06:13:20（北京时间）",
        "    witness.example.com/w2  2023-11-15 06:13:20（北京时间）  本次未核验",
        "经办人（签字）：________________    监督人（签字）：________________",
        "日期：________年____月____日",
        *(f"    {line}" for line in groups(head.root)),
    ]
    assert [line for line in expected if line not in lines] == []


def test_the_root_can_be_read_aloud_in_groups() -> None:
    assert groups("0123456789abcdef" * 4) == ["01234567  89abcdef  01234567  89abcdef"] * 2


def test_the_exact_text_of_the_note_stands_on_the_page() -> None:
    head = head_with(WITNESS_KEY)
    page = minute(head, on_paper=True)
    found = page.partition(f"检查点原文\n{'-' * COLUMNS}\n")[2].partition(f"{'-' * COLUMNS}\n")[0]
    assert found == head.note


@pytest.mark.parametrize("witnesses", [(), (WITNESS_KEY,), (WITNESS_KEY, OTHER_WITNESS)])
def test_the_page_is_80_columns_wide_but_for_the_notes_own_lines(witnesses: tuple[SigningKey, ...]) -> None:
    head = head_with(*witnesses)
    page = minute(head, on_paper=True)
    assert max(width(line) for line in page.split("\n") if line not in head.note.split("\n")) <= COLUMNS


def test_the_code_holds_the_whole_note() -> None:
    head = head_with(WITNESS_KEY)
    page = minute(head, on_paper=True)
    assert code_of(page) == modules(head.note.encode())
    assert "原文全文" in page


def test_a_note_that_is_too_long_is_in_the_code_with_its_first_signature() -> None:
    head = head_with(WITNESS_KEY, OTHER_WITNESS)
    page = minute(head, on_paper=True)
    assert code_of(page) == modules(Log().note(17))
    assert "正文及第一个签名" in page


def test_on_a_terminal_the_light_parts_are_drawn() -> None:
    head = head_with()
    assert code_of(minute(head, on_paper=False), dark=" ", above="▄", below="▀") == modules(head.note.encode())


# --- the command -----------------------------------------------------------------------------------------------------


def test_the_signed_head_by_command_line(office: Office) -> None:
    out = office.folder / "head.note"
    assert office.said("checkpoint", *HERE, "--note", "--out", str(out)) == f"{out}\n"
    head = office.head()
    checkpoint = open_checkpoint(out.read_bytes(), office.verifier)
    assert (head["origin"], head["size"], head["root"]) == ("mingzhang/360982", 2, checkpoint.root.hex())
    assert head["note"].encode() == out.read_bytes()
    assert head["note"].rstrip("\n") in office.said("checkpoint", *HERE)
    page = office.folder / "minute.txt"
    office.said("checkpoint", *HERE, "--out", str(page))
    assert head["note"] in page.read_text("utf-8")


def test_the_static_export_is_that_of_the_head(office: Office) -> None:
    told = json.loads(office.said("tiles", str(office.folder / "export"), *HERE, "--json"))
    checkpoint, tree = read_tiles(office.folder / "export", office.verifier)
    assert (told["size"], told["root"]) == (checkpoint.size, tree.root().hex()) == (2, office.head()["root"])


def test_a_round_without_network(office: Office) -> None:
    key = office.witness_key()
    request = office.folder / "request"
    for old, size in ((0, 2), (2, 3)):
        assert office.head()["size"] == size
        office.said("checkpoint", *HERE, "--request", str(old), "--out", str(request))
        answered = office.answer(request)
        head = office.head("--cosignatures", str(answered), "--witness-key", key.text())
        assert [(one["witness"], one["verified"]) for one in head["cosignatures"]] == [(key.name, True)]
        assert office.head()["note"] == head["note"] == answered.read_text("utf-8")
        office.grow(f"新城街道{size}")


def test_an_answer_that_comes_back_late_is_kept_of_its_own_head(office: Office) -> None:
    key = office.witness_key()
    request = office.folder / "request"
    office.said("checkpoint", *HERE, "--request", "0", "--out", str(request))
    office.grow("新城街道")
    assert office.head()["size"] == 3
    head = office.head("--cosignatures", str(office.answer(request)), "--witness-key", key.text())
    assert (head["size"], len(head["cosignatures"])) == (2, 1)
    assert (office.head()["size"], office.head()["cosignatures"]) == (3, [])


@pytest.mark.parametrize(
    ("altered", "code"),
    [
        (lambda note: note.replace(b"\n2\n", b"\n3\n"), "cosignatures-invalid"),
        (lambda note: note[:-8] + b"AAAAAA=\n", "cosignatures-invalid"),
        (lambda note: b"".join(note.splitlines(keepends=True)[:-1]), "cosignatures-invalid"),
        (lambda note: b"".join(note.splitlines(keepends=True)[-1:]), "cosignatures-invalid"),
        (lambda _: Log().note(2), "cosignatures-invalid"),
        (lambda _: b"", "cosignatures-invalid"),
    ],
    ids=["another size", "altered signature", "no cosignature", "a line alone", "another ledger's", "empty"],
)
def test_an_answer_is_verified_before_it_is_kept(office: Office, altered: Callable[[bytes], bytes], code: str) -> None:
    key = office.witness_key()
    request = office.folder / "request"
    office.said("checkpoint", *HERE, "--request", "0", "--out", str(request))
    answered = office.answer(request)
    answered.write_bytes(altered(answered.read_bytes()))
    words = ("checkpoint", *HERE, "--cosignatures", str(answered), "--witness-key", key.text())
    status, _, told = office.run(*words)
    assert (status, f"[{code}]" in told) == (2, True), told
    assert office.head()["cosignatures"] == []


def test_the_answer_of_a_witness_that_is_not_named_is_not_kept(office: Office) -> None:
    office.witness_key()
    request = office.folder / "request"
    office.said("checkpoint", *HERE, "--request", "0", "--out", str(request))
    answered = office.answer(request)
    words = ("checkpoint", *HERE, "--cosignatures", str(answered))
    assert "[cosignatures-invalid]" in office.run(*words, "--witness-key", OTHER_WITNESS.verifier.text())[2]
    assert "[witness-key-missing]" in office.run(*words)[2]


def test_a_request_names_a_size_that_there_was(office: Office) -> None:
    status, _, told = office.run("checkpoint", *HERE, "--request", "3")
    assert (status, "[proof-size]" in told) == (2, True)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--note", "--request", "0"], "options-exclude"),
        (["--witness", "http://127.0.0.1:1"], "witness-key-missing"),
        (["--witness", "http://127.0.0.1:1", "--witness-key", "x"], "verifier-key-form"),
        (["--witness", "http://127.0.0.1:1", "--witness-key", WITNESS_KEY.verifier.text()], "witness-not-reached"),
        (["--witness", "127.0.0.1:1", "--witness-key", WITNESS_KEY.verifier.text()], "witness-not-reached"),
        (["--witness", "http://127.0.0.1:port", "--witness-key", WITNESS_KEY.verifier.text()], "witness-url"),
        (["--cosignatures", "nowhere", "--witness-key", WITNESS_KEY.verifier.text()], "file-not-readable"),
    ],
)
def test_wrong_words_are_refused(office: Office, words: list[str], code: str) -> None:
    status, _, told = office.run("checkpoint", *HERE, *words)
    assert (status, f"[{code}]" in told) == (2, True), told


# --- over the network ------------------------------------------------------------------------------------------------


@pytest.fixture
def witness_address(office: Office) -> Iterator[str]:
    """The address of a real witness of the office's ledger."""
    office.witness_key()
    program = "from api.command_line import main; main()"
    words = ["witness", "serve", "--state", str(office.state), "--log", office.verifier.text()]
    command = [sys.executable, "-c", program, *words, "--listen", "127.0.0.1:0"]
    with (office.folder / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().rstrip("\n")
    finally:
        process.kill()
        process.communicate(timeout=60)


def test_a_round_with_a_witness_over_http(office: Office, witness_address: str) -> None:
    key = office.witness_key()
    asks = ("--witness", witness_address, "--witness-key", key.text())

    # 1. A witness that has seen nothing; what it gave is kept with the head.
    first = office.head(*asks)
    _, [seen] = open_cosigned(first["note"].encode(), office.verifier, [key])
    assert (first["size"], seen.witness) == (2, key)
    assert office.head()["note"] == first["note"]

    # 2. The ledger grew: the office knows what the witness has seen.
    office.grow("新城街道")
    assert office.head(*asks)["size"] == 3

    # 3. The office does not know any more, asks from nothing, is told the size, and asks once more.
    office.grow("新城街道二")
    (office.folder / "keys" / "360982.cosignatures").unlink()
    fourth = office.head(*asks)
    assert (fourth["size"], fourth["cosignatures"][0]["verified"]) == (4, True)

    # 4. A witness of another name is asked: what answers is not that one.
    others = ("--witness", witness_address, "--witness-key", OTHER_WITNESS.verifier.text())
    assert "[cosignatures-invalid]" in office.run("checkpoint", *HERE, *others)[2]

    # 5. The ledger is rewritten with its key: the witness does not cosign it.
    for name in ("360982.checkpoint", "360982.cosignatures"):
        (office.folder / "keys" / name).unlink()
    for path in office.folder.glob("ledger.db*"):
        path.unlink()
    office.said("year", "open", "zhangshu-2021")
    assert "[witness-ahead]" in office.run("checkpoint", *HERE, *asks)[2]
    office.grow("新城街道")
    office.grow("新城街道二")
    status, _, told = office.run("checkpoint", *HERE, *asks)
    assert (status, "[witness-refused]" in told, "witness-fork" in told) == (2, True, True)
    office.grow("新城街道三")
    assert "witness-proof" in office.run("checkpoint", *HERE, *asks)[2]


@contextmanager
def answering(*answers: tuple[int, str, bytes]) -> Iterator[str]:
    """The address of a server that gives these answers (status, media type, body), one after the other."""
    left = list(answers)

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            status, media_type, body = left.pop(0)
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Location", "/add-checkpoint")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the library's own name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
    assert left == []


SIZE, PLAIN = "text/x.tlog.size", "text/plain"
HOSTILE: dict[str, tuple[list[tuple[int, str, bytes]], str]] = {
    "nothing": ([(200, PLAIN, b"")], "cosignatures-invalid"),
    "no signature line": ([(200, PLAIN, b"ok\n")], "cosignatures-invalid"),
    "of another key": (
        [(200, PLAIN, OTHER_WITNESS.cosign("x\n", 0).line().encode())],
        "cosignatures-invalid",
    ),
    "of another text": ([(200, PLAIN, WITNESS_KEY.cosign("x\n", 0).line().encode())], "cosignatures-invalid"),
    "not UTF-8": ([(200, PLAIN, b"\xff\n")], "cosignatures-invalid"),
    "endless": ([(200, PLAIN, b"x" * 70_000)], "witness-refused"),
    "a size that is none": ([(409, SIZE, b"-1\n")], "witness-refused"),
    "a size without a newline": ([(409, SIZE, b"1")], "witness-refused"),
    "a size beyond the ledger": ([(409, SIZE, b"9000000000000000000\n")], "witness-ahead"),
    "sizes without end": ([(409, SIZE, b"1\n"), (409, SIZE, b"0\n")], "witness-refused"),
    "a conflict that is no size": ([(409, PLAIN, b"1\n")], "witness-refused"),
    "another place": ([(307, PLAIN, b"")], "witness-refused"),
    "failure": ([(500, PLAIN, b"\x1b[31mfailed\x1b[0m")], "witness-refused"),
}


@pytest.mark.parametrize(("answers", "code"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_witness_gets_nothing_kept(office: Office, answers: list[tuple[int, str, bytes]], code: str) -> None:
    with answering(*answers) as address:
        asks = ("--witness", address, "--witness-key", WITNESS_KEY.verifier.text())
        status, shown, told = office.run("checkpoint", *HERE, *asks)
    assert (status, shown, f"[{code}]" in told) == (2, "", True), told
    assert "\x1b" not in told
    assert office.head()["cosignatures"] == []
