"""What makes two requests under one key the same request."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ledger.appending import _digest

PARTS = st.lists(st.text(alphabet="a0\n:1", max_size=4), max_size=4)


@given(PARTS, PARTS)
def test_only_the_same_parts_have_the_same_digest(one: list[str], other: list[str]) -> None:
    assert (_digest(one) == _digest(other)) == (one == other)


def test_a_line_end_inside_a_text_parts_nothing() -> None:
    assert len({_digest(wish) for wish in (["撤并\n并入"], ["撤并", "并入"], ["撤并", "", "并入"], [])}) == 4
