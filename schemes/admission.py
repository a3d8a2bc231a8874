"""Whether an observation may be recorded under a scheme: known words, known units, values within their ranges.

The ledger asks this before it appends; a case asks it for each of its entries. It does not look at the period,
years being open or observations being void: those are the ledger's own decisions. Of the day it only asks that
the due day of a request received on it can be worked out: without that no sheet of the year could be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from difflib import get_close_matches

from schemes.exact import plain
from schemes.fact import AttributeValue
from schemes.figures import Roster
from schemes.problem import Problem
from schemes.rules import ByRank, ByRankingFact
from schemes.scheme import Group, Scheme
from schemes.vocabulary import Vocabulary
from schemes.working_days import calendar_problem


def admit(
    scheme: Scheme,
    vocabulary: Vocabulary,
    roster: Roster,
    unit: str,
    kind: str,
    occurred_on: date,
    raw: Mapping[str, object],
) -> tuple[dict[str, AttributeValue], tuple[Problem, ...]]:
    """Return the typed attributes, and every reason why the observation cannot be recorded.

    `vocabulary` is the one extended with the scheme's own items.
    """
    values, problems = vocabulary.read(kind, raw)
    group_id = next((group for group, units in roster.items() if unit in units), None)
    found = list(problems)
    if group_id is None:
        found.append(_unknown_unit("unit", unit, roster))
    group = scheme.group(group_id) if group_id is not None else None
    no_calendar = calendar_problem(occurred_on, "occurred_on") if kind == "request_received" else None
    if no_calendar is not None:
        found.append(no_calendar)
    if not problems and group is not None:
        found += _beyond_words(group, roster, kind, values)
    return values, tuple(found)


def _unknown_unit(where: str, name: str, roster: Roster) -> Problem:
    names = [unit for units in roster.values() for unit in units]
    near = get_close_matches(name, names, n=3, cutoff=0.4)
    hint = f"; similar: {', '.join(near)}" if near else ""
    return Problem("unknown-unit", where, f"found {name!r}, expected one of the {len(names)} units of this year{hint}")


def _beyond_words(group: Group, roster: Roster, kind: str, values: Mapping[str, AttributeValue]) -> Iterator[Problem]:
    if kind == "judgement":
        yield from _judgement(group, str(values["indicator"]), values["value"])
    elif kind == "ranking":
        yield from _ranking(group, roster, str(values["name"]), values["rank"])
    elif kind == "rating" and not any(values["rater"] in units for units in roster.values()):
        yield _unknown_unit("attributes.rater", str(values["rater"]), roster)


def _judgement(group: Group, identifier: str, value: AttributeValue) -> Iterator[Problem]:
    row = group.indicator(identifier)
    judged = row.judged if row else None
    if judged is None:
        ids = ", ".join(row.id for row in group.indicators if row.judged)
        what = "is not a judged indicator" if row else "is not an indicator"
        message = f"{identifier!r} {what} of group {group.id}; expected one of {ids or 'none'}"
        yield Problem("not-a-judged-indicator", "attributes.indicator", message)
    elif not isinstance(value, Decimal) or not judged.min <= value <= judged.max:
        allowed = f"{plain(judged.min)} to {plain(judged.max)}"
        message = f"found {value}, expected a value from {allowed} for indicator {identifier}"
        yield Problem("judgement-out-of-range", "attributes.value", message)


def _ranking(group: Group, roster: Roster, name: str, rank: AttributeValue) -> Iterator[Problem]:
    everyone = sum(len(units) for units in roster.values())
    among = {
        rule.among
        for row in group.indicators
        for rule in row.rules
        if isinstance(rule, ByRank) and rule.source == ByRankingFact(ranking=name)
    }
    places = len(roster[group.id]) if among == {"group"} else everyone
    if not isinstance(rank, int) or rank > places:
        message = f"found {rank}, expected a rank from 1 to {places}, the number of units ranked"
        yield Problem("rank-out-of-range", "attributes.rank", message)
