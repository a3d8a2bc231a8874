from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.access.names import LONGEST_NAME, checked_name, composed, likeness
from ledger.rejection import Rejection


@pytest.mark.parametrize(
    "name", ["a", "王", "zhang.wei", "登记员-2", "Wang_Xiaoming", "9", "𠮷田", "王" * LONGEST_NAME]
)
def test_latin_letters_chinese_characters_and_digits_make_names(name: str) -> None:
    assert checked_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "zhang wei",
        ".",
        "..",
        "-recorder",
        "recorder.",
        "../admin",
        "a/b",
        "a\\b",
        "<b>",
        "x" * (LONGEST_NAME + 1),
        "x" * 100_000,
        "recorder\0",
        "recorder\n",
        "recorder\u200b",  # zero-width space
        "rec\u00adorder",  # soft hyphen
        "\u202erecorder",  # right-to-left override
        "recorder\u2066",  # isolate
        "王\ufe00",  # variation selector
        "王\U000e0100",
        "аdmin",  # Cyrillic a
        "admın",  # dotless i
        "αdmin",  # Greek
        "ａｄｍｉｎ",  # full width
        "登记员２",  # full-width digit
        "٣",  # Arabic digit
        "⼤",  # Kangxi radical
        "caf\u00e9",
        "a\u0308",
        "👤",
        "\ud800",
        "\U0002a6e0",  # unassigned between two blocks of characters
        "\ue000",  # private use
    ],
)
def test_whatever_could_be_taken_for_something_else_is_no_name(name: str) -> None:
    with pytest.raises(Rejection, match="account-name-form"):
        checked_name(name)


def test_a_compatibility_character_is_the_character_it_stands_for() -> None:
    assert checked_name("\uf96f") == "\u8aaa"


@pytest.mark.parametrize("name", ["command-line", "Command-Line", "server", "anonymous", "Unident1fied"])
def test_actors_that_are_no_accounts_keep_their_names(name: str) -> None:
    with pytest.raises(Rejection, match="account-name-reserved"):
        checked_name(name)


@pytest.mark.parametrize(
    ("one", "other"), [("admin", "ADMIN"), ("admin", "adm1n"), ("lily", "Iily"), ("leo", "Le0"), ("il1", "1LI")]
)
def test_names_that_look_alike_have_one_likeness(one: str, other: str) -> None:
    assert likeness(one) == likeness(other)


@given(st.text(max_size=70))
@settings(max_examples=30)
def test_a_name_is_kept_as_it_is_found_again(text: str) -> None:
    kept = composed(text)
    assert kept is None or composed(kept) == kept
