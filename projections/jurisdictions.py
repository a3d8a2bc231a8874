"""The service everything above asks: the ledgers of all jurisdictions, and what their years look like.

A reader sees its own write: facts are written in the append's transaction, and each question first reads on from
where this process stopped. What is kept in memory can always be worked out again from the database.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from threading import Lock

from sqlalchemy import Engine, select

from ledger.application import LedgerApplication
from ledger.commands import SchemeVersion
from ledger.decisions import YearState
from ledger.events import GroupOfUnits, Period, Reading, SchemeRegistered
from ledger.rejection import Refusal, Rejection, rejected
from ledger.tables import ledgers
from projections.scheme_files import vocabulary
from projections.years import YearEvents, YearFacts, YearView
from schemes.admission import admit
from schemes.figures import Roster
from schemes.reading import read_scheme
from schemes.scheme import Scheme
from schemes.vocabulary import Vocabulary

RandomBytes = Callable[[int], bytes]
CACHED_VIEWS = 64
CACHED_SCHEMES = 32


@dataclass(frozen=True, slots=True)
class _Words:
    """What an observation of a year may say, worked out once for each state of the year."""

    year: YearState
    scheme: Scheme
    vocabulary: Vocabulary
    roster: Roster


class Jurisdictions:
    """All ledgers of one database. Safe to share between threads; `close` it when done."""

    def __init__(self, engine: Engine, random_bytes: RandomBytes) -> None:
        self.engine = engine
        self._random_bytes = random_bytes
        self._ledgers: dict[str, LedgerApplication] = {}
        self._schemes: dict[str, Scheme] = {}
        self._words: dict[tuple[str, int], _Words] = {}
        self._facts: dict[tuple[str, int], YearFacts] = {}
        self._events: dict[tuple[str, int], YearEvents] = {}
        self._views: dict[tuple[str, int, int, date | None, datetime | None], YearView] = {}
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
                self._ledgers[code] = LedgerApplication(
                    self.engine, code, lambda year, reading: self._admit(code, year, reading), self._random_bytes
                )
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
            document = self.ledger(code).ledger_recorder.document(bytes.fromhex(digest))
            if document is None:
                raise rejected("unknown-scheme", "scheme", f"the ledger {code} keeps no document {digest}")
            self._schemes[digest] = _read(document.decode("utf-8"), digest)
        return self._schemes[digest]

    def registered_scheme(self, code: str, identifier: str, version: str) -> Scheme:
        """Return a version of a scheme that the ledger keeps; refuses one that was never opened or adopted under."""
        application = self.known_ledger(code)
        events = application.events.get(application.stream("scheme", identifier))
        registered = [event.scheme for event in events if isinstance(event, SchemeRegistered)]
        found = next((one for one in registered if one.version == version), None)
        if found is None:
            known = ", ".join(one.version for one in registered) or "none"
            message = f"found {identifier!r} version {version!r}, expected one of its versions in the ledger: {known}"
            raise rejected("unknown-scheme", "scheme", message)
        return self.scheme(code, found.digest)

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

    def view(self, code: str, year: int, as_of: date | None = None, known_at: datetime | None = None) -> YearView:
        """Return the year as of the end of that day, as known at that moment; refuses a year that is not open."""
        application = self.known_ledger(code)
        size = application.ledger_recorder.head().size
        key = (code, year, size, as_of, known_at)
        with self._lock:
            if key in self._views:
                return self._views[key]
            facts = self._facts.setdefault((code, year), YearFacts(self.engine, code, year))
            turns = self._events.setdefault((code, year), YearEvents(application, year))
        known = turns.read(size)
        events = [event for event in known if known_at is None or event.recorded_at <= known_at]
        if known and not events:
            opened = known[0].recorded_at.isoformat()
            message = f"the year {year} was opened at {opened}; ask for a later moment"
            raise rejected("year-not-open", "known_at", message)
        view = YearView.of(
            year, events, facts.read(size), size, as_of, known_at, lambda digest: self.scheme(code, digest)
        )
        with self._lock:
            while len(self._views) >= CACHED_VIEWS:
                self._views.pop(next(iter(self._views)))
            self._views[key] = view
        return view

    def _admit(self, code: str, year: YearState, reading: Reading) -> None:
        words = self._words.get((code, year.year))
        # A year's state is never changed, only replaced.
        if words is None or words.year is not year:
            words = self._words[code, year.year] = self._words_of(code, year)
        unit = year.unit(reading.unit)
        raw: Mapping[str, object] = reading.attributes
        rater = year.unit(str(raw["rater"])) if "rater" in raw else None
        if rater is not None:
            raw = {**raw, "rater": rater.key}
        name = unit.key if unit else reading.unit
        _, problems = admit(words.scheme, words.vocabulary, words.roster, name, reading.kind, reading.occurred_on, raw)
        if problems:
            raise Rejection(*(Refusal(one.code, one.where, one.message) for one in problems))

    def _words_of(self, code: str, year: YearState) -> _Words:
        _, reference = year.opened()
        scheme = self.scheme(code, reference.digest)
        roster = {group: tuple(one.key for one in year.units.values() if one.group == group) for group in year.groups}
        return _Words(year, scheme, vocabulary().extended(scheme.items), roster)


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
