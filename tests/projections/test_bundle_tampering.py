"""Bundles that were altered: by anybody, by somebody with another key, and by an operator who holds the right one."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from datetime import date
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.canonical import canonical_bytes
from ledger.signed_notes import SigningKey, signed
from projections.bundles.answering import Asked, answers, year_view
from projections.bundles.entries import ledger_entry
from projections.bundles.format import LARGEST_BUNDLE, framed, sealed_text
from projections.scheme_files import vocabulary
from schemes.reading import read_scheme
from tests.projections.bundles import (
    CODE,
    KEY,
    MAPPER,
    ORIGIN,
    OTHER_KEY,
    TINY,
    UNIT,
    Bundle,
    Files,
    checked,
    contents,
    edited,
    found,
    sealed,
    small_files,
)

VOID_AT = 6
"""The position of the void in the ledger under test."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return small_files(tmp_path_factory.mktemp("ledger"))


def test_a_control_holds(files: Files) -> None:
    for file in (files.unit, files.year, files.older):
        assert found(file) is None
    assert [contents(one)["sheet"]["total"] for one in (files.unit, files.older)] == ["6", "4"]
    assert sealed(contents(files.unit)) == files.unit


# --- by anybody ----------------------------------------------------------------------------------------------------


def test_every_single_bit_flip_is_refused(files: Files) -> None:
    file = bytearray(files.other)
    refused = 0
    for at in range(len(file)):
        for bit in range(8):
            file[at] ^= 1 << bit
            refused += found(bytes(file)) is not None
            file[at] ^= 1 << bit
    assert refused == len(file) * 8
    assert found(bytes(file)) is None


def test_every_beginning_of_a_bundle_is_refused_and_so_is_more_than_one(files: Files) -> None:
    file = files.unit
    assert {found(file[:length]) for length in range(len(file))} == {(1, "bundle-frame")}
    for longer in (file + b"\n", b"\xef\xbb\xbf" + file, file + file, b" " + file):
        finding = found(longer)
        assert finding is not None
        assert finding[0] == 1


@settings(max_examples=60)
@given(changes=st.lists(st.tuples(st.integers(0, 10**6), st.binary(max_size=4)), min_size=1, max_size=4))
def test_random_mutations_are_refused_and_never_raise(files: Files, changes: Sequence[tuple[int, bytes]]) -> None:
    file = bytearray(files.year)
    for at, written in changes:
        place = at % len(file)
        file[place : place + 1] = written
    assert (found(bytes(file)) is None) == (bytes(file) == files.year)


@settings(max_examples=60)
@given(junk=st.binary(max_size=200))
def test_what_is_no_bundle_is_refused_and_never_raises(junk: bytes) -> None:
    for file in (junk, b'{"bundle":' + junk + b',"seal":""}', b'{"bundle":{},"seal":' + junk + b"}"):
        finding = found(file)
        assert finding is not None
        assert finding[0] == 1


def test_a_file_beyond_the_limit_is_refused_unread() -> None:
    assert found(bytes(LARGEST_BUNDLE + 1)) == (1, "bundle-too-large")


def test_the_seal_of_another_key_or_of_another_bundle_is_refused(files: Files) -> None:
    assert found(sealed(contents(files.unit), OTHER_KEY)) == (1, "seal-not-by-key")
    content = canonical_bytes(contents(files.unit), LARGEST_BUNDLE)
    assert found(framed(content, signed("mingzhang/360982\nbundle\nx\n", [KEY]))) == (1, "seal-other-content")
    # Signed by the right key, as every checkpoint is.
    assert found(framed(content, contents(files.unit)["checkpoint"].encode())) == (1, "seal-other-content")
    assert found(framed(content, b"no note")) == (1, "seal-not-by-key")


# --- by an operator who holds the key ------------------------------------------------------------------------------


def _edits(value: Any, keys: Sequence[Any] | None = None) -> Iterator[Callable[[], None]]:
    """Yield functions that each make one edit somewhere in the value, and take it back when called again."""
    for key in keys or (list(value) if isinstance(value, dict) else range(len(value))):
        for other in _others(value[key]):
            yield _setting(value, key, other)
        if isinstance(value[key], dict | list):
            yield from _edits(value[key])


def _setting(value: Any, key: Any, other: Any) -> Callable[[], None]:
    def swap() -> None:
        nonlocal other
        value[key], other = other, value[key]

    return swap


def _others(value: Any) -> list[Any]:
    match value:
        case bool():
            return [not value]
        case int():
            return [value + 1, str(value)]
        case str():
            return [value + "0", None]
        case None:
            return [0]
        case dict():
            more: list[Any] = [value | {"more": 0}]
            return [*more, {name: value[name] for name in list(value)[1:]}] if value else more
        case list():
            return [value[1:], [*value, *value[:1]], value[::-1]] if len(value) > 1 else [[*value, *value], [0]]
        case _:
            pass
    raise TypeError(f"expected a JSON value, got {value!r}")


def _unnoticed(bundle: Bundle, places: Sequence[str]) -> tuple[int, list[Bundle]]:
    """Return how many edits of these members there are, and what those made of them that are not refused."""
    made, unnoticed = 0, []
    original = deepcopy(bundle)
    edits = list(_edits(bundle, places))
    for swap in edits:
        swap()
        if canonical_bytes(bundle, LARGEST_BUNDLE) != canonical_bytes(original, LARGEST_BUNDLE):
            made += 1
            if found(sealed(bundle)) is None:
                unnoticed.append({name: bundle[name] for name in places if bundle[name] != original[name]})
        swap()
    return made, unnoticed


def test_every_edit_of_a_bundle_of_one_unit_is_refused_though_sealed_with_the_right_key(files: Files) -> None:
    """All but the name of the program that made it, which proves nothing."""
    bundle = contents(files.other)
    made, unnoticed = _unnoticed(bundle, list(bundle))
    assert unnoticed == [{"program": bundle["program"] + "0"}]
    assert made > 500


def test_every_edit_of_a_bundle_of_the_whole_year_is_refused_though_sealed_with_the_right_key(files: Files) -> None:
    bundle = contents(files.year)
    # Its sheet and its derivation are held against the entries as those of one unit are.
    made, unnoticed = _unnoticed(bundle, [name for name in bundle if name not in ("program", "sheet", "derivation")])
    assert unnoticed == []
    assert made > 100


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b'"events":', b'"events": ', "bundle-not-canonical"),
        (b'"year":2021}', b'"year":2021,"year":2021}', "bundle-not-canonical"),
        (b'"format":', b'"\\u0066ormat":', "bundle-not-canonical"),
        (b'"year":2021', b'"year":NaN', "bundle-not-canonical"),
        (b'"year":2021', b'"year":2021.0', "bundle-not-canonical"),
        (b'"year":2021', b'"year":1e999', "bundle-not-canonical"),
        (b'"year":2021', b'"year":' + b"9" * 5000, "bundle-not-canonical"),
        (None, b"[" * 100_000 + b"]" * 100_000, "bundle-not-canonical"),
        (None, b'{"a":' * 70 + b"1" + b"}" * 70, "bundle-not-canonical"),
        (None, b"\xff\xfe", "bundle-not-canonical"),
        (None, b'"\\ud800"', "bundle-not-canonical"),
        (None, b'"\\u0000"', "bundle-not-canonical"),
        (None, b"null", "bundle-shape"),
        (None, b"[]", "bundle-shape"),
        (None, b"{}", "bundle-format"),
        (b"bundle/1", b"bundle/2", "bundle-format"),
        (b'"as_of":"2021-12-31"', b'"as_of":"20211231"', "bundle-shape"),
        (b'"known_at":null,"last', b'"known_at":"0001-01-01T00:00:00+23:59","last', "bundle-shape"),
        (b'"known_at":null,"last', b'"known_at":"2021-03-01T00:00:00Z","last', "bundle-shape"),
        (b'"known_at":null,"last', b'"known_at":"2021-03-01","last', "bundle-shape"),
    ],
)
def test_other_writings_are_refused_though_sealed_with_the_right_key(
    files: Files, old: bytes | None, new: bytes, code: str
) -> None:
    content = canonical_bytes(contents(files.unit), LARGEST_BUNDLE)
    assert old is None or old in content
    rewritten = new if old is None else content.replace(old, new, 1)
    file = framed(rewritten, signed(sealed_text(ORIGIN, rewritten), [KEY]))
    assert found(file) == (2, code)


def _event(bundle: Bundle, position: int) -> dict[str, Any]:
    [one] = [one for one in bundle["events"] if one["position"] == position]
    return one  # type: ignore[no-any-return]  # JSON


def _proof_edits() -> dict[str, Callable[[Bundle], object]]:
    return {
        "of another leaf": lambda bundle: _event(bundle, 3).update(proof=_event(bundle, 4)["proof"]),
        "too long": lambda bundle: _event(bundle, 3)["proof"].append("00" * 32),
        "too short": lambda bundle: _event(bundle, 3)["proof"].pop(),
        "missing": lambda bundle: _event(bundle, 3).update(proof=None),
        "beyond the size": lambda bundle: _event(bundle, 6).update(position=8),
        "of other bytes": lambda bundle: _event(bundle, 3).update(state=_event(bundle, 4)["state"]),
        "of a place that another has": lambda bundle: _event(bundle, 3).update(position=4),
    }


@pytest.mark.parametrize("edit", _proof_edits().values(), ids=_proof_edits())
def test_a_proof_that_does_not_fit_is_refused(files: Files, edit: Callable[[Bundle], object]) -> None:
    assert found(edited(files.unit, edit)) == (5, "inclusion-not-proved")


def test_a_hash_of_31_bytes_is_refused(files: Files) -> None:
    assert found(edited(files.unit, lambda bundle: _event(bundle, 3)["proof"].__setitem__(0, "00" * 31))) == (
        2,
        "bundle-shape",
    )


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ([1, 2, 3, 4, 5, 6], "entries-not-whole"),
        ([1, 2, 4, 5, 6, 7], "entries-not-dense"),
        ([1, 2, 3, 4, 5, 6, 7, 7], "entries-not-dense"),
        ([2, 1, 3, 4, 5, 6, 7], "entries-not-dense"),
        ([], "entries-not-whole"),
    ],
)
def test_entries_of_a_whole_year_dropped_doubled_or_swapped_are_refused(
    files: Files, order: list[int], code: str
) -> None:
    def ordered(bundle: Bundle) -> None:
        bundle["events"] = [_event(bundle, position) for position in order]

    assert found(edited(files.year, ordered)) == (5, code)


@pytest.mark.parametrize(
    ("order", "code"),
    [([1, 2, 4, 3, 5, 6, 7], "root-differs"), ([1, 2, 3, 4, 5, 6, 7, 7], "entries-not-whole")],
)
def test_entries_of_a_whole_year_that_are_numbered_anew_are_refused(files: Files, order: list[int], code: str) -> None:
    def ordered(bundle: Bundle) -> None:
        events = enumerate([_event(bundle, position) for position in order], start=1)
        bundle["events"] = [event | {"position": position} for position, event in events]

    assert found(edited(files.year, ordered)) == (5, code)


def test_a_proof_where_all_entries_are_there_is_refused(files: Files) -> None:
    assert found(edited(files.year, lambda bundle: _event(bundle, 7).update(proof=[]))) == (5, "proof-not-needed")


def test_entries_of_one_unit_swapped_or_doubled_are_refused(files: Files) -> None:
    def swapped(bundle: Bundle) -> None:
        bundle["events"][2:4] = bundle["events"][3:1:-1]

    assert found(edited(files.unit, swapped)) == (6, "positions-not-rising")
    doubled = edited(files.unit, lambda bundle: bundle["events"].append(bundle["events"][-1]))
    assert found(doubled) == (6, "positions-not-rising")
    assert found(edited(files.unit, lambda bundle: bundle["events"].pop(2))) == (6, "stream-version")
    assert found(edited(files.unit, lambda bundle: bundle["events"].pop())) == (8, "sheet-differs")


def test_an_older_checkpoint_and_one_of_another_ledger_are_refused(files: Files) -> None:
    older = contents(files.older)["checkpoint"]
    finding = found(edited(files.unit, lambda bundle: bundle.update(checkpoint=older)))
    assert finding == (5, "inclusion-not-proved")
    assert found(edited(files.year, lambda bundle: bundle.update(checkpoint=older))) == (5, "entries-not-whole")
    other = SigningKey.generate("mingzhang/140821", bytes(32))
    head = contents(files.unit)["checkpoint"].partition("\n\n")[0].replace(CODE, "140821") + "\n"
    foreign = signed(head, [other]).decode()
    assert found(edited(files.unit, lambda bundle: bundle.update(checkpoint=foreign))) == (3, "checkpoint-refused")
    moved = edited(files.unit, lambda bundle: bundle.update(checkpoint=foreign), other)
    assert found(moved, key=other.verifier) == (3, "other-ledger")
    misnamed = signed(head, [KEY]).decode()
    assert found(edited(files.unit, lambda bundle: bundle.update(checkpoint=misnamed))) == (3, "checkpoint-refused")


def _recomputed(bundle: Bundle) -> None:
    """State what the entries that are there give, as an operator's own program would."""
    entries = [ledger_entry(one["position"], b64decode(one["state"]), MAPPER) for one in bundle["events"]]
    text = bundle["documents"][0]["text"]
    asked = Asked(2021, UNIT, date(2021, 12, 31), None, bundle["mode"])
    size = int(bundle["checkpoint"].split("\n")[1])
    view = year_view(entries, size, asked, lambda digest: read_scheme(text, digest, vocabulary()), None)
    stated = answers(view, view.unit(UNIT), bundle["mode"])
    bundle |= {"sheet": stated.sheet, "ranking": stated.ranking, "derivation": stated.derivation}


def test_a_void_left_out_is_unknowable_of_one_unit_and_caught_in_the_whole_year(files: Files) -> None:
    def left_out(bundle: Bundle) -> None:
        bundle["events"] = [one for one in bundle["events"] if one["position"] != VOID_AT]
        _recomputed(bundle)

    answer = checked(edited(files.unit, left_out))
    assert answer.proved is not None
    assert answer.proved.total == "4"
    assert "若漏装一条作废或更正，本包看不出来" in answer.unknown[0]
    assert found(edited(files.year, left_out)) == (5, "entries-not-dense")


@pytest.mark.parametrize("mode", ["unit", "year"])
def test_a_score_or_a_sentence_that_the_entries_do_not_give_is_refused(files: Files, mode: str) -> None:
    file = getattr(files, mode)
    assert found(edited(file, lambda bundle: bundle["sheet"].update(total="10"))) == (8, "sheet-differs")

    def told_otherwise(bundle: Bundle) -> None:
        bundle["derivation"]["tree"]["sentence"] = "得10分"

    def ranked_otherwise(bundle: Bundle) -> None:
        bundle["ranking"]["groups"][0]["places"][0]["rank"] = 2

    assert found(edited(file, told_otherwise)) == (9, "derivation-differs")
    if mode == "year":
        assert found(edited(file, ranked_otherwise)) == (8, "ranking-differs")


@pytest.mark.parametrize("mode", ["unit", "year"])
def test_another_scheme_than_the_one_in_force_is_refused(files: Files, mode: str) -> None:
    milder = TINY.replace("each: 2", "each: 1")

    def swapped(bundle: Bundle) -> None:
        bundle["documents"][0]["text"] = milder
        _recomputed(bundle)

    def renamed(bundle: Bundle) -> None:
        swapped(bundle)
        bundle["documents"][0]["digest"] = sha256(milder.encode()).hexdigest()

    file = getattr(files, mode)
    assert found(edited(file, swapped)) == (7, "document-altered")
    assert found(edited(file, renamed)) == (7, "document-missing")
    assert found(edited(file, lambda bundle: bundle.update(documents=bundle["documents"] * 2))) == (
        7,
        "documents-not-named",
    )


def test_base64_with_another_spelling_is_refused(files: Files) -> None:
    def respelled(bundle: Bundle) -> None:
        state = b64decode(bundle["events"][2]["state"])
        bundle["events"][2]["state"] = b64encode(state).decode() + "\n"

    assert found(edited(files.unit, respelled)) == (4, "entry-not-exact")
