"""fsck of one ledger: everything read again, as it stood at the moment the check began, and held against the bytes.

A check is made in these steps, which look at one snapshot of the database:

1. The events in the order of their positions: each by itself (`entries`), and against those before it (`sequence`);
   beside them the rows of `facts` and of the idempotency keys that follow from them (`derived`).
2. The tree of the events' bytes, at each size that a checkpoint names (`checkpoints`), and the ledger's head.
3. Documents and files of evidence that the events name (`kept`).

What is wrong is told as values, whatever the cells of the database hold. Rows are read in portions and what must be
remembered of all events lies on disk, so that memory grows with what is found only. The key with which checkpoints
from outside were signed, and that it is the office's, is for the caller to know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from ledger.appends import microseconds
from ledger.checking.checkpoints import Against, Tree, kept_checkpoints
from ledger.checking.derived import Facts, Keys
from ledger.checking.entries import missing_between, read_entries
from ledger.checking.findings import Finding, finding, in_order
from ledger.checking.kept import Evidence, EvidenceFiles, FrozenProblem, document_findings, remember_named
from ledger.checking.remembered import Remembered, remembering
from ledger.checking.sequence import Sequence as Order
from ledger.checking.snapshots import PORTION, Rows, snapshot
from ledger.events import EvidenceErased
from ledger.tables import facts, idempotency_keys

Progress = Callable[[int, int], None]
"""Called with the position reached and the last position."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a check of one ledger found: `events` read, findings by position, and what holds of them.

    `proved` are the checkpoints that the ledger continues: nothing recorded before their size was rewritten since they
    were signed. `unused_evidence` counts stored files that no event names.
    """

    code: str
    events: int
    findings: tuple[Finding, ...]
    proved: tuple[Against, ...]
    unused_evidence: int


def check_ledger(
    engine: Engine,
    code: str,
    progress: Progress,
    *,
    key_folder: Path | None = None,
    outside: Sequence[Against] = (),
    evidence: Evidence | None = None,
    frozen: FrozenProblem | None = None,
) -> Report:
    """Return what is wrong with a ledger, as it stands now.

    Args:
        engine: the database.
        code: the ledger's code; of one that there is not, nothing is wrong.
        progress: told how far the events are read.
        key_folder: where the last checkpoint signed here is kept, with the key that signed it.
        outside: checkpoints kept elsewhere (`ledger.checking.checkpoints.outside_checkpoint`).
        evidence: where the files of evidence are; without it only their rows are looked at.
        frozen: looks into what closes froze.

    What is damaged raises nothing. Raises OSError where the key folder cannot be read, and Rejection
    `evidence-store-unavailable`.
    """
    with ExitStack() as resources:
        rows = resources.enter_context(snapshot(engine))
        remembered = resources.enter_context(remembering())
        kept = [] if key_folder is None else kept_checkpoints(key_folder, code)
        found = [one for one in kept if isinstance(one, Finding)]
        against = [*(one for one in kept if isinstance(one, Against)), *outside]
        check = _Check(rows, code, Tree(against), remembered)
        found += check.entries(progress)
        found += check.head()
        found += check.tree.findings()
        found += document_findings(rows, code, remembered, frozen)
        files = EvidenceFiles(code, remembered, evidence)
        found += files.findings(rows)
    proved = tuple(check.tree.proved())
    return Report(code, check.tree.edge.size, tuple(in_order(found)), proved, files.unused)


class _Check:
    def __init__(self, rows: Rows, code: str, tree: Tree, remembered: Remembered) -> None:
        self._rows = rows
        self._code = code
        self._remembered = remembered
        self._last = 0
        self._recorded_at = 0
        self.tree = tree

    def entries(self, progress: Progress) -> Iterator[Finding]:
        """Yield what is wrong with the events and what follows from them."""
        rows, code = self._rows, self._code
        last = rows.last_position(code)
        order = Order(code, self._remembered)
        fact_rows = Facts(code, rows.of(facts, code, facts.c.position))
        by_range = (idempotency_keys.c.first_position, idempotency_keys.c.last_position)
        keys = Keys(code, rows.of(idempotency_keys, code, *by_range))
        leaves: list[bytes] = []
        for entry, found in read_entries(rows, code):
            yield from found
            if entry is None:
                continue
            if entry.event is not None:
                yield from order.follow(entry.position, entry.leaf, entry.event)
                remember_named(self._remembered, entry.position, entry.event)
            if isinstance(entry.event, EvidenceErased) and not order.is_approved(entry.position):
                yield finding(entry.position, "erasure-unapproved", "events.state", "a sound approval before it", None)
            yield from fact_rows.follow(entry)
            yield from keys.follow(entry)
            leaves.append(entry.leaf)
            self._last = entry.position
            if entry.event is not None:
                self._recorded_at = microseconds(entry.event.recorded_at)
            if len(leaves) == PORTION:
                self.tree.extend(leaves)
                leaves.clear()
                progress(self._last, last)
        self.tree.extend(leaves)
        yield from order.end()
        yield from fact_rows.end()
        yield from keys.end(self._last)
        progress(self._last, last)

    def head(self) -> Iterator[Finding]:
        """Yield what is wrong with the ledger's own row, which is that of its last event."""
        row, edge = self._rows.head(self._code), self.tree.edge
        if row is None:
            if edge.size:
                yield finding(None, "head-missing", "ledgers.*", f"a ledger of {edge.size} events", None)
            return
        if type(row["size"]) is int:
            yield from missing_between(self._last, row["size"] + 1)
        expected = {"size": edge.size, "last_recorded_at": self._recorded_at, "edge": edge.to_bytes()}
        for name, value in expected.items():
            if row[name] != value:
                yield finding(None, "head-differs", f"ledgers.{name}", value, row[name])
