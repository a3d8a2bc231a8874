"""What the models of a scheme cannot see on their own: names that must exist, ids that must differ, order of steps.

Findings come back as (code, path, message); `schemes.reading` adds file and line. What can be used as it is, but
should be looked at, is `schemes.linting.lint`'s.

A table must give one answer for every value, no gap and no overlap:

1. `tiers`, `by_value`: each step holds from its bound on, up to the next step's. The bounds rise; two alike would
   overlap. Below the first step the table gives 0, which is no gap.
2. `by_rank`: each place holds up to its rank, from the place before it on. The ranks rise.
3. `bands`: each holds from its bound on, up to the bound before it. The bounds fall, and only the last has none: a
   bound on it would leave totals without a grade, null before it would leave nothing to those after. Each grade
   stands once.
4. `quotas`: the two ends are no more than the whole group, the middle is the rest; the three grades differ. Bands
   and quotas do not stand together.
5. A selection names each kind once: named twice, its facts would count twice.

Names that look alike must be alike: units and ids hold no space, nothing unseen, and no mark that a list or a text in
quotes was meant by.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal

from schemes.conditions import RECTIFIED, Comparison, Where
from schemes.rules import (
    Award,
    ByCount,
    ByMetric,
    ByRank,
    ByRankingFact,
    ByValue,
    Checklist,
    Deduct,
    Discretion,
    IfTotal,
    Judged,
    MeanRating,
    Milestone,
    PriorGrade,
    Proportional,
    Rule,
    Selection,
    Shortfall,
    Tiers,
)
from schemes.scheme import Group, Indicator, Quotas, Scheme, VetoFacts
from schemes.vocabulary import (
    Attribute,
    CodeAttribute,
    CodesAttribute,
    ItemAttribute,
    Vocabulary,
)

Path = tuple[str | int, ...]
Finding = tuple[str, Path, str]
_ITEM_CODE = re.compile(r"[a-z][a-z0-9_]*")
_BETWEEN_UNITS = "，、；;,"
_QUOTES = "“”‘’"


def inconsistencies(scheme: Scheme, vocabulary: Vocabulary) -> list[Finding]:
    """Return every inconsistency of the scheme; an empty list when it can be used.

    `vocabulary` is that of all schemes: the scheme's own items are added here.
    """
    found = [*_names(scheme), *_own_items(scheme, vocabulary), *_stages(scheme)]
    vocabulary = vocabulary.extended(scheme.items)
    found += _duplicates("group", [group.id for group in scheme.groups], ("groups",))
    units = [unit for group in scheme.groups for unit in group.units]
    found += [
        ("scheme-duplicate-unit", ("groups",), f"the unit {unit} stands {times} times, expected once")
        for unit, times in Counter(units).items()
        if times > 1
    ]
    for what, parts in (("stage", scheme.stages), ("veto", scheme.vetoes), ("output", scheme.outputs)):
        found += _duplicates(what, [part.id for part in parts], (f"{what}es" if what == "veto" else f"{what}s",))
    found += _bands(scheme)
    if not scheme.period.first.year <= scheme.year <= scheme.period.last.year:
        span = f"{scheme.period.first} to {scheme.period.last}"
        found.append(("scheme-year-outside-period", ("year",), f"no day of {scheme.year} is in the period {span}"))
    for at, veto in enumerate(scheme.vetoes):
        if isinstance(veto.when, VetoFacts):
            found += _selection(veto.when, ("vetoes", at, "when"), vocabulary)
            found += _same(veto.when, ("vetoes", at, "when", "same"), vocabulary)
    for at, output in enumerate(scheme.outputs):
        found += _item(output.metric, ("outputs", at, "metric"), vocabulary)
    for at, group in enumerate(scheme.groups):
        found += _group(group, ("groups", at), scheme, vocabulary)
    return found


def _duplicates(what: str, names: Sequence[str], path: Path) -> Iterator[Finding]:
    for name, times in Counter(names).items():
        if times > 1:
            yield (
                f"scheme-duplicate-{what}",
                path,
                f"the {what} id {name!r} stands {times} times, expected once",
            )


def _names(scheme: Scheme) -> Iterator[Finding]:
    """Ids and units as they would be typed again: a space or a quotation mark within one is nobody's intention."""
    for name in ("stages", "vetoes", "outputs", "groups"):
        for at, part in enumerate(getattr(scheme, name)):
            yield from _id(part.id, (name, at, "id"))
    for at, group in enumerate(scheme.groups):
        for number, row in enumerate(group.indicators):
            yield from _id(row.id, ("groups", at, "indicators", number, "id"))
        for number, unit in enumerate(group.units):
            path = ("groups", at, "units", number)
            yield from _unseen(unit, path)
            mark = next((one for one in unit if one in _BETWEEN_UNITS), None)
            quote = next((one for one in unit if one in _QUOTES), None)
            if mark is not None:
                yield ("scheme-name", path, f"found {unit!r} with {mark!r}; write a half-width comma between units")
            elif quote is not None:
                yield ("scheme-name", path, f"found {unit!r} with {quote!r}, expected a name without quotation marks")


def _id(name: str, path: Path) -> Iterator[Finding]:
    yield from _unseen(name, path)
    if any(one in _QUOTES for one in name):
        yield ("scheme-name", path, f'found {name!r}; write half-width quotation marks around it: "1.1"')


def _unseen(name: str, path: Path) -> Iterator[Finding]:
    for at, one in enumerate(name, start=1):
        if one.isspace() or unicodedata.category(one) in ("Cc", "Cf"):
            called = unicodedata.name(one, f"U+{ord(one):04X}").lower()
            yield ("scheme-name", path, f"found {name!r} with {called} as character {at}, expected none; delete it")
            return
    if not name:
        yield ("scheme-name", path, "found an empty text, expected a name")


def _own_items(scheme: Scheme, vocabulary: Vocabulary) -> Iterator[Finding]:
    for code in scheme.items:
        if code in vocabulary.items:
            known = f"{code!r} is an item of the vocabulary already: {vocabulary.items[code]}"
            yield ("scheme-known-item", ("items", code), f"{known}; take it out, or choose another code")
        elif not _ITEM_CODE.fullmatch(code):
            expected = "expected lower-case letters, digits and underscores, beginning with a letter"
            yield ("scheme-item-code", ("items", code), f"found {code!r}, {expected}, like village_affairs")


def _stages(scheme: Scheme) -> Iterator[Finding]:
    for at, stage in enumerate(scheme.stages):
        if stage.weight > 1:
            message = f"found {stage.weight}, expected at most 1; 0.7 is meant for 70%"
            yield ("scheme-weight", ("stages", at, "weight"), message)
        window = stage.window
        if window is not None and (window.last < scheme.period.first or window.first > scheme.period.last):
            span = f"{scheme.period.first} to {scheme.period.last}"
            message = f"no day of {window.first} to {window.last} is in the period {span}"
            yield ("scheme-window-outside-period", ("stages", at, "window"), message)


def _bands(scheme: Scheme) -> Iterator[Finding]:
    before: Decimal | None = None
    for at, band in enumerate(scheme.bands):
        path: Path = ("bands", at, "at_least")
        is_last = at == len(scheme.bands) - 1
        if is_last != (band.at_least is None):
            found = "no lower bound" if band.at_least is None else f"the lower bound {band.at_least}"
            expected = "null on the last band" if is_last else "one on every band but the last"
            yield ("scheme-bands", path, f"found {found}, expected {expected}")
        if band.at_least is not None and before is not None and band.at_least >= before:
            message = f"found {band.at_least} after {before}, expected lower bounds that fall from band to band"
            yield ("scheme-bands", path, message)
        before = band.at_least if band.at_least is not None else before
    for grade, times in Counter(band.grade for band in scheme.bands).items():
        if times > 1:
            yield ("scheme-bands", ("bands",), f"the grade {grade} stands {times} times, expected once")


def _group(group: Group, path: Path, scheme: Scheme, vocabulary: Vocabulary) -> Iterator[Finding]:
    yield from _duplicates("indicator", [row.id for row in group.indicators], (*path, "indicators"))
    if group.quotas is not None:
        yield from _quotas(group.quotas, (*path, "quotas"), scheme)
    for at, row in enumerate(group.indicators):
        yield from _indicator(row, (*path, "indicators", at), group, scheme, vocabulary)


def _quotas(quotas: Quotas, path: Path, scheme: Scheme) -> Iterator[Finding]:
    if quotas.top.share + quotas.bottom.share > 1:
        yield ("scheme-quotas", path, "the two shares are more than the whole group")
    if len({quotas.top.grade, quotas.middle, quotas.bottom.grade}) < 3:
        yield ("scheme-quotas", path, "expected three grades that differ")
    if scheme.bands:
        yield ("scheme-quotas", path, "expected either bands or quotas, found both")


def _indicator(row: Indicator, path: Path, group: Group, scheme: Scheme, vocabulary: Vocabulary) -> Iterator[Finding]:
    stages = [stage.id for stage in scheme.stages]
    if stages and row.stage not in stages:
        yield ("scheme-stage", (*path, "stage"), f"found {row.stage!r}, expected one of {', '.join(stages)}")
    if not stages and row.stage is not None:
        yield ("scheme-stage", (*path, "stage"), f"found {row.stage!r}, but the scheme has no stages")
    if row.floor is not None and row.ceiling is not None and row.floor > row.ceiling:
        yield ("scheme-bounds", path, f"the floor {row.floor} is above the ceiling {row.ceiling}")
    if row.section == "penalty" and row.start == "full":
        yield ("scheme-start", (*path, "start"), "a penalty row starts at 0; expected zero")
    if row.applies_to:
        named = row.applies_to.only if row.applies_to.only is not None else row.applies_to.all_but or ()
        for unit in named:
            if unit not in group.units:
                yield (
                    "scheme-unknown-unit",
                    (*path, "applies_to"),
                    f"{unit} is not a unit of group {group.id}{_several(unit)}",
                )
    if sum(isinstance(rule, Judged | Proportional | ByValue) for rule in row.rules) > 1:
        yield (
            "scheme-two-values",
            (*path, "rules"),
            "expected at most one of judged, proportional, by_value",
        )
    pools: dict[str, str] = {}
    for at, rule in enumerate(row.rules):
        here = (*path, "rules", at)
        pool = rule.pool if isinstance(rule, Deduct | Award) else None
        if pool is not None and pools.setdefault(pool, rule.effect) != rule.effect:
            yield ("scheme-mixed-pool", (*here, "pool"), f"pool {pool!r} mixes deduct and award")
        yield from _rule(rule, here, row, vocabulary)


def _several(name: str) -> str:
    return "; write a half-width comma between units" if any(one in _BETWEEN_UNITS for one in name) else ""


def _signs(rule: Rule) -> set[int]:
    """The signs of the points a rule can give; none for a rule that sets or lists."""
    match rule:
        case Deduct() | Shortfall():
            return {-1}
        case Award() | Milestone() | IfTotal() | MeanRating() | PriorGrade():
            return {1}
        case Tiers() | ByRank():
            return {1 if rule.direction == "award" else -1}
        case Discretion():
            return {1 if rule.section == "bonus" else -1}
        case Checklist():
            return {1 if rule.mode == "earn" else -1}
        case _:
            return set()


def _rule(rule: Rule, path: Path, row: Indicator, vocabulary: Vocabulary) -> Iterator[Finding]:
    refused = {"base": 0, "bonus": -1, "penalty": 1}[row.section]
    if refused in _signs(rule):
        yield ("scheme-direction", path, f"{rule.effect} does not fit the {row.section} section")
    if isinstance(rule, Selection):
        yield from _selection(rule, path, vocabulary)
    match rule:
        case Checklist():
            for item in rule.items:
                yield from _item(item, (*path, "items", item), vocabulary)
        case ByRank(source=ByCount() as source):
            yield from _selection(source.count, (*path, "source", "count"), vocabulary)
        case ByRank(source=ByRankingFact(ranking=name)) | ByRank(source=ByMetric(metric=name)):
            yield from _item(name, (*path, "source"), vocabulary)
        case Shortfall(metric=name) | Proportional(metric=name) | ByValue(metric=name):
            yield from _item(name, (*path, "metric"), vocabulary)
        case Milestone():
            for at, condition in enumerate(rule.conditions):
                yield from _selection(condition, (*path, "conditions", at), vocabulary)
        case _:
            pass
    yield from _steps(rule, path)


def _steps(rule: Rule, path: Path) -> Iterator[Finding]:
    """Tables are read from the first step to the last, so their bounds rise."""
    match rule:
        case Tiers():
            yield from _rising([step.times for step in rule.steps], (*path, "steps"))
        case ByRank():
            yield from _rising([place.rank for place in rule.places], (*path, "places"))
        case ByValue():
            yield from _rising([step.at_least for step in rule.steps], (*path, "steps"))
        case _:
            return


def _rising(bounds: Sequence[int | Decimal], path: Path) -> Iterator[Finding]:
    if list(bounds) != sorted(set(bounds)):
        yield ("scheme-steps", path, f"expected steps that rise, found {', '.join(map(str, bounds))}")


def _item(name: str, path: Path, vocabulary: Vocabulary) -> Iterator[Finding]:
    if name not in vocabulary.items:
        near = vocabulary.items_like(name)
        hint = f"; did you mean {near[0]!r}?" if near else "; add it to `items` with its label"
        yield ("scheme-unknown-item", path, f"found {name!r}, expected an item code of the vocabulary{hint}")


def _selection(selection: Selection, path: Path, vocabulary: Vocabulary) -> Iterator[Finding]:
    attributes: dict[str, list[Attribute]] = {}
    for kind, times in Counter(selection.kinds).items():
        if times > 1:
            yield ("scheme-duplicate-kind", (*path, "kinds"), f"{kind} stands {times} times, expected once")
    for kind in dict.fromkeys(selection.kinds):
        known = vocabulary.kinds.get(kind)
        if known is None:
            allowed = ", ".join(vocabulary.kinds)
            yield ("scheme-unknown-kind", (*path, "kinds"), f"found {kind!r}, expected one of {allowed}")
            continue
        for name, attribute in known.attributes.items():
            attributes.setdefault(name, []).append(attribute)
    if attributes:
        yield from _where(selection.where, (*path, "where"), attributes, vocabulary)


def _same(when: VetoFacts, path: Path, vocabulary: Vocabulary) -> Iterator[Finding]:
    """Facts without the attribute are never the same: a name that no kind has would never fire."""
    kinds = [vocabulary.kinds[kind] for kind in when.kinds if kind in vocabulary.kinds]
    known = list(dict.fromkeys(name for kind in kinds for name in kind.attributes))
    if kinds and when.same is not None and when.same not in known:
        allowed = ", ".join(known) or "none: the kinds have no attributes"
        yield ("scheme-unknown-attribute", path, f"found {when.same!r}, expected one of {allowed}")


def _where(
    where: Where, path: Path, attributes: dict[str, list[Attribute]], vocabulary: Vocabulary
) -> Iterator[Finding]:
    for name, test in where.tests.items():
        if name == RECTIFIED:
            if not isinstance(test, bool):
                yield ("scheme-predicate", (*path, name), f"found {test!r}, expected true or false")
            continue
        if name not in attributes:
            allowed = ", ".join([*attributes, RECTIFIED])
            yield ("scheme-unknown-attribute", (*path, name), f"found {name!r}, expected one of {allowed}")
            continue
        if isinstance(test, Comparison):
            continue
        for value in test if isinstance(test, tuple) else (test,):
            if not any(_possible(value, attribute, vocabulary) for attribute in attributes[name]):
                yield from _impossible(value, name, path, attributes[name][0], vocabulary)
    for key, parts in (("all", where.all_of), ("any", where.any_of)):
        for at, part in enumerate(parts):
            yield from _where(part, (*path, key, at), attributes, vocabulary)
    if where.none_of is not None:
        yield from _where(where.none_of, (*path, "not"), attributes, vocabulary)


def _possible(value: object, attribute: Attribute, vocabulary: Vocabulary) -> bool:
    match attribute:
        case CodeAttribute() | CodesAttribute():
            return value in attribute.values
        case ItemAttribute():
            return value in vocabulary.items
        case _:
            return not isinstance(value, bool)


def _impossible(
    value: object, name: str, path: Path, attribute: Attribute, vocabulary: Vocabulary
) -> Iterator[Finding]:
    if isinstance(attribute, ItemAttribute):
        yield from _item(str(value), (*path, name), vocabulary)
    elif isinstance(attribute, CodeAttribute | CodesAttribute):
        allowed = ", ".join(attribute.values)
        yield ("scheme-unknown-code", (*path, name), f"found {value!r}, expected one of {allowed}")
    else:
        yield ("scheme-predicate", (*path, name), f"found {value!r}, which {name} can never be")
