import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.checkpoints import (
    LARGEST_SIZE,
    Checkpoint,
    Cosignature,
    cosigned,
    open_checkpoint,
    open_cosigned,
    parse_checkpoint,
)
from ledger.merkle import EMPTY_ROOT, leaf_hash
from ledger.signed_notes import (
    NoteRejected,
    Signature,
    SignatureType,
    SigningKey,
    VerifierKey,
    note_bytes,
    parse_note,
    signed,
)

KEY = SigningKey.generate("mingzhang/360982", bytes(range(32)))
WITNESS = SigningKey.generate("example.com/witness", b"w" * 32, SignatureType.COSIGNATURE)
SECOND = SigningKey.generate("example.com/second", b"2" * 32, SignatureType.COSIGNATURE)
HEAD = Checkpoint("mingzhang/360982", 15, leaf_hash(b"known"))
NOTE = signed(HEAD.text(), [KEY])
AT = 1_679_315_147

# The golden text of Go's tlog package: 123456789012 leaves, whose root is the leaf hash of 'hello world'.
GOLDEN = "go.sum database tree\n123456789012\nTszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0=\n"
KNOWN_NOTE = (
    "mingzhang/360982\n"
    "15\n"
    "VCDq9g/FGC9HbBygYx2c/RuAof9pOvr4Q66njcjOWyI=\n"
    "\n"
    "— mingzhang/360982 "
    "wff0aL4Bn71+X6/kI+sgMZSeYIS2Z1dMxA0zDUodk23PW5vB4ZHQd8pvBRBo"
    "4+mVSrINaEF+DpCRps2wNoAwNLYD4gU=\n"
)
KNOWN_COSIGNATURE = (
    "— example.com/witness "
    "wmcRNQAAAABkGFDLTMvobJugCtdske1cxGVQ6vpyZbsoKznpUuEjx0me2dUE"
    "nq7toiexNkhdc57/hPl+8KwSQvFtc+e27nFxTMBdAg==\n"
)


def test_the_text_of_a_checkpoint_is_known() -> None:
    checkpoint = Checkpoint("go.sum database tree", 123_456_789_012, leaf_hash(b"hello world"))
    assert checkpoint.text() == GOLDEN
    assert parse_checkpoint(GOLDEN) == checkpoint


def test_a_signed_and_cosigned_checkpoint_is_known() -> None:
    assert NOTE.decode() == KNOWN_NOTE
    assert cosigned(NOTE, KEY.verifier, WITNESS, AT).decode() == KNOWN_NOTE + KNOWN_COSIGNATURE


def test_the_head_of_an_empty_ledger_is_a_checkpoint() -> None:
    empty = Checkpoint("mingzhang/360982", 0, EMPTY_ROOT)
    assert parse_checkpoint(empty.text()) == empty


lines = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1, max_size=8)
checkpoints = st.builds(
    Checkpoint,
    lines,
    st.integers(0, LARGEST_SIZE),
    st.binary(min_size=32, max_size=32),
    st.lists(lines, max_size=2).map(tuple),
)


@given(checkpoints)
@settings(max_examples=30)
def test_a_checkpoint_survives_its_text(checkpoint: Checkpoint) -> None:
    assert parse_checkpoint(checkpoint.text()) == checkpoint


ORIGIN, SIZE, ROOT, _ = HEAD.text().split("\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "three lines"),
        ("\n", "three lines"),
        (f"{ORIGIN}\n{SIZE}\n", "three lines"),
        (f"{ORIGIN}\n{SIZE}\n{ROOT}", "newline"),
        (f"{ORIGIN}\n{SIZE}\n{ROOT}\n ", "newline"),
        (f"\n{SIZE}\n{ROOT}\n", "origin"),
        (f"a\tb\n{SIZE}\n{ROOT}\n", "origin"),
        (f"{ORIGIN}\r\n{SIZE}\r\n{ROOT}\r\n", "size"),
        (f"{ORIGIN}\n015\n{ROOT}\n", "leading zeros"),
        (f"{ORIGIN}\n00\n{ROOT}\n", "leading zeros"),
        (f"{ORIGIN}\n-15\n{ROOT}\n", "size"),
        (f"{ORIGIN}\n+15\n{ROOT}\n", "size"),
        (f"{ORIGIN}\n\n{ROOT}\n", "size"),
        (f"{ORIGIN}\n15 \n{ROOT}\n", "size"),
        (f"{ORIGIN}\n1e3\n{ROOT}\n", "size"),
        (f"{ORIGIN}\n0xf\n{ROOT}\n", "size"),
        (f"{ORIGIN}\n1_5\n{ROOT}\n", "size"),
        (f"{ORIGIN}\n１５\n{ROOT}\n", "size"),
        (f"{ORIGIN}\n{2**63}\n{ROOT}\n", "9223372036854775807"),
        (f"{ORIGIN}\n{2**64}\n{ROOT}\n", "size"),
        (f"{ORIGIN}\n{'9' * 5000}\n{ROOT}\n", "size"),
        (f"{ORIGIN}\n{SIZE}\n\n", "0 bytes"),
        (f"{ORIGIN}\n{SIZE}\n{ROOT[:-4]}\n", "base64|30 bytes"),
        (f"{ORIGIN}\n{SIZE}\n{'A' * 40}AA==\n", "31 bytes"),
        (f"{ORIGIN}\n{SIZE}\n{'A' * 44}\n", "33 bytes"),
        (f"{ORIGIN}\n{SIZE}\n{'A' * 42}B=\n", "one spelling"),
        (f"{ORIGIN}\n{SIZE}\n{ROOT.rstrip('=')}\n", "base64"),
        (f"{ORIGIN}\n{SIZE}\n {ROOT}\n", "base64"),
        (f"{ORIGIN}\n{SIZE}\n{ROOT}\n\n", "further line"),
        (f"{ORIGIN}\n{SIZE}\n{ROOT}\n\nmore\n", "further line"),
        (f"{ORIGIN}\n{SIZE}\n{ROOT}\nmo\0re\n", "further line"),
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str, message: str) -> None:
    with pytest.raises(NoteRejected, match=message):
        parse_checkpoint(text)


@pytest.mark.parametrize(
    ("origin", "size", "root", "extensions"),
    [
        ("", 1, bytes(32), ()),
        ("two\nlines", 1, bytes(32), ()),
        ("any", -1, bytes(32), ()),
        ("any", 2**63, bytes(32), ()),
        ("any", 1, bytes(31), ()),
        ("any", 1, bytes(33), ()),
        ("any", 1, bytes(32), ("",)),
        ("any", 1, bytes(32), ("one\ntwo",)),
    ],
)
def test_no_checkpoint_is_made_that_could_not_be_read(
    origin: str, size: int, root: bytes, extensions: tuple[str, ...]
) -> None:
    with pytest.raises(NoteRejected):
        Checkpoint(origin, size, root, extensions)


def test_the_ledgers_key_opens_its_checkpoint() -> None:
    assert open_checkpoint(NOTE, KEY.verifier) == HEAD


def test_a_checkpoint_of_another_origin_is_refused_though_its_signature_is_good() -> None:
    foreign = Checkpoint("mingzhang/341821", HEAD.size, HEAD.root)
    with pytest.raises(NoteRejected, match="expected one of 'mingzhang/360982'"):
        open_checkpoint(signed(foreign.text(), [KEY]), KEY.verifier)


def test_a_note_that_is_no_checkpoint_is_refused_though_its_signature_is_good() -> None:
    with pytest.raises(NoteRejected, match="three lines"):
        open_checkpoint(signed("mingzhang/360982\n15\n", [KEY]), KEY.verifier)


def test_another_key_of_the_same_name_is_refused() -> None:
    with pytest.raises(NoteRejected, match="no verifiable signatures"):
        open_checkpoint(NOTE, SigningKey.generate(KEY.name, bytes(32)).verifier)


def test_a_checkpoint_shows_who_cosigned_it() -> None:
    note = cosigned(cosigned(NOTE, KEY.verifier, WITNESS, AT), KEY.verifier, SECOND, AT + 60)
    assert open_checkpoint(note, KEY.verifier) == HEAD
    witnesses = [WITNESS.verifier, SECOND.verifier]
    assert open_cosigned(note, KEY.verifier, witnesses) == (
        HEAD,
        (Cosignature(WITNESS.verifier, AT), Cosignature(SECOND.verifier, AT + 60)),
    )
    assert open_cosigned(NOTE, KEY.verifier, witnesses) == (HEAD, ())


def test_a_witness_cosigns_again_in_place_of_its_earlier_word() -> None:
    note = cosigned(cosigned(NOTE, KEY.verifier, WITNESS, AT), KEY.verifier, WITNESS, AT + 1)
    assert note == cosigned(NOTE, KEY.verifier, WITNESS, AT + 1)


def test_the_words_of_others_stay_when_a_witness_cosigns() -> None:
    note = cosigned(cosigned(NOTE, KEY.verifier, SECOND, AT), KEY.verifier, WITNESS, AT)
    assert [one.name for one in parse_note(note)[1]] == [KEY.name, SECOND.name, WITNESS.name]


def test_a_cosignature_is_bound_to_its_moment() -> None:
    text, (own, cosignature) = parse_note(cosigned(NOTE, KEY.verifier, WITNESS, AT))
    later = (AT + 1).to_bytes(8) + cosignature.value[8:]
    note = note_bytes(text, [own, Signature(cosignature.name, cosignature.key_id, later)])
    assert open_checkpoint(note, KEY.verifier) == HEAD
    with pytest.raises(NoteRejected, match="invalid signature"):
        open_cosigned(note, KEY.verifier, [WITNESS.verifier])


def test_a_cosignature_is_bound_to_its_checkpoint() -> None:
    _, (_, cosignature) = parse_note(cosigned(NOTE, KEY.verifier, WITNESS, AT))
    larger = Checkpoint(HEAD.origin, 16, HEAD.root).text()
    with pytest.raises(NoteRejected, match="invalid signature"):
        open_cosigned(note_bytes(larger, [KEY.sign(larger), cosignature]), KEY.verifier, [WITNESS.verifier])


def test_a_cosignature_alone_makes_no_checkpoint() -> None:
    text, (_, cosignature) = parse_note(cosigned(NOTE, KEY.verifier, WITNESS, AT))
    with pytest.raises(NoteRejected, match="not signed by mingzhang/360982"):
        open_cosigned(note_bytes(text, [cosignature]), KEY.verifier, [WITNESS.verifier])


def test_what_the_ledger_has_not_signed_is_not_cosigned() -> None:
    stranger = SigningKey.generate(KEY.name, bytes(32))
    with pytest.raises(NoteRejected, match="no verifiable signatures"):
        cosigned(signed(HEAD.text(), [stranger]), KEY.verifier, WITNESS, AT)
    with pytest.raises(NoteRejected, match="three lines"):
        cosigned(signed("no checkpoint\n", [KEY]), KEY.verifier, WITNESS, AT)


def test_the_signature_of_a_ledger_is_no_cosignature() -> None:
    # The same seed under the other type: its signature of the text has no moment.
    confused = VerifierKey(KEY.name, KEY.verifier.public_key, SignatureType.COSIGNATURE)
    relabelled = Signature(KEY.name, confused.key_id, KEY.sign(HEAD.text()).value)
    with pytest.raises(NoteRejected, match="64 bytes, 72 make a cosignature"):
        confused.verify(HEAD.text(), relabelled)
