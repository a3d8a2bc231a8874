"""Accounts and their roles, on both databases: what may be granted to whom, and what always remains."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, event, select
from sqlalchemy.exc import IntegrityError

from api.access.access import Access
from api.access.principals import Grant
from api.access.tables import grants
from ledger.rejection import Rejection
from tests.access.office import ADMINISTRATOR, CODE, PASSWORD, RECORDER, Office

FIRST_START = "tests.access.first_start"


def code(error: pytest.ExceptionInfo[Rejection]) -> str:
    [refusal] = error.value.refusals
    return refusal.code


def grants_of(access: Access, name: str) -> list[Grant]:
    return [Grant(one.role, one.jurisdiction, one.unit) for one in access.account(name).grants]


def test_there_are_accounts_once_one_was_made(office: Office) -> None:
    assert not office.access.any_accounts()
    office.account()
    assert office.access.any_accounts()
    asked = []
    event.listen(office.engine, "before_cursor_execute", lambda *_: asked.append(1))
    assert office.access.any_accounts()
    assert asked == []


def test_the_first_start_makes_an_administrator_and_no_later_one(office: Office, access: Access) -> None:
    made = access.first_administrator()
    assert made is not None
    assert made.one_time_password is not None
    assert access.first_administrator() is None
    assert office.another_process().first_administrator() is None
    assert grants_of(access, made.name) == [ADMINISTRATOR]
    access.change_password(made.name, made.one_time_password, PASSWORD)
    assert office.principal(made.name).is_administrator
    assert [(one.actor, one.action) for one in office.log()][:2] == [
        ("server", "account-created"),
        ("server", "role-granted"),
    ]


def test_of_several_processes_one_makes_the_first_administrator(database_url: str, office: Office) -> None:
    command = [sys.executable, "-W", "error", "-m", FIRST_START, database_url]
    pipe = subprocess.PIPE
    processes = [subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) for _ in range(3)]
    told = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], told
    [password] = [shown.strip() for shown, _ in told if shown]
    assert [one.name for one in office.access.accounts()] == ["admin"]
    assert office.principal("admin", password).name == "admin"


def test_a_name_is_had_once(office: Office, access: Access) -> None:
    office.account("admin1")
    for name in ("admin1", "Admin1", "ADMINI", "adminl"):
        with pytest.raises(Rejection) as error:
            access.create_account(None, name)
        assert code(error) == "account-name-taken"
    access.create_account(None, "admin2")
    assert [one.name for one in access.accounts()] == ["admin1", "admin2"]


def test_a_name_that_is_asked_for_at_once_is_had_once(office: Office) -> None:
    processes = [office.another_process() for _ in range(6)]

    def make(process: Access) -> bool:
        try:
            process.create_account(None, "登记员", with_password=False)
        except Rejection:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(make, processes)) == [False] * 5 + [True]


def test_two_accounts_of_one_human_have_one_person(office: Office, access: Access) -> None:
    office.account("one")
    office.account("two", same_person_as="one")
    office.account("three", same_person_as="two")
    office.account("other")
    people = {one.name: one.person for one in access.accounts()}
    assert people["one"] == people["two"] == people["three"] != people["other"]
    assert office.principal("two").person == people["one"]
    with pytest.raises(Rejection) as error:
        access.create_account(None, "four", same_person_as="nobody")
    assert [(one.code, one.where) for one in error.value.refusals] == [("unknown-account", "same_person_as")]


MISFORMED = [
    (Grant("recorder"), "jurisdiction"),
    (Grant("recorder", "36098"), "jurisdiction"),
    (Grant("recorder", "３６０９８２"), "jurisdiction"),
    (Grant("recorder", CODE, "福城街道"), "unit"),
    (Grant("unit", CODE), "unit"),
    (Grant("unit", CODE, " 福城街道"), "unit"),
    (Grant("unit", CODE, "福城\u202e街道"), "unit"),
    (Grant("unit", CODE, ""), "unit"),
    (Grant("unit", None, "福城街道"), "jurisdiction"),
    (Grant("administrator", CODE), "jurisdiction"),
    (Grant("administrator", None, "福城街道"), "unit"),
    (Grant("root", CODE), "role"),  # type: ignore[arg-type]
]


def test_a_role_has_what_it_needs_beside_it_and_no_more(office: Office) -> None:
    for granted, where in MISFORMED:
        with pytest.raises(Rejection) as error:
            office.access.create_account(None, "recorder", [RECORDER, granted])
        assert [(one.code, one.where) for one in error.value.refusals] == [("grant-form", where)]
    assert office.access.accounts() == []
    assert office.log() == []


def test_a_role_is_granted_once_and_its_rows_stay(office: Office, access: Access) -> None:
    office.account("chief", ADMINISTRATOR)
    chief = office.principal("chief")
    office.account()
    for _ in range(2):
        access.grant(chief, "recorder", RECORDER)
    assert grants_of(access, "recorder") == [RECORDER]
    access.revoke(chief, "recorder", RECORDER)
    assert grants_of(access, "recorder") == []
    access.grant(None, "recorder", RECORDER)
    wanted = select(grants.c.granted_by, grants.c.revoked_by).where(grants.c.role == "recorder")
    with office.engine.connect() as connection:
        rows = {tuple(row) for row in connection.execute(wanted)}
    assert rows == {("chief", "chief"), ("command-line", None)}


def test_only_the_grant_named_is_taken_back(office: Office, access: Access) -> None:
    kept = [Grant("unit", CODE, "大桥街道"), Grant("unit", "360902", "福城街道"), RECORDER]
    gone = Grant("unit", CODE, "福城街道")
    office.account("recorder", gone, *kept)
    access.revoke(None, "recorder", gone)
    assert set(grants_of(access, "recorder")) == set(kept)
    with pytest.raises(Rejection) as error:
        access.revoke(None, "recorder", gone)
    assert code(error) == "unknown-grant"


@pytest.mark.parametrize(("first", "second"), [(ADMINISTRATOR, RECORDER), (Grant("auditor", CODE), ADMINISTRATOR)])
def test_no_person_is_administrator_and_anything_else(office: Office, first: Grant, second: Grant) -> None:
    access = office.access
    office.account("remaining", ADMINISTRATOR)
    office.account("one", first)
    office.account("two", same_person_as="one")
    access.disable(None, "one")
    for name in ("one", "two"):
        with pytest.raises(Rejection) as error:
            access.grant(None, name, second)
        assert code(error) == "roles-conflict"
    with pytest.raises(Rejection) as error:
        access.create_account(None, "three", [second], same_person_as="one")
    assert code(error) == "roles-conflict"
    with pytest.raises(Rejection) as error:
        access.create_account(None, "four", [first, second])
    assert code(error) == "roles-conflict"
    access.revoke(None, "one", first)
    access.grant(None, "two", second)


def test_administrators_grant_nothing_to_their_own_person(office: Office, access: Access) -> None:
    office.account("chief", ADMINISTRATOR)
    chief = office.principal("chief")
    office.account("second", same_person_as="chief")
    for name in ("chief", "second"):
        with pytest.raises(Rejection) as error:
            access.grant(chief, name, ADMINISTRATOR)
        assert code(error) == "own-grant"
    with pytest.raises(Rejection) as error:
        access.create_account(chief, "third", [ADMINISTRATOR], same_person_as="second")
    assert code(error) == "own-grant"


def test_one_administrator_remains(office: Office, access: Access) -> None:
    office.account("chief", ADMINISTRATOR)
    office.account("deputy", ADMINISTRATOR)
    access.disable(None, "deputy")
    with pytest.raises(Rejection) as error:
        access.disable(None, "chief")
    assert code(error) == "last-administrator"
    with pytest.raises(Rejection) as error:
        access.revoke(None, "chief", ADMINISTRATOR)
    assert code(error) == "last-administrator"
    access.enable(None, "deputy")
    access.disable(None, "chief")
    with pytest.raises(Rejection) as error:
        access.revoke(None, "deputy", ADMINISTRATOR)
    assert code(error) == "last-administrator"


def test_one_administrator_remains_when_two_disable_each_other(office: Office) -> None:
    for name in ("chief", "deputy"):
        office.account(name, ADMINISTRATOR)

    def disable(name: str) -> bool:
        try:
            office.another_process().disable(None, name)
        except Rejection:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(disable, ("chief", "deputy"))) == [False, True]


def test_disabling_twice_is_once(office: Office, access: Access) -> None:
    office.account()
    access.disable(None, "recorder")
    office.clock.pass_(hours=1)
    access.disable(None, "recorder")
    assert access.account("recorder").disabled_at != office.clock.moment
    assert len(office.log("account-disabled")) == 1


def test_a_reset_password_is_the_only_one_and_unlocks(office: Office, access: Access) -> None:
    office.account()
    token = access.sign_in("recorder", PASSWORD)
    for _ in range(5):
        with pytest.raises(Rejection):
            access.sign_in("recorder", "incorrect horse")
    made = access.reset_password(None, "recorder")
    assert made.one_time_password is not None
    assert access.authenticate_session(token) is None
    with pytest.raises(Rejection):
        access.sign_in("recorder", PASSWORD)
    assert office.principal("recorder", made.one_time_password).grants == ()
    assert made.one_time_password not in str(office.log())


def test_enabling_unlocks(office: Office, access: Access) -> None:
    office.account()
    for _ in range(5):
        with pytest.raises(Rejection):
            access.sign_in("recorder", "incorrect horse")
    access.enable(None, "recorder")
    assert office.principal().name == "recorder"


def unknown_everywhere(access: Access, name: str) -> Iterator[Callable[[], object]]:
    yield lambda: access.disable(None, name)
    yield lambda: access.enable(None, name)
    yield lambda: access.reset_password(None, name)
    yield lambda: access.revoke_sessions(None, name)
    yield lambda: access.grant(None, name, RECORDER)
    yield lambda: access.revoke(None, name, RECORDER)
    yield lambda: access.account(name)
    yield lambda: access.tokens(name)


def test_an_account_that_is_not_there_is_said_to_be_unknown(office: Office, access: Access) -> None:
    office.account()
    for name in ("nobody", "", "no\0body", "\ud800", "../x", "x" * 10_000):
        for ask in unknown_everywhere(access, name):
            with pytest.raises(Rejection) as error:
                ask()
            assert code(error) == "unknown-account"
            assert len(str(error.value)) < 300


def test_no_account_is_removed_while_anything_names_it(office: Office, engine: Engine) -> None:
    office.account("recorder", RECORDER)
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM accounts")
