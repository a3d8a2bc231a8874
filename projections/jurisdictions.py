"""The service everything above asks: the ledgers of all jurisdictions, and what their years look like.

A reader sees its own write: facts are written in the append's transaction, and each question first reads on from
where this process stopped. What is kept in memory can always be worked out again from the database.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import lru_cache
from threading import Lock
from typing import NamedTuple

from sqlalchemy import Engine, select

from ledger.application import LedgerApplication
from ledger.commands import OfficialDocument, SchemeVersion
from ledger.decisions import YearState
from ledger.events import (
    GroupOfUnits,
    Period,
    SchemeDocumentRegistered,
    SchemeReference,
    SchemeRegistered,
    YearClosed,
)
from ledger.rejection import Rejection, rejected
from ledger.tables import ledgers
from projections.admission import SchemeAdmission
from projections.proceedings.frozen_sheets import FrozenSheets, frozen_sheets
from projections.scheme_files import vocabulary
from projections.years import LastGrades, Recorded, YearEvents, YearFacts, YearView, close_in_force
from schemes.reading import read_scheme
from schemes.scheme import Scheme

RandomBytes = Callable[[int], bytes]
CACHED_VIEWS = 64
CACHED_SCHEMES = 32


class Closing(NamedTuple):
    """A close of a year: where it stands in the ledger, what it says, and what it froze."""

    position: int
    event: YearClosed
    frozen: FrozenSheets


class Jurisdictions:
    """All ledgers of one database. Safe to share between threads; `close` it when done."""

    def __init__(self, engine: Engine, random_bytes: RandomBytes) -> None:
        self.engine = engine
        self.random_bytes = random_bytes
        self._ledgers: dict[str, LedgerApplication] = {}
        self._schemes: dict[str, Scheme] = {}
        self._facts: dict[tuple[str, int], YearFacts] = {}
        self._frozen: dict[str, FrozenSheets] = {}
        self._events: dict[str, YearEvents] = {}
        self._views: dict[tuple[str, int, int, date | None, str | None], YearView] = {}
        self._lock = Lock()

    def close(self) -> None:
        """Write what was submitted, and end the writing threads."""
        for application in self._ledgers.values():
            application.close()

    def codes(self) -> list[str]:
        """Return the codes of the jurisdictions that have a ledger, sorted."""
        return sorted(self.sizes())

    def sizes(self) -> dict[str, int]:
        """Return how many events each ledger has, by the jurisdiction's code; empty ledgers are left out."""
        with self.engine.connect() as connection:
            rows = connection.execute(select(ledgers.c.code, ledgers.c.size).where(ledgers.c.size > 0))
            return {code: size for code, size in rows}  # noqa: C416  # a row is no pair to mypy

    def ledger(self, code: str) -> LedgerApplication:
        """Return the ledger of that GB/T 2260 code; refuses what is no such code."""
        if not (len(code) == 6 and code.isascii() and code.isdigit()):
            raise rejected("jurisdiction-code", "jurisdiction", f"found {code!r}, expected the six digits of GB/T 2260")
        with self._lock:
            if code not in self._ledgers:
                admission = SchemeAdmission(lambda digest: self.scheme(code, digest))
                self._ledgers[code] = LedgerApplication(self.engine, code, admission, self.random_bytes)
            return self._ledgers[code]

    def known_ledger(self, code: str) -> LedgerApplication:
        """Return a ledger that has entries; refuses one that has none, and keeps nothing in memory for it."""
        if code not in self._ledgers and code not in self.codes():
            raise _no_ledger(code)
        application = self.ledger(code)
        if application.recorder.max_notification_id() is None:
            raise _no_ledger(code)
        return application

    def scheme(self, code: str, digest: str) -> Scheme:
        """Return the scheme whose document the ledger keeps under that SHA-256."""
        if digest not in self._schemes:
            self._schemes[digest] = _read(self.document(code, digest).decode("utf-8"), digest)
        return self._schemes[digest]

    def registered_version(self, code: str, identifier: str, version: str) -> SchemeReference:
        """Return a version of a scheme that the ledger keeps; refuses one that was never opened or adopted under."""
        application = self.known_ledger(code)
        events = application.events.get(application.stream("scheme", identifier))
        registered = [event.scheme for event in events if isinstance(event, SchemeRegistered)]
        found = next((one for one in registered if one.version == version), None)
        if found is None:
            known = ", ".join(one.version for one in registered) or "none"
            message = f"found {identifier!r} version {version!r}, expected one of its versions in the ledger: {known}"
            raise rejected("unknown-scheme", "scheme", message)
        return found

    def official_document(self, code: str, identifier: str, version: str) -> OfficialDocument:
        """Return the official document last registered for a version of a scheme; refuses one that has none."""
        application = self.known_ledger(code)
        events = application.events.get(application.stream("scheme", identifier))
        registered = [event for event in events if isinstance(event, SchemeDocumentRegistered)]
        found = [event for event in registered if event.scheme.version == version]
        if not found:
            message = f"no official document of {identifier!r} version {version!r} is registered; register it first"
            raise rejected("unknown-document", "version", message)
        last = found[-1]
        return OfficialDocument(last.title, last.media_type, self.document(code, last.digest))

    def open_years(self, code: str) -> list[YearState]:
        """Return the years that have been opened, oldest first."""
        application = self.known_ledger(code)
        recorder = application.ledger_recorder
        opened = recorder.select_notifications(None, 1000, topics=["year.opened/1"])
        events = (application.mapper.to_domain_event(one) for one in opened)
        return [application.year(year) for year in sorted({event.year for event in events})]  # type: ignore[attr-defined]  # the topic says which event it is

    def opened_year(self, code: str, year: int) -> tuple[YearState, Scheme]:
        """Return a year and the scheme in force; refuses a year that is not open."""
        state = self.known_ledger(code).year(year)
        _, reference = state.opened()
        return state, self.scheme(code, reference.digest)

    def view(
        self,
        code: str,
        year: int,
        as_of: date | None = None,
        known_at: datetime | None = None,
        position: int | None = None,
    ) -> YearView:
        """Return the year as of the end of that day, as known at that moment; refuses a year that is not open.

        `position` is the length of the ledger to look at; left out, all of it.
        """
        application = self.known_ledger(code)
        size = application.ledger_recorder.head().size
        size = size if position is None else min(position, size)
        # Two moments that are one are written differently, and answers say them as they were asked for.
        key = (code, year, size, as_of, None if known_at is None else known_at.isoformat())
        with self._lock:
            if key in self._views:
                return self._views[key]
            facts = self._facts.setdefault((code, year), YearFacts(self.engine, code, year))
        known = self._turns(application, year, size)
        events = [one for one in known if known_at is None or one.event.recorded_at <= known_at]
        if known and not events:
            opened = known[0].event.recorded_at.isoformat()
            message = f"the year {year} was opened at {opened}; ask for a later moment"
            raise rejected("year-not-open", "known_at", message)
        view = YearView.of(
            year,
            events,
            facts.read(size),
            size,
            as_of,
            known_at,
            lambda digest: self.scheme(code, digest),
            self._last_grades(application, events, year - 1, size, known_at),
        )
        with self._lock:
            while len(self._views) >= CACHED_VIEWS:
                self._views.pop(next(iter(self._views)))
            self._views[key] = view
        return view

    def closings(self, code: str, year: int) -> list[Closing]:
        """Return what each close of the year froze, oldest first."""
        application = self.known_ledger(code)
        size = application.ledger_recorder.head().size
        return [
            Closing(one.position, one.event, self.frozen(code, one.event.sheets))
            for one in self._turns(application, year, size)
            if isinstance(one.event, YearClosed)
        ]

    def frozen(self, code: str, digest: str) -> FrozenSheets:
        """Return the frozen sheets that the ledger keeps under that SHA-256."""
        if digest not in self._frozen:
            self._frozen[digest] = frozen_sheets(self.document(code, digest))
        return self._frozen[digest]

    def document(self, code: str, digest: str) -> bytes:
        """Return the document that an event names by that SHA-256; refuses a ledger that has lost or altered it."""
        document = self.ledger(code).ledger_recorder.document(bytes.fromhex(digest))
        if document is None:
            message = f"the document {digest} is missing in the database of ledger {code}; restore a backup"
            raise rejected("ledger-damaged", "documents", message)
        return document

    def _turns(self, application: LedgerApplication, year: int, position: int) -> list[Recorded]:
        with self._lock:
            events = self._events.setdefault(application.code, YearEvents(application))
        return events.read(year, position)

    def _last_grades(
        self,
        application: LedgerApplication,
        own: Sequence[Recorded],
        year: int,
        position: int,
        known_at: datetime | None,
    ) -> LastGrades | None:
        """Return the grades of the year's close, if the year was closed then and not reopened.

        `own` are the events known of the year after it: while that is closed, it keeps the grades it was closed with.
        """
        close = close_in_force(own, self._turns(application, year, position), known_at)
        return None if close is None else self.frozen(application.code, close.sheets).grades


def _no_ledger(code: str) -> Rejection:
    return rejected("unknown-jurisdiction", "jurisdiction", f"no ledger is kept for {code!r}; open a year to begin one")


def scheme_for(code: str, text: str, file: str, year: int | None = None) -> tuple[Scheme, SchemeVersion]:
    """Return as `scheme_version` does; refuses a scheme of another jurisdiction, or year where one is given."""
    scheme, version = scheme_version(text, file)
    if scheme.jurisdiction.code != code:
        message = f"found a scheme of {scheme.jurisdiction.code} {scheme.jurisdiction.name}, expected one of {code}"
        raise rejected("scheme-jurisdiction", "scheme", message)
    if year is not None and scheme.year != year:
        raise rejected("scheme-year", "scheme", f"found a scheme of {scheme.year}, expected one of {year}")
    return scheme, version


def scheme_version(text: str, file: str) -> tuple[Scheme, SchemeVersion]:
    """Return a scheme's text read and as the ledger takes it; raises `InvalidInput` with all its errors."""
    scheme = _read(text, file)
    period = Period(first=scheme.period.first, last=scheme.period.last)
    groups = tuple(group.id for group in scheme.groups)
    return scheme, SchemeVersion(scheme.id, scheme.version, period, groups, text.encode())


@lru_cache(maxsize=CACHED_SCHEMES)
def _read(text: str, file: str) -> Scheme:
    """Reading takes a tenth of a second, and a year is opened, adopted and looked at under the same few texts."""
    return read_scheme(text, file, vocabulary())


def scheme_units(scheme: Scheme) -> Sequence[GroupOfUnits]:
    """Return the scheme's own unit lists, to open a year with."""
    return [GroupOfUnits(id=group.id, units=group.units) for group in scheme.groups]
