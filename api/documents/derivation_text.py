"""A derivation as indented text: one line a node, points in a column of their own, what did not fire marked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from ledger.decisions import CHINA
from projections.questions.derivation_models import DerivationAnswer, NodeAnswer
from projections.questions.derivations import row_nodes
from schemes.exact import parse_decimal
from schemes.wording import day_phrase

UNFIRED: Final = "（未生效）"
_COLUMN: Final = 9


def derivation_text(answer: DerivationAnswer) -> str:
    """Return the tree as lines in Chinese, children indented below their parent, ending with a line end."""
    heading = f"{answer.unit}{answer.year}年度得分推导"
    quoted = quotations(answer)
    return "\n".join([heading, standing_phrase(answer), "", *_lines(answer.tree, 0, quoted), ""])


class Quoted(NamedTuple):
    """What a clause says, and where it stands; `founded` is the row or veto that rests on it."""

    founded: str
    words: str


def quotations(answer: DerivationAnswer) -> dict[str, Quoted]:
    """Return the clauses that can be quoted, by the id of the node of the row or veto that rests on each."""
    places = {one.indicator: (one.document, one.place) for one in answer.clauses if one.place}
    rows = ((node.id, node.indicator or "") for node in row_nodes(answer.tree))
    vetoes = ((node.id, node.key.removeprefix("veto-")) for node in _vetoes(answer.tree))
    found = {}
    for node, founded in (*rows, *vetoes):
        if founded in places:
            title, place = places[founded]
            words = " ".join(place.excerpt.split())
            found[node] = Quoted(founded, f"《{title}》第{place.page}页第{place.first_line}行：{words}")
    return found


def _vetoes(node: NodeAnswer) -> Iterator[NodeAnswer]:
    if node.operator in ("veto_facts", "veto_subtotal"):
        yield node
    for child in node.children:
        yield from _vetoes(child)


def standing_phrase(answer: DerivationAnswer) -> str:
    """Return what the derivation was worked out from: day, moment, scheme version, ledger position."""
    known = "全部登记"
    if answer.known_at is not None:
        local = answer.known_at.astimezone(CHINA)
        known = f"{day_phrase(local.date())}{local:%H:%M:%S}以前的登记"
    scheme = f"方案{answer.scheme.id}第{answer.scheme.version}版"
    return f"截至{day_phrase(answer.as_of)}，按{known}，{scheme}，账本第{answer.position}号"


def _lines(node: NodeAnswer, depth: int, quoted: Mapping[str, Quoted]) -> Iterator[str]:
    mark = "" if node.fired else UNFIRED
    clause = f"［{node.clause}］" if node.clause and _names_clause(node) else ""
    yield f"{_figure(node):>{_COLUMN}}  {'  ' * depth}{mark}{node.sentence}{clause}"
    if node.id in quoted:
        yield f"{'':>{_COLUMN}}  {'  ' * (depth + 1)}原文　{quoted[node.id].words}"
    for child in node.children:
        yield from _lines(child, depth + 1, quoted)


def _figure(node: NodeAnswer) -> str:
    """Return a value that is a number; days, grades, references and positions stand in the sentence only."""
    if node.operator == "entry":
        return ""
    if isinstance(node.value, str):
        return node.value if parse_decimal(node.value) is not None else ""
    return "" if node.value is None else str(node.value)


def _names_clause(node: NodeAnswer) -> bool:
    """Whether the clause is told here: below a row it is the same on every line."""
    return node.rule is None and node.operator not in ("entry", "evidence", "start")
