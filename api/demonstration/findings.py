"""What is found in a county's year: one finding for each fact, drawn from the plan's templates and tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from random import Random
from typing import TypeVar

from api.demonstration.issues import working_days, working_days_after
from api.demonstration.plan import AttributeTemplate, Between, Judgements, OneOf, Plan, Template
from projections.scheme_files import vocabulary
from schemes.exact import plain
from schemes.scheme import Indicator, Scheme
from schemes.working_days import reply_term

Option = TypeVar("Option")
AttributeValues = dict[str, str | int | list[str]]

STEEPNESS = 2
"""How much more often a bad unit has a problem than a middling one."""
ROUGHNESS = 0.4
"""How far what is judged or measured strays from a unit's quality."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact to report: about which unit, on which day, in which source, in which words."""

    unit: str
    kind: str
    on: date
    attributes: AttributeValues
    note: str
    source: str
    count: int = 1
    locator: str | None = None
    dated_by_issue: bool = False
    is_story: bool = True
    voided: str | None = None


def findings_of(scheme: Scheme, plan: Plan, chance: Random) -> list[Finding]:
    """Return all findings of the year; `chance` decides, the plan says what there is to decide."""
    year = _Year(scheme, plan, chance)
    return [
        *year.of_templates(),
        *year.of_requests(),
        *year.of_judgements(),
        *year.of_rankings(),
        *year.of_metrics(),
        *year.of_ratings(),
    ]


class _Year:
    def __init__(self, scheme: Scheme, plan: Plan, chance: Random) -> None:
        self._scheme = scheme
        self._plan = plan
        self._chance = chance
        self._units = [unit for group in scheme.groups for unit in group.units]
        self._days = working_days(plan.first, plan.last)
        self._quality: dict[str, float] = {}
        for group in scheme.groups:
            places = [(place + 0.5) / len(group.units) for place in range(len(group.units))]
            chance.shuffle(places)
            self._quality.update(zip(group.units, places, strict=True))
        self._quality.update(plan.quality)

    # --- templates ---------------------------------------------------------------------------------------------

    def of_templates(self) -> Iterator[Finding]:
        """Yield the findings of problems, merits and records."""
        lack = {unit: 0.02 + (1 - quality) ** STEEPNESS for unit, quality in self._quality.items()}
        skill = {unit: 0.02 + quality**STEEPNESS for unit, quality in self._quality.items()}
        even = dict.fromkeys(self._units, 1.0)
        for templates, weights in (
            (self._plan.problems, lack),
            (self._plan.merits, skill),
            (self._plan.records, even),
        ):
            for template in templates:
                for unit in self._units_of(template, weights):
                    yield self._finding(template, unit)

    def _units_of(self, template: Template, weights: Mapping[str, float]) -> list[str]:
        groups = [group for group in self._scheme.groups if not template.groups or group.id in template.groups]
        units = template.units or tuple(unit for group in groups for unit in group.units)
        if template.share is None:
            return self._chance.choices(units, [weights[unit] for unit in units], k=template.times)
        mean = sum(weights[unit] for unit in units) / len(units)
        return [unit for unit in units if self._chance.random() < template.share * (1 + weights[unit] / mean) / 2]

    def _finding(self, template: Template, unit: str) -> Finding:
        words = {name: self._chance.choice(options) for name, options in self._plan.words.items()} | {"unit": unit}
        attributes: AttributeValues = {
            name: self._attribute(value, words) for name, value in template.attributes.items()
        }
        count = self._chance.randint(*template.count)
        on = self._day(template.first, template.last)
        return Finding(
            unit,
            template.kind,
            on,
            attributes,
            self._chance.choice(template.notes).format_map(
                {**words, **attributes, **_labels(template.kind, attributes), "count": count}
            ),
            template.source,
            count,
            dated_by_issue=template.dated == "issue",
            is_story=bool(template.units),
            voided=template.voided,
        )

    def _attribute(self, template: AttributeTemplate, words: Mapping[str, str]) -> str | int | list[str]:
        match template:
            case OneOf():
                return self._attribute(self._chance.choice(template.one_of), words)
            case Between():
                return self._chance.randint(*template.between)
            case tuple():
                return list(template)
            case str():
                return template.format_map(words)
            case _:
                return template

    def _day(self, first: date | None, last: date | None) -> date:
        if first is None and last is None:
            return self._chance.choice(self._days)
        return self._chance.choice(working_days(first or self._plan.first, last or self._plan.last))

    # --- requests ----------------------------------------------------------------------------------------------

    def of_requests(self) -> Iterator[Finding]:
        """Yield receipts, extensions and answers; the first requests drawn are late, the next ones extended."""
        plan = self._plan.requests
        busy = [unit for unit, times in plan.busy.items() for _ in range(times)]
        drawn = self._chance.choices(self._units, [1.2 - quality for quality in self._quality.values()], k=plan.times)
        for serial, unit in enumerate([*drawn, *busy], start=1):
            number = plan.number.format(year=self._scheme.year, serial=serial)
            yield from self._request(unit, number, serial <= plan.late, plan.late < serial <= plan.late + plan.extended)

    def _request(self, unit: str, number: str, late: bool, extended: bool) -> Iterator[Finding]:
        days = self._days[: int(len(self._days) * 0.8)]
        received = self._chance.choice(days)
        term = reply_term(received)
        subject = self._chance.choice(self._plan.requests.subjects)

        def step(kind: str, on: date, what: str) -> Finding:
            return Finding(unit, kind, on, {"request": number}, what, self._plan.requests.source)

        yield step("request_received", received, f"收到申请，申请公开{subject}")
        if extended:
            yield step("request_extended", working_days_after(received, term - 3), "需征求第三方意见，经批准延期答复")
            yield step("request_answered", working_days_after(received, 2 * term - 4), "征求意见后已答复，予以部分公开")
        elif late:
            on = working_days_after(received, term + self._chance.randint(2, 9))
            yield step("request_answered", on, "答复书已送达，晚于法定期限")
        else:
            yield step(
                "request_answered", working_days_after(received, self._chance.randint(4, term - 2)), "已按期答复"
            )

    # --- judgements, rankings, metrics, ratings ----------------------------------------------------------------

    def of_judgements(self) -> Iterator[Finding]:
        """Yield one judgement for each judged row of each unit, but for those left pending."""
        plan = self._plan.judgements
        for group in self._scheme.groups:
            for row in group.indicators:
                if row.judged is None:
                    continue
                on = self._day(plan.first, plan.last)
                for unit in group.units:
                    if row.applies(unit) and self._chance.random() >= plan.pending:
                        yield self._judgement(plan, row, unit, on)

    def _judgement(self, plan: Judgements, row: Indicator, unit: str, on: date) -> Finding:
        judged = row.judged
        if judged is None:
            raise ValueError(f"expected a judged row, got {row.id}")
        steps = int((judged.max - judged.min) / plan.step)
        share = plan.lowest_share + (1 - plan.lowest_share) * self._about(unit)
        value = min(judged.max, judged.min + plan.step * round(share * steps))
        note = self._chance.choice(plan.notes).format(title=row.titles[-1], value=plain(value))
        attributes: AttributeValues = {"indicator": row.id, "value": plain(value)}
        return Finding(unit, "judgement", on, attributes, note, plan.source, locator=row.clause)

    def of_rankings(self) -> Iterator[Finding]:
        """Yield a rank for every unit of the ranked group: each rank once."""
        for ranking in self._plan.rankings:
            units = next(group.units for group in self._scheme.groups if group.id == ranking.group)
            for rank, unit in enumerate(sorted(units, key=self._about, reverse=True), start=1):
                note = ranking.note.format(rank=rank)
                attributes: AttributeValues = {"name": ranking.name, "rank": rank}
                yield Finding(unit, "ranking", ranking.day, attributes, note, ranking.source)

    def of_metrics(self) -> Iterator[Finding]:
        """Yield the figures measured."""
        for metric in self._plan.metrics:
            for unit in self._units:
                if self._chance.random() < metric.share:
                    tenths = round((metric.lowest + (metric.highest - metric.lowest) * self._about(unit)) * 10)
                    value = plain(Decimal(tenths).scaleb(-1))
                    attributes: AttributeValues = {"name": metric.name, "value": value}
                    yield Finding(
                        unit, "metric", metric.day, attributes, metric.note.format(value=value), metric.source
                    )

    def of_ratings(self) -> Iterator[Finding]:
        """Yield what units of the other groups think of each unit."""
        ratings = self._plan.ratings
        if ratings is None:
            return
        for group in self._scheme.groups:
            raters = [unit for other in self._scheme.groups if other is not group for unit in other.units]
            for unit in group.units:
                for rater in self._some(raters, ratings.raters):
                    value = round(ratings.lowest + (ratings.highest - ratings.lowest) * self._about(unit))
                    attributes: AttributeValues = {"value": str(value), "rater": rater}
                    on = self._day(ratings.first, ratings.last)
                    yield Finding(unit, "rating", on, attributes, ratings.note.format(rater=rater), ratings.source)

    def _about(self, unit: str) -> float:
        """Return the unit's quality with some roughness, between 0 and 1."""
        rough = self._quality[unit] + (self._chance.random() - 0.5) * 2 * ROUGHNESS
        return max(0.0, min(1.0, rough))

    def _some(self, options: Sequence[str], number: int) -> list[str]:
        return self._chance.sample(list(options), min(number, len(options)))


def _labels(kind: str, attributes: AttributeValues) -> dict[str, str]:
    """Return the Chinese labels of codes and items, under the attribute's name and `_label`."""
    labels = {}
    for name, value in attributes.items():
        known = vocabulary().kinds[kind].attributes[name]
        words = getattr(known, "values", vocabulary().items)
        codes = value if isinstance(value, list) else [value]
        labels[f"{name}_label"] = "、".join(words.get(code, str(code)) for code in codes)
    return labels
