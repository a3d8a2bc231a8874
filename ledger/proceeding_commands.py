"""Commands about appeals and claims: file, the steps between, decide. A closed year takes them too.

A claim's stream is named by its unit and indicator, with a number, because at most one claim for a row may be open or
granted: two that are filed at once meet in one stream, and one of them is decided again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from ledger.appending import Append, Appending, Build
from ledger.commands import (
    Accept,
    Attempt,
    Complete,
    DecideAppeal,
    DecideClaim,
    FileAppeal,
    FileClaim,
    Order,
    OrderAmend,
    OrderJudge,
    OrderVoid,
    Receipt,
    Return,
    Review,
    Step,
    Withdraw,
)
from ledger.decisions import ObservationState, YearState, local_day
from ledger.events import (
    AppealDecided,
    AppealFiled,
    ClaimDecided,
    ClaimFiled,
    Event,
    ObservationAmended,
    ObservationObserved,
    ObservationVoided,
    Ordered,
    ProceedingAccepted,
    ProceedingCompleted,
    ProceedingReturned,
    ProceedingReviewed,
    ProceedingWithdrawn,
    Reading,
)
from ledger.proceedings import (
    Kind,
    ProceedingState,
    decide_appeal_filing,
    decide_claim_filing,
    decide_orders,
    decide_step,
    fold_proceeding,
    refuse_action,
    refuse_own,
)
from ledger.rejection import Refusal, Rejection, rejected

_ORDERS: Final[Mapping[type[Order], Literal["void", "amend", "judge"]]] = {
    OrderVoid: "void",
    OrderAmend: "amend",
    OrderJudge: "judge",
}
_STEPS: Final[Mapping[type[Step], Callable[..., Event]]] = {
    Return: ProceedingReturned,
    Complete: ProceedingCompleted,
    Accept: ProceedingAccepted,
    Review: ProceedingReviewed,
    Withdraw: ProceedingWithdrawn,
}


class ProceedingCommands(Appending):
    """What can be recorded about appeals and claims."""

    def proceeding(self, year: int, kind: Kind, identifier: UUID) -> ProceedingState:
        """Return the year's appeal or claim of that id; refuses any other id (`unknown-appeal`, `unknown-claim`)."""
        state = self._proceeding(identifier)
        if state is None or (state.year, state.kind) != (year, kind):
            raise rejected(
                f"unknown-{kind}", "proceeding", f"no {kind} {identifier} in the year {year} of ledger {self.code}"
            )
        return state

    def file_appeal(self, attempt: Attempt, year: int, wish: FileAppeal) -> list[Receipt]:
        """File an appeal of a unit about observations said of it or rows of its sheet; its id is the event's stream."""
        stream = self.stream("appeal", attempt.key)

        def build(moment: datetime) -> Append:
            state = self._known_year(year)
            places = {one: f"observations[{at}]" for at, one in enumerate(wish.observations)}
            disputed = self._observations(places)
            today = local_day(moment)
            unit = decide_appeal_filing(state, wish.unit, disputed, wish.indicators, today, self._admission)
            head = self._head(stream, 1, moment, attempt)
            event = AppealFiled(**head, year=year, person=attempt.person, **{**dict(wish), "unit": unit})
            return Append([event], {stream: 0, **self._expects(state, disputed)})

        return self._append(attempt, ("appeal", year, wish), build)

    def file_claim(self, attempt: Attempt, year: int, wish: FileClaim) -> list[Receipt]:
        """File a claim that a row of the unit's sheet does not concern it this year; its id is the event's stream."""

        def build(moment: datetime) -> Append:
            state = self._known_year(year)
            unit = decide_claim_filing(state, wish.unit, wish.indicator, local_day(moment), self._admission)
            stream = self._next_claim(year, unit, wish.indicator)
            head = self._head(stream, 1, moment, attempt)
            event = ClaimFiled(**head, year=year, person=attempt.person, **{**dict(wish), "unit": unit})
            return Append([event], {stream: 0, **self._expects(state, {})})

        return self._append(attempt, ("claim", year, wish), build)

    def step(self, attempt: Attempt, year: int, kind: Kind, identifier: UUID, wish: Step) -> list[Receipt]:
        """Return, complete, accept, review or withdraw an appeal or a claim."""

        def build(moment: datetime) -> Append:
            state = self.proceeding(year, kind, identifier)
            decide_step(state, wish)
            head = self._head(identifier, state.version + 1, moment, attempt)
            event = _STEPS[type(wish)](**head, year=year, **dict(wish))
            return Append([event], {identifier: state.version})

        return self._append(attempt, (type(wish).__name__.lower(), year, kind, identifier, wish), build)

    def decide_appeal(self, attempt: Attempt, year: int, identifier: UUID, wish: DecideAppeal) -> list[Receipt]:
        """Decide an appeal and record what that orders; the decision's receipt comes first, then one for each order.

        Of a signed-in person it is a proposal.
        """
        build = self._deciding_appeal(attempt, year, identifier, wish)
        proposing = self._proposing(attempt, "decide_appeal", wish, build, year, identifier)
        return self._append(attempt, ("decide", year, identifier, wish), proposing)

    def decide_claim(self, attempt: Attempt, year: int, identifier: UUID, wish: DecideClaim) -> list[Receipt]:
        """Decide a claim; granted, its row is not applicable to the unit from now on. See `decide_appeal`."""
        build = self._deciding_claim(attempt, year, identifier, wish)
        proposing = self._proposing(attempt, "decide_claim", wish, build, year, identifier)
        return self._append(attempt, ("decide", year, identifier, wish), proposing)

    def _deciding_appeal(self, attempt: Attempt, year: int, identifier: UUID, wish: DecideAppeal) -> Build:
        def build(moment: datetime) -> Append:
            state = self.proceeding(year, "appeal", identifier)
            refuse_action(state, "decide")
            refuse_own(state, attempt.person)
            known = self._known_year(year)
            about = {_about(order): f"orders[{at}]" for at, order in enumerate(wish.orders)}
            concerned = self._observations({one: place for one, place in about.items() if one is not None})
            disputed = () if known.closed_at is None else state.observations
            looked_at = {**self._observations(dict.fromkeys(disputed, "appeal")), **concerned}
            readings = decide_orders(known, state, wish.orders, looked_at, self._admission)
            heads = self._ordered_heads(wish.orders, concerned, moment, attempt)
            entries = [
                _entry(order, reading, wish.reasons, {**head, "year": year, "decision": identifier})
                for order, reading, head in zip(wish.orders, readings, heads, strict=True)
            ]
            decided = AppealDecided(
                **self._head(identifier, state.version + 1, moment, attempt),
                year=year,
                outcome=wish.outcome,
                reasons=wish.reasons,
                orders=tuple(
                    Ordered(order=_ORDERS[type(order)], observation=entry.originator_id)
                    for order, entry in zip(wish.orders, entries, strict=True)
                ),
                evidence=wish.evidence,
            )
            return Append([decided, *entries], {identifier: state.version, **self._expects(known, looked_at)})

        return build

    def _deciding_claim(self, attempt: Attempt, year: int, identifier: UUID, wish: DecideClaim) -> Build:
        def build(moment: datetime) -> Append:
            state = self.proceeding(year, "claim", identifier)
            refuse_action(state, "decide")
            refuse_own(state, attempt.person)
            event = ClaimDecided(
                **self._head(identifier, state.version + 1, moment, attempt),
                year=year,
                unit=state.unit,
                indicator=state.indicators[0],
                **dict(wish),
            )
            return Append([event], {identifier: state.version})

        return build

    def _proceeding(self, identifier: UUID) -> ProceedingState | None:
        state: ProceedingState | None = None
        for event in self.events.get(identifier):
            if state is None and not isinstance(event, AppealFiled | ClaimFiled):
                return None
            state = fold_proceeding(state, event)  # type: ignore[arg-type]  # the mapper gives events of the ledger
        return state

    def _observations(self, places: Mapping[UUID, str]) -> dict[UUID, ObservationState]:
        """Return the observations; refuses, all at once and each at its place, those that the ledger does not have."""
        found: dict[UUID, ObservationState] = {}
        refusals: list[Refusal] = []
        for identifier, place in places.items():
            try:
                found[identifier] = self.observation(identifier)
            except Rejection as rejection:
                refusals += [Refusal(one.code, place, one.message) for one in rejection.refusals]
        if refusals:
            raise Rejection(*refusals)
        return found

    def _next_claim(self, year: int, unit: str, indicator: str) -> UUID:
        """Return the stream of the next claim for the row; refuses one while another is open or granted."""
        row = ("claim", year, _part(unit), _part(indicator))
        number = 1
        while (earlier := self._proceeding(stream := self.stream(*row, number))) is not None:
            if earlier.is_open or earlier.outcome == "granted":
                said = "granted" if earlier.outcome else "open"
                message = f"the claim {earlier.id} for indicator {indicator} is {said} already"
                raise rejected(f"claim-{said}", "indicator", message)
            number += 1
        return stream

    def _expects(self, year: YearState, observations: Mapping[UUID, ObservationState]) -> dict[UUID, int]:
        versions = {identifier: state.version for identifier, state in observations.items()}
        return {self.stream("year", year.year): year.version, **versions}

    def _ordered_heads(
        self,
        orders: Sequence[Order],
        observations: Mapping[UUID, ObservationState],
        moment: datetime,
        attempt: Attempt,
    ) -> list[dict[str, Any]]:
        heads = []
        for at, order in enumerate(orders):
            about = _about(order)
            if about is None:
                heads.append(self._head(self.stream("observation", attempt.key, at), 1, moment, attempt))
            else:
                heads.append(self._head(about, observations[about].version + 1, moment, attempt))
        return heads


def _part(name: str) -> str:
    """Return the name as one part of a stream's: the parts stand between slashes."""
    return name.replace("%", "%25").replace("/", "%2F")


def _about(order: Order) -> UUID | None:
    """The observation that is ordered void or amended."""
    match order:
        case OrderVoid():
            return order.void
        case OrderAmend():
            return order.amend
        case OrderJudge():
            return None


def _entry(order: Order, reading: Reading | None, reasons: str, head: Mapping[str, Any]) -> Event:
    """Return the entry that carries out the order; the decision's reasons are its own."""
    match order, reading:
        case OrderVoid(), None:
            return ObservationVoided(**head, reason=reasons, evidence=())
        case OrderAmend(), Reading():
            return ObservationAmended(**head, changes=order.changes, reading=reading, reason=reasons)
        case OrderJudge(), Reading():
            return ObservationObserved(**head, reading=reading, evidence=(), note=reasons)
        case _:
            raise TypeError(f"expected an order with what it makes read, got {order!r} and {reading!r}")
