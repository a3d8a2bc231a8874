"""Making a bundle from a ledger: choosing its entries, proving them, and sealing what they come to.

A bundle is only given away when its own entries, read from their bytes, give the very answers that the ledger gives;
`projections.bundles.selection` says which entries one of a single unit holds.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Final

from ledger.application import LedgerApplication
from ledger.canonical import JsonProblem
from ledger.checkpoints import Checkpoint, parse_checkpoint
from ledger.event_bytes import EventMapper, written_moment
from ledger.events import SchemeReference
from ledger.rejection import rejected
from ledger.signed_notes import parse_note
from ledger.signing import LedgerProofs
from projections.bundles.answering import (
    Answers,
    Asked,
    answers,
    assumed_grades,
    first_difference,
    last_close,
    year_view,
)
from projections.bundles.entries import LedgerEntry, evidence_named, ledger_entry
from projections.bundles.format import (
    FORMAT,
    LARGEST_BUNDLE,
    MOST_VALUES,
    Bundle,
    BundledDocument,
    BundledEvent,
    LastGradeAssumed,
    Mode,
    bundle_content,
    framed,
    sealed_text,
    too_many_values,
)
from projections.bundles.selection import entries_for
from projections.bundles.verifying import PROGRAM
from projections.jurisdictions import Jurisdictions
from projections.years import YearView

_PAGE: Final = 5_000


def make_bundle(
    jurisdictions: Jurisdictions,
    proofs: LedgerProofs,
    code: str,
    year: int,
    name: str,
    as_of: date | None = None,
    known_at: datetime | None = None,
    mode: Mode = "unit",
) -> bytes:
    """Return the file that proves the score of the unit of that name, as of the day and as known at the moment.

    Signs a checkpoint of the present ledger first. Raises Rejection: what a view of the year refuses, what
    `LedgerProofs.checkpoint` refuses, `ledger-damaged`, `bundle-not-reproducible` and `bundle-too-large`.
    """
    known_at = None if known_at is None else known_at.astimezone(UTC)
    view = jurisdictions.view(code, year, as_of, known_at)
    unit = view.unit(name)
    # 1. The head that everything is proved against, and the year as it stands there.
    note = proofs.checkpoint()
    checkpoint = parse_checkpoint(parse_note(note)[0])
    view = jurisdictions.view(code, year, as_of, known_at, checkpoint.size)
    asked = Asked(year, unit.key, view.as_of, known_at, mode)
    # 2. The entries, chosen from all of the ledger.
    entries = _all_entries(jurisdictions.ledger(code), checkpoint.size)
    chosen = entries_for(entries, year, unit, view.scheme) if mode == "unit" else entries
    # 3. The answers, which the chosen entries alone must give too.
    assumed = _assumed(view, unit.key) if mode == "unit" else None
    _, scheme = view.state.opened()
    stated = _reproduced(jurisdictions, code, view, chosen, checkpoint.size, asked, assumed)
    # 4. The file.
    bundle = Bundle(
        format=FORMAT,
        program=PROGRAM,
        jurisdiction=code,
        year=year,
        unit=unit.key,
        as_of=view.as_of.isoformat(),
        known_at=None if known_at is None else written_moment(known_at),
        mode=mode,
        checkpoint=note.decode(),
        events=_proved(proofs, chosen, checkpoint, mode),
        documents=_documents(jurisdictions, code, scheme, chosen, asked),
        evidence=evidence_named(chosen),
        last_grade=assumed,
        sheet=stated.sheet,
        ranking=stated.ranking,
        derivation=stated.derivation,
    )
    try:
        content = bundle_content(bundle)
    except JsonProblem as problem:
        raise rejected("bundle-too-large", "mode", f"{problem.message}; ask for the unit alone") from None
    if too_many_values(content):
        raise rejected("bundle-too-large", "mode", f"more than {MOST_VALUES} values; ask for the unit alone")
    file = framed(content, proofs.sealed(sealed_text(proofs.origin, content)))
    if len(file) > LARGEST_BUNDLE:
        message = f"{len(file)} bytes, expected at most {LARGEST_BUNDLE}; ask for the unit alone"
        raise rejected("bundle-too-large", "mode", message)
    return file


def _all_entries(application: LedgerApplication, size: int) -> list[LedgerEntry]:
    mapper, found = EventMapper(application.code), list[LedgerEntry]()
    for first in range(1, size + 1, _PAGE):
        for one in application.ledger_recorder.select_notifications(first, _PAGE, size):
            try:
                found.append(ledger_entry(one.id, one.state, mapper))
            except ValueError as error:
                message = f"the event at position {one.id} of ledger {application.code}: {error}; restore a backup"
                raise rejected("ledger-damaged", f"position {one.id}", message) from None
    return found


def _assumed(view: YearView, unit: str) -> LastGradeAssumed | None:
    """Return the unit's frozen grade of the year before, where a row of its group looks at last year's grade."""
    group = view.scheme.group(view.state.units[unit].group)
    rules = (rule.effect for row in (group.indicators if group else ()) for rule in row.rules)
    frozen = (fact for fact in view.facts if fact.unit == unit and fact.kind == "prior_grade" and fact.sources)
    fact = next(frozen, None)
    if fact is None or "prior_grade" not in rules:
        return None
    return LastGradeAssumed(year=view.state.year - 1, grade=str(fact.attributes["grade"]))


def _reproduced(
    jurisdictions: Jurisdictions,
    code: str,
    view: YearView,
    chosen: Sequence[LedgerEntry],
    size: int,
    asked: Asked,
    assumed: LastGradeAssumed | None,
) -> Answers:
    """Return the answers that the chosen entries give; refuses where the ledger gives others."""
    if asked.mode == "unit":
        grades = assumed_grades(asked.unit, assumed)
    else:
        close = last_close(chosen, asked)
        grades = None if close is None else jurisdictions.frozen(code, close.sheets).grades
    alone = year_view(chosen, size, asked, lambda digest: jurisdictions.scheme(code, digest), grades)
    stated = answers(alone, alone.unit(asked.unit), asked.mode)
    whole = answers(view, view.unit(asked.unit), asked.mode)
    for one, other in zip(stated, whole, strict=True):
        found = first_difference(one, other)
        if found is not None:
            message = f"the entries of the bundle alone give another answer than the ledger ({found})"
            what_to_do = "ask for all entries of the year" if asked.mode == "unit" else "compare and rebuild the facts"
            raise rejected("bundle-not-reproducible", "mode", f"{message}; {what_to_do}")
    return stated


def _proved(
    proofs: LedgerProofs, chosen: Sequence[LedgerEntry], checkpoint: Checkpoint, mode: Mode
) -> list[BundledEvent]:
    found = []
    for one in chosen:
        proof = None
        if mode == "unit":
            proof = [value.hex() for value in proofs.inclusion(one.position, checkpoint.size)]
        found.append(BundledEvent(position=one.position, state=b64encode(one.state).decode(), proof=proof))
    return found


def _documents(
    jurisdictions: Jurisdictions, code: str, scheme: SchemeReference, chosen: Sequence[LedgerEntry], asked: Asked
) -> list[BundledDocument]:
    """Return the scheme in force, and what last year's close froze where that is not assumed."""
    close = last_close(chosen, asked) if asked.mode == "year" else None
    digests = [scheme.digest, *([close.sheets] if close else [])]
    return [BundledDocument(digest=digest, text=jurisdictions.document(code, digest).decode()) for digest in digests]
