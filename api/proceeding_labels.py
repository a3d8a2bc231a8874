"""What people call the steps, states and results of appeals and claims: one word for each, wherever it is shown."""

from __future__ import annotations

from typing import Final

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
