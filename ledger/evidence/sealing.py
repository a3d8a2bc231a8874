"""Files encrypted in chunks, and the wrapping of their keys.

Rules kept here: every file has a key of its own, used for nothing else. Its content is AES-256-GCM in chunks of 64 KiB;
a chunk's nonce is its number and whether it is the last (the STREAM construction of Hoang, Reyhanitabar, Rogaway and
Vizár, 2015), so a chunk that is altered, moved, left out or added is refused, and so is a file cut off at a chunk's
end. A file's key is wrapped (AES key wrap, RFC 3394) under a key derived from the master key and from what the file's
row says (HKDF, RFC 5869), so a row that was altered no longer opens its file. Where bytes are kept is left to others.
"""

from __future__ import annotations

import io
from typing import BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

KEY_SIZE: Final = 32
CHUNK: Final = 64 * 1024
"""Bytes of content in each chunk but the last, which has 1 to as many."""

_TAG: Final = 16
_SEALED_CHUNK: Final = CHUNK + _TAG
_COUNTER: Final = 11
_DOMAIN: Final = b"mingzhang evidence v1"


class ContentDamaged(ValueError):
    """Bytes that are not what was sealed under the key."""


class KeyRefused(ValueError):
    """A wrapped key that the master key does not open: one of them, or what the row says, is another."""


def wrapped_key(master_key: bytes, key: bytes, said: bytes) -> bytes:
    """Return a file's key, wrapped for a row that says this of the file."""
    return aes_key_wrap(_wrapping_key(master_key, said), key)


def unwrapped_key(master_key: bytes, wrapped: bytes, said: bytes) -> bytes:
    """Return the file's key. Raises KeyRefused."""
    try:
        return aes_key_unwrap(_wrapping_key(master_key, said), wrapped)
    except InvalidUnwrap:
        raise KeyRefused("the key of the file cannot be unwrapped") from None


def _wrapping_key(master_key: bytes, said: bytes) -> bytes:
    return HKDF(SHA256(), KEY_SIZE, salt=None, info=_DOMAIN + b"\x00" + said).derive(master_key)


class Sealer:
    """Encrypts the chunks of one file, in order."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._number = 0

    def seal(self, chunk: bytes, *, last: bool) -> bytes:
        """Return the next chunk sealed: `CHUNK` bytes of content, or fewer in the last."""
        sealed = self._cipher.encrypt(_nonce(self._number, last), chunk, _DOMAIN)
        self._number += 1
        return sealed


class _Unsealed(io.RawIOBase):
    def __init__(self, file: BinaryIO, key: bytes) -> None:
        self._file = file
        self._cipher = AESGCM(key)
        length = file.seek(0, io.SEEK_END)
        self._last = max(-(-length // _SEALED_CHUNK) - 1, 0)
        self._size = length - (self._last + 1) * _TAG
        if self._size <= self._last * CHUNK:
            raise ContentDamaged(f"{length} bytes are no whole number of chunks")
        self._position = 0
        self._held = -1
        self._chunk = b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise ValueError(f"cannot seek before the first byte ({start + offset})")
        self._position = start + offset
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # what io calls it with
        if self._position >= self._size:
            return 0
        number, offset = divmod(self._position, CHUNK)
        found = self._open(number)[offset : offset + len(buffer)]
        buffer[: len(found)] = found
        self._position += len(found)
        return len(found)

    def _open(self, number: int) -> bytes:
        if number != self._held:
            self._file.seek(number * _SEALED_CHUNK)
            sealed = self._file.read(_SEALED_CHUNK)
            try:
                self._chunk = self._cipher.decrypt(_nonce(number, number == self._last), sealed, _DOMAIN)
            except (InvalidTag, ValueError):
                raise ContentDamaged(f"chunk {number + 1} of {self._last + 1} is not what was sealed") from None
            self._held = number
        return self._chunk


def unsealed(file: BinaryIO, key: bytes) -> BinaryIO:
    """Return the content of a sealed file, to read from anywhere; one chunk is held in memory.

    Whoever opened `file` closes it. Raises ContentDamaged, here or while reading; what was read is as it was sealed.
    """
    return io.BufferedReader(_Unsealed(file, key), CHUNK)


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(_COUNTER) + bytes([last])
