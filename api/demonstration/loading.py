"""Loading the demonstration into a database: each county's year opened and its entries recorded, once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from itertools import groupby
from uuid import UUID

from api.demonstration.evidence_files import demo_file, store_files
from api.demonstration.generator import DemoEntry, entries
from api.demonstration.issues import office_opens, working_days_after
from api.demonstration.plan import plan_of
from api.settings import Settings
from ledger.application import LedgerApplication
from ledger.commands import Amend, Attempt, Observe, Rectify, Void
from projections.jurisdictions import Jurisdictions, scheme_units, scheme_version
from projections.scheme_files import shipped, source

ACTOR = "演示数据"

Progress = Callable[[str, int, int], None]
"""Told after each append: the county, how many of its entries are recorded, and how many there are."""


def load(jurisdictions: Jurisdictions, settings: Settings, progress: Progress) -> None:
    """Record the year of every shipped scheme's county, its evidence first; what is there already stays as it is.

    Raises `Rejection` when a year is open under another scheme, or a key holds something else: the database then has a
    demonstration of another version of this program, and a fresh one is needed.
    """
    for scheme_id in shipped():
        _load_county(jurisdictions, settings, scheme_id, progress)


def _load_county(jurisdictions: Jurisdictions, settings: Settings, scheme_id: str, progress: Progress) -> None:
    scheme, version = scheme_version(source(scheme_id), f"{scheme_id}.yaml")
    ledger = jurisdictions.ledger(scheme.jurisdiction.code)
    opens = office_opens(working_days_after(date(scheme.year, 1, 1), 0))
    opening = Attempt(ACTOR, opens, f"demonstration/{scheme.id}/open")
    ledger.open_year(opening, scheme.year, version, scheme_units(scheme))
    year = entries(scheme)
    papers = [paper for entry in year for paper in entry.command.evidence if paper.file is not None]
    host = plan_of(scheme.id).host
    files = {paper.title: demo_file(host, paper.title) for paper in papers}
    store_files(jurisdictions.engine, settings, ledger.code, files.values(), ACTOR, opens)
    recorded = 0
    for _, together in groupby(year, key=lambda entry: entry.key):
        recorded += _record(ledger, scheme.year, list(together))
        progress(scheme.jurisdiction.name, recorded, len(year))


def _record(ledger: LedgerApplication, year: int, together: Sequence[DemoEntry]) -> int:
    """Record one append and return how many entries it held."""
    first = together[0]
    attempt = Attempt(first.actor, first.recorded_at, first.key)
    match first.command:
        case Observe():
            ledger.observe(attempt, year, [entry.command for entry in together if isinstance(entry.command, Observe)])
        case Amend():
            ledger.amend(attempt, _observation(ledger, first), first.command)
        case Void():
            ledger.void(attempt, _observation(ledger, first), first.command)
        case Rectify():
            ledger.rectify(attempt, _observation(ledger, first), first.command)
    return len(together)


def _observation(ledger: LedgerApplication, entry: DemoEntry) -> UUID:
    if entry.about is None:
        raise ValueError(f"expected a reference to an observation in entry {entry.key}")
    return ledger.stream("observation", entry.about.key, entry.about.place)
