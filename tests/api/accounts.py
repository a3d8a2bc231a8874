"""Accounts for tests: made as the command line makes them, signed in by API tokens."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime

from argon2 import PasswordHasher
from sqlalchemy import Engine

from api.access.access import Access
from api.access.principals import Grant
from api.access.tokens import TokenWish

COUNTIES = ("140821", "320581", "341821", "360982", "360983", "371300", "512002")
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def token_of(
    engine: Engine, clock: Callable[[], datetime], name: str, grants: Sequence[Grant], same_person_as: str | None = None
) -> str:
    """Make an account with these roles and return an API token of it, which lasts a year by the clock."""
    access = Access(engine, clock, secrets.token_bytes, session_hours=12, hasher=CHEAP)
    access.create_account(None, name, grants, same_person_as, with_password=False)
    return access.create_token(None, name, TokenWish(name="tests", days=366)).token


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def office(*codes: str) -> list[Grant]:
    """Everything that an assessment office does, in these jurisdictions."""
    return [Grant(role, code) for code in codes for role in ("recorder", "reviewer", "leader", "auditor")]
