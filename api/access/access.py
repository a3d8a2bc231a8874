"""Signing in, sessions and API tokens: who a request comes from.

Rules kept here:

1. Whoever signs in by password is told the same, whatever stood against it, and after the same work: one hash is
   verified and one transaction is made for an unknown name as for a wrong password. The log says what it was.
2. A password is verified before it is known whether the answer may be told: that is decided, and the failure counted,
   in one transaction at a time. Attempts in parallel, in one process or several, learn no more than one by one.
3. Five wrong passwords lock an account for 15 minutes, each further five for twice as long, up to a day. While it is
   locked nothing is counted, and the right password is refused as well.
4. A sign-in always makes a new session. A session ends after `session_hours`, by signing out, with a new password and
   with the account.
5. Every request is looked up: what was revoked, disabled or taken back does not hold any more with the next one.
6. Until a one-time password is changed nothing is granted.

Cookies, and what keeps other sites from using them, are left to the routes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Any, Final, TypeVar

from argon2 import PasswordHasher
from sqlalchemy import Engine, Row, delete, insert, select, update

from api.access.administration import Administration, end_sessions, grant_answers
from api.access.answers import AccessEntry, AccessLogPage, NewToken, TokenAnswer, WhoAnswer
from api.access.names import ANONYMOUS, COMMAND_LINE
from api.access.passwords import check_new_password
from api.access.principals import Principal
from api.access.sign_in_rate import SignInRate
from api.access.store import Account, Change, account_named, account_of, grants_of, known_account
from api.access.tables import access_log, accounts, api_tokens, sessions
from api.access.tokens import (
    RandomBytes,
    TokenWish,
    digest,
    is_prefix,
    is_session_token,
    narrowed,
    new_api_token,
    new_session_token,
    prefix_of,
)
from api.cursors import cursor_at
from ledger.appends import microseconds, moment
from ledger.rejection import Rejection, rejected

T = TypeVar("T")

FAILURES_TO_LOCK: Final = 5
_SECOND: Final = 1_000_000
_DAY: Final = 24 * 3600 * _SECOND
_FIRST_LOCK: Final = 15 * 60 * _SECOND
_MOST_DOUBLINGS: Final = 7
"""Enough for the longest lock."""


class Access(Administration):
    """Accounts, sessions and tokens in one database. `session_hours` is how long a session lasts at most.

    `sign_in_rate` is for the routes: how often one address may try in this process.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Callable[[], datetime],
        random_bytes: RandomBytes,
        session_hours: int,
        hasher: PasswordHasher | None = None,
    ) -> None:
        super().__init__(engine, clock, random_bytes, hasher)
        self._session = timedelta(hours=session_hours) // timedelta(microseconds=1)
        self.sign_in_rate = SignInRate()

    def sign_in(self, name: str, password: str) -> str:
        """Return the token of a new session; raises Rejection `sign-in-refused`, whatever the reason."""

        def sign_in(change: Change, account: Account) -> str:
            return self._open(change, account, change.at, "password")

        return self._proven(name, password, sign_in)

    def open_session(self, account: str, now: datetime) -> str:
        """Return the token of a new session of the account with that id, whose human another service vouched for.

        Raises Rejection `sign-in-refused` for an account that is not there or disabled.
        """
        with self._store.changing() as change:
            found = account_of(change.connection, account)
            if found is not None and found.disabled_at is None:
                return self._open(change, found, microseconds(now), "single sign-on")
            _log_refusal(change, found, "unknown" if found is None else "disabled")
        raise _refused()

    def sign_out(self, token: str) -> None:
        """End the session with that token, if there is one."""
        if not is_session_token(token):
            return
        with self._store.changing() as change:
            name = change.connection.scalar(
                select(accounts.c.name)
                .join(sessions, sessions.c.account == accounts.c.id)
                .where(sessions.c.token_hash == digest(token), sessions.c.revoked_at.is_(None))
            )
            if name is not None:
                ended = update(sessions).where(sessions.c.token_hash == digest(token))
                change.connection.execute(ended.values(revoked_at=change.at))
                change.log(name, "signed-out", name)

    def change_password(self, name: str, old: str, new: str) -> str:
        """Change an account's own password, end its sessions, and return the token of a new one.

        Raises Rejection: `password-too-weak`, and `sign-in-refused` as a sign-in with the old password would.
        """
        check_new_password(new, name)
        if new == old:
            raise rejected("password-too-weak", "new", "found the present password, expected another")
        hashed = self._passwords.hashed(new)

        def change_it(change: Change, account: Account) -> str:
            values = {"password_hash": hashed, "must_change": False}
            change.connection.execute(update(accounts).where(accounts.c.id == account.id).values(**values))
            end_sessions(change, account.id)
            change.log(account.name, "password-changed", account.name)
            return self._open(change, account, change.at, "password")

        return self._proven(name, old, change_it)

    def authenticate_session(self, token: str) -> Principal | None:
        """Return whose session the token is, with what is granted now; None for whatever is no living session."""
        if not is_session_token(token):
            return None
        living = (
            select(accounts.c.id, accounts.c.name, accounts.c.person, accounts.c.must_change)
            .join(sessions, sessions.c.account == accounts.c.id)
            .where(
                sessions.c.token_hash == digest(token),
                sessions.c.revoked_at.is_(None),
                sessions.c.expires_at > self._store.now(),
                accounts.c.disabled_at.is_(None),
            )
        )
        with self._store.engine.connect() as connection:
            row = connection.execute(living).one_or_none()
            if row is None:
                return None
            granted = () if row.must_change else grants_of(connection, row.id)
            return Principal(row.id, row.name, row.person, granted, "session", must_change=row.must_change)

    def authenticate_token(self, token: str) -> Principal | None:
        """Return whose API token it is, with what it leaves of the grants; None for whatever is no living token."""
        prefix = prefix_of(token)
        if prefix is None:
            return None
        columns = (accounts.c.id, accounts.c.name, accounts.c.person, accounts.c.must_change)
        living = (
            select(*columns, *(api_tokens.c[one] for one in ("token_hash", "scopes", "jurisdiction", "unit")))
            .join(api_tokens, api_tokens.c.account == accounts.c.id)
            .where(
                api_tokens.c.prefix == prefix,
                api_tokens.c.revoked_at.is_(None),
                api_tokens.c.expires_at > self._store.now(),
                accounts.c.disabled_at.is_(None),
            )
        )
        with self._store.engine.connect() as connection:
            row = connection.execute(living).one_or_none()
            if row is None or not compare_digest(row.token_hash, digest(token)):
                return None
            granted = () if row.must_change else grants_of(connection, row.id)
            scopes = None if row.scopes is None else frozenset(json.loads(row.scopes))
            bounded = narrowed(granted, row.jurisdiction, row.unit)
            return Principal(row.id, row.name, row.person, bounded, "token", scopes, row.must_change)

    def who(self, principal: Principal) -> WhoAnswer:
        """Return what a signed-in account is told of itself."""
        with self._store.engine.connect() as connection:
            must_change = known_account(connection, principal.name).must_change
        granted = grant_answers(principal.grants)
        return WhoAnswer(name=principal.name, via=principal.via, grants=granted, must_change=must_change)

    def create_token(self, by: Principal | None, name: str, wish: TokenWish) -> NewToken:
        """Make an API token of the account of that name; it is shown this once.

        Raises Rejection: `unknown-account`, `password-must-change`, and `token-without-grants` for bounds that leave
        it nothing.
        """
        made = new_api_token(self._random_bytes)
        with self._store.changing() as change:
            account = known_account(change.connection, name)
            if account.must_change:
                raise rejected("password-must-change", "name", f"{account.name} has to change its password first")
            granted = grants_of(change.connection, account.id)
            if granted and not narrowed(granted, wish.jurisdiction, wish.unit):
                message = f"{account.name} is granted nothing there: the token could do nothing"
                raise rejected("token-without-grants", "unit" if wish.unit else "jurisdiction", message)
            row = {
                "prefix": made.prefix,
                "token_hash": digest(made.text),
                "account": account.id,
                "name": wish.name,
                "scopes": None if wish.scopes is None else json.dumps(sorted(set(wish.scopes))),
                "jurisdiction": wish.jurisdiction,
                "unit": wish.unit,
                "created_at": change.at,
                "expires_at": change.at + wish.days * _DAY,
            }
            change.connection.execute(insert(api_tokens), row)
            actor = COMMAND_LINE if by is None else by.name
            change.log(actor, "token-created", account.name, prefix=made.prefix, days=wish.days)
            kept = change.connection.execute(select(api_tokens).where(api_tokens.c.prefix == made.prefix)).one()
        return NewToken(token=made.text, **_token_answer(kept).model_dump())

    def tokens(self, name: str) -> list[TokenAnswer]:
        """Return the tokens of an account, the oldest first; raises Rejection `unknown-account`."""
        with self._store.engine.connect() as connection:
            account = known_account(connection, name)
            of_account = select(api_tokens).where(api_tokens.c.account == account.id)
            found = connection.execute(of_account.order_by(api_tokens.c.created_at, api_tokens.c.prefix))
            return [_token_answer(row) for row in found]

    def revoke_token(self, by: Principal | None, prefix: str) -> None:
        """End a token: one of their own for who is signed in. Raises Rejection `unknown-token`, also for another's."""
        with self._store.changing() as change:
            wanted = select(accounts.c.id, accounts.c.name, api_tokens.c.revoked_at).join(
                api_tokens, api_tokens.c.account == accounts.c.id
            )
            found = None
            if is_prefix(prefix):
                found = change.connection.execute(wanted.where(api_tokens.c.prefix == prefix)).one_or_none()
            if found is None or (by is not None and by.account != found.id):
                raise rejected("unknown-token", "prefix", f"there is no token {prefix[:80]!r}")
            if found.revoked_at is None:
                ended = update(api_tokens).where(api_tokens.c.prefix == prefix)
                change.connection.execute(ended.values(revoked_at=change.at))
                change.log(COMMAND_LINE if by is None else by.name, "token-revoked", found.name, prefix=prefix)

    def log_refusal(self, principal: Principal, subject: str, **detail: str) -> None:
        """Put down that an account was refused what it asked for; `subject` names the route, never a query or a body.

        Only of accounts: what nobody signed in asks for would let anybody fill the database.
        """
        with self._store.changing() as change:
            change.log(principal.name, "refused", subject, via=principal.via, **detail)

    def log_page(self, after: int, limit: int) -> AccessLogPage:
        """Return up to so many entries of the log after a number, in the order they were made."""
        wanted = select(access_log).where(access_log.c.number > after).order_by(access_log.c.number).limit(limit + 1)
        with self._store.engine.connect() as connection:
            rows = connection.execute(wanted).all()
        entries = [
            AccessEntry(
                number=row.number,
                at=moment(row.at),
                actor=row.actor,
                action=row.action,
                subject=row.subject,
                detail=json.loads(row.detail),
            )
            for row in rows[:limit]
        ]
        return AccessLogPage(entries=entries, next=cursor_at(entries[-1].number) if len(rows) > limit else None)

    def _proven(self, name: str, password: str, then: Callable[[Change, Account], T]) -> T:
        """Do what only the right password allows, in the transaction that finds it allowed."""
        while True:
            with self._store.engine.connect() as connection:
                seen = account_named(connection, name)
            stored = None if seen is None else seen.password_hash
            right = self._passwords.matches(stored, password)
            renewed = (
                self._passwords.hashed(password) if right and stored and self._passwords.outdated(stored) else None
            )
            with self._store.changing() as change:
                account = None if seen is None else account_of(change.connection, seen.id)
                if account is not None and account.password_hash != stored:
                    continue  # changed in between: the password is held against what it is now
                obstacle = _obstacle(account, right, change.at)
                if account is None or obstacle is not None:
                    _log_refusal(change, account, obstacle)
                else:
                    proven = update(accounts).where(accounts.c.id == account.id)
                    change.connection.execute(
                        proven.values(failures=0, locked_until=None, password_hash=renewed or stored)
                    )
                    return then(change, account)
            raise _refused()

    def _open(self, change: Change, account: Account, at: int, by: str) -> str:
        token = new_session_token(self._random_bytes)
        change.connection.execute(delete(sessions).where(sessions.c.expires_at <= change.at))
        row = {"token_hash": digest(token), "account": account.id, "created_at": at, "expires_at": at + self._session}
        change.connection.execute(insert(sessions), row)
        change.log(account.name, "signed-in", account.name, by=by)
        return token


def _obstacle(account: Account | None, right: bool, at: int) -> str | None:
    """Return what stands against a sign-in: unknown, disabled, locked or wrong; None where nothing does."""
    if account is None:
        return "unknown"
    if account.disabled_at is not None:
        return "disabled"
    if account.locked_until is not None and account.locked_until > at:
        return "locked"
    return None if right else "wrong"


def _log_refusal(change: Change, account: Account | None, reason: str | None) -> None:
    # A name nobody has is not put down: people type their password into the wrong field.
    change.log(ANONYMOUS, "sign-in-refused", "unknown" if account is None else account.name, reason=reason)
    if account is None or reason != "wrong":
        return
    failures = account.failures + 1
    counted = update(accounts).where(accounts.c.id == account.id)
    change.connection.execute(counted.values(failures=failures))
    if failures % FAILURES_TO_LOCK == 0:
        doublings = min(failures // FAILURES_TO_LOCK - 1, _MOST_DOUBLINGS)
        until = change.at + min(_FIRST_LOCK * 2**doublings, _DAY)
        change.connection.execute(counted.values(locked_until=until))
        change.log(ANONYMOUS, "account-locked", account.name, until=moment(until).isoformat())


def _refused() -> Rejection:
    message = "the name and the password do not go together, or the account cannot be signed in to now"
    return rejected("sign-in-refused", "name", message)


def _token_answer(row: Row[Any]) -> TokenAnswer:
    return TokenAnswer(
        prefix=row.prefix,
        name=row.name,
        scopes=None if row.scopes is None else json.loads(row.scopes),
        jurisdiction=row.jurisdiction,
        unit=row.unit,
        created_at=moment(row.created_at),
        expires_at=moment(row.expires_at),
        revoked_at=None if row.revoked_at is None else moment(row.revoked_at),
    )
