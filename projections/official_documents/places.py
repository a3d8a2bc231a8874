"""Where the clauses of a scheme version stand in its official document, when one is registered and can be read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from ledger.events import SchemeReference
from ledger.rejection import Rejection, rejected
from projections.answer_models import ClauseAnswer, ClausePlaceAnswer
from projections.jurisdictions import Jurisdictions
from projections.official_documents.clauses import locate
from projections.official_documents.pages import Page, pages
from schemes.scheme import Indicator, Output, Scheme, Veto

_UNQUOTABLE: Final = frozenset(
    {"unknown-document", "document-broken", "document-encrypted", "document-not-text", "document-too-long"}
)
"""Why no words can be quoted: what is shown is complete without them."""
_CACHED_DOCUMENTS: Final = 8

Founded = Indicator | Veto | Output
"""What rests on a clause of the document."""


def clause_answers(
    jurisdictions: Jurisdictions, code: str, version: SchemeReference, rows: Iterable[Founded]
) -> list[ClauseAnswer]:
    """Return the clause of each row, with its place and words in the document registered for the version."""
    title, document = _document(jurisdictions, code, version)
    return [_clause(row, title, document) for row in rows]


def founded_on_clause(scheme: Scheme, group: str, identifier: str) -> Founded:
    """Return the row of the group, or the veto or reported figure of the scheme, of that id; refuses any other."""
    found = scheme.group(group)
    if found is None:
        known = ", ".join(one.id for one in scheme.groups)
        raise rejected("unknown-group", "group", f"found {group!r}, expected one of {known}")
    everything: tuple[Founded, ...] = (*found.indicators, *scheme.vetoes, *scheme.outputs)
    founded = next((one for one in everything if one.id == identifier), None)
    if founded is None:
        known = ", ".join(one.id for one in everything)
        raise rejected("unknown-indicator", "indicator", f"found {identifier!r}, expected one of {known}")
    return founded


def _clause(row: Founded, title: str | None, document: Sequence[Page]) -> ClauseAnswer:
    titles = [row.title] if isinstance(row, Veto) else list(row.titles)
    place = locate(document, row.clause, titles) if document else None
    return ClauseAnswer(
        indicator=row.id,
        titles=titles,
        clause=row.clause,
        document=title,
        place=None if place is None else ClausePlaceAnswer(**place._asdict()),
    )


def _document(jurisdictions: Jurisdictions, code: str, version: SchemeReference) -> tuple[str | None, Sequence[Page]]:
    try:
        found = jurisdictions.official_document(code, version.id, version.version)
        return found.title, _pages(found.content, found.media_type)
    except Rejection as rejection:
        if all(refusal.code in _UNQUOTABLE for refusal in rejection.refusals):
            return None, ()
        raise


@lru_cache(maxsize=_CACHED_DOCUMENTS)
def _pages(content: bytes, media_type: str) -> Sequence[Page]:
    """Reading a long PDF takes seconds, and each row of a sheet asks for its clause."""
    return pages(content, media_type)
