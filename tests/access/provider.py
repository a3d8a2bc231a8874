"""A stub OpenID provider: a real HTTP server on loopback that does what the standard says until a test bends it.

It holds the server under test to its side as well: client credentials, redirect address, PKCE verifier and the single
use of a code are checked as a strict provider checks them.
"""

from __future__ import annotations

import json
import secrets
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from joserfc.jwk import ECKey, Key, RSAKey
from joserfc.jws import JWSRegistry

CLIENT = "mingzhang"
SECRET = "known-to-the-two-of-them"  # noqa: S105
SUBJECT = "zhang.san@example.gov.cn"
METADATA = "/.well-known/openid-configuration"
Json = dict[str, Any]
Answer = Callable[[BaseHTTPRequestHandler], None]


@cache
def rsa_key(name: str, bits: int = 2048) -> RSAKey:
    return RSAKey.generate_key(bits, {"kid": name, "use": "sig"})


@cache
def ec_key(name: str, curve: str = "P-256") -> ECKey:
    return ECKey.generate_key(curve, {"kid": name, "use": "sig"})


def encoded(part: bytes | Json) -> str:
    data = part if isinstance(part, bytes) else json.dumps(part).encode()
    return urlsafe_b64encode(data).decode().rstrip("=")


def signed(header: Json, claims: Json | bytes, key: Key) -> str:
    """A token signed with whatever algorithm its header names, whatever else stands in it."""
    signing_input = f"{encoded(header)}.{encoded(claims)}"
    return f"{signing_input}.{encoded(JWSRegistry.algorithms[header['alg']].sign(signing_input.encode(), key))}"


def says(status: int, body: bytes, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def says_json(value: object, status: int = 200) -> Answer:
    return says(status, json.dumps(value).encode(), Content_Type="application/json")


@dataclass
class Grant:
    """What a code was given for."""

    nonce: str
    challenge: str
    redirect_uri: str


@dataclass
class StubProvider:
    """`claims`, `header` and `metadata` are changes; None leaves a member out. `answers` stand in for an endpoint."""

    issuer: str
    clock: Callable[[], datetime]
    subject: str = SUBJECT
    alg: str = "RS256"
    key: Key = field(default_factory=lambda: rsa_key("first"))
    published: list[Key] = field(default_factory=lambda: [rsa_key("first"), ec_key("curve")])
    claims: Json = field(default_factory=dict)
    header: Json = field(default_factory=dict)
    metadata: Json = field(default_factory=dict)
    tokens: Json = field(default_factory=dict)
    sign: Callable[[Json, Json], str] | None = None
    answers: dict[str, Answer] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    grants: dict[str, Grant] = field(default_factory=dict)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        asked = urlsplit(handler.path)
        length = int(handler.headers.get("Content-Length", 0))
        form = dict(parse_qsl(handler.rfile.read(length).decode()))
        self.requests.append(asked.path)
        if asked.path in self.answers:
            self.answers[asked.path](handler)
        elif asked.path == METADATA:
            says_json(self._metadata())(handler)
        elif asked.path == "/keys":
            says_json({"keys": [key.as_dict(private=False) for key in self.published]})(handler)
        elif asked.path == "/authorize":
            says(303, b"", Location=self._authorized(dict(parse_qsl(asked.query))))(handler)
        elif asked.path == "/token":
            says_json(*self._exchanged(form, handler.headers.get("Authorization", "")))(handler)
        else:
            says(404, b"")(handler)

    def fetched(self, path: str) -> int:
        """How often the address was asked for."""
        return self.requests.count(path)

    def _metadata(self) -> Json:
        endpoints = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/keys"}
        found = {"issuer": self.issuer} | {name: self.issuer + path for name, path in endpoints.items()}
        return changed(found, self.metadata)

    def _authorized(self, asked: dict[str, str]) -> str:
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert "openid" in asked["scope"].split()
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe()
        self.grants[code] = Grant(asked["nonce"], asked["code_challenge"], asked["redirect_uri"])
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def _exchanged(self, form: dict[str, str], authorization: str) -> tuple[Json, int]:
        if not self._is_client(form, authorization):
            return {"error": "invalid_client"}, 401
        grant = self.grants.pop(form.get("code", ""), None)
        challenge = encoded(sha256(form.get("code_verifier", "").encode()).digest())
        expected = (grant.challenge, grant.redirect_uri) if grant else None
        if grant is None or (challenge, form.get("redirect_uri")) != expected:
            return {"error": "invalid_grant", "error_description": "<script>alert(1)</script>"}, 400
        access_token = secrets.token_urlsafe()
        found = {"access_token": access_token, "token_type": "Bearer", "expires_in": 300}
        return changed(found | {"id_token": self._id_token(grant, access_token)}, self.tokens), 200

    def _is_client(self, form: dict[str, str], authorization: str) -> bool:
        if "client_secret_post" in self.metadata.get("token_endpoint_auth_methods_supported", []):
            return (form.get("client_id"), form.get("client_secret")) == (CLIENT, SECRET)
        scheme, _, said = authorization.partition(" ")
        name, _, secret = b64decode(said).decode().partition(":")
        return (scheme, name, secret) == ("Basic", CLIENT, SECRET)

    def _id_token(self, grant: Grant, access_token: str) -> str:
        now = int(self.clock().timestamp())
        claims = {
            "iss": self.issuer,
            "sub": self.subject,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": grant.nonce,
            "at_hash": encoded(sha256(access_token.encode()).digest()[:16]),
        }
        header = changed({"alg": self.alg, "kid": self.key.kid}, self.header)
        claims = changed(claims, self.claims)
        return self.sign(header, claims) if self.sign else signed(header, claims, self.key)


def changed(found: Json, changes: Json) -> Json:
    return {name: value for name, value in (found | changes).items() if value is not None}


@contextmanager
def running(clock: Callable[[], datetime]) -> Iterator[StubProvider]:
    """A provider on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            provider.answer(self)

        def do_POST(self) -> None:
            provider.answer(self)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Say nothing of connections that the other side has given up."""

    with Server(("127.0.0.1", 0), Handler) as server:
        provider = StubProvider(f"http://127.0.0.1:{server.server_port}", clock)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()
