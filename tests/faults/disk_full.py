"""A full disk under the database, and under the evidence: a small file system of its own, filled by a ballast.

Only root can mount one: where that is not possible, the experiment raises and says so; it is never left out.
"""

from __future__ import annotations

import os
import secrets
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from shutil import disk_usage
from time import monotonic, sleep
from typing import BinaryIO, Final

from sqlalchemy import select

from ledger.application import LedgerApplication
from ledger.database import open_engine
from ledger.evidence.stores import FolderStore, NewObject, store_errors
from ledger.evidence.vault import EvidenceVault
from ledger.rejection import Rejection
from ledger.tables import evidence_files
from tests.faults.appending import Answer, appender, asking, journal_of
from tests.faults.broken import AnswersEarly
from tests.faults.checking import Verdict, verdict
from tests.faults.experiments import ACTOR, CODE, PATIENCE, Fault, Found, Place, Stuck, Untried, open_year

MEBIBYTE: Final = 1 << 20
DISK, BALLAST = 8 * MEBIBYTE, 3 * MEBIBYTE
FULL_TIMES, QUICK_TIMES = 3, 1
SOME_PAGES: Final = 128 << 10
FULL_SECONDS: Final = 1.0
"""How long appends go on against the full disk."""
FILES, GOING_ON = 60, 5
"""Files of evidence sent, and how many of them after there is room again."""
SIZES: Final = (200, 5_000, 70_000, 300_000, 900_000)
PART: Final = 50_000
_REFUSED: Final = "evidence-store-unavailable"


class NoSmallDisk(Untried):
    """No small file system could be mounted here: the message says why, and what to do."""


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Give the folder as a file system of DISK bytes in memory. Raises NoSmallDisk."""
    if os.geteuid() != 0:
        raise NoSmallDisk("a full disk is tried on a small tmpfs, and only root can mount one: sudo ./run faults disk")
    command: list[str | Path] = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "faults", folder]
    mounted = subprocess.run(command, check=False, capture_output=True, text=True)
    if mounted.returncode != 0:
        raise NoSmallDisk(f"no tmpfs can be mounted here, in a container for instance: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill_under_ledger(place: Place, broken: bool) -> Found:
    """Fill the disk by appending, make room, and go on; what was acknowledged is there, what was refused told why."""
    kind: type[LedgerApplication] = AnswersEarly if broken else LedgerApplication
    answers: list[Answer] = []
    found: list[Verdict] = []
    for _ in range(place.times(FULL_TIMES, QUICK_TIMES)):
        with small_disk(place.new_folder()) as disk:
            ballast = disk / "ballast"
            ballast.write_bytes(bytes(BALLAST))
            url, address = f"sqlite:///{disk / 'ledger.sqlite3'}", place.new_folder() / "socket"
            open_year(url)
            with asking(place, address) as (client, journal), appender(url, address, kind):
                _wait_until_full(disk)
                sleep(FULL_SECONDS)
                ballast.unlink()
                # Every client is still asking under the key that was refused, and has to have its position.
                client.finish()
            told = journal_of(journal)
            found.append(verdict(url, told))
            answers += told
    refused = [answer for answer in answers if answer.code]
    clear = bool(refused) and all("disk is full" in answer.message for answer in refused)
    whole = all(one.whole for one in found)
    return Found(len(found), str(sum(found, Verdict.of_nothing())), whole and (clear or broken))


def fill_under_evidence(place: Place, broken: bool) -> Found:
    """Fill the disk with evidence, make room, and go on; what was refused is not there, what was stored is whole."""
    outcomes: Counter[str] = Counter()
    times = place.times(FULL_TIMES, QUICK_TIMES)
    for _ in range(times):
        engine = open_engine(place.new_ledger("sqlite"))
        with small_disk(place.new_folder()) as disk:
            ballast, folder = disk / "ballast", disk / "evidence"
            ballast.write_bytes(bytes(BALLAST))
            store = (LeavesBehind if broken else FolderStore)(folder)
            vault = EvidenceVault(engine, store, secrets.token_bytes(32), secrets.token_bytes)
            stored: list[str] = []
            for number in range(FILES):
                if number == FILES - GOING_ON:
                    ballast.unlink()
                came = _put(vault, stored, place.random)
                outcomes[came if number < FILES - GOING_ON else f"then {came}"] += 1
            with engine.connect() as connection:
                named = {digest.hex() for digest in connection.scalars(select(evidence_files.c.object))}
            files = {path.name for path in folder.rglob("*") if path.is_file()}
            outcomes["left behind"] += len(files - named)
            outcomes["damaged"] += sum(vault.check(CODE, commitment) is not None for commitment in stored)
            outcomes["rows too many"] += len(named) - len(stored)
        engine.dispose()
    figure = ", ".join(f"{what} {number}" for what, number in outcomes.items())
    tried = outcomes["stored"] > 0 and outcomes[_REFUSED] > 0 and outcomes["then stored"] == GOING_ON * times
    nothing_wrong = not (outcomes["left behind"] or outcomes["damaged"] or outcomes["rows too many"])
    return Found(times, figure, nothing_wrong and (tried or broken))


def _put(vault: EvidenceVault, stored: list[str], random: Random) -> str:
    """Store a file of random content; return what came of it."""
    content = random.randbytes(random.choice(SIZES))
    parts = (content[start : start + PART] for start in range(0, len(content), PART))
    try:
        stored.append(vault.put(CODE, parts, MEBIBYTE, ACTOR, datetime.now(UTC)).commitment)
    except Rejection as rejection:
        return rejection.refusals[0].code
    return "stored"


class _Left:
    """An object that is left where it was written when it was refused."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / secrets.token_hex(32)
        self.file: BinaryIO = self._path.open("w+b")

    def keep(self, name: str) -> None:
        with store_errors():
            self.file.flush()
            named = self._folder / name[:2] / name
            named.parent.mkdir(exist_ok=True)
            self._path.replace(named)

    def discard(self) -> None:
        with store_errors():
            self.file.close()


class LeavesBehind(FolderStore):
    """A store that clears nothing away."""

    def begin(self) -> NewObject:
        self._folder.mkdir(exist_ok=True)
        return _Left(self._folder)


def _wait_until_full(disk: Path) -> None:
    deadline = monotonic() + PATIENCE
    while disk_usage(disk).free > SOME_PAGES:
        if monotonic() > deadline:
            raise Stuck("the disk did not become full")
        sleep(0.05)


FAULTS: Final = (
    Fault("disk", "disk full during appends", "sqlite", "acknowledging before the commit", fill_under_ledger),
    Fault("disk", "disk full under evidence", "sqlite", "what was refused not cleared away", fill_under_evidence),
)
