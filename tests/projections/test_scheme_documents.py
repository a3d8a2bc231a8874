from __future__ import annotations

from datetime import date
from io import BytesIO

import pytest
import typst
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter

from api.documents.blocks import Attachment, Heading, OfficialDocument, Paragraph, Table, chinese_numeral
from api.documents.pdf import pdf
from ledger.rejection import Rejection
from projections.official_documents.clauses import LONGEST_EXCERPT, Place, locate
from projections.official_documents.pages import PDF, TEXT, Page, pages

BODY = """东风县政务公开考核办法

一、考核对象

各镇。

二、考核方式

（一）日常检查。每月一次。

（二）年终检查。

由办公室负责，
十二月进行。

三、结果运用

（一）通报。

第一条 本办法适用于各镇。

第二条 弄虚作假的，记为不合格。
情节严重的，通报批评。

第三条 本办法自发布之日起施行。

附件：1.镇考核表

2.部门考核表
"""

ROWS = """附件一：

镇考核表

一级指标\t二级指标\t分值\t标准
公开（20分）\t主动公开\t5\t及时更新指南，逾期一次扣一分。
\t\t5\t及时发布年报，未发布不得分。
\t答复\t10\t按期答复申请，超期不得分。

一级指标\t二级指标\t分值\t标准
公开（20分）\t平台\t5\t网站栏目按月更新。
\t检查通报情况\t5\t上级季度检查被通报的，一次扣二分。
\t\t5\t本县每月检查被通报的，一次扣一分。
加分项\t\t\t1. 经验被采用的，加二分。 2. 其他情形，加3~5分。
"""

NUMBERED = """附件二

项目\t序号\t内容\t分值
制度\t1\t明确分管领导。\t5
\t2\t落实机构人员。\t30
网站\t3\t报送信息。\t
\t4\t1、开放日一次得七分。 2、领导进大厅得十分。\t10
"""

BARRED = """附件3
部门考核细则
强化解读和回应
(25%)
|
解读材料
(15%)
|
围绕重要政策制作解读材料，说明背景、目标、内容和下一步考虑，做到易读易懂，及时发布。
|
增强回应效果
(10%)
|
对社会关切主动回应，在规定时间内发布权威信息，并持续跟踪舆情发展，防止误读误解。
|
加分项
(5%)
|
出席新闻发布会的，每次加半分，累计不超过一分，以办公室登记为准，年底统一核定计分。
|
受到上级通报表彰的，按国家、省、市三级分别加三分、二分、一分，同一事项不重复加分。
|
"""

LISTED = """附件4

指标\t分值\t方式
日常工作\t5\t检查
综合加分项\t\t凭材料
重大扣分项\t\t凭核查

（一）受表彰的，每项加五分；
（二）受领导批示的，每项加三分。

（一）平台出现事故的，扣五分；
（二）泄密的，扣五分。
"""

DOCUMENT = "\n".join((BODY, ROWS, NUMBERED, BARRED, LISTED))


def find(clause: str, *titles: str, text: str = DOCUMENT) -> Place | None:
    return locate(pages(text.encode(), TEXT), clause, titles)


@pytest.mark.parametrize(
    ("clause", "excerpt"),
    [
        ("第二条", "第二条 弄虚作假的，记为不合格。\n情节严重的，通报批评。"),
        ("正文 二(二)", "（二）年终检查。\n由办公室负责，\n十二月进行。"),
        ("正文 三（一）", "（一）通报。"),
        ("附件一 第1行", "公开（20分） | 主动公开 | 5 | 及时更新指南，逾期一次扣一分。"),
        ("附件一 第2行", "5 | 及时发布年报，未发布不得分。"),
        ("附件1 第4行", "公开（20分） | 平台 | 5 | 网站栏目按月更新。"),
        ("附件一 检查通报 2", "5 | 本县每月检查被通报的，一次扣一分。"),
        ("附件一 平台", "公开（20分） | 平台 | 5 | 网站栏目按月更新。"),
        ("附件一 加分项1", "1. 经验被采用的，加二分。"),
        ("附件一 加分项2", "2. 其他情形，加3~5分。"),
        ("附件2 序号2", "2 | 落实机构人员。 | 30"),
        ("附件二 序号2–3", "2 | 落实机构人员。 | 30\n网站 | 3 | 报送信息。"),
        ("附件二 序号1及备注", "制度 | 1 | 明确分管领导。 | 5"),
        ("附件二 序号4第2项", "2、领导进大厅得十分。"),
        (
            "附件3 加分项 第2行前半",
            "受到上级通报表彰的，按国家、省、市三级分别加三分、二分、一分，同一事项不重复加分。",
        ),
        ("附件4 综合加分(二)", "（二）受领导批示的，每项加三分。"),
        ("附件4 重大扣分（二）", "（二）泄密的，扣五分。"),
    ],
)
def test_a_clause_opens_at_its_place_and_is_quoted(clause: str, excerpt: str) -> None:
    place = find(clause)
    assert place is not None
    assert (place.page, place.excerpt, place.how) == (1, excerpt, "exact")
    text = "".join(DOCUMENT.splitlines()[place.first_line - 1 : place.last_line])
    assert excerpt.rpartition(" | ")[2].splitlines()[0] in text


@pytest.mark.parametrize(("clause", "begins"), [("附件3 解读回应 第1行", "强化解读和回应(25%) | 解读材料"),
                                                ("附件3 解读回应 第2行", "增强回应效果(10%) | 对社会")])  # fmt: skip
def test_an_abridged_heading_means_the_first_column_before_a_like_title_below(clause: str, begins: str) -> None:
    place = find(clause)
    assert place is not None
    assert place.excerpt.startswith(begins)


@pytest.mark.parametrize(
    "clause",
    [
        "第九条", "正文 四(一)", "正文 一(二)", "附件五 第1行", "附件 第1行", "附件一 第9行", "附件一 第0行",
        "附件一 公开指引",
        "附件一 检查通报 3", "附件一 加分项3", "附件二 序号5", "附件二 序号4第3项", "附件二 序号3–5",
        "附件4 综合加分(三)", "附件4 专项加分(一)", "附件3 加分项 第3行", "附件一 一一(二)",
        "附件二 序号0", "附件二 序号4–2", "",
    ],
)  # fmt: skip
def test_what_the_document_does_not_have_is_nowhere(clause: str) -> None:
    assert find(clause) is None


def test_what_stands_in_two_places_is_nowhere() -> None:
    assert find("第二条", text=BODY + BODY) is None
    assert find("附件一 第1行", text=ROWS + ROWS) is None
    assert find("附件一 平台", text=ROWS.replace("答复", "平台")) is None


def test_a_title_that_stands_once_leads_to_its_place_and_says_so() -> None:
    text = "附件\n考核表\n1 指南 5\n按时更新公开\n指南，逾期扣分。\n2 年报 5\n按时发布年度报告。\n"
    place = find("附件 第2行", "主动公开", "年度报告", text=text)
    assert place == Place(1, 7, 7, "按时发布年度报告。", "by_title")
    assert find("附件 第1行", "公开指南", text=text) == Place(1, 4, 5, "按时更新公开\n指南，逾期扣分。", "by_title")
    assert find("附件 第1行", "按时", text=text) is None


def test_numbers_without_cells_count_only_where_they_can_be_read_in_one_way() -> None:
    clear = "附件\n1 整改 10\n未整改的扣分。\n2 培训 8\n3 报备 6\n"
    place = find("附件 序号2", text=clear)
    assert place is not None
    assert (place.excerpt, place.how) == ("2 培训 8", "exact")
    assert find("附件 序号0", text=clear) is find("附件 序号3–2", text=clear) is find("附件 序号4", text=clear) is None
    assert find("附件 序号2", text="附件\n1 整改\n2\n2 培训\n3 报备\n") is None


def test_a_long_clause_is_cut() -> None:
    place = find("第一条", text="第一条 " + "长" * 2000)
    assert place is not None
    assert (len(place.excerpt), place.excerpt[-1]) == (LONGEST_EXCERPT, "…")


# --- PDF ---------------------------------------------------------------------------------------------------------


def document() -> bytes:
    rows = tuple(
        (
            "公开" if number == 1 else "",
            f"指标{chinese_numeral(number)}",
            "5",
            f"第{number}项工作按时完成。" + "未完成的扣分。" * 12,
        )
        for number in range(1, 31)
    )
    return pdf(
        OfficialDocument(
            title="东风县政务公开考核办法",
            issuer="东风县人民政府办公室",
            issued_on=date(2021, 1, 1),
            blocks=(
                Heading(1, "考核对象"),
                Paragraph.of("各镇。"),
                Heading(1, "考核方式"),
                Heading(2, "日常检查"),
                Paragraph.of("每月一次。"),
                Heading(2, "年终检查"),
                Paragraph.of("十二月进行。"),
            ),
            attachments=(
                Attachment("镇考核表", (Table(("类别", "指标", "分值", "标准"), rows, widths=(2, 3, 1, 6)),)),
                Attachment("部门考核表", (Table(("序号", "内容"), (("1", "培训。"), ("2", "报备。"))),)),
            ),
        )
    )


def test_clauses_open_at_their_pages_in_a_pdf() -> None:
    read = pages(document(), PDF)
    assert len(read) > 4
    for number in (1, 2, 17, 30):
        place = locate(read, f"附件1 第{number}行", ())
        assert place is not None
        assert f"指标{chinese_numeral(number)} | 5 | 第{number}项工作按时完成。" in place.excerpt
        assert place == locate(read, f"附件1 指标{chinese_numeral(number)}", ())
        assert f"指标{chinese_numeral(number)}\t" in read[place.page - 1].lines[place.first_line - 1]
    inspection = locate(read, "正文 二(二)", ())
    assert inspection is not None
    assert inspection.excerpt.startswith("（二）年终检查\n十二月进行。")
    second = locate(read, "附件2 序号2", ())
    assert second is not None
    assert (second.page, second.excerpt) == (len(read), "2 | 报备。")


def test_a_row_cut_by_the_end_of_a_page_is_one_row() -> None:
    first = Page(1, ("附件", "类别\t分值\t标准", "公开\t5\t更新指南。", "\t5\t发布年报，"))
    second = Page(2, ("类别\t分值\t标准", "\t\t未发布不得分。", "\t5\t按期答复。"))
    assert locate([first, second], "附件 第2行", ()) == Place(1, 4, 4, "5 | 发布年报，未发布不得分。", "exact")
    assert locate([first, second], "附件 第3行", ()) == Place(2, 3, 3, "5 | 按期答复。", "exact")


def refusal(content: bytes, media_type: str) -> str:
    with pytest.raises(Rejection) as refused:
        pages(content, media_type)
    return refused.value.refusals[0].code


def encrypted() -> bytes:
    writer = PdfWriter(clone_from=PdfReader(BytesIO(document())))
    writer.encrypt("secret", algorithm="RC4-128")
    written = BytesIO()
    writer.write(written)
    return written.getvalue()


def test_what_cannot_be_read_is_refused_with_the_reason() -> None:
    assert refusal(b"", PDF) == "document-broken"
    assert refusal(b"<html>", PDF) == "document-broken"
    assert refusal(document()[:2000], PDF) == "document-broken"
    assert refusal(encrypted(), PDF) == "document-encrypted"
    assert refusal("办法".encode("gb18030"), TEXT) == "document-not-text"
    assert refusal(b"a\0b", TEXT) == "document-not-text"
    assert refusal(b"", "application/msword") == "document-type-unknown"


def test_a_pdf_of_too_many_pages_is_refused() -> None:
    writer = PdfWriter()
    for _ in range(201):
        writer.add_blank_page(595, 842)
    written = BytesIO()
    writer.write(written)
    assert refusal(written.getvalue(), PDF) == "document-too-long"


def test_a_text_is_one_page_of_its_lines() -> None:
    assert pages("\ufeff甲\r\n乙 \n".encode(), f"{TEXT}; charset=utf-8") == [Page(1, ("甲", "乙", ""))]


GOOD = document()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), min_size=1, max_size=40))
def test_a_damaged_pdf_is_read_or_refused(damage: list[tuple[int, int]]) -> None:
    content = bytearray(GOOD)
    for at, byte in damage:
        content[at] = byte
    try:
        read = pages(bytes(content), PDF)
    except Rejection as refused:
        codes = {refusal.code for refusal in refused.refusals}
    else:
        codes = set()
        assert [page.number for page in read] == list(range(1, len(read) + 1))
    assert codes <= {"document-broken", "document-encrypted", "document-too-long"}


@settings(max_examples=30, deadline=None)
@given(
    st.text("附件正文第序号行项条一二十(（)）0123 –加分项|\t\n", max_size=20),
    st.text("附件第序号一二十(（)）123加分项|\t\n。", max_size=200),
)
def test_any_clause_in_any_text_has_one_place_or_none(clause: str, text: str) -> None:
    read = pages(text.encode(), TEXT)
    place = locate(read, clause, (clause,))
    if place is not None:
        assert 1 <= place.first_line <= place.last_line <= len(read[0].lines)


def test_a_pdf_that_is_packed_in_a_way_nobody_knows_is_broken() -> None:
    content = typst.compile(b"= a", format="pdf")
    assert [page.lines for page in pages(content, PDF)] == [("a",)]
    with pytest.raises(Rejection) as rejection:
        pages(content.replace(b"/FlateDecode", b"/OtherDecode"), PDF)
    assert [one.code for one in rejection.value.refusals] == ["document-broken"]
