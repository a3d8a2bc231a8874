"""What the ledger cannot see of an appeal before it decides and records: other appeals, and other facts.

One open appeal about an observation is enough: two decisions could order different things about it. An ordered
judgement would count for nothing because a later one of the row stands, or because the row does not apply any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Final
from uuid import UUID

from ledger.commands import Attempt, DecideAppeal, FileAppeal, Order, OrderAmend, OrderJudge, OrderVoid, Receipt
from ledger.events import Changes
from ledger.proceedings import POSSIBLE, ProceedingState
from ledger.rejection import Refusal, Rejection
from projections.jurisdictions import Jurisdictions
from projections.proceedings.proceedings import Proceeding, open_proceedings, proceedings_of
from projections.years import YearView

_NO_CHANGES: Final = Changes.model_construct()


def decide_appeal(
    jurisdictions: Jurisdictions, code: str, year: int, attempt: Attempt, identifier: UUID, wish: DecideAppeal
) -> list[Receipt]:
    """Decide an appeal and record what that orders; the decision's receipt comes first, then one for each order.

    Refuses what the ledger refuses, and a judgement without effect: `judgement-superseded` where one of a later day
    stands and is not ordered void, `indicator-not-applicable` where a granted claim took the row out.
    """
    refuse_without_effect(jurisdictions, code, year, attempt, identifier, wish)
    return jurisdictions.known_ledger(code).decide_appeal(attempt, year, identifier, wish)


def refuse_without_effect(
    jurisdictions: Jurisdictions, code: str, year: int, attempt: Attempt, identifier: UUID, wish: DecideAppeal
) -> None:
    """Refuse a decision that orders a judgement without effect, unless it was recorded under this key already."""
    ledger = jurisdictions.known_ledger(code)
    view = jurisdictions.view(code, year)
    appeal = next((one for one in proceedings_of(view) if one.state.id == identifier), None)
    if appeal is not None and "decide" in POSSIBLE[appeal.state.status]:
        refusals = list(_without_effect(view, appeal, wish.orders))
        # A key that was used has its first answer, or a refusal of its own.
        if refusals and ledger.ledger_recorder.find_key(attempt.key) is None:
            raise Rejection(*refusals)


def file_appeal(
    jurisdictions: Jurisdictions,
    code: str,
    year: int,
    attempt: Attempt,
    wish: FileAppeal,
    units: Sequence[str] | None = None,
) -> list[Receipt]:
    """File an appeal. Refuses what the ledger refuses, and an observation that an open appeal names (`appeal-open`).

    `units` are the names of those that the one who files speaks for; None: all. Another unit's appeal is not named.
    """
    ledger = jurisdictions.known_ledger(code)
    view = jurisdictions.view(code, year)
    disputed = {observation: one.state for one in open_proceedings(view) for observation in one.state.observations}
    seen = view if units is None else view.seen_by(units, view.state)
    refusals = [
        Refusal("appeal-open", f"observations[{at}]", _open_already(disputed[one], seen.shows(disputed[one].unit)))
        for at, one in enumerate(wish.observations)
        if one in disputed
    ]
    if refusals and ledger.ledger_recorder.find_key(attempt.key) is None:
        raise Rejection(*refusals)
    return ledger.file_appeal(attempt, year, wish)


def _open_already(appeal: ProceedingState, shown: bool) -> str:
    if shown:
        return f"the appeal {appeal.id} about it is open; add to that one"
    return "an appeal about it is open; wait until that is decided"


def _without_effect(view: YearView, appeal: Proceeding, orders: Sequence[Order]) -> Iterator[Refusal]:
    unit = appeal.state.unit
    for at, order in enumerate(orders):
        if not isinstance(order, OrderJudge):
            continue
        if (unit, order.judge) in view.claims:
            message = f"a granted claim took the row {order.judge} out of the sheet of {unit}; leave out the order"
            yield Refusal("indicator-not-applicable", f"orders[{at}].judge", message)
            continue
        later = max(_judged_on(view, unit, order.judge, orders), default=order.occurred_on)
        if later > order.occurred_on:
            message = (
                f"found {order.occurred_on}, but a judgement of {order.judge} of {later} stands; "
                f"expected {later} or later, or an order that voids it"
            )
            yield Refusal("judgement-superseded", f"orders[{at}].occurred_on", message)


def _judged_on(view: YearView, unit: str, indicator: str, orders: Sequence[Order]) -> Iterator[date]:
    """Yield the days of the judgements of the row that stand once everything else is carried out."""
    voided = {str(order.void) for order in orders if isinstance(order, OrderVoid)}
    amended = {str(order.amend): order.changes for order in orders if isinstance(order, OrderAmend)}
    for one in view.observed:
        if one.void or one.observation in voided:
            continue
        fact, changes = one.fact, amended.get(one.observation, _NO_CHANGES)
        said_of = view.state.unit(changes.unit or fact.unit)
        attributes: Mapping[str, object] = fact.attributes if changes.attributes is None else changes.attributes
        is_judgement = (changes.kind or fact.kind) == "judgement" and attributes.get("indicator") == indicator
        if is_judgement and said_of is not None and said_of.key == unit:
            yield changes.occurred_on or fact.occurred_on
