"""What an approval or a decision of an appeal must be followed by. Pure.

Rules kept here: what was recorded says all of what was wished for and nothing else, in the name of whoever proposed
it; what a decision ordered is of the kind ordered, about the observation ordered, and names the decision. That each
stands directly behind what it follows from is left to `ledger.checking.sequence`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from ledger.commands import (
    PROPOSED,
    Amend,
    DecideAppeal,
    DecideClaim,
    EraseEvidence,
    Observe,
    Order,
    OrderAmend,
    OrderJudge,
    OrderVoid,
    Rectify,
    Void,
)
from ledger.events import (
    AppealDecided,
    ClaimDecided,
    Event,
    EvidenceErased,
    ObservationAmended,
    ObservationObserved,
    ObservationRectified,
    ObservationVoided,
    OfYear,
    Ordered,
    Reading,
    Value,
)
from ledger.proposals import ProposalState

_ENTRIES: Final[Mapping[str, type[Event]]] = {
    "void": ObservationVoided,
    "amend": ObservationAmended,
    "judge": ObservationObserved,
}
"""What carries out an order."""


def wish_of(made: ProposalState) -> Value | None:
    """Return what the proposal wishes for, None where its content is nothing that can be wished for."""
    try:
        return PROPOSED[made.action].model_validate(made.content)
    except ValidationError:
        return None


def records(wish: Value) -> int:
    """Return how many events carry out the wish."""
    return 1 + len(wish.orders) if isinstance(wish, DecideAppeal) else 1


def carries_out(made: ProposalState, wish: Value, event: Event) -> bool:
    """Whether the event is what was wished for: all of it, and nothing else."""
    if event.actor != made.actor:
        return False
    if made.action in ("observe", "decide_appeal", "decide_claim") and getattr(event, "year", None) != made.year:
        return False
    if made.action not in ("observe", "erase_evidence") and event.originator_id != made.about:
        return False
    match wish, event:
        case Observe(), ObservationObserved():
            return (reading_of(wish), wish.evidence, wish.note, None) == (
                event.reading,
                event.evidence,
                event.note,
                event.decision,
            )
        case Amend(), ObservationAmended():
            return event.decision is None and _says(event, wish)
        case Void(), ObservationVoided():
            return event.decision is None and _says(event, wish)
        case DecideAppeal(), AppealDecided():
            return _says(event, wish, but="orders") and _orders_fit(wish.orders, event.orders)
        case (
            (Rectify(), ObservationRectified()) | (DecideClaim(), ClaimDecided()) | (EraseEvidence(), EvidenceErased())
        ):
            return _says(event, wish)
        case _:
            return False


def reading_of(wish: Observe) -> Reading:
    """Return how an observation reads that is recorded as wished for."""
    return Reading(**{name: getattr(wish, name) for name in Reading.model_fields})


def follows_order(decision: AppealDecided, ordered: Ordered, event: Event) -> bool:
    """Whether the event is what the decision ordered, by what the decision itself says."""
    if not isinstance(event, OfYear) or (event.originator_id, event.year) != (ordered.observation, decision.year):
        return False
    if type(event) is not _ENTRIES[ordered.order] or event.actor != decision.actor:
        return False
    match event:
        case ObservationObserved():
            told = event.note == decision.reasons and event.reading.kind == "judgement"
        case ObservationAmended() | ObservationVoided():
            told = event.reason == decision.reasons
        case _:
            told = False
    return told and getattr(event, "decision", None) == decision.originator_id


def follows_wish(order: Order, unit: str | None, event: Event) -> bool:
    """Whether the event, which carries out an order of its kind, says what the approved one says.

    `unit` is whose appeal it is, None where that is not known.
    """
    match order, event:
        case OrderVoid(), ObservationVoided():
            return not event.evidence
        case OrderAmend(), ObservationAmended():
            return event.changes == order.changes
        case OrderJudge(), ObservationObserved():
            said: dict[str, Any] = {"indicator": order.judge, "value": order.value}
            reading = Reading(
                unit=unit or event.reading.unit, kind="judgement", occurred_on=order.occurred_on, attributes=said
            )
            return event.reading == reading and not event.evidence
        case _:
            return False


def _says(event: Event, wish: Value, but: str | None = None) -> bool:
    return all(getattr(event, name) == value for name, value in wish if name != but)


def _orders_fit(wished: Sequence[Order], said: Sequence[Ordered]) -> bool:
    return len(wished) == len(said) and all(map(_order_fits, wished, said))


def _order_fits(wished: Order, said: Ordered) -> bool:
    match wished:
        case OrderVoid():
            return (said.order, said.observation) == ("void", wished.void)
        case OrderAmend():
            return (said.order, said.observation) == ("amend", wished.amend)
        case OrderJudge():
            return said.order == "judge"
