"""What an event says of a stored file. Pure: bytes in, bytes out.

Rules kept here: a commitment is SHA-256 over a domain, a random salt and the SHA-256 of the content. With the salt it
proves which file it was; without it, it tells nothing, not even whether two entries rest on the same file. Keeping and
destroying the salt is left to the vault.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

SALT_SIZE: Final = 32
DIGEST_SIZE: Final = 32
_DOMAIN: Final = b"mingzhang evidence v1\x00"


def commitment_to(salt: bytes, content_digest: bytes) -> bytes:
    """Return the 32 bytes that an event names a file by: SHA-256(domain ‖ salt ‖ SHA-256(content)).

    Raises ValueError unless salt and digest have 32 bytes each.
    """
    if len(salt) != SALT_SIZE or len(content_digest) != DIGEST_SIZE:
        raise ValueError(f"expected a salt and a digest of 32 bytes, got {len(salt)} and {len(content_digest)}")
    return sha256(_DOMAIN + salt + content_digest).digest()
