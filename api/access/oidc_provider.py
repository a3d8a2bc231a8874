"""The OpenID provider as the server reaches it: three kinds of fetches, all of them to the issuer's own origin.

Rules kept here:
1. The issuer stands in the settings: `https`, or `http` on loopback. Its discovery document names the issuer exactly
   (OpenID Connect Discovery 1.0, 4.3), and endpoints on the issuer's origin only. No address comes from a person, a
   token or a header.
2. Redirects are not followed; an answer is strict JSON of bounded size, had within a bounded time; no proxy of the
   environment is used. What is fetched is kept for ten minutes.
3. An ID token whose key is unknown makes one more fetch of the key set, at most once a minute.

Left to others: state, nonce and verifier of a login (`api.access.oidc`); what an ID token must say
(`api.access.id_tokens`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from time import monotonic
from typing import Any, Final, cast

from authlib.integrations.httpx_client import OAuth2Client, OAuthError  # type: ignore[import-untyped]
from httpx2 import BaseTransport, Client, HTTPError, HTTPTransport, Limits, Request, Response

from api.access.id_tokens import Expected, UnknownKey, signing_keys, verified_subject
from api.settings import Settings
from ledger.canonical import JsonProblem, read_json
from schemes.problem import refuse

CALLBACK: Final = "/api/v1/oidc/callback"
TIMEOUT: Final = timedelta(seconds=10)
LARGEST_ANSWER: Final = 256 * 1024
KEPT_FOR: Final = timedelta(minutes=10)
KEYS_ANEW_AFTER: Final = timedelta(minutes=1)

_ORIGIN: Final = (
    r"https://(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::\d{1,5})?|http://(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?"
)
_ISSUER: Final = re.compile(rf"({_ORIGIN})(?:/[A-Za-z0-9._~/-]*)?")
_CREDENTIAL: Final = re.compile(r"[\x20-\x7e]+")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_HEADERS: Final = {"Accept": "application/json", "Accept-Encoding": "identity"}


class ProviderFailed(Exception):
    """The provider cannot be used now, or is not set up as it has to be; the message says what was found."""


class CodeRefused(Exception):
    """The provider gives nothing for this authorization code; the message is its error code."""


@dataclass(frozen=True, slots=True)
class Registration:
    """This server as the provider knows it, and the provider as the settings name it."""

    issuer: str
    origin: str
    """Scheme, host and port of the issuer, as the settings write them."""
    client_id: str
    client_secret: str | None = field(repr=False)
    redirect_uri: str


def registration(settings: Settings) -> Registration | None:
    """Return what the settings say of the provider, or None where they name none.

    Raises `InvalidInput` (`oidc-settings`) for a provider that is named incompletely or unsafely.
    """
    issuer = settings.oidc_issuer
    if issuer is None:
        return None
    written = _ISSUER.fullmatch(issuer)
    if written is None:
        expected = "https://HOST/PATH without a query (http on loopback only), exactly as the provider writes it"
        raise refuse("oidc-settings", "oidc_issuer", f"found {issuer!r}, expected {expected}")
    if not settings.oidc_client_id or not _CREDENTIAL.fullmatch(settings.oidc_client_id):
        raise refuse("oidc-settings", "oidc_client_id", "expected the id that the provider gave this server (ASCII)")
    if settings.public_url is None or not re.fullmatch(_ORIGIN, settings.public_url):
        message = "expected the address at which browsers reach this server: https://HOST, or http on loopback"
        raise refuse("oidc-settings", "public_url", message)
    secret = settings.oidc_client_secret.get_secret_value() if settings.oidc_client_secret else None
    if secret is not None and not _CREDENTIAL.fullmatch(secret):
        raise refuse("oidc-settings", "oidc_client_secret", "expected visible ASCII characters, or no secret at all")
    return Registration(issuer, written[1], settings.oidc_client_id, secret, settings.public_url + CALLBACK)


def plainly(said: str) -> str:
    """Return an error code of the provider, if it looks like one: what it says is repeated to people."""
    return said if _PLAIN.fullmatch(said) else "without a plain reason"


class Provider:
    """The one provider of the settings; may be used by several threads at once."""

    def __init__(self, registered: Registration, timeout: timedelta = TIMEOUT) -> None:
        self._registered = registered
        seconds = timeout.total_seconds()
        self._session: dict[str, Any] = {
            "transport": _BoundedTransport(seconds),
            "timeout": seconds,
            "headers": _HEADERS,
            "trust_env": False,
        }
        self._kept: dict[str, tuple[datetime, Mapping[str, object]]] = {}
        self._lock = Lock()

    @property
    def issuer(self) -> str:
        """Return the issuer's identifier."""
        return self._registered.issuer

    def authorization_address(self, state: str, nonce: str, verifier: str, now: datetime) -> str:
        """Return the address at which the provider asks the person to sign in. Raises `ProviderFailed`."""
        endpoint = self._endpoint("authorization_endpoint", now)
        address, _ = self._client().create_authorization_url(endpoint, state, verifier, nonce=nonce)
        return cast(str, address)

    def names_itself(self, now: datetime) -> bool:
        """Return whether the provider's answers say whose they are (RFC 9207). Raises `ProviderFailed`."""
        return self._metadata(now).get("authorization_response_iss_parameter_supported") is True

    def subject(self, code: str, verifier: str, nonce: str, now: datetime) -> str:
        """Return who signed in, for an authorization code.

        Raises `ProviderFailed`, `CodeRefused`, or `IdTokenRefused` of `api.access.id_tokens`.
        """
        tokens = self._tokens(code, verifier, now)
        expected = Expected(self.issuer, self._registered.client_id, nonce, tokens["access_token"])
        keys_at = self._endpoint("jwks_uri", now)
        try:
            return verified_subject(tokens["id_token"], signing_keys(self._fetched(keys_at, now)), expected, now)
        except UnknownKey:
            keys = signing_keys(self._fetched(keys_at, now, KEYS_ANEW_AFTER))
            return verified_subject(tokens["id_token"], keys, expected, now)

    def _tokens(self, code: str, verifier: str, now: datetime) -> dict[str, str]:
        endpoint = self._endpoint("token_endpoint", now)
        client = self._client(self._authentication(now))
        try:
            answer = client.fetch_token(endpoint, grant_type="authorization_code", code=code, code_verifier=verifier)
        except OAuthError as error:
            raise CodeRefused(plainly(str(error.error))) from None
        except (HTTPError, ValueError, TypeError) as error:
            # Authlib raises the last two for an answer that is no object, or whose expires_in is no number.
            raise ProviderFailed(f"its token endpoint gave no usable answer ({type(error).__name__})") from None
        found = {name: answer.get(name) for name in ("id_token", "access_token")}
        for name, value in found.items():
            if not isinstance(value, str) or not value:
                raise ProviderFailed(f"its token endpoint gave no {name}")
        return cast("dict[str, str]", found)

    def _authentication(self, now: datetime) -> str:
        """Return how the token endpoint is told who asks: by RFC 6749's basic scheme, unless it takes `post` only."""
        if self._registered.client_secret is None:
            return "none"
        offered = self._metadata(now).get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        offered = offered if isinstance(offered, list) else []
        post_only = "client_secret_post" in offered and "client_secret_basic" not in offered
        return "client_secret_post" if post_only else "client_secret_basic"

    def _client(self, authentication: str | None = None) -> OAuth2Client:
        return OAuth2Client(
            self._registered.client_id,
            self._registered.client_secret,
            token_endpoint_auth_method=authentication,
            scope="openid",
            redirect_uri=self._registered.redirect_uri,
            code_challenge_method="S256",
            **self._session,
        )

    def _endpoint(self, name: str, now: datetime) -> str:
        found = self._metadata(now).get(name)
        # A plain prefix that ends with the slash after the host: no two readers can take it for different origins.
        on_origin = re.escape(self._registered.origin) + r"/[^\x00-\x20\\#\x7f-\U0010ffff]*"
        if not isinstance(found, str) or not re.fullmatch(on_origin, found):
            raise ProviderFailed(f"its discovery document has no {name} on the issuer's own origin")
        return found

    def _metadata(self, now: datetime) -> Mapping[str, object]:
        document = self._fetched(self.issuer.rstrip("/") + "/.well-known/openid-configuration", now)
        if document.get("issuer") != self.issuer:
            raise ProviderFailed("its discovery document is of another issuer than the settings name")
        return document

    def _fetched(self, address: str, now: datetime, after: timedelta = KEPT_FOR) -> Mapping[str, object]:
        with self._lock:
            kept = self._kept.get(address)
            # A clock that was put back is no reason to keep for longer.
            if kept is None or abs(now - kept[0]) >= after:
                kept = (now, self._fetch(address))
                self._kept[address] = kept
            return kept[1]

    def _fetch(self, address: str) -> Mapping[str, object]:
        try:
            response = Client(**self._session).get(address)
        except HTTPError as error:
            raise ProviderFailed(f"it does not answer ({type(error).__name__})") from None
        document = response.json()
        if response.status_code != 200 or not isinstance(document, dict):
            raise ProviderFailed(f"it answers {response.status_code} where 200 and a JSON object were expected")
        return document


class _BoundedTransport(BaseTransport):
    """Gives answers that are whole, small, in time, strict JSON and no redirect, or raises `ProviderFailed`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        # Without connections that are kept there is nothing to close in the end.
        self._network = HTTPTransport(limits=Limits(max_keepalive_connections=0))

    def handle_request(self, request: Request) -> Response:
        """Send the request and return the answer's status and content; its headers are left behind."""
        until = monotonic() + self._seconds
        answer = self._network.handle_request(request)
        try:
            if answer.has_redirect_location:
                raise ProviderFailed("it redirects, which is not followed")
            content = bytearray()
            for chunk in answer.iter_raw():
                content += chunk
                if len(content) > LARGEST_ANSWER:
                    raise ProviderFailed(f"its answer is larger than {LARGEST_ANSWER} bytes")
                if monotonic() > until:
                    raise ProviderFailed("its answer takes too long")
        finally:
            answer.close()
        try:
            read_json(bytes(content), LARGEST_ANSWER)
        except JsonProblem as problem:
            raise ProviderFailed(f"it answers {answer.status_code} and no strict JSON ({problem.code})") from None
        return Response(answer.status_code, headers={"Content-Type": "application/json"}, content=bytes(content))
