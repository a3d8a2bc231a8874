"""Refusals in Chinese, for pages: what was found wrong, where, and what to do, by the refusal's stable code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from schemes.problem import Problem

_SENTENCES: Final[Mapping[str, str]] = {
    "sign-in-refused": "用户名或口令不正确，或账户暂时不能登录。连续输错会锁定一段时间。",
    "sign-in-rate": "登录过于频繁，请稍候再试。",
    "sign-in-needed": "请先登录。",
    "not-allowed": "您的账户没有此项权限。如需办理，请联系系统管理员。",
    "password-must-change": "当前是一次性口令，请先设置自己的口令。",
    "other-site": "请求来自其他网站的页面，已拒绝。请在本系统的页面上操作。",
    "not-found": "没有这个页面。",
    "body-too-large": "提交的内容过大，请精简或分次提交。",
    "year-not-open": "该年度尚未开启。",
    "internal-error": "服务器出错，未记录任何内容。请把请求编号告诉系统管理员。",
    "ledger-unavailable": "暂时连接不上数据库，未记录任何内容，请稍后重试。",
}
_UNKNOWN: Final = "提交的内容未被接受。"


class Told(NamedTuple):
    """A refusal for people: its code and place as programs know them, a sentence, and what the program says itself."""

    code: str
    where: str
    text: str
    detail: str


def told(problem: Problem) -> Told:
    """Return the refusal in Chinese; `detail` is the English text, for those who look after the system."""
    return Told(problem.code, problem.where, _SENTENCES.get(problem.code, _UNKNOWN), problem.message)
