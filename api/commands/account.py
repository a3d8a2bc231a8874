"""`mingzhang account …`: accounts, what they are granted, and their API tokens.

On the machine itself nobody signs in: whoever has the database has all of this anyway. What is done here is logged
with the actor `command-line`.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, cast

import typer
from rich.table import Table

from api.access.access import Access
from api.access.administration import check_grant
from api.access.answers import AccountAnswer, NewToken, OneTimePassword, TokenAnswer
from api.access.principals import Grant, Role
from api.access.tokens import TokenWish
from api.command_line import AsJson, app, print_json
from api.commands.options import Database, as_wish, console, opened
from api.commands.tables import add_row, new_table
from api.opening import now
from api.refusals import refusals_shown
from api.settings import Settings
from projections.answer_models import Answer

account = typer.Typer(help="Accounts: who may sign in, and what they may do.", no_args_is_help=True)
token = typer.Typer(help="API tokens of accounts, for programs.", no_args_is_help=True)
app.add_typer(account, name="account")
account.add_typer(token, name="token")

Name = Annotated[str, typer.Argument(help="The account's name.")]
RoleName = Annotated[str, typer.Option("--role", help="recorder, reviewer, leader, unit, auditor or administrator.")]
Somewhere = Annotated[str | None, typer.Option("--jurisdiction", "-j", help="GB/T 2260 code, six digits.")]
Unit = Annotated[str | None, typer.Option(help="The unit that the role `unit` speaks for.")]


@account.command("create")
def create(
    name: Name,
    role: Annotated[str | None, typer.Option(help="A role to begin with.")] = None,
    jurisdiction: Somewhere = None,
    unit: Unit = None,
    same_person_as: Annotated[str | None, typer.Option(help="Another account of the same human.")] = None,
    without_password: Annotated[bool, typer.Option("--without-password", help="For single sign-on only.")] = False,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Make an account, and show its one-time password."""
    with refusals_shown(as_json), _access(database) as access:
        stated = role is not None or jurisdiction is not None or unit is not None
        granted = [_grant(role or "", jurisdiction, unit)] if stated else []
        _show_password(access.create_account(None, name, granted, same_person_as, not without_password), as_json)


@account.command("list")
def show_all(database: Database = None, as_json: AsJson = False) -> None:
    """Show all accounts, with what they are granted."""
    with refusals_shown(as_json), _access(database) as access:
        _show_accounts(access.accounts(), as_json)


@account.command("disable")
def disable(name: Name, database: Database = None, as_json: AsJson = False) -> None:
    """Disable an account: its sessions and tokens end at once."""
    with refusals_shown(as_json), _access(database) as access:
        access.disable(None, name)
        _show_accounts([access.account(name)], as_json)


@account.command("enable")
def enable(name: Name, database: Database = None, as_json: AsJson = False) -> None:
    """Let a disabled or locked account sign in again."""
    with refusals_shown(as_json), _access(database) as access:
        access.enable(None, name)
        _show_accounts([access.account(name)], as_json)


@account.command("reset-password")
def reset_password(name: Name, database: Database = None, as_json: AsJson = False) -> None:
    """Give an account a new one-time password, and end its sessions."""
    with refusals_shown(as_json), _access(database) as access:
        _show_password(access.reset_password(None, name), as_json)


@account.command("grant")
def grant(
    name: Name,
    role: RoleName,
    jurisdiction: Somewhere = None,
    unit: Unit = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Give an account a role."""
    with refusals_shown(as_json), _access(database) as access:
        access.grant(None, name, _grant(role, jurisdiction, unit))
        _show_accounts([access.account(name)], as_json)


@account.command("revoke")
def revoke(
    name: Name,
    role: RoleName,
    jurisdiction: Somewhere = None,
    unit: Unit = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Take a role from an account, from its next request on."""
    with refusals_shown(as_json), _access(database) as access:
        access.revoke(None, name, _grant(role, jurisdiction, unit))
        _show_accounts([access.account(name)], as_json)


@account.command("end-sessions")
def end_sessions(name: Name, database: Database = None, as_json: AsJson = False) -> None:
    """End all sessions of an account."""
    with refusals_shown(as_json), _access(database) as access:
        access.revoke_sessions(None, name)
        _show_accounts([access.account(name)], as_json)


@token.command("create")
def create_token(
    name: Name,
    purpose: Annotated[str, typer.Option("--for", help="What the token is for.")],
    days: Annotated[int, typer.Option(help="How many days it is good, at most 366.")],
    scope: Annotated[list[str] | None, typer.Option(help="A permission it may use, repeatable; else all.")] = None,
    jurisdiction: Somewhere = None,
    unit: Annotated[str | None, typer.Option(help="Only the grants for this unit.")] = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Make an API token of an account, and show it this once."""
    with refusals_shown(as_json), _access(database) as access:
        stated = {"name": purpose, "days": days, "scopes": scope, "jurisdiction": jurisdiction, "unit": unit}
        made = access.create_token(None, name, as_wish(TokenWish, **stated))
        _show(made, as_json, _new_token_lines(made))


@token.command("list")
def show_tokens(name: Name, database: Database = None, as_json: AsJson = False) -> None:
    """Show the API tokens of an account, without their secrets."""
    with refusals_shown(as_json), _access(database) as access:
        found = access.tokens(name)
        if as_json:
            print_json([one.model_dump(mode="json") for one in found])
        else:
            console.print(_tokens_table(name, found))


@token.command("revoke")
def revoke_token(
    prefix: Annotated[str, typer.Argument(help="The part of the token after `mz_`.")],
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """End an API token."""
    with refusals_shown(as_json), _access(database) as access:
        access.revoke_token(None, prefix)
        if as_json:
            print_json({"revoked": prefix})
        else:
            typer.echo(f"revoked: mz_{prefix}_…")


@contextmanager
def _access(database: str | None) -> Iterator[Access]:
    with opened(database) as ledgers:
        yield Access(ledgers.engine, now, secrets.token_bytes, Settings().session_hours)


def _grant(role: str, jurisdiction: str | None, unit: str | None) -> Grant:
    found = Grant(cast("Role", role), jurisdiction, unit)
    check_grant(found)
    return found


def _show(answer: Answer, as_json: bool, lines: list[str]) -> None:
    if as_json:
        print_json(answer.model_dump(mode="json"))
    else:
        for line in lines:
            typer.echo(line)


def _show_password(made: OneTimePassword, as_json: bool) -> None:
    lines = [f"account: {made.name}"]
    if made.one_time_password is not None:
        lines += [f"one-time password: {made.one_time_password}", "shown this once; to be changed at the first sign-in"]
    _show(made, as_json, lines)


def _new_token_lines(made: NewToken) -> list[str]:
    return [f"token: {made.token}", f"shown this once; good until {made.expires_at.isoformat(timespec='minutes')}"]


def _show_accounts(found: list[AccountAnswer], as_json: bool) -> None:
    if as_json:
        print_json([one.model_dump(mode="json") for one in found])
        return
    table = new_table("", ["账号", "人员", "角色", "状态"])
    for one in found:
        roles = ", ".join(" ".join(filter(None, (each.role, each.jurisdiction, each.unit))) for each in one.grants)
        add_row(table, one.name, one.person[:8], roles, _state(one))
    console.print(table)


def _state(one: AccountAnswer) -> str:
    if one.disabled_at is not None:
        return "已停用"
    if one.locked_until is not None and one.locked_until > now():
        return "已锁定"
    return "须更换密码" if one.must_change else ""


def _tokens_table(name: str, found: list[TokenAnswer]) -> Table:
    table = new_table(name, ["令牌", "用途", "有效期至", "范围"])
    for one in found:
        until = "已收回" if one.revoked_at else one.expires_at.date().isoformat()
        bounds = ", ".join([*(one.scopes or []), *filter(None, (one.jurisdiction, one.unit))])
        add_row(table, f"mz_{one.prefix}_…", one.name, until, bounds)
    return table
