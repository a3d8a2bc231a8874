"""What a row of a scheme asks to be recorded: kinds of facts, their fields, and the codes that can count in the row.

Made for forms that begin with the row. A code is left out only where no fact that holds it could meet any of the row's
rules; that two fields do not go together is not told here, but by what recording would do. A row that looks at late
replies to disclosure requests asks for the requests too, from which those are derived. Vetoes ask like rows: some
facts are of no other row. Whether a unit's sheet has the row is the caller's to know.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from schemes.conditions import Comparison, Where
from schemes.fact import REQUEST_KINDS
from schemes.linting.satisfying import conjuncts, contradictory, satisfying
from schemes.rules import (
    ByCount,
    ByMetric,
    ByRank,
    ByRankingFact,
    ByValue,
    Checklist,
    Discretion,
    IfTotal,
    Judged,
    MeanRating,
    Milestone,
    PriorGrade,
    Proportional,
    RankSource,
    Rule,
    Selection,
    Shortfall,
)
from schemes.scheme import Indicator, Veto, VetoFacts
from schemes.vocabulary import Attribute, CodeAttribute, CodesAttribute, ItemAttribute, Vocabulary
from schemes.wording import rule_sentence, selection_phrase

_LATE: Final = "late_reply"
_OF_REQUESTS: Final = Where.model_validate({"matter": "disclosure_request"})
_Predicates = tuple[Where, ...]


@dataclass(frozen=True, slots=True)
class AskedField:
    """A field of a kind; `values` are the codes that can count in the row with their labels, None where it is open.

    `needed`: no fact without it can be recorded, or count in the row. `at_least` is the bound that all rules of the row
    put on it alike, None where they do not.
    """

    name: str
    attribute: Attribute
    values: Mapping[str, str] | None
    needed: bool
    at_least: Decimal | None


@dataclass(frozen=True, slots=True)
class AskedKind:
    """A kind of facts that the row looks at, its fields, and the rules that look at it in plain Chinese."""

    kind: str
    label: str
    fields: tuple[AskedField, ...]
    rules: tuple[str, ...]

    def field(self, name: str) -> AskedField | None:
        """Return the field of that name, or None."""
        return next((one for one in self.fields if one.name == name), None)


def asked_kinds(asking: Indicator | Veto, vocabulary: Vocabulary) -> tuple[AskedKind, ...]:
    """Return the kinds of facts that the row (or veto) looks at, in the order of its rules, then of the vocabulary.

    Empty where it looks at none, but at subtotals. `vocabulary` is the one extended with the scheme's own items.
    """
    found: dict[str, list[tuple[_Predicates, str]]] = {}
    for kind, predicates, sentence in _looked_at(asking, vocabulary):
        found.setdefault(kind, []).append((predicates, sentence))
    return tuple(_asked_kind(asking, kind, meanings, vocabulary) for kind, meanings in found.items())


def _looked_at(asking: Indicator | Veto, vocabulary: Vocabulary) -> Iterator[tuple[str, _Predicates, str]]:
    """Yield each kind that something of the row looks at, the predicates that must all hold, and a sentence."""
    meant = _of_veto(asking, vocabulary) if isinstance(asking, Veto) else _of_rules(asking, vocabulary)
    for kind, predicates, sentence in meant:
        if satisfying(kind, predicates, vocabulary) is None:
            continue
        yield kind, predicates, sentence
        if kind == _LATE and satisfying(kind, (*predicates, _OF_REQUESTS), vocabulary) is not None:
            for request in (one for one in vocabulary.kinds if one in REQUEST_KINDS):
                yield request, (), sentence


def _of_veto(veto: Veto, vocabulary: Vocabulary) -> Iterator[tuple[str, _Predicates, str]]:
    if isinstance(veto.when, VetoFacts):
        sentence = f"{selection_phrase(veto.when, vocabulary)}达到{veto.when.min_count}次的，“{veto.title}”成立"
        for kind in veto.when.kinds:
            yield kind, (veto.when.where,), sentence


def _of_rules(row: Indicator, vocabulary: Vocabulary) -> Iterator[tuple[str, _Predicates, str]]:
    for rule in row.rules:
        sentence = rule_sentence(rule, vocabulary)
        for kind, predicates in _of_rule(row, rule):
            yield kind, predicates, sentence


def _of_rule(row: Indicator, rule: Rule) -> Iterator[tuple[str, _Predicates]]:
    match rule:
        case Selection():
            listed = (_saying(item=tuple(rule.items)),) if isinstance(rule, Checklist) else ()
            yield from ((kind, (rule.where, *listed)) for kind in rule.kinds)
        case Milestone():
            yield from ((kind, (one.where,)) for one in rule.conditions for kind in one.kinds)
        case ByRank():
            yield from _of_source(rule.source)
        case Shortfall() | Proportional() | ByValue():
            yield "metric", (_saying(name=rule.metric),)
        case Judged():
            yield "judgement", (_saying(indicator=row.id),)
        case Discretion():
            yield "discretion", (_saying(section=rule.section),)
        case MeanRating():
            yield "rating", ()
        case PriorGrade():
            yield "prior_grade", ()
        case IfTotal():
            pass


def _of_source(source: RankSource) -> Iterator[tuple[str, _Predicates]]:
    match source:
        case ByCount():
            yield from ((kind, (source.count.where,)) for kind in source.count.kinds)
        case ByRankingFact():
            yield "ranking", (_saying(name=source.ranking),)
        case ByMetric():
            yield "metric", (_saying(name=source.metric),)


def _saying(**tests: object) -> Where:
    return Where.model_validate(tests)


def _asked_kind(
    asking: Indicator | Veto, kind: str, meanings: list[tuple[_Predicates, str]], vocabulary: Vocabulary
) -> AskedKind:
    known = vocabulary.kinds[kind]
    # Rules often differ in their points only: by what they say, each predicate is tried once.
    alternatives = {_said(predicates): predicates for predicates, _ in meanings}
    fields = tuple(
        AskedField(
            name,
            attribute,
            _values(asking, kind, name, alternatives, vocabulary),
            attribute.required or _is_needed(kind, name, alternatives.values(), vocabulary),
            _at_least(name, alternatives.values()),
        )
        for name, attribute in known.attributes.items()
    )
    return AskedKind(kind, known.label, fields, tuple(dict.fromkeys(sentence for _, sentence in meanings)))


def _said(predicates: _Predicates) -> str:
    return " ".join(one.model_dump_json(by_alias=True) for one in predicates)


def _values(
    asking: Indicator | Veto,
    kind: str,
    name: str,
    alternatives: Mapping[str, _Predicates],
    vocabulary: Vocabulary,
) -> Mapping[str, str] | None:
    if kind == "judgement" and name == "indicator" and isinstance(asking, Indicator):
        return {asking.id: asking.titles[-1]}
    match vocabulary.kinds[kind].attributes[name]:
        case CodeAttribute() | CodesAttribute() as attribute:
            known = attribute.values
        case ItemAttribute():
            known = vocabulary.items
        case _:
            return None
    named = [code for code in known if any(f'"{code}"' in said for said in alternatives)]
    # Of those that no predicate names, one is like the other.
    other = next((code for code in known if code not in named), None)
    tried = [*named, *([] if other is None else [other])]
    counting = {code for code in tried if _can_count(kind, name, code, alternatives.values(), vocabulary)}
    return {
        code: label for code, label in known.items() if code in counting or (other in counting and code not in named)
    }


def _is_needed(kind: str, name: str, alternatives: Iterable[_Predicates], vocabulary: Vocabulary) -> bool:
    """Whether each rule fails, whatever else a fact says, where it does not say this."""
    known = vocabulary.kinds[kind]
    others = {one: attribute for one, attribute in known.attributes.items() if one != name}
    without = {**vocabulary.kinds, kind: known.model_copy(update={"attributes": others})}
    reduced = vocabulary.model_copy(update={"kinds": without})
    return all(contradictory(kind, predicates, reduced) for predicates in alternatives)


def _at_least(name: str, alternatives: Iterable[_Predicates]) -> Decimal | None:
    """Return the bound where every rule has one, and all the same."""
    found = {_bound(name, predicates) for predicates in alternatives}
    return found.pop() if len(found) == 1 else None


def _bound(name: str, predicates: _Predicates) -> Decimal | None:
    tests = [part.tests.get(name) for predicate in predicates for part in conjuncts(predicate)]
    bounds = [one.at_least for one in tests if isinstance(one, Comparison) and one.at_least is not None]
    return max(bounds, default=None)


def _can_count(kind: str, name: str, code: str, alternatives: Iterable[_Predicates], vocabulary: Vocabulary) -> bool:
    saying = _saying(**{name: code})
    return any(satisfying(kind, (*one, saying), vocabulary) is not None for one in alternatives)
