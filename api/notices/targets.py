"""Where notices go: the e-mail addresses of accounts, the webhooks of jurisdictions.

An account is written to about the units that it speaks for now; a webhook gets the notices of all units of its
jurisdiction. What happened before an address or a webhook was stated is not sent to it.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from datetime import datetime
from ipaddress import ip_address
from typing import Final, Literal, NamedTuple

from httpx2 import URL, InvalidURL
from pydantic import Field
from sqlalchemy import Engine, delete, insert, select

from api.access.store import AccessStore, known_account
from api.access.tables import accounts, grants
from api.access.tokens import RandomBytes
from api.notices.tables import notice_addresses, webhooks
from ledger.appends import moment
from ledger.rejection import rejected
from projections.answer_models import Answer

Channel = Literal["mail", "webhook"]
SECRET_PREFIX: Final = "whsec_"  # noqa: S105  # how Standard Webhooks marks one
_SECRET_BYTES: Final = 32
_ID_BYTES: Final = 8
_LONGEST: Final = 254
_PORTS: Final = range(1, 65536)


class AddressAnswer(Answer):
    """The e-mail address of an account."""

    account: str
    address: str
    since: datetime


class WebhookAnswer(Answer):
    """A webhook; its secret is shown once, when it is added."""

    id: str
    jurisdiction: str
    url: str
    since: datetime
    secret: str | None = Field(default=None, description="Only where it has just been made.")


class Target(NamedTuple):
    """Where the notices of some units (None: of all) of a jurisdiction go; `id` is the account's or the webhook's."""

    channel: Channel
    id: str
    jurisdiction: str
    units: tuple[str, ...] | None
    since: datetime
    address: str
    secret: str | None = None


class Targets:
    """The addresses and webhooks of one database. A moment comes from the clock given."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime], random_bytes: RandomBytes) -> None:
        self._engine = engine
        self._store = AccessStore(engine, clock)
        self._random_bytes = random_bytes

    def set_address(self, name: str, address: str) -> AddressAnswer:
        """State the address of an account, from now on. Raises Rejection: `unknown-account`, `mail-address-form`."""
        local, at, domain = address.partition("@")
        plain = address.isascii() and address.isprintable() and not any(one in ' "<>,;:\\()[]' for one in address)
        if not (local and at and domain and "@" not in domain and plain and len(address) <= _LONGEST):
            message = f"found {address[:80]!a}, expected an address like office@example.gov.cn"
            raise rejected("mail-address-form", "address", message)
        with self._store.changing() as change:
            account = known_account(change.connection, name).id
            change.connection.execute(delete(notice_addresses).where(notice_addresses.c.account == account))
            row = {"account": account, "address": address, "since": change.at}
            change.connection.execute(insert(notice_addresses), row)
            change.log("command-line", "notice-address-set", name)
        return AddressAnswer(account=name, address=address, since=moment(change.at))

    def remove_address(self, name: str) -> None:
        """Forget the address of an account. Raises Rejection: `unknown-account`, `unknown-address`."""
        with self._store.changing() as change:
            own = notice_addresses.c.account == known_account(change.connection, name).id
            if change.connection.execute(delete(notice_addresses).where(own)).rowcount == 0:
                raise rejected(
                    "unknown-address", "account", f"{name!r} has no address; `notice address list` shows all"
                )
            change.log("command-line", "notice-address-removed", name)

    def addresses(self) -> list[AddressAnswer]:
        """Return the addresses, by account."""
        asked = select(accounts.c.name, notice_addresses.c.address, notice_addresses.c.since).join(
            accounts, accounts.c.id == notice_addresses.c.account
        )
        with self._engine.connect() as connection:
            rows = connection.execute(asked.order_by(accounts.c.name)).all()
        return [AddressAnswer(account=row.name, address=row.address, since=moment(row.since)) for row in rows]

    def add_webhook(self, jurisdiction: str, url: str) -> WebhookAnswer:
        """Post the jurisdiction's notices to that address from now on, signed with the secret that is returned.

        Raises Rejection: `webhook-url` for what is neither HTTPS nor on this machine or names no host, `webhook-there`
        for one that is there already.
        """
        origin = _origin(url)
        secret = SECRET_PREFIX + b64encode(self._random_bytes(_SECRET_BYTES)).decode()
        identifier = self._random_bytes(_ID_BYTES).hex()
        with self._store.changing() as change:
            there = (webhooks.c.jurisdiction == jurisdiction) & (webhooks.c.url == url)
            if change.connection.scalar(select(webhooks.c.id).where(there)) is not None:
                message = f"{url} is a webhook of {jurisdiction} already; remove it first to get another secret"
                raise rejected("webhook-there", "url", message)
            row = {"id": identifier, "jurisdiction": jurisdiction, "url": url, "secret": secret, "since": change.at}
            change.connection.execute(insert(webhooks), row)
            change.log("command-line", "webhook-added", identifier, jurisdiction=jurisdiction, url=origin)
        since = moment(change.at)
        return WebhookAnswer(id=identifier, jurisdiction=jurisdiction, url=url, since=since, secret=secret)

    def remove_webhook(self, identifier: str) -> None:
        """Post nothing more there. Raises Rejection `unknown-webhook`."""
        with self._store.changing() as change:
            if change.connection.execute(delete(webhooks).where(webhooks.c.id == identifier)).rowcount == 0:
                message = f"found {identifier!r}, expected the id of a webhook; `notice webhook list` shows them"
                raise rejected("unknown-webhook", "id", message)
            change.log("command-line", "webhook-removed", identifier)

    def webhooks(self) -> list[WebhookAnswer]:
        """Return the webhooks without their secrets, by jurisdiction and address."""
        asked = select(webhooks).order_by(webhooks.c.jurisdiction, webhooks.c.url)
        with self._engine.connect() as connection:
            rows = connection.execute(asked).all()
        return [
            WebhookAnswer(id=row.id, jurisdiction=row.jurisdiction, url=row.url, since=moment(row.since))
            for row in rows
        ]

    def targets(self) -> list[Target]:
        """Return where notices go now: accounts that speak for units and may sign in, and webhooks."""
        asked = (
            select(grants.c.jurisdiction, grants.c.account, grants.c.unit, notice_addresses.c.address)
            .add_columns(notice_addresses.c.since)
            .join(notice_addresses, notice_addresses.c.account == grants.c.account)
            .join(accounts, accounts.c.id == grants.c.account)
            .where(grants.c.role == "unit", grants.c.revoked_at.is_(None), accounts.c.disabled_at.is_(None))
            .order_by(grants.c.jurisdiction, grants.c.account, grants.c.unit)
        )
        with self._engine.connect() as connection:
            spoken_for = connection.execute(asked).all()
            hooks = connection.execute(select(webhooks).order_by(webhooks.c.jurisdiction, webhooks.c.id)).all()
        units: dict[tuple[str, str], list[str]] = {}
        for row in spoken_for:
            units.setdefault((row.jurisdiction, row.account), []).append(row.unit)
        said = {(row.jurisdiction, row.account): row for row in spoken_for}
        return [
            *(
                Target("mail", account, code, tuple(units[code, account]), moment(row.since), row.address)
                for (code, account), row in said.items()
            ),
            *(
                Target("webhook", row.id, row.jurisdiction, None, moment(row.since), row.url, row.secret)
                for row in hooks
            ),
        ]


def is_loopback(host: str) -> bool:
    """Return whether what is sent to that host stays on this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _origin(url: str) -> str:
    """Return scheme, host and port of an address that can be posted to: what follows them may hold a key.

    It is read as the client that posts reads it. Raises Rejection `webhook-url`.
    """
    try:
        found = URL(url)
        # As the name is looked up (RFC 3490): a label is neither empty nor longer than 63 characters.
        host = found.raw_host.decode("ascii").encode("idna").decode("ascii")
    except (InvalidURL, ValueError):
        found, host = URL(), ""
    right = found.scheme == "https" or (found.scheme == "http" and is_loopback(host))
    plain = url.isascii() and url.isprintable() and not found.userinfo and not found.fragment
    if not (right and host and plain and (found.port is None or found.port in _PORTS)):
        message = f"found {url[:80]!a}, expected an address that begins with https:// (http:// on this machine only)"
        raise rejected("webhook-url", "url", message)
    return f"{found.scheme}://{found.netloc.decode('ascii')}"
