from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import date
from io import BytesIO
from zipfile import ZipFile

import pytest
from docx import Document
from docx.document import Document as WordDocument
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn

from api.documents.filling import Filling, Rows, filled
from schemes.problem import InvalidInput
from tests.documents import HOSTILE

FILLING = Filling(
    {"单位": "东风镇", "总分": "92.5", "空": "", "多行": "甲\n乙\n丙"},
    {"行": Rows(("单位", "得分"), (("东风镇", "92.5"), ("甲乡", "90"))), "无": Rows(("单位",), ())},
)


def fill(build: Callable[[WordDocument], object], filling: Filling = FILLING) -> WordDocument:
    file = Document()
    build(file)
    saved = BytesIO()
    file.save(saved)
    return Document(BytesIO(filled(saved.getvalue(), filling, "标题", "某县", date(2022, 1, 20), "x.docx")))


def texts(*runs: str, filling: Filling = FILLING) -> list[str]:
    """Return the paragraphs that one paragraph of these runs becomes."""

    def build(file: WordDocument) -> None:
        paragraph = file.add_paragraph()
        for run in runs:
            paragraph.add_run(run)

    return [paragraph.text for paragraph in fill(build, filling).paragraphs]


def table_of(*rows: tuple[str, ...]) -> Callable[[WordDocument], object]:
    def build(file: WordDocument) -> None:
        table = file.add_table(rows=len(rows), cols=len(rows[0]))
        for row, said in zip(table.rows, rows, strict=True):
            for cell, text in zip(row.cells, said, strict=True):
                cell.text = text

    return build


def cells(file: WordDocument) -> list[list[list[str]]]:
    return [[[cell.text for cell in row.cells] for row in table.rows] for table in file.tables]


@pytest.mark.parametrize(
    "runs",
    [
        ("致{{单位}}：{{总分}}分",),
        ("致", "{{", "单位", "}}", "：", "{{总分}}分"),
        ("致{", "{单", "位}", "}：{{总", "分}}分"),
        ("致{{ 单位 }}：｛｛总分｝｝分",),
        (*"致{{单位}}：{{总分}}分",),
    ],
)
def test_placeholders_are_filled_however_word_has_cut_them(runs: tuple[str, ...]) -> None:
    assert texts(*runs) == ["致东风镇：92.5分"]


def test_a_value_has_the_look_of_its_placeholders_first_character() -> None:
    def build(file: WordDocument) -> None:
        paragraph = file.add_paragraph("致")
        paragraph.add_run("{{单").bold = True
        paragraph.add_run("位}}：")

    runs = [(run.text, run.bold) for run in fill(build).paragraphs[0].runs]
    assert runs == [("致", None), ("东风镇", True), ("：", None)]


def test_heads_feet_and_text_boxes_are_filled_too() -> None:
    box = (
        f"<w:p {nsdecls('w')}><w:r><w:t>外{{{{单位}}}}</w:t></w:r><w:r><w:pict><w:txbxContent>"
        "<w:p><w:r><w:t>内{{总分}}</w:t></w:r></w:p></w:txbxContent></w:pict></w:r></w:p>"
    )

    def build(file: WordDocument) -> None:
        file.sections[0].header.paragraphs[0].text = "头{{单位}}"
        file.sections[0].footer.paragraphs[0].text = "脚{{总分}}"
        file.element.body.insert(0, parse_xml(box))

    file = fill(build)
    assert file.sections[0].header.paragraphs[0].text == "头东风镇"
    assert file.sections[0].footer.paragraphs[0].text == "脚92.5"
    assert [one.text for one in file.element.body.iter(qn("w:t"))] == ["外东风镇", "内92.5"]


def test_a_marked_row_is_repeated_with_its_look_and_the_others_stand_once() -> None:
    def build(file: WordDocument) -> None:
        table_of(("单位", "得分"), ("{{行.单位}}", "{{行.得分}}（{{单位}}）"), ("合计", "{{总分}}"))(file)
        file.tables[0].rows[1].cells[0].paragraphs[0].runs[0].bold = True

    file = fill(build)
    assert cells(file) == [[["单位", "得分"], ["东风镇", "92.5（东风镇）"], ["甲乡", "90（东风镇）"], ["合计", "92.5"]]]
    assert [row.cells[0].paragraphs[0].runs[0].bold for row in file.tables[0].rows] == [None, True, True, None]


def test_a_table_of_an_empty_list_is_removed_unless_it_holds_more_than_its_head() -> None:
    assert cells(fill(table_of(("单位",), ("{{无.单位}}",)))) == []
    assert cells(fill(table_of(("单位",), ("{{无.单位}}",), ("合计",)))) == [[["单位"], ["合计"]]]


def test_a_paragraph_of_empty_values_alone_goes_and_one_with_other_text_stays() -> None:
    assert texts("{{空}}{{ 空 }}") == []
    assert texts("附注：{{空}}") == ["附注："]
    assert cells(fill(table_of(("{{空}}",)))) == [[[""]]]


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("{{多行}}", ["甲", "乙", "丙"]),
        ("理由：{{多行}}。{{单位}}", ["理由：甲", "乙", "丙。东风镇"]),
        ("{{单位}}{{多行}}{{总分}}", ["东风镇甲", "乙", "丙92.5"]),
        ("\n理由：{{多行}}", ["\n理由：甲", "\n乙", "\n丙"]),
    ],
)
def test_each_line_of_a_value_is_a_paragraph(template: str, found: list[str]) -> None:
    assert texts(template) == found


@pytest.mark.parametrize("text", [*HOSTILE, "{{总分}}", "{{行.单位}}", "}}{{", "&amp;<w:t>"])
def test_a_value_is_text_and_never_read_again(text: str) -> None:
    filling = Filling({"单位": text, "总分": "1"}, {"行": Rows(("单位",), ((text,), ("乙",)))})
    assert texts("致{{单位}}：", filling=filling) == [f"致{text}："]
    assert cells(fill(table_of(("{{行.单位}}",)), filling)) == [[[text], ["乙"]]]


def test_characters_without_a_shape_are_made_visible() -> None:
    assert texts("{{单位}}", filling=Filling({"单位": "甲\x00乙\u202e"})) == ["甲\\u0000乙\\u202e"]


@pytest.mark.parametrize(
    ("build", "code", "named"),
    [
        (lambda file: file.add_paragraph("{{单位名}}"), "template-placeholder", "{{单位名}}"),
        (table_of(("{{行.名次}}",)), "template-placeholder", "{{行.名次}}"),
        (lambda file: file.add_paragraph("{{单位}"), "template-braces", "{{单位}"),
        (lambda file: file.add_paragraph("单位}}"), "template-braces", "单位}}"),
        (lambda file: file.add_paragraph("{{{单位}}}"), "template-braces", "{{{单位}}}"),
        (lambda file: file.add_paragraph("{{单位}}{{总分}}｝"), "template-braces", "{{总分}}｝"),
        (lambda file: file.add_paragraph("{{行.单位}}"), "template-row", "行"),
        (table_of(("{{行.单位}}", "{{无.单位}}")), "template-row", "无 and 行"),
    ],
)
def test_what_cannot_be_filled_is_refused(build: Callable[[WordDocument], object], code: str, named: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        fill(build)
    assert {problem.code for problem in refused.value.problems} == {code}
    assert named in refused.value.problems[0].message


def test_a_repeated_row_within_a_repeated_row_is_refused() -> None:
    def build(file: WordDocument) -> None:
        table_of(("{{行.单位}}",))(file)
        inner = deepcopy(file.tables[0]._tbl)
        file.tables[0].rows[0].cells[0]._tc.insert(1, inner)
        inner.iter(qn("w:t")).__next__().text = "{{无.单位}}"

    with pytest.raises(InvalidInput, match="one list in one row"):
        fill(build)


def test_all_faults_of_a_template_are_told_at_once() -> None:
    def build(file: WordDocument) -> None:
        file.add_paragraph("{{甲}}和{{乙}}")
        file.sections[0].header.paragraphs[0].text = "{{丙}}"

    with pytest.raises(InvalidInput) as refused:
        fill(build)
    assert [problem.message.split(",")[0] for problem in refused.value.problems] == [
        "found {{甲}}", "found {{乙}}", "found {{丙}}",
    ]  # fmt: skip


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + b"\0" * 18])
def test_a_template_that_is_no_word_file_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidInput) as refused:
        filled(content, FILLING, "标题", "某县", date(2022, 1, 20), "x.docx")
    assert [problem.code for problem in refused.value.problems] == ["template-not-word"]


@pytest.mark.parametrize(
    "part",
    ["[Content_Types].xml", "_rels/.rels", "word/_rels/document.xml.rels", "word/document.xml", "docProps/core.xml"],
)
@pytest.mark.parametrize("content", [b"", b"<", b"<a/>"])
def test_a_word_file_with_a_damaged_part_is_refused(part: str, content: bytes) -> None:
    saved, damaged = BytesIO(), BytesIO()
    Document().save(saved)
    with ZipFile(saved) as source, ZipFile(damaged, "w") as target:
        for name in source.namelist():
            target.writestr(name, content if name == part else source.read(name))
    with pytest.raises(InvalidInput) as refused:
        filled(damaged.getvalue(), FILLING, "标题", "某县", date(2022, 1, 20), "x.docx")
    assert [problem.code for problem in refused.value.problems] == ["template-not-word"]


def test_a_word_file_whose_bytes_are_damaged_is_refused() -> None:
    saved = BytesIO()
    Document().save(saved)
    with ZipFile(saved) as source:
        start = source.getinfo("word/document.xml").header_offset
    damaged = bytearray(saved.getvalue())
    damaged[start + 60 : start + 160] = b"\xff" * 100
    with pytest.raises(InvalidInput) as refused:
        filled(bytes(damaged), FILLING, "标题", "某县", date(2022, 1, 20), "x.docx")
    assert [problem.code for problem in refused.value.problems] == ["template-not-word"]


def test_braces_apart_from_a_placeholder_are_text() -> None:
    assert texts("{甲} {{单位}}{{总分}} {乙}") == ["{甲} 东风镇92.5 {乙}"]


def test_the_properties_are_those_of_the_paper() -> None:
    properties = fill(lambda file: file.add_paragraph("{{单位}}")).core_properties
    assert (properties.title, properties.author, properties.last_modified_by) == ("标题", "某县", "某县")
    assert properties.created is not None
    assert properties.created.date() == date(2022, 1, 20)
