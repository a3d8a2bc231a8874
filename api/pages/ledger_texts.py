"""Entries of the ledger in plain Chinese: what they are called, what they say, and the texts they are searched by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

from api.pages.pinyin import initials
from api.proceeding_labels import ACTIONS, KINDS, ORDERS, RESULTS, STEPS
from ledger.events import (
    AppealDecided,
    AppealFiled,
    ClaimDecided,
    ClaimFiled,
    ProceedingReviewed,
    SchemeAdopted,
    SheetsReleased,
    UnitJoined,
    UnitLeft,
    UnitRenamed,
    YearOpened,
    YearTermsSet,
)
from projections.ledger_entries import YearEntry
from projections.sentences import scheme_words
from projections.years import YearView
from schemes.scheme import Scheme
from schemes.vocabulary import Vocabulary
from schemes.wording import fact_phrase

GROUPS: Final[Mapping[str, str]] = {
    "observation": "事项",
    "appeal": KINDS["appeal"],
    "claim": KINDS["claim"],
    "proposal": "审批",
    "year": "年度",
}
STATUSES: Final[Mapping[str, str]] = {"counts": "有效", "void": "已作废", "open": "办理中", "ended": "已办结"}
KIND_TITLES: Final[Mapping[str, str]] = {
    "observation.observe": "登记",
    "observation.amend": "更正",
    "observation.void": "作废",
    "observation.rectify": "整改",
    **{f"{kind}.{step}": f"{title}·{STEPS[step]}" for kind, title in KINDS.items() for step in STEPS},
    "proposal.made": "提请审批",
    "proposal.approved": "批准",
    "proposal.declined": "不批准或撤回",
    "year.opened": "开启年度",
    "year.scheme_adopted": "启用方案",
    "year.unit_joined": "单位加入",
    "year.unit_left": "单位退出",
    "year.unit_renamed": "单位更名",
    "year.terms_set": "设定期限",
    "year.sheets_released": "公布得分",
    "year.closed": "办结年度",
    "year.reopened": "重新开启",
}


def unit_name(view: YearView, entry: YearEntry) -> str | None:
    """Return the name that the unit had on the day of the fact, or has on the view's; None for what is of no unit."""
    if entry.unit is None:
        return None
    return entry.unit.name_on(entry.fact.occurred_on if entry.fact else view.as_of)


def sentence(view: YearView, entry: YearEntry) -> str:
    """Return what the entry says, in one sentence; its reasons, notes and evidence stand beside it."""
    if entry.proposal is not None:
        return _proposal(view, entry, ACTIONS[entry.proposal.action])
    if entry.fact is not None:
        return _observation(entry, _words(view))
    if entry.event is not None:
        return _event(view, entry)
    return "改记为其他单位的事项"


def _words(view: YearView) -> Vocabulary:
    return scheme_words(view.scheme)


def _observation(entry: YearEntry, words: Vocabulary) -> str:
    fact = entry.fact
    if fact is None:
        raise ValueError(f"expected an entry about an observation, got {entry.kind}")
    now = fact_phrase(fact, words)
    match entry.kind:
        case "observation.amend" if entry.before is not None:
            moved = f"（原属{entry.before.unit}）" if entry.before.unit != fact.unit else ""
            return f"{fact_phrase(entry.before, words)} → {now}{moved}"
        case "observation.void":
            return f"{now}，不再计分"
        case "observation.rectify":
            return f"{now}，已于{entry.rectified_on}整改"
        case _:
            return now


def _proposal(view: YearView, entry: YearEntry, action: str) -> str:
    fact = "" if entry.fact is None else f"：{fact_phrase(entry.fact, _words(view))}"
    told = "提请" if entry.kind == "proposal.made" else KIND_TITLES[entry.kind]
    return f"{told}{action}{fact}"


def _event(view: YearView, entry: YearEntry) -> str:
    event = entry.event
    match event:
        case AppealFiled():
            named = [f"{len(event.observations)}条记录"] if event.observations else []
            named += [row_title(view.scheme, row) for row in event.indicators]
            return f"对{'、'.join(named)}提出申诉"
        case ClaimFiled():
            return f"提出不涉及“{row_title(view.scheme, event.indicator)}”"
        case AppealDecided():
            orders = "、".join(ORDERS[one.order] for one in event.orders)
            return f"申诉{RESULTS[event.outcome]}" + (f"，并{orders}" if orders else "")
        case ClaimDecided():
            result = RESULTS["granted" if event.granted else "refused"]
            return f"{result}不涉及“{row_title(view.scheme, event.indicator)}”"
        case _:
            return _year(entry) or KIND_TITLES[entry.kind]


def _year(entry: YearEntry) -> str | None:
    match entry.event:
        case YearOpened() as event:
            return f"考核期{event.period.first}至{event.period.last}，方案{event.scheme.id}（{event.scheme.version}）"
        case SchemeAdopted() as event:
            return f"自此执行方案{event.scheme.id}（{event.scheme.version}）"
        case UnitJoined() as event:
            return f"{event.unit}自{event.on}起参加考核"
        case UnitLeft() as event:
            return f"{event.unit}自{event.on}起不再参加考核"
        case UnitRenamed() as event:
            return f"{event.unit}自{event.on}起更名为{event.name}"
        case YearTermsSet() as event:
            return f"申诉期限{event.days_to_file}个工作日，办理期限{event.days_to_decide}个工作日"
        case SheetsReleased() as event:
            return f"向单位公布截至{event.as_of}的得分"
        case _:
            return None


def said(entry: YearEntry) -> list[tuple[str, str]]:
    """Return what was written in the entry, each with what it is: reason, note, grounds, finding, recommendation."""
    found = [("说明", entry.note), ("理由", entry.reason)]
    if entry.event is not None and not entry.kind.startswith("year."):
        names = {"grounds": "理由", "finding": "复核情况", "reasons": "决定理由", "reason": "理由", "note": "说明"}
        found += [(title, getattr(entry.event, name, None)) for name, title in names.items()]
    if isinstance(entry.event, ProceedingReviewed):
        found.append(("处理建议", entry.event.recommendation))
    return [(title, text) for title, text in found if text]


def row_title(scheme: Scheme, row: str) -> str:
    """Return what an indicator is called, with its number; the number alone where the scheme has none such."""
    found = next(filter(None, (group.indicator(row) for group in scheme.groups)), None)
    return row if found is None else f"{row} {found.titles[-1]}"


def searched(view: YearView, entry: YearEntry) -> Iterator[str]:
    """Yield the texts by which the entry is found."""
    yield KIND_TITLES[entry.kind]
    yield entry.actor
    yield sentence(view, entry)
    if entry.unit is not None:
        names = dict.fromkeys((entry.unit.key, *(name for _, name in entry.unit.names)))
        for name in names:
            yield name
            yield _initials(name)
    yield from (text for _, text in said(entry))
    for one in entry.evidence:
        yield from filter(None, (one.title, one.document, one.locator, one.url))
    yield from (row_title(view.scheme, row) for row in entry.rows)


@lru_cache(1_000)
def _initials(name: str) -> str:
    return initials(name)
