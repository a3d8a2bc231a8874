"""Whose account a subject of an OpenID provider is: linked by an administrator, never by logging in.

Rules kept here: a subject of an issuer is linked to one account at a time; a link that ends keeps its row, and ends the
account's sessions. An account may have several. Whether the one who asks may manage accounts is checked before
(`api.access.permissions`); None as the one who asks is whoever works on the machine itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, Engine, insert, select, true, update

from api.access.administration import end_sessions
from api.access.id_tokens import SUBJECT
from api.access.names import COMMAND_LINE
from api.access.oidc_tables import external_identities
from api.access.principals import Principal
from api.access.store import AccessStore, known_account
from api.access.tables import accounts
from api.access.tokens import RandomBytes
from ledger.appends import moment
from ledger.rejection import rejected
from projections.answer_models import Answer

_ISSUER: Final = re.compile(r"https?://[\x21-\x7e]{1,500}")
_ID_BYTES: Final = 16
_SHOWN: Final = 80


class IdentityAnswer(Answer):
    """A subject of an issuer, and the account it signs in to, or did until it was unlinked."""

    issuer: str
    subject: str
    account: str
    linked_at: datetime
    linked_by: str
    unlinked_at: datetime | None


class ExternalIdentities:
    """The links of one database. A moment comes from the clock given."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime], random_bytes: RandomBytes) -> None:
        self._store = AccessStore(engine, clock)
        self._random_bytes = random_bytes

    def link(self, by: Principal | None, name: str, issuer: str, subject: str) -> IdentityAnswer:
        """Link the subject to the account of that name, from now on.

        Raises Rejection: `issuer-form`, `subject-form`, `unknown-account`, or `identity-linked` where the subject has
        an account already.
        """
        if not _ISSUER.fullmatch(issuer):
            raise rejected("issuer-form", "issuer", f"found {_shown(issuer)}, expected an issuer's address")
        if not SUBJECT.fullmatch(subject):
            message = f"found {_shown(subject)}, expected what the issuer calls the person: 1 to 255 visible characters"
            raise rejected("subject-form", "subject", message)
        link, actor = self._random_bytes(_ID_BYTES).hex(), _actor(by)
        with self._store.changing() as change:
            account = known_account(change.connection, name)
            for present in _answers(change.connection, *_linked(issuer, subject)):
                message = f"{subject} is linked to the account {present.account}; unlink it first"
                raise rejected("identity-linked", "subject", message)
            row = {
                "id": link,
                "issuer": issuer,
                "subject": subject,
                "account": account.id,
                "linked_at": change.at,
                "linked_by": actor,
            }
            change.connection.execute(insert(external_identities), row)
            change.log(actor, "identity-linked", account.name, issuer=issuer, link=link)
            [answer] = _answers(change.connection, external_identities.c.id == link)
        return answer

    def unlink(self, by: Principal | None, issuer: str, subject: str) -> IdentityAnswer:
        """End the link of the subject, and its account's sessions. Raises Rejection `identity-not-linked`."""
        with self._store.changing() as change:
            link = change.connection.scalar(select(external_identities.c.id).where(*_linked(issuer, subject)))
            if link is None:
                message = f"{_shown(subject)} of {_shown(issuer)} is linked to no account; `identity list` shows who is"
                raise rejected("identity-not-linked", "subject", message)
            this = external_identities.c.id == link
            change.connection.execute(update(external_identities).where(this).values(unlinked_at=change.at))
            [answer] = _answers(change.connection, this)
            end_sessions(change, known_account(change.connection, answer.account).id)
            change.log(_actor(by), "identity-unlinked", answer.account, issuer=issuer, link=link)
        return answer

    def listed(self) -> list[IdentityAnswer]:
        """Return every link there is or was, by account and in the order they were made."""
        with self._store.engine.connect() as connection:
            return _answers(connection, true())

    def account_of(self, issuer: str, subject: str) -> str | None:
        """Return the id of the account that the subject is linked to, if any."""
        with self._store.engine.connect() as connection:
            return connection.scalar(select(external_identities.c.account).where(*_linked(issuer, subject)))


def _linked(issuer: str, subject: str) -> tuple[ColumnElement[bool], ...]:
    table = external_identities.c
    return (table.issuer == issuer, table.subject == subject, table.unlinked_at.is_(None))


def _answers(connection: Connection, *conditions: ColumnElement[bool]) -> list[IdentityAnswer]:
    links = external_identities.c
    asked = (
        select(links.issuer, links.subject, accounts.c.name, links.linked_at, links.linked_by, links.unlinked_at)
        .join(accounts, accounts.c.id == links.account)
        .where(*conditions)
        .order_by(accounts.c.name, links.linked_at, links.id)
    )
    return [
        IdentityAnswer(
            issuer=row.issuer,
            subject=row.subject,
            account=row.name,
            linked_at=moment(row.linked_at),
            linked_by=row.linked_by,
            unlinked_at=None if row.unlinked_at is None else moment(row.unlinked_at),
        )
        for row in connection.execute(asked)
    ]


def _actor(by: Principal | None) -> str:
    return COMMAND_LINE if by is None else by.name


def _shown(text: str) -> str:
    return ascii(text[:_SHOWN])
