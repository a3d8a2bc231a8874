"""An office under test: accounts with known passwords, made as fast as hashing allows."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST
from sqlalchemy import Engine

from api.access.access import Access
from api.access.answers import AccessEntry
from api.access.principals import Grant, Principal

CODE = "360982"
PASSWORD = "correct horse battery staple"  # noqa: S105
RECORDER = Grant("recorder", CODE)
ADMINISTRATOR = Grant("administrator")
BEGINNING = datetime.fromisoformat("2021-03-01T09:00:00+08:00")


class Clock:
    """Says the moment it was moved to."""

    def __init__(self) -> None:
        self.moment = BEGINNING

    def __call__(self) -> datetime:
        return self.moment

    def pass_(self, **time: float) -> None:
        self.moment += timedelta(**time)


class CountingHasher(PasswordHasher):
    """Counts how often a password is verified."""

    __slots__ = ("verified",)

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]  # noqa: A002
        self.verified = getattr(self, "verified", 0) + 1
        return super().verify(hash, password)


@dataclass
class Office:
    engine: Engine
    clock: Clock = field(default_factory=Clock)
    hasher: PasswordHasher = field(default_factory=lambda: PasswordHasher.from_parameters(CHEAPEST))

    def __post_init__(self) -> None:
        self.access = self.another_process()

    def another_process(self) -> Access:
        """The same database as another process has it."""
        return Access(self.engine, self.clock, secrets.token_bytes, 12, self.hasher)

    def account(self, name: str = "recorder", *granted: Grant, same_person_as: str | None = None) -> str:
        """Make an account with the known password, and return its name."""
        made = self.access.create_account(None, name, granted, same_person_as)
        assert made.one_time_password is not None
        self.access.change_password(name, made.one_time_password, PASSWORD)
        return name

    def principal(self, name: str = "recorder", password: str = PASSWORD) -> Principal:
        found = self.access.authenticate_session(self.access.sign_in(name, password))
        assert found is not None
        return found

    def log(self, action: str | None = None) -> list[AccessEntry]:
        entries = self.access.log_page(0, 10_000).entries
        return [one for one in entries if action is None or one.action == action]
