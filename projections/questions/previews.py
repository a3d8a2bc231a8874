"""What recording observations would do, before it is done: told by the engine, recorded nowhere.

1. What the ledger would refuse is refused, with every reason of every observation and its place.
2. All observations together: each unit's score as it is and as it would be, and the rows that would move with the
   rules that move them.
3. Each observation: which rows look at it, whether a second person has to approve it (the score then stays until they
   do), and where it moves nothing, beside all the others, why.

Whether a person may record is the caller's to know.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from ledger.commands import Observe
from ledger.decisions import decide_observe
from ledger.events import Reading
from ledger.rejection import Refusal, Rejection
from projections.admission import SchemeAdmission
from projections.answer_models import Answer, Points, Standing
from projections.answers import standing
from projections.questions.models import ReasonAnswer, ScoreAnswer
from projections.questions.what_ifs import plain_or_none, score_answer, unit_name
from projections.readings import renamed
from projections.scheme_files import vocabulary
from projections.sentences import scheme_words
from projections.years import YearView
from schemes.exact import ZERO, exact_arithmetic, plain
from schemes.fact import Fact
from schemes.questions.what_if import Outcome, RowChange, Supposition, UnitChange, supposed, what_if, without_each
from schemes.questions.why_not import Reason
from schemes.rules import Inform, Judged, Rule
from schemes.scheme import Indicator
from schemes.scoring import Circumstances, judgements, touching
from schemes.sheets import ACROSS_UNITS, Situation
from schemes.vocabulary import Vocabulary
from schemes.wording import rule_sentence

MOST_EXPLAINED: Final = 200
"""Of more observations at once it is told what they do together, and not why one of them does nothing."""


class PreviewRow(Answer):
    """A row that would move, with the rules that move it; null where the sheet has no such row."""

    indicator: str
    titles: list[str]
    before: Points | None
    after: Points | None
    difference: Points | None
    rules: list[str]


class PreviewUnit(Answer):
    """A unit as it stands and as it would; without scores where it is not assessed on the last day.

    `rows_difference` is what its rows change by together: bounds of sections and of the total may leave less of it.
    """

    unit: str
    key: str
    group: str
    before: ScoreAnswer | None
    after: ScoreAnswer | None
    difference: Points
    rows_difference: Points
    rows: list[PreviewRow]


class PreviewMet(Answer):
    """A row whose rules look at an observation; `rules` are those that do, in plain Chinese."""

    indicator: str
    titles: list[str]
    rules: list[str]


class PreviewObservation(Answer):
    """One of the observations, by its place among those asked about.

    `difference` is what it adds to the total when all others are recorded; null where that was not worked out. Where it
    is zero, `why_not` says why. `same_as` is the position in the ledger of an observation that counts already and says
    the same of the same unit on the same day; null where there is none.
    """

    at: int
    unit: str
    label: str
    proposed: bool
    met: list[PreviewMet]
    difference: Points | None
    why_not: list[ReasonAnswer]
    same_as: int | None


class PreviewAnswer(Standing):
    """What recording the observations would do; `others` are further units whose total would move, by their names."""

    units: list[PreviewUnit]
    observations: list[PreviewObservation]
    others: list[str]


def preview(view: YearView, observations: Sequence[Observe]) -> PreviewAnswer:
    """Return what recording the observations together would do; refuses what the ledger would refuse, all at once."""
    admission = SchemeAdmission(lambda _: view.scheme)
    readings = _admitted(view, observations, admission)
    facts = [_fact(view, at, reading) for at, reading in enumerate(readings)]
    outcome = what_if(view.situation, Supposition(added=tuple(facts)), view.sheets())
    units = list(dict.fromkeys(fact.unit for fact in facts))
    telling = _Telling(view, supposed(view.situation, Supposition(added=tuple(facts))))
    explained = telling.explained(facts) if len(facts) <= MOST_EXPLAINED else {}
    return PreviewAnswer(
        **standing(view),
        units=[telling.unit(key, outcome) for key in units],
        observations=[
            PreviewObservation(
                at=at,
                unit=unit_name(view, fact.unit),
                label=telling.words.kinds[fact.kind].label,
                proposed=admission.weighs(view.state, reading),
                met=telling.met(fact),
                difference=explained[fact.id][0] if fact.id in explained else None,
                why_not=explained[fact.id][1] if fact.id in explained else [],
                same_as=_same_as(view, fact),
            )
            for at, (fact, reading) in enumerate(zip(facts, readings, strict=True))
        ],
        others=[unit_name(view, one.unit) for one in outcome.changes if one.unit not in units and one.difference],
    )


def _admitted(view: YearView, observations: Sequence[Observe], admission: SchemeAdmission) -> list[Reading]:
    view.state.refuse_closed()
    refusals: list[Refusal] = []
    readings = []
    for at, one in enumerate(observations):
        reading = Reading(
            unit=one.unit, kind=one.kind, occurred_on=one.occurred_on, count=one.count, attributes=one.attributes
        )
        try:
            view.unit_of_year(one.unit)
            decide_observe(view.state, reading, admission)
        except Rejection as rejection:
            refusals += rejection.within(f"observations[{at}]") if len(observations) > 1 else rejection.refusals
        readings.append(reading)
    if refusals:
        raise Rejection(*refusals)
    return readings


def _fact(view: YearView, at: int, reading: Reading) -> Fact:
    values = vocabulary().typed(reading.kind, reading.attributes)
    position = view.position + 1 + at
    said = Fact(f"new/{at}", position, reading.unit, reading.kind, reading.occurred_on, reading.count, values)
    [fact] = renamed([said], view.state.keys_by_name)
    return fact


def _same_as(view: YearView, fact: Fact) -> int | None:
    """Return the position of a recorded fact that says the same; the last one of several."""
    return max(
        (one.position for one in view.situation.year.facts_of(fact.unit) if _said(one) == _said(fact)), default=None
    )


def _said(fact: Fact) -> tuple[object, ...]:
    values = {name: frozenset(value) if isinstance(value, tuple) else value for name, value in fact.attributes.items()}
    return fact.kind, fact.occurred_on, fact.count, values, bool(fact.sources)


class _Telling:
    """Puts into words what a year would be with observations added."""

    def __init__(self, view: YearView, after: Situation) -> None:
        self._view = view
        self._before = view.situation.year
        self._after = after
        self._year = after.year
        self.words: Vocabulary = scheme_words(view.scheme)

    def unit(self, key: str, outcome: Outcome) -> PreviewUnit:
        """Return the unit as it stands and as it would."""
        sheet = self._view.sheets().get(key)
        change = outcome.of(key) or (None if sheet is None else UnitChange(sheet, sheet))
        rows = () if change is None else change.rows
        with exact_arithmetic():
            moved = sum(((row.after or ZERO) - (row.before or ZERO) for row in rows), ZERO)
        return PreviewUnit(
            unit=unit_name(self._view, key),
            key=key,
            group=self._view.state.units[key].group,
            before=None if change is None else score_answer(change.before),
            after=None if change is None else score_answer(change.after),
            difference="0" if change is None else plain(change.difference),
            rows_difference=plain(moved),
            rows=[self._row(key, row) for row in rows],
        )

    def _row(self, key: str, row: RowChange) -> PreviewRow:
        old, new = ({fact.id: fact for fact in year.facts_of(key)} for year in (self._before, self._year))
        differing = [fact for name, fact in {**old, **new}.items() if (name in old) != (name in new)]
        with exact_arithmetic():
            difference = None if row.before is None or row.after is None else row.after - row.before
        return PreviewRow(
            indicator=row.indicator.id,
            titles=list(row.indicator.titles),
            before=plain_or_none(row.before),
            after=plain_or_none(row.after),
            difference=plain_or_none(difference),
            rules=self._rules(row.indicator, differing) or self._rules_beside(row.indicator),
        )

    def met(self, fact: Fact) -> list[PreviewMet]:
        """Return the rows of the unit's sheet that look at the fact, or at a late reply that it brings or ends."""
        after = {one.id: one for one in self._year.facts_of(fact.unit)}
        ended = [one for one in self._before.facts_of(fact.unit) if one.sources and one.id not in after]
        derived = [one for one in after.values() if fact.id in one.sources]
        derived += [one for one in ended if one.text("request") == fact.text("request")]
        found = []
        for stage, _, _ in self._year.stages:
            rows, _ = self._year.rows(fact.unit, stage)
            for row in rows:
                rules = self._rules(row, [fact, *derived], informing=True)
                if rules:
                    found.append(PreviewMet(indicator=row.id, titles=list(row.titles), rules=rules))
        return found

    def explained(self, facts: Sequence[Fact]) -> Mapping[str, tuple[str, list[ReasonAnswer]]]:
        """Return what each of the observations adds beside all others, and why where that is nothing."""
        known = dict(self._view.sheets())
        found: dict[str, tuple[str, list[ReasonAnswer]]] = {}
        by_unit: dict[str, list[str]] = {}
        for fact in facts:
            by_unit.setdefault(fact.unit, []).append(fact.id)
        with_all = what_if(self._view.situation, Supposition(added=tuple(facts)), known)
        known |= {change.unit: change.after for change in with_all.changes}
        for unit, names in by_unit.items():
            if unit in known:
                for one in without_each(self._after, unit, known, names):
                    reasons = [_as_added(reason) for reason in one.why_not]
                    found[one.fact.id] = (plain(one.effect_of_removal), reasons)
        return found

    def _rules(self, row: Indicator, facts: Iterable[Fact], informing: bool = False) -> list[str]:
        """Return the row's rules that look at any of the facts."""
        return list(
            dict.fromkeys(
                rule_sentence(rule, self.words)
                for fact in facts
                for rule in self._looking(row, fact)
                if informing or not isinstance(rule, Inform)
            )
        )

    def _looking(self, row: Indicator, fact: Fact) -> Iterator[Rule]:
        alone = {fact.kind: [fact]}
        for _, _, figures in self._year.stages:
            around = Circumstances(fact.unit, self._view.scheme.year, figures)
            yield from (
                rule
                for rule in row.rules
                if (judgements(row, alone) if isinstance(rule, Judged) else touching(rule, alone, around))
            )

    def _rules_beside(self, row: Indicator) -> list[str]:
        """Return the rules of a row that moves by what happens elsewhere: subtotals, and other units."""
        return [
            rule_sentence(rule, self.words)
            for rule in row.rules
            if row.sees_subtotals or isinstance(rule, ACROSS_UNITS)
        ]


def _as_added(reason: Reason) -> ReasonAnswer:
    """Return why an observation that is not recorded yet would move nothing.

    The reasons compare two scores, with it and without it; only who of the two comes first is said the other way round.
    """
    sentence = reason.sentence
    for removed, added in _ADDED:
        sentence = sentence.replace(removed, added)
    return ReasonAnswer(code=reason.code, indicator=reason.indicator, sentence=sentence)


_ADDED: Final = (
    ("去掉后，按申请和答复日期推出的超期答复取而代之，", "这一条代替按申请和答复日期推出的超期答复，"),
    ("去掉这一条后成立", "登记这一条后不再成立"),
    ("去掉这一条后", "登记这一条后"),
    ("去掉后", "登记后"),
)
