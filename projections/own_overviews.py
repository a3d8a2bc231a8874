"""A unit's own first page: its score where that was released, what was recorded of it last, what waits, what ends soon.

It comes from views restricted to the unit, and from nothing else: it holds no ledger's length and no other unit's
figure. What cost points tells of points, so it is that of the release, less what was put right since.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final, NamedTuple

from ledger.decisions import Unit
from projections.notices import filing_deadlines, observation_path, readings_before
from projections.overview_models import OwnDeadline, OwnFinding, OwnOverviewAnswer, OwnPlace
from projections.proceedings.proceedings import open_proceeding_answers
from projections.recent_entries import recent_entries
from projections.rectifications import source_of, unrectified
from projections.sentences import scheme_words
from projections.years import FactEntry, YearView
from schemes.exact import plain
from schemes.fact import Fact
from schemes.wording import fact_phrase

DAYS_TO_COME: Final = 30


class Released(NamedTuple):
    """A restricted view of what was released, and the same view of the earlier day."""

    shown: YearView
    earlier: YearView


def own_overview(items: YearView, released: Released | None, today: date) -> OwnOverviewAnswer:
    """Return the overview for those who speak for units; all views are restricted to these."""
    if items.sight is None:
        raise LookupError("expected the view of those who speak for units")
    units = [unit for unit in items.state.units.values() if unit.key in items.sight.keys]
    words = scheme_words(items.scheme)
    return OwnOverviewAnswer(
        jurisdiction=items.scheme.jurisdiction.code,
        year=items.state.year,
        units=[unit.name_on(items.as_of) for unit in units],
        as_of=released.shown.as_of if released else None,
        earlier=released.earlier.as_of if released else None,
        scores=[*_own_places(released, units)] if released else [],
        recent=recent_entries(items, _own_entries(items)),
        proceedings=open_proceeding_answers(items, today),
        deadlines=[
            OwnDeadline(
                due=one.due,
                text=None if one.fact is None else fact_phrase(one.fact, words),
                path=None if one.observation is None else observation_path(one.observation),
            )
            for one in filing_deadlines(items, today, DAYS_TO_COME)
        ],
        unrectified=[*_own_findings(items, released, units)] if released else [],
    )


def _own_places(released: Released, units: Sequence[Unit]) -> Iterator[OwnPlace]:
    shown, before = released.shown.sheets(), released.earlier.sheets()
    for unit in units:
        sheet, then = shown.get(unit.key), before.get(unit.key)
        if sheet is not None:
            yield OwnPlace(
                unit=unit.name_on(released.shown.as_of),
                total=plain(sheet.total),
                full=plain(released.shown.scheme.full),
                rank=sheet.rank,
                grade=sheet.grade,
                change=None if then is None else plain(sheet.total - then.total),
                pending=len(sheet.pending),
            )


def _own_findings(items: YearView, released: Released, units: Sequence[Unit]) -> Iterator[OwnFinding]:
    """What was not put right by the day of the release that is shown, less what the units know to be settled since."""
    shown, words = released.shown, scheme_words(released.shown.scheme)
    standing = {one.observation for one in items.observed if not one.void}
    assessed = {unit.key for unit in shown.units}
    for unit in units:
        for finding in unrectified(shown, unit) if unit.key in assessed else ():
            fact = finding.fact
            # Ratings are told together, and by what they come to alone.
            if fact.kind == "rating" or not (fact.sources or _is_open(items, fact.id, standing)):
                continue
            source = source_of(items, fact)
            yield OwnFinding(
                occurred_on=fact.occurred_on,
                text=fact_phrase(fact, words),
                path=observation_path(source) if source in standing else None,
            )


def _is_open(items: YearView, observation: str, standing: set[str]) -> bool:
    """Whether the units see that the observation stands, as theirs, and see no rectification of it."""
    return observation in standing and all(one.entry != "rectify" for one in items.entries_of(observation))


def _own_entries(view: YearView) -> Iterator[tuple[FactEntry, Fact | None]]:
    for observation in view.by_observation:
        yield from readings_before(view.entries_of(observation))
