"""`mingzhang account …`, on a database of its own: whoever has the database needs no account."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from api.command_line import app
from api.commands import account
from tests.access.office import PASSWORD, Office

pytestmark = pytest.mark.usefixtures("wide_terminal")


@pytest.fixture
def wide_terminal(monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("MINGZHANG_DATABASE_URL", database_url)
    assert account.account in [group.typer_instance for group in app.registered_groups]


def run(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["account", *words])
    return done.exit_code, done.stdout, done.stderr


def answer(*words: str) -> Any:
    status, shown, complaint = run(*words, "--json")
    assert status == 0, complaint
    return json.loads(shown)


def test_accounts_by_command_line(engine: Engine) -> None:
    made = answer("create", "登记员", "--role", "recorder", "-j", "360982")
    office = Office(engine)
    token = office.access.change_password("登记员", made["one_time_password"], PASSWORD)
    assert office.access.authenticate_session(token) is not None
    answer("create", "登记员-2", "--same-person-as", "登记员", "--without-password")
    unit = ("--role", "unit", "-j", "360982", "--unit", "福城街道")
    [granted] = answer("grant", "登记员-2", *unit)
    assert granted["grants"] == [{"role": "unit", "jurisdiction": "360982", "unit": "福城街道"}]
    [revoked] = answer("revoke", "登记员-2", *unit)
    assert revoked["grants"] == []
    answer("end-sessions", "登记员")
    assert office.access.authenticate_session(token) is None
    assert answer("disable", "登记员")[0]["disabled_at"] is not None
    assert answer("enable", "登记员")[0]["disabled_at"] is None
    reset = answer("reset-password", "登记员")
    assert office.principal("登记员", reset["one_time_password"]).grants == ()
    first, second = answer("list")
    assert (first["name"], second["name"], first["person"]) == ("登记员", "登记员-2", second["person"])
    assert {one.actor for one in office.log("role-granted") + office.log("account-disabled")} == {"command-line"}


def test_tokens_by_command_line(engine: Engine) -> None:
    office = Office(engine)
    office.account("登记员")
    answer("grant", "登记员", "--role", "recorder", "-j", "360982")
    bounds = ("--scope", "years.read", "--scope", "items.read", "-j", "360982")
    made = answer("token", "create", "登记员", "--for", "数据大屏", "--days", "30", *bounds)
    office.clock.moment = datetime.fromisoformat(made["created_at"])
    principal = office.access.authenticate_token(made["token"])
    assert principal is not None
    assert principal.scopes == frozenset({"years.read", "items.read"})
    [listed] = answer("token", "list", "登记员")
    assert (listed["prefix"], "token" in listed) == (made["prefix"], False)
    assert answer("token", "revoke", made["prefix"]) == {"revoked": made["prefix"]}
    assert office.access.authenticate_token(made["token"]) is None


def test_the_terminal_shows_secrets_once_and_never_a_hash(engine: Engine) -> None:
    _, shown, _ = run("create", "登记员", "--role", "recorder", "-j", "360982")
    assert "one-time password: " in shown
    office = Office(engine)
    office.access.change_password("登记员", shown.split("one-time password: ")[1].split()[0], PASSWORD)
    _, token, _ = run("token", "create", "登记员", "--for", "接口", "--days", "1")
    assert token.startswith("token: mz_")
    secret = token.split()[1]
    for words in (("list",), ("token", "list", "登记员")):
        status, table, _ = run(*words)
        assert status == 0
        assert "360982" in table or "接口" in table
        assert secret[-43:] not in table
        assert "argon2" not in table
    run("disable", "登记员")
    assert "已停用" in run("list")[1]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("create", "登记员", "--role", "recorder"), "grant-form"),
        (("create", "登记员", "--role", "root", "-j", "360982"), "grant-form"),
        (("create", "登记员", "-j", "360982"), "grant-form"),
        (("create", "登记员\u200b"), "account-name-form"),
        (("create", "登记员", "--same-person-as", "nobody"), "unknown-account"),
        (("disable", "nobody"), "unknown-account"),
        (("token", "create", "nobody", "--for", "x", "--days", "367"), "field-invalid"),
        (("token", "revoke", "nobody"), "unknown-token"),
    ],
    ids=str,
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_refused_is_said_and_not_done(words: tuple[str, ...], code: str) -> None:
    status, _, complaint = run(*words, "--json")
    assert (status, [one["code"] for one in json.loads(complaint)["errors"]]) == (2, [code])
    assert answer("list") == []
