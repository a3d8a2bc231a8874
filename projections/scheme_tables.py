"""A scheme as the table that its document prints: headings over several rows, points, and each row's rules in words.

Rows stand in the order of the file, by group and stage. Consecutive rows under the same headings share their cells.
Where the official document is registered, each clause says whether its place in it was found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from ledger.events import SchemeReference
from ledger.rejection import Rejection
from projections.answer_models import Answer, Points
from projections.jurisdictions import Jurisdictions
from projections.official_documents.places import Founded, clause_answers
from projections.sentences import scheme_words
from schemes.exact import ZERO, exact_arithmetic, plain
from schemes.linting.finding import staged_rows
from schemes.scheme import Group, Indicator, Quotas, Scheme, Section, Stage, Veto, VetoFacts
from schemes.vocabulary import Vocabulary
from schemes.wording import (
    basis_phrase,
    choice_label,
    item_label,
    measure_word,
    parameter_label,
    points_phrase,
    rule_sentence,
    selection_phrase,
)


class HeadingAnswer(Answer):
    """A heading cell: how many rows and columns it spans, and the points that the document prints beside it."""

    title: str
    rows: int
    columns: int
    label: Points | None


class SchemeRowAnswer(Answer):
    """One row: the headings that begin with it, its points and how they are reckoned, and its rules as sentences.

    `conditions` are its bounds, the units it is for and its reckoning by account, where they are not the usual ones.
    `located` says that the clause's place in the official document is known.
    """

    indicator: str
    headings: list[HeadingAnswer]
    section: Section
    section_label: str
    points: Points
    start: str
    rules: list[str]
    conditions: list[str]
    note: str | None
    clause: str
    located: bool


class SchemeTableAnswer(Answer):
    """The rows of a group, or of one stage of it; `depth` is how many columns of headings there are."""

    group: str
    title: str
    stage: str | None
    depth: int
    points: Points
    rows: list[SchemeRowAnswer]


class SchemeClauseAnswer(Answer):
    """What rests on a clause of its own beside the rows: a veto, or a figure reported beside the score."""

    id: str
    title: str
    sentence: str
    clause: str
    located: bool


class ParameterAnswer(Answer):
    """A bound or a choice of the whole scheme, by its name."""

    name: str
    sentence: str


class SchemeTablesAnswer(Answer):
    """A whole scheme in words; `official` is the title of its official document, null where none is registered."""

    reference: SchemeReference
    title: str
    number: str | None
    issuer: str
    issued_on: date | None
    first: date
    last: date
    official: str | None
    parameters: list[ParameterAnswer]
    vetoes: list[SchemeClauseAnswer]
    outputs: list[SchemeClauseAnswer]
    tables: list[SchemeTableAnswer]


def scheme_tables(jurisdictions: Jurisdictions, code: str, reference: SchemeReference) -> SchemeTablesAnswer:
    """Return a version that the ledger keeps as its document's tables, with all its rules and bounds in words."""
    scheme = jurisdictions.scheme(code, reference.digest)
    words = scheme_words(scheme)
    beside: tuple[Founded, ...] = (*scheme.vetoes, *scheme.outputs)
    founded: tuple[Founded, ...] = (*beside, *(row for group in scheme.groups for row in group.indicators))
    clauses = clause_answers(jurisdictions, code, reference, founded)
    located = [clause.place is not None for clause in clauses]
    places = iter(located[len(beside) :])
    by_row = {(group.id, row.id): next(places) for group in scheme.groups for row in group.indicators}
    vetoes = zip(scheme.vetoes, located, strict=False)
    outputs = zip(scheme.outputs, located[len(scheme.vetoes) :], strict=False)
    return SchemeTablesAnswer(
        reference=reference,
        title=scheme.document.title,
        number=scheme.document.number,
        issuer=scheme.document.issuer,
        issued_on=scheme.document.issued_on,
        first=scheme.period.first,
        last=scheme.period.last,
        official=_official(jurisdictions, code, reference),
        parameters=list(_parameters(scheme)),
        vetoes=[
            SchemeClauseAnswer(
                id=veto.id, title=veto.title, sentence=_veto(veto, words), clause=veto.clause, located=found
            )
            for veto, found in vetoes
        ],
        outputs=[
            SchemeClauseAnswer(
                id=output.id,
                title=" / ".join(output.titles),
                sentence=f"{item_label(output.metric, words)}乘以{plain(output.factor)}，附报，不计入总分",
                clause=output.clause,
                located=found,
            )
            for output, found in outputs
        ],
        tables=[
            _table(group, stage, rows, words, by_row)
            for group in scheme.groups
            for stage, rows in staged_rows(scheme, group)
            if rows
        ],
    )


def _official(jurisdictions: Jurisdictions, code: str, reference: SchemeReference) -> str | None:
    """Return the title of the registered document, also of one whose words cannot be read."""
    try:
        return jurisdictions.official_document(code, reference.id, reference.version).title
    except Rejection as rejection:
        if any(refusal.code != "unknown-document" for refusal in rejection.refusals):
            raise
        return None


def _table(
    group: Group,
    stage: Stage | None,
    rows: Sequence[Indicator],
    words: Vocabulary,
    located: dict[tuple[str, str], bool],
) -> SchemeTableAnswer:
    depth = max(len(row.titles) for row in rows)
    return SchemeTableAnswer(
        group=group.id,
        title=group.title,
        stage=None if stage is None else _stage(stage),
        depth=depth,
        points=_base_points(rows),
        rows=[
            SchemeRowAnswer(
                indicator=row.id,
                headings=list(_headings(group, rows, at, depth)),
                section=row.section,
                section_label=choice_label("section", row.section),
                points=plain(row.points),
                start=choice_label("start", row.start),
                rules=[rule_sentence(rule, words) for rule in row.rules],
                conditions=list(_conditions(row)),
                note=row.note,
                clause=row.clause,
                located=located[group.id, row.id],
            )
            for at, row in enumerate(rows)
        ],
    )


def _base_points(rows: Sequence[Indicator]) -> str:
    with exact_arithmetic():
        return plain(sum((row.points for row in rows if row.section == "base"), ZERO))


def _stage(stage: Stage) -> str:
    window = "" if stage.window is None else f"，{stage.window.first}至{stage.window.last}"
    return f"{stage.title}（权重{plain(stage.weight)}，满分{points_phrase(stage.full)}{window}）"


def _headings(group: Group, rows: Sequence[Indicator], at: int, depth: int) -> Iterator[HeadingAnswer]:
    """Yield the heading cells that begin with the row; the row's own title fills what is left of the columns."""
    titles = rows[at].titles
    labels = {label.titles: plain(label.points) for label in group.labels}
    for level in range(len(titles) - 1):
        shared = titles[: level + 1]
        if at and _under(rows[at - 1], shared):
            continue
        spanned = next((far for far in range(at, len(rows)) if not _under(rows[far], shared)), len(rows)) - at
        yield HeadingAnswer(title=titles[level], rows=spanned, columns=1, label=labels.get(shared))
    yield HeadingAnswer(title=titles[-1], rows=1, columns=depth - len(titles) + 1, label=labels.get(titles))


def _under(row: Indicator, headings: tuple[str, ...]) -> bool:
    """Whether the row stands under the headings, which are not its own title."""
    return row.titles[:-1][: len(headings)] == headings


def _conditions(row: Indicator) -> Iterator[str]:
    penalty = row.section == "penalty"
    usual_floor, usual_ceiling = (None, ZERO) if penalty else (ZERO, row.points)
    for name, found, usual in (("floor", row.floor, usual_floor), ("ceiling", row.ceiling, usual_ceiling)):
        if found != usual:
            yield f"{parameter_label(name)}{'不设' if found is None else points_phrase(found)}"
    if row.per_account:
        yield "按账号分别计分，取最低"
    if row.applies_to is not None:
        only, all_but = row.applies_to.only, row.applies_to.all_but
        if only is not None:
            yield f"仅适用于{'、'.join(only)}" if only else "不适用于任何单位"
        else:
            yield f"不适用于{'、'.join(all_but or ())}"


def _parameters(scheme: Scheme) -> Iterator[ParameterAnswer]:
    bounds = (("full", scheme.full), ("cap", scheme.cap), ("floor", scheme.floor), ("bonus_cap", scheme.bonus_cap))
    for name, found in (*bounds, ("penalty_cap", scheme.penalty_cap)):
        when = f"，{choice_label('cap_after', scheme.cap_after)}" if name == "cap" and found is not None else ""
        yield _parameter(name, "不设" if found is None else f"{points_phrase(found)}{when}")
    gate = scheme.bonus_gate
    if gate is not None:
        yield _parameter("bonus_gate", f"{basis_phrase(gate.basis)}达到{points_phrase(gate.at_least)}才计加分")
    yield _parameter("not_applicable", choice_label("not_applicable", scheme.not_applicable))
    if scheme.bands:
        told = (
            f"{band.grade}：{'其余' if band.at_least is None else f'{points_phrase(band.at_least)}及以上'}"
            for band in scheme.bands
        )
        yield _parameter("bands", "；".join(told))
    for group in scheme.groups:
        if group.quotas is not None:
            yield ParameterAnswer(name=f"{group.title}{parameter_label('quotas')}", sentence=_quotas(group.quotas))


def _parameter(name: str, sentence: str) -> ParameterAnswer:
    return ParameterAnswer(name=parameter_label(name), sentence=sentence)


def _quotas(quotas: Quotas) -> str:
    top, bottom = quotas.top, quotas.bottom
    return (
        f"按名次，前{plain(top.share * 100)}%为“{top.grade}”，后{plain(bottom.share * 100)}%为“{bottom.grade}”，"
        f"其余为“{quotas.middle}”"
    )


def _veto(veto: Veto, words: Vocabulary) -> str:
    when = veto.when
    if isinstance(when, VetoFacts):
        same = "内容相同的" if when.same else ""
        condition = f"{same}{selection_phrase(when, words)}达到{when.min_count}{measure_word(when.kinds)}"
    else:
        condition = f"{basis_phrase(when.basis)}低于{points_phrase(when.below)}"
    forced = [] if veto.grade is None else [f"等次定为“{veto.grade}”"]
    fixed = [] if veto.total is None else [f"总分定为{points_phrase(veto.total)}"]
    return f"{condition}的，{'，'.join(forced + fixed)}"
