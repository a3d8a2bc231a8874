"""Examples of the bodies of appeals, claims and closings that the API's documentation shows, and two small bodies."""

from __future__ import annotations

from typing import Any, Final

from ledger.events import LongText, Value


class CloseYear(Value):
    """Why the year is closed."""

    reason: LongText


class ReopenYear(Value):
    """Why the year is reopened."""

    reason: LongText


Examples = dict[str, Any]
_ARCHIVE: Final = {"title": "网页存档", "url": "https://www.example.gov.cn/zfxxgk/2021/0330.html", "locator": "第1屏"}
_MINUTES: Final = {"title": "申诉复核会议纪要", "document": "樟政公开办纪〔2021〕3号"}


def _example(summary: str, value: object) -> dict[str, Any]:
    return {"summary": summary, "value": value}


FILE_APPEAL: Final[Examples] = {
    "row": _example(
        "对一项得分有异议",
        {
            "unit": "福城街道",
            "indicators": ["1.2"],
            "grounds": "机构和人员均已到位，评定时未见任命文件",
            "evidence": [{"title": "任命文件", "document": "福街发〔2021〕5号"}],
        },
    )
}
FILE_CLAIM: Final[Examples] = {
    "no_requests": _example(
        "全年未收到公开申请",
        {
            "unit": "福城街道",
            "indicator": "1.11",
            "grounds": "全年未收到公开申请，本项不适用",
            "evidence": [{"title": "申请登记簿", "document": "登记簿2021"}],
        },
    )
}
RETURN: Final[Examples] = {"incomplete": _example("材料不全", {"reason": "请补充任命文件的扫描件"})}
COMPLETE: Final[Examples] = {"completed": _example("补正", {"grounds": "补充网页存档", "evidence": [_ARCHIVE]})}
ACCEPT: Final[Examples] = {"accepted": _example("受理", {"note": "材料齐全"})}
REVIEW: Final[Examples] = {
    "found": _example("复核", {"finding": "任命早于评定日", "recommendation": "重新评定该项", "evidence": [_ARCHIVE]})
}
DECIDE_APPEAL: Final[Examples] = {
    "upheld": _example(
        "成立，重新评定",
        {
            "outcome": "upheld",
            "reasons": "任命文件早于评定日，应予认定",
            "orders": [{"judge": "1.2", "value": "4.5", "occurred_on": "2021-12-20"}],
            "evidence": [_MINUTES],
        },
    ),
    "dismissed": _example("不成立", {"outcome": "dismissed", "reasons": "任命文件晚于评定日", "evidence": [_MINUTES]}),
}
DECIDE_CLAIM: Final[Examples] = {
    "granted": _example("准予", {"granted": True, "reasons": "登记簿为空，本年度不适用", "evidence": [_MINUTES]}),
    "refused": _example("不准予", {"granted": False, "reasons": "本年度收到申请一件"}),
}
WITHDRAW: Final[Examples] = {"withdrawn": _example("撤回", {"reason": "单位不再申诉"})}
CLOSE: Final[Examples] = {"final": _example("年度考核结束", {"reason": "考核结果已经市政府审定"})}
REOPEN: Final[Examples] = {"missed": _example("漏登通报", {"reason": "漏登省级通报一份，重新核定"})}
TERMS: Final[Examples] = {
    "shorter": _example("按实施细则", {"days_to_file": 10, "days_to_decide": 7, "reason": "实施细则第九条"})
}
