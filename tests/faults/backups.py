"""Backups taken while others append, restored; and an old backup against a checkpoint that was signed later."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from itertools import islice
from pathlib import Path
from shutil import copyfile
from time import sleep
from typing import Final

from sqlalchemy import make_url
from sqlalchemy.exc import DatabaseError

from ledger.application import LedgerApplication
from ledger.database import open_engine
from ledger.rejection import Rejection
from ledger.signing import LedgerProofs
from tests.faults.appending import appender, asking, journal_of, observe, open_ledger
from tests.faults.checking import differences, observed, verdict
from tests.faults.experiments import CODE, DATABASES, Database, Fault, Found, Place

BACKUPS, QUICK_BACKUPS = 6, 2
OLD_COPIES, QUICK_OLD_COPIES = 3, 1
RECORDED: Final = 20
"""Observations between an old copy and the checkpoint."""
ORIGIN: Final = "mingzhang"


def back_up_while_appending(database: Database, place: Place, broken: bool) -> Found:
    """Copy a ledger while others append: each copy is whole, begins as the ledger does, and holds what was promised.

    What was promised is all that was acknowledged before the copy was begun.
    """
    url, address = place.new_ledger(database), place.new_folder() / "socket"
    copies: list[tuple[str, set[int]]] = []
    with asking(place, address) as (client, journal), appender(url, address):
        for _ in range(place.times(BACKUPS, QUICK_BACKUPS)):
            sleep(place.random.uniform(0.3, 0.8))
            promised = {answer.position for answer in journal_of(journal) if answer.position is not None}
            copies.append((_copied(database, url, place, len(copies), broken), promised))
        client.finish()
    found = verdict(url, journal_of(journal))
    original = _leaves(url)
    damaged = missing = not_a_prefix = 0
    for copy, promised in copies:
        leaves = _leaves(copy)
        damaged += leaves is None
        if leaves is not None and original is not None:
            missing += len(promised - leaves.keys())
            not_a_prefix += list(leaves.items()) != list(islice(original.items(), len(leaves))) or not _goes_on(copy)
    figure = f"{found}; copies not whole {damaged}, no prefix {not_a_prefix}, acknowledged before and missing {missing}"
    return Found(len(copies), figure, found.whole and not (damaged or missing or not_a_prefix))


def start_on_older_copy(database: Database, place: Place, broken: bool) -> Found:
    """Start with an older copy than what was signed, as it is and after it went on: refused; the newest is accepted."""
    refused, times, newest = 0, place.times(OLD_COPIES, QUICK_OLD_COPIES), 0
    for number in range(times):
        url, keys = place.new_ledger(database), place.new_folder()
        _record(url, "before", RECORDED + number)
        older, gone_on = (_copied(database, url, place, copy, False) for copy in range(2))
        _record(url, "after", RECORDED)
        _proofs_do(url, keys, "checkpoint")
        newest += not _proofs_do(_copied(database, url, place, 0, False), keys, "check_continuation")
        # Other events than those that were signed, and more of them.
        _record(gone_on, "other", 2 * RECORDED)
        if broken:
            (keys / f"{CODE}.checkpoint").unlink()
        refused += sum(
            _proofs_do(copy, keys, "check_continuation") == ["checkpoint-not-consistent"] for copy in (older, gone_on)
        )
    figure = f"older copies refused {refused} of {2 * times}, newest accepted {newest} of {times}"
    return Found(2 * times, figure, refused == 2 * times and newest == times)


def _proofs_do(url: str, keys: Path, what: str) -> Sequence[str]:
    """Sign a checkpoint, or check at a start; return the codes of why it was refused."""
    engine = open_engine(url)
    proofs = LedgerProofs(engine, CODE, keys, ORIGIN, secrets.token_bytes)
    try:
        proofs.checkpoint() if what == "checkpoint" else proofs.check_continuation()
    except Rejection as rejection:
        return [refusal.code for refusal in rejection.refusals]
    finally:
        engine.dispose()
    return []


def _record(url: str, name: str, number: int) -> None:
    ledger = open_ledger(url, LedgerApplication)
    for at in range(number):
        observe(ledger, f"{name}-{at}")
    ledger.close()


def _goes_on(url: str) -> bool:
    """Return whether a restored ledger takes the next event at the next position."""
    ledger = open_ledger(url, LedgerApplication)
    size = ledger.ledger_recorder.head().size
    answer = observe(ledger, "restored")
    ledger.close()
    return answer.position == size + 1


def _leaves(url: str) -> dict[int, str] | None:
    """Return the leaf hashes of a copy's observations in their order; None for one that is not whole."""
    engine = open_engine(url)
    try:
        return dict(sorted(observed(engine).items())) if differences(engine) == 0 else None
    except DatabaseError:
        return None
    finally:
        engine.dispose()


def _copied(database: Database, url: str, place: Place, number: int, broken: bool) -> str:
    """Return the URL of a copy, made as the number says; a broken one is made as one thinks that it might do."""
    copy = place.new_database(database)
    if database == "postgresql":
        # Tables in runs of their own have no common moment.
        parts: tuple[tuple[str, ...], ...] = (("-T", "events"), ("-t", "events")) if broken else ((),)
        for part in parts:
            dump = place.new_folder() / "dump"
            place.server.run("pg_dump", "-Fc", *part, "-f", dump, "-d", url)
            place.server.run("pg_restore", "-d", copy, dump)
        return copy
    original, new = (make_url(one).database or "" for one in (url, copy))
    if broken:
        # The file without its log.
        copyfile(original, new)
    elif number % 2:
        with closing(sqlite3.connect(original)) as source, closing(sqlite3.connect(new)) as target:
            source.backup(target)
    else:
        with closing(sqlite3.connect(original)) as source:
            source.execute("VACUUM INTO ?", (new,))
    return copy


FAULTS: Final = (
    Fault(
        "backup",
        "VACUUM INTO and the backup API while others append, and restore",
        "sqlite",
        "the file copied without its log",
        partial(back_up_while_appending, "sqlite"),
    ),
    Fault(
        "backup",
        "pg_dump while others append, and restore",
        "postgresql",
        "the tables dumped one after the other",
        partial(back_up_while_appending, "postgresql"),
    ),
    *(
        Fault(
            "backup",
            "start with an older copy than what was signed",
            database,
            "the last checkpoint not kept",
            partial(start_on_older_copy, database),
        )
        for database in DATABASES
    ),
)
