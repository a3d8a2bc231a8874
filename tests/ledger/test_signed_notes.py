import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.signed_notes import (
    LATEST_TIMESTAMP,
    MOST_SIGNATURES,
    NoteRejected,
    Signature,
    SignatureType,
    SigningKey,
    VerifierKey,
    note_bytes,
    open_note,
    parse_note,
    parse_signature_lines,
    signed,
    timestamp_of,
)

TEXT = "樟树\n\nthe text has an empty line\n"
KEY = SigningKey.generate("example.gov.cn/ledger", bytes(range(32)))
OTHER = SigningKey.generate("example.com/other", bytes(32))
WITNESS = SigningKey.generate("example.com/witness", b"w" * 32, SignatureType.COSIGNATURE)

# Known answers: the first key pair of RFC 8032 section 7.1, and a key and a note of our own.
SEED_OF_RFC_8032 = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
PUBLIC_KEY_OF_RFC_8032 = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
PRIVATE_TEXT = "PRIVATE+KEY+example.gov.cn/ledger+4d5795c5+AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
VKEY = "example.gov.cn/ledger+4d5795c5+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
NOTE = (
    "one line\n"
    "\n"
    "— example.gov.cn/ledger "
    "TVeVxX1IWArca7JWDzEJzJni1NCAVWGCP/gmmA9P/RpUS5zcUfxa4+rfiykcs2HxZ3i3FxOBu0OXXjoEVVIhr9sVfw0=\n"
).encode()


def changed(data: bytes, old: str, new: str) -> bytes:
    assert data.count(old.encode()) == 1
    return data.replace(old.encode(), new.encode())


def line_of(data: bytes) -> str:
    return data.decode().rpartition("\n\n")[2]


def base64_of(data: bytes) -> str:
    return line_of(data).removesuffix("\n").rpartition(" ")[2]


def test_the_public_key_is_the_one_of_ed25519() -> None:
    assert SigningKey.generate("any", SEED_OF_RFC_8032).verifier.public_key == PUBLIC_KEY_OF_RFC_8032


def test_a_key_and_its_note_are_known() -> None:
    assert SigningKey.parse(PRIVATE_TEXT) == KEY
    assert KEY.text() == PRIVATE_TEXT
    assert KEY.verifier.text() == VKEY
    assert VerifierKey.parse(VKEY) == KEY.verifier
    assert signed("one line\n", [KEY]) == NOTE
    assert open_note(NOTE, [KEY.verifier]).text == "one line\n"


def test_a_secret_is_in_no_representation() -> None:
    assert "seed" not in repr(KEY)
    assert base64.b64encode(KEY.seed).decode() not in repr(KEY)


def test_a_note_is_opened_by_any_of_its_keys() -> None:
    note = signed(TEXT, [KEY, OTHER])
    both = open_note(note, [OTHER.verifier, KEY.verifier])
    assert [one.name for one in both.signatures] == [KEY.name, OTHER.name]
    assert both.unverified == ()
    one = open_note(note, [OTHER.verifier])
    assert ([each.name for each in one.signatures], [each.name for each in one.unverified]) == (
        [OTHER.name],
        [KEY.name],
    )
    assert (one.text, both.text) == (TEXT, TEXT)


def test_a_note_without_a_known_key_is_refused() -> None:
    note = signed(TEXT, [KEY])
    stranger = SigningKey.generate(KEY.name, b"x" * 32).verifier
    for keys in ([], [OTHER.verifier], [stranger]):
        with pytest.raises(NoteRejected, match="no verifiable signatures"):
            open_note(note, keys)


def test_an_invalid_signature_by_a_known_key_is_refused_beside_a_valid_one() -> None:
    note = note_bytes(TEXT, [KEY.sign(TEXT), OTHER.sign("another text\n")])
    with pytest.raises(NoteRejected, match=r"invalid signature: .*example.com/other"):
        open_note(note, [KEY.verifier, OTHER.verifier])
    assert open_note(note, [KEY.verifier]).text == TEXT


def test_keys_that_cannot_be_told_apart_are_refused() -> None:
    with pytest.raises(NoteRejected, match="ambiguous key"):
        open_note(signed(TEXT, [KEY]), [KEY.verifier, KEY.verifier])


def test_a_known_key_signs_once() -> None:
    signature = KEY.sign(TEXT)
    with pytest.raises(NoteRejected, match="stands twice"):
        open_note(note_bytes(TEXT, [signature, signature]), [KEY.verifier])
    # Of unknown keys nothing is said.
    assert open_note(note_bytes(TEXT, [OTHER.sign(TEXT), signature, OTHER.sign(TEXT)]), [KEY.verifier]).text == TEXT


def test_a_hundred_signatures_are_taken_and_not_one_more() -> None:
    strangers = [Signature(f"example.com/{number}", bytes(4), b"?") for number in range(MOST_SIGNATURES)]
    note = note_bytes(TEXT, [KEY.sign(TEXT), *strangers[1:]])
    assert len(open_note(note, [KEY.verifier]).unverified) == MOST_SIGNATURES - 1
    with pytest.raises(NoteRejected, match="101 signature lines"):
        open_note(note + strangers[0].line().encode(), [KEY.verifier])


SIGNED = signed(TEXT, [KEY])
LINE = line_of(SIGNED)
SIGNATURE = base64_of(SIGNED)
UNUSED_BITS = SIGNATURE[:-2] + chr(ord(SIGNATURE[-2]) + 1) + "="
"""The same 68 bytes: the last of its digits holds bits that no byte uses."""

MALFORMED: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "empty line"),
    "text without signatures": (TEXT.encode(), "— name base64"),
    "empty line without signatures": (TEXT.encode() + b"\n", "end in a newline"),
    "trailing data": (SIGNED + b"trailing\n", "— name base64"),
    "trailing newline": (SIGNED + b"\n", "end in a newline"),
    "trailing byte": (SIGNED + b"x", "end in a newline"),
    "no final newline": (SIGNED[:-1], "end in a newline"),
    "no empty line": (b"one line\n" + LINE.encode(), "empty line"),
    "carriage returns": (SIGNED.replace(b"\n", b"\r\n"), r"control character U\+000D"),
    "tabulator": (changed(SIGNED, "the text", "the\ttext"), r"control character U\+0009"),
    "NUL": (changed(SIGNED, "the text", "the\0text"), r"control character U\+0000"),
    "escape": (changed(SIGNED, "the text", "\x1b[1mtext"), r"control character U\+001B"),
    "not UTF-8": (SIGNED.replace("樟".encode(), b"\xe6\xa8"), "not UTF-8"),
    "overlong UTF-8": (b"\xc0\xaf" + SIGNED, "not UTF-8"),
    "surrogate": (b"\xed\xa0\x80" + SIGNED, "not UTF-8"),
    "hyphen for dash": (changed(SIGNED, "— ", "- "), "— name base64"),
    "two spaces": (changed(SIGNED, "— ", "—  "), "— name base64"),
    "space at the end": (SIGNED[:-1] + b" \n", "— name base64"),
    "no name": (changed(SIGNED, f"{KEY.name} ", ""), "— name base64"),
    "name with a plus": (changed(SIGNED, KEY.name, "example+com"), "'\\+'"),
    "name with a wide space": (changed(SIGNED, KEY.name, "example\u3000com"), "spaces"),
    "name with a no-break space": (changed(SIGNED, KEY.name, "example\u00a0com"), "spaces"),
    "no base64": (changed(SIGNED, SIGNATURE, "?" * 92), "is not base64"),
    "base64 without padding": (changed(SIGNED, SIGNATURE, SIGNATURE.rstrip("=")), "is not base64"),
    "base64 with more padding": (changed(SIGNED, SIGNATURE, SIGNATURE + "===="), "is not base64"),
    "base64 for addresses": (changed(SIGNED, SIGNATURE, "-_" + SIGNATURE[2:]), "is not base64"),
    "base64 with unused bits": (changed(SIGNED, SIGNATURE, UNUSED_BITS), "one spelling"),
    "key id alone": (changed(SIGNED, SIGNATURE, base64.b64encode(bytes(4)).decode()), "4 bytes"),
    "shorter signature": (
        changed(SIGNED, SIGNATURE, base64.b64encode(base64.b64decode(SIGNATURE)[:-1]).decode()),
        "63 bytes",
    ),
    "longer signature": (
        changed(SIGNED, SIGNATURE, base64.b64encode(base64.b64decode(SIGNATURE) + b"x").decode()),
        "65 bytes",
    ),
    "wrong key id": (
        changed(SIGNED, SIGNATURE, base64.b64encode(b"1234" + base64.b64decode(SIGNATURE)[4:]).decode()),
        "no verifiable signatures",
    ),
    "wrong name": (changed(SIGNED, KEY.name, "example.gov.cn/1edger"), "no verifiable signatures"),
    "altered text": (changed(SIGNED, "the text", "The text"), "invalid signature"),
    "more text": (b"more\n" + SIGNED, "invalid signature"),
    "too large": (b"x" * 1_000_000 + SIGNED, "at most 1000000"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_note_is_refused(name: str) -> None:
    data, message = MALFORMED[name]
    assert open_note(SIGNED, [KEY.verifier]).text == TEXT
    with pytest.raises(NoteRejected, match=message):
        open_note(data, [KEY.verifier])


def test_unused_bits_would_decode_to_the_same_signature() -> None:
    assert base64.b64decode(UNUSED_BITS) == base64.b64decode(SIGNATURE)


def test_every_flipped_bit_is_refused() -> None:
    note = signed("明账\n1\n", [KEY])
    for bit in range(8 * len(note)):
        altered = bytearray(note)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(NoteRejected):
            open_note(bytes(altered), [KEY.verifier])


lines = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), max_size=8)
texts = st.lists(lines, min_size=1, max_size=4).map(lambda some: "".join(f"{line}\n" for line in some))


@given(texts)
@settings(max_examples=30)
def test_what_is_taken_written_again_gives_the_same_bytes(text: str) -> None:
    data = signed(text, [KEY, OTHER])
    assert note_bytes(*parse_note(data)) == data
    assert open_note(data, [OTHER.verifier, KEY.verifier]).text == text


@given(st.binary(max_size=60), st.integers(0, len(SIGNED)))
@settings(max_examples=30)
def test_bytes_put_into_a_note_never_change_what_it_says(inserted: bytes, at: int) -> None:
    data = SIGNED[:at] + inserted + SIGNED[at:]
    try:
        note = open_note(data, [KEY.verifier])
    except NoteRejected:
        return
    assert note.text == TEXT
    assert note_bytes(*parse_note(data)) == data


@pytest.mark.parametrize("text", ["", "no newline", "two\r\n", "tab\there\n"])
def test_what_cannot_be_a_text_is_not_signed(text: str) -> None:
    with pytest.raises(NoteRejected):
        signed(text, [KEY])


def test_a_note_needs_a_signature() -> None:
    with pytest.raises(NoteRejected):
        signed(TEXT, [])


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u2003b", "a\x00b"])
def test_a_name_that_no_line_can_hold_is_refused(name: str) -> None:
    with pytest.raises(NoteRejected, match="name"):
        SigningKey.generate(name, bytes(32))
    with pytest.raises(NoteRejected, match="name"):
        VerifierKey(name, bytes(32))


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_key_of_another_length_is_refused(size: int) -> None:
    with pytest.raises(NoteRejected, match=f"{size} bytes"):
        SigningKey.generate("any", bytes(size))
    with pytest.raises(NoteRejected, match=f"{size} bytes"):
        VerifierKey("any", bytes(size))


@pytest.mark.parametrize(
    "text",
    [
        "",
        VKEY.upper(),
        f"{VKEY} ",
        f"{VKEY}\n",
        VKEY.replace("+", "-"),
        VKEY.replace("ledger", "1edger"),
        "a+00000000+AQ==",
        "a+00000000+",
        # Type 0x02, ECDSA, is not ours.
        "a+00000000+" + base64.b64encode(b"\x02" + bytes(32)).decode(),
        VKEY[:-1] + "=",
        PRIVATE_TEXT,
    ],
)
def test_what_is_no_verifier_key_is_refused(text: str) -> None:
    with pytest.raises(NoteRejected):
        VerifierKey.parse(text)


@pytest.mark.parametrize(
    "text", ["", VKEY, PRIVATE_TEXT[:-1], f"{PRIVATE_TEXT}\n", PRIVATE_TEXT.replace("ledger", "other")]
)
def test_what_is_no_signing_key_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(NoteRejected) as refused:
        SigningKey.parse(text)
    assert "AQABAgME" not in str(refused.value)


def test_a_key_of_another_type_is_another_key() -> None:
    same_seed = SigningKey.generate(KEY.name, KEY.seed, SignatureType.COSIGNATURE)
    assert same_seed.verifier.public_key == KEY.verifier.public_key
    assert same_seed.verifier.key_id != KEY.verifier.key_id
    assert SigningKey.parse(same_seed.text()) == same_seed
    assert VerifierKey.parse(same_seed.verifier.text()) == same_seed.verifier


def test_a_cosigner_does_not_sign_and_a_signer_does_not_cosign() -> None:
    with pytest.raises(ValueError, match="moment"):
        WITNESS.sign(TEXT)
    with pytest.raises(ValueError, match="no cosignatures"):
        KEY.cosign(TEXT, 1)


@pytest.mark.parametrize("timestamp", [-1, LATEST_TIMESTAMP + 1])
def test_a_cosignature_has_a_moment(timestamp: int) -> None:
    with pytest.raises(ValueError, match="moment"):
        WITNESS.cosign(TEXT, timestamp)


@pytest.mark.parametrize("timestamp", [0, 1679315147, LATEST_TIMESTAMP])
def test_a_cosignature_holds_its_moment(timestamp: int) -> None:
    cosignature = WITNESS.cosign(TEXT, timestamp)
    assert timestamp_of(cosignature) == timestamp
    WITNESS.verifier.verify(TEXT, cosignature)
    assert parse_signature_lines(cosignature.line().encode()) == (cosignature,)


def test_a_moment_beyond_the_latest_is_refused() -> None:
    cosignature = WITNESS.cosign(TEXT, 1)
    later = Signature(cosignature.name, cosignature.key_id, b"\x80" + cosignature.value[1:])
    with pytest.raises(NoteRejected, match="beyond"):
        WITNESS.verifier.verify(TEXT, later)


@pytest.mark.parametrize("data", [b"", b"\n", b"x\n", LINE.encode() + b"\n", LINE.encode()[:-1], b"\xff\n"])
def test_what_are_no_signature_lines_is_refused(data: bytes) -> None:
    with pytest.raises(NoteRejected):
        parse_signature_lines(data)


def test_a_signature_is_checked_by_its_own_key_only() -> None:
    with pytest.raises(NoteRejected, match="is not by the key"):
        OTHER.verifier.verify(TEXT, KEY.sign(TEXT))
