"""Signing in where the provider's answers are not what they should be: each is refused, for its own reason."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta
from hmac import digest
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from api.access.oidc import Oidc
from api.access.oidc_provider import LARGEST_ANSWER, registration
from tests.access.office import Office
from tests.access.provider import (
    CLIENT,
    METADATA,
    SECRET,
    SUBJECT,
    Answer,
    StubProvider,
    ec_key,
    encoded,
    rsa_key,
    says,
    says_json,
    signed,
)
from tests.access.site import NAME, Bend, Site, refusal, running_site

PATIENCE = timedelta(seconds=1)


@pytest.fixture
def site(office: Office, tmp_path: Path) -> Iterator[Site]:
    with running_site(office, tmp_path) as site:
        yield site


@pytest.fixture
def linked(site: Site) -> Site:
    """The site, where the person at the provider has an account."""
    site.identities.link(None, NAME, site.provider.issuer, SUBJECT)
    return site


def claims(**changes: object) -> Bend:
    return lambda provider: provider.claims.update(changes)


def at(claim: str, seconds: int) -> Bend:
    def bend(provider: StubProvider) -> None:
        provider.claims[claim] = int(provider.clock().timestamp()) + seconds

    return bend


def token(write: Callable[[StubProvider, dict[str, Any], dict[str, Any]], str]) -> Bend:
    """A provider whose ID token is what `write` makes of header and claims."""

    def bend(provider: StubProvider) -> None:
        provider.sign = lambda header, claims: write(provider, header, claims)

    return bend


def header(**changes: object) -> Bend:
    return lambda provider: provider.header.update(changes)


def signed_by(key: Any, alg: str, **changes: object) -> Bend:
    return token(lambda _, header, claims: signed(header | {"alg": alg} | changes, claims, key))


def unsigned(alg: str) -> Bend:
    return token(lambda _, header, claims: f"{encoded(header | {'alg': alg})}.{encoded(claims)}.")


def keyed_with(secret: bytes) -> Bend:
    """HMAC with something that is no secret, or not one for this."""

    def write(_: StubProvider, header: dict[str, Any], claims: dict[str, Any]) -> str:
        signing_input = f"{encoded(header | {'alg': 'HS256'})}.{encoded(claims)}"
        return f"{signing_input}.{encoded(digest(secret, signing_input.encode(), 'sha256'))}"

    return token(write)


def payload(write: Callable[[dict[str, Any]], bytes]) -> Bend:
    return token(lambda provider, header, claims: signed(header, write(claims), provider.key))


def corrupted(provider: StubProvider, header: dict[str, Any], claims: dict[str, Any]) -> str:
    good = signed(header, claims, provider.key)
    return good[:-8] + ("A" if good[-8] != "A" else "B") + good[-7:]


def other_claims(provider: StubProvider, header: dict[str, Any], claims: dict[str, Any]) -> str:
    head, _, signature = signed(header, claims, provider.key).split(".")
    return f"{head}.{encoded(claims | {'sub': 'the.leader'})}.{signature}"


BAD_TOKENS: dict[str, tuple[Bend, str]] = {
    "alg none": (unsigned("none"), "unsupported_algorithm"),
    "alg None": (unsigned("None"), "unsupported_algorithm"),
    "alg missing": (token(lambda _, h, c: f"{encoded({'kid': h['kid']})}.{encoded(c)}.AAAA"), "missing_algorithm"),
    "alg of another type": (unsigned(None), "cannot be verified"),  # type: ignore[arg-type]
    "HS256 with the public key as PEM": (keyed_with(rsa_key("first").as_pem(private=False)), "unsupported_algorithm"),
    "HS256 with the public key as JWK": (
        keyed_with(json.dumps(rsa_key("first").as_dict(private=False)).encode()),
        "unsupported_algorithm",
    ),
    "HS256 with the client secret": (keyed_with(SECRET.encode()), "unsupported_algorithm"),
    "RS384": (header(alg="RS384"), "unsupported_algorithm"),
    "ES256 of the RSA key": (signed_by(ec_key("curve"), "ES256", kid="first"), "invalid_key_type"),
    "another key of the same name": (signed_by(rsa_key("attacker"), "RS256"), "bad_signature"),
    "a key that is not published": (signed_by(rsa_key("attacker"), "RS256", kid="attacker"), "not one the issuer"),
    "no kid where there are several keys": (header(kid=None), "not one the issuer"),
    "a key that it brings along": (
        signed_by(rsa_key("attacker"), "RS256", kid="attacker", jwk=rsa_key("attacker").as_dict(private=False)),
        "not one the issuer",
    ),
    "critical extension": (header(crit=["exp"], exp=1), "unsupported_header"),
    "unencoded payload": (header(crit=["b64"], b64=True), "critical extensions"),
    "no signature": (token(lambda p, h, c: signed(h, c, p.key).rpartition(".")[0] + "."), "bad_signature"),
    "a bit of the signature": (token(corrupted), "bad_signature"),
    "claims changed after signing": (token(other_claims), "bad_signature"),
    "two parts": (token(lambda p, h, c: signed(h, c, p.key).rpartition(".")[0]), "decode_error"),
    "five parts": (token(lambda p, h, c: signed(h, c, p.key) + ".AAAA.AAAA"), "decode_error"),
    "no token": (token(lambda *_: "明账"), "decode_error"),
    "a header that is a list": (token(lambda *_: encoded(b'["alg"]') + ".e30.AAAA"), "malformed"),
    "a header that is a string": (token(lambda *_: encoded(b'"alg"') + ".e30.AAAA"), "malformed"),
    "a header that is huge": (header(pad="x" * 5000), "exceeded_size"),
    "claims that are no JSON": (payload(lambda _: b"exp"), "json-malformed"),
    "claims that are a list": (payload(lambda _: b"[]"), "not a JSON object"),
    "claims that nest deeply": (payload(lambda _: b"[" * 50_000), "json-too-deep"),
    "claims twice": (
        payload(lambda claims: json.dumps(claims).encode()[:-1] + b',"sub":"the.leader"}'),
        "json-duplicate-key",
    ),
    "claims with NaN": (payload(lambda claims: json.dumps(claims | {"exp": float("nan")}).encode()), "not-a-number"),
    "another issuer": (claims(iss="https://other.example.gov.cn"), "claim iss"),
    "the issuer with a slash": (lambda p: p.claims.update(iss=p.issuer + "/"), "claim iss"),
    "several issuers": (lambda p: p.claims.update(iss=[p.issuer]), "claim iss"),
    "no issuer": (claims(iss=None), "claim iss"),
    "another audience": (claims(aud="another-client"), "claim aud"),
    "no audience": (claims(aud=None), "claim aud"),
    "an empty audience": (claims(aud=[]), "claim aud"),
    "several audiences and no party": (claims(aud=[CLIENT, "another-client"]), "claim azp"),
    "several audiences and another party": (claims(aud=[CLIENT, "other"], azp="other"), "claim azp"),
    "another party": (claims(azp="another-client"), "claim azp"),
    "expired": (at("exp", -61), "expired_token"),
    "no expiry": (claims(exp=None), "claim exp"),
    "expiry as text": (claims(exp="4102444800"), "claim exp"),
    "expiry as truth": (claims(exp=True), "claim exp"),
    "issued later": (at("iat", 61), "claim iat"),
    "not issued at all": (claims(iat=None), "claim iat"),
    "not yet valid": (at("nbf", 61), "claim nbf"),
    "another nonce": (claims(nonce="replayed"), "claim nonce"),
    "no nonce": (claims(nonce=None), "claim nonce"),
    "several nonces": (claims(nonce=["one", "two"]), "claim nonce"),
    "another access token's hash": (claims(at_hash=encoded(b"x" * 16)), "claim at_hash"),
    "an empty access token hash": (claims(at_hash=""), "claim at_hash"),
    "an access token hash of another type": (claims(at_hash=["x"]), "malformed"),
    "no subject": (claims(sub=None), "claim sub"),
    "an empty subject": (claims(sub=""), "subject"),
    "a subject of another type": (claims(sub=7), "claim sub"),
    "a subject with bidi controls": (claims(sub="zhang\u202esan"), "subject"),
    "a subject that is too long": (claims(sub="z" * 256), "subject"),
}


def test_an_id_token_that_proves_nothing_is_refused_for_the_right_reason(linked: Site) -> None:
    found = {}
    for name, (bend, reason) in BAD_TOKENS.items():
        response = linked.try_at(bend)
        detail = response.json()["detail"] if response.status_code != 303 else "signed in"
        found[name] = (*refusal(response), reason if reason in detail else detail)
    assert found == {name: (403, "oidc-token-refused", reason) for name, (_, reason) in BAD_TOKENS.items()}
    assert set(linked.provider.requests) == {METADATA, "/authorize", "/token", "/keys"}


GOOD_TOKENS: dict[str, Bend] = {
    "as it comes": lambda _: None,
    "expired a little": at("exp", -59),
    "issued a little later": at("iat", 59),
    "several audiences and this party": claims(aud=["another-client", CLIENT], azp=CLIENT),
    "one audience in a list": claims(aud=[CLIENT]),
    "no access token hash": claims(at_hash=None),
    "unknown claims and header members": lambda p: (p.claims.update(acr="1"), p.header.update(x="y"))[0],
    "no kid where there is one key": lambda p: (p.header.update(kid=None), p.published.pop())[0],
    "addresses of other keys, which are not looked at": lambda p: p.header.update(
        jku=f"{p.issuer}/attacker", x5u=f"{p.issuer}/attacker"
    ),
    "keys of other kinds beside": lambda p: p.answers.update({"/keys": says_json({"keys": other_keys()})}),
    "a provider that takes the secret in the body": lambda p: p.metadata.update(
        token_endpoint_auth_methods_supported=["client_secret_post"]
    ),
}


def other_keys() -> list[Any]:
    good = rsa_key("first").as_dict(private=False)
    curve = ec_key("curve").as_dict(private=False)
    strange = [
        7,
        {},
        {"kty": "AKP", "kid": "first", "alg": "ML-DSA-44"},
        {"kty": "oct", "kid": "first", "k": encoded(b"known")},
        {"kty": "RSA", "kid": "first"},
        {"kty": "RSA", "kid": "first", "n": 7, "e": "AQAB"},
        {"kty": "RSA", "kid": "first", "n": "AQAB", "e": "AQAB"},
        good | {"use": "enc"},
        good | {"n": "!"},
        curve | {"kid": "first", "crv": "P-256", "x": "AAAA"},
        curve | {"kid": "first", "crv": "secp256k1"},
    ]
    return [*strange, good]


def test_an_id_token_may_look_different_and_be_good(linked: Site) -> None:
    found = {name: linked.try_at(bend).status_code for name, bend in GOOD_TOKENS.items()}
    assert found == dict.fromkeys(GOOD_TOKENS, 303)
    assert linked.provider.fetched("/attacker") == 0


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")  # the weak key is made here
def test_a_weak_key_verifies_nothing(linked: Site) -> None:
    weak = rsa_key("weak", 1024)
    linked.provider.published, linked.provider.key = [weak, rsa_key("first")], weak
    response = linked.browser().sign_in()
    assert refusal(response) == (403, "oidc-token-refused")


def metadata(**changes: object) -> Bend:
    return lambda provider: provider.metadata.update(changes)


def endpoint(address: str) -> Bend:
    return metadata(token_endpoint=address)


def answers(path: str, answer: Answer) -> Bend:
    return lambda provider: provider.answers.update({path: answer})


def elsewhere(path: str) -> Bend:
    """A provider that redirects to what would be a good answer."""
    return lambda p: p.answers.update({path: says(307, b"", Location=f"{p.issuer}{path}?again")})


BAD_PROVIDERS: dict[str, tuple[Bend, str]] = {
    "discovery of another issuer": (metadata(issuer="https://other.example.gov.cn"), "another issuer"),
    "discovery of no issuer": (metadata(issuer=None), "another issuer"),
    "no token endpoint": (metadata(token_endpoint=None), "token_endpoint"),
    "token endpoint elsewhere": (endpoint("https://attacker.example.com/token"), "token_endpoint"),
    "token endpoint on another port": (endpoint("http://127.0.0.1:1/token"), "token_endpoint"),
    "token endpoint behind user information": (
        lambda p: p.metadata.update(token_endpoint=f"{p.issuer}@attacker.example.com/token"),
        "token_endpoint",
    ),
    "token endpoint behind a backslash": (
        lambda p: p.metadata.update(token_endpoint=f"{p.issuer}\\@attacker.example.com/token"),
        "token_endpoint",
    ),
    "token endpoint by file": (endpoint("file:///etc/passwd"), "token_endpoint"),
    "keys elsewhere": (metadata(jwks_uri="https://attacker.example.com/keys"), "jwks_uri"),
    "keys in a list": (metadata(jwks_uri=["/keys"]), "jwks_uri"),
    "authorization elsewhere": (
        metadata(authorization_endpoint="https://attacker.example.com/authorize"),
        "authorization_endpoint",
    ),
    "authorization by script": (metadata(authorization_endpoint="javascript:alert(1)"), "authorization_endpoint"),
    "discovery redirects": (elsewhere(METADATA), "redirects"),
    "keys redirect": (elsewhere("/keys"), "redirects"),
    "token endpoint redirects": (elsewhere("/token"), "redirects"),
    "discovery fails": (answers(METADATA, says_json({}, 500)), "answers 500"),
    "keys fail": (answers("/keys", says_json({}, 503)), "answers 503"),
    "token endpoint fails": (answers("/token", says_json({}, 500)), "no usable answer"),
    "discovery too large": (answers(METADATA, says(200, b" " * (LARGEST_ANSWER + 1))), "larger than"),
    "keys too large": (answers("/keys", says(200, b" " * (LARGEST_ANSWER + 1))), "larger than"),
    "token too large": (answers("/token", says(200, b" " * (LARGEST_ANSWER + 1))), "larger than"),
    "discovery is a page": (answers(METADATA, says(200, b"<html></html>", Content_Type="text/html")), "json-malformed"),
    "discovery is a list": (answers(METADATA, says_json([])), "JSON object"),
    "discovery nests deeply": (answers(METADATA, says(200, b"[" * 100_000)), "json-too-deep"),
    "discovery holds NaN": (answers(METADATA, says(200, b'{"issuer":NaN}')), "json-not-a-number"),
    "token is a page": (answers("/token", says(401, b"<html></html>")), "json-malformed"),
    "token is a list": (answers("/token", says_json([])), "no usable answer"),
    "no ID token": (lambda p: p.tokens.update(id_token=None), "no id_token"),
    "an ID token of another type": (lambda p: p.tokens.update(id_token=["x"]), "no id_token"),
    "no access token": (lambda p: p.tokens.update(access_token=None), "no access_token"),
    "a strange lifetime": (lambda p: p.tokens.update(expires_in=["soon"]), "no usable answer"),
    "the connection breaks": (answers(METADATA, lambda _: None), "does not answer"),
}


def test_a_provider_that_cannot_be_used_is_a_bad_gateway_and_never_a_session(linked: Site) -> None:
    found = {}
    for name, (bend, reason) in BAD_PROVIDERS.items():
        response = linked.try_at(bend)
        detail = response.json()["detail"] if response.status_code != 303 else "signed in"
        found[name] = (*refusal(response), reason if reason in detail else detail)
    assert found == {name: (502, "oidc-provider-failed", reason) for name, (_, reason) in BAD_PROVIDERS.items()}
    assert linked.try_at(lambda _: None).status_code == 303


def hangs(_: object) -> None:
    sleep(2 * PATIENCE.total_seconds())


def drips(handler: Any) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(8):
        handler.wfile.write(b" " * 100)
        sleep(PATIENCE.total_seconds() / 4)
    handler.wfile.write(b"{}")


@pytest.mark.parametrize(("path", "slow"), [(METADATA, hangs), ("/token", hangs), ("/keys", drips)])
def test_a_provider_is_not_waited_for_without_end(linked: Site, path: str, slow: Answer) -> None:
    office, registered = linked.office, registration(linked.settings)
    assert registered is not None
    linked.app.state.oidc = Oidc(office.engine, office.clock, secrets.token_bytes, office.access, registered, PATIENCE)
    response = linked.try_at(answers(path, slow))
    assert refusal(response) == (502, "oidc-provider-failed")
    assert linked.provider.fetched(path) == 1
