from __future__ import annotations

import pytest

from api.pages.messages import told
from api.problems import _ABSENT, _CONFLICTS, _DAMAGE, _FORBIDDEN
from schemes.problem import Problem

UNKNOWN = told(Problem("no-such-code", "", "")).text
FOR_PEOPLE = sorted(_ABSENT | _CONFLICTS | _FORBIDDEN)


@pytest.mark.parametrize("code", FOR_PEOPLE)
def test_what_people_can_meet_is_said_in_chinese(code: str) -> None:
    said = told(Problem(code, "", "found this, expected that"))

    assert said.text != UNKNOWN
    assert said.detail == "found this, expected that"


@pytest.mark.parametrize(
    ("where", "title"),
    [
        ("unit", "单位"),
        ("observations[3].occurred_on", "发生日期"),
        ("attributes.level", "层级"),
        ("observations[0].attributes.level", "层级"),
        ("observations[0]", "observations[0]"),
        ("", ""),
    ],
)
def test_a_place_is_called_as_its_field_is(where: str, title: str) -> None:
    assert told(Problem("field-missing", where, "")).where == title


def test_what_the_operator_puts_right_is_said_without_its_details() -> None:
    assert "checkpoint-not-consistent" in _DAMAGE
    assert "联系系统管理员" in told(Problem("checkpoint-not-consistent", "", "")).text
