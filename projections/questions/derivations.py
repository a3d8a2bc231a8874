"""A unit's derivation from a ledger's year: the engine's tree, with entries and evidence below every fact.

Readings that do not count are found here as far as the ledger knows why: voided, not yet recorded at the moment of
the question, or amended into something else. Which rule would have met them is the engine's question.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Final
from uuid import UUID

from ledger.decisions import CHINA, Unit
from ledger.events import SchemeReference
from ledger.rejection import rejected
from projections.answers import standing
from projections.jurisdictions import Jurisdictions
from projections.official_documents.places import Founded, clause_answers
from projections.questions.derivation_models import DerivationAnswer, NodeAnswer
from projections.readings import renamed
from projections.sentences import scheme_words
from projections.years import FactEntry, YearView
from schemes.derivations.derivation import derivation
from schemes.derivations.node import Absent, Input, Node, json_value
from schemes.fact import Fact
from schemes.scheme import Scheme
from schemes.wording import day_phrase, fact_phrase

_ENTRIES: Final = {"observe": "登记", "amend": "更正", "void": "作废", "rectify": "整改"}


@dataclass(frozen=True, slots=True)
class Version:
    """A scheme version that the ledger keeps, to ask about a year under."""

    reference: SchemeReference
    scheme: Scheme


def kept_version(
    jurisdictions: Jurisdictions, code: str, identifier: str | None, version: str | None, view: YearView | None = None
) -> Version | None:
    """Return the version of a scheme that the ledger keeps, or None when neither id nor version is named.

    Raises Rejection when only one of the two is named, or the ledger keeps no such version. In a view that shows some
    units only there is no version but the one in force: under others nothing was released.
    """
    if identifier is None and version is None:
        return None
    if identifier is None or version is None:
        missing = "scheme_id" if identifier is None else "scheme_version"
        message = "scheme_id and scheme_version go together; expected both, or none for the version in force"
        raise rejected("scheme-version-incomplete", missing, message)
    if view is not None and view.sight is not None:
        _, in_force = view.state.opened()
        if (identifier, version) != (in_force.id, in_force.version):
            message = f"found {identifier!r} version {version!r}, expected {in_force.id!r} version {in_force.version!r}"
            raise rejected("unknown-scheme", "scheme", message)
    found = jurisdictions.registered_version(code, identifier, version)
    return Version(found, jurisdictions.scheme(code, found.digest))


def derivation_of(view: YearView, unit: Unit, version: Version | None = None) -> DerivationAnswer:
    """Return the derivation of a unit assessed on the day, under the scheme in force or another version kept."""
    root = derivation_tree(view, unit, None if version is None else version.scheme)
    scheme = view.scheme if version is None else version.scheme
    group = scheme.group(unit.group)
    rank, grade = root.children[1], root.children[2]
    return DerivationAnswer(
        **standing(view, None if version is None else version.reference),
        unit=unit.name_on(view.as_of),
        key=unit.key,
        group=unit.group,
        group_title=group.title if group else unit.group,
        total=json_value(root.value),
        rank=json_value(rank.value),
        grade=json_value(grade.value),
        tree=node_answer(root),
        clauses=[],
    )


def with_clauses(jurisdictions: Jurisdictions, answer: DerivationAnswer) -> DerivationAnswer:
    """Return the derivation with every clause of its tree quoted: of rows, vetoes and reported figures."""
    scheme = jurisdictions.scheme(answer.jurisdiction, answer.scheme.digest)
    group = scheme.group(answer.group)
    shown = {node.indicator for node in row_nodes(answer.tree)}
    rows = [row for row in (group.indicators if group else ()) if row.id in shown]
    founded: list[Founded] = [*rows]
    if answer.tree.operator == "result":
        founded += [*scheme.vetoes, *scheme.outputs]
    quoted = clause_answers(jurisdictions, answer.jurisdiction, answer.scheme, founded)
    return answer.model_copy(update={"clauses": quoted})


def derivation_tree(view: YearView, unit: Unit, scheme: Scheme | None = None) -> Node:
    """Return the engine's tree with what the ledger knows below each fact."""
    situation = view.situation if scheme is None else view.under(scheme)
    names = {one.key: one.name_on(view.as_of) for one in view.units}
    words = scheme_words(situation.scheme)
    told = _Told(view, situation.scheme)
    return told.extended(derivation(situation, unit.key, words, told.absent(unit), names, others=view.sight is None))


def only_row(answer: DerivationAnswer, indicator: str) -> DerivationAnswer:
    """Return the derivation cut down to one row of the sheet; refuses an indicator that the sheet does not have."""
    rows = {node.indicator: node for node in row_nodes(answer.tree)}
    if indicator not in rows:
        message = f"found {indicator!r}, expected an indicator of {answer.unit}: {', '.join(map(str, rows))}"
        raise rejected("unknown-indicator", "row", message)
    return answer.model_copy(update={"tree": rows[indicator]})


def row_nodes(node: NodeAnswer) -> Iterator[NodeAnswer]:
    """Yield the rows of the tree, those that do not apply among them."""
    if node.operator in ("row", "lowest_account", "left_out"):
        yield node
        return
    for child in node.children:
        yield from row_nodes(child)


def node_answer(node: Node, path: str | None = None) -> NodeAnswer:
    """Return the tree in the shape that is shown; siblings with one key are numbered."""
    seen: Counter[str] = Counter()
    children = []
    for child in node.children:
        seen[child.key] += 1
        key = child.key if seen[child.key] == 1 else f"{child.key}~{seen[child.key]}"
        children.append(node_answer(child, key if path is None else f"{path}/{key}"))
    return NodeAnswer(
        id=path or node.key,
        key=node.key,
        operator=node.operator,
        label=node.label,
        value=json_value(node.value),
        sentence=node.sentence,
        inputs=json_value(node.inputs),
        fired=node.fired,
        clause=node.clause,
        indicator=node.indicator,
        rule=node.rule,
        fact=node.fact,
        children=children,
    )


class _Told:
    """What a year's ledger says of observations, by observation."""

    def __init__(self, view: YearView, scheme: Scheme) -> None:
        self._view = view
        self._words = scheme_words(scheme)

    def absent(self, unit: Unit) -> Sequence[Absent]:
        """Return the readings of the unit that do not count by what was recorded, or not yet."""
        found = [
            one
            for entries in self._view.by_observation.values()
            for one in self._absent(entries)
            if self._view.shows_reading(one.fact, entries[0].position)
        ]
        facts = renamed((one.fact for one in found), self._view.state.keys_by_name)
        keyed = (replace(one, fact=fact) for one, fact in zip(found, facts, strict=True))
        return [one for one in keyed if one.fact.unit == unit.key]

    def _absent(self, entries: Sequence[FactEntry]) -> Iterator[Absent]:
        """Yield the readings of one observation that do not stand: each as it was, at the observation's place."""
        known = [entry for entry in entries if self._view.is_known(entry)]
        readings = _readings(known, entries[0].position)
        if len(entries) > len(known):
            later = _readings([entry for entry in entries if not self._view.is_known(entry)], entries[0].position)
            yield from (Absent(fact, "not_yet_known") for fact in later[-1:])
        if known and known[-1].entry == "void":
            yield Absent(readings[-1], "voided")
        else:
            yield from (Absent(fact, "amended_away") for fact in readings[:-1])

    def extended(self, node: Node) -> Node:
        """Return the tree with the entries of each observation below every fact of it."""
        children = tuple(self.extended(child) for child in node.children if not self._is_hidden(child))
        entries = self._entries(node)
        if not entries:
            return node if children == node.children else replace(node, children=children)
        shown = [entry for entry in entries if self._view.is_known(entry)] or entries
        amended = sum(entry.said.fact is not None for entry in shown) > 1
        told = (
            _entry_node(
                entry, node, self._reading(entry) if amended else None, self._view.decisions.get(entry.position)
            )
            for entry in shown
        )
        return replace(node, children=(*children, *told))

    def _entries(self, node: Node) -> Sequence[FactEntry]:
        return () if node.fact is None else self._view.all_entries_of(node.fact)

    def _is_hidden(self, node: Node) -> bool:
        """Whether the node is of a reading that does not count, and of which the view shows nothing."""
        is_absent = node.operator == "absent" and "derived_from" not in node.inputs
        return self._view.sight is not None and is_absent and not self._entries(node)

    def _reading(self, entry: FactEntry) -> str | None:
        """Return what the entry made the observation say."""
        fact = entry.said.fact
        return None if fact is None else f"{fact.unit}{fact_phrase(fact, self._words)}"


def _readings(entries: Sequence[FactEntry], position: int) -> list[Fact]:
    return [replace(entry.said.fact, position=position) for entry in entries if entry.said.fact is not None]


def _entry_node(entry: FactEntry, about: Node, reading: str | None, decision: UUID | None) -> Node:
    """Return one entry of the ledger as a leaf, its evidence below."""
    recorded = entry.recorded_at.astimezone(CHINA)
    words = [f"{day_phrase(recorded.date())}{recorded:%H:%M}由{entry.actor}{_ENTRIES[entry.entry]}"]
    words += [f"账本第{entry.position}号"]
    if entry.said.rectified_on is not None:
        words.append(f"{day_phrase(entry.said.rectified_on)}已整改")
    words += [f"依申诉{decision}的决定"] if decision else []
    words += [f"内容为：{reading}"] if reading else []
    words += [f"理由：{entry.reason.rstrip('。')}"] if entry.reason else []
    words += [f"说明：{entry.note.rstrip('。')}"] if entry.note else []
    inputs: dict[str, Input] = {
        "observation": entry.observation,
        "position": entry.position,
        "entry": entry.entry,
        "reading": reading,
        "recorded_at": entry.recorded_at.astimezone(UTC).isoformat(),
        "actor": entry.actor,
        "reason": entry.reason,
        "note": entry.note,
        "decision": None if decision is None else str(decision),
    }
    children = tuple(_evidence_node(at, one, about) for at, one in enumerate(entry.evidence, start=1))
    return Node(
        key=f"entry{entry.position}",
        operator="entry",
        label=_ENTRIES[entry.entry],
        value=entry.position,
        sentence=f"{'，'.join(words)}。",
        inputs=inputs,
        children=children,
        clause=about.clause,
        indicator=about.indicator,
        rule=about.rule,
    )


def _evidence_node(at: int, evidence: Mapping[str, str | None], about: Node) -> Node:
    sources = {"file": "文件校验值", "url": "网址", "document": "文号"}
    source = next(name for name in sources if evidence.get(name) is not None)
    place = f"，{evidence['locator']}" if evidence.get("locator") else ""
    inputs: dict[str, Input] = {name: evidence.get(name) for name in ("title", *sources, "locator")}
    return Node(
        key=f"evidence{at}",
        operator="evidence",
        label="证据",
        value=evidence[source],
        sentence=f"证据《{evidence['title']}》（{sources[source]}：{evidence[source]}{place}）。",
        inputs=inputs,
        clause=about.clause,
        indicator=about.indicator,
        rule=about.rule,
    )
