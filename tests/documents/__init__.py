"""Tests of official documents as Word and PDF, read back from the files themselves."""

from __future__ import annotations

from datetime import date

from api.documents.blocks import (
    Attachment,
    Heading,
    KeyValues,
    OfficialDocument,
    Paragraph,
    Quotation,
    Run,
    Table,
)

HOSTILE = (
    '#import "x": y; $x^2$ *粗* _斜_ <script>alert(1)</script> @ref `code` = 题 - 列 // 注 [x] {{y}} & a--b',
    "#eval(1)",
    "{% for %}",
)


def official(**changes: object) -> OfficialDocument:
    """Return a decision on an appeal with one block of each kind and two attachments."""
    values: dict[str, object] = {
        "title": "关于年度考评得分申诉的处理决定",
        "issuer": "某县人民政府办公室",
        "issued_on": date(2021, 12, 31),
        "number": "某政办〔2021〕49号",
        "addressee": "东风镇人民政府",
        "signature": "某县人民政府办公室",
        "blocks": (
            Heading(1, "申诉事项"),
            Paragraph.of("东风镇认为“公开指南”一项扣分有误。", Run("请求复核。", bold=True)),
            Heading(2, "观察"),
            Heading(3, "第一项"),
            Heading(4, "证据"),
            Heading(4, "经过"),
            Heading(3, "第二项"),
            Quotation("附件一 第3行", "逾期一次扣一分。\n扣完为止。"),
            Heading(1, "处理结果"),
            Heading(2, "得分"),
            KeyValues((("原得分", "92.5"), ("现得分", "95.5"))),
            Table(
                ("序号", "指标", "得分"),
                (("1", "公开指南", "5"), ("2", "年度报告", "4.5")),
                caption="表1 得分",
                widths=(1, 4, 2),
                alignments=("center", "left", "right"),
            ),
        ),
        "attachments": (
            Attachment("推导对照表", (Heading(1, "总分"), Paragraph.of("见上。"))),
            Attachment("证据清单", (Paragraph.of("无。"),)),
        ),
    }
    return OfficialDocument(**(values | changes))  # type: ignore[arg-type]


def with_blocks(*blocks: object) -> OfficialDocument:
    """Return a document of these blocks alone, without head, signature and attachments."""
    return official(blocks=blocks, number=None, addressee=None, signature=None, attachments=())


HEADINGS = [
    "一、申诉事项",
    "（一）观察",
    "1.第一项",
    "（1）证据",
    "（2）经过",
    "2.第二项",
    "二、处理结果",
    "（一）得分",
]
