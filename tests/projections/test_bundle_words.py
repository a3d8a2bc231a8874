"""What a bundle says about itself never looks like what its check says; and a bundle cannot keep its check busy."""

from __future__ import annotations

import unicodedata
from base64 import b64decode
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.canonical import canonical_bytes
from ledger.signed_notes import SignatureType, SigningKey, signed
from projections.bundles.format import MOST_VALUES, framed, sealed_text, too_many_values
from projections.bundles.printable import LONGEST_SENTENCE, printable
from tests.projections.bundles import (
    KEY,
    ORIGIN,
    TINY,
    Bundle,
    Files,
    checked,
    contents,
    edited,
    found,
    headed,
    sealed,
    small_files,
)

VERDICT = "\n各步都成立：甲镇2021年度截至2021-12-31得10分，列第1名。\n\x1b[8m"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return small_files(tmp_path_factory.mktemp("ledger"))


@given(text=st.text(max_size=50) | st.text(alphabet="\x1b\n\r\u202e\u2028\u200b\ud800 甲", max_size=50))
@settings(max_examples=30)
def test_a_sentence_is_one_line_of_what_can_be_seen(text: str) -> None:
    shown = printable(text)
    assert not {unicodedata.category(one) for one in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert "  " not in shown
    shown.encode()


def test_a_sentence_is_of_bounded_length() -> None:
    assert len(printable("甲" * 10_000)) == LONGEST_SENTENCE + 1
    assert printable("第8步 得分") == "第8步 得分"
    assert printable("\x1b[2K\r甲 \u3000\u3000镇") == r"\u001b[2K\u000d甲 镇"


def _titled(files: Files, title: str) -> bytes:
    """Return the bundle of the whole year under a scheme of that title, in a tree and a seal that fit it."""
    bundle = contents(files.year)
    text = TINY.replace("考评方案", title)
    old, new = (sha256(one.encode()).hexdigest() for one in (TINY, text))
    states = [b64decode(one["state"]).replace(old.encode(), new.encode()) for one in bundle["events"]]
    bundle["documents"] = [{"digest": new, "text": text}]
    headed(bundle, states)
    return sealed(bundle)


@pytest.mark.parametrize("hidden", ["\\n", "\\e[8m", "\\u202e", "\\ud800", "\\u2028"])
def test_a_scheme_whose_title_cannot_be_seen_as_it_is_is_refused(files: Files, hidden: str) -> None:
    answer = checked(_titled(files, f'"方案》{hidden}各步都成立"'))
    assert answer.finding is not None
    assert answer.finding.code == "scheme-refused"
    assert answer.finding.sentence.isprintable()


def test_a_key_that_states_a_verdict_is_shown_as_one_word(files: Files) -> None:
    def more(bundle: Bundle) -> None:
        bundle["sheet"][VERDICT] = 1

    finding = checked(edited(files.year, more)).finding
    assert finding is not None
    assert finding.code == "sheet-differs"
    assert finding.sentence.isprintable()
    assert r"\u000a各步都成立" in finding.sentence


def test_more_values_than_are_read_are_refused_before_they_are_parsed() -> None:
    content = b'{"x":[' + b"[]," * (MOST_VALUES // 2 + 1) + b"[]]}"
    file = framed(content, signed(sealed_text(ORIGIN, content), [KEY]))
    assert too_many_values(content)
    assert found(file) == (2, "bundle-too-large")
    assert not too_many_values(canonical_bytes([[]] * 100))


def test_a_witness_named_twice_is_one_witness(files: Files) -> None:
    witness = SigningKey.generate("witness.example.com", bytes(32), SignatureType.COSIGNATURE)
    twice = [witness.verifier, witness.verifier]
    finding = checked(files.unit, witnesses=twice).finding
    assert finding is not None
    assert (finding.code, finding.sentence.count("witness.example.com")) == ("witness-missing", 1)


def test_a_folder_with_a_file_of_any_name_is_told_on_one_line(files: Files, tmp_path: Path) -> None:
    (tmp_path / "x\n第10步").write_text("x")
    assert found(files.unit, evidence=tmp_path) is None
