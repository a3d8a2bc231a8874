"""What was recorded last of a year, in words: entries of observations, steps of appeals and claims, the year's turns.

All of it comes from what the view shows, so that those who speak for some units are told of nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from heapq import nlargest
from operator import attrgetter
from typing import Final

from ledger.events import (
    Event,
    SchemeAdopted,
    SheetsReleased,
    UnitJoined,
    UnitLeft,
    UnitRenamed,
    YearClosed,
    YearOpened,
    YearReopened,
    YearTermsSet,
)
from projections.notices import PROCEEDINGS, entry_sentence, observation_path, proceeding_path
from projections.overview_models import RecentEntry
from projections.proceedings.proceedings import proceedings_of
from projections.sentences import scheme_words
from projections.years import FactEntry, YearView
from schemes.fact import Fact
from schemes.vocabulary import Vocabulary

RECENT: Final = 15
_OF_UNITS: Final = (UnitJoined, UnitLeft, UnitRenamed)
_STEPS: Final = {
    "appeal.filed/1": "提出",
    "claim.filed/1": "提出",
    "proceeding.returned/1": "退回补正",
    "proceeding.completed/1": "补正",
    "proceeding.accepted/1": "受理",
    "proceeding.reviewed/1": "复核",
    "appeal.decided/1": "决定",
    "claim.decided/1": "决定",
    "proceeding.withdrawn/1": "撤回",
}


def recent_entries(view: YearView, entries: Iterator[tuple[FactEntry, Fact | None]]) -> list[RecentEntry]:
    """Return the newest of these entries of observations, and of the steps and turns that the view shows, in words.

    With each entry is how its observation read until then.
    """
    told = nlargest(RECENT, entries, key=lambda one: one[0].position)
    readable, words = {one.observation for one in view.observed} if view.sight else None, scheme_words(view.scheme)
    found = [*(_entry(view, readable, words, *one) for one in told), *_steps(view), *_turns(view)]
    return nlargest(RECENT, found, key=attrgetter("position"))


def _entry(
    view: YearView, readable: set[str] | None, words: Vocabulary, entry: FactEntry, before: Fact | None
) -> RecentEntry:
    fact = entry.said.fact or before
    unit = None if fact is None else view.state.unit(fact.unit)
    return RecentEntry(
        position=entry.position,
        recorded_at=entry.recorded_at.astimezone(UTC),
        actor=entry.actor,
        unit=None if unit is None else unit.name_on(view.as_of),
        sentence=entry_sentence(entry, before, words),
        path=observation_path(entry.observation) if readable is None or entry.observation in readable else None,
    )


def _steps(view: YearView) -> Iterator[RecentEntry]:
    for proceeding in proceedings_of(view):
        unit = view.unit_of_year(proceeding.state.unit)
        for position, event in proceeding.steps:
            yield RecentEntry(
                position=position,
                recorded_at=event.recorded_at.astimezone(UTC),
                actor=event.actor,
                unit=unit.name_on(view.as_of),
                sentence=f"{PROCEEDINGS[proceeding.state.kind]}：{_STEPS[event.wire]}",
                path=proceeding_path(proceeding),
            )


def _turns(view: YearView) -> Iterator[RecentEntry]:
    for position, event in view.turns:
        told = _turn_told(event)
        if told is not None and is_seen_turn(view, event):
            yield RecentEntry(
                position=position,
                recorded_at=event.recorded_at.astimezone(UTC),
                actor=event.actor,
                unit=event.unit if isinstance(event, _OF_UNITS) else None,
                sentence=told[0],
                path=told[1],
            )


def _turn_told(event: Event) -> tuple[str, str] | None:
    match event:
        case YearOpened():
            return "年度开启", "scheme"
        case SchemeAdopted():
            return f"启用方案第{event.scheme.version}版", "scheme"
        case UnitJoined():
            return "单位加入", "units"
        case UnitLeft():
            return "单位退出", "units"
        case UnitRenamed():
            return f"单位更名为{event.name}", "units"
        case YearTermsSet():
            return f"期限调整：申诉{event.days_to_file}个、办理{event.days_to_decide}个工作日", "appeals"
        case SheetsReleased():
            return f"公布得分（截至{event.as_of.isoformat()}）", "units"
        case YearClosed():
            return "年度办结", ""
        case YearReopened():
            return "重新开启年度", ""
        case _:
            return None


def is_seen_turn(view: YearView, event: Event) -> bool:
    """Whether the view shows a turn of the year: those that name a unit to whoever may see that unit."""
    if isinstance(event, _OF_UNITS):
        return view.shows(event.unit)
    return _turn_told(event) is not None
