"""A change between two versions of a scheme, and the walk over both that finds changes and makes the chosen ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, TypeVar

from schemes.comparing.matching import matched, same
from schemes.rules import Model

What = Literal[
    "document",
    "parameter",
    "stage",
    "grading",
    "veto",
    "output",
    "item",
    "acceptance",
    "group",
    "unit",
    "label",
    "row",
    "rule",
]
ChangeKind = Literal["added", "removed", "changed"]
T = TypeVar("T")
M = TypeVar("M", bound=Model)

TEXTS = frozenset({"title", "titles", "clause", "note", "example_units"})
"""Fields that people read and no score depends on."""


class Parameter(NamedTuple):
    """One value that differs: the field's name in the scheme file and what both versions say; null says nothing.

    Where one change moves a field of several parts, the name begins with the part: `agency/weight`.
    """

    name: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two versions.

    `id` is a path in the old version that is the same whatever the order in the files. `group` and `indicator` are
    ids in the old version (in the new one for what is added); `clause` and `titles` are as the new version has them
    (a removed row: as the old one had). `scoring` says whether a score or a grade can depend on it. `old` and `new`
    are the parts concerned, where whole parts are: a row, the rules, a veto.
    """

    id: str
    what: What
    kind: ChangeKind
    parameters: tuple[Parameter, ...] = ()
    scoring: bool = True
    group: str | None = None
    indicator: str | None = None
    clause: str | None = None
    titles: tuple[str, ...] = ()
    old: tuple[Model, ...] = ()
    new: tuple[Model, ...] = ()

    def __hash__(self) -> int:
        return hash(self.id)


class Walk:
    """One pass over two versions: the changes found so far, and which of them are made."""

    def __init__(self, chosen: frozenset[str]) -> None:
        self.found: list[Change] = []
        self._chosen = chosen
        self._ids: set[str] = set()

    def chosen(self, identifier: str) -> bool:
        """Whether the change of this id is made."""
        return identifier in self._chosen

    def picks(self, change: Change) -> bool:
        """Note the change, and say whether it is made."""
        identifier, number = change.id, 1
        while identifier in self._ids:
            number += 1
            identifier = f"{change.id}~{number}"
        self._ids.add(identifier)
        self.found.append(replace(change, id=identifier))
        return identifier in self._chosen

    def fields(self, at: Change, old: M, new: M, bundles: Iterable[Sequence[str]]) -> dict[str, Any]:
        """Return the fields to set in the old part; each bundle of fields that differ is one change.

        `at` says where: its `id` is the part's path, to which the change adds the field.
        """
        values: dict[str, Any] = {}
        for bundle in bundles:
            parameters = differing(old, new, bundle)
            if parameters:
                names = [parameter.name for parameter in parameters]
                scoring = at.scoring and not TEXTS.issuperset(names)
                path = f"{at.id}/{names[0]}" if at.id else names[0]
                if self.picks(replace(at, id=path, parameters=parameters, scoring=scoring)):
                    values |= {parameter.name: parameter.new for parameter in parameters}
        return values

    def parts(self, at: Change, old: Sequence[M], new: Sequence[M], key: Callable[[M], str]) -> tuple[M, ...]:
        """Return a list of parts known by a key: each added, removed or changed one is one change."""
        found = matched(old, new, key)
        kept: list[tuple[int | None, M]] = []
        partner = dict(found.pairs)
        for index, part in enumerate(old):
            where = replace(_at_part(at, part, key(part)), old=(part,))
            if index in found.removed:
                if not self.picks(replace(where, kind="removed")):
                    kept.append((None, part))
                continue
            other = new[partner[index]]
            parameters = differing(part, other, type(part).model_fields)
            taken = bool(parameters) and self.picks(replace(where, parameters=parameters, new=(other,)))
            kept.append((partner[index], other if taken else part))
        added = [
            (index, new[index])
            for index in found.added
            if self.picks(replace(_at_part(at, new[index], key(new[index])), kind="added", new=(new[index],)))
        ]
        return woven(kept, added)


def _at_part(at: Change, part: Model, key: str) -> Change:
    return replace(at, id=f"{at.id}/{key}", titles=getattr(part, "titles", ()))


def differing(old: Model, new: Model, names: Iterable[str]) -> tuple[Parameter, ...]:
    """Return those of the fields that say something else in the new part."""
    pairs = ((name, getattr(old, name), getattr(new, name)) for name in names)
    return tuple(Parameter(name, before, after) for name, before, after in pairs if not same(name, before, after))


def woven(kept: Sequence[tuple[int | None, T]], added: Sequence[tuple[int, T]]) -> tuple[T, ...]:
    """Return what is kept in its order, and each added one behind what stands before it in the new version.

    With each comes its place in the new version; null for what the new version does not have.
    """
    result = list(kept)
    for place, part in sorted(added, key=lambda one: one[0]):
        before = [(other, index) for index, (other, _) in enumerate(result) if other is not None and other < place]
        result.insert(max(before)[1] + 1 if before else 0, (place, part))
    return tuple(part for _, part in result)


def with_values(part: M, values: dict[str, Any]) -> M:
    """Return the part with the values set, nothing worked out from its earlier ones kept."""
    if not values:
        return part
    return type(part).model_validate({name: getattr(part, name) for name in type(part).model_fields} | values)


def id_of(part: Any) -> str:
    """Return the part's id."""
    return str(part.id)
