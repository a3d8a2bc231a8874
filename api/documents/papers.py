"""Official papers as Word and PDF: the result of a year, what a unit has to put right, the answer to an appeal.

Both forms are made of the same texts (`Filling`). Word is a template of the office's, or the one that is shipped, with
these texts put in (`api.documents.filling`); PDF is set by Typst from the blocks of `api.documents.paper_layout`, which
the shipped templates are made of too.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from api.documents.blocks import chinese_date
from api.documents.filling import Filling, filled
from api.documents.paper_layout import Paper, PaperKind, paper_document, rows_of
from api.documents.pdf import pdf
from api.proceeding_labels import ORDERS
from ledger.events import Day
from projections.answer_models import ClauseAnswer
from projections.papers import AppealAnswer, FindingAnswer, RectificationNotice, ResultNotice
from projections.proceedings.dossier_models import MovedUnit, StandingAnswer
from schemes.problem import refuse

_TITLE_LINE: Final = 20
"""Characters of the title's size in a line."""
_OUTCOMES: Final = {
    "upheld": "申诉成立，予以支持",
    "partly_upheld": "申诉部分成立，部分予以支持",
    "dismissed": "申诉不成立，予以驳回",
}
_TEMPLATES: Final = files("api.documents") / "templates"


def _one_line(text: str) -> str:
    if "\n" in text:
        raise ValueError("expected one line")
    return text


Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80), AfterValidator(_one_line)]


class PaperFormat(StrEnum):
    """A form in which a paper is written."""

    DOCX = "docx"
    PDF = "pdf"


class Letterhead(BaseModel):
    """What is not in the ledger: number, addressee, issuing office and its day.

    Who signed it off (签发人) stands in the head of papers to a higher office alone (GB/T 9704, 7.2.6): these go down.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: Line
    addressee: Line
    issuer: Line
    day: Day


class LetterheadWithDeadline(Letterhead):
    """The same for a paper that asks for something by a day."""

    deadline: Annotated[Day, Field(description="The last day to put things right.")]


# --- the texts -------------------------------------------------------------------------------------------------------


def result_paper(notice: ResultNotice, head: LetterheadWithDeadline) -> Paper:
    """Return the result notice (考核结果通报)."""
    places = [(group.title, place) for group in notice.groups for place in group.places]
    grades = "，".join(f"{one.grade}{one.units}个" for one in notice.grades)
    values = _head(head, f"关于{notice.county}{notice.year}年度", "政务公开考核结果的通报") | {
        "年度": f"{notice.year}",
        "方案": notice.scheme_title,
        "单位数": f"{len(places)}",
        "等次情况": f"评定等次为：{grades}。" if grades else "",
        "暂定说明": f"其中{notice.pending}个单位尚有待评定的指标，得分为暂定。" if notice.pending else "",
        "问题说明": "扣分较为集中的指标如下。" if notice.problems else "考核中没有发现扣分的问题。",
        "整改期限": chinese_date(head.deadline),
    }
    ranked = [(group, f"{one.rank}", one.unit, one.total, one.grade or "—") for group, one in places]
    problems = [
        (
            f"{at}",
            f"{one.indicator} {one.titles[-1]}",
            "；".join(one.labels),
            f"{one.units}",
            f"{one.times}",
            one.points,
        )
        for at, one in enumerate(notice.problems, 1)
    ]
    rows = rows_of(PaperKind.RESULT, 排名=ranked, 问题=problems)
    return Paper(PaperKind.RESULT, Filling(values, rows), head.day)


def rectification_paper(notice: RectificationNotice, head: LetterheadWithDeadline) -> Paper:
    """Return the rectification notice to a unit (整改通知)."""
    values = _head(head, f"关于{notice.unit}{notice.year}年度", "政务公开考核问题的整改通知") | {
        "单位": notice.unit,
        "年度": f"{notice.year}",
        "方案": notice.scheme_title,
        "问题数": f"{len(notice.findings)}",
        "截至日期": chinese_date(min(notice.as_of, head.day)),
        "整改期限": chinese_date(head.deadline),
    }
    found = [_found(at, one, head.deadline) for at, one in enumerate(notice.findings, 1)]
    return Paper(PaperKind.RECTIFICATION, Filling(values, rows_of(PaperKind.RECTIFICATION, 问题=found)), head.day)


def _found(at: int, one: FindingAnswer, deadline: date) -> tuple[str, ...]:
    rows = dict.fromkeys(" ".join(filter(None, (row.indicator, row.title, row.clause))) for row in one.rows)
    return (
        f"{at}", one.day.isoformat(), one.text, "\n".join(one.documents), "\n".join(rows), one.points,
        deadline.isoformat(),
    )  # fmt: skip


def answer_paper(answer: AppealAnswer, head: Letterhead) -> Paper:
    """Return the answer to an appeal (申诉答复)."""
    own = answer.moved[0]
    named = [f"{one.indicator} {one.titles[-1] if one.titles else ''}".strip() for one in answer.indicators]
    clauses = [_clause(one) for one in answer.clauses]
    values = _head(head, f"关于{answer.unit}{answer.year}年度", "政务公开考核申诉的答复") | {
        "单位": answer.unit,
        "年度": f"{answer.year}",
        "方案": answer.scheme_title,
        "申诉日期": chinese_date(answer.filed_on),
        "申诉编号": answer.appeal[:8],
        "申诉理由": answer.grounds,
        "申诉事项": "；".join((*answer.disputed, *named)),
        "复核意见": "\n".join(answer.reviews) or "没有另行提出复核意见。",
        "条款": "\n".join((f"依据《{answer.scheme_title}》的下列规定：", *clauses)) if clauses else "",
        "决定日期": chinese_date(answer.decided_on),
        "决定": _OUTCOMES[answer.outcome],
        "决定理由": answer.reasons,
        "原得分": _standing(own.before),
        "现得分": _standing(own.after),
        "变化说明": _moved(answer.moved),
    }
    ordered = [(ORDERS[one.order], one.before or "—", one.after or "不再计入") for one in answer.orders]
    return Paper(PaperKind.ANSWER, Filling(values, rows_of(PaperKind.ANSWER, 处理=ordered)), head.day)


def _clause(one: ClauseAnswer) -> str:
    title = one.titles[-1]
    told = f"{one.indicator} {title}（{one.clause}）"
    return told if one.place is None else f"{told}：{one.place.excerpt}"


def _standing(one: StandingAnswer) -> str:
    grade = "" if one.grade is None else f"，{one.grade}"
    return f"{one.total}分，列第{one.rank}名{grade}"


def _moved(moved: Sequence[MovedUnit]) -> str:
    own, others = moved[0], [one.unit for one in moved[1:] if one.before != one.after]
    if others:
        return f"名次或等次因此变化的其他单位：{'、'.join(others)}。"
    return "" if own.before != own.after else "决定前后，各单位的总分、名次和等次均无变化。"


def _head(head: Letterhead, about: str, what: str) -> dict[str, str]:
    """Return the texts that every paper has; a title longer than a line breaks between words (GB/T 9704, 7.3.1)."""
    return {
        "标题": about + what if len(about + what) <= _TITLE_LINE else f"{about}\n{what}",
        "发文机关": head.issuer,
        "发文字号": head.number,
        "主送机关": head.addressee,
        "成文日期": chinese_date(head.day),
    }


# --- the files -------------------------------------------------------------------------------------------------------


def paper_file(paper: Paper, written: PaperFormat, templates: Path | None, fonts: Path | None) -> bytes:
    """Return the paper in one form; equal papers give equal bytes.

    `templates` is the folder of the office's own templates: one that it does not have is the shipped one. Raises
    `InvalidInput`: `template-not-readable` and what `filled` raises, `document-fonts-missing` for a PDF without fonts.
    """
    if written is PaperFormat.PDF:
        return pdf(paper_document(paper), fonts)
    said = paper.filling.values
    where, template = _template(paper.kind, templates)
    return filled(template, paper.filling, said["标题"], said["发文机关"], paper.day, where)


def _template(kind: PaperKind, folder: Path | None) -> tuple[str, bytes]:
    name = f"{kind}.docx"
    own = None if folder is None else folder / name
    if own is None or not own.exists():
        return name, (_TEMPLATES / name).read_bytes()
    try:
        return str(own), own.read_bytes()
    except OSError as error:
        raise refuse("template-not-readable", str(own), f"cannot be read: {error.strerror}") from None
