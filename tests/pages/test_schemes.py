from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

import pytest
from starlette.testclient import TestClient

from projections.scheme_files import load, shipped, source, vocabulary
from projections.workbooks.importing import template
from schemes.wording import rule_sentence
from tests.api.county import HERE, UNIT, YEAR, County

SCHEME = "/jurisdictions/360982/years/2021/scheme"
DRAFT = (
    source("zhangshu-2021")
    .replace('version: "1"', 'version: "2"', 1)
    .replace("kinds: [circular], where: {subject: new_media}, each: 1", "kinds: [circular], where: {}, each: 3")
)


class Grid(HTMLParser):
    """How many cells each line of a table's body has, counted with the cells that reach into it from above."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[int]] = []
        self._reaching: list[tuple[int, int]] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "table":
            self._inside = "scheme-table" in (found.get("class") or "")
            if self._inside:
                self.tables.append([])
                self._reaching = []
        elif self._inside and tag == "tr":
            self._reaching = [(rows - 1, columns) for rows, columns in self._reaching if rows > 1]
            self.tables[-1].append(sum(columns for _, columns in self._reaching))
        elif self._inside and tag in ("td", "th"):
            cell = (int(found.get("rowspan") or 1), int(found.get("colspan") or 1))
            self._reaching.append(cell)
            self.tables[-1][-1] += cell[1]


def text_of(page: str) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


def main_of(client: TestClient, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, response.text
    return response.text


@pytest.mark.parametrize("scheme", shipped())
def test_a_scheme_is_shown_as_a_table_without_gaps_and_with_every_rule_in_words(
    new_county: County, scheme: str
) -> None:
    held = load(scheme)
    code = held.jurisdiction.code
    opened = new_county.post(f"/api/v1/jurisdictions/{code}/years", {"scheme": scheme})
    assert opened.status_code == 201, opened.text

    page = main_of(new_county.client, f"/jurisdictions/{code}/years/{held.year}/scheme")

    grid = Grid()
    grid.feed(page)
    assert len(grid.tables) == len(held.groups) * (len(held.stages) or 1)
    assert all(len(set(lines)) == 1 for lines in grid.tables)
    told, words = unescape(page), vocabulary().extended(held.items)
    for group in held.groups:
        for row in group.indicators:
            assert f'id="row-{group.id}-{row.id}"' in page
            assert all(f"<li>{rule_sentence(rule, words)}</li>" in told for rule in row.rules)
    assert all(veto.title in told for veto in held.vetoes)
    assert all(accepted.reason in told for accepted in held.accepted)


def test_a_heading_stands_over_its_rows_with_the_points_that_the_document_prints(county: County) -> None:
    page = main_of(county.client, SCHEME)

    found = re.search(r'<th scope="rowgroup" rowspan="(\d+)">政府信息公开<br><small[^>]*>（原文55分）', page)
    assert found is not None
    assert int(found[1]) == sum(row.titles[0] == "政府信息公开" for row in load("zhangshu-2021").groups[0].indicators)


def test_caps_grades_quotas_and_vetoes_are_told_in_words(new_county: County) -> None:
    for code, year, scheme in (("320581", 2020, "changshu-2020"), ("140821", 2023, "linyi-2023")):
        new_county.post(f"/api/v1/jurisdictions/{code}/years", {"scheme": scheme})
        page = text_of(main_of(new_county.client, f"/jurisdictions/{code}/years/{year}/scheme"))
        if scheme == "changshu-2020":
            assert "总分封顶 100分，加减之后封顶" in page
            assert "优秀：90分及以上；良好：80分及以上；合格：60分及以上；不合格：其余" in page
            assert "“弄虚作假”达到1起的，等次定为“不合格”" in page
        else:
            assert "A类等次比例 按名次，前30%为“优秀”，后20%为“一般或较差”，其余为“良好”" in page
            assert "仅适用于发改局" in page


def test_a_clause_opens_the_official_document_once_it_is_registered(county: County) -> None:
    link = f"{HERE}/schemes/zhangshu-2021/versions/1/clauses/township/1.1/open"
    assert link not in main_of(county.client, SCHEME)

    text = "樟树市2021年政务公开工作考评方案\n附件一\n序号\t指标\t分值\n1\t公开指南\t5\n2\t政策文件与解读\t5\n"
    kept = county.client.post(
        f"{HERE}/schemes/zhangshu-2021/versions/1/document",
        params={"title": "考评方案"},
        content=text.encode(),
        headers={"Content-Type": "text/plain", "Idempotency-Key": "original"},
    )
    assert kept.status_code == 201, kept.text

    assert f'href="{link}"' in main_of(county.client, SCHEME)
    assert county.client.get(link).status_code == 303


def test_an_older_version_stays_readable_and_its_difference_is_told(county: County) -> None:
    adopted = county.post(f"{YEAR}/schemes", {"document": DRAFT, "reason": "印发修订方案"})
    assert adopted.status_code == 201, adopted.text

    now = text_of(main_of(county.client, SCHEME))
    assert "第2版" in now
    assert "印发修订方案" in now
    before = main_of(county.client, f"{SCHEME}?version=zhangshu-2021/1")
    assert "这是以前的版本（第1版）" in before
    difference = text_of(main_of(county.client, f"{SCHEME}/difference"))
    assert "第1版到第2版" in difference
    told = county.client.post(
        "/api/v1/schemes/difference", json={"old": {"scheme": "zhangshu-2021"}, "new": {"document": DRAFT}}
    ).json()["changes"]
    assert told
    assert all(change["sentence"] in difference for change in told)
    backwards = text_of(main_of(county.client, f"{SCHEME}/difference?old=zhangshu-2021/2&new=zhangshu-2021"))
    assert "第2版到第1版" in backwards


def test_a_version_that_is_not_there_is_refused_and_a_comparison_with_one_keeps_its_form(county: County) -> None:
    for version in ("zhangshu-2021/9", "no-such/1", "/", "x"):
        unknown = county.client.get(SCHEME, params={"version": version})
        assert unknown.status_code == 422
        assert 'data-code="unknown-scheme"' in unknown.text

    refused = county.client.get(f"{SCHEME}/difference?old=no-such&new=zhangshu-2021/1")

    assert refused.status_code == 422
    assert 'data-code="unknown-scheme"' in refused.text
    assert 'name="old"' in refused.text


def test_a_version_is_saved_as_the_kept_bytes_and_as_a_workbook_that_reads_back(county: County) -> None:
    file = county.client.get(f"{SCHEME}/file")
    assert file.content == source("zhangshu-2021").encode()
    assert "zhangshu-2021-1.yaml" in file.headers["content-disposition"]

    workbook = county.client.get(f"{SCHEME}/workbook").content
    replayed = county.client.post(f"{SCHEME}/replay", files={"file": ("draft.xlsx", workbook)})
    assert replayed.status_code == 200
    assert "两个版本没有不同，所有单位的总分、名次、等次都不变。" in replayed.text


def test_the_year_is_replayed_under_a_draft_a_kept_and_a_shipped_version(county: County) -> None:
    county.record()
    size = county.size()
    draft = {"file": ("修订稿.yaml", DRAFT.encode())}
    for asked, files, body, held in (
        ("", draft, {"document": DRAFT}, "草案"),
        ("zhangshu-2021/1", None, {"scheme_id": "zhangshu-2021", "scheme_version": "1"}, "台账保存的版本"),
        ("zhangshu-2021", None, {"scheme": "zhangshu-2021"}, "草案"),
    ):
        replayed = county.client.post(f"{SCHEME}/replay", data={"scheme": asked}, files=files)

        assert replayed.status_code == 200
        told = county.client.post(f"{YEAR}/replay", json=body).json()
        shown = text_of(replayed.text)
        assert all(sentence in shown for sentence in told["summary"])
        assert held in shown.partition("结果：")[2].partition("未记录")[0]
        assert UNIT in shown
    assert county.size() == size


def test_all_errors_of_a_draft_are_shown_with_file_line_and_path(county: County) -> None:
    bad = DRAFT.replace("start: full", "start: half", 2).encode()

    refused = county.client.post(f"{SCHEME}/replay", files={"file": ("修订稿.yaml", bad)})

    assert refused.status_code == 422
    assert "草案有2处错误，没有重算" in refused.text
    line = DRAFT.split("\n").index("        start: full") + 1
    assert f"修订稿.yaml:{line} groups[0].indicators[0].start" in refused.text


def test_all_errors_of_a_workbook_are_shown_with_sheet_and_cell(county: County) -> None:
    blank = template(vocabulary())

    refused = county.client.post(f"{SCHEME}/replay", files={"file": ("空白.xlsx", blank)})

    assert refused.status_code == 422
    assert "没有重算" in refused.text
    assert refused.text.count("<tr data-code=") > 1


def test_a_file_that_is_no_draft_of_this_year_is_refused(county: County) -> None:
    for name, content, code in (
        ("草案.doc", b"x", "media-type"),
        ("草案.yaml", b"\xff\xfe", "scheme-not-readable"),
        ("草案.yaml", b"x" * 1_000_001, "document-too-large"),
        ("草案.xlsx", b"x", "workbook-type"),
        ("草案.yaml", source("changshu-2020").encode(), "scheme-jurisdiction"),
        ("", b"", "field-missing"),
    ):
        refused = county.client.post(f"{SCHEME}/replay", files={"file": (name, content)})
        assert refused.status_code == 422
        assert f'data-code="{code}"' in refused.text
        assert 'name="file"' in refused.text


def test_what_a_scheme_says_is_never_read_as_markup(county: County) -> None:
    title = "<script>alert(1)</script>"
    adopted = county.post(
        f"{YEAR}/schemes",
        {"document": DRAFT.replace("樟树市2021年政务公开工作考评方案", title), "reason": title},
    )
    assert adopted.status_code == 201, adopted.text

    for path in (SCHEME, f"{SCHEME}/difference", f"{SCHEME}/replay", "/jurisdictions/360982/years/2021/manage"):
        assert title not in main_of(county.client, path)
