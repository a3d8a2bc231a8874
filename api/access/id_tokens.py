"""ID tokens (OpenID Connect Core 1.0, 3.1.3.7): whether one says who signed in, to us, just now. Pure.

1. The signature is by one of the issuer's published keys, with RS256, PS256 or ES256: `none` and every HMAC are
   refused, whatever the token says of itself. Keys come from the issuer's key set only: `jku`, `jwk`, `x5u` and `x5c`
   in the token are not looked at. A token with critical extensions (`crit`) is refused.
2. The claims are strict JSON. `iss` is the issuer, `aud` names this client (and `azp` where it names several), the
   moment lies between `iat` and `exp` (and not before `nbf`), `nonce` is that of this very login, `at_hash`, where
   present, is that of the access token.
3. The subject is 1 to 255 visible ASCII characters (OpenID Connect Core 1.0, section 2).

Left to others: fetching keys and tokens, whose account the subject is, and that a nonce is used once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]
from joserfc.errors import ClaimError, InvalidKeyIdError, JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet
from joserfc.jws import JWSRegistry, deserialize_compact
from joserfc.util import base64_to_int

from ledger.canonical import JsonProblem, read_json

ALGORITHMS: Final = ("RS256", "PS256", "ES256")
LEEWAY: Final = timedelta(seconds=60)
"""How far the issuer's clock may be off."""
SUBJECT: Final = re.compile(r"[\x21-\x7e]{1,255}")
"""What an issuer may call a person."""

_RSA_BITS: Final = range(2048, 8192 + 1)
_LONGEST_HEADER: Final = 4096
_LONGEST_CLAIMS: Final = 64 * 1024


class IdTokenRefused(ValueError):
    """An ID token that proves nothing to us; the message says which rule it breaks, and repeats nothing of it."""


class UnknownKey(IdTokenRefused):
    """An ID token whose key is not in the key set: a newer set may have it."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the ID token of one login has to be about."""

    issuer: str
    client_id: str
    nonce: str
    access_token: str


def signing_keys(key_set: Mapping[str, object]) -> KeySet:
    """Return the keys of a JWK set that can verify with one of `ALGORITHMS`; the others are passed over.

    Source: RFC 7517, section 5 (keys that are not understood are ignored). RSA keys under 2048 bits are not taken.
    """
    listed = key_set.get("keys")
    keys = (_signing_key(one) for one in (listed if isinstance(listed, list) else []))
    return KeySet([key for key in keys if key is not None])


def verified_subject(token: str, keys: KeySet, expected: Expected, now: datetime) -> str:
    """Return the subject that the ID token is about. Raises `IdTokenRefused`, or `UnknownKey` of it."""
    registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
    registry.max_header_length = _LONGEST_HEADER
    try:
        signature = deserialize_compact(token, keys, registry=registry)
    except InvalidKeyIdError:
        raise UnknownKey("the key that signed it is not one the issuer publishes") from None
    except (JoseError, ValueError, TypeError) as error:
        # joserfc raises TypeError for a header that is JSON but no object.
        raise IdTokenRefused(f"its signature cannot be verified ({_named(error)})") from None
    header = signature.headers()
    if "crit" in header:
        raise IdTokenRefused("it has critical extensions, expected none")
    return _checked_subject(_claims(signature.payload), header, expected, now)


def _signing_key(found: object) -> Key | None:
    if not isinstance(found, dict):
        return None
    try:
        suitable = (found.get("kty"), found.get("crv")) == ("EC", "P-256") or (
            found.get("kty") == "RSA" and base64_to_int(found["n"]).bit_length() in _RSA_BITS
        )
        key = JWKRegistry.import_key(found) if suitable and found.get("use", "sig") == "sig" else None
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        # Whatever joserfc makes of a key that is malformed: it is one that nobody can sign with.
        return None
    return key


def _claims(payload: bytes) -> dict[str, Any]:
    try:
        claims = read_json(payload, _LONGEST_CLAIMS)
    except JsonProblem as problem:
        raise IdTokenRefused(f"its claims are not strict JSON ({problem.code})") from None
    if not isinstance(claims, dict):
        raise IdTokenRefused("its claims are not a JSON object")
    return cast("dict[str, Any]", claims)


def _checked_subject(claims: dict[str, Any], header: dict[str, Any], expected: Expected, now: datetime) -> str:
    options = {
        "iss": {"essential": True, "value": expected.issuer},
        "aud": {"essential": True, "value": expected.client_id},
        "at_hash": {"allow_blank": False},
    }
    parameters = {
        "nonce": expected.nonce,
        "client_id": expected.client_id,
        "access_token": expected.access_token,
    }
    try:
        CodeIDToken(claims, header, options, parameters).validate(int(now.timestamp()), int(LEEWAY.total_seconds()))
    except (JoseError, TypeError) as error:
        # Authlib raises TypeError for an at_hash that is no string.
        raise IdTokenRefused(_about(error)) from None
    subject = claims["sub"]
    if not SUBJECT.fullmatch(subject):
        raise IdTokenRefused("its subject is not 1 to 255 visible ASCII characters")
    return cast(str, subject)


def _about(error: Exception) -> str:
    return f"claim {error.claim}: {_named(error)}" if isinstance(error, ClaimError) else _named(error)


def _named(error: Exception) -> str:
    return error.error if isinstance(error, JoseError) else "malformed"
