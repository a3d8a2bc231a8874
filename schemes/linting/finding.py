"""A finding of the lint: something in a scheme that can be used as it is, but that its authors should know of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from schemes.scheme import Group, Indicator, Scheme, Stage

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found and where.

    `code` is stable and made for programs; `message` is plain English, `sentence` the same in Chinese for people.
    `accepted` is the reason with which the scheme accepts the finding, null where it does not. `also_of` is a row that
    the sentence names beside `indicator`: the finding may be accepted there as well.
    """

    code: str
    group: str | None
    indicator: str | None
    path: Path
    message: str
    sentence: str
    accepted: str | None = None
    also_of: str | None = None


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a scheme that something is found at: the scheme, a group, or a row."""

    path: Path = ()
    group: Group | None = None
    row: Indicator | None = None

    def finding(self, code: str, message: str, sentence: str, *below: str | int) -> Finding:
        """Return the finding, its words beginning with the place; `below` leads on from the place's path."""
        group, row = self.group, self.row
        place = " ".join(part.id for part in (group, row) if part is not None)
        titles = [group.title] if group else []
        titles += [f"指标{row.id}“{row.titles[-1]}”"] if row else []
        return Finding(
            code,
            group.id if group else None,
            row.id if row else None,
            (*self.path, *below),
            f"{place}: {message}" if place else message,
            f"{'，'.join(titles)}：{sentence}。" if titles else f"{sentence}。",
        )


def group_spots(scheme: Scheme) -> Iterator[Spot]:
    """Yield the place of each group."""
    for at, group in enumerate(scheme.groups):
        yield Spot(("groups", at), group)


def row_spots(scheme: Scheme) -> Iterator[tuple[Spot, Group, Indicator]]:
    """Yield the place of each row, with its group and itself."""
    for spot in group_spots(scheme):
        group = scheme.groups[int(spot.path[1])]
        for at, row in enumerate(group.indicators):
            yield Spot((*spot.path, "indicators", at), group, row), group, row


def staged_rows(scheme: Scheme, group: Group) -> list[tuple[Stage | None, list[Indicator]]]:
    """Return the rows of each stage, or all of them where there are none."""
    if not scheme.stages:
        return [(None, list(group.indicators))]
    return [(stage, [row for row in group.indicators if row.stage == stage.id]) for stage in scheme.stages]
