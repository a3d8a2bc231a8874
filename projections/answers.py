"""From a year's view, or from what a command recorded, to the answers that are shown: see `projections.answer_models`.

Nothing is computed here that the engine computes, and nothing is chosen: whether a unit or an observation exists is
the caller's question to the view.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date
from decimal import Decimal
from operator import attrgetter
from typing import Any

from ledger.commands import Receipt
from ledger.decisions import Unit, YearState
from ledger.events import Event, Evidence, SchemeAdopted, SchemeReference, YearOpened
from ledger.rejection import rejected
from projections.answer_models import (
    AdoptionAnswer,
    AmendmentAnswer,
    EffectAnswer,
    EntryAnswer,
    FactAnswer,
    GroupAnswer,
    HistoryAnswer,
    JurisdictionAnswer,
    LeftOutAnswer,
    LineAnswer,
    NameAnswer,
    ObservationAnswer,
    OutputAnswer,
    PlaceAnswer,
    RankedGroup,
    RankingAnswer,
    ReadingAnswer,
    ReceiptAnswer,
    RowAnswer,
    SectionsAnswer,
    SheetAnswer,
    Shown,
    UnitAnswer,
    VetoAnswer,
    VoidedAnswer,
    YearAnswer,
    YearSheets,
)
from projections.own_sight import ratings_together, without_rater
from projections.scheme_files import vocabulary
from projections.years import FactEntry, YearView
from schemes.exact import plain
from schemes.fact import AttributeValue, Fact
from schemes.history import HistoryLine
from schemes.scheme import Indicator, Scheme, Stage, Veto
from schemes.scoring import Effect, IndicatorScore
from schemes.sheets import Sheet
from schemes.subtotals import Subtotals

_NOTHING: Mapping[str, Sequence[str]] = {}


def sheet_answer(view: YearView, unit: Unit) -> SheetAnswer:
    """Return the sheet of a unit assessed on the day."""
    sheet = view.sheets()[unit.key]
    group = view.scheme.group(sheet.group)
    scored = {row.indicator.id for row in sheet.score.rows}
    rows = group.indicators if group else ()
    return SheetAnswer(
        **standing(view),
        unit=unit.name_on(view.as_of),
        key=unit.key,
        group=sheet.group,
        group_title=_title(view.scheme, sheet.group),
        total=plain(sheet.total),
        rank=sheet.rank,
        grade=sheet.grade,
        base=plain(sheet.score.section("base")),
        bonus=plain(sheet.score.section("bonus")),
        penalty=plain(sheet.score.section("penalty")),
        pending=list(sheet.pending),
        lowest=plain(sheet.lowest),
        highest=plain(sheet.highest),
        rows=[_row(view, row) for row in sheet.score.rows],
        not_applicable=[_left_out(row) for row in rows if row.id not in scored],
        sections=[_sections(stage, part) for stage, part in _stages(view.scheme, sheet)],
        vetoes=[_veto(veto) for veto in sheet.score.vetoes],
        outputs=[
            OutputAnswer(
                id=output.id,
                titles=list(output.titles),
                clause=output.clause,
                value=_plain_or_none(sheet.outputs[output.id]),
            )
            for output in view.scheme.outputs
        ],
    )


def sheets_answer(view: YearView) -> YearSheets:
    """Return the sheets of all units assessed on the day."""
    return YearSheets(**standing(view), sheets=[sheet_answer(view, unit) for unit in view.units])


def ranking_answer(view: YearView) -> RankingAnswer:
    """Return the ranking of every group."""
    found = view.sheets()
    groups = []
    for group in view.state.groups:
        units = [unit for unit in view.units if unit.group == group]
        units.sort(key=lambda unit: found[unit.key].rank)
        places = [_place(view, unit, found[unit.key]) for unit in units]
        groups.append(RankedGroup(group=group, title=_title(view.scheme, group), places=places))
    return RankingAnswer(**standing(view), groups=groups)


def history_answer(view: YearView, unit: Unit) -> HistoryAnswer:
    """Return the history of a unit assessed on the day."""
    history = view.history(unit)
    return HistoryAnswer(
        **standing(view),
        unit=unit.name_on(view.as_of),
        key=unit.key,
        group=unit.group,
        total=plain(history.total),
        lines=[_line(view, line) for line in _lines(view, history.lines)],
        unscored=[_fact(view, fact) for fact in history.untouched],
        amendments=sorted(_amendments(view, unit), key=attrgetter("recorded_at")),
        voided=sorted(_voided(view, unit), key=attrgetter("recorded_at")),
    )


def observation_answer(
    view: YearView, observation: str, pending: Mapping[str, Sequence[str]] = _NOTHING
) -> ObservationAnswer:
    """Return an observation of the year with all its entries; refuses one that is not known at the moment.

    `pending` are the open proposals by what they are about.
    """
    entries = view.entries_of(observation)
    if not entries:
        raise rejected("unknown-observation", "observation", f"no observation {observation} in {view.state.year}")
    rectified = [entry.said.rectified_on for entry in entries if entry.entry == "rectify"]
    return ObservationAnswer(
        observation=observation,
        jurisdiction=view.scheme.jurisdiction.code,
        year=view.state.year,
        status="void" if any(entry.entry == "void" for entry in entries) else "counts",
        version=len(entries),
        reading=_last_reading(entries),
        rectified_on=rectified[-1] if rectified else None,
        pending=[*pending.get(observation, ())],
        entries=[_entry(view, entry) for entry in entries],
    )


def receipt_answer(receipt: Receipt) -> ReceiptAnswer:
    """Return what a command recorded, one event of it."""
    event = receipt.event
    return ReceiptAnswer(
        position=receipt.position,
        leaf_hash=receipt.leaf_hash.hex(),
        recorded_at=event.recorded_at.astimezone(UTC),
        event=event.wire,
        observation=str(event.originator_id) if event.wire.startswith("observation.") else None,
        proposal=str(event.originator_id) if event.wire.startswith("proposal.") else None,
        version=event.originator_version,
    )


def unit_answer(unit: Unit) -> UnitAnswer:
    """Return a unit of a year."""
    return UnitAnswer(
        name=unit.name_on(date.max),
        key=unit.key,
        group=unit.group,
        joined_on=unit.joined_on,
        left_on=unit.left_on,
        names=[NameAnswer(since=since, name=name) for since, name in unit.names],
    )


def year_answer(code: str, state: YearState, scheme: Scheme) -> YearAnswer:
    """Return an open year with the scheme in force; refuses, as `YearState.opened` does, a year not open."""
    period, reference = state.opened()
    return YearAnswer(
        jurisdiction=code,
        year=state.year,
        first=period.first,
        last=period.last,
        title=scheme.document.title,
        scheme=reference,
        groups=[
            GroupAnswer(
                id=group,
                title=_title(scheme, group),
                units=sum(unit.group == group for unit in state.units.values()),
            )
            for group in state.groups
        ],
    )


def jurisdiction_answer(code: str, position: int, years: Sequence[tuple[YearState, Scheme]]) -> JurisdictionAnswer:
    """Return a jurisdiction with its open years, oldest first; its name is the latest scheme's."""
    return JurisdictionAnswer(
        code=code,
        name=years[-1][1].jurisdiction.name if years else None,
        position=position,
        years=[year_answer(code, state, scheme) for state, scheme in years],
    )


def adoption_answers(events: Iterable[Event], scheme: Callable[[str], Scheme]) -> list[AdoptionAnswer]:
    """Return the scheme versions that a year's events put in force, oldest first; `scheme` finds one by its digest."""
    adopted = [event for event in events if isinstance(event, YearOpened | SchemeAdopted)]
    return [
        AdoptionAnswer(
            scheme=event.scheme,
            title=scheme(event.scheme.digest).document.title,
            first=event.period.first,
            last=event.period.last,
            since=event.recorded_at,
            actor=event.actor,
            reason=event.reason if isinstance(event, SchemeAdopted) else None,
            in_force=event is adopted[-1],
        )
        for event in adopted
    ]


def standing(view: YearView, version: SchemeReference | None = None) -> dict[str, Any]:
    """Return what an answer about the view was worked out from; `version` where it is not the scheme in force."""
    _, in_force = view.state.opened()
    return {
        "jurisdiction": view.scheme.jurisdiction.code,
        "year": view.state.year,
        "as_of": view.as_of,
        "known_at": view.known_at,
        "scheme": version or in_force,
        "position": view.position,
    }


def _row(view: YearView, row: IndicatorScore) -> RowAnswer:
    indicator = row.indicator
    judged = indicator.judged
    return RowAnswer(
        indicator=indicator.id,
        titles=list(indicator.titles),
        clause=indicator.clause,
        section=indicator.section,
        stage=indicator.stage,
        points=plain(indicator.points),
        start=plain(row.start),
        value=plain(row.value),
        pending=row.pending,
        minimum=plain(judged.min) if judged else None,
        maximum=plain(judged.max) if judged else None,
        judged_by=_fact(view, row.judged_by) if row.judged_by else None,
        account=row.account,
        effects=[_effect(view, indicator, effect) for effect in row.effects],
        forfeits=[_fact(view, fact) for fact in row.forfeits],
        informing=[_fact(view, fact) for fact in row.informing],
    )


def _effect(view: YearView, indicator: Indicator, effect: Effect) -> EffectAnswer:
    return EffectAnswer(
        effect=indicator.rules[effect.rule].effect,
        nominal=plain(effect.nominal),
        effective=plain(effect.effective),
        fact=None if effect.fact is None else _fact(view, effect.fact),
    )


def _left_out(row: Indicator) -> LeftOutAnswer:
    return LeftOutAnswer(
        indicator=row.id,
        titles=list(row.titles),
        clause=row.clause,
        section=row.section,
        stage=row.stage,
        points=plain(row.points),
    )


def _stages(scheme: Scheme, sheet: Sheet) -> Iterator[tuple[Stage | None, Subtotals]]:
    return zip(scheme.stages or (None,), sheet.score.sections, strict=True)


def _sections(stage: Stage | None, part: Subtotals) -> SectionsAnswer:
    return SectionsAnswer(
        stage=stage.id if stage else None,
        title=stage.title if stage else None,
        weight=plain(stage.weight) if stage else None,
        base=plain(part.base),
        bonus=plain(part.bonus),
        penalty=plain(part.penalty),
        base_rows=plain(part.base_rows),
        bonus_rows=plain(part.bonus_rows),
        penalty_rows=plain(part.penalty_rows),
        gated=part.gated,
    )


def _veto(veto: Veto) -> VetoAnswer:
    return VetoAnswer(
        id=veto.id, title=veto.title, clause=veto.clause, grade=veto.grade, total=_plain_or_none(veto.total)
    )


def _place(view: YearView, unit: Unit, sheet: Sheet) -> PlaceAnswer:
    return PlaceAnswer(
        rank=sheet.rank,
        unit=unit.name_on(view.as_of),
        total=plain(sheet.total),
        grade=sheet.grade,
        pending=len(sheet.pending),
        lowest=plain(sheet.lowest),
        highest=plain(sheet.highest),
    )


def _fact(view: YearView, fact: Fact) -> FactAnswer:
    derived = bool(fact.sources)
    said = [] if derived else view.entries_of(fact.id)
    shown = fact if view.sight is None else without_rater(fact)
    return FactAnswer(
        observation=None if derived else fact.id,
        derived_from=list(fact.sources),
        position=fact.position,
        kind=fact.kind,
        label=_label(fact.kind),
        occurred_on=fact.occurred_on,
        count=fact.count,
        attributes=_shown(shown.attributes),
        note=said[0].note if said else None,
        rectified_on=fact.rectified_on,
    )


def _lines(view: YearView, lines: Sequence[HistoryLine]) -> Iterable[HistoryLine]:
    return lines if view.sight is None else ratings_together(lines)


def _line(view: YearView, line: HistoryLine) -> LineAnswer:
    fact, indicator = line.fact, line.indicator
    said = view.entries_of(fact.id) if fact else []
    return LineAnswer(
        day=fact.occurred_on if fact else None,
        recorded_at=said[0].recorded_at if said else None,
        fact=_fact(view, fact) if fact else None,
        evidence=_evidence_of(view, fact) if fact else [],
        indicator=indicator.id if indicator else None,
        titles=list(indicator.titles) if indicator else [],
        clause=indicator.clause if indicator else None,
        stage=indicator.stage if indicator else None,
        rules=[indicator.rules[at].effect for at in line.rules] if indicator else [],
        nominal=_plain_or_none(line.nominal),
        indicator_points=plain(line.indicator_points),
        effective=plain(line.effective),
        swallowed_by=list(line.swallowed_by),
        running_indicator=_plain_or_none(line.running_indicator),
        running_total=plain(line.running_total),
    )


def _evidence_of(view: YearView, fact: Fact) -> list[Evidence]:
    """All that the observation, or those that a derived fact comes from, rest on by now, each once."""
    observations = fact.sources or (fact.id,)
    said = (one for name in observations for entry in view.entries_of(name) for one in _evidence(entry))
    return list(dict.fromkeys(said))


def _amendments(view: YearView, unit: Unit) -> Iterator[AmendmentAnswer]:
    """The corrections that took a fact to the unit, away from it, or changed one of its own."""
    for entries in view.observations_of(unit):
        before = None
        for entry in entries:
            if entry.entry == "amend":
                yield AmendmentAnswer(
                    observation=entry.observation,
                    recorded_at=entry.recorded_at,
                    actor=entry.actor,
                    reason=entry.reason,
                    before=_reading_or_none(before),
                    after=_reading_or_none(entry.said.fact),
                    evidence=_evidence(entry),
                )
            if entry.entry in ("observe", "amend"):
                before = entry.said.fact


def _voided(view: YearView, unit: Unit) -> Iterator[VoidedAnswer]:
    for entries in view.observations_of(unit):
        last, reading = entries[-1], _last_reading(entries)
        if last.entry == "void" and view.state.unit(reading.unit) == unit:
            yield VoidedAnswer(
                observation=last.observation,
                recorded_at=last.recorded_at,
                actor=last.actor,
                reason=last.reason,
                reading=reading,
                evidence=_evidence(last),
            )


def _entry(view: YearView, entry: FactEntry) -> EntryAnswer:
    decision = view.decisions.get(entry.position)
    return EntryAnswer(
        position=entry.position,
        entry=entry.said.entry,
        recorded_at=entry.recorded_at,
        actor=entry.actor,
        reading=_reading_or_none(entry.said.fact),
        rectified_on=entry.said.rectified_on,
        reason=entry.reason,
        note=entry.note,
        evidence=_evidence(entry),
        decision=None if decision is None else str(decision),
    )


def _last_reading(entries: Sequence[FactEntry]) -> ReadingAnswer:
    return next(_reading(entry.said.fact) for entry in reversed(entries) if entry.said.fact is not None)


def _reading_or_none(fact: Fact | None) -> ReadingAnswer | None:
    return None if fact is None else _reading(fact)


def _reading(fact: Fact) -> ReadingAnswer:
    return ReadingAnswer(
        unit=fact.unit,
        kind=fact.kind,
        label=_label(fact.kind),
        occurred_on=fact.occurred_on,
        count=fact.count,
        attributes=_shown(fact.attributes),
    )


def _evidence(entry: FactEntry) -> list[Evidence]:
    return [Evidence.model_validate(one) for one in entry.evidence]


def _shown(attributes: Mapping[str, AttributeValue]) -> dict[str, Shown]:
    return {name: _shown_value(value) for name, value in attributes.items()}


def _shown_value(value: AttributeValue) -> Shown:
    if isinstance(value, Decimal):
        return plain(value)
    return list(value) if isinstance(value, tuple) else value


def _label(kind: str) -> str:
    return vocabulary().kinds[kind].label


def _title(scheme: Scheme, group: str) -> str:
    found = scheme.group(group)
    return found.title if found else group


def _plain_or_none(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)
