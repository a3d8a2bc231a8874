"""Measurements of questions about a year: why a total is as it is, what would be if, what a revised scheme does.

Their baseline is one plain evaluation of the same facts. Every question is asked cold: nothing is known beforehand.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import perf_counter

from projections.scheme_files import vocabulary
from schemes.comparing.differences import changes
from schemes.derivations.derivation import derivation
from schemes.questions.attribution import attribution
from schemes.questions.smallest_sets import smallest_sets
from schemes.questions.what_if import without_each
from schemes.revision import Edit, revised
from schemes.scheme import Scheme
from schemes.sheets import Situation, sheets
from tests.bench.outcomes import Measurement, Outcome
from tests.bench.workload import County, county

ROUNDS = 7
YEAR_FACTS, UNITS = 5_000, 50
OWN_OBSERVATIONS = 100
COUNTIES = 100


def derivation_of_a_unit(_: str) -> Outcome:
    """Measure milliseconds for the derivation of one unit."""
    given = _year()
    unit = _unit(given)
    return _timed(given, lambda situation: derivation(situation, unit, vocabulary()))


def what_ifs_of_a_unit(_: str) -> Outcome:
    """Measure milliseconds for what would be without each observation of one unit, one at a time."""
    given = _year()
    unit = _unit(given)
    return _timed(given, lambda situation: without_each(situation, unit), f"{_own(given, unit)} observations")


def smallest_sets_of_a_unit(_: str) -> Outcome:
    """Measure milliseconds for the smallest sets of one unit's observations that would change its total or grade."""
    given = _year()
    unit = _unit(given)
    return _timed(given, lambda situation: smallest_sets(situation, unit), f"{_own(given, unit)} observations")


def revised_replay(_: str) -> Outcome:
    """Measure milliseconds for one county's replay under a revised scheme, with what each change causes."""
    given = _year()
    new = _revision(given.scheme)
    found = changes(given.scheme, new)

    def replay(situation: Situation) -> object:
        return attribution(situation, Situation(new, situation.roster, situation.facts, situation.as_of), found)

    return _timed(given, replay, f"{len(found)} changes")


def plain_evaluation(_: str) -> Outcome:
    """Measure milliseconds for the sheets of all units of the same year."""
    return _timed(_year(), sheets)


def revised_replays(_: str) -> Outcome:
    """Measure seconds for the replays of 100 counties under a revised scheme."""
    given = _years()
    new = _revision(given[0].scheme)
    begun = perf_counter()
    for at in range(COUNTIES):
        old = given[at % len(given)].situation()
        found = changes(old.scheme, new)
        attribution(old, Situation(new, old.roster, old.facts, old.as_of), found)
    return Outcome(perf_counter() - begun, f"{COUNTIES} counties")


def plain_evaluations(_: str) -> Outcome:
    """Measure seconds for the sheets of the same 100 counties."""
    given = _years()
    begun = perf_counter()
    for at in range(COUNTIES):
        sheets(given[at % len(given)].situation())
    return Outcome(perf_counter() - begun)


def _year() -> County:
    return county(units=UNITS, facts=YEAR_FACTS, seed=3)


def _years() -> list[County]:
    """Ten different counties, each to be taken ten times."""
    return [county(units=UNITS, facts=YEAR_FACTS, seed=seed) for seed in range(COUNTIES // 10)]


def _unit(given: County) -> str:
    """Return the unit whose number of observations is nearest to what is asked for."""
    units = [unit for listed in given.roster.values() for unit in listed]
    return min(units, key=lambda unit: abs(_own(given, unit) - OWN_OBSERVATIONS))


def _own(given: County, unit: str) -> int:
    return sum(fact.unit == unit for fact in given.facts)


def _revision(scheme: Scheme) -> Scheme:
    """Return a version with five changes: of two rules, of a row's points, of two bounds."""
    edits = (
        Edit(indicator="2.2", effect="deduct", kind="circular", set={"each": "2"}),
        Edit(indicator="1.1", set={"points": "6"}),
        Edit(indicator="1.10", effect="deduct", set={"each": "1.5"}),
        Edit(set={"bonus_cap": "8"}),
        Edit(set={"cap": "105"}),
    )
    return revised(scheme, edits)


def _timed(given: County, ask: Callable[[Situation], object], note: str = "") -> Outcome:
    seconds = []
    for _ in range(ROUNDS):
        situation = given.situation()
        begun = perf_counter()
        ask(situation)
        seconds.append(perf_counter() - begun)
    return Outcome(median(seconds) * 1000, note)


QUESTIONS: tuple[Measurement, ...] = (
    derivation_of_a_unit,
    what_ifs_of_a_unit,
    smallest_sets_of_a_unit,
    revised_replay,
    plain_evaluation,
    revised_replays,
    plain_evaluations,
)
