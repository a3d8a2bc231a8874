"""What pages call the parts of appeals, claims and proposals in Chinese, and what they are about as phrases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ledger.events import Changes
from projections.answer_models import ReadingAnswer
from projections.scheme_files import vocabulary
from schemes.fact import Fact
from schemes.scheme import Scheme
from schemes.vocabulary import Vocabulary
from schemes.wording import fact_phrase

STATUSES: Final[Mapping[str, str]] = {
    "filed": "已提交",
    "returned": "退回补正",
    "accepted": "已受理",
    "reviewed": "已复核",
    "decided": "已决定",
    "withdrawn": "已撤回",
}
OUTCOMES: Final[Mapping[str, str]] = {
    "upheld": "成立",
    "partly_upheld": "部分成立",
    "dismissed": "不成立",
    "granted": "准予",
    "refused": "不予准予",
}
STEPS: Final[Mapping[str, str]] = {
    "filed": "提交",
    "returned": "退回补正",
    "completed": "补正",
    "accepted": "受理",
    "reviewed": "复核",
    "decided": "决定",
    "withdrawn": "撤回",
}
ORDERS: Final[Mapping[str, str]] = {"void": "作废", "amend": "更正", "judge": "重新评定"}
ACTIONS: Final[Mapping[str, str]] = {
    "observe": "登记",
    "amend": "更正登记",
    "void": "作废登记",
    "rectify": "登记整改",
    "decide_appeal": "决定申诉",
    "decide_claim": "决定不涉及认定",
    "erase_evidence": "依法销毁证据",
}
PROPOSAL_STATUSES: Final[Mapping[str, str]] = {"open": "待批准", "approved": "已批准", "declined": "未批准或已撤回"}


def words_of(scheme: Scheme | None) -> Vocabulary:
    """Return the words that facts of the year are told in."""
    return vocabulary() if scheme is None else vocabulary().extended(scheme.items)


def reading_phrase(reading: ReadingAnswer, words: Vocabulary) -> str:
    """Return what an observation says as a phrase: 2021年3月29日 被通报（设区市级，政务新媒体，季度）1次."""
    values = words.typed(reading.kind, reading.attributes)
    return fact_phrase(Fact("", 0, reading.unit, reading.kind, reading.occurred_on, reading.count, values), words)


def changed_reading(reading: ReadingAnswer, changes: Changes, words: Vocabulary) -> ReadingAnswer:
    """Return how an observation would read with the changes."""
    changed = {name: value for name, value in changes if value is not None}
    if changes.kind is not None:
        changed["label"] = words.kinds[changes.kind].label
    return reading.model_copy(update=changed)
