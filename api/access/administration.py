"""Accounts and what they are granted.

Rules kept here: a person is an administrator or has other roles, never both, over all accounts of that person (who
manages accounts cannot write events); an administrator grants nothing to their own person; one administrator who is
not disabled always remains; a grant that ends, a disabled account and a new password take effect with the next request.
Whether the one who asks may manage accounts is checked before (`api.access.permissions`). None as the one who asks is
whoever works on the machine itself: they have the database anyway.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from argon2 import PasswordHasher
from sqlalchemy import Engine, insert, select, update

from api.access.answers import AccountAnswer, GrantAnswer, OneTimePassword
from api.access.names import COMMAND_LINE, SERVER, checked_name, likeness
from api.access.passwords import Passwords, one_time_password, strong_hasher
from api.access.principals import ROLES, Grant, Principal
from api.access.store import AccessStore, Account, Change, every_account, grants_of, grants_of_person, known_account
from api.access.tables import accounts, api_tokens, grants, sessions
from api.access.tokens import RandomBytes
from ledger.appends import moment
from ledger.rejection import rejected

FIRST_ADMINISTRATOR: Final = "admin"
_CODE: Final = re.compile(r"[0-9]{6}")
_LONGEST_UNIT: Final = 500


class Administration:
    """Accounts, their passwords as far as others set them, and their roles. A moment comes from the clock given."""

    def __init__(
        self,
        engine: Engine,
        clock: Callable[[], datetime],
        random_bytes: RandomBytes,
        hasher: PasswordHasher | None = None,
    ) -> None:
        self._store = AccessStore(engine, clock)
        self._random_bytes = random_bytes
        self._passwords = Passwords(hasher or strong_hasher())
        self._any_accounts = False

    def any_accounts(self) -> bool:
        """Return whether anybody has an account; from then on without a look at the database."""
        if not self._any_accounts:
            with self._store.engine.connect() as connection:
                self._any_accounts = connection.execute(select(accounts.c.id).limit(1)).first() is not None
        return self._any_accounts

    def first_administrator(self) -> OneTimePassword | None:
        """Make the first account, an administrator's; None where there are accounts. Of two processes one makes it."""
        if self.any_accounts():
            return None
        password = one_time_password(self._random_bytes)
        hashed = self._passwords.hashed(password)
        with self._store.changing() as change:
            if every_account(change.connection):
                return None
            account = self._add(change, SERVER, FIRST_ADMINISTRATOR, None, hashed)
            self._give(change, SERVER, account, Grant("administrator"))
        return OneTimePassword(name=account.name, one_time_password=password)

    def create_account(
        self,
        by: Principal | None,
        name: str,
        granted: Sequence[Grant] = (),
        same_person_as: str | None = None,
        with_password: bool = True,
    ) -> OneTimePassword:
        """Make an account with these grants, and return its one-time password.

        Without a password it is signed in to by single sign-on only. Raises Rejection for a name that cannot be had
        (`account-name-form`, `account-name-reserved`, `account-name-taken`), an `unknown-account` as the same person,
        and what `grant` raises; nothing is made then.
        """
        kept = checked_name(name)
        password = one_time_password(self._random_bytes) if with_password else None
        hashed = None if password is None else self._passwords.hashed(password)
        with self._store.changing() as change:
            taken = select(accounts.c.name).where(accounts.c.likeness == likeness(kept))
            other = change.connection.scalar(taken)
            if other is not None:
                raise rejected("account-name-taken", "name", f"{kept!r} is or looks like {other!r}; choose another")
            human = (
                None if same_person_as is None else known_account(change.connection, same_person_as, "same_person_as")
            )
            account = self._add(change, _actor(by), kept, human, hashed)
            for one in granted:
                self._grant(change, by, account, one)
        return OneTimePassword(name=kept, one_time_password=password)

    def disable(self, by: Principal | None, name: str) -> None:
        """End an account's sessions and tokens, and let nobody sign in to it. Raises Rejection `last-administrator`."""
        with self._store.changing() as change:
            account = known_account(change.connection, name)
            if account.disabled_at is not None:
                return
            _check_administrator_remains(change, account)
            _set(change, account, disabled_at=change.at)
            end_sessions(change, account.id)
            _end_tokens(change, account)
            change.log(_actor(by), "account-disabled", account.name)

    def enable(self, by: Principal | None, name: str) -> None:
        """Let a disabled or locked account sign in again; ended sessions and tokens stay ended."""
        with self._store.changing() as change:
            account = known_account(change.connection, name)
            _set(change, account, disabled_at=None, failures=0, locked_until=None)
            change.log(_actor(by), "account-enabled", account.name)

    def reset_password(self, by: Principal | None, name: str) -> OneTimePassword:
        """Give an account a one-time password, which also unlocks it, and end its sessions and tokens."""
        password = one_time_password(self._random_bytes)
        hashed = self._passwords.hashed(password)
        with self._store.changing() as change:
            account = known_account(change.connection, name)
            _set(change, account, password_hash=hashed, must_change=True, failures=0, locked_until=None)
            end_sessions(change, account.id)
            _end_tokens(change, account)
            change.log(_actor(by), "password-reset", account.name)
        return OneTimePassword(name=account.name, one_time_password=password)

    def revoke_sessions(self, by: Principal | None, name: str) -> None:
        """End all sessions of an account."""
        with self._store.changing() as change:
            account = known_account(change.connection, name)
            end_sessions(change, account.id)
            change.log(_actor(by), "sessions-revoked", account.name)

    def grant(self, by: Principal | None, name: str, granted: Grant) -> None:
        """Give an account a role; what it has already stays as it is.

        Raises Rejection: `grant-form` (a role with too much or too little beside it), `unknown-account`, `own-grant`,
        `roles-conflict`.
        """
        with self._store.changing() as change:
            self._grant(change, by, known_account(change.connection, name), granted)

    def revoke(self, by: Principal | None, name: str, granted: Grant) -> None:
        """Take a role from an account. Raises Rejection: `unknown-account`, `unknown-grant`, `last-administrator`."""
        with self._store.changing() as change:
            account = known_account(change.connection, name)
            if granted not in grants_of(change.connection, account.id):
                raise rejected("unknown-grant", "role", f"{account.name} has no such grant: {_told(granted)}")
            if granted.role == "administrator":
                _check_administrator_remains(change, account)
            ended = update(grants).where(
                grants.c.account == account.id,
                grants.c.revoked_at.is_(None),
                grants.c.role == granted.role,
                grants.c.jurisdiction.is_not_distinct_from(granted.jurisdiction),
                grants.c.unit.is_not_distinct_from(granted.unit),
            )
            change.connection.execute(ended.values(revoked_by=_actor(by), revoked_at=change.at))
            change.log(_actor(by), "role-revoked", account.name, **granted._asdict())

    def accounts(self) -> list[AccountAnswer]:
        """Return all accounts, by name."""
        with self._store.engine.connect() as connection:
            return [_answer(account, grants_of(connection, account.id)) for account in every_account(connection)]

    def account(self, name: str) -> AccountAnswer:
        """Return an account; raises Rejection `unknown-account`."""
        with self._store.engine.connect() as connection:
            found = known_account(connection, name)
            return _answer(found, grants_of(connection, found.id))

    def _add(self, change: Change, actor: str, name: str, human: Account | None, hashed: str | None) -> Account:
        identifier, person = self._identifier(), human.person if human else self._identifier()
        account = Account(identifier, name, person, hashed, hashed is not None, change.at, None, 0, None)
        change.connection.execute(insert(accounts), {**account._asdict(), "likeness": likeness(name)})
        change.log(actor, "account-created", name, same_person_as=human.name if human else None)
        return account

    def _grant(self, change: Change, by: Principal | None, account: Account, granted: Grant) -> None:
        check_grant(granted)
        if by is not None and by.person == account.person:
            raise rejected("own-grant", "name", f"{account.name} is of the person who asks: another has to grant this")
        of_person = grants_of_person(change.connection, account.person)
        if any((one.role == "administrator") != (granted.role == "administrator") for one in of_person):
            message = (
                f"the person of {account.name} would be an administrator and have another role: choose one of them"
            )
            raise rejected("roles-conflict", "role", message)
        if granted not in grants_of(change.connection, account.id):
            self._give(change, _actor(by), account, granted)

    def _give(self, change: Change, actor: str, account: Account, granted: Grant) -> None:
        row = {"id": self._identifier(), "account": account.id, "granted_by": actor, "granted_at": change.at}
        change.connection.execute(insert(grants), row | granted._asdict())
        change.log(actor, "role-granted", account.name, **granted._asdict())

    def _identifier(self) -> str:
        return self._random_bytes(16).hex()


def check_grant(granted: Grant) -> None:
    """Refuse (`grant-form`) a role that needs a jurisdiction or a unit and has none, or has one and needs none."""
    role, jurisdiction, unit = granted
    if role not in ROLES:
        raise rejected("grant-form", "role", f"found {role!r}, expected one of {', '.join(ROLES)}")
    if (jurisdiction is not None) == (role == "administrator"):
        expected = "none: accounts are those of the whole database" if jurisdiction else "the code of a jurisdiction"
        raise rejected("grant-form", "jurisdiction", f"found {jurisdiction!r} for {role}, expected {expected}")
    if jurisdiction is not None and not _CODE.fullmatch(jurisdiction):
        raise rejected("grant-form", "jurisdiction", f"found {jurisdiction[:80]!r}, expected six digits (GB/T 2260)")
    if (unit is not None) != (role == "unit"):
        expected = "none" if unit else "the unit that the account speaks for"
        raise rejected("grant-form", "unit", f"found {unit!r} for {role}, expected {expected}")
    if unit is not None and not (0 < len(unit) <= _LONGEST_UNIT and unit.isprintable() and unit == unit.strip()):
        raise rejected("grant-form", "unit", f"found {unit[:80]!r}, expected a unit's name on one line")


def end_sessions(change: Change, account: str) -> None:
    """End all sessions of the account."""
    living = update(sessions).where(sessions.c.account == account, sessions.c.revoked_at.is_(None))
    change.connection.execute(living.values(revoked_at=change.at))


def grant_answers(granted: Sequence[Grant]) -> list[GrantAnswer]:
    """Return grants as they are shown."""
    return [GrantAnswer(role=one.role, jurisdiction=one.jurisdiction, unit=one.unit) for one in granted]


def _check_administrator_remains(change: Change, account: Account) -> None:
    administrators = (
        select(accounts.c.id)
        .join(grants, grants.c.account == accounts.c.id)
        .where(grants.c.role == "administrator", grants.c.revoked_at.is_(None), accounts.c.disabled_at.is_(None))
    )
    if set(change.connection.scalars(administrators)) == {account.id}:
        message = f"{account.name} is the last administrator; make another one first"
        raise rejected("last-administrator", "name", message)


def _answer(account: Account, granted: Sequence[Grant]) -> AccountAnswer:
    return AccountAnswer(
        name=account.name,
        person=account.person,
        grants=grant_answers(granted),
        has_password=account.password_hash is not None,
        must_change=account.must_change,
        created_at=moment(account.created_at),
        disabled_at=None if account.disabled_at is None else moment(account.disabled_at),
        locked_until=None if account.locked_until is None else moment(account.locked_until),
    )


def _set(change: Change, account: Account, **values: object) -> None:
    change.connection.execute(update(accounts).where(accounts.c.id == account.id).values(**values))


def _told(granted: Grant) -> str:
    return " ".join(part for part in granted if part is not None)


def _actor(by: Principal | None) -> str:
    return COMMAND_LINE if by is None else by.name


def _end_tokens(change: Change, account: Account) -> None:
    living = update(api_tokens).where(api_tokens.c.account == account.id, api_tokens.c.revoked_at.is_(None))
    change.connection.execute(living.values(revoked_at=change.at))
