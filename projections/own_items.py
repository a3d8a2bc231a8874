"""What a restricted view holds beside scores: entries and files of a unit's own observations and proceedings."""

from __future__ import annotations

from collections.abc import Iterator

from projections.proceedings.proceedings import proceedings_of
from projections.years import YearView


def own_positions(view: YearView) -> frozenset[int]:
    """Return the ledger positions of all entries about the observations, appeals and claims that the view shows."""
    entries = (entry.position for one in view.observed for entry in view.entries_of(one.observation))
    return frozenset(entries) | {step.position for one in proceedings_of(view) for step in one.steps}


def own_files(view: YearView) -> frozenset[str]:
    """Return the stored files that the entries name which the view shows."""
    return frozenset(_files(view))


def _files(view: YearView) -> Iterator[str]:
    for one in view.observed:
        for entry in view.entries_of(one.observation):
            yield from (str(paper["file"]) for paper in entry.evidence if paper.get("file"))
    for proceeding in proceedings_of(view):
        for step in proceeding.steps:
            yield from (paper.file for paper in getattr(step.event, "evidence", ()) if paper.file)
