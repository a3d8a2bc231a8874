"""The dossier of an appeal or a claim as an official document (公文): matter, course of the points, decision."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Final

from api.documents.blocks import (
    Align,
    Attachment,
    Block,
    Heading,
    KeyValues,
    OfficialDocument,
    Paragraph,
    Quotation,
    Run,
    Table,
    chinese_date,
)
from api.proceeding_labels import KINDS, ORDERS, STEPS
from ledger.decisions import CHINA
from ledger.events import Evidence
from projections.answer_models import EntryAnswer, ReadingAnswer
from projections.proceedings.dossier_models import DossierAnswer, MovedUnit, ShareAnswer, StandingAnswer
from projections.proceedings.models import OrderAnswer, ProceedingAnswer, StepAnswer
from projections.questions.derivation_models import DerivationAnswer, NodeAnswer
from projections.questions.derivations import row_nodes
from projections.sentences import reading_phrase
from schemes.vocabulary import Vocabulary

_OUTCOMES: Final = {
    "upheld": "申诉成立，予以支持",
    "partly_upheld": "申诉部分成立，部分予以支持",
    "dismissed": "申诉不成立，予以驳回",
    "granted": "同意本项指标今年不适用于该单位",
    "refused": "不同意，本项指标仍适用于该单位",
}
_ENTRIES: Final = {"observe": "登记", "amend": "更正", "void": "作废", "rectify": "整改"}
_INDENT: Final = "　"
_TITLE_LINE: Final = 20
"""Characters of the title's size in a line."""
_FACTS: Final = frozenset({"entry", "evidence", "event"})
"""Nodes that the table of evidence shows, not the course of the points."""


_SUMS: Final = frozenset(
    {"total", "stage", "section", "adjustment", "cap", "floor", "gate", "veto_total", "rank", "grade"}
)
"""Nodes between the rows of a sheet and its result."""


def dossier_document(dossier: DossierAnswer, words: Vocabulary, today: date) -> OfficialDocument:
    """Return the official document of a dossier; one that is not decided yet is dated `today` and says so."""
    told = dossier.proceeding
    kind = KINDS[told.kind]
    decided = next((step for step in told.steps if step.step == "decided"), None)
    withdrawn = told.status == "withdrawn"
    what = "答复意见" if decided else f"情况说明（{'已撤回' if withdrawn else '尚未决定'}）"
    parts = [
        _matter(dossier, words),
        _course(told),
        _derived(dossier, dossier.before, "原得分是怎样得出的"),
        _shares(dossier, words),
        _clauses(dossier),
        _decision(dossier, decided, words),
        _comparison(dossier),
        _derived(dossier, dossier.after, "决定后的得分是怎样得出的") if dossier.after and _changed(dossier) else (),
    ]
    return OfficialDocument(
        title=_title(f"关于{told.unit}{told.year}年度", f"政务公开考核{kind}的{what}"),
        issuer=dossier.issuer,
        issued_on=_local(decided.recorded_at).date() if decided else today,
        addressee=told.unit,
        blocks=tuple(block for part in parts for block in part),
        signature=dossier.issuer,
        attachments=(
            Attachment("计分表", tuple(_sheet(dossier))),
            Attachment("事实与证据", tuple(_evidence(dossier, words))),
        ),
    )


def _title(about: str, what: str) -> str:
    """Return the title; one that is longer than a line breaks between whole words (GB/T 9704, 7.3.1)."""
    return about + what if len(about + what) <= _TITLE_LINE else f"{about}\n{what}"


# --- the parts -----------------------------------------------------------------------------------------------------


def _matter(dossier: DossierAnswer, words: Vocabulary) -> Iterator[Block]:
    told = dossier.proceeding
    filed = told.steps[0]
    yield Heading(1, f"{KINDS[told.kind]}事项")
    yield KeyValues(
        (
            ("单位", told.unit),
            ("提出时间", _moment(filed.recorded_at)),
            ("考核年度", f"{told.year}年度"),
            ("依据方案", f"{dossier.scheme_title}（版本{dossier.before.scheme.version}）"),
            ("编号", told.id),
        )
    )
    if told.indicators:
        named = tuple((one.indicator, " / ".join(one.titles), one.clause or "") for one in told.indicators)
        yield Table(("序号", "指标", "条款"), named, caption="涉及的指标", widths=(1, 5, 2))
    if told.observations:
        rows = tuple((str(at), _phrase(one.reading, words)) for at, one in enumerate(told.observations, 1))
        yield Table(("序号", "登记的事实"), rows, caption="涉及的事实", widths=(1, 8))
    yield Paragraph.of(Run("理由：", bold=True), filed.text or "")


def _course(told: ProceedingAnswer) -> Iterator[Block]:
    yield Heading(1, "办理经过")
    rows = tuple(
        (_moment(step.recorded_at), STEPS[step.step], _who(step, told.unit), _said(step)) for step in told.steps
    )
    yield Table(("时间", "环节", "经办", "内容"), rows, widths=(3, 2, 2, 6))


def _who(step: StepAnswer, unit: str) -> str:
    """Return who took the step: what a unit does is the unit's, whoever recorded it."""
    if step.step in ("filed", "completed", "withdrawn"):
        return unit
    return step.actor


def _said(step: StepAnswer) -> str:
    return "\n".join(filter(None, (step.text, step.recommendation and f"建议：{step.recommendation}")))


def _derived(dossier: DossierAnswer, derived: DerivationAnswer, title: str) -> Iterator[Block]:
    """Yield the way from the facts to the total: the rows in question in full, of all others what they add up to."""
    yield Heading(1, title)
    # A section's only adjustment says the same as the section's own.
    for sentence in dict.fromkeys(_sums(derived.tree.children)):
        yield Paragraph.of(sentence)
    for row in row_nodes(derived.tree):
        if row.indicator not in dossier.concerned:
            continue
        yield Heading(2, f"{row.indicator} {row.label}")
        yield Paragraph.of(row.sentence)
        steps = tuple(_steps(row.children, 0))
        if steps:
            yield Table(("步骤", "数值", "说明"), steps, widths=(3, 1, 7), alignments=("left", "right", "left"))


def _sums(nodes: Iterable[NodeAnswer]) -> Iterator[str]:
    """Yield what the total, its stages and sections add up to, and which place and grade that gives."""
    for node in nodes:
        # A section that came to nothing is named by what it is part of.
        if node.operator in _SUMS and not (node.operator == "section" and node.value == "0"):
            yield node.sentence
            yield from _sums(node.children)


def _steps(nodes: Iterable[NodeAnswer], depth: int) -> Iterator[tuple[str, str, str]]:
    for node in nodes:
        if node.operator not in _FACTS:
            mark = "" if node.fired else "（未生效）"
            yield f"{_INDENT * depth}{node.label}{mark}", "" if node.value is None else str(node.value), node.sentence
            yield from _steps(node.children, depth + 1)


def _shares(dossier: DossierAnswer, words: Vocabulary) -> Iterator[Block]:
    if not dossier.shares:
        return
    readings = {one.observation: one.reading for one in dossier.proceeding.observations}
    yield Heading(1, "所涉事实对得分的影响")
    yield Paragraph.of(
        "下列三个数各有含义：按规则计的分值不考虑封顶和下限；按先后顺序的影响是依次计入到这一条时总分的变化；"
        "单独的影响是现有总分减去只去掉这一条、其余不变时的总分。"
    )
    rows = tuple(
        (_phrase(readings[one.observation], words), one.nominal, one.effective_in_order, one.effect_of_removal)
        for one in dossier.shares
    )
    yield Table(
        ("事实", "按规则计", "按先后顺序", "单独影响"),
        rows,
        widths=(5, 2, 2, 2),
        alignments=("left", "right", "right", "right"),
    )
    for share in dossier.shares:
        yield Paragraph.of(_removal(share, _phrase(readings[share.observation], words)))


def _removal(share: ShareAnswer, phrase: str) -> str:
    if share.why_not:
        return f"如去掉“{phrase}”，总分不变：{''.join(share.why_not)}"
    return (
        f"如去掉“{phrase}”，总分为{share.total_without}分，列第{share.rank_without}名{_graded(share.grade_without)}。"
    )


def _clauses(dossier: DossierAnswer) -> Iterator[Block]:
    if not dossier.clauses:
        return
    yield Heading(1, "有关条款")
    for one in dossier.clauses:
        source = f"《{one.document or dossier.scheme_title}》{one.clause}"
        if one.place is None:
            yield Paragraph.of(f"指标{one.indicator}“{one.titles[-1]}”：见《{dossier.scheme_title}》{one.clause}。")
        else:
            yield Quotation(f"{source}（第{one.place.page}页第{one.place.first_line}行起）", one.place.excerpt)


def _decision(dossier: DossierAnswer, decided: StepAnswer | None, words: Vocabulary) -> Iterator[Block]:
    told = dossier.proceeding
    yield Heading(1, "决定")
    if decided is None or told.outcome is None:
        due = f"，应于{chinese_date(told.due)}前作出" if told.due else ""
        yield Paragraph.of("已撤回，不作决定。" if told.status == "withdrawn" else f"尚未作出决定{due}。")
        return
    yield Paragraph.of(Run(f"{_OUTCOMES[told.outcome]}。", bold=True))
    yield Paragraph.of(Run("理由：", bold=True), decided.text or "")
    if told.orders:
        rows = tuple(_ordered(order, words) for order in told.orders)
        yield Table(("事项", "原登记", "决定后", "账本位置"), rows, caption="决定的事项", widths=(2, 5, 5, 2))


def _ordered(order: OrderAnswer, words: Vocabulary) -> tuple[str, str, str, str]:
    moved = order.before is not None and order.after is not None and order.before.unit != order.after.unit
    before = "" if order.before is None else _phrase(order.before, words, moved)
    after = "不再计入" if order.after is None else _phrase(order.after, words, moved)
    return ORDERS[order.order], before, after, f"第{order.position}号"


def _comparison(dossier: DossierAnswer) -> Iterator[Block]:
    if dossier.after is None:
        return
    yield Heading(1, "决定前后的得分、名次和等次")
    if not _changed(dossier):
        yield Paragraph.of("决定前后，各单位的总分、名次和等次均无变化。")
    rows = tuple(_compared(one) for one in dossier.moved)
    yield Table(("单位", "决定前", "决定后"), rows, widths=(3, 5, 5), caption="本单位及因此变化的其他单位")
    changed = tuple(
        (row.indicator, row.titles[-1], _or_none(row.before), _or_none(row.after))
        for row in dossier.rows
        if row.before != row.after
    )
    if changed:
        yield Table(
            ("序号", "指标", "决定前", "决定后"),
            changed,
            caption="变化的指标",
            widths=(1, 5, 2, 2),
            alignments=("left", "left", "right", "right"),
        )


def _changed(dossier: DossierAnswer) -> bool:
    return any(one.before != one.after for one in dossier.moved) or any(row.before != row.after for row in dossier.rows)


def _compared(one: MovedUnit) -> tuple[str, str, str]:
    return one.unit, _standing(one.before), _standing(one.after)


def _standing(standing: StandingAnswer) -> str:
    return f"{standing.total}分，第{standing.rank}名{_graded(standing.grade)}"


def _graded(grade: str | None) -> str:
    return "" if grade is None else f"，{grade}"


# --- the attachments -----------------------------------------------------------------------------------------------


def _sheet(dossier: DossierAnswer) -> Iterator[Block]:
    header: tuple[str, ...] = ("序号", "指标", "条款", "分值", "决定前")
    rows = [
        (one.indicator, " / ".join(one.titles), one.clause, one.points, _or_none(one.before)) for one in dossier.rows
    ]
    if dossier.after is None:
        yield Table((*header[:-1], "得分"), tuple(rows), widths=(2, 8, 4, 2, 2), alignments=_numbers(5, 2))
        return
    both = tuple((*row, _or_none(one.after)) for row, one in zip(rows, dossier.rows, strict=True))
    yield Table((*header, "决定后"), both, widths=(2, 8, 4, 2, 2, 2), alignments=_numbers(6, 3))


def _numbers(columns: int, last: int) -> tuple[Align, ...]:
    return tuple("left" if at < columns - last else "right" for at in range(columns))


def _evidence(dossier: DossierAnswer, words: Vocabulary) -> Iterator[Block]:
    if not dossier.observations:
        yield Paragraph.of("本件没有指明具体的事实。")
    for one in dossier.observations:
        yield Heading(2, _phrase(one.reading, words))
        rows = tuple(row for entry in one.entries for row in _entry(entry))
        yield Table(("账本位置", "时间", "事项", "内容与证据"), rows, widths=(2, 3, 2, 7))
    steps = [step for step in dossier.proceeding.steps if step.evidence]
    if steps:
        yield Heading(2, "办理中提交的证据")
        shown = tuple((f"第{step.position}号", STEPS[step.step], _sources(step.evidence)) for step in steps)
        yield Table(("账本位置", "环节", "证据"), shown, widths=(2, 2, 8))


def _entry(entry: EntryAnswer) -> Iterator[tuple[str, str, str, str]]:
    told = ["依申诉的决定"] if entry.decision else []
    told += [f"理由：{entry.reason}"] if entry.reason else []
    told += [f"说明：{entry.note}"] if entry.note else []
    told += [f"整改日期：{chinese_date(entry.rectified_on)}"] if entry.rectified_on else []
    told += [_sources(entry.evidence)] if entry.evidence else []
    said = f"{_ENTRIES[entry.entry]}（{entry.actor}）"
    yield f"第{entry.position}号", _moment(entry.recorded_at), said, "\n".join(told)


def _sources(evidence: Sequence[Evidence]) -> str:
    return "\n".join(_source(one) for one in evidence)


def _source(one: Evidence) -> str:
    place = one.document or one.url or (f"文件校验值{one.file}" if one.file else "")
    return f"《{one.title}》，{place}{f'，{one.locator}' if one.locator else ''}"


# --- words ---------------------------------------------------------------------------------------------------------


def _phrase(reading: ReadingAnswer, words: Vocabulary, with_unit: bool = False) -> str:
    return f"{reading.unit if with_unit else ''}{reading_phrase(reading, words)}"


def _or_none(value: str | None) -> str:
    return "不适用" if value is None else value


def _local(moment: datetime) -> datetime:
    return moment.astimezone(CHINA)


def _moment(moment: datetime) -> str:
    local = _local(moment)
    return f"{chinese_date(local.date())}{local:%H:%M}"
