"""The shape of a derivation as it is shown: a tree that can be recomputed from itself."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from projections.answer_models import Answer, ClauseAnswer, Points, Standing
from schemes.derivations.node import Operator


class NodeAnswer(Answer):
    """One step of a derivation.

    `id` is the path of keys from below the root, stable while the scheme version and the facts are the same. `value`
    are points (a decimal string), a number, a rank, a day or a grade; null where there is none. `inputs` are what the
    value needs beside the children. `fired` is false where the step came to nothing. `fact` is an observation, or a
    fact derived from several. Entries of the ledger and their evidence stand below facts.
    """

    id: str
    key: str
    operator: Operator
    label: str
    value: str | int | None
    sentence: str
    inputs: dict[str, Any] = Field(description="By operator; decimals are strings.")
    fired: bool
    clause: str | None
    indicator: str | None
    rule: int | None
    fact: str | None
    children: list[NodeAnswer]


class DerivationAnswer(Standing):
    """How one unit's total, rank and grade came about; `scheme` is the version it was worked out under.

    `clauses` quotes the clause of every row of the tree, where the official document of the version is registered.
    """

    unit: str
    key: str
    group: str
    group_title: str
    total: Points
    rank: int
    grade: str | None
    tree: NodeAnswer
    clauses: list[ClauseAnswer]
