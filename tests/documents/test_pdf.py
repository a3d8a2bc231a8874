from __future__ import annotations

import re
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from api.documents import fonts
from api.documents.blocks import OfficialDocument, Paragraph, Run, Table
from api.documents.fonts import document_fonts
from api.documents.pdf import pdf
from schemes.problem import InvalidInput
from tests.documents import HEADINGS, HOSTILE, official, with_blocks


def read(document: OfficialDocument) -> PdfReader:
    return PdfReader(BytesIO(pdf(document)))


def lines(document: OfficialDocument) -> list[str]:
    return [line.strip() for page in read(document).pages for line in page.extract_text().splitlines()]


def letters(document: OfficialDocument) -> str:
    """Return all text without spaces and line ends: a line may break anywhere."""
    return re.sub(r"\s", "", "".join(page.extract_text() for page in read(document).pages))


def test_every_page_is_a4() -> None:
    assert {(round(page.mediabox.width), round(page.mediabox.height)) for page in read(official()).pages} == {
        (595, 842)
    }


def test_headings_and_cells_stand_in_the_text_in_their_order() -> None:
    found = lines(official())
    at = [found.index(heading) for heading in [*HEADINGS, "一、总分"]]
    assert at == sorted(at)
    assert [line for line in found if "公开指南" in line][-1].split() == ["1", "公开指南", "5"]
    assert "2 年度报告 4.5" in found
    assert "附件一 第3行：" in found
    assert "原得分：92.5" in found


def test_head_signature_and_attachments_stand_in_their_order() -> None:
    found = lines(official())
    assert found[:4] == [
        "某县人民政府办公室",
        "某政办〔2021〕49号",
        "关于年度考评得分申诉的处理决定",
        "东风镇人民政府：",
    ]
    assert "2021年12月31日" in found
    assert [line for line in found if line.startswith("附件") and "行" not in line] == [
        "附件：1.推导对照表",
        "附件1",
        "附件2",
    ]


def test_a_page_has_22_lines_of_28_characters() -> None:
    page = read(with_blocks(Paragraph.of("正文" * 700))).pages[1].extract_text().splitlines()
    assert {len(line.strip()) for line in page[:-1]} == {28}
    assert len(page) - 1 == 22
    assert page[-1].strip() == "— 2 —"


def test_page_numbers_stand_at_the_outer_edge() -> None:
    def left_edge(page: int) -> float:
        found: list[float] = []

        def seen(text: str, outer: list[float], inner: list[float], *_: object) -> None:
            if "—" in text:
                found.append(outer[4] + inner[4])

        reader.pages[page].extract_text(visitor_text=seen)
        return found[0]

    reader = read(with_blocks(Paragraph.of("正文" * 700)))
    assert left_edge(0) > 297 > left_edge(1)


def test_fonts_are_embedded_and_simplified_chinese() -> None:
    names = set()
    for page in read(official()).pages:
        for font in page["/Resources"]["/Font"].values():  # type: ignore[index]
            descendant = font.get_object()["/DescendantFonts"][0].get_object()
            assert "/FontFile3" in descendant["/FontDescriptor"] or "/FontFile2" in descendant["/FontDescriptor"]
            names.add(str(font.get_object()["/BaseFont"]))
    assert names
    assert not [name for name in names if re.search("CJK(jp|kr|tc|hk)", name)]


def test_the_file_says_what_it_is() -> None:
    reader = read(official())
    metadata = reader.metadata
    assert metadata is not None
    assert (metadata.title, metadata.author) == ("关于年度考评得分申诉的处理决定", "某县人民政府办公室")
    assert metadata.creation_date == datetime(2021, 12, 31, tzinfo=UTC)
    assert b"<pdfaid:part>2</pdfaid:part>" in reader.root_object["/Metadata"].get_data()  # type: ignore[attr-defined]
    assert [str(entry["/Title"]) for entry in reader.outline if isinstance(entry, dict)] == [
        "一、申诉事项",
        "二、处理结果",
        "一、总分",
    ]


def test_equal_documents_give_equal_bytes() -> None:
    assert pdf(official()) == pdf(official())


@pytest.mark.parametrize("text", HOSTILE)
def test_markup_in_texts_is_text(text: str) -> None:
    found = letters(with_blocks(Paragraph.of(text), Table((text,), ((text,),))))
    assert found.count(re.sub(r"\s", "", text)) == 3


def test_characters_without_a_shape_or_a_font_are_made_visible() -> None:
    assert "甲\\u0007乙\\u202e丙\\U0001f600丁" in letters(with_blocks(Paragraph.of("甲\x07乙\u202e丙\U0001f600丁")))


def test_rare_characters_of_names_are_shown() -> None:
    assert "喆𬭚䶮" in letters(with_blocks(Paragraph.of("喆𬭚䶮")))


def test_a_word_longer_than_its_line_breaks_within_the_margins() -> None:
    for document in (
        with_blocks(Paragraph.of("x" * 4000)),
        with_blocks(Table(("甲", "乙"), (("x" * 4000, "f" * 64),))),
    ):
        assert letters(document).count("x") == 4000
    assert max(len(line) for line in lines(with_blocks(Paragraph.of("x" * 4000)))) < 60


def test_a_long_table_repeats_its_header_and_breaks_no_row() -> None:
    rows = tuple((f"编号{number}", f"甲{number}" * 12, f"乙{number}末") for number in range(100))
    pages = [page.extract_text() for page in read(with_blocks(Table(("序号", "内容", "备注"), rows))).pages]
    assert len(pages) > 3
    for page in pages:
        assert "序号" in page
    for number, content, note in rows:
        holding = [page for page in pages if f"{number}\n" in page or f"{number} " in page]
        assert len(holding) == 1
        assert content in re.sub(r"\s", "", holding[0])
        assert note in holding[0]


def test_a_row_higher_than_a_page_goes_on_over_pages() -> None:
    assert letters(with_blocks(Table(("甲", "乙"), (("长" * 3000, ""),)))).count("长") == 3000


def test_an_empty_table_has_its_header() -> None:
    assert "空表 无" in lines(with_blocks(Table(("空表", "无"), ())))


def test_without_fonts_the_refusal_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "NOTO_FOLDER", tmp_path)
    with pytest.raises(InvalidInput, match="fonts-noto-cjk") as refused:
        document_fonts(tmp_path / "fonts")
    assert [problem.code for problem in refused.value.problems] == ["document-fonts-missing"]


def test_an_office_folder_with_chinese_fonts_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "office").symlink_to(fonts.NOTO_FOLDER)
    found = document_fonts(fonts.NOTO_FOLDER)
    monkeypatch.setattr(fonts, "NOTO_FOLDER", tmp_path / "none")
    assert document_fonts(tmp_path / "office").families == found.families


def test_bold_is_drawn_where_the_body_font_has_no_bold_face(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NotoSerifCJK-Regular.ttc", "NotoSansCJK-Regular.ttc"):
        (tmp_path / name).symlink_to(fonts.NOTO_FOLDER / name)
    monkeypatch.setattr(fonts, "NOTO_FOLDER", tmp_path / "none")
    assert document_fonts(tmp_path).emboldened
    bold, plain = (
        PdfReader(BytesIO(pdf(with_blocks(Paragraph.of(Run("加粗", bold=bold))), tmp_path))) for bold in (True, False)
    )
    # Text rendering mode 2 fills and strokes.
    assert [b"2 Tr" in one.pages[0].get_contents().get_data() for one in (bold, plain)] == [True, False]  # type: ignore[union-attr]
