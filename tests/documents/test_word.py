from __future__ import annotations

from datetime import date
from io import BytesIO
from zipfile import ZipFile

import pytest
from docx import Document
from docx.document import Document as WordDocument
from docx.oxml import parse_xml
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from api.documents.blocks import Attachment, OfficialDocument, Paragraph, Table, chinese_numeral, signature_indents
from api.documents.word import word
from tests.documents import HEADINGS, HOSTILE, official, with_blocks


def read(document: OfficialDocument) -> WordDocument:
    return Document(BytesIO(word(document)))


def parts(document: OfficialDocument) -> dict[str, str]:
    with ZipFile(BytesIO(word(document))) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


@pytest.mark.parametrize(
    ("number", "numeral"),
    [(1, "一"), (10, "十"), (11, "十一"), (20, "二十"), (21, "二十一"), (101, "一百零一"), (110, "一百一十"),
     (1001, "一千零一"), (2010, "二千零一十")],
)  # fmt: skip
def test_headings_are_counted_in_chinese_numerals(number: int, numeral: str) -> None:
    assert chinese_numeral(number) == numeral


def test_the_page_is_that_of_the_standard() -> None:
    section = read(official()).sections[0]
    assert (round(section.page_width or 0, -3), round(section.page_height or 0, -3)) == (Mm(210), Mm(297))
    margins = (section.top_margin, section.bottom_margin, section.left_margin, section.right_margin)
    for margin, expected in zip(margins, (37, 35, 28, 26), strict=True):
        assert margin is not None
        assert margin.mm == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize(
    ("style", "font", "size", "bold"),
    [
        ("Normal", "仿宋_GB2312", 16, None),
        ("Body Text", "仿宋_GB2312", 16, None),
        ("Title", "方正小标宋简体", 22, None),
        ("Heading 1", "黑体", 16, None),
        ("Heading 2", "楷体_GB2312", 16, None),
        ("Heading 3", "仿宋_GB2312", 16, True),
        ("Heading 4", "仿宋_GB2312", 16, None),
        ("Table Text", "仿宋_GB2312", 12, None),
        ("Footer", "宋体", 14, None),
    ],
)
def test_each_style_names_its_chinese_font_and_its_size(style: str, font: str, size: int, bold: bool | None) -> None:
    found = read(official()).styles[style]
    fonts = found.element.rPr.rFonts
    assert fonts.get(qn("w:eastAsia")) == font
    assert fonts.get(qn("w:ascii")) == fonts.get(qn("w:hAnsi")) == "Times New Roman"
    assert found.font.size == Pt(size)
    assert found.font.bold is bold


def test_no_theme_and_no_template_style_can_bring_in_another_font() -> None:
    files = parts(official())
    assert not [name for name in files if "theme" in name or "font" in name.lower()]
    for name in ("word/styles.xml", "word/document.xml", "word/footer1.xml", "word/footer2.xml"):
        for fonts in parse_xml(files[name].encode()).iter(qn("w:rFonts")):
            assert not [key for key in fonts.attrib if "Theme" in key]
    styles = parse_xml(files["word/styles.xml"].encode())
    assert {fonts.get(qn("w:eastAsia")) for fonts in styles.iter(qn("w:rFonts"))} == {
        "仿宋_GB2312", "方正小标宋简体", "黑体", "楷体_GB2312", "宋体",
    }  # fmt: skip
    assert 'w:eastAsia="ja-JP"' not in files["word/settings.xml"]


def test_body_text_is_set_22_lines_to_a_page_with_two_characters_of_indent() -> None:
    style = read(official()).styles["Body Text"]
    assert style.paragraph_format.line_spacing == Pt(28.95)
    # 225 mm are 637.8 pt.
    assert 22 * 28.95 <= 637.8 < 23 * 28.95
    indent = style.element.pPr.ind
    assert (indent.get(qn("w:firstLineChars")), indent.get(qn("w:firstLine"))) == ("200", "640")


def test_headings_bear_the_numbers_of_the_standard() -> None:
    headings = [(one.style.name, one.text) for one in read(official()).paragraphs if one.style]
    found = [(name[-1], text) for name, text in headings if name and name.startswith("Heading")]
    assert [text for _, text in found] == [*HEADINGS, "一、总分"]
    assert "".join(level for level, _ in found) == "123443121"


def test_the_head_the_addressee_and_the_signature_stand_in_their_order() -> None:
    texts = [paragraph.text for paragraph in read(official()).paragraphs if paragraph.text]
    assert texts[:4] == [
        "某县人民政府办公室",
        "某政办〔2021〕49号",
        "关于年度考评得分申诉的处理决定",
        "东风镇人民政府：",
    ]
    at = texts.index("附件：1.推导对照表")
    assert texts[at + 1 : at + 4] == ["2.证据清单", "某县人民政府办公室", "2021年12月31日"]
    assert texts[at + 4 :] == ["附件1", "推导对照表", "一、总分", "见上。", "附件2", "证据清单", "无。"]


def test_a_single_attachment_has_no_number_and_a_draft_no_red_head() -> None:
    single = Attachment("清单", (Paragraph.of("无。"),))
    texts = [one.text for one in read(official(number=None, attachments=(single,))).paragraphs if one.text]
    assert texts[0] == "关于年度考评得分申诉的处理决定"
    assert "附件：清单" in texts
    assert "附件" in texts


@pytest.mark.parametrize(
    ("office", "day", "indents"),
    [
        # 2021年12月31日 is 7 characters wide: eight digits of a half, three characters.
        ("某县人民政府办公室", date(2021, 12, 31), (200, 200)),
        ("某县人民政府办公室某某处", date(2021, 12, 31), (200, 500)),
        ("县政府", date(2021, 1, 1), (700, 200)),
    ],
)
def test_the_day_begins_two_characters_after_the_office(office: str, day: date, indents: tuple[int, int]) -> None:
    assert signature_indents(office, day) == indents


def test_tables_repeat_their_header_and_keep_their_rows_together() -> None:
    table = read(official()).tables[0]
    assert [[cell.text for cell in row.cells] for row in table.rows] == [
        ["序号", "指标", "得分"],
        ["1", "公开指南", "5"],
        ["2", "年度报告", "4.5"],
    ]
    rows = [row._tr.trPr for row in table.rows]
    assert [row.find(qn("w:tblHeader")) is not None for row in rows] == [True, False, False]
    assert all(row.find(qn("w:cantSplit")) is not None for row in rows)
    assert [column.width.twips for column in table.columns if column.width] == [1263, 5054, 2527]
    assert [str(cell.paragraphs[0].alignment).split()[0] for cell in table.rows[1].cells] == ["CENTER", "LEFT", "RIGHT"]


def test_page_numbers_stand_at_the_outer_edge() -> None:
    file = read(official())
    assert file.settings.odd_and_even_pages_header_footer
    odd, even = file.sections[0].footer.paragraphs[0], file.sections[0].even_page_footer.paragraphs[0]
    assert (str(odd.alignment).split()[0], str(even.alignment).split()[0]) == ("RIGHT", "LEFT")
    for footer in (odd, even):
        assert [text.text for text in footer._p.iter(qn("w:t"))] == ["— ", "1", " —"]
        assert footer._p.find(qn("w:fldSimple")).get(qn("w:instr")).strip() == "PAGE"


def test_the_properties_are_those_of_the_document() -> None:
    properties = read(official()).core_properties
    assert (properties.title, properties.author) == ("关于年度考评得分申诉的处理决定", "某县人民政府办公室")
    assert properties.created is not None
    assert properties.modified is not None
    assert properties.created.date() == properties.modified.date() == date(2021, 12, 31)
    assert properties.language == "zh-CN"


def test_equal_documents_give_equal_bytes() -> None:
    content = word(official())
    assert word(official()) == content
    with ZipFile(BytesIO(content)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize("text", HOSTILE)
def test_markup_in_texts_is_text(text: str) -> None:
    file = read(with_blocks(Paragraph.of(text), Table((text,), ((text,),))))
    assert file.paragraphs[2].text == text
    assert [row.cells[0].text for row in file.tables[0].rows] == [text, text]


def test_characters_without_a_shape_are_made_visible() -> None:
    file = read(with_blocks(Paragraph.of("甲\x07\x00乙\u202e丙\ud800\ufffe丁\t戊\r\n己")))
    assert file.paragraphs[2].text == "甲\\u0007\\u0000乙\\u202e丙\\ud800\\ufffe丁 戊\n己"


def test_an_empty_table_has_its_header() -> None:
    assert [len(table.rows) for table in read(with_blocks(Table(("甲", "乙"), ()))).tables] == [1]


@pytest.mark.parametrize(
    ("header", "rows", "widths", "message"),
    [
        ((), (), (), "at least one column"),
        (("甲", "乙"), (("1",),), (), "row 1: found 1 cells, expected 2"),
        (("甲", "乙"), (), (1,), "widths: found 1 entries, expected 2"),
        (("甲", "乙"), (), (1, 0), "expected positive parts"),
    ],
)
def test_a_table_that_is_not_rectangular_cannot_be_made(
    header: tuple[str, ...], rows: tuple[tuple[str, ...], ...], widths: tuple[int, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Table(header, rows, widths=widths)


@pytest.mark.parametrize(("rows", "kept"), [(2, True), (40, False)])
def test_a_short_table_at_the_end_stays_with_the_signature(rows: int, kept: bool) -> None:
    table = Table(("单位", "得分"), tuple((f"单位{at}", "90") for at in range(rows)))
    document = OfficialDocument("标题", "某县", date(2021, 12, 31), (table,), signature="某县")
    cells = [cell for row in read(document).tables[0].rows[1:] for cell in row.cells]
    assert {cell.paragraphs[0].paragraph_format.keep_with_next is True for cell in cells} == {kept}
