"""Signing in, on both databases: what is told, what is counted, what a session is good for."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from hashlib import sha256

import pytest
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST
from sqlalchemy import select, update

from api.access.access import FAILURES_TO_LOCK, Access
from api.access.principals import Grant
from api.access.tables import access_log, accounts, sessions
from ledger.rejection import Rejection
from tests.access.office import ADMINISTRATOR, CODE, PASSWORD, RECORDER, CountingHasher, Office

WRONG = "incorrect horse battery staple"


def refused(access: Access, name: str, password: str) -> str:
    """What is told to whoever is refused."""
    with pytest.raises(Rejection) as error:
        access.sign_in(name, password)
    [refusal] = error.value.refusals
    assert refusal.code == "sign-in-refused"
    return str(refusal)


def accepted(access: Access, name: str, password: str) -> bool:
    try:
        access.sign_in(name, password)
    except Rejection:
        return False
    return True


def lock(office: Office, name: str = "recorder") -> datetime:
    """Lock the account by wrong passwords, and return until when it is."""
    for _ in range(FAILURES_TO_LOCK):
        refused(office.access, name, WRONG)
    until = office.access.account(name).locked_until
    assert until is not None
    return until


def test_a_session_is_of_who_signed_in_with_what_is_granted(office: Office) -> None:
    office.account("登记员", RECORDER, Grant("unit", CODE, "福城街道"))
    principal = office.principal("登记员")
    assert (principal.name, principal.via, principal.scopes) == ("登记员", "session", None)
    assert principal.grants == (RECORDER, Grant("unit", CODE, "福城街道"))
    assert re.fullmatch("[0-9a-f]{32}", principal.person)


def test_every_sign_in_makes_a_session_of_its_own(office: Office, access: Access) -> None:
    office.account()
    first, second = (access.sign_in("recorder", PASSWORD) for _ in range(2))
    assert first != second
    access.sign_out(first)
    assert access.authenticate_session(first) is None
    assert access.authenticate_session(second) is not None


def test_the_store_holds_no_token_and_no_password(office: Office, access: Access) -> None:
    office.account()
    token = access.sign_in("recorder", PASSWORD)
    with office.engine.connect() as connection:
        kept = str([connection.execute(select(table)).all() for table in (accounts, sessions, access_log)])
        hashes = set(connection.scalars(select(sessions.c.token_hash)))
    assert sha256(token.encode()).digest() in hashes
    assert token not in kept
    assert PASSWORD not in kept
    assert "$argon2id$" in kept


def test_unknown_wrong_locked_disabled_and_without_password_are_told_the_same(office: Office, access: Access) -> None:
    for name in ("wrong", "locked", "disabled"):
        office.account(name)
    access.create_account(None, "without", with_password=False)
    lock(office, "locked")
    access.disable(None, "disabled")
    attempts = {"unknown": PASSWORD, "wrong": WRONG, "locked": PASSWORD, "disabled": PASSWORD, "without": PASSWORD}
    assert len({refused(access, name, password) for name, password in attempts.items()}) == 1
    told = [(one.actor, one.subject, one.detail["reason"]) for one in office.log("sign-in-refused")][-5:]
    assert told == [
        ("anonymous", "unknown", "unknown"),
        ("anonymous", "wrong", "wrong"),
        ("anonymous", "locked", "locked"),
        ("anonymous", "disabled", "disabled"),
        ("anonymous", "without", "wrong"),
    ]


def test_every_refusal_verifies_one_hash(office: Office) -> None:
    for one in ("known", "locked", "disabled"):
        office.account(one)
    office.access.create_account(None, "without", with_password=False)
    lock(office, "locked")
    office.access.disable(None, "disabled")
    office.hasher = hasher = CountingHasher.from_parameters(CHEAPEST)
    assert isinstance(hasher, CountingHasher)
    access = office.another_process()
    names = ["known", "locked", "disabled", "without", "nobody", "no\0name", "x" * 10_000, "\ud800"]
    for verified, name in enumerate(names, start=1):
        refused(access, name, WRONG)
        assert hasher.verified == verified, name


def test_a_password_that_nobody_has_is_a_wrong_one(office: Office, access: Access) -> None:
    office.account()
    for password in ("", "\0", "\ud800", "x" * 1_000_000):
        refused(access, "recorder", password)
    assert {one.detail["reason"] for one in office.log("sign-in-refused")} == {"wrong"}


def test_what_is_typed_as_an_unknown_name_is_not_logged(office: Office, access: Access) -> None:
    refused(access, PASSWORD, "recorder")
    assert PASSWORD not in str(office.log())


def test_a_password_is_the_same_however_it_is_composed(office: Office, access: Access) -> None:
    office.account()
    access.change_password("recorder", PASSWORD, "caf\u00e9 am alten Markt")
    assert accepted(access, "recorder", "cafe\u0301 am alten Markt")


def test_five_wrong_passwords_lock_for_a_quarter_of_an_hour_then_twice_as_long_up_to_a_day(office: Office) -> None:
    office.account()
    lasted = []
    for _ in range(9):
        until = lock(office)
        lasted.append(until - office.clock.moment)
        office.clock.moment = until - timedelta(seconds=1)
        refused(office.access, "recorder", PASSWORD)
        office.clock.moment = until
    hours = [one / timedelta(hours=1) for one in lasted]
    assert hours == [0.25, 0.5, 1, 2, 4, 8, 16, 24, 24]
    assert accepted(office.access, "recorder", PASSWORD)
    assert len(office.log("account-locked")) == 9


def test_the_right_password_forgets_the_wrong_ones(office: Office, access: Access) -> None:
    office.account()
    for _ in range(3):
        for _ in range(FAILURES_TO_LOCK - 1):
            refused(access, "recorder", WRONG)
        assert accepted(access, "recorder", PASSWORD)


def test_a_lock_ends_no_session(office: Office, access: Access) -> None:
    office.account()
    token = access.sign_in("recorder", PASSWORD)
    lock(office)
    assert access.authenticate_session(token) is not None


def test_attempts_in_parallel_learn_no_more_than_one_by_one(office: Office) -> None:
    office.account()
    processes = [office.another_process() for _ in range(2)]
    guesses = [WRONG] * 24
    with ThreadPoolExecutor(8) as pool:
        told = pool.map(lambda one: accepted(processes[one[0] % 2], "recorder", one[1]), enumerate(guesses))
    assert not any(told)
    reasons = [one.detail["reason"] for one in office.log("sign-in-refused")]
    assert sorted(reasons) == ["locked"] * (len(guesses) - FAILURES_TO_LOCK) + ["wrong"] * FAILURES_TO_LOCK
    assert not accepted(processes[0], "recorder", PASSWORD)


def test_a_session_ends_after_its_hours_whatever_happens_in_it(office: Office, access: Access) -> None:
    office.account()
    token = access.sign_in("recorder", PASSWORD)
    office.clock.pass_(hours=11, minutes=59)
    assert access.authenticate_session(token) is not None
    office.clock.pass_(minutes=1)
    assert access.authenticate_session(token) is None


def test_expired_sessions_are_removed(office: Office, access: Access) -> None:
    office.account()
    access.sign_in("recorder", PASSWORD)
    office.clock.pass_(hours=12)
    access.sign_in("recorder", PASSWORD)
    with office.engine.connect() as connection:
        assert len(connection.execute(select(sessions)).all()) == 1


def test_a_new_password_ends_all_sessions_but_the_one_it_begins(office: Office, access: Access) -> None:
    office.account()
    before = [access.sign_in("recorder", PASSWORD) for _ in range(2)]
    after = access.change_password("recorder", PASSWORD, "another horse altogether")
    assert [access.authenticate_session(token) for token in before] == [None, None]
    assert access.authenticate_session(after) is not None
    assert not accepted(access, "recorder", PASSWORD)
    assert accepted(access, "recorder", "another horse altogether")


def test_a_stolen_session_cannot_guess_the_password(office: Office, access: Access) -> None:
    office.account()
    for _ in range(FAILURES_TO_LOCK):
        with pytest.raises(Rejection, match="sign-in-refused"):
            access.change_password("recorder", WRONG, "another horse altogether")
    assert not accepted(access, "recorder", PASSWORD)


def test_the_present_password_is_no_new_one(office: Office, access: Access) -> None:
    office.account()
    with pytest.raises(Rejection, match="password-too-weak"):
        access.change_password("recorder", PASSWORD, PASSWORD)


def test_until_a_one_time_password_is_changed_nothing_is_granted(office: Office, access: Access) -> None:
    made = access.create_account(None, "recorder", [RECORDER])
    assert made.one_time_password is not None
    principal = office.principal("recorder", made.one_time_password)
    assert principal.grants == ()
    assert access.who(principal).must_change
    access.change_password("recorder", made.one_time_password, PASSWORD)
    principal = office.principal()
    assert principal.grants == (RECORDER,)
    assert not access.who(principal).must_change


def test_what_is_granted_and_taken_back_holds_from_the_next_request(office: Office, access: Access) -> None:
    office.account("recorder", RECORDER)
    token = access.sign_in("recorder", PASSWORD)
    access.grant(None, "recorder", Grant("auditor", "360902"))
    access.revoke(None, "recorder", RECORDER)
    principal = access.authenticate_session(token)
    assert principal is not None
    assert principal.grants == (Grant("auditor", "360902"),)


def test_disabling_ends_sessions_for_good(office: Office, access: Access) -> None:
    office.account()
    token = access.sign_in("recorder", PASSWORD)
    access.disable(None, "recorder")
    assert access.authenticate_session(token) is None
    access.enable(None, "recorder")
    assert access.authenticate_session(token) is None
    assert accepted(access, "recorder", PASSWORD)


def test_a_disabled_account_has_no_session_even_where_one_was_left(office: Office, access: Access) -> None:
    office.account()
    token = access.sign_in("recorder", PASSWORD)
    with office.engine.begin() as connection:
        connection.execute(update(accounts).values(disabled_at=1))
    assert access.authenticate_session(token) is None


def test_sessions_are_revoked_by_account(office: Office, access: Access) -> None:
    office.account("one")
    office.account("two")
    first, second = (access.sign_in(name, PASSWORD) for name in ("one", "two"))
    access.revoke_sessions(None, "one")
    assert access.authenticate_session(first) is None
    assert access.authenticate_session(second) is not None


def test_whatever_is_no_session_is_nobody(office: Office, access: Access) -> None:
    office.account()
    for token in ("", "\0", "x" * 43, "令" * 43, "é" * 43, "x" * 1_000_000, "../" * 15, "\ud800" * 43):
        assert access.authenticate_session(token) is None
        access.sign_out(token)


def test_one_changed_character_is_another_token(office: Office, access: Access) -> None:
    office.account()
    token = access.sign_in("recorder", PASSWORD)
    swapped = [token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :] for at in range(len(token))]
    assert [access.authenticate_session(one) for one in swapped] == [None] * 43


def test_single_sign_on_opens_a_session_of_an_account_that_is_not_disabled(office: Office, access: Access) -> None:
    access.create_account(None, "recorder", [RECORDER], with_password=False)
    with office.engine.connect() as connection:
        identifier = connection.scalars(select(accounts.c.id)).one()
    principal = access.authenticate_session(access.open_session(identifier, office.clock()))
    assert principal is not None
    assert (principal.account, principal.grants) == (identifier, (RECORDER,))
    access.disable(None, "recorder")
    for unknown in (identifier, "0" * 32):
        with pytest.raises(Rejection, match="sign-in-refused"):
            access.open_session(unknown, office.clock())
    assert [one.detail["reason"] for one in office.log("sign-in-refused")] == ["disabled", "unknown"]


def test_hashes_are_renewed_when_the_parameters_change(office: Office) -> None:
    office.account()
    office.hasher = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
    renewed = office.another_process()
    assert not accepted(renewed, "recorder", WRONG)
    assert accepted(renewed, "recorder", PASSWORD)
    with office.engine.connect() as connection:
        kept = connection.scalars(select(accounts.c.password_hash)).one()
    assert "m=16,t=2,p=1" in kept
    assert accepted(renewed, "recorder", PASSWORD)


def test_the_log_tells_who_did_what_in_order(office: Office, access: Access) -> None:
    office.account("chief", ADMINISTRATOR)
    chief = office.principal("chief")
    access.create_account(chief, "recorder", [RECORDER])
    access.log_refusal(chief, "POST /api/v1/jurisdictions/{jurisdiction}/years", needed="years.manage")
    entries = office.log()
    assert [one.number for one in entries] == list(range(1, len(entries) + 1))
    assert [(one.actor, one.action, one.subject) for one in entries] == [
        ("command-line", "account-created", "chief"),
        ("command-line", "role-granted", "chief"),
        ("chief", "password-changed", "chief"),
        ("chief", "signed-in", "chief"),
        ("chief", "signed-in", "chief"),
        ("chief", "account-created", "recorder"),
        ("chief", "role-granted", "recorder"),
        ("chief", "refused", "POST /api/v1/jurisdictions/{jurisdiction}/years"),
    ]
    assert entries[6].detail == {"role": "recorder", "jurisdiction": CODE, "unit": None}
    first = access.log_page(0, 5)
    assert first.next is not None
    assert access.log_page(5, 3).next is None
    assert [*first.entries, *access.log_page(5, 3).entries] == entries
