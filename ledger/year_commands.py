"""Commands about a year as a whole: its scheme, its units, its terms, its close; and a scheme's official document."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from ledger.appending import Append, Appending, Build
from ledger.commands import Attempt, Frozen, OfficialDocument, Receipt, SchemeVersion, SetTerms
from ledger.decisions import (
    YearState,
    decide_adopt,
    decide_close,
    decide_join,
    decide_leave,
    decide_open,
    decide_release,
    decide_rename,
    decide_reopen,
    decide_terms,
    fold_year,
)
from ledger.events import (
    Event,
    GroupOfUnits,
    SchemeAdopted,
    SchemeDocumentRegistered,
    SchemeRegistered,
    SheetsReleased,
    UnitJoined,
    UnitLeft,
    UnitRenamed,
    YearClosed,
    YearOpened,
    YearReopened,
    YearTermsSet,
)
from ledger.rejection import rejected


class YearCommands(Appending):
    """What can be recorded about a year."""

    def open_year(
        self, attempt: Attempt, year: int, scheme: SchemeVersion, groups: Sequence[GroupOfUnits]
    ) -> list[Receipt]:
        """Open a year under a scheme version, with these groups and units."""

        def build(moment: datetime) -> Append:
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

        def build(moment: datetime) -> Append:
            state = self._known_year(year)
            state.refuse_closed()
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
            state.refuse_closed()
            decide_join(state, unit, group, on)
            return UnitJoined(**head, year=year, unit=unit, group=group, on=on, reason=reason)

        texts = {"unit": unit, "group": group, "reason": reason}
        return self._append_turn(attempt, year, ("join", year, unit, group, on, reason), build, texts)

    def leave_unit(self, attempt: Attempt, year: int, unit: str, on: date, reason: str) -> list[Receipt]:
        """Record that a unit is no longer assessed from a day on."""

        def build(state: YearState, head: Mapping[str, Any]) -> Event:
            state.refuse_closed()
            key = decide_leave(state, unit, on)
            return UnitLeft(**head, year=year, unit=key, on=on, reason=reason)

        texts = {"unit": unit, "reason": reason}
        return self._append_turn(attempt, year, ("leave", year, unit, on, reason), build, texts)

    def rename_unit(self, attempt: Attempt, year: int, unit: str, name: str, on: date, reason: str) -> list[Receipt]:
        """Record that a unit has another name from a day on."""

        def build(state: YearState, head: Mapping[str, Any]) -> Event:
            state.refuse_closed()
            key = decide_rename(state, unit, name, on)
            return UnitRenamed(**head, year=year, unit=key, name=name, on=on, reason=reason)

        texts = {"unit": unit, "name": name, "reason": reason}
        return self._append_turn(attempt, year, ("rename", year, unit, name, on, reason), build, texts)

    def set_terms(self, attempt: Attempt, year: int, wish: SetTerms) -> list[Receipt]:
        """Set the working days there are from now on to file an appeal and to decide one."""

        def build(state: YearState, head: Mapping[str, Any]) -> Event:
            decide_terms(state, wish.days_to_file, wish.days_to_decide)
            return YearTermsSet(**head, year=year, **dict(wish))

        return self._append_turn(attempt, year, ("terms", year, wish), build, {})

    def close_year(self, attempt: Attempt, year: int, frozen: Frozen, reason: str) -> list[Receipt]:
        """Close the year with its sheets as they were at the ledger's position.

        Raises `LedgerGrown` when anything has been recorded since: freeze again and ask again, under the same key.
        """
        stream = self.stream("year", year)

        def build(moment: datetime) -> Append:
            state = self._known_year(year)
            event = YearClosed(
                **self._head(stream, state.version + 1, moment, attempt),
                year=year,
                reason=reason,
                position=frozen.position,
                scheme=decide_close(state),
                sheets=sha256(frozen.sheets).hexdigest(),
            )
            return Append([event], {stream: state.version}, [frozen.sheets], frozen.position)

        return self._append_to_year(attempt, year, ("close", year, reason), build, {"reason": reason})

    def reopen_year(self, attempt: Attempt, year: int, reason: str) -> list[Receipt]:
        """Take entries again; what was frozen stays frozen."""

        def build(state: YearState, head: Mapping[str, Any]) -> Event:
            decide_reopen(state)
            return YearReopened(**head, year=year, reason=reason)

        return self._append_turn(attempt, year, ("reopen", year, reason), build, {"reason": reason})

    def release(self, attempt: Attempt, year: int, as_of: date, position: int | None, reason: str) -> list[Receipt]:
        """Let units see their own scores as of the day, as they stand at the ledger's position; None is its end."""

        def build(state: YearState, head: Mapping[str, Any]) -> Event:
            decide_release(state, as_of)
            size = self.ledger_recorder.head().size
            if position is not None and not 1 <= position <= size:
                message = f"found {position}, expected a position of the ledger from 1 to {size}"
                raise rejected("unknown-position", "position", message)
            return SheetsReleased(**head, year=year, as_of=as_of, position=position or size, reason=reason)

        return self._append_turn(attempt, year, ("release", year, as_of, position, reason), build, {"reason": reason})

    def register_document(
        self, attempt: Attempt, identifier: str, version: str, document: OfficialDocument
    ) -> list[Receipt]:
        """Keep the official document of a scheme version that the ledger has; a later one takes its place."""
        stream = self.stream("scheme", identifier)
        digest = sha256(document.content).hexdigest()

        def build(moment: datetime) -> Append:
            said = list(self.events.get(stream))
            registered = [one.scheme for one in said if isinstance(one, SchemeRegistered)]
            scheme = next((one for one in registered if one.version == version), None)
            if scheme is None:
                known = ", ".join(one.version for one in registered) or "none"
                message = (
                    f"found {identifier!r} version {version!r}, expected one of its versions in the ledger: {known}"
                )
                raise rejected("unknown-scheme", "scheme_id", message)
            event = SchemeDocumentRegistered(
                **self._head(stream, len(said) + 1, moment, attempt),
                scheme=scheme,
                title=document.title,
                media_type=document.media_type,
                digest=digest,
                size=len(document.content),
            )
            return Append([event], {stream: len(said)}, [document.content])

        wish = ("document", identifier, version, document.title, document.media_type, digest)
        return self._append(attempt, wish, build, {"title": document.title})

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

        def append(moment: datetime) -> Append:
            state = self._known_year(year)
            event = build(state, self._head(stream, state.version + 1, moment, attempt))
            return Append([event], {stream: state.version})

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

    def _with_scheme(self, event: Event, scheme: SchemeVersion, moment: datetime, attempt: Attempt) -> Append:
        """Put the scheme's registration before the event, unless the ledger has this version already."""
        stream = self.stream("scheme", scheme.id)
        said = list(self.events.get(stream))
        registered = [version for version in said if isinstance(version, SchemeRegistered)]
        expects = {event.originator_id: event.originator_version - 1, stream: len(said)}
        for version in registered:
            if version.scheme == scheme.reference:
                return Append([event], expects)
            if version.scheme.version == scheme.version:
                message = f"{scheme.id} version {scheme.version} is registered with another content; give a new version"
                raise rejected("scheme-version-taken", "scheme", message)
        head = self._head(stream, len(said) + 1, moment, attempt)
        registration = SchemeRegistered(**head, scheme=scheme.reference)
        return Append([registration, event], expects, [scheme.document])
