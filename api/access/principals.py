"""Who sends a request: a person's account, and what it was granted. Pure values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, get_args

Role = Literal["recorder", "reviewer", "leader", "unit", "auditor", "administrator"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)


class Grant(NamedTuple):
    """A role in a jurisdiction; `unit` is the key or name of the unit that the role `unit` speaks for.

    An administrator's grant has no jurisdiction: accounts are those of the whole database.
    """

    role: Role
    jurisdiction: str | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Principal:
    """An account that proved who it is.

    `name` is what events call the actor. `person` is a pseudonym of the human behind the account: two accounts of one
    human have the same. `scopes` bounds what an API token may be used for; None bounds nothing. Until a one-time
    password is changed (`must_change`) nothing is granted.
    """

    account: str
    name: str
    person: str
    grants: tuple[Grant, ...]
    via: Literal["session", "token"]
    scopes: frozenset[str] | None = None
    must_change: bool = False

    def roles_in(self, jurisdiction: str) -> frozenset[Role]:
        """Return the roles that the account has in the jurisdiction."""
        return frozenset(one.role for one in self.grants if one.jurisdiction == jurisdiction)

    def units_in(self, jurisdiction: str) -> tuple[str, ...]:
        """Return the units that the account speaks for in the jurisdiction."""
        return tuple(one.unit for one in self.grants if one.jurisdiction == jurisdiction and one.unit is not None)

    @property
    def is_administrator(self) -> bool:
        """Whether the account manages accounts."""
        return any(one.role == "administrator" for one in self.grants)
