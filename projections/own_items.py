"""What a restricted view holds beside scores: entries and files of a unit's own observations and proceedings.

And the mark of all that may be seen, by which a page knows that there is something new.

A file that another unit's entries rest on as well is not shown on account of one's own: it tells of both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any

from ledger.events import Evidence
from projections.proceedings.proceedings import proceedings_of
from projections.recent_entries import is_seen_turn
from projections.years import YearView


def own_positions(view: YearView) -> frozenset[int]:
    """Return the ledger positions of all entries about the observations, appeals and claims that the view shows."""
    entries = (entry.position for one in view.observed for entry in view.entries_of(one.observation))
    return frozenset(entries) | {step.position for one in proceedings_of(view) for step in one.steps}


def seen_mark(view: YearView) -> str:
    """Return a mark of what the view shows, which changes when something is recorded that may be seen there.

    For those who see everything it is the ledger's length. For others it comes from the positions of their own entries
    and of the year's own turns alone: an entry about another unit leaves it as it is.
    """
    sight = view.sight
    if sight is None:
        return str(view.position)
    turns = (one.position for one in view.turns if is_seen_turn(view, one.event))
    seen = sorted({*own_positions(view), *turns})
    return sha256(repr(seen).encode()).hexdigest()[:16]


def own_files(views: Iterable[YearView]) -> frozenset[str]:
    """Return the stored files named by entries that the views of a ledger's years show, and by no other unit's."""
    own: set[str] = set()
    others: set[str] = set()
    for view in views:
        own |= set(_files(view))
        others |= set(_files_of_others(view))
    return frozenset(own - others)


def _files(view: YearView) -> Iterator[str]:
    for one in view.observed:
        for entry in view.entries_of(one.observation):
            yield from _named(entry.evidence)
    for proceeding in proceedings_of(view):
        for step in proceeding.steps:
            yield from _named(getattr(step.event, "evidence", ()))


def _files_of_others(view: YearView) -> Iterator[str]:
    for entries in view.by_observation.values():
        unit = ""
        for entry in entries:
            before, unit = unit, entry.said.fact.unit if entry.said.fact else unit
            if not all(view.shows(one) for one in (before or unit, unit)):
                yield from _named(entry.evidence)
    shown = {one.state.id for one in proceedings_of(view)}
    for step in view.proceedings:
        if step.event.originator_id not in shown:
            yield from _named(getattr(step.event, "evidence", ()))


def _named(evidence: Iterable[Mapping[str, Any] | Evidence]) -> Iterator[str]:
    for one in evidence:
        file = one.file if isinstance(one, Evidence) else one.get("file")
        if file:
            yield str(file)
