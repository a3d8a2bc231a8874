"""What events say of one another, read in their order.

Rules kept here:

1. Time does not go back.
2. The versions of a stream are 1, 2, 3… in the order of positions.
3. No nonce is used twice.
4. A close names the position before it.
5. An approval names the exact bytes of a proposal that another person made, and what it recorded stands directly
   behind it: an event of the kind that was proposed first, in the name of whoever proposed it.
6. Evidence is erased only by such an approval.

Which documents and files of evidence events name is remembered for `ledger.checking.kept`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple, cast

from ledger.checking.entries import Entry
from ledger.checking.findings import Finding, finding
from ledger.checking.remembered import Remembered
from ledger.event_bytes import written_moment
from ledger.events import (
    AppealDecided,
    ClaimDecided,
    Event,
    EvidenceErased,
    ObservationAmended,
    ObservationObserved,
    ObservationVoided,
    ProposalApproved,
    ProposalMade,
    ProposedAction,
    SchemeDocumentRegistered,
    SchemeReference,
    YearClosed,
)

_EFFECTS: Final[Mapping[ProposedAction, type[Event]]] = {
    "observe": ObservationObserved,
    "amend": ObservationAmended,
    "void": ObservationVoided,
    "decide_appeal": AppealDecided,
    "decide_claim": ClaimDecided,
    "erase_evidence": EvidenceErased,
}
_WHAT: Final = "events.state"
_DIGEST: Final = re.compile("[0-9a-f]{64}")


class _Approved(NamedTuple):
    """An approval: its position, that of the last event it recorded, and the proposal's action and actor."""

    position: int
    last: int
    action: ProposedAction | None
    actor: str | None


class Sequence:
    """The events so far. `follow` each entry in the order of positions, then `end`."""

    def __init__(self, remembered: Remembered) -> None:
        self._remembered = remembered
        self._last: Event | None = None
        self._approved = _Approved(0, 0, None, None)

    def follow(self, entry: Entry) -> Iterator[Finding]:
        """Yield what is wrong with the entry, seen from those before it."""
        event, position = entry.event, entry.position
        if event is None:
            return
        if self._last is not None and event.recorded_at < self._last.recorded_at:
            expected = f"not before {written_moment(self._last.recorded_at)}"
            yield finding(position, "time-backwards", _WHAT, expected, written_moment(event.recorded_at))
        self._last = event
        yield from self._version(position, event)
        before = self._remembered.first("nonce", bytes.fromhex(event.nonce), position)
        if before is not None:
            yield finding(position, "nonce-reused", _WHAT, "a nonce of its own", f"that of position {before}")
        if isinstance(event, YearClosed) and event.position != position - 1:
            yield finding(position, "closing-position", _WHAT, f"a close at position {position - 1}", event.position)
        yield from self._effect(position, event)
        self._remember_named(position, event)
        if isinstance(event, ProposalMade):
            self._remember_proposal(entry, event)
        if isinstance(event, ProposalApproved):
            yield from self._approval(position, event)

    def end(self, last: int) -> Iterator[Finding]:
        """Yield what is missing behind the last position."""
        if self._approved.last > last:
            expected = f"what it recorded at positions {self._approved.position + 1} to {self._approved.last}"
            yield finding(self._approved.position, "approval-incomplete", _WHAT, expected, f"{last} events")

    def _version(self, position: int, event: Event) -> Iterator[Finding]:
        stream = event.originator_id.bytes
        expected = (self._remembered.get("stream", stream) or 0) + 1
        if event.originator_version != expected:
            told = f"version {expected} of stream {event.originator_id}"
            yield finding(position, "stream-version", _WHAT, told, f"version {event.originator_version}")
        self._remembered.put("stream", stream, event.originator_version)

    def _remember_named(self, position: int, event: Event) -> None:
        scheme = getattr(event, "scheme", None)
        documents = [scheme.digest] if isinstance(scheme, SchemeReference) else []
        if isinstance(event, SchemeDocumentRegistered):
            documents.append(event.digest)
        if isinstance(event, YearClosed):
            documents.append(event.sheets)
        for digest in documents:
            self._remembered.first("document", bytes.fromhex(digest), position)
        for commitment in _named_files(event):
            self._remembered.first("evidence", bytes.fromhex(commitment), position)
        if isinstance(event, EvidenceErased):
            self._remembered.first("erased", bytes.fromhex(event.commitment), position)

    def _remember_proposal(self, entry: Entry, event: ProposalMade) -> None:
        said = "\n".join((entry.leaf.hex(), event.person, event.action, event.actor))
        self._remembered.first("proposal", event.originator_id.bytes, said)

    def _approval(self, position: int, event: ProposalApproved) -> Iterator[Finding]:
        said = self._remembered.get("proposal", event.originator_id.bytes)
        last = position + event.recorded
        if said is None:
            self._approved = _Approved(position, last, None, None)
            yield finding(position, "approval-without-proposal", _WHAT, "a proposal before it in its stream", None)
            return
        leaf, person, action, actor = said.split("\n")
        self._approved = _Approved(position, last, cast("ProposedAction", action), actor)
        if event.person == person:
            yield finding(position, "approval-same-person", _WHAT, "another person than the one who proposed", person)
        if event.leaf_hash != leaf:
            yield finding(position, "approval-other-bytes", _WHAT, leaf, event.leaf_hash)

    def _effect(self, position: int, event: Event) -> Iterator[Finding]:
        approved = self._approved
        if not approved.position < position <= approved.last:
            if isinstance(event, EvidenceErased):
                yield finding(position, "erasure-unapproved", _WHAT, "an approval directly before it", None)
            return
        if approved.action is None:
            return
        if event.actor != approved.actor:
            yield finding(position, "approval-effect", _WHAT, f"an event of {approved.actor}", event.actor)
        expected = _EFFECTS[approved.action]
        if position == approved.position + 1 and not isinstance(event, expected):
            yield finding(position, "approval-effect", _WHAT, expected.wire, event.wire)


def _named_files(event: Event) -> Iterator[str]:
    """Yield the commitments of the files that the event's evidence names, also in what it proposes."""
    if isinstance(event, ProposalMade):
        yield from _proposed_files(event.content.get("evidence"))
    else:
        yield from (one.file for one in getattr(event, "evidence", ()) if one.file is not None)


def _proposed_files(evidence: Any) -> Iterator[str]:
    for one in evidence if isinstance(evidence, list) else ():
        file = one.get("file") if isinstance(one, dict) else None
        if isinstance(file, str) and _DIGEST.fullmatch(file):
            yield file
