"""Processes that append, and processes outside them that ask: an answer is on the disk before more is asked.

An appender takes keys over a socket, a line each, records an observation under the key, and answers with a line of
JSON. A client asks under each of its keys until it has a position, whatever becomes of the appender meanwhile, and
syncs every answer to a journal of its own before it asks anything else. So a journal holds all that anybody was
promised, and what was refused on the way.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import count
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingUnixStreamServer
from time import sleep
from typing import Any, Final

from eventsourcing.persistence import PersistenceError

from ledger.application import LedgerApplication
from ledger.commands import Attempt, Observe
from ledger.database import open_engine
from ledger.events import Evidence
from ledger.rejection import Rejection
from tests.faults.experiments import ACTOR, CODE, PATIENCE, PROCESSES, UNIT, YEAR, Place, Stuck
from tests.ledger.store import KnowsEveryWord

CLIENTS: Final = 8
"""How many ask at once in one client process."""
BROKEN_OFF: Final = "broken-off"
"""What a client notes when its appender died over a request."""
EVIDENCE: Final = (Evidence(title="通报", document="樟府办字〔2021〕8号"),)


@dataclass(frozen=True, slots=True)
class Answer:
    """What an appender said to a key: a position and the leaf hash there, or a code and words why not."""

    key: str
    position: int | None = None
    leaf_hash: str = ""
    code: str = ""
    message: str = ""


def observe(ledger: LedgerApplication, key: str) -> Answer:
    """Record an observation under the key, and say what came of it."""
    wish = Observe(unit=UNIT, kind="circular", occurred_on=date(YEAR, 3, 1), evidence=EVIDENCE)
    try:
        (receipt,) = ledger.observe(Attempt(ACTOR, datetime.now(UTC), key), YEAR, [wish])
    except Rejection as rejection:
        return Answer(key, code=rejection.refusals[0].code, message=str(rejection))
    except PersistenceError as error:
        return Answer(key, code=getattr(error, "code", type(error).__name__), message=str(error))
    return Answer(key, receipt.position, receipt.leaf_hash.hex())


def open_ledger(url: str, kind: type[LedgerApplication]) -> LedgerApplication:
    """Return the ledger as the product makes it, or a broken one."""
    return kind(open_engine(url), CODE, KnowsEveryWord(), secrets.token_bytes)


def written(answer: Answer) -> bytes:
    fields: dict[str, Any] = {name: value for name in Answer.__slots__ if (value := getattr(answer, name))}
    return json.dumps(fields, ensure_ascii=False).encode() + b"\n"


def journal_of(folder: Path) -> list[Answer]:
    """Return what the clients that wrote to the folder were told."""
    lines = (line for path in sorted(folder.glob("*.journal")) for line in path.read_bytes().splitlines())
    return [Answer(**json.loads(line)) for line in lines]


# --- the appender ----------------------------------------------------------------------------------------------------


class _Server(ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 64
    ledger: LedgerApplication


class _Conversation(StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        for line in self.rfile:
            self.wfile.write(written(observe(self.server.ledger, line.decode().strip())))


@contextmanager
def appender(url: str, address: Path, kind: type[LedgerApplication] = LedgerApplication) -> Iterator[BaseProcess]:
    """Give a process that appends for whoever asks at the address, once it listens; end it by `kill -9`."""
    ready, tell = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=_append_for_others, args=(url, address, kind, tell))
    process.start()
    tell.close()
    try:
        if not ready.poll(PATIENCE):
            raise Stuck("an appending process did not get ready")
        ready.recv()
        yield process
    finally:
        process.kill()
        process.join()
        process.close()
        ready.close()


def _append_for_others(url: str, address: Path, kind: type[LedgerApplication], tell: Connection) -> None:
    # What a failed batch leaves in the driver's pipeline is told as a warning, and is the recorder's answer anyway.
    logging.getLogger("psycopg").setLevel(logging.ERROR)
    address.unlink(missing_ok=True)
    with _Server(str(address), _Conversation) as server:
        server.ledger = open_ledger(url, kind)
        tell.send(None)
        server.serve_forever()


# --- the client ------------------------------------------------------------------------------------------------------


class Client:
    """A process outside that keeps asking one appender and journals what it is told."""

    def __init__(self, address: Path, journal: Path, name: str) -> None:
        self._stop: Event = PROCESSES.Event()
        self._process = PROCESSES.Process(target=_ask_on, args=(address, journal, name, self._stop))
        self._process.start()

    def finish(self) -> None:
        """Ask under no further key, and wait until every key asked under has its position. Raises Stuck."""
        self._stop.set()
        self._process.join(PATIENCE)
        if self._process.exitcode != 0:
            raise Stuck(f"a client did not get all its answers (exit {self._process.exitcode})")

    def end(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.join()
        self._process.close()


@contextmanager
def asking(place: Place, address: Path, name: str = "client") -> Iterator[tuple[Client, Path]]:
    """Give a client process of the appender at the address, and the folder of its journals."""
    journal = place.new_folder()
    client = Client(address, journal, name)
    try:
        yield client, journal
    finally:
        client.end()


def _ask_on(address: Path, journal: Path, name: str, stop: Event) -> None:
    with ThreadPoolExecutor(CLIENTS) as clients:
        asked = [clients.submit(_ask_under_keys, address, journal, f"{name}-{at}", stop) for at in range(CLIENTS)]
        for one in asked:
            one.result()


def _ask_under_keys(address: Path, journal: Path, name: str, stop: Event) -> None:
    conversation = _Asking(address)
    with (journal / f"{name}.journal").open("ab") as file:
        for at in count():
            if stop.is_set():
                return
            for line in conversation.until_recorded(f"{name}-{at}"):
                file.write(line)
                file.flush()
                os.fsync(file.fileno())


class _Asking:
    """One conversation with the appender, begun again whenever it breaks off."""

    def __init__(self, address: Path) -> None:
        self._address = str(address)
        self._socket: socket.socket | None = None

    def until_recorded(self, key: str) -> Iterator[bytes]:
        """Ask under the key until there is a position, and yield each whole answer."""
        while True:
            answer = self._ask(key)
            if answer:
                yield answer
                if b'"position"' in answer:
                    return
            sleep(0.02)

    def _ask(self, key: str) -> bytes:
        """Return the answer, one that says BROKEN_OFF, or nothing where there was nobody to ask."""
        if self._socket is None:
            begun = socket.socket(socket.AF_UNIX)
            try:
                begun.connect(self._address)
            except OSError:
                begun.close()
                return b""
            self._socket = begun
        answer = b""
        try:
            self._socket.sendall(key.encode() + b"\n")
            while not answer.endswith(b"\n"):
                received = self._socket.recv(4096)
                if not received:
                    raise ConnectionResetError
                answer += received
        except OSError:
            self._socket.close()
            self._socket = None
            return written(Answer(key, code=BROKEN_OFF))
        return answer
