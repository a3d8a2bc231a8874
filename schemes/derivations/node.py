"""The node of a derivation: what was worked out, from what, and why, told in plain Chinese.

A node's value follows from its children's values and its `inputs`: `schemes.derivations.recomputing` holds that,
operator by operator, without the engine. Facts are leaves (with the dates of a request below a derived late reply);
whoever knows more about them, such as the entries of a ledger, puts it below.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal

from schemes.exact import ZERO, plain
from schemes.fact import AttributeValue, Fact
from schemes.sheets import Situation
from schemes.vocabulary import Vocabulary
from schemes.wording import day_phrase, fact_phrase, measure_word
from schemes.working_days import DAY, due_day, is_working_day, reply_term

Operator = Literal[
    # the sheet
    "result",
    "total",
    "stage",
    "section",
    "adjustment",
    "cap",
    "floor",
    "gate",
    "veto_total",
    "left_out",
    "rank",
    "grade",
    "band",
    "quota",
    "ungraded",
    "veto_facts",
    "veto_subtotal",
    "output",
    # a row
    "row",
    "account",
    "lowest_account",
    "row_value",
    "start",
    "judged",
    "forfeited",
    # a rule
    "deduct",
    "award",
    "pool",
    "forfeit",
    "tiers",
    "checklist",
    "by_rank",
    "place",
    "given_place",
    "shortfall",
    "steps_below_mean",
    "mean_rating",
    "milestone",
    "condition",
    "if_total",
    "threshold_subtotal",
    "prior_grade",
    "discretion",
    "inform",
    "proportional",
    "by_value",
    # a fact
    "times",
    "step",
    "item",
    "counted",
    "reading",
    "set_aside",
    "absent",
    "due_day",
    "event",
    "entry",
    "evidence",
]
Absence = Literal["voided", "not_yet_known", "amended_away", "before_period", "after_day", "outside_window"]
Value = Decimal | int | str | None
Input = Decimal | int | str | None | Sequence["Input"] | Mapping[str, "Input"]

_ABSENCES: dict[Absence, str] = {
    "voided": "已作废",
    "not_yet_known": "当时尚未登记",
    "amended_away": "已更正为别的内容",
    "before_period": "发生在考核期间之前",
    "after_day": "发生在截止日之后",
    "outside_window": "不在任何阶段的计分期间内",
}


@dataclass(frozen=True, slots=True)
class Absent:
    """A reading of an observation that does not count, and why."""

    fact: Fact
    reason: Absence


@dataclass(frozen=True, slots=True)
class Node:
    """One step of a derivation.

    `key` tells it from its siblings. `value` are points, a number, a rank, a day or a grade; null where there is
    none. `inputs` are what the value needs beside the children. `fired` is false where the step came to nothing and
    is shown because that explains the score. `clause` is where the document says so; `indicator`, `rule` (from 0)
    and `fact` name what the node is about.
    """

    key: str
    operator: Operator
    label: str
    value: Value
    sentence: str
    inputs: Mapping[str, Input] = field(default_factory=dict)
    children: tuple[Node, ...] = ()
    fired: bool = True
    clause: str | None = None
    indicator: str | None = None
    rule: int | None = None
    fact: str | None = None


def placed(node: Node, clause: str, indicator: str | None = None, rule: int | None = None) -> Node:
    """Return the node, and all below it, with the clause, the row and the rule it comes from where it names none."""
    return replace(
        node,
        clause=node.clause or clause,
        indicator=node.indicator or indicator,
        rule=rule if node.rule is None else node.rule,
        children=tuple(placed(child, clause, indicator, rule) for child in node.children),
    )


def as_json(node: Node) -> dict[str, Any]:
    """Return the tree as JSON values: decimals as plain strings, tuples as lists."""
    return {
        "key": node.key,
        "operator": node.operator,
        "label": node.label,
        "value": json_value(node.value),
        "sentence": node.sentence,
        "inputs": json_value(node.inputs),
        "fired": node.fired,
        "clause": node.clause,
        "indicator": node.indicator,
        "rule": node.rule,
        "fact": node.fact,
        "children": [as_json(child) for child in node.children],
    }


def json_value(value: Input) -> Any:
    """Return an input or a value as JSON: decimals as plain strings."""
    match value:
        case Decimal():
            return plain(value)
        case str() | int() | None:
            return value
        case Mapping():
            return {name: json_value(one) for name, one in value.items()}
        case _:
            return [json_value(one) for one in value]


@dataclass(frozen=True)
class Telling:
    """What the nodes of one unit are told with: words, names on the day, readings that do not count."""

    situation: Situation
    unit: str
    words: Vocabulary
    names: Mapping[str, str]
    absent: tuple[Absent, ...]
    others: bool = True
    """Whether other units are told with their figures; else only how many there are."""

    def figures(self, name: str, values: Mapping[str, Decimal]) -> dict[str, Input]:
        """Return the figures that units have, as an input of that name; without others the unit's own, and how many."""
        if self.others:
            return {name: {self.name(unit): value for unit, value in values.items()}}
        return {"own": values.get(self.unit), "figures": len(values)}

    def name(self, unit: str) -> str:
        """Return the unit's name as it is shown."""
        return self.names.get(unit, unit)

    @cached_property
    def _readings(self) -> dict[str, Fact]:
        return {fact.id: fact for fact in self.situation.facts}

    def absent_where(self, met: Callable[[Fact], bool]) -> tuple[Node, ...]:
        """Return the facts that do not count and would have been met.

        An earlier reading is left out where the present one is met too: it then counts as it reads now.
        """
        return tuple(
            self._absence(absent)
            for absent in self.absent
            if met(absent.fact) and not (absent.reason == "amended_away" and self._still_met(absent.fact, met))
        )

    def _still_met(self, earlier: Fact, met: Callable[[Fact], bool]) -> bool:
        present = self._readings.get(earlier.id)
        return present is not None and present.unit == self.unit and met(present)

    def leaf(
        self,
        fact: Fact,
        operator: Operator,
        value: Value,
        why: str,
        inputs: Mapping[str, Input] | None = None,
        fired: bool = True,
    ) -> Node:
        """Return a fact as a node; `why` says what it did, after the fact itself."""
        attributes = dict(fact.attributes) if self.others or fact.kind != "rating" else {}
        rater = fact.text("rater") if self.others else None
        if rater is not None:
            attributes["rater"] = self.name(rater)
        shown = replace(fact, attributes=attributes)
        told: dict[str, Input] = {
            "day": fact.occurred_on.isoformat(),
            "position": fact.position,
            "count": fact.count,
            "attributes": {name: _listed(one) for name, one in attributes.items()},
        }
        if fact.sources:
            told["derived_from"] = list(fact.sources)
        return Node(
            key=fact.id.replace("/", ":"),
            operator=operator,
            label=self.words.kinds[fact.kind].label,
            value=value,
            sentence=f"{fact_phrase(shown, self.words)}：{why}。",
            inputs={**told, **(inputs or {})},
            children=(self._due(fact),) if fact.sources and fact.kind == "late_reply" else (),
            fired=fired,
            fact=fact.id,
        )

    def counted(self, fact: Fact) -> Node:
        """Return a fact that counts as often as it occurred."""
        return self.leaf(fact, "counted", fact.count, f"计{fact.count}{measure_word([fact.kind])}")

    def reading(self, fact: Fact, attribute: str, latest: Fact | None) -> Node:
        """Return a fact that says a figure; all but the latest are superseded."""
        value = fact.attributes[attribute]
        if isinstance(value, tuple):
            raise TypeError(f"expected one value in {attribute!r} of fact {fact.id}, got {value!r}")
        stands = latest is None or fact is latest
        why = "以此为准" if stands else "已被后来的取代，不计"
        return self.leaf(fact, "reading", value, why, {"attribute": attribute}, fired=stands)

    def _absence(self, absent: Absent) -> Node:
        """Return a fact that does not count, with why."""
        node = self.leaf(
            absent.fact, "absent", ZERO, f"{_ABSENCES[absent.reason]}，计0分", {"reason": absent.reason}, fired=False
        )
        return replace(node, key=f"{node.key}:{absent.reason}")

    def _due(self, late: Fact) -> Node:
        """Return the due day of the request that a derived late reply comes from, with its facts."""
        entries = [self._readings[source] for source in late.sources]
        receipt = next(fact for fact in entries if fact.kind == "request_received")
        term, due = reply_term(receipt.occurred_on), late.occurred_on - DAY
        extension = next((fact for fact in entries if fact.kind == "request_extended"), None)
        unextended = due_day(receipt.occurred_on, term, late.occurred_on)
        extended = extension is not None and unextended is not None and extension.occurred_on <= unextended
        days = 2 * term if extended else term
        span = (receipt.occurred_on + timedelta(at) for at in range(1, (due - receipt.occurred_on).days + 1))
        answer = next((fact for fact in entries if fact.kind == "request_answered"), None)
        answered = f"{day_phrase(answer.occurred_on)}才答复" if answer else "没有答复"
        allowed = f"{days}个工作日（{'已延期' if extended else '未延期'}，收到当日不计）"
        return Node(
            key="due",
            operator="due_day",
            label="答复期限",
            value=due.isoformat(),
            sentence=(
                f"{day_phrase(receipt.occurred_on)}收到申请，{allowed}，"
                f"期限为{day_phrase(due)}（{due.isoformat()}），{answered}。"
            ),
            inputs={
                "received": receipt.occurred_on.isoformat(),
                "working_days": days,
                "days_off": [day.isoformat() for day in span if not is_working_day(day)],
            },
            children=tuple(
                self.leaf(fact, "event", fact.occurred_on.isoformat(), f"日期{fact.occurred_on.isoformat()}")
                for fact in entries
            ),
        )


def _listed(value: AttributeValue) -> Input:
    return list(value) if isinstance(value, tuple) else value


def additive(nodes: Iterable[Node]) -> Decimal:
    """Return the sum of the nodes' points."""
    return sum((node.value for node in nodes if isinstance(node.value, Decimal)), ZERO)
