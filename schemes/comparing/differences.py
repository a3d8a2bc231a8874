"""What one version of a scheme says otherwise than another, as changes that can each be made alone.

`changes` and `with_changes` are one walk over both versions side by side: where they differ it notes a change, and
keeps what the new version says there if that change was chosen, what the old one says if not.

1. Groups are paired by id, then by their units; rows by id, then by what they say; the rules of a row as
   `schemes.comparing.matching` says; vetoes by id, then by what they do; stages, outputs and items by id, labels by
   titles.
2. Order is no difference: not of rows, rules, units, steps, lists of a predicate. It is among vetoes of different
   grades, where the first that fires gives its grade, and in titles, which are a path.
3. What makes no sense alone is one change: the set of stages with the rows put in them; the weights of stages; bands
   against quotas; bounds of a row that would cross; the rules of a pool whose common `max` moves; a row moved to
   another section; a unit moved to another group; groups that are split or merged.
4. `id` and `version` name a scheme and are never a change.

A scheme with some of the changes made need not be one that a file could state (a group whose every row is replaced
may be without rows), but it can be evaluated. Sentences are `schemes.comparing.sentences`'.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from schemes.comparing.changes import Change, ChangeKind, Parameter, Walk, differing, id_of, with_values, woven
from schemes.comparing.matching import content_key, matched
from schemes.comparing.rows import STAGES, Staging, walk_rows
from schemes.scheme import Accepted, Band, Group, Label, Scheme, Stage, Veto

_PARAMETERS = ("full", "cap", "cap_after", "floor", "bonus_cap", "bonus_gate", "penalty_cap", "not_applicable")
_GRADING = "grading"
_GROUPS = "groups"


def changes(old: Scheme, new: Scheme) -> tuple[Change, ...]:
    """Return every difference of the new version from the old one: of the scheme, then of each group and row."""
    walk = Walk(frozenset())
    _walk_scheme(walk, old, new)
    return tuple(walk.found)


def with_changes(old: Scheme, new: Scheme, chosen: Collection[Change]) -> Scheme:
    """Return the old version with the chosen changes made, which are some of `changes(old, new)`.

    With all of them it says what the new version says, under the old one's id and version.
    """
    return _walk_scheme(Walk(frozenset(change.id for change in chosen)), old, new)


def _walk_scheme(walk: Walk, old: Scheme, new: Scheme) -> Scheme:
    document = Change("document", "document", "changed", scoring=False)
    parts = _alone(type(old.document).model_fields)
    values: dict[str, Any] = {
        "document": with_values(old.document, walk.fields(document, old.document, new.document, parts))
    }
    values |= walk.fields(replace(document, id=""), old, new, [("jurisdiction",)])
    own = Change("", "parameter", "changed")
    together = not (_has_year(old.year, new) and _has_year(new.year, old))
    values |= walk.fields(own, old, new, [("year", "period")] if together else [("year",), ("period",)])
    values |= walk.fields(own, old, new, _alone(_PARAMETERS))
    staging = _walk_stages(walk, old, new, values)
    grading = _Grading(walk, old, new, values)
    values["vetoes"] = _walk_vetoes(walk, old.vetoes, new.vetoes)
    output = Change("outputs", "output", "changed", scoring=False)
    values["outputs"] = walk.parts(output, old.outputs, new.outputs, id_of)
    values["items"] = _walk_items(walk, old.items, new.items)
    accepted = Change("accepted", "acceptance", "changed", scoring=False)
    values["accepted"] = walk.parts(accepted, old.accepted, new.accepted, _accepted_key)
    values["groups"] = _walk_groups(walk, old, new, staging, grading)
    _note_staging(walk, old, new, staging)
    grading.note()
    return old.model_copy(update=values)


def _alone(names: Collection[str]) -> list[tuple[str]]:
    return [(name,) for name in names]


def _has_year(year: int, scheme: Scheme) -> bool:
    return scheme.period.first.year <= year <= scheme.period.last.year


def _accepted_key(one: Accepted) -> str:
    return "/".join(part or "*" for part in (one.code, one.group, one.indicator))


def _walk_items(walk: Walk, old: dict[str, str], new: dict[str, str]) -> dict[str, str]:
    result = dict(old)
    for code in dict.fromkeys((*old, *new)):
        before, after = old.get(code), new.get(code)
        kind: ChangeKind = "added" if before is None else "removed" if after is None else "changed"
        change = Change(f"items/{code}", "item", kind, (Parameter(code, before, after),), scoring=False)
        if before != after and walk.picks(change):
            result.pop(code, None)
            if after is not None:
                result[code] = after
    return result


def _walk_stages(walk: Walk, old: Scheme, new: Scheme, values: dict[str, Any]) -> Staging:
    names = frozenset[str | None](stage.id for stage in old.stages) or frozenset([None])
    new_names = frozenset[str | None](stage.id for stage in new.stages) or frozenset([None])
    if names != new_names:
        staging = Staging(names, new_names, walk.chosen(STAGES))
        values["stages"] = new.stages if staging.made else old.stages
        return staging
    after = {stage.id: stage for stage in new.stages}
    weights = tuple(
        Parameter(f"{stage.id}/weight", stage.weight, after[stage.id].weight)
        for stage in old.stages
        if stage.weight != after[stage.id].weight
    )
    weighed = Change("stages/weight", "stage", "changed", weights, old=old.stages, new=new.stages)
    reweighed = bool(weights) and walk.picks(weighed)
    values["stages"] = tuple(
        _walk_stage(walk, stage, after[stage.id], {"weight": after[stage.id].weight} if reweighed else {})
        for stage in old.stages
    )
    return Staging(names, new_names, False)


def _walk_stage(walk: Walk, old: Stage, new: Stage, values: dict[str, Any]) -> Stage:
    at = Change(f"stages/{old.id}", "stage", "changed", titles=(new.title,))
    return with_values(old, values | walk.fields(at, old, new, _alone(("title", "full", "window"))))


def _note_staging(walk: Walk, old: Scheme, new: Scheme, staging: Staging) -> None:
    if staging.swapped:
        listed = Parameter(STAGES, old.stages, new.stages)
        kind: ChangeKind = "changed" if old.stages and new.stages else "added" if new.stages else "removed"
        walk.picks(Change(STAGES, "stage", kind, (listed, *staging.rows), old=old.stages, new=new.stages))


class _Grading:
    """How grades are given: bands of the scheme or quotas of its groups; one put for the other is one change."""

    def __init__(self, walk: Walk, old: Scheme, new: Scheme, values: dict[str, Any]) -> None:
        self._walk = walk
        quotas, new_quotas = (any(group.quotas for group in one.groups) for one in (old, new))
        self._swapped = bool((old.bands and new_quotas) or (new.bands and quotas))
        self._made = walk.chosen(_GRADING)
        self._parameters = list(differing(old, new, ("bands",)))
        if self._swapped:
            values["bands"] = new.bands if self._made else old.bands
        else:
            values["bands"] = self._bands(old.bands, new.bands)

    def _bands(self, old: tuple[Band, ...], new: tuple[Band, ...]) -> tuple[Band, ...]:
        at = Change("bands", "grading", "changed")
        if [band.grade for band in old] != [band.grade for band in new] or not _each_falls(old, new):
            if content_key(old) == content_key(new):
                return old
            return new if self._walk.picks(replace(at, parameters=tuple(self._parameters), old=old, new=new)) else old
        return self._walk.parts(at, old, new, lambda band: band.grade)

    def quotas(self, old: Group, new: Group) -> dict[str, Any]:
        """Return the quotas to set in the old group."""
        if not self._swapped:
            at = Change(old.id, "grading", "changed", group=old.id, titles=(new.title,))
            return self._walk.fields(at, old, new, [("quotas",)])
        self._parameters += [
            Parameter(f"{old.id}/{one.name}", one.old, one.new) for one in differing(old, new, ("quotas",))
        ]
        return {"quotas": new.quotas} if self._made else {}

    def note(self) -> None:
        """Note the change of bands against quotas, once every group has been seen."""
        if self._swapped and self._parameters:
            self._walk.picks(Change(_GRADING, "grading", "changed", tuple(self._parameters)))


def _each_falls(old: Sequence[Band], new: Sequence[Band]) -> bool:
    """Whether the bands still fall from one to the next when any one bound of them is moved alone."""
    for at, band in enumerate(new):
        bounds = [one.at_least for one in (*old[:at], band, *old[at + 1 :])]
        stated = [bound for bound in bounds if bound is not None]
        if stated != sorted(set(stated), reverse=True) or bounds[-1] is not None or len(stated) != len(bounds) - 1:
            return False
    return True


def _walk_vetoes(walk: Walk, old: tuple[Veto, ...], new: tuple[Veto, ...]) -> tuple[Veto, ...]:
    found = matched(old, new, id_of, _veto_content)
    partner = dict(found.pairs)
    kept: list[tuple[int | None, Veto]] = []
    for index, veto in enumerate(old):
        path = f"vetoes/{veto.id}"
        if index in partner:
            other = new[partner[index]]
            at = Change(path, "veto", "changed", clause=other.clause, titles=(other.title,))
            named = walk.fields(replace(at, scoring=False), veto, other, _alone(("id", "title", "clause")))
            does = walk.fields(replace(at, old=(veto,), new=(other,)), veto, other, [("when",), ("grade", "total")])
            kept.append((partner[index], with_values(veto, named | does)))
        elif not walk.picks(Change(path, "veto", "removed", clause=veto.clause, titles=(veto.title,), old=(veto,))):
            kept.append((None, veto))
    graded = [place for place, veto in kept if place is not None and new[place].grade is not None]
    if graded != sorted(graded) and len({new[place].grade for place in graded}) > 1:
        order = Parameter("vetoes", tuple(veto.id for veto in old), tuple(veto.id for veto in new))
        if walk.picks(Change("vetoes/order", "veto", "changed", (order,))):
            kept.sort(key=lambda one: len(new) if one[0] is None else one[0])
    added = []
    for index in found.added:
        veto = new[index]
        change = Change(f"vetoes/{veto.id}", "veto", "added", clause=veto.clause, titles=(veto.title,), new=(veto,))
        if walk.picks(change):
            added.append((index, veto))
    return woven(kept, added)


def _veto_content(veto: Veto) -> str:
    return content_key(veto.model_copy(update={"id": "", "title": "", "clause": ""}))


def _walk_groups(walk: Walk, old: Scheme, new: Scheme, staging: Staging, grading: _Grading) -> tuple[Group, ...]:
    found = matched(old.groups, new.groups, id_of, lambda group: frozenset(group.units))
    partner = {before: new.groups[after] for before, after in found.pairs}
    added, removed = [new.groups[at] for at in found.added], [old.groups[at] for at in found.removed]
    units = _Units(walk, old, new, {old.groups[before].id: group for before, group in partner.items()})
    tangled = units.tangle(added, removed)
    kept: list[tuple[int | None, Group]] = []
    places = dict(found.pairs)
    for index, group in enumerate(old.groups):
        if index in partner:
            kept.append((places[index], _walk_group(walk, group, partner[index], units, staging, grading)))
            continue
        gone = Change(group.id, "group", "removed", group=group.id, titles=(group.title,), old=(group,))
        if not (units.made if tangled else walk.picks(gone)):
            kept.append((None, group))
    brought = []
    for index in found.added:
        group = new.groups[index]
        come = Change(group.id, "group", "added", group=group.id, titles=(group.title,), new=(group,))
        if units.made if tangled else walk.picks(come):
            brought.append((index, group))
    units.note()
    return woven(kept, brought)


def _walk_group(walk: Walk, old: Group, new: Group, units: _Units, staging: Staging, grading: _Grading) -> Group:
    at = Change(old.id, "group", "changed", group=old.id, titles=(new.title,))
    values = walk.fields(at, old, new, _alone(("id", "title", "example_units")))
    values["units"] = units.of(old, new)
    label = Change(f"{old.id}/labels", "label", "changed", scoring=False, group=old.id)
    values["labels"] = walk.parts(label, old.labels, new.labels, _label_key)
    values |= grading.quotas(old, new)
    values["indicators"] = walk_rows(walk, old, new, staging)
    return old.model_copy(update=values)


def _label_key(label: Label) -> str:
    return " / ".join(label.titles)


class _Units:
    """Which group each unit is in. A unit has one group: a move is one change, and so are groups split or merged."""

    def __init__(self, walk: Walk, old: Scheme, new: Scheme, partners: Mapping[str, Group]) -> None:
        self._walk = walk
        self._old, self._new = old, new
        self._before = {unit: group.id for group in old.groups for unit in group.units}
        self._after = {unit: group.id for group in new.groups for unit in group.units}
        self._partners = {group.id: before for before, group in partners.items()}
        self._titles = {group.id: group.title for group in old.groups}
        self._together = False
        self._moved: dict[str, bool] = {}
        self.made = False

    def tangle(self, added: Sequence[Group], removed: Sequence[Group]) -> bool:
        """Say whether new groups take units of old ones, or units of a removed one go on; then all move at once."""
        taken = any(unit in self._before for group in added for unit in group.units)
        self._together = taken or any(unit in self._after for group in removed for unit in group.units)
        self.made = self._together and self._walk.chosen(_GROUPS)
        return self._together

    def of(self, old: Group, new: Group) -> tuple[str, ...]:
        """Return the units of a group that both versions have."""
        if self._together:
            return new.units if self.made and set(old.units) != set(new.units) else old.units
        places = {unit: at for at, unit in enumerate(new.units)}
        kept = [(places.get(unit), unit) for unit in old.units if unit in places or not self._leaves(unit)]
        come = [(at, unit) for unit, at in places.items() if unit not in old.units and self._leaves(unit)]
        return woven(kept, come)

    def _leaves(self, unit: str) -> bool:
        """Whether the change of this unit's group is made: it leaves, joins, or moves."""
        if unit not in self._moved:
            before, after = self._before.get(unit), self._partners.get(self._after.get(unit, ""))
            kind: ChangeKind = "added" if before is None else "removed" if after is None else "changed"
            path = f"{before or after}/units/{unit}"
            parameter = Parameter(unit, before, after)
            titles = tuple(self._titles[group] for group in (before, after) if group is not None)
            change = Change(path, "unit", kind, (parameter,), group=before or after, titles=titles)
            self._moved[unit] = self._walk.picks(change)
        return self._moved[unit]

    def note(self) -> None:
        """Note the change of groups split or merged, once every group has been seen."""
        if not self._together:
            return
        ids = tuple(tuple(group.id for group in one.groups) for one in (self._old, self._new))
        moved = [
            Parameter(unit, self._before.get(unit), self._after.get(unit))
            for unit in dict.fromkeys((*self._before, *self._after))
            if self._before.get(unit) != self._after.get(unit)
        ]
        change = Change(_GROUPS, "group", "changed", (Parameter(_GROUPS, *ids), *moved))
        self._walk.picks(replace(change, old=self._old.groups, new=self._new.groups))
