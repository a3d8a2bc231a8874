"""A second opinion on a derivation: every node's value worked out again from its children's values and its inputs.

It reads the JSON form of a tree and knows neither scheme nor engine: one short function for each operator, by the
contract's §2 alone. Whoever was given a derivation can so hold it against itself, without the program that made it.
What it cannot see is whether the facts are true and whether the inputs are the scheme's. What pending rows leave open
(`pending`, `lowest` and `highest` of the result) is told beside the tree and not held: it is of other evaluations.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

from schemes.derivations.recomputed_values import (
    ROWS,
    VALUES,
    JsonNode,
    added_before_cuts,
    adjusted,
    balance_of,
    basis_of,
    bound_of,
    children_of,
    fired_vetoes,
    in_order,
    ladder,
    latest_points,
    number_of,
    points_of,
    section_of,
    sign_of,
    sum_of,
    times_of,
    weighed,
)
from schemes.exact import ZERO, exact_arithmetic, plain

BOUNDED_ROWS = frozenset({"row", "account"})


def disagreements(node: JsonNode) -> list[str]:
    """Return a line for every node whose value does not follow from its children and inputs; none when all do."""
    with exact_arithmetic():
        found = [f"{path}: {line}" for path, one in _walk(node, node["key"]) for line in _lines(one)]
        return found + [f"{node['key']}: {line}" for line in _thresholds_seen(node)]


def _walk(node: JsonNode, path: str) -> Iterator[tuple[str, JsonNode]]:
    yield path, node
    for child in node["children"]:
        yield from _walk(child, f"{path}/{child['key']}")


def _lines(node: JsonNode) -> list[str]:
    check = VALUES.get(node["operator"])
    if check is None:
        return [f"unknown operator {node['operator']!r}"]
    try:
        expected = check(node)
        lines = [] if _same(expected, node["value"]) else [_differs("the value", expected, node["value"])]
        return lines + [_differs(what, *pair) for what, *pair in _held_inputs(node) if not _same(*pair)]
    except (KeyError, TypeError, ValueError, InvalidOperation, StopIteration) as error:
        return [f"cannot be worked out: {type(error).__name__} {error}"]


def _differs(what: str, expected: object, found: object) -> str:
    return f"{what} is {found!r}, expected {plain(expected) if isinstance(expected, Decimal) else expected!r}"


def _same(expected: object, found: object) -> bool:
    if isinstance(expected, Decimal):
        return isinstance(found, str) and Decimal(found) == expected
    return type(expected) is type(found) and expected == found


# --- what must be as it is said, beside the value ------------------------------------------------------------------


def _held_inputs(node: JsonNode) -> Iterator[tuple[str, object, object]]:
    """Yield what a node says of others, as (what, expected, found)."""
    operator = node["operator"]
    if operator in BOUNDED_ROWS:
        yield from _cuts_of_row(node)
    elif operator == "section":
        yield from _cuts_of_section(node)
    elif operator in ("total", "stage"):
        yield from _cuts_of_total(node)
    elif operator == "threshold_subtotal":
        yield from _gate_subtotal(node)
    elif operator in ("deduct", "award", "pool"):
        yield from _left_before(node)
    elif operator in ("tiers", "checklist"):
        yield from _facts_in_turn(node)
    elif operator == "result":
        yield from _result_inputs(node)
    elif operator in ("place", "steps_below_mean"):
        yield "the unit's figure", _own_figure(node), node["inputs"]["values"].get(node["inputs"]["unit"])
    yield from _late_day(node)


def _cut(node: JsonNode, key: str, expected: Decimal) -> tuple[str, object, object]:
    """A cut must be there exactly where it changes something."""
    found = next((child["value"] for child in node["children"] if child["key"] == key), "0")
    return f"the change by {key}", expected, found


def _limits(node: JsonNode, value: Decimal, cap: str, floor: str) -> Iterator[tuple[str, object, object]]:
    ceiling, lowest = bound_of(node, cap), bound_of(node, floor)
    over = ZERO if ceiling is None else max(ZERO, value - ceiling)
    yield _cut(node, cap, -over)
    under = ZERO if lowest is None else max(ZERO, lowest - (value - over))
    yield _cut(node, floor, under)


def _cuts_of_row(node: JsonNode) -> Iterator[tuple[str, object, object]]:
    value = added_before_cuts(node)
    limits = list(_limits(node, value, "ceiling", "floor"))
    yield from limits
    bounded = value + sum((Decimal(str(expected)) for _, expected, _ in limits), ZERO)
    forfeited = any(child["value"] for child in children_of(node, "forfeit"))
    yield _cut(node, "forfeited", -bounded if forfeited else ZERO)


def _cuts_of_section(node: JsonNode) -> Iterator[tuple[str, object, object]]:
    value = added_before_cuts(node)
    told = node["inputs"]
    if told["section"] == "base":
        left_out = children_of(node, "left_out")
        missing = sum((number_of(row, "points") for row in left_out), ZERO)
        applying = sum((number_of(row, "points") for row in children_of(node, *ROWS)), ZERO)
        change = adjusted(told["not_applicable"], number_of(node, "full"), value, applying, missing)
        yield _cut(node, "adjustment", change if left_out else ZERO)
        seen = {"full": number_of(node, "full"), "before": value, "applying": applying, "missing": missing}
        for one in children_of(node, "adjustment"):
            yield "the way of the adjustment", told["not_applicable"], one["inputs"]["mode"]
            for name, expected in seen.items():
                yield f"what the adjustment has as {name}", expected, one["inputs"][name]
        return
    sign = -1 if told["section"] == "penalty" else 1
    cap = bound_of(node, "cap")
    yield _cut(node, "cap", ZERO if cap is None else -max(ZERO, sign * value - cap))


def _cuts_of_total(node: JsonNode) -> Iterator[tuple[str, object, object]]:
    if node["operator"] == "stage":
        sums = balance_of(node)
        yield _cut(node, "floor", max(ZERO, -sums))
        yield from _gate_subtotal(node)
        return
    stages = children_of(node, "stage")
    value = weighed(node)
    cap, lowest = bound_of(node, "cap"), bound_of(node, "floor")
    capped = value
    if not stages and node["inputs"]["cap_after"] == "bonus":
        capped += section_of(node, "penalty")
    over = ZERO if cap is None else max(ZERO, capped - cap)
    yield _cut(node, "cap", -over)
    under = ZERO if lowest is None else max(ZERO, lowest - (value - over))
    yield _cut(node, "floor", under)
    before = value - over + under
    fixed = [Decimal(veto["inputs"]["total"]) for veto in fired_vetoes(node) if veto["inputs"]["total"] is not None]
    yield _cut(node, "veto_total", min(fixed) - before if fixed else ZERO)
    for veto in children_of(node, "veto_subtotal"):
        basis = veto["inputs"]["basis"]
        seen = before if basis == "total" else sum((basis_of(part, basis) for part in stages or [node]), ZERO)
        yield f"the subtotal of {veto['key']}", seen, veto["value"]
    if not stages:
        yield from _gate_subtotal(node)


def _gate_subtotal(node: JsonNode) -> Iterator[tuple[str, object, object]]:
    """The subtotal that a gate looks at holds the bonus as it was before the gate."""
    for section in children_of(node, "section"):
        for gate in children_of(section, "gate"):
            before = added_before_cuts(section) + sum_of(children_of(section, "cap"))
            yield "the bonus before the gate", before, gate["inputs"]["before"]
            seen = basis_of(node, gate["inputs"]["basis"])
            if "bonus" in gate["inputs"]["basis"]:
                seen += before - section_of(node, "bonus")
            yield "the subtotal of the gate", seen, gate["inputs"]["subtotal"]


def _left_before(node: JsonNode) -> Iterator[tuple[str, object, object]]:
    """What is left of a maximum goes down fact by fact; a pool's through the facts of all its rules."""
    maximum = bound_of(node, "max")
    if maximum is None:
        return
    rules = node["children"] if node["operator"] == "pool" else [node]
    facts = [(fact, at) for at, rule in enumerate(rules) for fact in children_of(rule, "times")]
    facts.sort(key=lambda pair: (pair[0]["inputs"]["day"], pair[0]["inputs"]["position"], pair[1]))
    for fact, _ in facts:
        yield f"what was left before {fact['key']}", maximum, fact["inputs"].get("left")
        maximum -= abs(points_of(fact))


def _facts_in_turn(node: JsonNode) -> Iterator[tuple[str, object, object]]:
    """Facts on a ladder or a list give what they change, in their order."""
    seen: set[str] = set()
    times, reached = 0, ZERO
    for fact in in_order(children_of(node, "step", "item")):
        if node["operator"] == "tiers":
            times += fact["inputs"]["count"]
            points = ladder(node, times)
            yield f"the points of {fact['key']}", points - reached, fact["value"]
            reached = points
            continue
        item = fact["inputs"]["attributes"]["item"]
        points = sign_of(node["inputs"]["mode"] == "earn") * Decimal(node["inputs"]["items"][item])
        yield f"the points of {fact['key']}", ZERO if item in seen else points, fact["value"]
        seen.add(item)


def _result_inputs(node: JsonNode) -> Iterator[tuple[str, object, object]]:
    """Rank and grade are of this unit and this total; a veto's grade is the first that fired."""
    [whole], [rank], [grade] = children_of(node, "total"), children_of(node, "rank"), children_of(node, "grade")
    unit = node["inputs"]["unit"]
    yield "the ranked total", points_of(whole), rank["inputs"]["totals"].get(rank["inputs"]["unit"])
    yield "the ranked unit", unit, rank["inputs"]["unit"]
    forcing = [veto["inputs"]["grade"] for veto in fired_vetoes(whole) if veto["inputs"]["grade"] is not None]
    yield "the forced grade", forcing[0] if forcing else None, grade["inputs"]["forced"]
    for band in children_of(grade, "band"):
        yield "the graded total", points_of(whole), band["inputs"]["total"]
    for quota in children_of(grade, "quota"):
        yield "the totals of the quota", rank["inputs"]["totals"], quota["inputs"]["totals"]
        yield "the unit of the quota", unit, quota["inputs"]["unit"]


def _own_figure(node: JsonNode) -> object:
    counted = times_of(node)
    return Decimal(counted) if counted else latest_points(node)


def _late_day(node: JsonNode) -> Iterator[tuple[str, object, object]]:
    for due in children_of(node, "due_day"):
        following = date.fromisoformat(due["value"]) + timedelta(days=1)
        yield "the day after the due day", following.isoformat(), node["inputs"]["day"]


def _thresholds_seen(root: JsonNode) -> Iterator[str]:
    """Yield where a threshold saw a row otherwise than the sheet has it without thresholds."""
    rows = {
        (node["inputs"]["stage"], node["indicator"]): node
        for _, node in _walk(root, "")
        if node["operator"] in ("row", "lowest_account")
    }
    for _, node in _walk(root, ""):
        if node["operator"] != "row_value":
            continue
        try:
            expected = _without_thresholds(rows[node["inputs"]["stage"], node["indicator"]])
        except (KeyError, TypeError, ValueError, InvalidOperation) as error:
            yield f"row {node['indicator']} cannot be compared: {type(error).__name__} {error}"
            continue
        if not _same(expected, node["value"]):
            yield _differs(f"row {node['indicator']} as a threshold sees it", expected, node["value"])


def _without_thresholds(row: JsonNode) -> Decimal:
    if row["operator"] == "lowest_account":
        return min(_without_thresholds(account) for account in children_of(row, "account"))
    if any(child["value"] for child in children_of(row, "forfeit")):
        return ZERO
    value = added_before_cuts(row) - sum_of(children_of(row, "if_total"))
    ceiling, lowest = bound_of(row, "ceiling"), bound_of(row, "floor")
    value = value if ceiling is None else min(value, ceiling)
    return value if lowest is None else max(value, lowest)
