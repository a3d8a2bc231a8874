"""Differences of a group's rows and of the rules in them (see `schemes.comparing.differences`)."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from typing import Any

from schemes.comparing.changes import TEXTS, Change, Parameter, Walk, differing, id_of, with_values, woven
from schemes.comparing.matching import matched, matched_rules, row_content, rule_labels
from schemes.rules import Award, Deduct, Inform, Rule
from schemes.scheme import Group, Indicator

STAGES = "stages"
_ALONE = ("start", "per_account", "applies_to")
_WHOLE = ("section", "start", "points", "floor", "ceiling", "per_account", "applies_to", "rules")


@dataclass
class Staging:
    """The change of the set of stages, if there is one, and the rows that only it can move, add or remove.

    `old` and `new` are the stages a row may name; a version without stages has the one stage null.
    """

    old: frozenset[str | None]
    new: frozenset[str | None]
    made: bool
    rows: list[Parameter] = field(default_factory=list)

    @property
    def swapped(self) -> bool:
        """Whether the set of stages changes at all."""
        return self.old != self.new

    def moves(self, path: str, old: str | None, new: str | None) -> bool:
        """Whether a row's stage changes only with the set of stages; then notes it."""
        if not self.swapped or old == new or (old in self.new and new in self.old):
            return False
        self.rows.append(Parameter(f"{path}/stage", old, new))
        return True

    def brings(self, path: str, row: Indicator) -> bool:
        """Whether a row comes only with its stage; then notes it."""
        if not self.swapped or row.stage in self.old:
            return False
        self.rows.append(Parameter(path, None, row))
        return True

    def takes(self, path: str, row: Indicator) -> bool:
        """Whether a row goes only with its stage; then notes it."""
        if not self.swapped or row.stage in self.new:
            return False
        self.rows.append(Parameter(path, row, None))
        return True


def walk_rows(walk: Walk, old: Group, new: Group, staging: Staging) -> tuple[Indicator, ...]:
    """Return the rows of the old group with the chosen changes made."""
    found = matched(old.indicators, new.indicators, id_of, row_content)
    partner = dict(found.pairs)
    kept: list[tuple[int | None, Indicator]] = []
    for index, row in enumerate(old.indicators):
        path = f"{old.id}/{row.id}"
        if index in partner:
            other = new.indicators[partner[index]]
            at = Change(
                path, "row", "changed", group=old.id, indicator=row.id, clause=other.clause, titles=other.titles
            )
            kept.append((partner[index], row if row == other else _walk_row(walk, at, row, other, staging)))
        else:
            removed = Change(path, "row", "removed", (), True, old.id, row.id, row.clause, row.titles, (row,))
            if not (staging.made if staging.takes(path, row) else walk.picks(removed)):
                kept.append((None, row))
    added = []
    for index in found.added:
        row = new.indicators[index]
        path = f"{old.id}/{row.id}"
        change = Change(path, "row", "added", (), True, old.id, row.id, row.clause, row.titles, (), (row,))
        if staging.made if staging.brings(path, row) else walk.picks(change):
            added.append((index, row))
    return woven(kept, added)


def _walk_row(walk: Walk, at: Change, old: Indicator, new: Indicator, staging: Staging) -> Indicator:
    values: dict[str, Any] = {}
    if staging.moves(at.id, old.stage, new.stage):
        if staging.made:
            values["stage"] = new.stage
    else:
        values |= walk.fields(at, old, new, [("stage",)])
    values |= walk.fields(at, old, new, [("id",), *((name,) for name in Indicator.model_fields if name in TEXTS)])
    if old.section == new.section:
        values |= walk.fields(at, old, new, [*((name,) for name in _ALONE), *_bounds(old, new)])
        values["rules"] = _walk_rules(walk, at, old.rules, new.rules)
    else:
        whole = replace(at, parameters=differing(old, new, _WHOLE), old=(old,), new=(new,))
        if walk.picks(whole):
            values |= {name: getattr(new, name) for name in _WHOLE}
    return with_values(old, values)


def _bounds(old: Indicator, new: Indicator) -> list[tuple[str, ...]]:
    """The bounds that move together: a ceiling with the points it follows, all that would cross if one moved alone."""
    crossing = [(old.floor, new.ceiling), (new.floor, old.ceiling)]
    if any(floor is not None and ceiling is not None and floor > ceiling for floor, ceiling in crossing):
        return [("points", "ceiling", "floor")]
    if old.ceiling == old.points and new.ceiling == new.points:
        return [("points", "ceiling"), ("floor",)]
    return [("points",), ("ceiling",), ("floor",)]


def _walk_rules(walk: Walk, at: Change, old: tuple[Rule, ...], new: tuple[Rule, ...]) -> tuple[Rule, ...]:
    found = matched_rules(old, new)
    names, new_names = rule_labels(old), rule_labels(new)
    taken: dict[int, Rule] = {}
    for name, pairs in _bundles(old, new, found.pairs, names).items():
        parameters: list[Parameter] = []
        for before, after in pairs:
            parameters += [one for one in _differing(old[before], new[after]) if one not in parameters]
        before_all, after_all = tuple(old[one] for one, _ in pairs), tuple(new[one] for _, one in pairs)
        change = replace(
            _rule_change(at, name, before_all + after_all), parameters=tuple(parameters), old=before_all, new=after_all
        )
        if walk.picks(change):
            taken |= {before: new[after] for before, after in pairs}
    partner = dict(found.pairs)
    kept: list[tuple[int | None, Rule]] = []
    for index, rule in enumerate(old):
        removed = replace(_rule_change(at, names[index], (rule,)), kind="removed", old=(rule,))
        if index in partner or not walk.picks(removed):
            kept.append((partner.get(index), taken.get(index, rule)))
    added = [
        (index, new[index])
        for index in found.added
        if walk.picks(replace(_rule_change(at, new_names[index], (new[index],)), kind="added", new=(new[index],)))
    ]
    return woven(kept, added)


def _rule_change(at: Change, name: str, rules: tuple[Rule, ...]) -> Change:
    scores = not all(isinstance(rule, Inform) for rule in rules)
    return replace(at, id=f"{at.id}/rules/{name}", what="rule", scoring=scores)


def _bundles(
    old: tuple[Rule, ...], new: tuple[Rule, ...], pairs: list[tuple[int, int]], names: list[str]
) -> dict[str, list[tuple[int, int]]]:
    """The pairs that differ, by the name of their change: each its own, those of a pool whose `max` moves together."""
    differ = [(before, after) for before, after in pairs if _differing(old[before], new[after])]
    pools = {pair: pool for pair in differ if (pool := _moved_pool(old[pair[0]], new[pair[1]])) is not None}
    together = Counter(pools.values())
    bundles: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for pair in differ:
        pool = pools.get(pair)
        name = names[pair[0]] if pool is None or together[pool] == 1 else f"pool[{pool}]"
        bundles[name].append(pair)
    return bundles


def _moved_pool(old: Rule, new: Rule) -> str | None:
    if isinstance(old, Deduct | Award) and isinstance(new, Deduct | Award) and None not in (old.pool, new.pool):
        return old.pool if (old.pool, old.max) != (new.pool, new.max) else None
    return None


def _differing(old: Rule, new: Rule) -> tuple[Parameter, ...]:
    if type(old) is type(new):
        return differing(old, new, type(old).model_fields)
    names = dict.fromkeys((*type(old).model_fields, *type(new).model_fields))
    return tuple(Parameter(name, getattr(old, name, None), getattr(new, name, None)) for name in names)
