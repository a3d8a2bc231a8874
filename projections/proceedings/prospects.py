"""What a decision would change, before it is made; and what one has changed. Nothing is recorded here.

The orders of an appeal's decision are suppositions, and answered by the engine that answers any other. A granted claim
is the year with one more claim. What was decided is the year at two ledger positions, as in a dossier; a unit is shown
it only where both lie within what was released to it, and never another unit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from ledger.commands import Order, OrderAmend, OrderJudge, OrderVoid
from projections.answer_models import Answer
from projections.jurisdictions import Jurisdictions
from projections.proceedings.models import ProceedingAnswer
from projections.questions.models import (
    SupposedAmendment,
    SupposedObservation,
    Suppositions,
    UnitChangeAnswer,
)
from projections.questions.what_ifs import unit_change_answer, what_if_answer
from projections.years import YearView
from schemes.questions.what_if import UnitChange
from schemes.sheets import Sheet, sheets
from schemes.working_days import DAY


class ProspectAnswer(Answer):
    """A unit before and after, and the others whose total, rank or grade move.

    Where observations are left out and the unit's total stays, `reasons` say why.
    """

    unit: UnitChangeAnswer
    others: list[UnitChangeAnswer]
    reasons: list[str]


def supposed_orders(orders: Sequence[Order]) -> Suppositions:
    """Return the orders of a decision as suppositions."""
    without, amended, added = [], [], []
    for order in orders:
        match order:
            case OrderVoid():
                without.append(str(order.void))
            case OrderAmend():
                amended.append(SupposedAmendment(observation=str(order.amend), changes=order.changes))
            case OrderJudge():
                said: dict[str, str | int | list[str]] = {"indicator": order.judge, "value": order.value}
                added.append(SupposedObservation(kind="judgement", occurred_on=order.occurred_on, attributes=said))
    return Suppositions(without=tuple(without), amended=tuple(amended), added=tuple(added))


def supposed_change(
    jurisdictions: Jurisdictions, code: str, year: int, unit: str, supposed: Suppositions
) -> ProspectAnswer:
    """Return what the suppositions would change for the unit, as the year stands now; refuses as what-ifs do."""
    view = _until_it_left(jurisdictions, code, year, unit)
    answer = what_if_answer(view, view.unit(unit), supposed)
    reasons = [reason.sentence for still in answer.unmoved for reason in still.why_not]
    return ProspectAnswer(unit=answer.unit, others=answer.others, reasons=list(dict.fromkeys(reasons)))


def granted_change(jurisdictions: Jurisdictions, code: str, year: int, unit: str, indicator: str) -> ProspectAnswer:
    """Return what granting the unit's claim about the row would change, as the year stands now."""
    view = _until_it_left(jurisdictions, code, year, unit)
    found = view.unit(unit)
    claims = view.claims | {(found.key, indicator)}
    return _change(view, found.key, view.sheets(), sheets(replace(view.situation, claims=claims)))


def decided_change(jurisdictions: Jurisdictions, answer: ProceedingAnswer) -> ProspectAnswer | None:
    """Return what the decision changed, for those who see all units; None until there is one."""
    if answer.decided_position is None:
        return None
    as_of = _last_day(jurisdictions, answer.jurisdiction, answer.year, answer.key)
    before, after = _around(jurisdictions, answer, answer.decided_position, as_of)
    return _change(after, answer.key, before.sheets(), after.sheets())


def released_change(jurisdictions: Jurisdictions, answer: ProceedingAnswer) -> ProspectAnswer | None:
    """Return what the decision changed for the unit itself; None where that was not released to it yet."""
    released = jurisdictions.opened_year(answer.jurisdiction, answer.year)[0].released
    if answer.decided_position is None or released is None or released.position < answer.last_position:
        return None
    last = _last_day(jurisdictions, answer.jurisdiction, answer.year, answer.key)
    as_of = released.as_of if last is None else min(last, released.as_of)
    before, after = _around(jurisdictions, answer, answer.decided_position, as_of)
    if answer.key not in before.sheets() or answer.key not in after.sheets():
        return None
    change = _change(after, answer.key, before.sheets(), after.sheets())
    return change.model_copy(update={"others": []})


def _around(
    jurisdictions: Jurisdictions, answer: ProceedingAnswer, decided: int, as_of: date | None
) -> tuple[YearView, YearView]:
    def at(position: int) -> YearView:
        return jurisdictions.view(answer.jurisdiction, answer.year, as_of, None, position)

    return at(decided - 1), at(answer.last_position)


def _until_it_left(jurisdictions: Jurisdictions, code: str, year: int, unit: str) -> YearView:
    return jurisdictions.view(code, year, _last_day(jurisdictions, code, year, unit))


def _last_day(jurisdictions: Jurisdictions, code: str, year: int, unit: str) -> date | None:
    """Return the last day on which the unit was assessed; None where it never left."""
    left_on = jurisdictions.view(code, year).unit_of_year(unit).left_on
    return None if left_on is None else left_on - DAY


def _change(view: YearView, key: str, before: Mapping[str, Sheet], after: Mapping[str, Sheet]) -> ProspectAnswer:
    own = unit_change_answer(view, UnitChange(before[key], after[key]))
    return ProspectAnswer(unit=own, others=list(_others(view, key, before, after)), reasons=[])


def _others(
    view: YearView, key: str, before: Mapping[str, Sheet], after: Mapping[str, Sheet]
) -> Iterator[UnitChangeAnswer]:
    for other, new in after.items():
        old = before.get(other)
        if other != key and old is not None and _standing(old) != _standing(new):
            yield unit_change_answer(view, UnitChange(old, new))


def _standing(sheet: Sheet) -> tuple[object, ...]:
    return sheet.total, sheet.rank, sheet.grade
