"""API tokens, on both databases: what they are good for, and what is none."""

from __future__ import annotations

import re
from hashlib import sha256

import pytest
from pydantic import ValidationError
from sqlalchemy import select, update

from api.access.access import Access
from api.access.principals import Grant
from api.access.tables import access_log, accounts, api_tokens
from api.access.tokens import TokenWish
from ledger.rejection import Rejection
from tests.access.office import ADMINISTRATOR, CODE, RECORDER, Office

HERE = Grant("unit", CODE, "福城街道")
THERE = Grant("unit", CODE, "大桥街道")
ELSEWHERE = Grant("auditor", "360902")
WISH = TokenWish(name="数据大屏", days=90)


@pytest.fixture
def token(office: Office) -> str:
    office.account("recorder", RECORDER, HERE, THERE, ELSEWHERE)
    return office.access.create_token(None, "recorder", WISH).token


def bounded(access: Access, **bounds: object) -> tuple[Grant, ...]:
    """What a token with these bounds leaves of the account's grants."""
    made = access.create_token(None, "recorder", TokenWish.model_validate({"name": "bounded", "days": 1} | bounds))
    principal = access.authenticate_token(made.token)
    assert principal is not None
    return principal.grants


def test_a_token_is_its_account(office: Office, access: Access, token: str) -> None:
    principal = access.authenticate_token(token)
    assert principal is not None
    assert (principal.name, principal.via, principal.scopes) == ("recorder", "token", None)
    assert set(principal.grants) == {RECORDER, HERE, THERE, ELSEWHERE}
    assert principal.person == office.principal().person
    assert re.fullmatch("mz_[a-z2-9]{12}_[A-Za-z0-9_-]{43}", token)


def test_the_store_holds_the_hash_of_the_whole_token(office: Office, token: str) -> None:
    with office.engine.connect() as connection:
        assert connection.scalars(select(api_tokens.c.token_hash)).one() == sha256(token.encode()).digest()
        kept = str([connection.execute(select(table)).all() for table in (api_tokens, access_log)])
    assert token[-43:] not in kept


def test_every_changed_character_is_another_token(access: Access, token: str) -> None:
    swapped = [token[:at] + ("a" if token[at] != "a" else "b") + token[at + 1 :] for at in range(len(token))]
    assert [access.authenticate_token(one) for one in swapped] == [None] * len(token)


def test_a_secret_is_good_with_its_own_prefix_only(access: Access, token: str) -> None:
    other = access.create_token(None, "recorder", WISH)
    assert access.authenticate_token(f"mz_{other.prefix}_{token[-43:]}") is None
    assert access.authenticate_token(f"mz_{token[3:15]}_{other.token[-43:]}") is None
    assert access.authenticate_token(other.token) is not None


MALFORMED = {
    "empty": "",
    "NUL": "\0",
    "NUL at the end": "TOKEN\0",
    "line end": "TOKEN\n",
    "space": " TOKEN",
    "twice": "TOKENTOKEN",
    "1 MB": "TOKEN" + "x" * 1_000_000,
    "not ASCII": "mz_" + "é" * 12 + "_" + "x" * 43,
    "surrogates": "mz_" + "\ud800" * 12 + "_" + "x" * 43,
    "full width": "ｍｚ＿TOKEN",
    "wildcards": "mz_" + "%" * 12 + "_" + "%" * 43,
    "alg none": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.",
}


def test_whatever_has_another_form_is_nobody(access: Access, token: str) -> None:
    sent = {name: form.replace("TOKEN", token) for name, form in MALFORMED.items()}
    assert {name: access.authenticate_token(one) for name, one in sent.items()} == dict.fromkeys(MALFORMED)
    assert {name: access.authenticate_session(one) for name, one in sent.items()} == dict.fromkeys(MALFORMED)


def test_a_part_of_a_token_is_nobody(access: Access, token: str) -> None:
    for part in (token[:-1], token[1:], token[3:], token[:15], token[16:], token.upper()):
        assert access.authenticate_token(part) is None


def test_a_token_is_no_session_and_a_session_no_token(office: Office, access: Access, token: str) -> None:
    session = access.open_session(office.principal().account, office.clock())
    assert access.authenticate_session(token) is None
    assert access.authenticate_token(session) is None
    assert access.authenticate_session(session) is not None


def test_a_token_expires(office: Office, access: Access, token: str) -> None:
    office.clock.pass_(days=90, seconds=-1)
    assert access.authenticate_token(token) is not None
    office.clock.pass_(seconds=1)
    assert access.authenticate_token(token) is None


@pytest.mark.parametrize(
    "wish",
    [
        {"name": "x"},
        {"name": "x", "days": 0},
        {"name": "x", "days": 367},
        {"name": "x", "days": True},
        {"name": "x", "days": 1.5},
        {"name": "", "days": 1},
        {"name": "a\u202eb", "days": 1},
        {"name": "x", "days": 1, "scopes": []},
        {"name": "x", "days": 1, "scopes": ["everything"]},
        {"name": "x", "days": 1, "unit": "福城街道"},
        {"name": "x", "days": 1, "account": "admin"},
    ],
    ids=str,
)
def test_a_token_without_an_end_or_with_bounds_nobody_knows_is_not_made(wish: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TokenWish.model_validate(wish)


def test_a_revoked_token_is_nobodys(access: Access, token: str) -> None:
    access.revoke_token(None, token[3:15])
    assert access.authenticate_token(token) is None
    [kept] = access.tokens("recorder")
    assert kept.revoked_at is not None
    access.revoke_token(None, token[3:15])
    assert access.tokens("recorder") == [kept]


def test_only_ones_own_tokens_can_be_revoked_and_others_look_as_if_they_were_not_there(
    office: Office, access: Access, token: str
) -> None:
    office.account("other")
    other, own = office.principal("other"), office.principal()
    told = []
    for prefix in (token[3:15], "zzzzzzzzzzzz", "no\0prefix", "x" * 100_000):
        with pytest.raises(Rejection) as error:
            access.revoke_token(other, prefix)
        [refusal] = error.value.refusals
        told.append((refusal.code, refusal.where))
    assert set(told) == {("unknown-token", "prefix")}
    assert access.authenticate_token(token) is not None
    access.revoke_token(own, token[3:15])
    assert access.authenticate_token(token) is None


def test_disabling_the_account_ends_its_tokens_for_good(access: Access, token: str) -> None:
    access.disable(None, "recorder")
    assert access.authenticate_token(token) is None
    access.enable(None, "recorder")
    assert access.authenticate_token(token) is None


def test_a_disabled_account_has_no_token_even_where_one_was_left(office: Office, access: Access, token: str) -> None:
    with office.engine.begin() as connection:
        connection.execute(update(accounts).values(disabled_at=1))
    assert access.authenticate_token(token) is None


def test_a_token_never_does_more_than_its_account_does_now(access: Access, token: str) -> None:
    access.revoke(None, "recorder", RECORDER)
    access.revoke(None, "recorder", ELSEWHERE)
    principal = access.authenticate_token(token)
    assert principal is not None
    assert set(principal.grants) == {HERE, THERE}


def test_a_new_one_time_password_ends_the_tokens(access: Access, token: str) -> None:
    one_time = access.reset_password(None, "recorder").one_time_password
    assert access.authenticate_token(token) is None
    access.change_password("recorder", str(one_time), "一个全新的口令-2026")
    assert access.authenticate_token(token) is None


@pytest.mark.usefixtures("token")
def test_scopes_bound_what_it_may_be_used_for(access: Access) -> None:
    scoped = access.create_token(None, "recorder", TokenWish(name="x", days=1, scopes=("years.read", "years.read")))
    principal = access.authenticate_token(scoped.token)
    assert principal is not None
    assert principal.scopes == frozenset({"years.read"})
    assert scoped.scopes == ["years.read"]


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize(
    ("bounds", "left"),
    [
        ({}, {RECORDER, HERE, THERE, ELSEWHERE}),
        ({"jurisdiction": CODE}, {RECORDER, HERE, THERE}),
        ({"jurisdiction": "360902"}, {ELSEWHERE}),
        ({"jurisdiction": CODE, "unit": "福城街道"}, {HERE}),
    ],
    ids=str,
)
def test_a_restriction_narrows_the_grants(access: Access, bounds: dict[str, object], left: set[Grant]) -> None:
    assert set(bounded(access, **bounds)) == left


def test_a_restriction_to_a_jurisdiction_leaves_nothing_of_an_administrator(office: Office, access: Access) -> None:
    office.account("chief", ADMINISTRATOR)
    with pytest.raises(Rejection, match="token-without-grants"):
        access.create_token(None, "chief", TokenWish(name="x", days=1, jurisdiction=CODE))


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize("bounds", [{"jurisdiction": "999999"}, {"jurisdiction": CODE, "unit": "鹿江街道"}], ids=str)
def test_a_token_that_could_do_nothing_is_not_made(access: Access, bounds: dict[str, object]) -> None:
    with pytest.raises(Rejection, match="token-without-grants"):
        bounded(access, **bounds)
    assert len(access.tokens("recorder")) == 1


@pytest.mark.usefixtures("token")
def test_a_restriction_holds_for_grants_that_come_later(access: Access) -> None:
    made = access.create_token(None, "recorder", TokenWish(name="x", days=1, jurisdiction="360902"))
    access.grant(None, "recorder", Grant("leader", CODE))
    access.grant(None, "recorder", Grant("leader", "360902"))
    principal = access.authenticate_token(made.token)
    assert principal is not None
    assert set(principal.grants) == {ELSEWHERE, Grant("leader", "360902")}


def test_a_one_time_password_makes_no_token(access: Access) -> None:
    access.create_account(None, "recorder", [RECORDER])
    with pytest.raises(Rejection, match="password-must-change"):
        access.create_token(None, "recorder", WISH)


def test_tokens_are_listed_without_their_secrets(office: Office, access: Access, token: str) -> None:
    office.clock.pass_(minutes=1)
    access.create_token(None, "recorder", TokenWish(name="second", days=366, jurisdiction=CODE, unit="福城街道"))
    office.account("other")
    first, second = access.tokens("recorder")
    assert (first.name, first.prefix, first.scopes) == ("数据大屏", token[3:15], None)
    assert (second.name, second.jurisdiction, second.unit) == ("second", CODE, "福城街道")
    assert (second.expires_at - second.created_at).days == 366
    assert token[-43:] not in first.model_dump_json()
    assert access.tokens("other") == []


def test_making_and_revoking_is_logged_by_prefix(office: Office, access: Access, token: str) -> None:
    access.revoke_token(office.principal(), token[3:15])
    logged = [
        (one.actor, one.action, one.subject, one.detail["prefix"]) for one in office.log() if "token" in one.action
    ]
    assert logged == [
        ("command-line", "token-created", "recorder", token[3:15]),
        ("recorder", "token-revoked", "recorder", token[3:15]),
    ]
