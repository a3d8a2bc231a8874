"""One appeal for each county: found in the year as it was told, filed, accepted, reviewed and decided, once.

The unit and the fact are those for which the decision changes most: a grade before a rank, a rank before points. For
an appeal that is dismissed it is a fact whose removal changes nothing, and the decision says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time
from decimal import Decimal
from typing import Final
from uuid import UUID

from api.demonstration.issues import SHANGHAI, working_days_after
from api.demonstration.plan import Appeal, plan_of
from ledger.commands import Accept, Attempt, DecideAppeal, FileAppeal, Order, OrderAmend, OrderJudge, OrderVoid, Review
from ledger.events import Changes, Evidence
from projections.jurisdictions import Jurisdictions
from projections.proceedings.closings import close_year
from projections.proceedings.deciding import decide_appeal
from projections.proceedings.proceedings import Proceeding, proceeding_of, proceedings_of
from projections.sentences import scheme_words
from projections.years import YearView
from schemes.exact import plain
from schemes.fact import Fact
from schemes.questions.what_if import Supposition, UnitChange, what_if, without_each
from schemes.scheme import Indicator, Scheme
from schemes.wording import fact_phrase

_LAST_DAYS: Final = 13
"""Working days before the end of the year's entries within which a fact can still be appealed against."""
_LIMITS: Final = frozenset({"maximum", "floor", "forfeited", "bonus_cap", "penalty_cap", "total_cap", "total_floor"})
"""Why the removal of a fact changes nothing, where it is a limit that says so."""


@dataclass(frozen=True, slots=True)
class _Found:
    """The fact that the appeal is about, the row it is about, and what the decision orders."""

    unit: str
    fact: Fact
    row: str
    orders: tuple[Order, ...]


def appeal(jurisdictions: Jurisdictions, scheme: Scheme) -> Proceeding:
    """Record the county's appeal with all its steps, and return it; what is there already stays as it is."""
    plan = plan_of(scheme.id)
    wish, code, year = plan.appeal, scheme.jurisdiction.code, scheme.year
    ledger = jurisdictions.known_ledger(code)
    if wish.closing is not None and not jurisdictions.closings(code, year):
        closed = Attempt(scheme.document.issuer, _days_after(jurisdictions.view(code, year), 5), _key(scheme, "close"))
        close_year(jurisdictions, code, year, closed, wish.closing)
    identifier = ledger.stream("appeal", _key(scheme, "file"))
    view = jurisdictions.view(code, year)
    filed = [one for one in proceedings_of(view) if one.state.id == identifier]
    # Found in the year as it was before, so that an interrupted demonstration goes on with the same appeal.
    before = jurisdictions.view(code, year, position=filed[0].steps[0].position - 1) if filed else view
    _take_steps(jurisdictions, before, scheme, identifier)
    return proceeding_of(jurisdictions.view(code, year), "appeal", identifier)


def _take_steps(jurisdictions: Jurisdictions, view: YearView, scheme: Scheme, identifier: UUID) -> None:
    code = scheme.jurisdiction.code
    ledger = jurisdictions.known_ledger(code)
    plan = plan_of(scheme.id)
    wish, found = plan.appeal, _found(view, plan.appeal)
    words = scheme_words(scheme)
    told = {"unit": found.unit, "fact": fact_phrase(found.fact, words), "row": found.row}

    def attempt(who: str, days: int, step: str) -> Attempt:
        return Attempt(who, _days_after(view, days), _key(scheme, step))

    def document(title: str, number: str) -> tuple[Evidence, ...]:
        return (Evidence(title=title, document=number),)

    file = FileAppeal(
        unit=found.unit,
        observations=(UUID(found.fact.id),),
        grounds=wish.grounds.format_map(told),
        evidence=document(wish.evidence, f"{found.unit}申〔{scheme.year + 1}〕1号"),
    )
    review = Review(finding=wish.finding, recommendation=wish.recommendation)
    decide = DecideAppeal(
        outcome=wish.outcome,
        reasons=wish.reasons.format_map(told),
        orders=found.orders,
        evidence=document("政务公开考核申诉处理决定书", wish.decision_document),
    )
    ledger.file_appeal(attempt(found.unit, 2, "file"), scheme.year, file)
    ledger.step(attempt(plan.reviewer, 3, "accept"), scheme.year, "appeal", identifier, Accept())
    ledger.step(attempt(plan.reviewer, 5, "review"), scheme.year, "appeal", identifier, review)
    issuer = attempt(scheme.document.issuer, 7, "decide")
    decide_appeal(jurisdictions, code, scheme.year, issuer, identifier, decide)


def _key(scheme: Scheme, step: str) -> str:
    return f"demonstration/{scheme.id}/appeal/{step}"


def _days_after(view: YearView, days: int) -> datetime:
    """Return a moment that many working days after the last thing recorded of the year."""
    last = max(entry.recorded_at for entry in view.entries).astimezone(SHANGHAI).date()
    closed = view.state.closed_at
    begun = last if closed is None else closed.astimezone(SHANGHAI).date()
    return datetime.combine(working_days_after(begun, days), time(10), SHANGHAI)


def _found(view: YearView, wish: Appeal) -> _Found:
    match wish.order:
        case "judge":
            return _most_changing(view, wish, _judged_at_its_best)
        case "amend":
            return _most_changing(view, wish, _counted_otherwise(wish))
        case "void":
            return _most_changing(view, wish, _left_out)
        case None:
            return _changing_nothing(view, wish)


Ordered = tuple[Supposition, Order]


def _judged_at_its_best(view: YearView, fact: Fact, row: Indicator) -> Ordered | None:
    best = row.judged.max if row.judged else Decimal(0)
    if row.judged is None or fact.decimal("value") >= best:
        return None
    order = OrderJudge(judge=row.id, value=plain(best), occurred_on=view.scheme.period.last)
    return Supposition(judgements={(fact.unit, row.id): best}), order


def _counted_otherwise(wish: Appeal) -> Callable[[YearView, Fact, Indicator], Ordered | None]:
    def counted(_view: YearView, fact: Fact, _row: Indicator) -> Ordered | None:
        if wish.count is None or fact.count <= wish.count:
            return None
        amended = replace(fact, count=wish.count)
        return Supposition(amended=(amended,)), OrderAmend(amend=UUID(fact.id), changes=Changes(count=wish.count))

    return counted


def _left_out(_view: YearView, fact: Fact, _row: Indicator) -> Ordered | None:
    return Supposition(without=(fact.id,)), OrderVoid(void=UUID(fact.id))


def _most_changing(
    view: YearView, wish: Appeal, ordered: Callable[[YearView, Fact, Indicator], Ordered | None]
) -> _Found:
    """Return the fact for which the order would change the unit's standing most; the first of several."""
    best: tuple[tuple[bool, int, Decimal], _Found] | None = None
    for fact, row in _disputable(view, wish):
        order = ordered(view, fact, row)
        change = order and what_if(view.situation, order[0], view.sheets()).of(fact.unit)
        if order is None or change is None:
            continue
        gain = _gain(change)
        if gain[2] > 0 and (best is None or gain > best[0]):
            best = gain, _Found(fact.unit, fact, row.titles[-1], (order[1],))
    if best is None:
        raise ValueError(f"expected a fact of {', '.join(wish.kinds)} that an appeal could change, found none")
    return best[1]


def _gain(change: UnitChange) -> tuple[bool, int, Decimal]:
    before, after = change.before, change.after
    return before.grade != after.grade, before.rank - after.rank, change.difference


def _changing_nothing(view: YearView, wish: Appeal) -> _Found:
    """Return the first fact that a limit makes worthless: its removal alone would change nothing."""
    rows = {fact.id: row for fact, row in _disputable(view, wish)}
    for unit in view.units:
        for one in without_each(view.situation, unit.key, view.sheets()):
            if one.fact.id in rows and any(reason.code in _LIMITS for reason in one.why_not):
                return _Found(unit.key, one.fact, rows[one.fact.id].titles[-1], ())
    raise ValueError(f"expected a fact of {', '.join(wish.kinds)} that a limit has swallowed, found none")


def _disputable(view: YearView, wish: Appeal) -> Iterator[tuple[Fact, Indicator]]:
    """Yield the recorded facts that can be appealed against, each with the first row that it touches."""
    last = max(entry.recorded_at for entry in view.entries).astimezone(SHANGHAI).date()
    for unit in view.units:
        seen = set()
        for line in view.history(unit).lines:
            fact, row = line.fact, line.indicator
            if fact is None or row is None or fact.sources or fact.id in seen or fact.kind not in wish.kinds:
                continue
            seen.add(fact.id)
            said = view.entries_of(fact.id)[-1].recorded_at.astimezone(SHANGHAI).date()
            if wish.closing is not None or working_days_after(said, _LAST_DAYS) >= last:
                yield fact, row
