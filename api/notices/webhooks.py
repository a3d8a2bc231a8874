"""Notices to webhooks, as Standard Webhooks 1.0 has it: JSON by POST, signed with a secret that both sides know.

A receiver checks `webhook-signature` over id, timestamp and body, and takes an id (`webhook-id`) once. Redirects are
not followed and nothing of the answer but its status is read.
"""

from __future__ import annotations

import hmac
import json
from base64 import b64decode, b64encode
from datetime import datetime
from hashlib import sha256
from typing import Final

from httpx2 import Client, HTTPError, InvalidURL

from api.notices.message import DeliveryFailed, Message
from api.notices.targets import SECRET_PREFIX

SECONDS: Final = 10
_OK: Final = range(200, 300)


def post(client: Client, message: Message, url: str, secret: str, now: datetime) -> None:
    """Post a notice; raises `DeliveryFailed` where the answer is no 2xx, or none, or the address is none."""
    body = json.dumps(
        {"id": message.event, "unit": message.unit, "sentence": message.sentence, "path": message.path},
        ensure_ascii=False,
    ).encode()
    timestamp = int(now.timestamp())
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "webhook-id": message.event,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(secret, message.event, timestamp, body),
    }
    try:
        with client.stream("POST", url, content=body, headers=headers) as answer:
            status = answer.status_code
    except (HTTPError, InvalidURL, ValueError) as error:
        # A host that no name can be (RFC 3490) is a ValueError. Only its type is told: an address may hold a key.
        raise DeliveryFailed(type(error).__name__) from None
    if status not in _OK:
        raise DeliveryFailed(f"answered {status}")


def signature(secret: str, event: str, timestamp: int, body: bytes) -> str:
    """Return the header that signs a body sent at that second: `v1,` and the HMAC-SHA256 in base 64."""
    key = b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = f"{event}.{timestamp}.".encode() + body
    return f"v1,{b64encode(hmac.digest(key, signed, sha256)).decode()}"


def new_client() -> Client:
    """Return a client that goes to the address named and nowhere else: no proxy, no redirect."""
    return Client(timeout=SECONDS, follow_redirects=False, trust_env=False)
