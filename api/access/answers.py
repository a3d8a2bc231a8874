"""What is shown of accounts: in one shape for HTTP and the command line. No secret and no hash is in any of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from api.access.principals import Role
from projections.answer_models import Answer


class GrantAnswer(Answer):
    """A role that an account has: in a jurisdiction, for a unit where the role speaks for one."""

    role: Role
    jurisdiction: str | None
    unit: str | None


class AccountAnswer(Answer):
    """An account. Two accounts with the same `person` are of one human."""

    name: str
    person: str
    grants: list[GrantAnswer]
    has_password: bool
    must_change: bool
    created_at: datetime
    disabled_at: datetime | None
    locked_until: datetime | None


class OneTimePassword(Answer):
    """A password that is shown this once, and has to be changed at the first sign-in; null for an account without."""

    name: str
    one_time_password: str | None


class WhoAnswer(Answer):
    """Who sends this request. While the password has to be changed nothing is granted."""

    name: str
    via: Literal["session", "token"]
    grants: list[GrantAnswer]
    must_change: bool


class TokenAnswer(Answer):
    """An API token, without its secret. `scopes` null is everything that its account may do."""

    prefix: str
    name: str
    scopes: list[str] | None
    jurisdiction: str | None
    unit: str | None
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


class NewToken(TokenAnswer):
    """A token just made: `token` is shown this once."""

    token: str


class AccessEntry(Answer):
    """One thing that happened: who did what to whom."""

    number: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]


class AccessLogPage(Answer):
    """Some entries in the order they were made; `next` is the cursor of the page after, null at the end."""

    entries: list[AccessEntry]
    next: str | None
