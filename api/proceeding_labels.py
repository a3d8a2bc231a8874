"""What people call the steps, states and results of appeals, claims and proposals: one word for each, everywhere."""

from __future__ import annotations

from typing import Final

from ledger.events import ProposedAction
from ledger.proposals import Status

KINDS: Final = {"appeal": "申诉", "claim": "不涉及认定"}
STATUSES: Final = {
    "filed": "已提出",
    "returned": "退回补正",
    "accepted": "已受理",
    "reviewed": "已复核",
    "decided": "已决定",
    "withdrawn": "已撤回",
}
RESULTS: Final = {
    "upheld": "成立",
    "partly_upheld": "部分成立",
    "dismissed": "不成立",
    "granted": "准予",
    "refused": "不准予",
}
STEPS: Final = {
    "filed": "提出",
    "returned": "退回补正",
    "completed": "补正",
    "accepted": "受理",
    "reviewed": "复核",
    "decided": "决定",
    "withdrawn": "撤回",
}
ORDERS: Final = {"void": "作废", "amend": "更正", "judge": "重新评定"}
ACTIONS: Final[dict[ProposedAction, str]] = {
    "observe": "登记",
    "amend": "更正登记",
    "void": "作废登记",
    "rectify": "登记整改",
    "decide_appeal": "决定申诉",
    "decide_claim": "决定不涉及认定",
    "erase_evidence": "依法销毁证据",
}
PROPOSAL_STATUSES: Final[dict[Status, str]] = {"open": "待批准", "approved": "已批准", "declined": "未批准"}
