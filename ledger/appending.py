"""How a command becomes events of one ledger: decided in the writing thread, appended, answered with receipts.

A command is answered in these steps:

1. The moment of recording is the caller's `now`, or the ledger's last moment if that is later.
2. `ledger.decisions` and `ledger.proceedings` decide on the state of the year, and of what else the command is about.
3. The events are serialised once, and written with the versions that the decision depended on.
4. What the recorder finds moved in the meantime is read again and decided again; a used key is answered with what
   it recorded.

Steps 1 to 3 run in the recorder's writing thread, one command at a time: moments rise with positions, and clients
share no lock. Whose words these are (permissions) and what the scheme and the calendar say (`Admission`) is up to the
caller; the commands themselves are in `ledger.observation_commands`, `ledger.year_commands` and
`ledger.proceeding_commands`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from time import monotonic
from typing import Any, Final, cast
from uuid import UUID, uuid5

from eventsourcing.application import Application
from eventsourcing.persistence import ApplicationRecorder, IntegrityError, Mapper, StoredEvent
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Engine, select

from ledger.appends import AlreadyRecorded, ClockBehind, Idempotency, KeyReused, Request, StreamMoved, microseconds
from ledger.commands import Attempt, Receipt
from ledger.decisions import (
    Admission,
    ObservationState,
    YearState,
    fold_observation,
    fold_year,
    unknown_observation,
)
from ledger.event_bytes import EventMapper
from ledger.events import (
    Event,
    LongText,
    ObservationObserved,
    ProposalMade,
    ProposedAction,
    Text,
    Value,
)
from ledger.facts import fact_rows
from ledger.merkle import leaf_hash
from ledger.recorder import LedgerRecorder
from ledger.rejection import Refusal, Rejection, rejected
from ledger.tables import evidence_files

STREAMS: Final = UUID("6f0d1c52-4b86-5a7e-9c43-0d6a6f2b1e90")
"""The namespace of stream ids; part of the ledger's format, never changed."""
ATTEMPTS: Final = 20
_KEY: Final = re.compile(r"[\x21-\x7e]{1,256}")
_NAME: Final[TypeAdapter[str]] = TypeAdapter(Text)
_WORDS: Final[TypeAdapter[str]] = TypeAdapter(LongText)
_SHOWN: Final = 40
_NO_TEXTS: Final[Mapping[str, str]] = {}


Build = Callable[[datetime], "Append"]


@dataclass(frozen=True, slots=True)
class Append:
    """What a command records, and what must hold for that: see `ledger.appends.Request`."""

    events: Sequence[Event]
    expects: Mapping[UUID, int]
    documents: Sequence[bytes] = ()
    expected_size: int | None = None


class Appending(Application[UUID]):
    """The ledger of one jurisdiction: its streams, and how commands append to them. Safe to share between threads."""

    def __init__(self, engine: Engine, code: str, admission: Admission, random_bytes: Callable[[int], bytes]) -> None:
        self._engine = engine
        self.code = code
        self._admission = admission
        self._random_bytes = random_bytes
        self._years: dict[int, YearState] = {}
        super().__init__()
        self._last = self.ledger_recorder.head().last_recorded_at

    def construct_mapper(self) -> Mapper[UUID]:
        """Return the mapper of this ledger's events."""
        return cast("Mapper[UUID]", EventMapper(self.code))

    def construct_recorder(self) -> ApplicationRecorder:
        """Return the recorder, which writes facts in the append's own transaction."""
        return LedgerRecorder(self._engine, self.code, fact_rows)

    @property
    def ledger_recorder(self) -> LedgerRecorder:
        """The recorder by its own type."""
        return cast("LedgerRecorder", self.recorder)

    def close(self) -> None:
        """End the writing thread, after what was submitted is written."""
        if hasattr(self, "recorder"):
            self.ledger_recorder.close()
        super().close()

    # --- reading -----------------------------------------------------------------------------------------------

    def stream(self, *name: str | int) -> UUID:
        """Return the id of the stream of that name in this ledger."""
        return uuid5(STREAMS, "/".join([self.code, *map(str, name)]))

    def year(self, year: int) -> YearState:
        """Return the year as its events have made it so far."""
        known = self._years.get(year, YearState(year))
        for event in self.events.get(self.stream("year", year), gt=known.version):
            known = fold_year(known, cast("Event", event))
        self._years[year] = known
        return known

    def year_events(self, year: int) -> list[Event]:
        """Return the events of the year's own stream, oldest first."""
        return [cast("Event", event) for event in self.events.get(self.stream("year", year))]

    def observation(self, identifier: UUID) -> ObservationState:
        """Return the observation; refuses an id that the ledger does not have."""
        state: ObservationState | None = None
        for event in self.events.get(identifier):
            if not isinstance(event, ObservationObserved) and state is None:
                break
            state = fold_observation(state, cast("Event", event))
        if state is None:
            raise unknown_observation(identifier)
        return state

    # --- how a command is recorded -----------------------------------------------------------------------------

    def _known_year(self, year: int) -> YearState:
        """The year as this process knows it; the append finds out when it has moved."""
        return self._years[year] if year in self._years else self.year(year)

    def _head(self, stream: UUID, version: int, moment: datetime, attempt: Attempt) -> dict[str, Any]:
        return {
            "originator_id": stream,
            "originator_version": version,
            "recorded_at": moment,
            "actor": attempt.actor,
            "nonce": self._random_bytes(16).hex(),
        }

    def _proposing(
        self,
        attempt: Attempt,
        action: ProposedAction,
        wish: Value,
        build: Build,
        year: int | None = None,
        about: UUID | None = None,
    ) -> Build:
        """Return what records the wish; of a signed-in person, what proposes it if it could be recorded now."""
        if attempt.person is None:
            return build

        def propose(moment: datetime) -> Append:
            # A year's own stream moves with every unit and release; what that means for the wish is decided anew.
            years = {self.stream("year", known) for known in tuple(self._years)}
            decided_on = {one: version for one, version in build(moment).expects.items() if one not in years}
            event = self._proposal(attempt, moment, action, wish, year, about, decided_on)
            return Append([event], {event.originator_id: 0})

        return propose

    def _proposal(
        self,
        attempt: Attempt,
        moment: datetime,
        action: ProposedAction,
        wish: Value,
        year: int | None,
        about: UUID | None,
        decided_on: Mapping[UUID, int],
        at: int = 0,
    ) -> ProposalMade:
        return ProposalMade(
            **self._head(self.stream("proposal", attempt.key, at), 1, moment, attempt),
            person=str(attempt.person),
            action=action,
            year=year,
            about=about,
            depends={stream: version for stream, version in decided_on.items() if version},
            content=wish.model_dump(mode="json", exclude_none=True),
        )

    def _append(
        self, attempt: Attempt, wish: Sequence[object], build: Build, texts: Mapping[str, str] = _NO_TEXTS
    ) -> list[Receipt]:
        """Record what `build` makes; `texts` are the command's texts that no model has checked, by their field.

        Raises `LedgerGrown` where the append expects a size of the ledger: only the caller can look at it again.
        """
        refusals = [*_refusals(attempt, texts)]
        if refusals:
            raise Rejection(*refusals)
        idempotency = Idempotency(attempt.key, _digest(wish))
        last: Exception | None = None
        now, begun = attempt.now, monotonic()
        for _ in range(ATTEMPTS):
            seen = self._versions()
            try:
                return self._try(attempt, idempotency, build)
            except AlreadyRecorded as already:
                return self._receipts(already.first_position, already.last_position)
            except KeyReused as reused:
                raise _key_reused(reused) from None
            except ClockBehind as behind:
                self._last = max(self._last, behind.last)
                # Another process appends too, at moments of its own: with the first one this stays behind for good.
                attempt = replace(attempt, now=now + timedelta(seconds=monotonic() - begun))
            except (StreamMoved, IntegrityError) as moved:
                last = moved
                self._read_on()
            except Rejection:
                self._read_on()
                if self._versions() != seen:
                    continue
                used = self.ledger_recorder.find_key(attempt.key)
                if used is None:
                    raise
                if used.digest != idempotency.digest:
                    raise _key_reused(KeyReused(attempt.key, used.first_position)) from None
                # What was recorded under this key may be the very reason why it is refused now.
                return self._receipts(used.first_position, used.last_position)
        raise rejected("ledger-busy", "ledger", f"{ATTEMPTS} attempts met other changes; try again") from last

    def _versions(self) -> dict[int, int]:
        return {year: state.version for year, state in tuple(self._years.items())}

    def _read_on(self) -> None:
        """Read on in the years this process knows: another process, or another thread, may have moved them."""
        for year in tuple(self._years):
            self.year(year)

    def _try(self, attempt: Attempt, idempotency: Idempotency, build: Build) -> list[Receipt]:
        recorded: list[tuple[StoredEvent, Event]] = []

        def prepare() -> Request:
            moment = max(attempt.now, self._last)
            append = build(moment)
            files = self._refuse_unknown_files(append.events)
            # Its erasure may stand right before this, in the same transaction.
            expects = {**append.expects, **{self.stream("evidence", file): 0 for file in files}}
            stored = [self.mapper.to_stored_event(event) for event in append.events]
            recorded.extend(zip(stored, append.events, strict=True))
            self._last = moment
            return Request(stored, microseconds(moment), idempotency, expects, append.documents, append.expected_size)

        positions = self.ledger_recorder.submit_prepared(prepare).result()
        return [
            Receipt(position, leaf_hash(stored.state), event)
            for position, (stored, event) in zip(positions, recorded, strict=True)
        ]

    def _refuse_unknown_files(self, events: Sequence[Event]) -> list[str]:
        """Return the files that evidence names; refuses one not stored, or erased: an event is written after them."""
        named = list(dict.fromkeys(file for event in events for file in _named_files(event)))
        if named:
            self._refuse_unstored([bytes.fromhex(file) for file in named])
        return named

    def _refuse_unstored(self, commitments: Sequence[bytes]) -> None:
        columns = evidence_files.c
        query = select(columns.commitment, columns.erased_at).where(columns.ledger == self.code)
        with self._engine.connect() as connection:
            rows = connection.execute(query.where(columns.commitment.in_(commitments)))
            known = {bytes(commitment): erased_at for commitment, erased_at in rows}
        refusals = []
        for commitment in commitments:
            if commitment not in known:
                message = f"no file {commitment.hex()} is stored for ledger {self.code}; store it first"
                refusals.append(Refusal("unknown-evidence", "evidence", message))
            elif known[commitment] is not None:
                message = f"the file {commitment.hex()} was erased; name another"
                refusals.append(Refusal("evidence-erased", "evidence", message))
        if refusals:
            raise Rejection(*refusals)

    def _receipts(self, first: int, last: int) -> list[Receipt]:
        """Return the receipts of what stands at these positions: the first answer again."""
        notifications = self.ledger_recorder.select_notifications(first, last - first + 1, last)
        return [
            Receipt(one.id, leaf_hash(one.state), cast("Event", self.mapper.to_domain_event(one)))
            for one in notifications
        ]


def _named_files(event: Event) -> Iterator[str]:
    """Yield the files that the event's evidence names, also those of what it proposes."""
    stated = event.content.get("evidence", ()) if isinstance(event, ProposalMade) else getattr(event, "evidence", ())
    for one in stated:
        file = one.get("file") if isinstance(one, dict) else one.file
        if file is not None:
            yield file


def _key_reused(reused: KeyReused) -> Rejection:
    return rejected("idempotency-key-reused", "Idempotency-Key", str(reused))


def _refusals(attempt: Attempt, texts: Mapping[str, str]) -> Iterator[Refusal]:
    """Yield what is wrong with the key, the actor and the texts: an event with them could not be read back."""
    if not _KEY.fullmatch(attempt.key):
        message = "expected 1 to 256 visible ASCII characters without spaces"
        yield Refusal("idempotency-key-invalid", "Idempotency-Key", message)
    yield from _text_refusals("actor-invalid", "actor", attempt.actor, _NAME)
    for where, text in texts.items():
        yield from _text_refusals("text-invalid", where, text, _WORDS if where == "reason" else _NAME)


def _text_refusals(code: str, where: str, text: str, expected: TypeAdapter[str]) -> Iterator[Refusal]:
    try:
        expected.validate_python(text)
    except ValidationError as error:
        for one in error.errors(include_url=False):
            wish = one["msg"].removeprefix("Value error, ").removeprefix("String should have ")
            shown = repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
            yield Refusal(code, where, f"found {shown}, expected {wish}")


def _digest(wish: Sequence[object]) -> bytes:
    """Return the SHA-256 of what a command asks for: the same content gives the same digest.

    Each part goes with its length before it, so that no two wishes have the same bytes.
    """
    whole = sha256()
    for part in wish:
        text = part.model_dump_json(exclude_none=True) if isinstance(part, Value) else str(part)
        data = text.encode()
        whole.update(b"%d:%b" % (len(data), data))
    return whole.digest()
