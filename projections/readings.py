"""From the entries about observations to the facts as they read at a moment.

An entry is one row of the ledger's `facts` table, or one entry of an example case: both go through `facts_known`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

from schemes.fact import AttributeValue, Fact


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry about an observation; `fact` is the whole reading of an observe or amend, without rectification."""

    entry: Literal["observe", "amend", "void", "rectify"]
    observation: str
    recorded_at: datetime
    fact: Fact | None = None
    rectified_on: date | None = None


def facts_known(
    entries: Iterable[Entry], known_at: datetime | None = None, without: Set[str] = frozenset()
) -> list[Fact]:
    """Return the facts that count by what was recorded up to and including `known_at` (null: everything).

    `entries` are in ledger order; observations named in `without` are left out with all that was said of them.
    What is said of an observation not known at that moment is left aside, whenever it was recorded itself.
    """
    facts: dict[str, Fact] = {}
    for entry in entries:
        if (known_at is not None and entry.recorded_at > known_at) or entry.observation in without:
            continue
        known = facts.get(entry.observation)
        if entry.entry == "observe" and entry.fact is not None:
            facts[entry.observation] = entry.fact
        elif known is None:
            continue
        elif entry.fact is not None:
            facts[entry.observation] = _amended(entry.fact, known)
        elif entry.entry == "rectify":
            facts[entry.observation] = replace(known, rectified_on=entry.rectified_on)
        else:
            del facts[entry.observation]
    return list(facts.values())


def _amended(reading: Fact, known: Fact) -> Fact:
    """An amended observation keeps its place in the order of facts, and its rectification."""
    return replace(reading, position=known.position, rectified_on=known.rectified_on)


def renamed(facts: Iterable[Fact], keys: Mapping[str, str]) -> list[Fact]:
    """Return the facts with each unit (and rater) under its key, whatever name it was recorded under."""
    return [_under_keys(fact, keys) for fact in facts] if keys else list(facts)


def _under_keys(fact: Fact, keys: Mapping[str, str]) -> Fact:
    attributes: Mapping[str, AttributeValue] = fact.attributes
    rater = fact.text("rater")
    if rater is not None and rater in keys:
        attributes = {**attributes, "rater": keys[rater]}
    return replace(fact, unit=keys.get(fact.unit, fact.unit), attributes=attributes)
