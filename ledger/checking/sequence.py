"""What events say of one another, read in their order: of a whole ledger, or of those that a bundle holds.

Rules kept here:

1. Positions rise, and time does not go back.
2. The versions of a stream are 1, 2, 3… in the order of positions, and all its events are of one year.
3. No nonce is used twice.
4. A year's events stand in the year's own stream, a close names the position before it, and a version of a scheme has
   one document.
5. An observation follows from its entries: an amended reading from the changes it names, and nothing from a void.
6. An appeal or a claim takes the steps that `ledger.proceedings` allows, and a claim is decided for the row and unit
   that it was filed for. What a decision of an appeal ordered stands directly behind it, in its order, and names it.
7. A proposal ends once; it is approved as `ledger.proposals` allows: its exact bytes, by another person, who has not
   filed what is decided either, while what it was decided on has not moved. What was proposed, no more and no less,
   stands directly behind its approval.

Of a bundle's entries some may be left out. What stands behind an approval may not; nor what was ordered about a
stream that is there, or in an appeal of the bundle's own unit.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final, NamedTuple
from uuid import UUID, uuid5

from ledger.appending import STREAMS
from ledger.checking.approvals import carries_out, follows_order, follows_wish, records, wish_of
from ledger.checking.findings import Finding, finding
from ledger.checking.remembered import Remembered
from ledger.commands import DecideAppeal, Order
from ledger.event_bytes import written_moment
from ledger.events import (
    AppealDecided,
    AppealFiled,
    ClaimDecided,
    ClaimFiled,
    Event,
    ObservationAmended,
    ObservationObserved,
    ObservationVoided,
    OfYear,
    ProposalApproved,
    ProposalDeclined,
    ProposalMade,
    Reading,
    SchemeReference,
    YearClosed,
)
from ledger.facts import ENTRIES
from ledger.proceedings import Action, ProceedingState, fold_proceeding, refuse_action, refuse_own
from ledger.proposals import (
    ProposalState,
    decide_approval,
    decide_declining,
    fold_proposal,
    refuse_outdated,
)
from ledger.rejection import Rejection

_WHAT: Final = "events.state"
_MISSING: Final = {"approval-other-content": "approval-incomplete"}
_STEPS: Final[Mapping[str, Action]] = {
    "proceeding.returned/1": "return",
    "proceeding.completed/1": "complete",
    "proceeding.accepted/1": "accept",
    "proceeding.reviewed/1": "review",
    "proceeding.withdrawn/1": "withdraw",
    "appeal.decided/1": "decide",
    "claim.decided/1": "decide",
}


class _Expected(NamedTuple):
    """What must stand at a position, because of the event at position `by`; `stream` is null where any will do."""

    position: int
    by: int
    code: str
    stream: UUID | None
    is_met: Callable[[Event], bool]
    is_needed: bool


class _Approved(NamedTuple):
    """The approval followed last: its wish, the last position that it covers, and the orders that it approved."""

    position: int
    last: int
    orders: tuple[Order, ...]


class Sequence:
    """The events so far. `follow` each in the order of positions, then `end`.

    `is_whole` is false where events may be left out, then `unit` is the key of the one they were chosen for. Memory
    grows with what waits and with appeals and claims only; the rest is `remembered`.
    """

    def __init__(self, code: str, remembered: Remembered, *, is_whole: bool = True, unit: str | None = None) -> None:
        self._code = code
        self._remembered = remembered
        self._is_whole = is_whole
        self._unit = unit
        self._last: tuple[int, Event] | None = None
        self._approved = _Approved(0, 0, ())
        self._expected: list[_Expected] = []
        self._decisions: dict[int, UUID] = {}
        self._proposals: dict[UUID, ProposalState] = {}
        self._proceedings: dict[UUID, ProceedingState] = {}
        self.streams = 0
        self.ordered = 0

    def follow(self, position: int, leaf: bytes, event: Event) -> Iterator[Finding]:
        """Yield what is wrong with the event, seen from those before it."""
        yield from self._order(position, event)
        yield from self._stream(position, event)
        yield from self._names(position, event)
        yield from self._awaited(position, event)
        if event.wire in ENTRIES:
            yield from self._observation(position, event)
        elif isinstance(event, AppealFiled | ClaimFiled) or event.wire in _STEPS:
            yield from self._proceeding(position, event)
        elif isinstance(event, ProposalMade):
            yield from self._proposal(position, leaf, event)
        elif isinstance(event, ProposalApproved | ProposalDeclined):
            yield from self._end_of_proposal(position, event)

    def is_approved(self, position: int) -> bool:
        """Whether the event at the position, the last one followed, was recorded by an approval that is sound."""
        return self._approved.position < position <= self._approved.last

    def end(self) -> Iterator[Finding]:
        """Yield what is missing behind the last event."""
        yield from self._missing(None)

    # --- every event -------------------------------------------------------------------------------------------

    def _order(self, position: int, event: Event) -> Iterator[Finding]:
        if self._last is not None:
            before, last = self._last
            if position <= before:
                yield finding(position, "positions-not-rising", _WHAT, f"a position after {before}", position)
            if event.recorded_at < last.recorded_at:
                expected = f"not before {written_moment(last.recorded_at)}"
                yield finding(position, "time-backwards", _WHAT, expected, written_moment(event.recorded_at))
        self._last = (position, event)

    def _stream(self, position: int, event: Event) -> Iterator[Finding]:
        stream = event.originator_id
        before = self._version(stream)
        self.streams += not before
        if event.originator_version != before + 1:
            told = f"version {before + 1} of stream {stream}"
            yield finding(position, "stream-version", _WHAT, told, f"version {event.originator_version}")
        self._remembered.put("stream", stream.bytes, event.originator_version)
        if isinstance(event, OfYear):
            year = self._remembered.first("year", stream.bytes, event.year)
            if year not in (None, event.year):
                yield finding(position, "stream-year", _WHAT, f"an event of the year {year}", event.year)
        used = self._remembered.first("nonce", bytes.fromhex(event.nonce), position)
        if used is not None:
            yield finding(position, "nonce-reused", _WHAT, "a nonce of its own", f"that of position {used}")

    def _names(self, position: int, event: Event) -> Iterator[Finding]:
        """Hold what the event is named by against what it says: a year's stream, a close's position, a document."""
        if isinstance(event, OfYear) and event.wire.startswith("year."):
            own = uuid5(STREAMS, f"{self._code}/year/{event.year}")
            if event.originator_id != own:
                yield finding(position, "year-stream", _WHAT, f"the stream {own}", event.originator_id)
        if isinstance(event, YearClosed) and event.position != position - 1:
            yield finding(position, "closing-position", _WHAT, f"a close at position {position - 1}", event.position)
        scheme = getattr(event, "scheme", None)
        if isinstance(scheme, SchemeReference):
            key = json.dumps((scheme.id, scheme.version)).encode()
            digest = self._remembered.first("scheme", key, scheme.digest)
            if digest not in (None, scheme.digest):
                told = f"{digest}, that of version {scheme.version} of {scheme.id}"
                yield finding(position, "scheme-two-documents", _WHAT, told, scheme.digest)

    def _version(self, stream: UUID) -> int:
        version: int | None = self._remembered.get("stream", stream.bytes)
        return version or 0

    # --- observations ------------------------------------------------------------------------------------------

    def _observation(self, position: int, event: Event) -> Iterator[Finding]:
        key = event.originator_id.bytes
        before: str | None = self._remembered.get("observation", key)
        if (before is None) != isinstance(event, ObservationObserved):
            yield finding(position, "stream-order", _WHAT, "first an observation, then what follows it", event.wire)
            return
        if before == "":
            yield finding(position, "entry-after-void", _WHAT, "nothing after a void", event.wire)
            return
        if isinstance(event, ObservationAmended) and before is not None:
            reads = event.changes.applied_to(Reading.model_validate_json(before))
            if reads != event.reading:
                yield finding(position, "amendment-not-following", _WHAT, reads, event.reading)
        if isinstance(event, ObservationVoided):
            self._remembered.put("observation", key, "")
        elif isinstance(event, ObservationObserved | ObservationAmended):
            self._remembered.put("observation", key, event.reading.model_dump_json())

    # --- what stands behind approvals and decisions ------------------------------------------------------------

    def _awaited(self, position: int, event: Event) -> Iterator[Finding]:
        """Hold the event against what must stand at its position, and tell what is missing before it."""
        yield from self._missing(position)
        for one in [one for one in self._expected if one.position == position]:
            self._expected.remove(one)
            if not one.is_met(event):
                yield finding(position, one.code, _WHAT, f"what position {one.by} says is recorded here", event.wire)
        decision, ordered = getattr(event, "decision", None), self._decisions.pop(position, None)
        if decision != ordered:
            yield finding(position, "decision-not-there", _WHAT, f"an entry by the decision {ordered}", decision)
        self.ordered += ordered is not None

    def _missing(self, before: int | None) -> Iterator[Finding]:
        for one in [one for one in self._expected if before is None or one.position < before]:
            self._expected.remove(one)
            self._decisions.pop(one.position, None)
            is_there = one.stream is not None and self._version(one.stream) > 0
            if self._is_whole or one.is_needed or is_there:
                told = f"what it says is recorded at position {one.position}"
                yield finding(one.by, _MISSING.get(one.code, one.code), _WHAT, told, None)

    # --- appeals and claims ------------------------------------------------------------------------------------

    def _proceeding(self, position: int, event: Event) -> Iterator[Finding]:
        stream = event.originator_id
        state = self._proceedings.get(stream)
        if (state is None) != isinstance(event, AppealFiled | ClaimFiled):
            yield finding(position, "stream-order", _WHAT, "first a filing, then what follows it", event.wire)
            return
        if state is not None:
            try:
                refuse_action(state, _STEPS[event.wire])
            except Rejection as rejection:
                yield _refused(position, rejection)
            yield from self._decided(position, state, event)
        self._proceedings[stream] = fold_proceeding(state, event)

    def _decided(self, position: int, state: ProceedingState, event: Event) -> Iterator[Finding]:
        if isinstance(event, AppealDecided | ClaimDecided):
            kind = "appeal" if isinstance(event, AppealDecided) else "claim"
            if kind != state.kind:
                yield finding(position, "decision-other-kind", _WHAT, f"a decision of the {state.kind}", event.wire)
        if isinstance(event, ClaimDecided):
            row = (state.unit, *state.indicators[:1])
            if (event.unit, event.indicator) != row:
                yield finding(position, "decision-other-row", _WHAT, row, (event.unit, event.indicator))
        if isinstance(event, AppealDecided):
            self._await_orders(position, state, event)

    def _await_orders(self, position: int, state: ProceedingState, decision: AppealDecided) -> None:
        wished: tuple[Order, ...] = self._approved.orders if position == self._approved.position + 1 else ()
        for at, ordered in enumerate(decision.orders):

            def is_met(event: Event, at: int = at) -> bool:
                approved = at >= len(wished) or follows_wish(wished[at], state.unit, event)
                return approved and follows_order(decision, decision.orders[at], event)

            self._decisions[position + at + 1] = decision.originator_id
            is_own = state.unit == self._unit
            self._expected.append(
                _Expected(position + at + 1, position, "order-not-carried-out", ordered.observation, is_met, is_own)
            )

    # --- proposals ---------------------------------------------------------------------------------------------

    def _proposal(self, position: int, leaf: bytes, event: ProposalMade) -> Iterator[Finding]:
        if event.originator_version != 1:
            yield finding(position, "stream-order", _WHAT, "a proposal at the beginning of its stream", event.wire)
            return
        state = fold_proposal(None, event, leaf.hex())
        if wish_of(state) is None:
            yield finding(position, "proposal-content", _WHAT, f"what can be proposed as {event.action}", event.content)
        self._proposals[event.originator_id] = state

    def _end_of_proposal(self, position: int, event: ProposalApproved | ProposalDeclined) -> Iterator[Finding]:
        stream = event.originator_id
        state = self._proposals.get(stream)
        if state is None:
            yield finding(position, "approval-without-proposal", _WHAT, "a proposal before it in its stream", None)
            return
        try:
            if isinstance(event, ProposalApproved):
                self._refuse_approval(state, event)
                yield from self._await_approved(position, state, event)
            else:
                decide_declining(state, event.person, own_only=False)
        except Rejection as rejection:
            yield _refused(position, rejection)
        # What was proposed is not needed any more.
        self._proposals[stream] = replace(fold_proposal(state, event, ""), content={})

    def _refuse_approval(self, state: ProposalState, event: ProposalApproved) -> None:
        """Refuse what could not have been approved where it stands."""
        decide_approval(state, event.person, event.leaf_hash)
        filed = None if state.about is None else self._proceedings.get(state.about)
        if filed is not None:
            refuse_own(filed, event.person)
            refuse_own(filed, state.person)
        known = {stream: self._version(stream) for stream in state.depends}
        refuse_outdated(state, known if self._is_whole else {**state.depends, **_seen(known)})

    def _await_approved(self, position: int, state: ProposalState, event: ProposalApproved) -> Iterator[Finding]:
        wish = wish_of(state)
        if wish is None:
            return
        recorded = records(wish)
        if event.recorded != recorded:
            yield finding(position, "approval-recorded", _WHAT, recorded, event.recorded)
        orders = wish.orders if isinstance(wish, DecideAppeal) else ()
        self._approved = _Approved(position, position + recorded, orders)

        def is_met(event: Event) -> bool:
            return carries_out(state, wish, event)

        self._expected.append(_Expected(position + 1, position, "approval-other-content", None, is_met, True))


def _seen(versions: Mapping[UUID, int]) -> dict[UUID, int]:
    return {stream: version for stream, version in versions.items() if version}


def _refused(position: int, rejection: Rejection) -> Finding:
    one = rejection.refusals[0]
    return finding(position, one.code, _WHAT, "what could be recorded there", one.message)
