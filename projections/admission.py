"""What a ledger asks of the scheme in force and of the calendar before it records: see `ledger.decisions.Admission`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from ledger.decisions import Unit, YearState
from ledger.events import Reading
from ledger.rejection import Refusal, Rejection, rejected
from projections.proceedings.terms import term_end
from projections.scheme_files import vocabulary
from schemes.admission import admit
from schemes.fact import REQUEST_KINDS, AttributeValue, Fact
from schemes.figures import Figures, Roster
from schemes.rules import Forfeit, Inform, Judged, Selection
from schemes.scheme import Indicator, Scheme, VetoFacts
from schemes.scoring import Circumstances, judgements, touching
from schemes.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class _Words:
    """What an observation of a year may say, worked out once for each state of the year."""

    year: YearState
    scheme: Scheme
    vocabulary: Vocabulary
    roster: Roster


class SchemeAdmission:
    """The admission of one ledger; `scheme` finds a scheme by the digest of its document."""

    def __init__(self, scheme: Callable[[str], Scheme]) -> None:
        self._scheme = scheme
        self._words: dict[int, _Words] = {}

    def reading(self, year: YearState, reading: Reading) -> None:
        """Refuse a reading whose words or values the year's scheme does not know."""
        words = self._words_of(year)
        unit = year.unit(reading.unit)
        raw = _attributes(year, reading)
        name = unit.key if unit else reading.unit
        _, problems = admit(words.scheme, words.vocabulary, words.roster, name, reading.kind, reading.occurred_on, raw)
        if problems:
            raise Rejection(*(Refusal(one.code, one.where, one.message) for one in problems))

    def indicator(self, year: YearState, unit: Unit, indicator: str) -> None:
        """Refuse what is no row of the unit's sheet under the year's scheme."""
        scheme = self._words_of(year).scheme
        group = scheme.group(unit.group)
        rows = [row.id for row in group.indicators if row.applies(unit.key)] if group else []
        if indicator not in rows:
            message = f"found {indicator!r}, expected an indicator that applies to {unit.key}: {', '.join(rows)}"
            raise rejected("unknown-indicator", "indicator", message)

    def touches(self, year: YearState, unit: Unit, reading: Reading, indicator: str) -> bool:
        """Whether a rule of the unit's row looks at what the reading says, or at the late reply derived from it.

        Whether it was put right by then may decide for a rule, so both are asked; facts that a row only lists beside a
        judgement (`inform`) do not touch it.
        """
        words = self._words_of(year)
        group = words.scheme.group(unit.group)
        row = group.indicator(indicator) if group else None
        if row is None:
            return False
        values = words.vocabulary.typed(reading.kind, _attributes(year, reading))
        said = Fact("", 0, unit.key, reading.kind, reading.occurred_on, reading.count, values)
        return any(_touches(row, fact, words) for fact in _with_derived(said))

    def weighs(self, year: YearState, reading: Reading) -> bool:
        """Whether a second person has to approve the reading: discretion, and what a veto or a forfeit looks at.

        A veto on several facts together counts each of them in; whether the fact was put right may decide, so both
        are asked, and so is the late reply that may be derived from a request.
        """
        if reading.kind == "discretion":
            return True
        words = self._words_of(year)
        unit = year.unit(reading.unit)
        group = words.scheme.group(unit.group) if unit else None
        if unit is None or group is None:
            return False
        values = words.vocabulary.typed(reading.kind, _attributes(year, reading))
        said = Fact("", 0, unit.key, reading.kind, reading.occurred_on, reading.count, values)
        facts = _with_derived(said)
        conditions: list[Selection] = [veto.when for veto in words.scheme.vetoes if isinstance(veto.when, VetoFacts)]
        conditions += [
            rule for row in group.indicators if row.applies(unit.key) for rule in row.rules if isinstance(rule, Forfeit)
        ]
        return any(condition.matching({fact.kind: [fact]}) for condition in conditions for fact in facts)

    def term_end(self, start: date, working_days: int, before: date) -> date | None:
        """Return as `projections.proceedings.terms.term_end` does."""
        return term_end(start, working_days, before)

    def _words_of(self, year: YearState) -> _Words:
        words = self._words.get(year.year)
        # A year's state is never changed, only replaced.
        if words is None or words.year is not year:
            _, reference = year.opened()
            scheme = self._scheme(reference.digest)
            units = year.units.values()
            roster = {group: tuple(one.key for one in units if one.group == group) for group in year.groups}
            words = _Words(year, scheme.with_units(year.keys_by_name), vocabulary().extended(scheme.items), roster)
            self._words[year.year] = words
        return words


def _attributes(year: YearState, reading: Reading) -> Mapping[str, object]:
    """Return what the reading says, a rater under its key."""
    rater = year.unit(str(reading.attributes["rater"])) if "rater" in reading.attributes else None
    return reading.attributes if rater is None else {**reading.attributes, "rater": rater.key}


def _with_derived(said: Fact) -> list[Fact]:
    """Return the fact, the same put right, and the late reply that may be derived from it."""
    facts = [said, replace(said, rectified_on=said.occurred_on)]
    if said.kind in REQUEST_KINDS:
        late: dict[str, AttributeValue] = {**said.attributes, "matter": "disclosure_request"}
        facts.append(replace(said, kind="late_reply", attributes=late))
    return facts


def _touches(row: Indicator, fact: Fact, words: _Words) -> bool:
    alone = {fact.kind: [fact]}
    around = Circumstances(fact.unit, words.scheme.year, Figures({fact.unit: alone}, words.roster))
    return any(
        judgements(row, alone) if isinstance(rule, Judged) else touching(rule, alone, around)
        for rule in row.rules
        if not isinstance(rule, Inform)
    )
