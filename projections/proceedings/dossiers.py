"""The dossier of an appeal or a claim: how the score came about before and after the decision, and on what it rests.

Before and after are ledger positions, not moments: the view at the position before the decision, and the one at the
last position that the decision brought with it. An undecided one has only a before, which is now. Both are as of the
end of the period or, for a unit that has left, as of its last day. What the disputed observations were worth is asked
of the view before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from ledger.decisions import Unit
from projections.answers import observation_answer
from projections.jurisdictions import Jurisdictions
from projections.official_documents.places import clause_answers
from projections.proceedings.dossier_models import (
    ComparedRow,
    DossierAnswer,
    MovedUnit,
    ShareAnswer,
    StandingAnswer,
)
from projections.proceedings.models import ProceedingAnswer
from projections.proceedings.proceedings import Proceeding, proceeding_answer
from projections.questions.derivation_models import DerivationAnswer, NodeAnswer
from projections.questions.derivations import derivation_of
from projections.scheme_files import vocabulary
from projections.years import YearView
from schemes.exact import plain
from schemes.questions.what_if import without_each
from schemes.sheets import Sheet
from schemes.vocabulary import Vocabulary
from schemes.working_days import DAY


def dossier_of(jurisdictions: Jurisdictions, view: YearView, proceeding: Proceeding, today: date) -> DossierAnswer:
    """Return the dossier of an appeal or a claim that the view knows; what is due is told as of `today`."""
    answer = proceeding_answer(view, proceeding, today)
    before, after = _views(jurisdictions, view, answer)
    code = answer.jurisdiction
    unit = before.unit(answer.key)
    derived_before = derivation_of(before, unit)
    derived_after = None if after is None else derivation_of(after, after.unit(answer.key))
    rows = list(_rows(before, after or before, unit))
    named = _observations(answer)
    concerned = list(_concerned(answer, named, rows, [one for one in (derived_before, derived_after) if one]))
    group = before.scheme.group(unit.group)
    found = [row for row in (group.indicators if group else ()) if row.id in concerned]
    return DossierAnswer(
        proceeding=answer,
        issuer=before.scheme.document.issuer,
        scheme_title=before.scheme.document.title,
        observations=[observation_answer(view, one) for one in named],
        shares=list(_shares(before, unit, {one.observation for one in answer.observations})),
        concerned=[row.id for row in found],
        clauses=clause_answers(jurisdictions, code, derived_before.scheme, found),
        rows=rows,
        moved=list(_moved(before, after or before, unit)),
        before=derived_before,
        after=derived_after,
    )


def dossier_words(jurisdictions: Jurisdictions, dossier: DossierAnswer) -> Vocabulary:
    """Return the words that the dossier's facts are told in, with the items that the scheme had before the decision.

    What was said of an observation later may name items of the scheme in force now: they are known too.
    """
    told = dossier.proceeding
    then = jurisdictions.scheme(told.jurisdiction, dossier.before.scheme.digest)
    _, now = jurisdictions.opened_year(told.jurisdiction, told.year)
    return vocabulary().extended({**now.items, **then.items})


def _views(jurisdictions: Jurisdictions, view: YearView, answer: ProceedingAnswer) -> tuple[YearView, YearView | None]:
    """Return the year before the decision and after it, as of the last day on which the unit was assessed."""
    decided = answer.decided_position
    last = view.position if decided is None else answer.last_position

    def at(position: int, as_of: date | None = None) -> YearView:
        return jurisdictions.view(answer.jurisdiction, answer.year, as_of, view.known_at, position)

    left_on = at(last).unit_of_year(answer.key).left_on
    as_of = None if left_on is None else left_on - DAY
    if decided is None:
        return at(last, as_of), None
    return at(decided - 1, as_of), at(last, as_of)


def _observations(answer: ProceedingAnswer) -> list[str]:
    """The observations that are disputed or ordered about, each once."""
    names = [one.observation for one in answer.observations] + [order.observation for order in answer.orders]
    return list(dict.fromkeys(names))


def _concerned(
    answer: ProceedingAnswer, named: Sequence[str], rows: Iterable[ComparedRow], derived: Iterable[DerivationAnswer]
) -> Iterator[str]:
    yield from (one.indicator for one in answer.indicators)
    yield from (row.indicator for row in rows if row.before != row.after)
    for one in derived:
        for node in _nodes(one.tree):
            if node.fact in named and node.indicator is not None:
                yield node.indicator


def _nodes(node: NodeAnswer) -> Iterator[NodeAnswer]:
    yield node
    for child in node.children:
        yield from _nodes(child)


def _rows(before: YearView, after: YearView, unit: Unit) -> Iterator[ComparedRow]:
    """Yield the rows of the unit's sheets, in the order of the scheme."""
    old, new = (_values(view.sheets()[unit.key]) for view in (before, after))
    group = after.scheme.group(unit.group)
    for row in group.indicators if group else ():
        if row.id in old or row.id in new:
            yield ComparedRow(
                indicator=row.id,
                titles=list(row.titles),
                clause=row.clause,
                points=plain(row.points),
                before=old.get(row.id),
                after=new.get(row.id),
            )


def _values(sheet: Sheet) -> dict[str, str]:
    return {row.indicator.id: plain(row.value) for row in sheet.score.rows}


def _moved(before: YearView, after: YearView, unit: Unit) -> Iterator[MovedUnit]:
    old, new = before.sheets(), after.sheets()
    for other in sorted(after.units, key=lambda one: one.key != unit.key):
        if other.key in old:
            was, now = _standing(old[other.key]), _standing(new[other.key])
            if was != now or other.key == unit.key:
                name = other.name_on(after.as_of)
                yield MovedUnit(unit=name, key=other.key, group=other.group, before=was, after=now)


def _standing(sheet: Sheet) -> StandingAnswer:
    return StandingAnswer(total=plain(sheet.total), rank=sheet.rank, grade=sheet.grade)


def _shares(view: YearView, unit: Unit, disputed: set[str]) -> Iterator[ShareAnswer]:
    for one in without_each(view.situation, unit.key, view.sheets(), only=disputed):
        yield ShareAnswer(
            observation=one.fact.id,
            nominal=plain(one.nominal),
            effective_in_order=plain(one.effective_in_order),
            effect_of_removal=plain(one.effect_of_removal),
            total_without=plain(one.total),
            rank_without=one.rank,
            grade_without=one.grade,
            why_not=[reason.sentence for reason in one.why_not],
        )
