"""Names found by what is quickly typed."""

from __future__ import annotations

import pytest

from api.pages.pinyin import initials, matches, readings


@pytest.mark.parametrize("typed", ["fcjd", "福城", "fucheng", "fuchengjd", "FCJD", "cjd", "街道", "福c", "f", "  ", ""])
def test_a_unit_is_found_by_characters_initials_and_pinyin(typed: str) -> None:
    assert matches("福城街道", typed)


@pytest.mark.parametrize("typed", ["fjd", "xcjd", "fcjdx", "城福", "hengj"])
def test_another_is_not(typed: str) -> None:
    assert not matches("福城街道", typed)


def test_a_character_of_several_readings_is_found_as_it_reads_within_the_name_and_by_itself() -> None:
    assert matches("重庆路", "cql")
    assert matches("重庆路", "zql")
    assert readings("重庆") == (("chong", "zhong"), ("qing",))


def test_letters_digits_and_punctuation_within_names_are_typed_or_left_out() -> None:
    assert initials("经开区（A3）") == "jkqa3"
    assert matches("经开区（A3）", "jkqa3")
    assert matches("经开区（A3）", "（A3）")
