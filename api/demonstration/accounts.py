"""The people of the demonstration: one account for each role, and the scores that its units may see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from api.access.access import Access
from api.access.principals import Grant, Role
from api.demonstration.loading import ACTOR
from ledger.commands import Attempt
from projections.jurisdictions import Jurisdictions

PASSWORD: Final = "mingzhang-demonstration"  # noqa: S105  # for invented data on loopback; the README names it
UNIT: Final = ("360982", "福城街道")
OFFICE: Final[Sequence[Role]] = ("recorder", "reviewer", "leader", "auditor")


class Person(NamedTuple):
    """An account of the demonstration, and the role that it has."""

    name: str
    role: Role


PEOPLE: Final = (
    Person("登记员", "recorder"),
    Person("复核员", "reviewer"),
    Person("分管领导", "leader"),
    Person("福城街道", "unit"),
    Person("审计员", "auditor"),
    Person("系统管理员", "administrator"),
)


def add_people(jurisdictions: Jurisdictions, access: Access) -> bool:
    """Add the accounts, all with the demonstration's password; False where the database has accounts already."""
    if access.any_accounts():
        return False
    codes = jurisdictions.codes()
    for person in PEOPLE:
        first = access.create_account(None, person.name, _grants(person.role, codes)).one_time_password
        access.change_password(person.name, str(first), PASSWORD)
    return True


def release_scores(jurisdictions: Jurisdictions) -> None:
    """Let the units of every county see their scores of the whole year, as they stand."""
    for code in jurisdictions.codes():
        ledger = jurisdictions.ledger(code)
        for year in jurisdictions.open_years(code):
            if year.released is None:
                period, _ = year.opened()
                head = ledger.ledger_recorder.head()
                attempt = Attempt(ACTOR, head.last_recorded_at, f"demonstration/{code}/release")
                ledger.release(attempt, year.year, period.last, head.size, "年度考核结果反馈各单位")


def _grants(role: Role, codes: Sequence[str]) -> Sequence[Grant]:
    if role in OFFICE:
        return [Grant(role, code) for code in codes]
    return [Grant("unit", *UNIT)] if role == "unit" else [Grant("administrator")]
