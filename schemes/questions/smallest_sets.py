"""The smallest set of a unit's own observations that would have to fall: for its total to rise, or for its next grade.

Sizes are taken in turn. A size is ruled out when a bound says that no so many observations can do it, or when every
choice among the classes of interchangeable observations has been looked at; likely sets are looked at first. `proved`
says that every smaller size is ruled out (and, where no set is given, every size). Within a stated number of
evaluations that may remain open: then the set given is one that does it, and `ruled_out` says how far the search went.

Which observations matter to each other is the score's own business: nothing here knows a rule's points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Literal

from schemes.exact import ZERO, exact_arithmetic, plain
from schemes.fact import Fact
from schemes.grading import grades
from schemes.questions.removals import MOST_CHOICES, Counts, Removals, Row, choices
from schemes.questions.what_if import Evaluated
from schemes.rules import kinds_of
from schemes.scheme import Scheme, Veto
from schemes.sheets import ACROSS_UNITS, Sheet, Situation

EVALUATIONS = 1000
"""How many scores may be worked out for one question, unless the caller says otherwise."""

NoSet = Literal["nothing_costs", "out_of_reach", "quota_taken", "best_already", "no_grades", "not_scored", "not_found"]
Holds = Callable[[Counts], bool]
RuledOut = Callable[[int], bool]


@dataclass(frozen=True, slots=True)
class SmallestSet:
    """The observations that would have to fall, with the total and the grade then; or why there is no such set.

    Every set of up to `ruled_out` observations is known not to do it.
    """

    observations: tuple[str, ...]
    total: Decimal | None
    grade: str | None
    proved: bool
    ruled_out: int
    why_none: NoSet | None
    sentence: str


@dataclass(frozen=True, slots=True)
class SmallestSets:
    """The smallest sets of a unit: for its total to rise, and for the next better grade."""

    total: SmallestSet
    next_grade: SmallestSet
    evaluations: int


def smallest_sets(
    situation: Situation, unit: str, known: Mapping[str, Sheet] | None = None, evaluations: int = EVALUATIONS
) -> SmallestSets:
    """Return what would have to fall for the unit's total to rise, and for its next grade to be reached."""
    with exact_arithmetic():
        removals = Removals(Evaluated(situation, known), unit)
        rise = _rise(removals, evaluations)
        grade = _NextGrade(removals).search(evaluations)
        return SmallestSets(rise, grade, removals.evaluations)


def smallest_sets_with(
    situation: Situation,
    unit: str,
    observations: Sequence[str],
    known: Mapping[str, Sheet] | None = None,
    evaluations: int = EVALUATIONS,
) -> dict[str, SmallestSet]:
    """Return, for observations that move nothing alone, the smallest set with each that moves the total through it.

    The total without the set is another than it is now, and another than without the rest of the set: the
    observation takes part in it. Interchangeable ones are searched once.
    """
    with exact_arithmetic():
        removals = Removals(Evaluated(situation, known), unit)
        own = {fact.id: fact for fact in removals.own}
        found: dict[int, tuple[Counts | None, SmallestSet]] = {}
        result = {}
        for name in observations:
            fact = own[name]
            at = next((at for at, facts in enumerate(removals.classes) if fact in facts), None)
            if at is None:
                result[name] = _none("not_scored", removals.size, proved=True)
                continue
            if at not in found:
                found[at] = _with(removals, at, evaluations)
            counts, answer = found[at]
            result[name] = answer if counts is None else _named(removals, counts, answer, fact)
        return result


def grade_order(scheme: Scheme, group: str) -> list[str]:
    """Return the grades that totals can earn in the group, the best first; none where the scheme names none."""
    if scheme.bands:
        return [band.grade for band in scheme.bands]
    quotas = next((one.quotas for one in scheme.groups if one.id == group), None)
    return [] if quotas is None else [quotas.top.grade, quotas.middle, quotas.bottom.grade]


@dataclass(frozen=True, slots=True)
class _Found:
    counts: Counts | None
    ruled_out: int

    @property
    def proved(self) -> bool:
        return self.counts is not None and sum(self.counts) == self.ruled_out + 1


def _search(
    removals: Removals,
    holds: Holds,
    ruled_out: RuledOut,
    likely: Callable[[int], Iterator[Counts]],
    evaluations: int,
    first: Counts,
) -> _Found:
    """Return the first set that holds, by size, from `first` on (which is part of every set)."""
    capacities = [len(facts) - taken for facts, taken in zip(removals.classes, first, strict=True)]
    last = removals.evaluations + evaluations
    done = sum(first) - 1
    open_size = False
    for size in range(sum(first), removals.size + 1):
        if ruled_out(size):
            done = done if open_size else size
            continue
        for counts in likely(size):
            if sum(counts) == size and holds(counts):
                return _Found(_thinned(counts, first, holds) if open_size else counts, done)
        left = last - removals.evaluations
        listed = list(islice(choices(capacities, size - sum(first)), max(left, 0) + 1))
        if len(listed) > left:
            open_size = True
            continue
        for rest in listed:
            counts = tuple(map(sum, zip(first, rest, strict=True)))
            if holds(counts):
                return _Found(counts, done)
        done = done if open_size else size
    return _Found(None, done)


def _thinned(counts: Counts, first: Counts, holds: Holds) -> Counts:
    """Return a set that still holds and from which no single observation beyond the first ones can be spared."""
    for at, least in enumerate(first):
        while counts[at] > least:
            fewer = (*counts[:at], counts[at] - 1, *counts[at + 1 :])
            if not holds(fewer):
                break
            counts = fewer
    return counts


def _rise(removals: Removals, evaluations: int) -> SmallestSet:
    before = removals.sheet.total

    def holds(counts: Counts) -> bool:
        return removals.score(counts).total > before

    if removals.bound(removals.size, 1) <= before:
        return _none("nothing_costs", removals.size, proved=True)
    paths = _Paths(removals)
    found = _search(
        removals, holds, lambda size: removals.bound(size, 1) <= before, paths.upwards, evaluations, removals.none
    )
    return _answer(removals, found)


class _NextGrade:
    """The search for the next better grade: another's total may stand in its way, or a veto."""

    def __init__(self, removals: Removals) -> None:
        self._removals = removals
        self._evaluated = removals.evaluated
        self._sheets = removals.evaluated.sheets
        scheme = removals.evaluated.situation.scheme
        self._group = removals.sheet.group
        self._by_quota = not scheme.bands
        self._order = grade_order(scheme, self._group)
        compared = {
            kind
            for one in scheme.groups
            for row in one.indicators
            for rule in row.rules
            if isinstance(rule, ACROSS_UNITS)
            for kind in kinds_of(rule)
        }
        self._moves_others = any(fact.kind in compared for facts in removals.classes for fact in facts)

    def search(self, evaluations: int) -> SmallestSet:
        removals = self._removals
        grade = removals.sheet.grade
        if not self._order or grade is None:
            return _none("no_grades", removals.size, proved=True)
        if self._place(grade) == 0:
            return _none("best_already", removals.size, proved=True)
        if self._ruled_out(removals.size):
            return _none("quota_taken" if self._by_quota else "out_of_reach", removals.size, proved=True)
        paths = _Paths(removals)
        found = _search(removals, self._holds, self._ruled_out, paths.upwards, evaluations, removals.none)
        return _answer(removals, found, self._grade(found.counts) if found.counts else None)

    def _place(self, grade: str | None) -> int:
        return self._order.index(grade) if grade in self._order else len(self._order)

    def _holds(self, counts: Counts) -> bool:
        return self._place(self._grade(counts)) < self._place(self._removals.sheet.grade)

    def _ruled_out(self, size: int) -> bool:
        removals = self._removals
        if any(veto.grade is not None for veto in removals.persisting(size)):
            forced = next(veto.grade for veto in removals.sheet.score.vetoes if veto.grade is not None)
            return self._place(forced) >= self._place(removals.sheet.grade)
        if self._moves_others and self._by_quota:
            return False
        reached = self._given(removals.bound(size, 1), ())
        return self._place(reached) >= self._place(removals.sheet.grade)

    def _grade(self, counts: Counts) -> str | None:
        score = self._removals.score(counts)
        if self._moves_others and self._by_quota:
            return self._evaluated.sheets_with(self._removals.year(counts))[self._removals.unit].grade
        return self._given(score.total, score.vetoes)

    def _given(self, total: Decimal, vetoes: Sequence[Veto]) -> str | None:
        """Return the grade that the total gives the unit, everybody else's as they are."""
        year = self._evaluated.year
        totals = {unit: self._sheets[unit].total for unit in year.roster[self._group]} | {self._removals.unit: total}
        return grades(year.scheme, self._group, totals, {self._removals.unit: vetoes})[self._removals.unit]


class _Paths:
    """Sets that are likely to do it: what is best for single rows, and what grows best one by one."""

    def __init__(self, removals: Removals) -> None:
        self._removals = removals
        self._grown: dict[tuple[Counts, int], list[Counts]] = {}

    def upwards(self, size: int) -> Iterator[Counts]:
        """Yield likely sets of that size for the total to rise."""
        for row in self._removals.rows:
            if row.classes:
                yield self._removals.best(row, size, 1)[1]
        yield self.grown(self._removals.none, size, 1)

    def grown(self, first: Counts, size: int, sign: int) -> Counts:
        """Return the set of that size that grows from the first, by what takes the total or the rows furthest."""
        path = self._grown.setdefault((first, sign), [first])
        while len(path) <= size - sum(first):
            path.append(self._next(path[-1], sign))
        return path[size - sum(first)]

    def _next(self, counts: Counts, sign: int) -> Counts:
        removals = self._removals
        grown = [
            (*counts[:at], counts[at] + 1, *counts[at + 1 :])
            for at, facts in enumerate(removals.classes)
            if counts[at] < len(facts)
        ]
        return max(grown, key=lambda one: self._reach(one, sign), default=counts)

    def _reach(self, counts: Counts, sign: int) -> tuple[Decimal, ...]:
        score = self._removals.score(counts)
        values = sum((row.value for row in score.rows), ZERO)
        nominal = sum((row.nominal for row in score.rows), ZERO)
        forfeits = sum(len(row.forfeits) for row in score.rows) + len(score.vetoes)
        return sign * score.total, sign * values, Decimal(-forfeits), sign * nominal


def _with(removals: Removals, at: int, evaluations: int) -> tuple[Counts | None, SmallestSet]:
    """Search the smallest set with an observation of that class that moves the total, and not without it."""
    before = removals.sheet.total
    one = tuple(int(place == at) for place in range(len(removals.classes)))
    rows = [row for row in removals.rows if at in row.classes]
    changing = _Changing(removals, at, rows)

    def holds(counts: Counts) -> bool:
        without_it = tuple(number - taken for number, taken in zip(counts, one, strict=True))
        total = removals.score(counts).total
        return total not in (before, removals.score(without_it).total)

    def ruled_out(size: int) -> bool:
        if removals.bound(size, 1) <= before <= removals.bound(size, -1):
            return True
        return changing.ruled_out(size)

    paths = _Paths(removals)

    def likely(size: int) -> Iterator[Counts]:
        yield from changing.sets(size)
        for first in (one, *changing.first):
            if sum(first) <= size:
                yield paths.grown(first, size, 1)
                yield paths.grown(first, size, -1)

    found = _search(removals, holds, ruled_out, likely, evaluations, one)
    return found.counts, _answer(removals, found)


class _Changing:
    """From which size on an observation changes the value of a row that it meets."""

    def __init__(self, removals: Removals, at: int, rows: Sequence[Row]) -> None:
        self._removals = removals
        self._at = at
        self._rows = rows
        self._vetoes = not rows or bool(removals.sheet.score.vetoes)
        self._searched = 0
        self._gave_up = False
        self.first: list[Counts] = []

    def ruled_out(self, size: int) -> bool:
        """Whether no set of that size lets the observation change any row."""
        while self._searched < size and not self.first and not self._gave_up:
            self._searched += 1
            self._look(self._searched)
        return not self._vetoes and not self._gave_up and not self.first

    def sets(self, size: int) -> Iterator[Counts]:
        """Yield the sets of that size found in which the observation changes a row."""
        yield from (counts for counts in self.first if sum(counts) == size)

    def _look(self, size: int) -> None:
        for row in self._rows:
            places = row.classes
            capacities = [len(self._removals.classes[place]) - (place == self._at) for place in places]
            listed = list(islice(choices(capacities, size - 1), MOST_CHOICES + 1))
            if len(listed) > MOST_CHOICES:
                self._gave_up = True
                return
            for numbers in listed:
                rest = dict(zip(places, numbers, strict=True))
                counts = tuple(rest.get(place, 0) for place in range(len(self._removals.classes)))
                fallen = tuple(number + (place == self._at) for place, number in enumerate(counts))
                if self._removals.value(row, counts) != self._removals.value(row, fallen):
                    self.first.append(fallen)
                    break


def _answer(removals: Removals, found: _Found, grade: str | None = None) -> SmallestSet:
    if found.counts is None:
        proved = found.ruled_out >= removals.size
        return _none("out_of_reach" if proved else "not_found", found.ruled_out, proved)
    names, total = removals.named(found.counts), removals.score(found.counts).total
    return SmallestSet(names, total, grade, found.proved, found.ruled_out, None, _sentence(found, total, grade))


def _named(removals: Removals, counts: Counts, answer: SmallestSet, fact: Fact) -> SmallestSet:
    names = removals.named(counts, including=fact)
    # A set without this one may be smaller: what is asked is when this one counts.
    sentence = f"连同这一条才算：{answer.sentence}"
    return SmallestSet(names, answer.total, None, answer.proved, answer.ruled_out, None, sentence)


def _none(why: NoSet, ruled_out: int, proved: bool) -> SmallestSet:
    return SmallestSet((), None, None, proved, ruled_out, why, _NO_SET[why].format(size=ruled_out))


def _sentence(found: _Found, total: Decimal, grade: str | None) -> str:
    counts = found.counts or ()
    then = f"等次为{grade}" if grade is not None else f"总分为{plain(total)}分"
    if found.proved:
        return f"至少须去掉{sum(counts)}条，去掉后{then}；任何更少的条数都不行。"
    return f"去掉其中{sum(counts)}条后{then}；已确认{found.ruled_out}条以内不行，更少的条数未全部查完。"


_NO_SET: dict[NoSet, str] = {
    "nothing_costs": "没有哪些记录去掉后会使总分提高。",
    "out_of_reach": "本单位的记录无论去掉哪些，都达不到。",
    "quota_taken": "本单位的记录无论去掉哪些，名次仍进不了上一等次的名额。",
    "best_already": "已是最好等次。",
    "no_grades": "考核方案没有评定等次。",
    "not_scored": "这一条没有哪一项计分，无论连同哪些记录去掉都不影响总分。",
    "not_found": "在限定的计算量内没有找到；已确认{size}条以内不行。",
}
