"""How official papers are laid out: their blocks, for the PDF, and the Word templates that are shipped.

A template is made of the same blocks, with a placeholder for every text. Those in `templates/` are written anew by
`python -m api.documents.paper_layout`, after a change here or of the styles in `api.documents.word`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from enum import StrEnum
from io import BytesIO
from pathlib import Path
from typing import Final, NamedTuple

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Twips
from docx.text.paragraph import Paragraph as WordParagraph

from api.documents.blocks import LAYOUT, Align, Block, Heading, OfficialDocument, Paragraph, Table
from api.documents.filling import Filling, Rows
from api.documents.word import with_fixed_times, word

_SHIPPED_ISSUER: Final = 620
"""Size of the issuer's name in a shipped template, in twips: 14 characters stand on one line."""
_SEALED_LEFT: Final = 13
"""Characters left of a sealed signature: the day of 7 characters, centred in the other 15, ends 4 from the right."""


class PaperKind(StrEnum):
    """A kind of paper: the name of its template and of its files."""

    RESULT = "result"
    RECTIFICATION = "rectification"
    ANSWER = "answer"


class Paper(NamedTuple):
    """A paper before it is written."""

    kind: PaperKind
    filling: Filling
    day: date


def _result(said: Mapping[str, str], rows: Mapping[str, Table]) -> Iterator[Block]:
    yield Paragraph.of(
        f"根据《{said['方案']}》，{said['年度']}年度政务公开考核已经完成，共考核{said['单位数']}个单位。现将结果通报如下。"
    )
    yield Heading(1, "考核结果")
    yield Paragraph.of(said["等次情况"])
    yield Paragraph.of(said["暂定说明"])
    yield rows["排名"]
    yield Heading(1, "存在的主要问题")
    yield Paragraph.of(said["问题说明"])
    yield rows["问题"]
    yield Heading(1, "有关要求")
    yield Paragraph.of(f"各单位要对照通报的问题逐项整改，于{said['整改期限']}前整改到位，并将整改情况报送考核办公室。")
    yield Paragraph.of("对考核结果有异议的，可在规定的期限内提出申诉。")


def _rectification(said: Mapping[str, str], rows: Mapping[str, Table]) -> Iterator[Block]:
    yield Paragraph.of(
        f"根据《{said['方案']}》，截至{said['截至日期']}，你单位{said['年度']}年度政务公开考核中尚有"
        f"{said['问题数']}个扣分问题没有整改。现将问题及要求通知如下。"
    )
    yield Heading(1, "需要整改的问题")
    yield rows["问题"]
    yield Heading(1, "整改要求")
    yield Paragraph.of(
        f"请你单位逐项核实，明确责任人，于{said['整改期限']}前整改到位，并附证明材料报送考核办公室。整改完成后予以登记。"
    )
    yield Paragraph.of("对所列问题有异议的，可在规定的期限内提出申诉。")


def _answer(said: Mapping[str, str], rows: Mapping[str, Table]) -> Iterator[Block]:
    yield Paragraph.of(
        f"你单位{said['申诉日期']}提出的{said['年度']}年度政务公开考核申诉（编号{said['申诉编号']}）收悉。"
        "经复核，现答复如下。"
    )
    yield Heading(1, "申诉事项和理由")
    yield Paragraph.of(f"申诉事项：{said['申诉事项']}。")
    yield Paragraph.of(f"申诉理由：{said['申诉理由']}")
    yield Heading(1, "事实和依据")
    yield Paragraph.of(said["复核意见"])
    yield Paragraph.of(said["条款"])
    yield Heading(1, "决定")
    yield Paragraph.of(f"{said['决定日期']}决定：{said['决定']}。")
    yield Paragraph.of(f"理由：{said['决定理由']}")
    yield rows["处理"]
    yield Heading(1, "决定前后的得分")
    yield Paragraph.of(f"决定前：{said['原得分']}。")
    yield Paragraph.of(f"决定后：{said['现得分']}。")
    yield Paragraph.of(said["变化说明"])


class _Look(NamedTuple):
    """The columns of a list with their widths, and those whose texts are numbers."""

    widths: Mapping[str, int]
    numbers: frozenset[str] = frozenset()


_LISTS: Final[Mapping[PaperKind, Mapping[str, _Look]]] = {
    PaperKind.RESULT: {
        "排名": _Look({"组别": 3, "名次": 2, "单位": 6, "得分": 3, "等次": 3}, frozenset({"名次", "得分"})),
        "问题": _Look(
            {"序号": 2, "指标": 7, "主要问题": 7, "单位数": 3, "次数": 2, "扣分": 3},
            frozenset({"单位数", "次数", "扣分"}),
        ),
    },
    PaperKind.RECTIFICATION: {
        "问题": _Look(
            {"序号": 8, "日期": 17, "问题": 22, "依据": 17, "条款": 16, "扣分": 8, "期限": 17}, frozenset({"扣分"})
        )
    },
    PaperKind.ANSWER: {"处理": _Look({"事项": 2, "原登记": 5, "决定后": 5})},
}
_BLOCKS: Final[Mapping[PaperKind, Callable[[Mapping[str, str], Mapping[str, Table]], Iterator[Block]]]] = {
    PaperKind.RESULT: _result,
    PaperKind.RECTIFICATION: _rectification,
    PaperKind.ANSWER: _answer,
}


def rows_of(kind: PaperKind, **lists: Sequence[tuple[str, ...]]) -> dict[str, Rows]:
    """Return the lists of a paper of that kind, with their columns."""
    return {name: Rows(tuple(_LISTS[kind][name].widths), tuple(entries)) for name, entries in lists.items()}


def paper_document(paper: Paper) -> OfficialDocument:
    """Return the paper as blocks, without what is empty: what the PDF is set from."""
    said = paper.filling.values
    tables = {name: _table(_LISTS[paper.kind][name], rows) for name, rows in paper.filling.rows.items()}
    return OfficialDocument(
        title=said["标题"],
        issuer=said["发文机关"],
        issued_on=paper.day,
        blocks=tuple(part for block in _BLOCKS[paper.kind](said, tables) for part in _parts(block)),
        number=said["发文字号"],
        addressee=said["主送机关"],
        signature=said["发文机关"],
    )


def _table(look: _Look, rows: Rows) -> Table:
    aligned: tuple[Align, ...] = tuple("right" if column in look.numbers else "left" for column in rows.columns)
    return Table(rows.columns, rows.entries, widths=tuple(look.widths.values()), alignments=aligned)


def _parts(block: Block) -> Iterator[Block]:
    """Yield a paragraph for each line of a paragraph, any other block as it is, and nothing for what is empty."""
    match block:
        case Paragraph():
            text = "".join(run.text for run in block.runs)
            yield from (Paragraph.of(line) for line in text.split("\n") if text)
        case Table() if not block.rows:
            return
        case _:
            yield block


# --- the templates ---------------------------------------------------------------------------------------------------


class _Placeholders(dict[str, str]):
    """Every text is its own placeholder."""

    def __missing__(self, name: str) -> str:
        return f"{{{{{name}}}}}"


def shipped_template(kind: PaperKind) -> bytes:
    """Return the template of that kind, in the styles of GB/T 9704.

    Where an unsealed signature stands depends on its texts, which a template does not know: here it stands as that of
    a paper that is sealed, the day four characters from the right and the office centred above it (7.3.5.1).
    """
    rows = rows_of(
        kind, **{name: [tuple(f"{{{{{name}.{one}}}}}" for one in look.widths)] for name, look in _LISTS[kind].items()}
    )
    names = _Placeholders()
    document = paper_document(Paper(kind, Filling(names, rows), date(2000, 1, 1)))
    file = Document(BytesIO(word(document)))
    office, day = file.paragraphs[-2:]
    day.runs[0].text = names["成文日期"]
    for paragraph in (office, day):
        _centre_right(paragraph)
    for run in file.paragraphs[0].runs:
        run.font.size = Twips(_SHIPPED_ISSUER)
    saved = BytesIO()
    file.save(saved)
    return with_fixed_times(saved)


def _centre_right(paragraph: WordParagraph) -> None:
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    paragraph.paragraph_format.left_indent = Twips(_SEALED_LEFT * LAYOUT.body)
    paragraph.paragraph_format.right_indent = Twips(0)
    indent = paragraph._p.get_or_add_pPr().get_or_add_ind()  # noqa: SLF001  # python-docx knows no characters
    indent.set(qn("w:leftChars"), str(_SEALED_LEFT * 100))
    indent.set(qn("w:rightChars"), "0")


if __name__ == "__main__":
    for each in PaperKind:
        (Path(__file__).parent / "templates" / f"{each}.docx").write_bytes(shipped_template(each))
