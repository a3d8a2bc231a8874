"""Signed notes and their Ed25519 keys (C2SP signed-note). Pure: text and bytes in, bytes or a verdict out.

Rules kept here:

1. A note is UTF-8 without control characters but the newline: a text that ends in one, an empty line, signature lines.
2. Everything has exactly one spelling: base64 without unused bits or line breaks, lower-case key ids. What is taken,
   written again, gives the same bytes.
3. A key is known by its name and its id together. A known key signs once and its signature must verify; what unknown
   keys signed is kept apart; a note that no known key signed is refused.

What a text says, and which keys are trusted, is left to others; so are files and randomness.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import sha256
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

LARGEST_NOTE: Final = 1_000_000
"""Most bytes of a note."""
MOST_SIGNATURES: Final = 100
LATEST_TIMESTAMP: Final = 2**63 - 1
"""Latest moment of a cosignature, in seconds since 1970 UTC (C2SP tlog-cosignature)."""

_KEY_SIZE: Final = 32
_SIGNATURE_SIZE: Final = 64
_ID_SIZE: Final = 4
_TIMESTAMP_SIZE: Final = 8
_LINE: Final = re.compile("— ([^ ]+) ([^ ]+)")
_CONTROL: Final = re.compile("[\x00-\x09\x0b-\x1f]")
_KEY_ID: Final = re.compile("[0-9a-f]{8}")
_PRIVATE: Final = "PRIVATE+KEY+"
_SHOWN: Final = 60
_SHOWN_KEYS: Final = 3


class NoteRejected(ValueError):
    """A note, a key or a checkpoint that is refused: the message says what was expected and what came."""


class SignatureType(IntEnum):
    """What a key signs: the byte that goes into its id and its written form."""

    ED25519 = 0x01
    """The note's text (C2SP signed-note)."""
    COSIGNATURE = 0x04
    """A checkpoint as a witness saw it at a moment (C2SP tlog-cosignature, cosignature/v1)."""


_TYPES: Final = {bytes([one]): one for one in SignatureType}


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: the key's name and id, and what that key made of the text. Says nothing of its truth."""

    name: str
    key_id: bytes
    value: bytes

    def __post_init__(self) -> None:
        """Refuse what no signature line can say."""
        _check_name(self.name)
        if len(self.key_id) != _ID_SIZE or not self.value:
            raise NoteRejected(f"a signature has a key id of {_ID_SIZE} bytes and at least one byte more")

    def line(self) -> str:
        """Return the line as it stands in a note, with its newline."""
        return f"— {self.name} {_encoded(self.key_id + self.value)}\n"


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key that signatures are checked with. Raises NoteRejected for a name or a key that cannot be."""

    name: str
    public_key: bytes
    type: SignatureType = SignatureType.ED25519

    def __post_init__(self) -> None:
        """Refuse a name that no line can hold, and a key of another length."""
        _check_name(self.name)
        _check_size("public key", self.public_key)

    @property
    def key_id(self) -> bytes:
        """The first 4 bytes of SHA-256(name ‖ newline ‖ type ‖ public key)."""
        return sha256(self.name.encode() + b"\n" + bytes([self.type]) + self.public_key).digest()[:_ID_SIZE]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `<name>+<key id in hex>+<base64 of type and key>`. Raises NoteRejected for anything else."""
        name, key_id, (kind, key) = _key_parts("verifier key", text)
        parsed = cls(name, key, kind)
        _check_key_id(parsed, key_id)
        return parsed

    def text(self) -> str:
        """Return the key as `parse` reads it."""
        return f"{self.name}+{self.key_id.hex()}+{_encoded(bytes([self.type]) + self.public_key)}"

    def made(self, signature: Signature) -> bool:
        """Return whether the signature names this key; whether it is true, `verify` says."""
        return signature.name == self.name and signature.key_id == self.key_id

    def verify(self, text: str, signature: Signature) -> None:
        """Check that this key signed the text. Raises NoteRejected."""
        if not self.made(signature):
            raise NoteRejected(f"{_named(signature)} is not by the key {self.name} {self.key_id.hex()}")
        message, value = text.encode(), signature.value
        if self.type is SignatureType.COSIGNATURE:
            message, value = _cosigned(text, timestamp_of(signature)), value[_TIMESTAMP_SIZE:]
        if len(value) != _SIGNATURE_SIZE:
            raise NoteRejected(f"invalid signature: {_named(signature)} has {len(value)} bytes, not {_SIGNATURE_SIZE}")
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(value, message)
        except InvalidSignature:
            found = f"{_named(signature)} does not verify; the text or the signature was altered"
            raise NoteRejected(f"invalid signature: {found}") from None


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and its name; the seed is in no representation but `text`."""

    name: str
    seed: bytes = field(repr=False)
    type: SignatureType = SignatureType.ED25519

    def __post_init__(self) -> None:
        """Refuse a name that no line can hold, and a seed of another length."""
        _check_name(self.name)
        _check_size("seed", self.seed)

    @classmethod
    def generate(cls, name: str, seed: bytes, type: SignatureType = SignatureType.ED25519) -> Self:  # noqa: A002
        """Return the key of that name made of 32 random bytes (RFC 8032 section 5.1.5)."""
        return cls(name, seed, type)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `PRIVATE+KEY+<name>+<key id in hex>+<base64 of type and seed>`. Raises NoteRejected."""
        if not text.startswith(_PRIVATE):
            raise NoteRejected(f"a signing key begins with {_PRIVATE}")
        name, key_id, (kind, seed) = _key_parts("signing key", text.removeprefix(_PRIVATE))
        parsed = cls(name, seed, kind)
        _check_key_id(parsed.verifier, key_id)
        return parsed

    def text(self) -> str:
        """Return the key as `parse` reads it: a secret."""
        key_id = self.verifier.key_id.hex()
        return f"{_PRIVATE}{self.name}+{key_id}+{_encoded(bytes([self.type]) + self.seed)}"

    @property
    def verifier(self) -> VerifierKey:
        """The public key."""
        return VerifierKey(self.name, self._private().public_key().public_bytes_raw(), self.type)

    def sign(self, text: str) -> Signature:
        """Return the signature of a note's text. Raises ValueError for a cosigner's key."""
        if self.type is not SignatureType.ED25519:
            raise ValueError(f"the key {self.name} makes cosignatures, which need a moment")
        return Signature(self.name, self.verifier.key_id, self._private().sign(text.encode()))

    def cosign(self, text: str, timestamp: int) -> Signature:
        """Return the cosignature of a checkpoint's text at a moment, in seconds since 1970 UTC.

        Raises ValueError for another type of key, or a moment before 1970 or after `LATEST_TIMESTAMP`.
        """
        if self.type is not SignatureType.COSIGNATURE:
            raise ValueError(f"the key {self.name} makes no cosignatures")
        if not 0 <= timestamp <= LATEST_TIMESTAMP:
            raise ValueError(f"a cosignature's moment is 0 to {LATEST_TIMESTAMP} seconds, got {timestamp}")
        value = timestamp.to_bytes(_TIMESTAMP_SIZE) + self._private().sign(_cosigned(text, timestamp))
        return Signature(self.name, self.verifier.key_id, value)

    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)


@dataclass(frozen=True, slots=True)
class Note:
    """An opened note: its text, what known keys signed, and what is not known to be true; each in the note's order."""

    text: str
    signatures: tuple[Signature, ...]
    unverified: tuple[Signature, ...] = ()


def signed(text: str, keys: Sequence[SigningKey]) -> bytes:
    """Return the note of the text, signed by each key in turn. Raises NoteRejected where there can be no such note."""
    return note_bytes(text, [key.sign(text) for key in keys])


def open_note(data: bytes, keys: Sequence[VerifierKey]) -> Note:
    """Return the note, of which at least one of the keys has signed the text.

    Raises NoteRejected: not a note, no signature by any of the keys, two by one of them, one that does not verify, or
    two keys that cannot be told apart.
    """
    known = {(key.name, key.key_id): key for key in keys}
    if len(known) != len(keys):
        raise NoteRejected("ambiguous key: two of the known keys have the same name and id")
    text, lines = parse_note(data)
    verified: dict[tuple[str, bytes], Signature] = {}
    unverified: list[Signature] = []
    for signature in lines:
        identity = (signature.name, signature.key_id)
        if identity not in known:
            unverified.append(signature)
            continue
        if identity in verified:
            raise NoteRejected(f"malformed note: {_named(signature)} stands twice, expected one by each known key")
        known[identity].verify(text, signature)
        verified[identity] = signature
    if not verified:
        wanted = ", ".join(f"{name} {key_id.hex()}" for name, key_id in known) or "none is known"
        found = ", ".join(f"{one.name} {one.key_id.hex()}" for one in unverified[:_SHOWN_KEYS])
        raise NoteRejected(f"no verifiable signatures: known keys: {wanted}; signed by: {found}")
    return Note(text, tuple(verified.values()), tuple(unverified))


def parse_note(data: bytes) -> tuple[str, tuple[Signature, ...]]:
    """Return a note's text and its signatures, of which nothing is verified. Raises NoteRejected for anything else."""
    if len(data) > LARGEST_NOTE:
        raise NoteRejected(f"a note of {len(data)} bytes, expected at most {LARGEST_NOTE}")
    # Signature lines hold no empty line, so the last one ends the text.
    written = _decoded(data)
    text, separator, lines = written.rpartition("\n\n")
    if not separator:
        raise NoteRejected("malformed note: expected a text, an empty line and signature lines")
    return f"{text}\n", _signatures(lines)


def parse_signature_lines(data: bytes) -> tuple[Signature, ...]:
    """Return the signatures of lines without a note, as a witness answers with. Raises NoteRejected."""
    if len(data) > LARGEST_NOTE:
        raise NoteRejected(f"signature lines of {len(data)} bytes, expected at most {LARGEST_NOTE}")
    return _signatures(_decoded(data))


def note_bytes(text: str, signatures: Iterable[Signature]) -> bytes:
    """Return the note of a text and its signature lines, which `parse_note` reads. Raises NoteRejected."""
    lines = "".join(signature.line() for signature in signatures)
    data = f"{text}\n{lines}".encode()
    if not text.endswith("\n") or parse_note(data)[0] != text:
        raise NoteRejected("a note's text ends in a newline")
    return data


def timestamp_of(cosignature: Signature) -> int:
    """Return the moment of a cosignature/v1 in seconds since 1970 UTC. Raises NoteRejected where there is none."""
    found, size = len(cosignature.value), _TIMESTAMP_SIZE + _SIGNATURE_SIZE
    if found != size:
        raise NoteRejected(f"invalid signature: {_named(cosignature)} has {found} bytes, {size} make a cosignature")
    timestamp = int.from_bytes(cosignature.value[:_TIMESTAMP_SIZE])
    if timestamp > LATEST_TIMESTAMP:
        raise NoteRejected(f"invalid signature: {_named(cosignature)} has a moment beyond {LATEST_TIMESTAMP}")
    return timestamp


def decoded_base64(what: str, text: str) -> bytes:
    """Return the bytes of standard base64 in its one spelling (RFC 4648 section 4). Raises NoteRejected."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise NoteRejected(f"{what} is not base64: {_short(text)}") from error
    if _encoded(data) != text:
        raise NoteRejected(
            f"{what} is not base64 in its one spelling: {_short(text)}, expected {_short(_encoded(data))}"
        )
    return data


def check_line(what: str, text: str) -> None:
    """Check that a text can stand as a line of a note: not empty, no control characters. Raises NoteRejected."""
    if not text or "\n" in text or _CONTROL.search(text):
        raise NoteRejected(f"{what} is empty or has control characters: {_short(text)}")


def _decoded(data: bytes) -> str:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NoteRejected(f"malformed note: byte {error.start} is not UTF-8 ({error.reason})") from error
    found = _CONTROL.search(text)
    if found is not None:
        raise NoteRejected(f"malformed note: control character U+{ord(found[0]):04X}, expected newlines only")
    return text


def _signatures(lines: str) -> tuple[Signature, ...]:
    if not lines.endswith("\n"):
        raise NoteRejected("malformed note: expected signature lines that each end in a newline")
    written = lines[:-1].split("\n")
    if len(written) > MOST_SIGNATURES:
        raise NoteRejected(f"malformed note: {len(written)} signature lines, expected at most {MOST_SIGNATURES}")
    return tuple(_signature(line) for line in written)


def _signature(line: str) -> Signature:
    found = _LINE.fullmatch(line)
    if found is None:
        raise NoteRejected(f"malformed note: expected '— name base64', got {_short(line)}")
    data = decoded_base64("malformed note: a signature", found[2])
    if len(data) <= _ID_SIZE:
        raise NoteRejected(f"malformed note: a signature of {len(data)} bytes, expected a key id and more")
    return Signature(found[1], data[:_ID_SIZE], data[_ID_SIZE:])


def _cosigned(text: str, timestamp: int) -> bytes:
    """Return the bytes that a cosignature/v1 signs (C2SP tlog-cosignature)."""
    return f"cosignature/v1\ntime {timestamp}\n{text}".encode()


def _key_parts(what: str, text: str) -> tuple[str, str, tuple[SignatureType, bytes]]:
    name, _, rest = text.partition("+")
    key_id, _, written = rest.partition("+")
    if _KEY_ID.fullmatch(key_id) is None:
        raise NoteRejected(f"a {what} is written name+8 hex digits+base64")
    data = _key_data(what, written)
    if data[:1] not in _TYPES:
        raise NoteRejected(f"a {what} of unknown type 0x{data[:1].hex()}, expected 0x01 or 0x04")
    return name, key_id, (_TYPES[data[:1]], data[1:])


def _key_data(what: str, written: str) -> bytes:
    try:
        return decoded_base64(f"a {what}", written)
    except NoteRejected:
        # The message above would show the key, which may be a secret one.
        raise NoteRejected(f"a {what} ends in base64 in its one spelling") from None


def _check_key_id(key: VerifierKey, written: str) -> None:
    if key.key_id.hex() != written:
        raise NoteRejected(f"the key of {key.name} has the id {key.key_id.hex()}, but {written} is written")


def _check_name(name: str) -> None:
    if not name or "+" in name or _CONTROL.search(name) or any(character.isspace() for character in name):
        raise NoteRejected(f"a key's name is not empty and has no spaces, '+' or control characters: {_short(name)}")


def _check_size(what: str, key: bytes) -> None:
    if len(key) != _KEY_SIZE:
        raise NoteRejected(f"a {what} of {len(key)} bytes, expected {_KEY_SIZE}")


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _named(signature: Signature) -> str:
    return f"the signature by {signature.name} {signature.key_id.hex()}"


def _short(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
