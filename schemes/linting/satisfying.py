"""Whether a fact can exist that several predicates all accept, and an example of one.

The vocabulary closes every attribute's values: codes are finite, numbers are bounded, and of texts only those matter
that a predicate names, and one that none names. So it is enough to try, for each attribute a predicate looks at, the
values that could make a difference:

1. a code, an item, a text: each one named, and one that is not;
2. a list of codes: each choice of those named, with each number of others;
3. a number: each bound, and a value on either side of it;
4. an optional attribute may also be missing; the fact may be rectified or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import combinations, islice, pairwise, product
from math import prod

from schemes.conditions import RECTIFIED, Comparison, Test, Where
from schemes.fact import AttributeValue, Fact
from schemes.vocabulary import (
    Attribute,
    CodeAttribute,
    CodesAttribute,
    DecimalAttribute,
    IntegerAttribute,
    ItemAttribute,
    Vocabulary,
)

MOST_TRIES = 200_000
_SOME_DAY = date(2000, 1, 1)
_OTHER_TEXT = "…"
_MISSING = None
Candidate = AttributeValue | bool | None


def satisfying(kind: str, predicates: Sequence[Where], vocabulary: Vocabulary) -> Fact | None:
    """Return a fact of the kind that every predicate accepts, with the attributes they look at; None without one.

    Predicates nested so that more than 200,000 combinations are left are tried that often and no further.
    """
    return _search(kind, predicates, vocabulary)[0]


def contradictory(kind: str, predicates: Sequence[Where], vocabulary: Vocabulary) -> bool:
    """Whether it is certain that no fact of the kind is accepted by every predicate."""
    found, is_certain = _search(kind, predicates, vocabulary)
    return found is None and is_certain


def _search(kind: str, predicates: Sequence[Where], vocabulary: Vocabulary) -> tuple[Fact | None, bool]:
    attributes = vocabulary.kinds[kind].attributes
    choices = {
        name: _fitting(kind, name, _candidates(name, tests, attributes, vocabulary), predicates)
        for name, tests in _tests_by_name(predicates).items()
    }
    for values in islice(product(*choices.values()), MOST_TRIES):
        fact = _fact(kind, dict(zip(choices, values, strict=True)))
        if all(predicate.matches(fact) for predicate in predicates):
            return fact, True
    return None, prod(map(len, choices.values())) <= MOST_TRIES


def _tests_by_name(predicates: Iterable[Where]) -> dict[str, list[Test]]:
    found: dict[str, list[Test]] = {}
    for predicate in predicates:
        for part in _parts(predicate):
            for name, test in part.tests.items():
                found.setdefault(name, []).append(test)
    return found


def _parts(predicate: Where) -> Iterator[Where]:
    yield predicate
    for part in (*predicate.all_of, *predicate.any_of, *([predicate.none_of] if predicate.none_of else [])):
        yield from _parts(part)


def _fitting(kind: str, name: str, values: list[Candidate], predicates: Sequence[Where]) -> list[Candidate]:
    """The values that pass every test on the attribute that must hold whatever the others are."""
    tests = [
        Where.model_validate({name: part.tests[name]}).matches
        for predicate in predicates
        for part in conjuncts(predicate)
        if name in part.tests
    ]
    return [value for value in values if all(test(_fact(kind, {name: value})) for test in tests)]


def conjuncts(predicate: Where) -> Iterator[Where]:
    """Yield the predicate and all parts of it that must hold as well."""
    yield predicate
    for part in predicate.all_of:
        yield from conjuncts(part)


def _fact(kind: str, values: Mapping[str, Candidate]) -> Fact:
    attributes = {
        name: value for name, value in values.items() if value is not _MISSING and not isinstance(value, bool)
    }
    rectified = _SOME_DAY if values.get(RECTIFIED) else None
    return Fact("", 0, "", kind, _SOME_DAY, 1, attributes, rectified)


def _candidates(
    name: str, tests: Sequence[Test], attributes: Mapping[str, Attribute], vocabulary: Vocabulary
) -> list[Candidate]:
    if name == RECTIFIED:
        return [False, True]
    attribute = attributes.get(name)
    if attribute is None:
        return [_MISSING]
    values: list[Candidate] = [*_values(attribute, tests, vocabulary)]
    return values if attribute.required else [*values, _MISSING]


def _values(attribute: Attribute, tests: Sequence[Test], vocabulary: Vocabulary) -> Iterable[AttributeValue]:
    named = list(dict.fromkeys(_named(tests)))
    match attribute:
        case CodeAttribute():
            return _and_another(named, attribute.values)
        case ItemAttribute():
            return _and_another(named, vocabulary.items)
        case CodesAttribute():
            return _choices([one for one in named if one in attribute.values], list(attribute.values))
        case IntegerAttribute():
            ends = (Decimal(attribute.at_least), Decimal(attribute.at_most))
            whole = dict.fromkeys(int(one) for one in _around(tests, ends))
            return [one for one in whole if attribute.problem(one, vocabulary) is None]
        case DecimalAttribute():
            bounds = (attribute.at_least, attribute.at_most, attribute.more_than)
            return [one for one in _around(tests, bounds) if attribute.problem(format(one, "f"), vocabulary) is None]
        case _:
            return [*(str(one) for one in named), _OTHER_TEXT]


def _named(tests: Iterable[Test]) -> Iterator[str]:
    for test in tests:
        if not isinstance(test, Comparison):
            yield from (str(one) for one in (test if isinstance(test, tuple) else (test,)))


def _and_another(named: Sequence[str], known: Iterable[str]) -> list[str]:
    """Those named that there are, and the first that is not named."""
    listed = list(known)
    other = next((one for one in listed if one not in named), None)
    return [*(one for one in named if one in listed), *([] if other is None else [other])]


def _choices(named: Sequence[str], known: Sequence[str]) -> Iterator[tuple[str, ...]]:
    others = [one for one in known if one not in named]
    for size in range(len(named) + 1):
        for chosen in combinations(named, size):
            for more in range(len(others) + 1):
                if chosen or more:
                    yield (*chosen, *others[:more])


def _around(tests: Iterable[Test], ends: Iterable[Decimal | None]) -> list[Decimal]:
    """Every bound and value named, whole numbers next to them, and what lies between two of them."""
    named = [one for test in tests for one in _numbers(test)]
    bounds = [one for one in (*named, *ends) if one is not None]
    ordered = sorted({one + step for one in (Decimal(0), *bounds) for step in (-1, 0, 1)})
    return [*ordered, *((low + high) / 2 for low, high in pairwise(ordered))]


def _numbers(test: Test) -> Iterator[Decimal | None]:
    if isinstance(test, Comparison):
        yield from (test.at_least, test.at_most)
        return
    for one in test if isinstance(test, tuple) else (test,):
        if isinstance(one, int | Decimal) and not isinstance(one, bool):
            yield Decimal(one)
