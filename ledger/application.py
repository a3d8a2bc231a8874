"""The application of one ledger: takes commands, decides, appends. One instance for each jurisdiction.

A command is answered in these steps:

1. The moment of recording is the caller's `now`, or the ledger's last moment if that is later.
2. `ledger.decisions` decides on the state of the year (and the observation) as this process knows it.
3. The events are serialised once, and written with the versions that the decision depended on.
4. What the recorder finds moved in the meantime is read again and decided again; a used key is answered with what
   it recorded.

Steps 1 to 3 run in the recorder's writing thread, one command at a time: moments rise with positions, and clients
share no lock. Whose words these are (permissions) and whether the words are known (`Admission`) is up to the caller.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any, Final, cast
from uuid import UUID, uuid5

from eventsourcing.application import Application
from eventsourcing.persistence import ApplicationRecorder, IntegrityError, Mapper, StoredEvent
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Engine

from ledger.appends import AlreadyRecorded, ClockBehind, Idempotency, KeyReused, Request, StreamMoved, microseconds
from ledger.commands import Amend, Attempt, Observe, Receipt, Rectify, SchemeVersion, Void
from ledger.decisions import (
    Admission,
    ObservationState,
    YearState,
    decide_adopt,
    decide_amend,
    decide_join,
    decide_leave,
    decide_observe,
    decide_open,
    decide_rectify,
    decide_rename,
    decide_void,
    fold_observation,
    fold_year,
)
from ledger.events import (
    Event,
    EventMapper,
    GroupOfUnits,
    LongText,
    ObservationAmended,
    ObservationObserved,
    ObservationRectified,
    ObservationVoided,
    Reading,
    SchemeAdopted,
    SchemeRegistered,
    Text,
    UnitJoined,
    UnitLeft,
    UnitRenamed,
    Value,
    YearOpened,
)
from ledger.facts import fact_rows
from ledger.merkle import leaf_hash
from ledger.recorder import LedgerRecorder
from ledger.rejection import Refusal, Rejection, rejected

STREAMS: Final = UUID("6f0d1c52-4b86-5a7e-9c43-0d6a6f2b1e90")
"""The namespace of stream ids; part of the ledger's format, never changed."""
ATTEMPTS: Final = 20
MOST_OBSERVATIONS: Final = 5_000
_KEY: Final = re.compile(r"[\x21-\x7e]{1,200}")
_NAME: Final[TypeAdapter[str]] = TypeAdapter(Text)
_WORDS: Final[TypeAdapter[str]] = TypeAdapter(LongText)
_SHOWN: Final = 40
_NO_TEXTS: Final[Mapping[str, str]] = {}


Build = Callable[[datetime], "_Append"]


@dataclass(frozen=True, slots=True)
class _Append:
    events: Sequence[Event]
    expects: Mapping[UUID, int]
    documents: Sequence[bytes] = ()


class LedgerApplication(Application[UUID]):
    """The ledger of one jurisdiction. Safe to share between threads; `close` it when done."""

    name = "ledger"

    def __init__(self, engine: Engine, code: str, admit: Admission, random_bytes: Callable[[int], bytes]) -> None:
        self._engine = engine
        self.code = code
        self._admit = admit
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
            raise rejected("unknown-observation", "observation", f"no observation {identifier} in ledger {self.code}")
        return state

    # --- commands ----------------------------------------------------------------------------------------------

    def observe(self, attempt: Attempt, year: int, observations: Sequence[Observe]) -> list[Receipt]:
        """Record one or several observations, all or none."""
        if not 1 <= len(observations) <= MOST_OBSERVATIONS:
            message = f"found {len(observations)} observations, expected 1 to {MOST_OBSERVATIONS} at once"
            raise rejected("batch-size", "observations", message)

        def build(moment: datetime) -> _Append:
            state = self._known_year(year)
            readings = self._admitted(state, observations)
            events = [
                ObservationObserved.model_construct(
                    **self._head(self.stream("observation", attempt.key, at), 1, moment, attempt),
                    year=year,
                    reading=reading,
                    evidence=wish.evidence,
                    note=wish.note,
                )
                for at, (wish, reading) in enumerate(zip(observations, readings, strict=True))
            ]
            return _Append(events, {self.stream("year", year): state.version})

        return self._append(attempt, ("observe", year, *observations), build)

    def amend(self, attempt: Attempt, observation: UUID, wish: Amend) -> list[Receipt]:
        """Record a correction of an observation."""

        def build(moment: datetime) -> _Append:
            state = self.observation(observation)
            year = self._known_year(state.year)
            reading = decide_amend(year, state, wish.changes, self._admit)
            event = ObservationAmended(
                **self._head(observation, state.version + 1, moment, attempt),
                year=state.year,
                changes=wish.changes,
                reading=reading,
                reason=wish.reason,
                evidence=wish.evidence,
            )
            return _Append([event], {self.stream("year", state.year): year.version, observation: state.version})

        return self._append(attempt, ("amend", observation, wish), build)

    def void(self, attempt: Attempt, observation: UUID, wish: Void) -> list[Receipt]:
        """Record that an observation does not count from now on."""

        def build(moment: datetime) -> _Append:
            state = self.observation(observation)
            decide_void(state)
            event = ObservationVoided(
                **self._head(observation, state.version + 1, moment, attempt),
                year=state.year,
                reason=wish.reason,
                evidence=wish.evidence,
            )
            return _Append([event], {observation: state.version})

        return self._append(attempt, ("void", observation, wish), build)

    def rectify(self, attempt: Attempt, observation: UUID, wish: Rectify) -> list[Receipt]:
        """Record that the unit has put the matter right."""

        def build(moment: datetime) -> _Append:
            state = self.observation(observation)
            decide_rectify(state, wish.on)
            event = ObservationRectified(
                **self._head(observation, state.version + 1, moment, attempt),
                year=state.year,
                on=wish.on,
                note=wish.note,
                evidence=wish.evidence,
            )
            return _Append([event], {observation: state.version})

        return self._append(attempt, ("rectify", observation, wish), build)

    def open_year(
        self, attempt: Attempt, year: int, scheme: SchemeVersion, groups: Sequence[GroupOfUnits]
    ) -> list[Receipt]:
        """Open a year under a scheme version, with these groups and units."""

        def build(moment: datetime) -> _Append:
            state = self._known_year(year)
            decide_open(state, groups, scheme.groups)
            event = YearOpened(
                **self._head(self.stream("year", year), 1, moment, attempt),
                year=year,
                period=scheme.period,
                scheme=scheme.reference,
                groups=tuple(groups),
            )
            return self._with_scheme(event, scheme, moment, attempt)

        wish = ("open", year, scheme.reference, *groups)
        return self._append_to_year(attempt, year, wish, build, scheme.texts)

    def adopt_scheme(self, attempt: Attempt, year: int, scheme: SchemeVersion, reason: str) -> list[Receipt]:
        """Put a scheme version in force for the year from now on."""

        def build(moment: datetime) -> _Append:
            state = self._known_year(year)
            decide_adopt(state, scheme.reference, scheme.groups)
            event = SchemeAdopted(
                **self._head(self.stream("year", year), state.version + 1, moment, attempt),
                year=year,
                period=scheme.period,
                scheme=scheme.reference,
                reason=reason,
            )
            return self._with_scheme(event, scheme, moment, attempt)

        wish = ("adopt", year, scheme.reference, reason)
        return self._append_to_year(attempt, year, wish, build, {**scheme.texts, "reason": reason})

    def join_unit(self, attempt: Attempt, year: int, unit: str, group: str, on: date, reason: str) -> list[Receipt]:
        """Record that a unit is assessed from a day on."""

        def build(state: YearState, head: Mapping[str, Any]) -> Event:
            decide_join(state, unit, group, on)
            return UnitJoined(**head, year=year, unit=unit, group=group, on=on, reason=reason)

        texts = {"unit": unit, "group": group, "reason": reason}
        return self._append_turn(attempt, year, ("join", year, unit, group, on, reason), build, texts)

    def leave_unit(self, attempt: Attempt, year: int, unit: str, on: date, reason: str) -> list[Receipt]:
        """Record that a unit is no longer assessed from a day on."""

        def build(state: YearState, head: Mapping[str, Any]) -> Event:
            key = decide_leave(state, unit, on)
            return UnitLeft(**head, year=year, unit=key, on=on, reason=reason)

        texts = {"unit": unit, "reason": reason}
        return self._append_turn(attempt, year, ("leave", year, unit, on, reason), build, texts)

    def rename_unit(self, attempt: Attempt, year: int, unit: str, name: str, on: date, reason: str) -> list[Receipt]:
        """Record that a unit has another name from a day on."""

        def build(state: YearState, head: Mapping[str, Any]) -> Event:
            key = decide_rename(state, unit, name, on)
            return UnitRenamed(**head, year=year, unit=key, name=name, on=on, reason=reason)

        texts = {"unit": unit, "name": name, "reason": reason}
        return self._append_turn(attempt, year, ("rename", year, unit, name, on, reason), build, texts)

    def check_observation(self, year: int, wish: Observe) -> None:
        """Refuse what `observe` would refuse, and record nothing."""
        self._reading(self._known_year(year), wish)

    def _admitted(self, year: YearState, observations: Sequence[Observe]) -> list[Reading]:
        """Return the readings to record; refuses with the reasons of all that cannot be."""
        readings: list[Reading] = []
        refusals: list[Refusal] = []
        for at, wish in enumerate(observations):
            try:
                readings.append(self._reading(year, wish))
            except Rejection as rejection:
                refusals += rejection.within(f"observations[{at}]") if len(observations) > 1 else rejection.refusals
        if refusals:
            raise Rejection(*refusals)
        return readings

    def _reading(self, year: YearState, wish: Observe) -> Reading:
        reading = Reading.model_construct(
            unit=wish.unit,
            kind=wish.kind,
            occurred_on=wish.occurred_on,
            count=wish.count,
            attributes=wish.attributes,
        )
        decide_observe(year, reading, self._admit)
        return reading

    # --- how a command is recorded -----------------------------------------------------------------------------

    def _append_turn(
        self,
        attempt: Attempt,
        year: int,
        wish: Sequence[object],
        build: Callable[[YearState, Mapping[str, Any]], Event],
        texts: Mapping[str, str],
    ) -> list[Receipt]:
        """Append the one event of the year's own stream that `build` makes of the state and the event's head."""
        stream = self.stream("year", year)

        def append(moment: datetime) -> _Append:
            state = self._known_year(year)
            event = build(state, self._head(stream, state.version + 1, moment, attempt))
            return _Append([event], {stream: state.version})

        return self._append_to_year(attempt, year, wish, append, texts)

    def _append_to_year(
        self,
        attempt: Attempt,
        year: int,
        wish: Sequence[object],
        build: Build,
        texts: Mapping[str, str],
    ) -> list[Receipt]:
        """Append, and know the year with what was appended: the next command is decided on it at once.

        Nothing is read for that, because a failure would then be the answer to what has been recorded.
        """
        receipts = self._append(attempt, wish, build, texts)
        stream = self.stream("year", year)
        for event in (receipt.event for receipt in receipts):
            known = self._known_year(year)
            if event.originator_id == stream and event.originator_version == known.version + 1:
                self._years[year] = fold_year(known, event)
        return receipts

    def _with_scheme(self, event: Event, scheme: SchemeVersion, moment: datetime, attempt: Attempt) -> _Append:
        """Put the scheme's registration before the event, unless the ledger has this version already."""
        stream = self.stream("scheme", scheme.id)
        registered = [version for version in self.events.get(stream) if isinstance(version, SchemeRegistered)]
        expects = {event.originator_id: event.originator_version - 1, stream: len(registered)}
        for version in registered:
            if version.scheme == scheme.reference:
                return _Append([event], expects)
            if version.scheme.version == scheme.version:
                message = f"{scheme.id} version {scheme.version} is registered with another content; give a new version"
                raise rejected("scheme-version-taken", "scheme", message)
        head = self._head(stream, len(registered) + 1, moment, attempt)
        registration = SchemeRegistered(**head, scheme=scheme.reference)
        return _Append([registration, event], expects, [scheme.document])

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

    def _append(
        self, attempt: Attempt, wish: Sequence[object], build: Build, texts: Mapping[str, str] = _NO_TEXTS
    ) -> list[Receipt]:
        """Record what `build` makes; `texts` are the command's texts that no model has checked, by their field."""
        refusals = [*_refusals(attempt, texts)]
        if refusals:
            raise Rejection(*refusals)
        idempotency = Idempotency(attempt.key, _digest(wish))
        last: Exception | None = None
        for _ in range(ATTEMPTS):
            seen = self._versions()
            try:
                return self._try(attempt, idempotency, build)
            except AlreadyRecorded as already:
                return self._receipts(already.first_position, already.last_position)
            except KeyReused as reused:
                raise rejected("idempotency-key-reused", "Idempotency-Key", str(reused)) from None
            except ClockBehind as behind:
                self._last = max(self._last, behind.last)
            except (StreamMoved, IntegrityError) as moved:
                last = moved
                self._read_on()
            except Rejection:
                self._read_on()
                if self._versions() != seen:
                    continue
                used = self.ledger_recorder.find_key(attempt.key)
                # What was recorded under this key may be the very reason why it is refused now.
                if used is None or used.digest != idempotency.digest:
                    raise
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
            stored = [self.mapper.to_stored_event(event) for event in append.events]
            recorded.extend(zip(stored, append.events, strict=True))
            self._last = moment
            return Request(stored, microseconds(moment), idempotency, append.expects, append.documents)

        positions = self.ledger_recorder.submit_prepared(prepare).result()
        return [
            Receipt(position, leaf_hash(stored.state), event)
            for position, (stored, event) in zip(positions, recorded, strict=True)
        ]

    def _receipts(self, first: int, last: int) -> list[Receipt]:
        """Return the receipts of what stands at these positions: the first answer again."""
        notifications = self.ledger_recorder.select_notifications(first, last - first + 1, last)
        return [
            Receipt(one.id, leaf_hash(one.state), cast("Event", self.mapper.to_domain_event(one)))
            for one in notifications
        ]


def _refusals(attempt: Attempt, texts: Mapping[str, str]) -> Iterator[Refusal]:
    """Yield what is wrong with the key, the actor and the texts: an event with them could not be read back."""
    if not _KEY.fullmatch(attempt.key):
        message = "expected 1 to 200 visible ASCII characters without spaces"
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
