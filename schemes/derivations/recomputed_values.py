"""What a node of a derivation must be worth by its children's values and its inputs: one function for each operator.

The contract's §2 again, read from JSON alone; the engine is not asked. `schemes.derivations.recomputing` holds trees
against it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from schemes.exact import ZERO, rounded_half_up, whole_half_up

JsonNode = Mapping[str, Any]
NOT_ADDED = frozenset({"forfeit", "inform", "left_out", "absent", "entry", "evidence"})
VETOES = frozenset({"veto_facts", "veto_subtotal"})
CUTS = frozenset({"cap", "floor", "forfeited", "adjustment", "gate", "veto_total"})
ROWS = frozenset({"row", "lowest_account", "row_value"})


def points_of(node: JsonNode) -> Decimal:
    """Return the node's value as points."""
    return Decimal(node["value"])


def number_of(node: JsonNode, name: str) -> Decimal:
    """Return an input as a number."""
    return Decimal(node["inputs"][name])


def bound_of(node: JsonNode, name: str) -> Decimal | None:
    """Return an input that may be absent or null: no bound."""
    value = node["inputs"].get(name)
    return None if value is None else Decimal(value)


def children_of(node: JsonNode, *operators: str) -> list[JsonNode]:
    """Return the children of these operators."""
    return [child for child in node["children"] if child["operator"] in operators]


def sum_of(nodes: Iterable[JsonNode]) -> Decimal:
    """Return the sum of the nodes' points."""
    return sum((points_of(node) for node in nodes), ZERO)


def _added(node: JsonNode) -> Decimal:
    """The sum of all children that give points."""
    return sum_of(child for child in node["children"] if child["operator"] not in NOT_ADDED)


def added_before_cuts(node: JsonNode) -> Decimal:
    """Return the sum of the children that give points, before caps and the like."""
    return sum_of(child for child in node["children"] if child["operator"] not in NOT_ADDED | CUTS)


def in_order(nodes: Iterable[JsonNode]) -> list[JsonNode]:
    """The order of facts: day, then ledger position."""
    return sorted(nodes, key=lambda node: (node["inputs"]["day"], node["inputs"]["position"]))


def _latest(node: JsonNode) -> Any:
    """The value of the latest reading; null without one."""
    readings = in_order(children_of(node, "reading"))
    return readings[-1]["value"] if readings else None


def latest_points(node: JsonNode) -> Decimal | None:
    """Return the number of the latest reading; null without one."""
    value = _latest(node)
    return None if value is None else Decimal(value)


def times_of(node: JsonNode) -> int:
    """Return how many times the counted facts occurred."""
    return sum(int(child["value"]) for child in children_of(node, "counted"))


def _zero(_node: JsonNode) -> Decimal:
    return ZERO


def _result(node: JsonNode) -> Decimal:
    return sum_of(children_of(node, "total"))


def section_of(node: JsonNode, name: str) -> Decimal:
    """Return the value of a section below the node; 0 without it."""
    return sum_of(one for one in children_of(node, "section") if one["inputs"]["section"] == name)


def basis_of(node: JsonNode, basis: str) -> Decimal:
    """Return the subtotal of that name of a sheet or stage."""
    base, bonus, penalty = (section_of(node, name) for name in ("base", "bonus", "penalty"))
    return base + (bonus if "+bonus" in basis else ZERO) - (penalty if "-penalty" in basis else ZERO)


def balance_of(node: JsonNode) -> Decimal:
    """Return base plus bonus minus penalty."""
    return basis_of(node, "base+bonus-penalty")


def fired_vetoes(total: JsonNode) -> list[JsonNode]:
    """The vetoes whose own figures say that they fire."""
    return [
        veto
        for veto in children_of(total, *VETOES)
        if (
            veto["value"] >= veto["inputs"]["min_count"]
            if veto["operator"] == "veto_facts"
            else points_of(veto) < number_of(veto, "below")
        )
    ]


def weighed(node: JsonNode) -> Decimal:
    """Return what a total's sections or weighed stages come to, before its cap, its floor and any veto."""
    stages = children_of(node, "stage")
    if not stages:
        return balance_of(node)
    return sum((number_of(stage, "weight") * points_of(stage) for stage in stages), ZERO)


def _total(node: JsonNode) -> Decimal:
    return weighed(node) + sum_of(children_of(node, *CUTS))


def _stage(node: JsonNode) -> Decimal:
    return balance_of(node) + sum_of(children_of(node, *CUTS))


def _section_value(node: JsonNode) -> Decimal:
    sign = -1 if node["inputs"]["section"] == "penalty" else 1
    return sign * added_before_cuts(node) + sum_of(children_of(node, *CUTS))


def adjusted(mode: str, full: Decimal, base: Decimal, applying: Decimal, missing: Decimal) -> Decimal:
    """Return what rows that do not apply change the base section by, where there are any."""
    if mode == "rescale" and applying:
        return rounded_half_up(Fraction(base) * Fraction(full) / Fraction(applying)) - base
    if mode == "full_credit":
        return max(ZERO, min(missing, full - applying))
    return ZERO


def _adjustment(node: JsonNode) -> Decimal:
    told = [number_of(node, name) for name in ("full", "before", "applying", "missing")]
    return adjusted(node["inputs"]["mode"], *told)


def _cap(node: JsonNode) -> Decimal:
    return -max(ZERO, number_of(node, "before") - number_of(node, "cap"))


def _floor(node: JsonNode) -> Decimal:
    return max(ZERO, number_of(node, "floor") - number_of(node, "before"))


def _gate(node: JsonNode) -> Decimal:
    return -number_of(node, "before") if number_of(node, "subtotal") < number_of(node, "at_least") else ZERO


def _veto_total(node: JsonNode) -> Decimal:
    return number_of(node, "total") - number_of(node, "before")


def _forfeited(node: JsonNode) -> Decimal:
    return -number_of(node, "before")


def _veto_facts(node: JsonNode) -> int:
    same = node["inputs"]["same"]
    counts: dict[str, int] = {"": 0}
    for fact in children_of(node, "counted"):
        key = "" if same is None else json.dumps(fact["inputs"]["attributes"][same], ensure_ascii=False)
        counts[key] = counts.get(key, 0) + int(fact["value"])
    return max(counts.values())


def _said(node: JsonNode) -> Decimal:
    """A subtotal that the node above holds against the sections."""
    return points_of(node)


def _rank(node: JsonNode) -> int:
    own = Decimal(node["inputs"]["totals"][node["inputs"]["unit"]])
    return 1 + sum(Decimal(total) > own for total in node["inputs"]["totals"].values())


def _grade(node: JsonNode) -> str | None:
    forced: str | None = node["inputs"]["forced"]
    [earned] = node["children"]
    found: str | None = earned["value"]
    return found if forced is None else forced


def _band(node: JsonNode) -> str | None:
    total = number_of(node, "total")
    bands = node["inputs"]["bands"]
    return next((one["grade"] for one in bands if one["at_least"] is None or total >= Decimal(one["at_least"])), None)


def _quota(node: JsonNode) -> str:
    told = node["inputs"]
    totals = [Decimal(total) for total in told["totals"].values()]
    own = Decimal(told["totals"][told["unit"]])
    top, bottom = (whole_half_up(Fraction(told[end]["share"]) * len(totals)) for end in ("top", "bottom"))
    if sum(total >= own for total in totals) <= top:
        return str(told["top"]["grade"])
    return str(told["bottom"]["grade"] if sum(total <= own for total in totals) <= bottom else told["middle"])


def _nothing(_node: JsonNode) -> None:
    return None


def _output(node: JsonNode) -> Decimal | None:
    value = latest_points(node)
    return None if value is None else value * number_of(node, "factor")


def _lowest(node: JsonNode) -> Decimal:
    return min(points_of(account) for account in children_of(node, "account"))


def _start(node: JsonNode) -> Decimal:
    return number_of(node, "points") if node["inputs"]["start"] == "full" else ZERO


def _judged(node: JsonNode) -> Decimal:
    value = latest_points(node)
    if value is None:
        return number_of(node, "default")
    return max(number_of(node, "min"), min(number_of(node, "max"), value))


def ladder(node: JsonNode, times: int) -> Decimal:
    """Return the signed points of the highest step that so many times reach."""
    reached = [step for step in node["inputs"]["steps"] if times >= step["times"]]
    points = Decimal(max(reached, key=lambda step: step["times"])["points"]) if reached else ZERO
    return sign_of(node["inputs"]["direction"] == "award") * points


def sign_of(positive: bool) -> int:
    """Return 1 or -1."""
    return 1 if positive else -1


def _discretion(node: JsonNode) -> Decimal:
    return sign_of(node["inputs"]["section"] == "bonus") * sum_of(children_of(node, "reading"))


def _by_rank(node: JsonNode) -> Decimal:
    [place] = children_of(node, "place", "given_place")
    rank = place["value"]
    within = [one for one in node["inputs"]["places"] if rank is not None and rank <= one["rank"]]
    points = Decimal(min(within, key=lambda one: one["rank"])["points"]) if within else ZERO
    return sign_of(node["inputs"]["direction"] == "award") * points


def _place(node: JsonNode) -> int | None:
    told = node["inputs"]
    own = told["values"].get(told["unit"])
    if own is None:
        return None
    highest_first = (told["order"] == "highest_first") != bool(told["from_bottom"])
    values = [Decimal(value) for value in told["values"].values()]
    return 1 + sum(value > Decimal(own) if highest_first else value < Decimal(own) for value in values)


def _given_place(node: JsonNode) -> int | None:
    rank: int | None = _latest(node)
    if rank is None or not node["inputs"]["from_bottom"]:
        return rank
    place: int = node["inputs"]["units"] + 1 - rank
    return place if place > 0 else None


def _shortfall(node: JsonNode) -> Decimal:
    [steps] = children_of(node, "steps_below_mean")
    return -number_of(node, "each") * int(steps["value"])


def _steps_below_mean(node: JsonNode) -> int:
    told = node["inputs"]
    values = [Fraction(value) for value in told["values"].values()]
    if told["unit"] not in told["values"] or sum(values) <= 0:
        return 0
    mean = sum(values) / len(values)
    return max(0, int((mean - Fraction(told["values"][told["unit"]])) // (Fraction(told["step"]) * mean)))


def _mean_rating(node: JsonNode) -> Decimal:
    ratings = [Fraction(one["value"]) for one in children_of(node, "reading")]
    return rounded_half_up(sum(ratings, Fraction()) / len(ratings)) if ratings else ZERO


def _holds(condition: JsonNode) -> bool:
    low, high = condition["inputs"]["at_least"], condition["inputs"]["at_most"]
    return (low is None or condition["value"] >= low) and (high is None or condition["value"] <= high)


def _milestone(node: JsonNode) -> Decimal:
    return number_of(node, "points") if all(map(_holds, children_of(node, "condition"))) else ZERO


def _if_total(node: JsonNode) -> Decimal:
    [seen] = children_of(node, "threshold_subtotal")
    return number_of(node, "points") if points_of(seen) >= number_of(node, "at_least") else ZERO


def _threshold_subtotal(node: JsonNode) -> Decimal:
    return basis_of(node, node["inputs"]["basis"])


def _prior_grade(node: JsonNode) -> Decimal:
    return number_of(node, "points") if _latest(node) == node["inputs"]["grade"] else ZERO


def _proportional(node: JsonNode) -> Decimal:
    value = latest_points(node)
    if value is None:
        return ZERO
    points = number_of(node, "points")
    share = Fraction(points) * Fraction(value) / Fraction(number_of(node, "target"))
    return max(ZERO, min(points, rounded_half_up(share)))


def _by_value(node: JsonNode) -> Decimal:
    value = latest_points(node)
    reached = [step for step in node["inputs"]["steps"] if value is not None and value >= Decimal(step["at_least"])]
    return Decimal(max(reached, key=lambda step: Decimal(step["at_least"]))["points"]) if reached else ZERO


def _each_time(node: JsonNode) -> Decimal:
    nominal = number_of(node, "each") * int(node["inputs"]["count"])
    left = bound_of(node, "left")
    return nominal if left is None else min(left, abs(nominal)).copy_sign(nominal)


def _attribute(node: JsonNode) -> Any:
    value = node["inputs"]["attributes"][node["inputs"]["attribute"]]
    return Decimal(value) if node["inputs"]["attribute"] in ("value", "points") else value


def _count(node: JsonNode) -> int:
    return int(node["inputs"]["count"])


def _set_aside(node: JsonNode) -> Any:
    return _attribute(node) if "attribute" in node["inputs"] else _count(node)


def _day(node: JsonNode) -> Any:
    return node["inputs"]["day"]


def _due_day(node: JsonNode) -> str:
    """The day of receipt does not count; days off are skipped until the term is used up."""
    day, left = date.fromisoformat(node["inputs"]["received"]), node["inputs"]["working_days"]
    while left:
        day += timedelta(days=1)
        left -= day.isoformat() not in node["inputs"]["days_off"]
    return day.isoformat()


def _position(node: JsonNode) -> Any:
    return node["inputs"]["position"]


def _reference(node: JsonNode) -> Any:
    told = node["inputs"]
    return next(told[name] for name in ("file", "url", "document") if told[name] is not None)


VALUES: Mapping[str, Callable[[JsonNode], Any]] = {
    "result": _result,
    "total": _total,
    "stage": _stage,
    "section": _section_value,
    "adjustment": _adjustment,
    "cap": _cap,
    "floor": _floor,
    "gate": _gate,
    "veto_total": _veto_total,
    "left_out": _zero,
    "rank": _rank,
    "grade": _grade,
    "band": _band,
    "quota": _quota,
    "ungraded": _nothing,
    "veto_facts": _veto_facts,
    "veto_subtotal": _said,
    "output": _output,
    "row": _added,
    "account": _added,
    "lowest_account": _lowest,
    "row_value": _said,
    "start": _start,
    "judged": _judged,
    "forfeited": _forfeited,
    "deduct": _added,
    "award": _added,
    "pool": _added,
    "forfeit": times_of,
    "tiers": _added,
    "checklist": _added,
    "by_rank": _by_rank,
    "place": _place,
    "given_place": _given_place,
    "shortfall": _shortfall,
    "steps_below_mean": _steps_below_mean,
    "mean_rating": _mean_rating,
    "milestone": _milestone,
    "condition": times_of,
    "if_total": _if_total,
    "threshold_subtotal": _threshold_subtotal,
    "prior_grade": _prior_grade,
    "discretion": _discretion,
    "inform": times_of,
    "proportional": _proportional,
    "by_value": _by_value,
    "times": _each_time,
    "step": _said,
    "item": _said,
    "counted": _count,
    "reading": _attribute,
    "set_aside": _set_aside,
    "absent": _zero,
    "due_day": _due_day,
    "event": _day,
    "entry": _position,
    "evidence": _reference,
}
