"""Facts and readings in Chinese, in the words of a scheme: one way for pages, papers, workbooks and documents."""

from __future__ import annotations

from projections.answer_models import FactAnswer, ReadingAnswer
from projections.scheme_files import vocabulary
from schemes.fact import Fact
from schemes.scheme import Scheme
from schemes.vocabulary import Vocabulary
from schemes.wording import fact_phrase


def scheme_words(scheme: Scheme) -> Vocabulary:
    """Return the words that facts are told in under the scheme: the vocabulary with the scheme's own items."""
    return vocabulary().extended(scheme.items)


def reading_phrase(said: FactAnswer | ReadingAnswer, words: Vocabulary) -> str:
    """Return what is said as a phrase, its day first: 2021年3月29日 被通报（设区市级，政务新媒体，季度）1次."""
    values = words.typed(said.kind, said.attributes)
    return fact_phrase(Fact("", 0, "", said.kind, said.occurred_on, said.count, values), words)
