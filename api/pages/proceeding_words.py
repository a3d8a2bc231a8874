"""What appeals, claims and proposals are about, as phrases; `api.proceeding_labels` has the words for their parts."""

from __future__ import annotations

from ledger.events import Changes
from projections.answer_models import ReadingAnswer
from projections.scheme_files import vocabulary
from schemes.fact import Fact
from schemes.scheme import Scheme
from schemes.vocabulary import Vocabulary
from schemes.wording import fact_phrase


def words_of(scheme: Scheme | None) -> Vocabulary:
    """Return the words that facts of the year are told in."""
    return vocabulary() if scheme is None else vocabulary().extended(scheme.items)


def reading_phrase(reading: ReadingAnswer, words: Vocabulary) -> str:
    """Return what an observation says as a phrase: 2021年3月29日 被通报（设区市级，政务新媒体，季度）1次."""
    values = words.typed(reading.kind, reading.attributes)
    return fact_phrase(Fact("", 0, reading.unit, reading.kind, reading.occurred_on, reading.count, values), words)


def changed_reading(reading: ReadingAnswer, changes: Changes, words: Vocabulary) -> ReadingAnswer:
    """Return how an observation would read with the changes."""
    changed = {name: value for name, value in changes if value is not None}
    if changes.kind is not None:
        changed["label"] = words.kinds[changes.kind].label
    return reading.model_copy(update=changed)
