from hypothesis import given, settings
from hypothesis import strategies as st

from projections.searching import contains, folded, searched_text, words_of

TEXTS = st.lists(st.text(alphabet="福城街道通报fcjdＦＣ樟府办字〔2021〕８号Ω ß\u3000ﬁ", max_size=20), max_size=5)


@given(TEXTS, st.text(alphabet="福城街道fＦ8８〔 \u3000", max_size=6))
@settings(max_examples=30)
def test_what_is_found_contains_every_word_as_people_read_it(texts: list[str], asked: str) -> None:
    found = contains(searched_text(texts), words_of(asked))

    assert found == all(any(word in folded(text) for text in texts) for word in asked_words(asked))


def asked_words(asked: str) -> list[str]:
    return [folded(word) for word in asked.replace("\u3000", " ").split()]


@given(st.text(max_size=30), st.data())
@settings(max_examples=30)
def test_every_part_of_a_text_finds_it(text: str, data: st.DataObject) -> None:
    compared = folded(text)
    first = data.draw(st.integers(0, len(compared)))
    last = data.draw(st.integers(first, len(compared)))
    part = compared[first:last]

    # A part of combining characters alone may be written otherwise when it stands by itself.
    if folded(part) == part:
        assert contains(searched_text([text]), words_of(part))


@given(st.text(max_size=30))
@settings(max_examples=30)
def test_folding_twice_is_folding_once(text: str) -> None:
    assert folded(folded(text)) == folded(text)


def test_width_capitals_and_order_make_no_difference() -> None:
    text = searched_text(["宜府办字〔2021〕20号", "ＷＷＷ.Example.gov.cn"])

    assert contains(text, words_of("www.EXAMPLE　〔２０２１〕"))
    assert not contains(text, words_of("2021 2022"))


def test_no_word_is_found_across_two_texts() -> None:
    assert not contains(searched_text(["福城", "街道"]), words_of("福城街道"))


def test_nothing_asked_finds_everything() -> None:
    assert contains(searched_text([]), words_of(" \u3000"))
