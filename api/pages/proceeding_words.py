"""What appeals, claims and proposals are about, as phrases; `api.proceeding_labels` has the words for their parts."""

from __future__ import annotations

from ledger.events import Changes
from projections.answer_models import ReadingAnswer
from projections.scheme_files import vocabulary
from projections.sentences import scheme_words
from schemes.scheme import Scheme
from schemes.vocabulary import Vocabulary


def words_of(scheme: Scheme | None) -> Vocabulary:
    """Return the words that facts of the year are told in."""
    return vocabulary() if scheme is None else scheme_words(scheme)


def changed_reading(reading: ReadingAnswer, changes: Changes, words: Vocabulary) -> ReadingAnswer:
    """Return how an observation would read with the changes."""
    changed = {name: value for name, value in changes if value is not None}
    if changes.kind is not None:
        changed["label"] = words.kinds[changes.kind].label
    return reading.model_copy(update=changed)
