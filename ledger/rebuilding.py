"""The `facts` table derived anew from the events, to put it right.

Rules kept here: a rebuild is refused where an event cannot be read or its columns say otherwise than its bytes
(`ledger.checking.entries`), and where events are missing; it holds the ledger's lock and is one transaction: readers
see the old rows until it is done. Events are read in portions, so that memory does not grow with the ledger. Whether
all else is as it must be is left to `ledger.checking`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final

from sqlalchemy import Engine, delete, insert, select

from ledger.checking.derived import expected_fact
from ledger.checking.entries import Entry, Read, missing_between, read_entries
from ledger.checking.findings import Finding, finding
from ledger.checking.snapshots import reading
from ledger.database import for_writing
from ledger.rejection import rejected
from ledger.tables import facts, ledgers

PAGE: Final = 1_000
Progress = Callable[[int, int], None]
"""Called with the position reached and the last position."""


def rebuild_facts(engine: Engine, code: str, progress: Progress) -> int:
    """Replace the ledger's rows of the `facts` table by what its events say; return the number of rows.

    Raises Rejection (`ledger-damaged`) and changes nothing where the events are not whole.
    """
    rows = position = 0
    with for_writing(engine).begin() as connection, reading(connection) as stored:
        size = connection.execute(select(ledgers.c.size).where(ledgers.c.code == code).with_for_update()).scalar() or 0
        if type(size) is not int:
            _refuse([finding(None, "head-differs", "ledgers.size", "a number", size)])
        connection.execute(delete(facts).where(facts.c.ledger == code))
        read = read_entries(stored, code)
        while page := [*islice(_whole(read), PAGE)]:
            made = [row for row in (expected_fact(code, entry) for entry in page) if row is not None]
            if made:
                connection.execute(insert(facts), made)
            rows += len(made)
            position = page[-1].position
            progress(position, size)
        _refuse(missing_between(position, size + 1))
    return rows


def _whole(read: Iterable[Read]) -> Iterator[Entry]:
    for entry, findings in read:
        _refuse(findings)
        if entry is not None:
            yield entry


def _refuse(findings: list[Finding]) -> None:
    if findings:
        raise rejected("ledger-damaged", "events", f"{findings[0]}; restore a backup")
