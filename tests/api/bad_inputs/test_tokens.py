"""Tokens and sessions of every wrong shape; what a signature alone would say counts nothing here."""

from __future__ import annotations

import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from api.access.access import Access
from api.access.guard import COOKIE
from api.access.principals import Grant
from api.access.tokens import TokenWish
from ledger.database import migrate, open_engine
from tests.api.accounts import CHEAP, token_of
from tests.api.bad_inputs.refusals import refusal
from tests.api.county import YEAR, Clock

ASKED = f"{YEAR}/sheets"
RECORDER = Grant("recorder", "360982")


@pytest.fixture(scope="module")
def token(shared_engine: Engine, shared_clock: Clock) -> str:
    return token_of(shared_engine, shared_clock, "持令人", [RECORDER])


def part(content: object) -> str:
    return urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


CLAIMS = {"sub": "考核办", "aud": "mingzhang", "exp": 4102444800, "grants": [{"role": "leader"}]}
Write = Callable[[str], str]
AUTHORIZATIONS: dict[str, Write] = {
    "no token": lambda _: "Bearer",
    "an empty token": lambda _: "Bearer ",
    "another scheme": lambda token: f"Token {token}",
    "Basic": lambda token: f"Basic {token}",
    "Digest": lambda token: f"Digest {token}",
    "no scheme": lambda token: token,
    "a tab between": lambda token: f"Bearer\t{token}",
    "the scheme twice": lambda token: f"Bearer Bearer {token}",
    "the token twice": lambda token: f"Bearer {token} {token}",
    "two tokens": lambda token: f"Bearer {token},{token}",
    "one character more": lambda token: f"Bearer {token}x",
    "one character less": lambda token: f"Bearer {token[:-1]}",
    "another first character": lambda token: f"Bearer x{token[1:]}",
    "in capitals": lambda token: f"Bearer {token.upper()}",
    "the prefix alone": lambda token: f"Bearer {token[:15]}",
    "the secret alone": lambda token: f"Bearer {token[16:]}",
    "another prefix": lambda token: f"Bearer mz_{'a' * 12}_{token[16:]}",
    "a secret of zeros": lambda token: f"Bearer {token[:16]}{'A' * 43}",
    "wildcards": lambda _: f"Bearer mz_{'_' * 12}_{'%' * 43}",
    "SQL": lambda token: f"Bearer {token[:15]}' OR '1'='1",
    "NUL behind": lambda token: f"Bearer {token}\0",
    "a header behind": lambda token: f"Bearer {token}\r\nX-Admin: 1",
    "quoted": lambda token: f'Bearer "{token}"',
    "percent-encoded": lambda token: f"Bearer {token.replace('_', '%5F')}",
    "Latin-1": lambda _: "Bearer \xff",
    "100 000 characters": lambda token: f"Bearer {token}{'x' * 100_000}",
    "null": lambda _: "Bearer null",
    "undefined": lambda _: "Bearer undefined",
    "JWT, alg none": lambda _: f"Bearer {part({'alg': 'none', 'typ': 'JWT'})}.{part(CLAIMS)}.",
    "JWT, alg None": lambda _: f"Bearer {part({'alg': 'None'})}.{part(CLAIMS)}.",
    "JWT, another audience": lambda _: f"Bearer {part({'alg': 'RS256'})}.{part(CLAIMS | {'aud': 'other'})}.AAAA",
    "JWT, expired": lambda _: f"Bearer {part({'alg': 'HS256'})}.{part(CLAIMS | {'exp': 1})}.AAAA",
    "JWT, key of its own": lambda _: f"Bearer {part({'alg': 'HS256', 'jwk': {'kty': 'oct'}})}.{part(CLAIMS)}.AAAA",
    "JWT, key by path": lambda _: f"Bearer {part({'alg': 'HS256', 'kid': '../../dev/null'})}.{part(CLAIMS)}.AAAA",
    "JWE": lambda _: f"Bearer {part({'alg': 'dir', 'enc': 'A256GCM'})}..AAAA.AAAA.AAAA",
    "PASETO": lambda _: "Bearer v4.public.AAAA",
}


def sent(stranger: TestClient, authorization: str) -> tuple[int, str, str]:
    answer = stranger.get(ASKED, headers={b"Authorization": authorization.encode("latin-1")})
    if answer.status_code == 401:
        assert answer.headers["www-authenticate"] == 'Bearer realm="mingzhang"'
    return refusal(answer)


@pytest.mark.parametrize("name", AUTHORIZATIONS)
def test_what_is_no_token_of_ours_signs_nobody_in(stranger: TestClient, token: str, name: str) -> None:
    assert sent(stranger, AUTHORIZATIONS[name](token)) == (401, "token-not-valid", "Authorization")


COOKIES: dict[str, Write] = {
    "empty": lambda _: "",
    "an API token": lambda token: token,
    "43 characters": lambda _: "a" * 43,
    "quoted": lambda _: '"' + "a" * 43 + '"',
    "a path": lambda _: "../../etc/passwd",
    "SQL": lambda _: "' OR '1'='1",
    "wildcards": lambda _: "%" * 43,
    "Latin-1": lambda _: "\xff" * 43,
    "long": lambda _: "x" * 100_000,
    "JWT, alg none": lambda _: f"{part({'alg': 'none'})}.{part(CLAIMS)}.",
    "a pickle": lambda _: "gASVJAAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOUjAl0b3VjaCAveJSFlFKULg",
}


@pytest.mark.parametrize("name", COOKIES)
def test_what_is_no_session_of_ours_signs_nobody_in(stranger: TestClient, token: str, name: str) -> None:
    cookie = f"{COOKIE}={COOKIES[name](token)}".encode("latin-1")

    assert refusal(stranger.get(ASKED, headers={b"Cookie": cookie})) == (401, "sign-in-needed", "Authorization")


def a_year_later(_: Access, clock: Clock, __: str) -> None:
    clock.set((clock() + timedelta(days=367)).isoformat())


def revoke(access: Access, _: Clock, name: str) -> None:
    access.revoke_token(None, access.tokens(name)[0].prefix)


def disable(access: Access, _: Clock, name: str) -> None:
    access.disable(None, name)


def disable_and_enable(access: Access, _: Clock, name: str) -> None:
    access.disable(None, name)
    access.enable(None, name)


Spoil = Callable[[Access, Clock, str], None]
SPOILT: dict[str, Spoil] = {
    "expired": a_year_later,
    "revoked": revoke,
    "of a disabled account": disable,
    "of an account that was enabled again": disable_and_enable,
}


@pytest.mark.parametrize("spoilt", SPOILT)
def test_a_token_that_was_good_is_good_no_more(
    stranger: TestClient, shared_engine: Engine, shared_clock: Clock, spoilt: str
) -> None:
    name = f"持令人{list(SPOILT).index(spoilt)}"
    token = token_of(shared_engine, shared_clock, name, [RECORDER])
    assert stranger.get(ASKED, headers={"Authorization": f"Bearer {token}"}).status_code in (200, 403)
    now = shared_clock()
    access = Access(shared_engine, shared_clock, secrets.token_bytes, session_hours=12, hasher=CHEAP)

    SPOILT[spoilt](access, shared_clock, name)
    try:
        assert sent(stranger, f"Bearer {token}") == (401, "token-not-valid", "Authorization")
    finally:
        shared_clock.set(now.isoformat())


def test_a_token_of_another_database_is_nobodys(stranger: TestClient, shared_clock: Clock, tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'other.sqlite3'}")
    migrate(engine)
    foreign = token_of(engine, shared_clock, "考核办", [RECORDER])
    engine.dispose()

    assert sent(stranger, f"Bearer {foreign}") == (401, "token-not-valid", "Authorization")


WISHES = {
    "no end": {"name": "x"},
    "no days": {"name": "x", "days": 0},
    "a negative number of days": {"name": "x", "days": -1},
    "more than a year": {"name": "x", "days": 367},
    "2**53 days": {"name": "x", "days": 2**53 - 1},
    "an unknown scope": {"name": "x", "days": 1, "scopes": ["*"]},
    "no scope": {"name": "x", "days": 1, "scopes": []},
    "another's account": {"name": "x", "days": 1, "account": "管理员"},
    "its own prefix": {"name": "x", "days": 1, "prefix": "aaaaaaaaaaaa"},
    "a hidden name": {"name": "a\u202eb", "days": 1},
}


@pytest.mark.parametrize("name", WISHES)
def test_a_token_that_cannot_be_is_not_made(
    stranger: TestClient, shared_engine: Engine, shared_clock: Clock, name: str
) -> None:
    access = Access(shared_engine, shared_clock, secrets.token_bytes, session_hours=12, hasher=CHEAP)
    account = f"愿令人{list(WISHES).index(name)}"
    access.create_account(None, account, [RECORDER], None, with_password=False)
    principal = access.authenticate_token(access.create_token(None, account, TokenWish(name="x", days=1)).token)
    assert principal is not None
    session = access.open_session(principal.account, shared_clock())
    before = len(access.tokens(account))

    answer = stranger.post("/api/v1/tokens", json=WISHES[name], headers={"Cookie": f"{COOKIE}={session}"})

    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert len(access.tokens(account)) == before
