"""Commands about observations: record, amend, void, rectify. None of them is taken while the year is closed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from ledger.appending import Append, Appending, Build
from ledger.commands import Amend, Attempt, Observe, Receipt, Rectify, Void
from ledger.decisions import YearState, decide_amend, decide_observe, decide_rectify, decide_void
from ledger.events import (
    ObservationAmended,
    ObservationObserved,
    ObservationRectified,
    ObservationVoided,
    ProposedAction,
    Reading,
    Value,
)
from ledger.rejection import Refusal, Rejection, rejected

MOST_OBSERVATIONS: Final = 50_000


class ObservationCommands(Appending):
    """What can be recorded about observations."""

    def observe(self, attempt: Attempt, year: int, observations: Sequence[Observe]) -> list[Receipt]:
        """Record one or several observations, all or none; what needs a second person is proposed, in its place."""
        if not 1 <= len(observations) <= MOST_OBSERVATIONS:
            message = f"found {len(observations)} observations, expected 1 to {MOST_OBSERVATIONS} at once"
            raise rejected("batch-size", "observations", message)
        return self._append(attempt, ("observe", year, *observations), self._observing(attempt, year, observations))

    def amend(self, attempt: Attempt, observation: UUID, wish: Amend) -> list[Receipt]:
        """Record a correction of an observation.

        It is proposed where the old or the new reading needs a second person, and where it reads as another kind of
        fact or of another unit: then the fact that was said does not count any more, as after a void.
        """
        build = self._amending(attempt, observation, wish)
        replaced = wish.changes.unit is not None or wish.changes.kind is not None

        def weighs(year: YearState, reading: Reading) -> bool:
            readings = (reading, wish.changes.applied_to(reading))
            return replaced or any(self._admission.weighs(year, one) for one in readings)

        chosen = self._choosing(attempt, "amend", observation, wish, build, weighs)
        return self._append(attempt, ("amend", observation, wish), chosen)

    def void(self, attempt: Attempt, observation: UUID, wish: Void) -> list[Receipt]:
        """Record that an observation does not count from now on; of a signed-in person, propose it."""
        build = self._proposing(attempt, "void", wish, self._voiding(attempt, observation, wish), about=observation)
        return self._append(attempt, ("void", observation, wish), build)

    def rectify(self, attempt: Attempt, observation: UUID, wish: Rectify) -> list[Receipt]:
        """Record that the unit has put the matter right; proposed, where the reading needs a second person."""
        build = self._rectifying(attempt, observation, wish)
        chosen = self._choosing(attempt, "rectify", observation, wish, build, self._admission.weighs)
        return self._append(attempt, ("rectify", observation, wish), chosen)

    def _choosing(
        self,
        attempt: Attempt,
        action: ProposedAction,
        observation: UUID,
        wish: Value,
        build: Build,
        weighs: Callable[[YearState, Reading], bool],
    ) -> Build:
        """Return what records the wish, or proposes it where a signed-in person's wish weighs."""
        if attempt.person is None:
            return build
        propose = self._proposing(attempt, action, wish, build, about=observation)

        def choose(moment: datetime) -> Append:
            recorded = build(moment)
            state = self.observation(observation)
            return propose(moment) if weighs(self._known_year(state.year), state.reading) else recorded

        return choose

    def _rectifying(self, attempt: Attempt, observation: UUID, wish: Rectify) -> Build:
        def build(moment: datetime) -> Append:
            state = self.observation(observation)
            year = self._open_year(state.year)
            decide_rectify(state, wish.on)
            event = ObservationRectified(
                **self._head(observation, state.version + 1, moment, attempt),
                year=state.year,
                on=wish.on,
                note=wish.note,
                evidence=wish.evidence,
            )
            return Append([event], {self.stream("year", state.year): year.version, observation: state.version})

        return build

    def check_observation(self, year: int, wish: Observe) -> None:
        """Refuse what `observe` would refuse, and record nothing."""
        self._reading(self._open_year(year), wish)

    def _observing(self, attempt: Attempt, year: int, observations: Sequence[Observe]) -> Build:
        def build(moment: datetime) -> Append:
            state = self._open_year(year)
            readings = self._admitted(state, observations)
            events = [
                self._proposal(attempt, moment, "observe", wish, year, None, {}, at)
                if attempt.person is not None and self._admission.weighs(state, reading)
                else ObservationObserved.model_construct(
                    **self._head(self.stream("observation", attempt.key, at), 1, moment, attempt),
                    year=year,
                    reading=reading,
                    evidence=wish.evidence,
                    note=wish.note,
                )
                for at, (wish, reading) in enumerate(zip(observations, readings, strict=True))
            ]
            return Append(events, {self.stream("year", year): state.version})

        return build

    def _amending(self, attempt: Attempt, observation: UUID, wish: Amend) -> Build:
        def build(moment: datetime) -> Append:
            state = self.observation(observation)
            year = self._open_year(state.year)
            reading = decide_amend(year, state, wish.changes, self._admission)
            event = ObservationAmended(
                **self._head(observation, state.version + 1, moment, attempt),
                year=state.year,
                changes=wish.changes,
                reading=reading,
                reason=wish.reason,
                evidence=wish.evidence,
            )
            return Append([event], {self.stream("year", state.year): year.version, observation: state.version})

        return build

    def _voiding(self, attempt: Attempt, observation: UUID, wish: Void) -> Build:
        def build(moment: datetime) -> Append:
            state = self.observation(observation)
            year = self._open_year(state.year)
            decide_void(state)
            event = ObservationVoided(
                **self._head(observation, state.version + 1, moment, attempt),
                year=state.year,
                reason=wish.reason,
                evidence=wish.evidence,
            )
            return Append([event], {self.stream("year", state.year): year.version, observation: state.version})

        return build

    def _open_year(self, year: int) -> YearState:
        """The year as this process knows it; refuses one that is closed."""
        state = self._known_year(year)
        state.refuse_closed()
        return state

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
        decide_observe(year, reading, self._admission)
        return reading
