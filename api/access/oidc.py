"""Signing in through the OpenID provider of the settings: authorization code flow with PKCE, state and nonce.

1. `begin`: the browser gets a secret in a cookie and goes to the provider with a state, which is the secret's SHA-256,
   a nonce and a PKCE challenge (RFC 7636, S256). Nonce and verifier are kept here, under the SHA-256 of the state.
2. `complete`: the browser comes back with the state. It must hold the secret (a login begun elsewhere cannot be put
   upon it), and the state must have been begun here within ten minutes; it is used up now, whatever follows.
3. The answer must be the issuer's own where it says whose it is (RFC 9207), and must hold a code.
4. The code is exchanged at the provider, and the ID token checked (`api.access.oidc_provider`).
5. The subject must have been linked to an account by an administrator; logging in makes no account and no link.

Only so many logins wait for the provider at a time, and only so many may be begun: who cannot sign in does not keep
others from working. Sources: OpenID Connect Core 1.0, 3.1; RFC 6749, 4.1; RFC 9700.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from threading import BoundedSemaphore
from typing import Final, NamedTuple

from sqlalchemy import Engine, delete, func, insert, select, update
from starlette.status import HTTP_403_FORBIDDEN, HTTP_502_BAD_GATEWAY, HTTP_503_SERVICE_UNAVAILABLE

from api.access.access import Access
from api.access.external_identities import ExternalIdentities
from api.access.id_tokens import IdTokenRefused
from api.access.oidc_provider import TIMEOUT, CodeRefused, Provider, ProviderFailed, Registration, plainly, registration
from api.access.oidc_tables import oidc_logins
from api.access.tokens import RandomBytes, new_session_token
from api.problems import RefusedRequest
from api.settings import Settings
from ledger.appends import microseconds
from ledger.database import for_writing
from ledger.rejection import Rejection
from schemes.problem import Problem

EXPIRY: Final = timedelta(minutes=10)
"""How long a person may take to sign in at the provider."""
MOST_BEGUN: Final = 10_000
MOST_AT_ONCE: Final = 8

_AGAIN: Final = "sign in again from the start"
_logger = logging.getLogger("mingzhang.access")


class Begun(NamedTuple):
    """A login begun: where the browser has to go, and the secret it has to bring back."""

    address: str
    secret: str


class ProviderAnswer(NamedTuple):
    """What the provider sends the browser back with."""

    state: str
    code: str | None
    error: str | None
    issuer: str | None


class Oidc:
    """Signing in through one provider. What is refused raises `RefusedRequest`. A moment comes from the clock given."""

    def __init__(
        self,
        engine: Engine,
        clock: Callable[[], datetime],
        random_bytes: RandomBytes,
        access: Access,
        registered: Registration,
        timeout: timedelta = TIMEOUT,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._random_bytes = random_bytes
        self._access = access
        self._identities = ExternalIdentities(engine, clock, random_bytes)
        self._provider = Provider(registered, timeout)
        self._places = BoundedSemaphore(MOST_AT_ONCE)

    def begin(self) -> Begun:
        """Begin a login. Refused with `oidc-provider-failed` (502) or `oidc-busy` (503)."""
        now = self._clock()
        secret, nonce, verifier = (new_session_token(self._random_bytes) for _ in range(3))
        state = _state_of(secret)
        with self._place():
            address = self._provider.authorization_address(state, nonce, verifier, now)
        with for_writing(self._engine).begin() as connection:
            connection.execute(delete(oidc_logins).where(oidc_logins.c.started_at < microseconds(now - EXPIRY)))
            if connection.execute(select(func.count()).select_from(oidc_logins)).scalar_one() >= MOST_BEGUN:
                raise _busy()
            row = {"state_hash": _hash(state), "nonce": nonce, "verifier": verifier, "started_at": microseconds(now)}
            connection.execute(insert(oidc_logins), row)
        return Begun(address, secret)

    def complete(self, answer: ProviderAnswer, secret: str | None) -> str:
        """Return the token of a new session of the account that the person who comes back has.

        Refused with `oidc-browser`, `oidc-state`, `oidc-sign-in-refused`, `oidc-answer`, `oidc-code-refused`,
        `oidc-token-refused`, `identity-not-linked`, `sign-in-refused` (403), or as `begin` is.
        """
        now = self._clock()
        if not compare_digest(_state_of(secret or "").encode(), answer.state.encode()):
            raise _refused("oidc-browser", "state", f"this sign-in was not begun in this browser; {_AGAIN}")
        with self._place():
            nonce, verifier = self._used_up(answer.state, now)
            subject = self._provider_subject(answer, nonce, verifier, now)
        return self._session_of(subject, now)

    def _session_of(self, subject: str, now: datetime) -> str:
        account = self._identities.account_of(self._provider.issuer, subject)
        if account is None:
            message = (
                f"you are {subject} of {self._provider.issuer}, who is linked to no account here; "
                "an administrator can link you to yours"
            )
            raise _refused("identity-not-linked", "subject", message)
        try:
            return self._access.open_session(account, now)
        except Rejection:
            message = "your account here cannot be signed in to now; ask an administrator"
            raise _refused("sign-in-refused", "subject", message) from None

    def _used_up(self, state: str, now: datetime) -> tuple[str, str]:
        """Return the nonce and the verifier of a login, once."""
        used = (
            update(oidc_logins)
            .where(
                oidc_logins.c.state_hash == _hash(state),
                oidc_logins.c.used_at.is_(None),
                oidc_logins.c.started_at > microseconds(now - EXPIRY),
            )
            .values(used_at=microseconds(now))
            .returning(oidc_logins.c.nonce, oidc_logins.c.verifier)
        )
        with for_writing(self._engine).begin() as connection:
            found = connection.execute(used).one_or_none()
        if found is None:
            minutes = EXPIRY // timedelta(minutes=1)
            message = f"this sign-in was finished before, or was begun more than {minutes} minutes ago; {_AGAIN}"
            raise _refused("oidc-state", "state", message)
        return found.nonce, found.verifier

    def _provider_subject(self, answer: ProviderAnswer, nonce: str, verifier: str, now: datetime) -> str:
        if answer.issuer != self._provider.issuer and (answer.issuer is not None or self._provider.names_itself(now)):
            raise _refused("oidc-answer", "iss", "this answer is not the identity provider's own")
        if answer.error is not None:
            message = f"the identity provider did not sign you in: {plainly(answer.error)}"
            raise _refused("oidc-sign-in-refused", "error", message)
        if answer.code is None:
            raise _refused("oidc-answer", "code", f"the identity provider sent neither code nor error; {_AGAIN}")
        try:
            return self._provider.subject(answer.code, verifier, nonce, now)
        except CodeRefused as refusal:
            message = f"the identity provider does not accept its code: {refusal}; {_AGAIN}"
            raise _refused("oidc-code-refused", "code", message) from None
        except IdTokenRefused as refusal:
            message = f"the identity provider's ID token is not accepted: {refusal}"
            raise _refused("oidc-token-refused", "id_token", message) from None

    @contextmanager
    def _place(self) -> Iterator[None]:
        """Wait for the provider, unless too many do already; say what is wrong with it."""
        if not self._places.acquire(blocking=False):
            raise _busy()
        try:
            yield
        except ProviderFailed as failure:
            _logger.error("the identity provider %s cannot be used: %s", self._provider.issuer, failure)
            problem = Problem("oidc-provider-failed", "", f"the identity provider cannot be used now: {failure}")
            raise RefusedRequest(HTTP_502_BAD_GATEWAY, problem) from None
        finally:
            self._places.release()


def open_oidc(
    engine: Engine, clock: Callable[[], datetime], random_bytes: RandomBytes, access: Access, settings: Settings
) -> Oidc | None:
    """Return the sign-in through the provider of the settings, or None where they name none.

    The provider is not asked for anything yet. Raises `InvalidInput` for settings that are incomplete or unsafe.
    """
    registered = registration(settings)
    return Oidc(engine, clock, random_bytes, access, registered) if registered else None


def _state_of(secret: str) -> str:
    return sha256(b"mingzhang OpenID Connect state\0" + secret.encode()).hexdigest()


def _hash(state: str) -> bytes:
    return sha256(state.encode()).digest()


def _busy() -> RefusedRequest:
    problem = Problem("oidc-busy", "", "too many people are signing in at this moment; try again in a minute")
    return RefusedRequest(HTTP_503_SERVICE_UNAVAILABLE, problem)


def _refused(code: str, where: str, message: str) -> RefusedRequest:
    _logger.info("signing in through the identity provider was refused: %s", code)
    return RefusedRequest(HTTP_403_FORBIDDEN, Problem(code, where, message))
