"""What a year's first page says: where every unit stands, what was recorded last, what waits to be done.

Pure over views. Rules kept here:

1. The change of a score is that since `DAYS_BACK` days before the shown day: facts up to that day, as everything is
   known now. What was recorded late for an earlier day is in both, so it is no change.
2. What waits is told as it stands now, whatever the shown day; missing judgements and metrics, and what was not put
   right (`projections.rectifications`), are those of the shown day.

What a unit sees of its own is left to `projections.own_overviews`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from ledger.rejection import rejected
from projections.answers import ranking_answer, standing
from projections.notices import observation_path, readings_before
from projections.overview_models import (
    MissingRow,
    OverviewAnswer,
    OverviewGroup,
    OverviewPlace,
    Unrectified,
)
from projections.proceedings.proceedings import open_proceeding_answers
from projections.proposals import ProposalAnswer
from projections.recent_entries import RECENT, recent_entries
from projections.rectifications import source_of, unrectified
from projections.years import FactEntry, YearView
from schemes.exact import plain
from schemes.fact import Fact

DAYS_BACK: Final = 30


def earlier_day(shown: date) -> date:
    """Return the day that changes up to the shown day are counted from; the first of all days has none before it."""
    return date.fromordinal(max(shown.toordinal() - DAYS_BACK, date.min.toordinal()))


def overview(
    items: YearView,
    shown: YearView,
    earlier: YearView,
    proposals: Sequence[ProposalAnswer],
    today: date,
    group: str | None = None,
) -> OverviewAnswer:
    """Return the overview for those who see everything.

    `items` is the year as it stands now, `shown` and `earlier` those of the two days; only one group's ranking and what
    is missing in it, where one is named. `proposals` are those of the ledger.
    Raises `Rejection` (`unknown-group`) for a group that the year does not have.
    """
    if group is not None and group not in shown.state.groups:
        raise rejected("unknown-group", "group", f"found {group!r}, expected one of {', '.join(shown.state.groups)}")
    year = shown.state.year
    return OverviewAnswer(
        **standing(shown),
        earlier=earlier.as_of,
        groups=[*_groups(shown, earlier, group)],
        recent=recent_entries(items, _every_entry(items)),
        proceedings=open_proceeding_answers(items, today),
        proposals=[one for one in proposals if one.status == "open" and one.year in (None, year)],
        unrectified=_unrectified(shown, group),
        missing=[*_missing(shown, group)],
    )


def _groups(shown: YearView, earlier: YearView, wanted: str | None) -> Iterator[OverviewGroup]:
    found, before = shown.sheets(), earlier.sheets()
    keys = {unit.name_on(shown.as_of): unit.key for unit in shown.units}
    for group in ranking_answer(shown).groups:
        if wanted not in (None, group.group):
            continue
        places = []
        for place in group.places:
            key = keys[place.unit]
            then = before.get(key)
            places.append(
                OverviewPlace(
                    **place.model_dump(),
                    change=None if then is None else plain(found[key].total - then.total),
                    earlier_rank=None if then is None else then.rank,
                )
            )
        highest = max((found[keys[place.unit]].total for place in group.places), default=Decimal(0))
        most = plain(max(shown.scheme.full, highest))
        yield OverviewGroup(group=group.group, title=group.title, most=most, places=places)


def _every_entry(view: YearView) -> Iterator[tuple[FactEntry, Fact | None]]:
    """The newest entries about observations, each with how the observation read until then."""
    for newest in view.entries[-RECENT:]:
        pairs = readings_before(view.entries_of(newest.observation))
        yield next((entry, before) for entry, before in pairs if entry.position == newest.position)


def _unrectified(view: YearView, group: str | None) -> list[Unrectified]:
    """What each unit has not put right, most first."""
    found = []
    for unit in view.units:
        findings = unrectified(view, unit) if group in (None, unit.group) else []
        if findings:
            source = source_of(view, findings[0].fact)
            found.append(
                Unrectified(
                    unit=unit.name_on(view.as_of),
                    count=len(findings),
                    oldest=findings[0].fact.occurred_on,
                    path=None if source is None else observation_path(source),
                )
            )
    return sorted(found, key=lambda one: (-one.count, one.oldest, one.unit))


def _missing(view: YearView, wanted: str | None) -> Iterator[MissingRow]:
    """The rows that wait, in the scheme's order; a row that only a unit's account has is one row."""
    waiting: dict[tuple[str, str], list[str]] = {}
    found = view.sheets()
    for unit in view.units:
        for indicator in found[unit.key].pending:
            waiting.setdefault((unit.group, indicator), []).append(unit.name_on(view.as_of))
    for group in view.scheme.groups:
        for row in group.indicators if wanted in (None, group.id) else ():
            units = waiting.get((group.id, row.id))
            if units:
                judged = row.judged is not None
                yield MissingRow(group=group.id, indicator=row.id, titles=list(row.titles), judged=judged, units=units)
