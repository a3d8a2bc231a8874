"""Reading and changing the tables of who is who.

Whatever changes them does so one after the other, on all processes: what holds for several rows together (one
administrator stays, no person is both administrator and anything else, five wrong passwords lock) is looked at and
changed in one transaction under one lock, and logged in it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, Engine, Row, Select, func, insert, select, text

from api.access.names import composed
from api.access.principals import Grant
from api.access.tables import access_log, accounts, grants
from ledger.appends import microseconds
from ledger.database import for_writing
from ledger.rejection import rejected

_LOCK: Final = 0x6D696E677A616363  # 'mingzacc' in ASCII: any number that is ours on a shared server


class Account(NamedTuple):
    """A row of `accounts`, without what only finding it needs."""

    id: str
    name: str
    person: str
    password_hash: str | None
    must_change: bool
    created_at: int
    disabled_at: int | None
    failures: int
    locked_until: int | None


@dataclass(frozen=True, slots=True)
class Change:
    """A transaction that nothing else of who is who runs beside; `at` is its moment in microseconds."""

    connection: Connection
    at: int

    def log(self, actor: str, action: str, subject: str, **detail: object) -> None:
        """Put down what happens, in the same transaction."""
        number = self.connection.scalar(select(func.coalesce(func.max(access_log.c.number), 0) + 1))
        said = json.dumps(detail, ensure_ascii=False, sort_keys=True)
        row = {"number": number, "at": self.at, "actor": actor, "action": action, "subject": subject, "detail": said}
        self.connection.execute(insert(access_log), row)


class AccessStore:
    """The tables in one database, and the clock."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime]) -> None:
        self.engine = engine
        self._writing = for_writing(engine)
        self._clock = clock

    def now(self) -> int:
        """Return the moment in microseconds."""
        return microseconds(self._clock())

    @contextmanager
    def changing(self) -> Iterator[Change]:
        """Give the one transaction that may change anything; what the block raises undoes all of it."""
        with self._writing.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            yield Change(connection, self.now())


_COLUMNS: Final = tuple(accounts.c[name] for name in Account._fields)


def account_named(connection: Connection, name: str) -> Account | None:
    """Return the account of that name, whatever text it is asked for."""
    kept = composed(name)
    return None if kept is None else _one(connection, select(*_COLUMNS).where(accounts.c.name == kept))


def account_of(connection: Connection, identifier: str) -> Account | None:
    """Return the account with that id."""
    return _one(connection, select(*_COLUMNS).where(accounts.c.id == identifier))


def known_account(connection: Connection, name: str, where: str = "name") -> Account:
    """Return the account of that name; raises Rejection `unknown-account`."""
    found = account_named(connection, name)
    if found is None:
        raise rejected("unknown-account", where, f"there is no account {name[:80]!r}")
    return found


def every_account(connection: Connection) -> list[Account]:
    """Return all accounts, by name."""
    return [_account(row) for row in connection.execute(select(*_COLUMNS).order_by(accounts.c.name))]


def grants_of(connection: Connection, account: str) -> tuple[Grant, ...]:
    """Return what the account is granted now, in the order it was."""
    return tuple(Grant._make(row) for row in connection.execute(_present_grants().where(grants.c.account == account)))


def grants_of_person(connection: Connection, person: str) -> tuple[Grant, ...]:
    """Return what all accounts of one human are granted now, disabled ones too."""
    of_person = select(accounts.c.id).where(accounts.c.person == person)
    return tuple(
        Grant._make(row) for row in connection.execute(_present_grants().where(grants.c.account.in_(of_person)))
    )


def _present_grants() -> Select[tuple[str, str | None, str | None]]:
    present = select(grants.c.role, grants.c.jurisdiction, grants.c.unit).where(grants.c.revoked_at.is_(None))
    return present.order_by(grants.c.granted_at, grants.c.role, grants.c.jurisdiction, grants.c.unit)


def _one(connection: Connection, wanted: Select[tuple[object, ...]]) -> Account | None:
    row = connection.execute(wanted).one_or_none()
    return None if row is None else _account(row)


def _account(row: Row[tuple[object, ...]]) -> Account:
    return Account._make(row)
