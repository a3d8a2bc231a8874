"""Bodies of requests about accounts, and the examples that the API's documentation shows."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Field

from api.access.principals import Grant, Role
from ledger.events import Text, Value

Secret = Annotated[str, Field(max_length=1000, json_schema_extra={"format": "password"})]


class SignIn(Value):
    """Name and password."""

    name: Annotated[str, Field(max_length=500)]
    password: Secret


class ChangePassword(Value):
    """The present password, and the one from now on."""

    old: Secret
    new: Secret


class GrantBody(Value):
    """A role: of a jurisdiction, except an administrator's; for a unit, where the role is to speak for one."""

    role: Role
    jurisdiction: Text | None = None
    unit: Text | None = None

    @property
    def grant(self) -> Grant:
        """The role as it is kept."""
        return Grant(self.role, self.jurisdiction, self.unit)


class CreateAccount(Value):
    """An account to be made; `same_person_as` names another account of the same human."""

    name: Text
    grants: Annotated[tuple[GrantBody, ...], Field(max_length=100)] = ()
    same_person_as: Text | None = None
    with_password: Annotated[bool, Field(strict=True)] = True


Examples = dict[str, Any]


def _example(summary: str, value: object) -> dict[str, Any]:
    return {"summary": summary, "value": value}


_RECORDER: Final = {"role": "recorder", "jurisdiction": "360982"}
_UNIT: Final = {"role": "unit", "jurisdiction": "360982", "unit": "福城街道"}

SIGN_IN: Final[Examples] = {"recorder": _example("登录", {"name": "登记员", "password": "正确的马-电池-订书钉"})}
CHANGE_PASSWORD: Final[Examples] = {
    "first": _example("更换一次性密码", {"old": "k7f3m-9xq2t-hw4cd-p8vaz", "new": "正确的马-电池-订书钉"})
}
CREATE_ACCOUNT: Final[Examples] = {
    "recorder": _example("新登记员", {"name": "登记员二", "grants": [_RECORDER]}),
    "second_account": _example(
        "同一人的第二个账号", {"name": "登记员二-备用", "grants": [_RECORDER], "same_person_as": "登记员二"}
    ),
}
GRANT: Final[Examples] = {"unit": _example("代表一个单位", _UNIT)}
REVOKE: Final[Examples] = {"unit": _example("收回", _UNIT)}
NEW_TOKEN: Final[Examples] = {
    "reading": _example(
        "只读接口，三个月",
        {"name": "数据大屏", "days": 90, "scopes": ["years.read", "items.read"], "jurisdiction": "360982"},
    )
}
