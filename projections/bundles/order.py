"""What must hold between a bundle's entries: the rules are fsck's own (`ledger.checking.sequence`), told in Chinese."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from ledger.checking import sequence
from ledger.checking.findings import Finding
from ledger.checking.remembered import remembering
from ledger.decisions import YearState, fold_year
from ledger.events import (
    AppealDecided,
    ClaimDecided,
    Event,
    EvidenceErased,
    ObservationAmended,
    ObservationObserved,
    ObservationRectified,
    ObservationVoided,
    OfYear,
    Reading,
)
from projections.admission import SchemeAdmission
from projections.bundles.entries import LedgerEntry
from projections.bundles.format import BundleProblem
from projections.years import YEAR_TOPICS
from schemes.scheme import Scheme

_SENTENCES: Final[Mapping[str, str]] = {
    "positions-not-rising": "记录没有按编号先后排列",
    "time-backwards": "登记时刻早于前一条：时刻倒退",
    "nonce-reused": "随机数与另一条记录相同",
    "stream-version": "版本不相衔接：中间缺少记录，或顺序不对",
    "stream-order": "与它所在序列的先后不相衔接",
    "stream-year": "年度与它所在序列的年度不同，对该序列不起作用",
    "year-stream": "年度事项不在该年度自己的序列里",
    "closing-position": "结账所写的位置不是紧在它之前的一条",
    "scheme-two-documents": "同一计分办法的同一版本，前后是两份不同的文件",
    "entry-after-void": "写在作废之后；作废是终局的",
    "amendment-not-following": "更正后的内容与它写明的改动不符",
    "order-not-carried-out": "申诉决定的命令，没有照原样紧随其后登记",
    "decision-not-there": "所引的申诉决定，与紧在它之前的决定不符",
    "decision-other-kind": "决定与所决定的事项不是同一类",
    "decision-other-row": "决定的单位或指标，与所申请的不同",
    "proposal-content": "提议的内容不是可以提议的事项",
    "approval-without-proposal": "批准或退回之前没有提议",
    "approval-own": "提议、申请和批准中，有两项出自同一人",
    "approval-other-bytes": "批准所指的提议，字节与所批准的不符",
    "approval-recorded": "批准所称登记的条数，与所提议的不符",
    "approval-incomplete": "批准之后，没有紧接着登记所提议的事项",
    "approval-other-content": "登记的内容与所提议并获批准的不符",
    "proposal-approved": "提议已经获批，不能再有下文",
    "proposal-declined": "提议已被退回或撤回，不能再有下文",
    "proposal-outdated": "提议所依据的记录，在批准之前已有变动",
}


class Order(NamedTuple):
    """How many streams there are, how many entries decisions ordered, and the positions of those approved."""

    streams: int
    ordered: int
    approved: frozenset[int]


def check_order(entries: Sequence[LedgerEntry], code: str, unit: str | None) -> Order:
    """Return what the entries are; `unit` is the key of the one they were chosen for, None where all are there.

    Raises BundleProblem for the first thing that does not hold.
    """
    approved: set[int] = set()
    with remembering() as remembered:
        order = sequence.Sequence(code, remembered, is_whole=unit is None, unit=unit)
        for one in entries:
            _refuse(order.follow(one.position, one.leaf, one.event))
            if order.is_approved(one.position):
                approved.add(one.position)
        _refuse(order.end())
    return Order(order.streams, order.ordered, frozenset(approved))


def _refuse(findings: Iterator[Finding]) -> None:
    for one in findings:
        told = _SENTENCES.get(one.code, "这一步当时不能进行")
        raise BundleProblem(one.code, f"第{one.position}号记录：{told}")


def alone(entries: Sequence[LedgerEntry], approved: frozenset[int], year: int, scheme: Scheme) -> list[int]:
    """Return the positions of entries that take a second person, where none is on record.

    Voids, decisions and erasures always do; readings where a rule of the scheme says so, in the year that the scheme
    is of. Of other years only discretion is known to.
    """
    admission, state = SchemeAdmission(lambda _: scheme), _whole_year(entries, year)

    def weighs(event: Event, reading: Reading) -> bool:
        of_year = isinstance(event, OfYear) and event.year == year
        return admission.weighs(state, reading) if of_year else reading.kind == "discretion"

    found: list[int] = []
    readings: dict[UUID, Reading] = {}
    for one in entries:
        if _takes_two(one.event, readings.get(one.stream), weighs) and one.position not in approved:
            found.append(one.position)
        if isinstance(one.event, ObservationObserved | ObservationAmended):
            readings[one.stream] = one.event.reading
    return found


def _takes_two(event: Event, before: Reading | None, weighs: Callable[[Event, Reading], bool]) -> bool:
    match event:
        case ObservationVoided() | AppealDecided() | ClaimDecided() | EvidenceErased():
            return True
        case ObservationAmended():
            replaced = event.changes.unit is not None or event.changes.kind is not None
            return replaced or any(weighs(event, one) for one in (before, event.reading) if one is not None)
        case ObservationObserved():
            return weighs(event, event.reading)
        case ObservationRectified():
            return before is not None and weighs(event, before)
        case _:
            return False


def _whole_year(entries: Sequence[LedgerEntry], year: int) -> YearState:
    state = YearState(year)
    for one in entries:
        if isinstance(one.event, OfYear) and one.event.wire in YEAR_TOPICS and one.event.year == year:
            state = fold_year(state, one.event)
    return state
