"""系统: accounts and their roles, the log of who was let in, and the settings in force.

A one-time password is shown once, in the answer to what made it, which is not kept by the browser. What may be done to
whom is held where it is done (`api.access.administration`).
"""

from __future__ import annotations

import platform
import re
from collections.abc import Callable
from importlib.metadata import version
from typing import Annotated, Any, Final, NamedTuple

from fastapi import APIRouter, Query, Request, Response
from pydantic import SecretStr
from sqlalchemy import make_url

from api.access.answers import OneTimePassword
from api.access.names import ANONYMOUS, COMMAND_LINE, SERVER
from api.access.principals import ROLES, Grant, Role
from api.access.sessions import last_log_number
from api.cursors import cursor_at, position_of
from api.pages.forms import Form, FormSent
from api.pages.page import Page, PageAsked, PageRoute
from api.routes.access import AccountName
from api.settings import Settings
from ledger.checkpoints import parse_checkpoint
from ledger.rejection import Rejection, rejected
from ledger.signed_notes import parse_note

router = APIRouter(route_class=PageRoute, include_in_schema=False)

ACCOUNTS: Final = "/system/accounts"
ACCOUNT: Final = f"{ACCOUNTS}/{{name}}"
LOG_PAGE: Final = 100
PACKAGES: Final = ("mingzhang", "fastapi", "pydantic", "SQLAlchemy", "cryptography", "eventsourcing", "chinesecalendar")
ACTION_TITLES: Final = {
    "account-created": "开立账户",
    "account-disabled": "停用账户",
    "account-enabled": "启用账户",
    "account-locked": "锁定账户",
    "identity-linked": "绑定统一身份",
    "identity-unlinked": "解除统一身份",
    "notice-address-removed": "移除通知邮箱",
    "notice-address-set": "设置通知邮箱",
    "password-changed": "修改口令",
    "password-reset": "重置口令",
    "refused": "拒绝访问",
    "role-granted": "授予角色",
    "role-revoked": "收回角色",
    "sessions-revoked": "结束登录",
    "sign-in-refused": "登录未成",
    "signed-in": "登录",
    "signed-out": "退出",
    "token-created": "创建令牌",
    "token-revoked": "撤销令牌",
    "webhook-added": "添加通知推送",
    "webhook-removed": "移除通知推送",
}
ACTOR_TITLES: Final = {ANONYMOUS: "未登录者", COMMAND_LINE: "命令行", SERVER: "服务器"}
DETAIL_TITLES: Final = {
    "by": "方式",
    "via": "方式",
    "password": "口令",
    "single sign-on": "统一身份认证",
    "session": "登录",
    "token": "令牌",
    "role": "角色",
    "jurisdiction": "地区",
    "unit": "单位",
    "same_person_as": "同一人",
    "prefix": "令牌编号",
    "days": "天数",
    "until": "至",
    "reason": "原因",
    "wrong": "口令不对",
    "unknown": "没有这个账户",
    "disabled": "账户已停用",
    "locked": "账户锁定中",
    "needs": "所需权限",
    "issuer": "认证服务",
    "link": "绑定编号",
    "url": "地址",
}
_PASSWORD: Final = re.compile(r"(://[^:/@\s]*):[^@/\s]*@")


@router.get(ACCOUNTS)
def list_accounts(page: PageAsked) -> Response:
    """List all accounts, with a form for another."""
    return page.render("system/accounts.html", menu="accounts", **_listed(page, Form()))


@router.post(ACCOUNTS)
def create_account(page: PageAsked, form: FormSent) -> Response:
    """Make an account, and show its one-time password this once."""
    access = page.given.access
    try:
        grants = [_grant(form)] if form.text("role") else []
        with_password = form.text("sign_in_by", "password") == "password"
        same = form.text("same_person_as") or None
        made = access.create_account(page.given.asking, form.text("name"), grants, same, with_password)
    except Rejection as refused:
        return page.refuse("system/accounts.html", refused, menu="accounts", **_listed(page, form))
    return _told_once(page, made)


@router.get(ACCOUNT)
def show_account(page: PageAsked, name: AccountName) -> Response:
    """Show an account with its roles, and what can be done with it."""
    return page.render("system/account.html", menu="accounts", **_of_account(page, name, Form()))


@router.post(f"{ACCOUNT}/disable")
def disable_account(page: PageAsked, name: AccountName) -> Response:
    """Disable an account."""
    return _changed(page, name, Form(), "已停用。", lambda: page.given.access.disable(page.given.asking, name))


@router.post(f"{ACCOUNT}/enable")
def enable_account(page: PageAsked, name: AccountName) -> Response:
    """Let a disabled or locked account sign in again."""
    return _changed(page, name, Form(), "已启用。", lambda: page.given.access.enable(page.given.asking, name))


@router.post(f"{ACCOUNT}/reset-password")
def reset_password(page: PageAsked, name: AccountName) -> Response:
    """Give an account a one-time password, and show it this once."""
    return _told_once(page, page.given.access.reset_password(page.given.asking, name))


@router.post(f"{ACCOUNT}/grants")
def grant_role(page: PageAsked, name: AccountName, form: FormSent) -> Response:
    """Give an account a role."""
    return _changed(
        page, name, form, "已授予。", lambda: page.given.access.grant(page.given.asking, name, _grant(form))
    )


@router.post(f"{ACCOUNT}/revoke")
def revoke_role(page: PageAsked, name: AccountName, form: FormSent) -> Response:
    """Take a role from an account."""
    return _changed(
        page, name, form, "已收回。", lambda: page.given.access.revoke(page.given.asking, name, _grant(form))
    )


@router.post(f"{ACCOUNT}/end-sessions")
def end_sessions(page: PageAsked, name: AccountName) -> Response:
    """End all sessions of an account."""
    return _changed(
        page,
        name,
        Form(),
        "该账户的登录已全部结束。",
        lambda: page.given.access.revoke_sessions(page.given.asking, name),
    )


@router.get("/system/access-log")
def show_access_log(page: PageAsked, cursor: Annotated[str | None, Query(max_length=100)] = None) -> Response:
    """List what happened to accounts, who signed in and who was refused, the newest first."""
    last = last_log_number(page.given.jurisdictions.engine) if cursor is None else position_of(cursor)
    first = max(last - LOG_PAGE, 0)
    entries = page.given.access.log_page(first, last - first).entries if last > first else []
    return page.render(
        "system/access_log.html",
        menu="access-log",
        entries=entries[::-1],
        titles=ACTION_TITLES,
        actors=ACTOR_TITLES,
        details=DETAIL_TITLES,
        older=cursor_at(first) if first else None,
    )


@router.get("/system/settings")
def show_settings(request: Request, page: PageAsked) -> Response:
    """Show the settings in force without secrets, the versions, and the signed head of each ledger."""
    settings: Settings = request.app.state.settings
    ledgers = page.given.jurisdictions
    return page.render(
        "system/settings.html",
        menu="settings",
        settings=shown_settings(settings),
        versions=[("Python", platform.python_version()), *((name, version(name)) for name in PACKAGES)],
        database=ledgers.engine.dialect.name,
        key_folder=settings.key_folder,
        evidence=settings.evidence_bucket or settings.evidence_folder,
        heads=[_head(page, code) for code in ledgers.codes()],
    )


class Head(NamedTuple):
    """The signed head of a ledger as it is shown, or why there is none."""

    code: str
    key: str = ""
    origin: str = ""
    size: int = 0
    root: str = ""
    refusal: str = ""


def _head(page: Page, code: str) -> Head:
    proofs = page.given.proofs(code)
    try:
        checkpoint = parse_checkpoint(parse_note(proofs.checkpoint())[0])
        return Head(code, proofs.verifier_key(), checkpoint.origin, checkpoint.size, checkpoint.root.hex())
    except Rejection as refused:
        # The others are shown still; what the files of keys are called is for the log.
        return Head(code, refusal=refused.refusals[0].code)


def shown_settings(settings: Settings) -> list[tuple[str, str]]:
    """Return each setting's variable and its value, without passwords and secrets."""
    return [(f"MINGZHANG_{name.upper()}", _shown(name, value)) for name, value in settings]


def _shown(name: str, value: object) -> str:
    if value is None:
        return "—"
    if isinstance(value, SecretStr):
        return "已设置（不显示）"
    if name == "database_url":
        # Parameters of the address may hold a password too.
        return make_url(str(value)).set(query={}).render_as_string(hide_password=True)
    return _PASSWORD.sub(r"\1:***@", str(value))


def _listed(page: Page, form: Form) -> dict[str, Any]:
    return {"accounts": page.given.access.accounts(), "form": form, **_offered(page)}


def _of_account(page: Page, name: str, form: Form) -> dict[str, Any]:
    return {"account": page.given.access.account(name), "form": form, **_offered(page)}


def _offered(page: Page) -> dict[str, Any]:
    return {"roles": ROLES, "codes": page.given.jurisdictions.codes(), "now": page.given.clock()}


def _grant(form: Form) -> Grant:
    """Return the role that the form names; refuses what is no role (`grant-form`)."""
    named = form.text("role")
    role: Role | None = next((one for one in ROLES if one == named), None)
    if role is None:
        raise rejected("grant-form", "role", f"found {named[:80]!r}, expected one of {', '.join(ROLES)}")
    return Grant(role, form.text("jurisdiction") or None, form.text("unit") or None)


def _changed(page: Page, name: str, form: Form, said: str, change: Callable[[], None]) -> Response:
    """Make the change and show the account again; what is refused is told beside what was typed."""
    page.given.access.account(name)
    try:
        change()
    except Rejection as refused:
        return page.refuse("system/account.html", refused, menu="accounts", **_of_account(page, name, form))
    return page.redirect(page.request.url.path.rpartition("/")[0], f"{name}：{said}")


def _told_once(page: Page, made: OneTimePassword) -> Response:
    response = page.render("system/one_time.html", menu="accounts", made=made)
    response.headers["Cache-Control"] = "no-store"
    return response
