"""The menu: what there is for a year and beside it, and who is shown it."""

from __future__ import annotations

from typing import Final, NamedTuple

from api.access.permissions import Permission


class Item(NamedTuple):
    """An entry of the menu: `path` behind the year's own address, or from the root where it begins with a slash."""

    id: str
    title: str
    path: str
    needs: Permission
    shortcut: str | None = None


OF_YEAR: Final = (
    Item("overview", "总览", "", "years.read", "o"),
    Item("record", "登记", "record", "observations.record", "r"),
    Item("units", "单位", "units", "own-scores.read", "u"),
    Item("appeals", "申诉", "appeals", "items.read", "a"),
    Item("claims", "不涉及认定", "claims", "items.read"),
    Item("approvals", "审批", "approvals", "proposals.read", "p"),
    Item("scheme", "方案", "scheme", "years.read", "s"),
    Item("ledger", "台账", "ledger", "items.read", "l"),
    Item("workbooks", "表格", "workbooks", "scores.read", "x"),
    Item("papers", "公文", "papers", "scores.read"),
    Item("notices", "通知", "notices", "items.read", "m"),
    Item("manage", "年度管理", "manage", "years.manage"),
)
BESIDE: Final = (
    Item("verify", "核验", "/verify", "signed-in", "v"),
    Item("accounts", "账户", "/system/accounts", "accounts.manage"),
    Item("access-log", "访问记录", "/system/access-log", "access-log.read"),
    Item("settings", "设置", "/system/settings", "accounts.manage"),
    Item("calendar", "工作日历", "/system/calendar", "signed-in"),
    Item("me", "我的账户", "/me", "signed-in"),
)
