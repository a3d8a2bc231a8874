"""The routes of who is who, through the whole application."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import Response
from sqlalchemy import Engine
from starlette.testclient import TestClient

from api.access.answers import NewToken
from api.access.guard import COOKIE
from api.access.principals import Grant
from api.access.tokens import TokenWish
from api.http import create_app
from api.settings import Settings
from projections.jurisdictions import Jurisdictions
from tests.access.office import ADMINISTRATOR, CODE, PASSWORD, RECORDER, Office

API = "/api/v1"
NEXT = "another horse altogether"
GRANT = {"role": "recorder", "jurisdiction": CODE, "unit": None}


@pytest.fixture
def application(engine: Engine, office: Office, tmp_path: Path) -> Iterator[FastAPI]:
    jurisdictions = Jurisdictions(engine, secrets.token_bytes)
    settings = Settings(key_folder=tmp_path / "keys", evidence_folder=tmp_path / "evidence")
    application = create_app(jurisdictions, settings, office.clock)
    # With passwords that are hashed fast.
    application.state.edge = replace(application.state.edge, access=office.access)
    yield application
    jurisdictions.close()


@pytest.fixture
def browser(application: FastAPI) -> Iterator[TestClient]:
    with TestClient(application, base_url="https://testserver") as client:
        yield client


@pytest.fixture
def chief(application: FastAPI, office: Office) -> Iterator[TestClient]:
    """A browser in which an administrator has signed in."""
    office.account("chief", ADMINISTRATOR)
    with TestClient(application, base_url="https://testserver") as client:
        assert sign_in(client, "chief").status_code == 200
        yield client


def sign_in(client: TestClient, name: str, password: str = PASSWORD) -> Response:
    return client.post(f"{API}/session", json={"name": name, "password": password})


def token_of(office: Office, name: str, **bounds: Any) -> NewToken:
    return office.access.create_token(None, name, TokenWish.model_validate({"name": "tests", "days": 9} | bounds))


def bearer(token: NewToken) -> dict[str, str]:
    return {"Authorization": f"Bearer {token.token}"}


def told(response: Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def test_signing_in_sets_a_cookie_for_this_host_that_no_script_reads(browser: TestClient, office: Office) -> None:
    office.account("recorder", RECORDER)
    response = sign_in(browser, "recorder")
    name, *attributes = response.headers["set-cookie"].split("; ")
    assert name.startswith(f"{COOKIE}=")
    assert sorted(attributes) == ["HttpOnly", "Path=/", "SameSite=strict", "Secure"]
    assert response.headers["cache-control"] == "no-store"
    expected = {"name": "recorder", "via": "session", "grants": [GRANT], "must_change": False}
    assert response.json() == expected
    assert browser.get(f"{API}/session").json() == expected


def test_nobody_is_told_why_signing_in_failed(browser: TestClient, office: Office) -> None:
    office.account()
    office.account("disabled")
    office.access.disable(None, "disabled")
    answers = [sign_in(browser, "recorder", "wrong password"), sign_in(browser, "disabled"), sign_in(browser, "nobody")]
    assert [told(one) for one in answers] == [(401, "sign-in-refused")] * 3
    assert len({one.text for one in answers}) == 1
    assert all("set-cookie" not in one.headers for one in answers)


def test_signing_in_again_ends_the_session_before_and_begins_another(browser: TestClient, office: Office) -> None:
    office.account()
    sign_in(browser, "recorder")
    before = browser.cookies[COOKIE]
    sign_in(browser, "recorder")
    assert browser.cookies[COOKIE] != before
    assert office.access.authenticate_session(before) is None


def test_a_session_that_somebody_else_chose_is_not_taken_over(browser: TestClient, office: Office) -> None:
    office.account()
    chosen = "A" * 43
    browser.cookies.set(COOKIE, chosen, domain="testserver.local", path="/")
    sign_in(browser, "recorder")
    assert office.access.authenticate_session(chosen) is None


def test_signing_out_ends_the_session_and_takes_the_cookie(browser: TestClient, office: Office) -> None:
    office.account()
    sign_in(browser, "recorder")
    token = browser.cookies[COOKIE]
    assert browser.delete(f"{API}/session").status_code == 204
    assert COOKIE not in browser.cookies
    assert office.access.authenticate_session(token) is None
    assert browser.get(f"{API}/session").status_code == 401


def test_with_a_one_time_password_only_the_password_can_be_changed(browser: TestClient, office: Office) -> None:
    made = office.access.create_account(None, "chief", [ADMINISTRATOR])
    assert made.one_time_password is not None
    first = sign_in(browser, "chief", made.one_time_password).json()
    assert (first["grants"], first["must_change"]) == ([], True)
    assert browser.get(f"{API}/accounts").status_code == 403
    token = browser.post(f"{API}/tokens", json={"name": "x", "days": 1})
    assert told(token) == (403, "password-must-change")
    changed = browser.post(f"{API}/session/password", json={"old": made.one_time_password, "new": NEXT})
    assert changed.json()["must_change"] is False
    assert browser.get(f"{API}/accounts").status_code == 200


def test_a_changed_password_ends_the_other_sessions(browser: TestClient, office: Office) -> None:
    office.account()
    other = office.access.sign_in("recorder", PASSWORD)
    sign_in(browser, "recorder")
    weak = browser.post(f"{API}/session/password", json={"old": PASSWORD, "new": "1234567890"})
    assert told(weak) == (422, "password-too-weak")
    wrong = browser.post(f"{API}/session/password", json={"old": NEXT, "new": NEXT + "!"})
    assert told(wrong) == (401, "sign-in-refused")
    assert browser.post(f"{API}/session/password", json={"old": PASSWORD, "new": NEXT}).status_code == 200
    assert office.access.authenticate_session(other) is None
    assert browser.get(f"{API}/session").status_code == 200


def test_more_than_twenty_attempts_a_minute_have_to_wait(browser: TestClient, office: Office) -> None:
    office.account()
    assert [sign_in(browser, f"nobody{number}").status_code for number in range(20)] == [401] * 20
    response = sign_in(browser, "recorder")
    assert told(response) == (429, "too-many-requests")
    assert response.headers["retry-after"] == "60"
    office.clock.pass_(seconds=60)
    assert sign_in(browser, "recorder").status_code == 200


def test_an_administrator_makes_an_account_that_can_sign_in(chief: TestClient, browser: TestClient) -> None:
    made = chief.post(f"{API}/accounts", json={"name": "登记员", "grants": [GRANT]})
    assert made.status_code == 200, made.text
    assert made.headers["cache-control"] == "no-store"
    assert sign_in(browser, "登记员", made.json()["one_time_password"]).status_code == 200
    listed = chief.get(f"{API}/accounts").json()["accounts"]
    assert [(one["name"], one["grants"], one["must_change"]) for one in listed][1:] == [("登记员", [GRANT], True)]
    assert "hash" not in str(listed)


def test_accounts_are_managed_over_http(chief: TestClient, office: Office) -> None:
    office.account("登记员")
    account = f"{API}/accounts/登记员"
    auditor = {"role": "auditor", "jurisdiction": CODE}
    assert chief.post(f"{account}/grants", json=auditor).json()["grants"] == [auditor | {"unit": None}]
    assert chief.post(f"{account}/revoke", json=auditor).json()["grants"] == []
    token = office.access.sign_in("登记员", PASSWORD)
    assert chief.delete(f"{account}/sessions").status_code == 204
    assert office.access.authenticate_session(token) is None
    assert chief.post(f"{account}/disable").json()["disabled_at"] is not None
    assert chief.post(f"{account}/enable").json()["disabled_at"] is None
    reset = chief.post(f"{account}/reset-password").json()
    assert office.principal("登记员", reset["one_time_password"]).name == "登记员"
    assert {one.actor for one in office.log() if one.action in ("role-granted", "password-reset")} == {
        "command-line",
        "chief",
    }


def test_what_may_not_be_done_with_accounts_is_refused_with_a_code(chief: TestClient, office: Office) -> None:
    office.account("recorder", RECORDER)
    accounts = f"{API}/accounts"
    answers = {
        "unknown": chief.post(f"{accounts}/nobody/disable"),
        "taken": chief.post(accounts, json={"name": "Rec0rder"}),
        "form": chief.post(accounts, json={"name": "rec\u200border"}),
        "cyrillic": chief.post(accounts, json={"name": "аdmin"}),
        "last": chief.post(f"{accounts}/chief/disable"),
        "own": chief.post(f"{accounts}/chief/grants", json=GRANT),
        "conflict": chief.post(f"{accounts}/recorder/grants", json={"role": "administrator"}),
        "absent": chief.post(f"{accounts}/recorder/revoke", json={"role": "leader", "jurisdiction": CODE}),
        "misformed": chief.post(f"{accounts}/recorder/grants", json={"role": "unit", "jurisdiction": CODE}),
        "role": chief.post(f"{accounts}/recorder/grants", json={"role": "root"}),
        "person": chief.post(accounts, json={"name": "new", "same_person_as": "nobody"}),
        "client-sent": chief.post(accounts, json={"name": "new", "person": "0" * 32}),
    }
    assert {name: told(response) for name, response in answers.items()} == {
        "unknown": (404, "unknown-account"),
        "taken": (409, "account-name-taken"),
        "form": (422, "field-invalid"),
        "cyrillic": (422, "account-name-form"),
        "last": (409, "last-administrator"),
        "own": (403, "own-grant"),
        "conflict": (409, "roles-conflict"),
        "absent": (409, "unknown-grant"),
        "misformed": (422, "grant-form"),
        "role": (422, "field-invalid"),
        "person": (422, "unknown-account"),
        "client-sent": (422, "field-unknown"),
    }


def test_a_token_is_made_listed_used_and_revoked_by_its_owner(browser: TestClient, office: Office) -> None:
    office.account("recorder", RECORDER)
    sign_in(browser, "recorder")
    made = browser.post(f"{API}/tokens", json={"name": "接口", "days": 30})
    assert made.headers["cache-control"] == "no-store"
    token = made.json()
    headers = {"Authorization": f"Bearer {token['token']}"}
    assert browser.get(f"{API}/session", headers=headers).json()["via"] == "token"
    [listed] = browser.get(f"{API}/tokens").json()["tokens"]
    assert (listed["prefix"], "token" in listed) == (token["prefix"], False)
    assert browser.delete(f"{API}/tokens/{token['prefix']}").status_code == 204
    assert browser.get(f"{API}/session", headers=headers).status_code == 401


def test_the_tokens_of_others_are_not_there(browser: TestClient, office: Office) -> None:
    office.account("recorder")
    office.account("other")
    prefix = token_of(office, "other").prefix
    sign_in(browser, "recorder")
    answers = [browser.delete(f"{API}/tokens/{one}") for one in (prefix, "zzzzzzzzzzzz", "%00", "x" * 5000)]
    assert [told(one) for one in answers] == [(404, "unknown-token")] * 4
    assert browser.get(f"{API}/tokens").json() == {"tokens": []}


def test_a_token_makes_no_token_changes_no_password_and_ends_no_session(browser: TestClient, office: Office) -> None:
    office.account("recorder", RECORDER)
    headers = bearer(token_of(office, "recorder"))
    answers = [
        browser.post(f"{API}/tokens", json={"name": "x", "days": 1}, headers=headers),
        browser.post(f"{API}/session/password", json={"old": PASSWORD, "new": NEXT}, headers=headers),
        browser.delete(f"{API}/session", headers=headers),
    ]
    assert [told(one) for one in answers] == [(403, "session-needed")] * 3


def test_an_administrators_token_manages_accounts_only_within_its_scopes(browser: TestClient, office: Office) -> None:
    office.account("chief", ADMINISTRATOR)
    bounded = bearer(token_of(office, "chief", scopes=["access-log.read"]))
    named = bearer(token_of(office, "chief", scopes=["accounts.manage"]))
    assert browser.get(f"{API}/accounts", headers=bounded).status_code == 403
    assert browser.get(f"{API}/access-log", headers=bounded).status_code == 200
    assert browser.get(f"{API}/accounts", headers=named).status_code == 200
    assert browser.get(f"{API}/access-log", headers=named).status_code == 403


@pytest.mark.parametrize("granted", [RECORDER, Grant("unit", CODE, "福城街道"), Grant("auditor", CODE)], ids=str)
def test_only_administrators_manage_accounts(browser: TestClient, office: Office, granted: Grant) -> None:
    office.account("somebody", granted)
    sign_in(browser, "somebody")
    account = f"{API}/accounts/somebody"
    answers = [
        browser.get(f"{API}/accounts"),
        browser.post(f"{API}/accounts", json={"name": "new"}),
        *(browser.post(f"{account}/{step}") for step in ("disable", "enable", "reset-password")),
        *(browser.post(f"{account}/{step}", json=GRANT) for step in ("grants", "revoke")),
        browser.delete(f"{account}/sessions"),
        browser.post(f"{API}/accounts/nobody/disable"),
    ]
    assert [one.status_code for one in answers] == [403] * len(answers)


def test_the_access_log_is_read_page_by_page(chief: TestClient, office: Office) -> None:
    entries: list[dict[str, Any]] = []
    cursor: dict[str, Any] = {}
    while True:
        page = chief.get(f"{API}/access-log", params={"limit": 2, **cursor}).json()
        entries += page["entries"]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert entries == [one.model_dump(mode="json") for one in office.log()]
    assert chief.get(f"{API}/access-log", params={"cursor": "nonsense"}).status_code == 422
