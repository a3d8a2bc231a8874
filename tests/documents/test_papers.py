"""The official papers: golden text of each, as Word from the shipped template and as PDF."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from importlib.resources import files
from io import BytesIO
from pathlib import Path

import pytest
from docx import Document
from docx.shared import Pt
from docx.table import Table as WordTable
from pydantic import ValidationError
from pypdf import PdfReader
from typer.testing import CliRunner

from api.command_line import app
from api.commands import paper
from api.documents.paper_layout import Paper, PaperKind, paper_document, shipped_template
from api.documents.papers import (
    Letterhead,
    LetterheadWithDeadline,
    PaperFormat,
    answer_paper,
    paper_file,
    rectification_paper,
    result_paper,
)
from api.documents.word import word
from ledger.events import SchemeReference
from projections.answer_models import ClauseAnswer, ClausePlaceAnswer, PlaceAnswer, RankedGroup
from projections.papers import (
    AppealAnswer,
    FindingAnswer,
    GradeCount,
    OrderedAnswer,
    ProblemAnswer,
    RectificationNotice,
    ResultNotice,
    RowNamed,
)
from projections.proceedings.dossier_models import MovedUnit, StandingAnswer
from projections.proceedings.models import IndicatorAnswer
from schemes.problem import InvalidInput

GOLDEN = Path(__file__).parent / "golden"
STANDING = {
    "jurisdiction": "360982",
    "year": 2021,
    "as_of": date(2021, 12, 31),
    "known_at": None,
    "scheme": SchemeReference(id="example-2021", version="1", digest="0" * 64),
    "position": 9,
    "county": "某县",
    "issuer": "某县人民政府办公室",
    "scheme_title": "某县2021年政务公开考评方案",
}
HEAD = {
    "number": "某政办〔2022〕3号",
    "addressee": "各被考核单位",
    "issuer": "某县人民政府办公室",
    "day": date(2022, 1, 20),
}


def place(rank: int, unit: str, total: str, grade: str | None) -> PlaceAnswer:
    return PlaceAnswer(rank=rank, unit=unit, total=total, grade=grade, pending=0, lowest=total, highest=total)


def result(**changes: object) -> Paper:
    notice = ResultNotice.model_validate(
        STANDING
        | {
            "groups": [
                RankedGroup(
                    group="a", title="乡镇", places=[place(1, "东风镇", "98.5", "优秀"), place(2, "甲乡", "90", "良好")]
                ),
                RankedGroup(group="b", title="部门", places=[place(1, "县财政局", "100", "优秀")]),
            ],
            "grades": [GradeCount(grade="优秀", units=2), GradeCount(grade="良好", units=1)],
            "pending": 1,
            "problems": [
                ProblemAnswer(
                    indicator="2.2",
                    titles=["平台建设", "政务新媒体"],
                    clause="附件一 第9行",
                    labels=["被通报", "更新不及时"],
                    units=2,
                    times=3,
                    points="4.5",
                )
            ],
        }
        | changes
    )
    return result_paper(notice, LetterheadWithDeadline.model_validate(HEAD | {"deadline": date(2022, 3, 31)}))


def rectification() -> Paper:
    row = RowNamed(indicator="2.2", title="政务新媒体", clause="附件一 第9行")
    finding = FindingAnswer(
        observation="o1",
        day=date(2021, 3, 29),
        text="被通报（设区市级，政务新媒体，季度）2次",
        documents=["宜府办字〔2021〕20号", "检查情况通报"],
        rows=[row, RowNamed(indicator="p1", title="通报扣分", clause="附件一 扣分项1")],
        points="7",
    )
    notice = RectificationNotice.model_validate(STANDING | {"unit": "东风镇", "findings": [finding]})
    head = HEAD | {"addressee": "东风镇", "deadline": date(2022, 3, 31)}
    return rectification_paper(notice, LetterheadWithDeadline.model_validate(head))


def answer(**changes: object) -> Paper:
    def standing(total: str, rank: int) -> StandingAnswer:
        return StandingAnswer(total=total, rank=rank, grade=None)

    answered = AppealAnswer.model_validate(
        {
            "jurisdiction": "360982",
            "year": 2021,
            "appeal": "aeb90751-0810-596c-86bb-c9f6c508c490",
            "unit": "东风镇",
            "issuer": "某县人民政府办公室",
            "scheme_title": "某县2021年政务公开考评方案",
            "filed_on": date(2022, 1, 4),
            "grounds": "账号不是我镇主办。\n另见附件。",
            "disputed": ["2021年3月29日 被通报（设区市级）2次"],
            "indicators": [IndicatorAnswer(indicator="2.2", titles=["政务新媒体"], clause="附件一 第9行")],
            "reviews": ["经查属实。"],
            "clauses": [
                ClauseAnswer(
                    indicator="2.2",
                    titles=["政务新媒体"],
                    clause="附件一 第9行",
                    document="方案",
                    place=ClausePlaceAnswer(
                        page=2, first_line=3, last_line=4, excerpt="被通报一次扣一分。", how="exact"
                    ),
                )
            ],
            "decided_on": date(2022, 1, 10),
            "outcome": "partly_upheld",
            "reasons": "其中一次不是该镇的账号。",
            "orders": [
                OrderedAnswer(order="amend", before="被通报2次", after="被通报1次"),
                OrderedAnswer(order="void", before="更新不及时1次", after=None),
            ],
            "moved": [
                MovedUnit(unit="东风镇", key="东风镇", group="a", before=standing("92.5", 3), after=standing("95", 2)),
                MovedUnit(unit="甲乡", key="甲乡", group="a", before=standing("94", 2), after=standing("94", 3)),
            ],
        }
        | changes
    )
    return answer_paper(answered, Letterhead.model_validate(HEAD | {"addressee": "东风镇"}))


PAPERS = {PaperKind.RESULT: result, PaperKind.RECTIFICATION: rectification, PaperKind.ANSWER: answer}


def word_lines(content: bytes) -> list[str]:
    """Return the text of a Word file in its order: a line for each paragraph with text and for each row of a table."""
    found: list[str] = []
    for part in Document(BytesIO(content)).iter_inner_content():
        if isinstance(part, WordTable):
            found += [" | ".join(cell.text.replace("\n", " / ") for cell in row.cells) for row in part.rows]
        elif part.text:
            found.append(part.text)
    return found


def letters(text: str) -> str:
    return re.sub(r"\s|[|/]", "", text)


def pdf_letters(content: bytes) -> str:
    pages = [page.extract_text() for page in PdfReader(BytesIO(content)).pages]
    return letters("".join(re.sub(r"— \d+ —", "", page) for page in pages))


@pytest.mark.parametrize("kind", PaperKind)
def test_a_paper_says_what_its_golden_text_says(kind: PaperKind) -> None:
    found = word_lines(paper_file(PAPERS[kind](), PaperFormat.DOCX, None, None))
    assert found == (GOLDEN / f"{kind}.txt").read_text("utf-8").splitlines()


@pytest.mark.parametrize("kind", PaperKind)
def test_the_pdf_says_the_same_in_the_same_order(kind: PaperKind) -> None:
    content = paper_file(PAPERS[kind](), PaperFormat.PDF, None, None)
    golden = (GOLDEN / f"{kind}.txt").read_text("utf-8")
    assert pdf_letters(content) == letters(golden)
    assert b"<pdfaid:part>2</pdfaid:part>" in PdfReader(BytesIO(content)).root_object["/Metadata"].get_data()  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", PaperKind)
def test_the_shipped_template_is_what_the_blocks_and_the_styles_make(kind: PaperKind) -> None:
    shipped = (files("api.documents") / "templates" / f"{kind}.docx").read_bytes()
    assert shipped == shipped_template(kind), "write them anew: python -m api.documents.paper_layout"


@pytest.mark.parametrize("written", PaperFormat)
def test_equal_papers_give_equal_bytes(written: PaperFormat) -> None:
    first, second = (paper_file(answer(), written, None, None) for _ in range(2))
    assert first == second


def test_a_result_without_problems_and_grades_has_no_empty_table_and_no_empty_sentence() -> None:
    paper = result(problems=[], grades=[], pending=0)
    for found in (
        letters("".join(word_lines(paper_file(paper, PaperFormat.DOCX, None, None)))),
        pdf_letters(paper_file(paper, PaperFormat.PDF, None, None)),
    ):
        assert "考核中没有发现扣分的问题。" in found
        assert "主要问题单位数" not in found
        assert "等次为" not in found
        assert "暂定" not in found


def test_a_decision_that_changes_nothing_says_so() -> None:
    same = StandingAnswer(total="92.5", rank=3, grade=None)
    moved = [MovedUnit(unit="东风镇", key="东风镇", group="a", before=same, after=same)]
    found = word_lines(paper_file(answer(outcome="dismissed", orders=[], moved=moved), PaperFormat.DOCX, None, None))
    assert "2022年1月10日决定：申诉不成立，予以驳回。" in found
    assert "决定前后，各单位的总分、名次和等次均无变化。" in found
    assert not [line for line in found if "原登记" in line]


def test_the_template_of_the_office_replaces_the_shipped_one(tmp_path: Path) -> None:
    own = Document()
    own.add_paragraph("致{{单位}}：{{决定}}")
    own.save(str(tmp_path / "answer.docx"))
    assert word_lines(paper_file(answer(), PaperFormat.DOCX, tmp_path, None)) == [
        "致东风镇：申诉部分成立，部分予以支持"
    ]
    assert len(word_lines(paper_file(result(), PaperFormat.DOCX, tmp_path, None))) > 10


def test_a_template_with_an_unknown_placeholder_is_refused_with_its_path_and_the_known_ones(tmp_path: Path) -> None:
    own = Document()
    own.add_paragraph("致{{单位名称}}")
    own.save(str(tmp_path / "answer.docx"))
    with pytest.raises(InvalidInput) as refused:
        paper_file(answer(), PaperFormat.DOCX, tmp_path, None)
    [problem] = refused.value.problems
    assert (problem.code, problem.where) == ("template-placeholder", str(tmp_path / "answer.docx"))
    assert "{{单位名称}}" in problem.message
    assert "处理.原登记" in problem.message


def test_a_long_issuer_stands_in_the_titles_size_on_lines_of_equal_length() -> None:
    issuer = "某县政务公开考核评议工作联席会议办公室领导小组" * 3
    paper = answer()
    paper = paper._replace(filling=replace(paper.filling, values={**paper.filling.values, "发文机关": issuer}))
    drawn: list[tuple[str, float]] = []
    for page in PdfReader(BytesIO(paper_file(paper, PaperFormat.PDF, None, None))).pages:
        page.extract_text(visitor_text=lambda text, _, __, ___, size: drawn.append((text.strip(), size)))
    lines = [(text, size) for text, size in drawn if text][:4]
    assert "".join(text for text, _ in lines) == issuer
    assert [(len(text), size) for text, size in lines] == [(18, 22), (18, 22), (18, 22), (15, 22)]

    head = Document(BytesIO(word(paper_document(paper)))).paragraphs[0]
    assert [(run.text, run.font.size) for run in head.runs] == [(issuer, Pt(22))]


@pytest.mark.parametrize("lines", range(10, 18))
def test_a_signature_never_stands_on_a_page_alone(lines: int) -> None:
    paper = answer(grounds="\n".join(["理由。"] * lines))
    last = PdfReader(BytesIO(paper_file(paper, PaperFormat.PDF, None, None))).pages[-1].extract_text()
    assert "名次或等次因此变化的其他单位：甲乡。" in letters(last)


@pytest.mark.parametrize("kind", PaperKind)
def test_the_last_text_of_a_word_file_goes_with_the_signature(kind: PaperKind) -> None:
    *_, text, first, second, office, day = Document(BytesIO(shipped_template(kind))).paragraphs
    assert text.text
    assert [one.paragraph_format.keep_with_next for one in (text, first, second, office)] == [True] * 4
    assert not day.paragraph_format.keep_with_next


@pytest.mark.parametrize(
    "wrong",
    [
        {"number": ""},
        {"signer": "张三"},
        {"issuer": "甲\n乙"},
        {"addressee": "长" * 81},
        {"day": "2022-13-01"},
        {"seal": "x"},
    ],
)
def test_a_letterhead_is_complete_and_of_single_lines(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Letterhead.model_validate(HEAD | wrong)


def test_the_shipped_template_is_written_by_command_line_to_be_changed(tmp_path: Path) -> None:
    assert paper.papers in [group.typer_instance for group in app.registered_groups]
    out = tmp_path / "answer.docx"
    done = CliRunner().invoke(app, ["paper", "template", "answer", "--out", str(out)])
    assert done.exit_code == 0, done.stderr
    assert paper_file(answer(), PaperFormat.DOCX, tmp_path, None) == paper_file(answer(), PaperFormat.DOCX, None, None)
