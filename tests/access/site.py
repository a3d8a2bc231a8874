"""The application with single sign-on, the browsers of people, and the provider it trusts."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from fastapi import FastAPI
from httpx2 import Response
from pydantic import SecretStr
from starlette.testclient import TestClient

from api.access.external_identities import ExternalIdentities
from api.access.oidc import open_oidc
from api.http import create_app
from api.routes import oidc as routes
from api.settings import Settings
from projections.jurisdictions import Jurisdictions
from tests.access.office import RECORDER, Office
from tests.access.provider import CLIENT, SECRET, StubProvider, running

PUBLIC: Final = "https://mingzhang.example.gov.cn"
LOGIN, CALLBACK = "/api/v1/oidc/login", "/api/v1/oidc/callback"
SESSION, LOGIN_COOKIE = "__Host-mingzhang", "__Host-mingzhang-oidc"
NAME: Final = "张三"
Bend = Callable[[StubProvider], object]


@dataclass
class Site:
    """The application, its office, and the provider it trusts."""

    app: FastAPI
    settings: Settings
    office: Office
    provider: StubProvider
    identities: ExternalIdentities

    def browser(self) -> Browser:
        return Browser(TestClient(self.app, PUBLIC, follow_redirects=False))

    def try_at(self, bend: Bend) -> Response:
        """How one whole sign-in ends, with a provider bent for it alone."""
        # Every sign-in comes from one address here, which may try so often in a minute.
        self.office.clock.pass_(minutes=11)
        provider = self.provider
        normal = vars(StubProvider(provider.issuer, provider.clock, requests=provider.requests))
        bend(provider)
        try:
            return self.browser().sign_in()
        finally:
            vars(provider).update(normal)


@dataclass
class Browser:
    client: TestClient

    def begin(self) -> str:
        """Where the browser is sent to sign in."""
        begun = self.client.get(LOGIN)
        assert begun.status_code == 303, begun.text
        return begun.headers["location"]

    def come_back(self, address: str, more: str = "") -> Response:
        """Whereto the person's signing in at the provider leads."""
        assert address.startswith(PUBLIC + CALLBACK)
        return self.client.get(address + more)

    def sign_in(self, more: str = "") -> Response:
        begun = self.client.get(LOGIN)
        return self.come_back(at_provider(begun.headers["location"]), more) if begun.status_code == 303 else begun


def at_provider(address: str) -> str:
    """Where the provider sends the browser once the person has signed in there."""
    asked = urlsplit(address)
    connection = HTTPConnection(asked.netloc)
    connection.request("GET", f"{asked.path}?{asked.query}")
    answer = connection.getresponse()
    connection.close()
    return answer.headers["Location"]


def refusal(response: Response) -> tuple[int, str]:
    assert SESSION not in response.cookies
    return response.status_code, response.json()["code"]


@contextmanager
def running_site(office: Office, folder: Path) -> Iterator[Site]:
    """The application and its provider; the recorder has an account without a password, linked to nobody."""
    with running(office.clock) as provider:
        settings = Settings(
            key_folder=folder / "keys",
            evidence_folder=folder / "evidence",
            public_url=PUBLIC,
            oidc_issuer=provider.issuer,
            oidc_client_id=CLIENT,
            oidc_client_secret=SecretStr(SECRET),
            oidc_title="县政务统一认证",
        )
        jurisdictions = Jurisdictions(office.engine, secrets.token_bytes)
        app = create_app(jurisdictions, settings, office.clock)
        app.state.oidc = open_oidc(office.engine, office.clock, secrets.token_bytes, office.access, settings)
        app.include_router(routes.router)
        office.access.create_account(None, NAME, [RECORDER], with_password=False)
        identities = ExternalIdentities(office.engine, office.clock, secrets.token_bytes)
        yield Site(app, settings, office, provider, identities)
        jurisdictions.close()
