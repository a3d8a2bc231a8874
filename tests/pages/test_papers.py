from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote

import pytest
from docx import Document
from httpx2 import Response
from pypdf import PdfReader
from sqlalchemy import Engine
from starlette.testclient import TestClient
from typer.testing import CliRunner

from api.access.principals import Grant
from api.command_line import app
from api.commands import paper
from tests.api.accounts import bearer, token_of
from tests.api.county import EVIDENCE, HERE, UNIT, YEAR, Clock, County

PAPERS = "/jurisdictions/360982/years/2021/papers"
HEAD = {"number": "某政办〔2022〕3号", "issuer": "某县人民政府办公室", "day": "2022-01-20"}
MONTHLY = {"level": "municipal", "subject": "new_media", "period": "monthly"}
DEADLINE = {"deadline": "2022-03-31"}


def saved(county: County, name: str, **typed: str) -> Response:
    return county.client.get(f"{PAPERS}/{name}", params=HEAD | typed)


def rows(response: Response) -> list[list[str]]:
    """Return the rows of all tables of a Word file that was saved."""
    assert response.status_code == 200, response.text
    tables = Document(BytesIO(response.content)).tables
    return [[cell.text for cell in row.cells] for table in tables for row in table.rows]


def text(response: Response) -> str:
    assert response.status_code == 200, response.text
    return "\n".join(paragraph.text for paragraph in Document(BytesIO(response.content)).paragraphs)


def decided(county: County) -> tuple[str, str]:
    observation = county.record()
    body = {"unit": UNIT, "observations": [observation], "grounds": "不是我单位的账号", "evidence": EVIDENCE}
    appeal = str(county.post(f"{YEAR}/appeals", body).json()["proceeding"]["id"])
    county.post(f"{YEAR}/appeals/{appeal}/accept", {})
    return observation, appeal


def test_the_result_ranks_each_group_and_names_what_cost_points(county: County) -> None:
    county.record(attributes=MONTHLY)
    found = rows(saved(county, "result.docx", addressee="各单位", **DEADLINE))

    ranking = county.get(f"{YEAR}/ranking")
    placed = [
        [group["title"], str(place["rank"]), place["unit"], place["total"], place["grade"] or "—"]
        for group in ranking["groups"]
        for place in group["places"]
    ]
    assert found[1 : 1 + len(placed)] == placed
    # A monthly circular costs 1 point in row 2.2 and 5 as a penalty of its own.
    problems = [row[1:2] + row[3:] for row in found[2 + len(placed) :]]
    assert [[row[0].split()[0], *row[1:]] for row in problems] == [["p1", "1", "1", "5"], ["2.2", "1", "1", "1"]]


def test_a_rectification_notice_names_a_finding_once_with_all_its_rows_until_it_is_rectified(county: County) -> None:
    observation = county.record(attributes=MONTHLY)
    county.record(unit="大桥街道", attributes=MONTHLY)

    found = rows(saved(county, "rectification.docx", unit=UNIT, **DEADLINE))
    assert len(found) == 2
    assert found[1][:4] == ["1", "2021-03-29", "被通报（设区市级，政务新媒体，月度）1次", "宜府办字〔2021〕20号"]
    assert [line.split()[0] for line in found[1][4].split("\n")] == ["2.2", "p1"]
    assert found[1][5:] == ["6", "2022-03-31"]

    done = county.post(f"{HERE}/observations/{observation}/rectify", {"on": "2021-04-10"})
    assert done.status_code == 201, done.text
    refused = saved(county, "rectification.docx", unit=UNIT, **DEADLINE)
    assert refused.status_code != 200
    assert "该单位没有需要整改的扣分问题" in refused.text


def test_an_answer_tells_the_decision_and_the_score_before_and_after(county: County) -> None:
    observation, appeal = decided(county)
    early = saved(county, "answer.docx", appeal=appeal)
    assert early.status_code != 200
    assert "这件申诉还没有决定" in early.text

    asked = {"outcome": "upheld", "reasons": "账号登记有误", "orders": [{"void": observation}]}
    assert county.post(f"{YEAR}/appeals/{appeal}/decide", asked).status_code == 201
    answer = saved(county, "answer.docx", appeal=appeal)
    assert f"{UNIT}：" in text(answer)
    assert "申诉理由：不是我单位的账号" in text(answer)
    assert "申诉成立，予以支持。\n理由：账号登记有误" in text(answer)
    # A quarterly circular costs 1 point of row 2.2; eighteen other townships have all of theirs.
    assert "决定前：99分，列第19名。\n决定后：100分，列第1名。" in text(answer)
    assert rows(answer)[1][2] == "不再计入"
    pages = PdfReader(BytesIO(saved(county, "answer.pdf", appeal=appeal).content)).pages
    assert "账号登记有误" in "".join("".join(page.extract_text().split()) for page in pages)


def test_a_file_is_saved_under_a_chinese_name(county: County) -> None:
    named = saved(county, "result.docx", addressee="各单位", **DEADLINE).headers["content-disposition"]
    assert unquote(named.rpartition("''")[2]) == "2021年度考核结果通报.docx"


def test_what_was_typed_stays_when_something_is_missing(county: County) -> None:
    typed = {"addressee": '"><script>alert(1)</script>', "deadline": "31.3.2022", "issuer": ""}
    refused = saved(county, "result.pdf", **typed)
    assert refused.status_code == 422
    for kept in ("&#34;&gt;&lt;script&gt;", 'value="某政办〔2022〕3号"', "发文机关", "整改期限"):
        assert kept in refused.text
    assert "<script>alert" not in refused.text


@pytest.mark.parametrize("query", ["unit=%E6%97%A0", "appeal=x&unit=", "written=docx"])
def test_a_query_that_no_form_sends_is_refused(county: County, query: str) -> None:
    assert county.client.get(f"{PAPERS}/result.docx?{query}").status_code == 422


def test_only_units_of_the_year_and_its_appeals_are_taken(county: County) -> None:
    assert "没有这个单位" in saved(county, "rectification.docx", unit="无此单位", **DEADLINE).text
    assert "没有这件申诉" in saved(county, "answer.docx", appeal="x").text


@pytest.fixture
def unit_account(client: TestClient, engine: Engine, clock: Clock) -> Iterator[TestClient]:
    """The account of a unit."""
    token = token_of(engine, clock, "单位账户", [Grant("unit", "360982", UNIT)])
    with TestClient(client.app, headers=bearer(token), follow_redirects=False) as speaking:
        yield speaking


def test_a_unit_gets_no_papers_here(county: County, unit_account: TestClient) -> None:
    assert county.client.get(PAPERS).status_code == 200
    assert unit_account.get(PAPERS).status_code == 403
    assert unit_account.get(f"{PAPERS}/rectification.docx", params=HEAD | DEADLINE | {"unit": UNIT}).status_code == 403


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (None, "template-not-word"),
        ("{{没有}}", "template-placeholder"),
        ("{{问题.扣分}}", "template-row"),
        ("{{单位", "template-braces"),
    ],
)
def test_a_template_that_cannot_be_filled_is_the_operators_to_put_right(
    county: County, tmp_path: Path, text: str | None, code: str
) -> None:
    file = tmp_path / "result.docx"
    if text is None:
        file.write_bytes(b"no Word file")
    else:
        template = Document()
        template.add_paragraph(text)
        template.save(str(file))
    app_state = county.client.app.state  # type: ignore[attr-defined]
    app_state.settings = app_state.settings.model_copy(update={"template_folder": tmp_path})
    refused = saved(county, "result.docx", addressee="各单位", **DEADLINE)
    assert (refused.status_code, code in refused.text) == (503, True)


def test_a_template_that_cannot_be_read_is_the_operators_to_put_right(county: County, tmp_path: Path) -> None:
    (tmp_path / "result.docx").mkdir()
    app_state = county.client.app.state  # type: ignore[attr-defined]
    app_state.settings = app_state.settings.model_copy(update={"template_folder": tmp_path})
    refused = saved(county, "result.docx", addressee="各单位", **DEADLINE)
    assert (refused.status_code, "template-not-readable" in refused.text) == (503, True)


def test_papers_are_written_by_command_line_as_the_pages_give_them(
    county: County, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert paper.papers in [group.typer_instance for group in app.registered_groups]
    monkeypatch.delenv("MINGZHANG_TEMPLATE_FOLDER", raising=False)
    _, appeal = decided(county)
    asked = {"outcome": "dismissed", "reasons": "登记无误", "orders": []}
    assert county.post(f"{YEAR}/appeals/{appeal}/decide", asked).status_code == 201
    common = ["-j", "360982", "--year", "2021", "--number", HEAD["number"], "--issuer", HEAD["issuer"]]
    common += ["--day", HEAD["day"], "--database", database_url]
    deadline = ["--deadline", DEADLINE["deadline"]]
    pages = {
        "result": (["result", *deadline, "--to", "各单位"], {"addressee": "各单位", **DEADLINE}),
        "rectification": (["rectification", UNIT, *deadline], {"unit": UNIT, **DEADLINE}),
        "answer": (["answer", appeal], {"appeal": appeal}),
    }
    for name, (words, typed) in pages.items():
        out = tmp_path / f"{name}.docx"
        done = CliRunner().invoke(app, ["paper", *words, *common, "--out", str(out)])
        assert done.exit_code == 0, done.stderr
        assert out.read_bytes() == saved(county, f"{name}.docx", **typed).content
    wrong = CliRunner().invoke(app, ["paper", *pages["answer"][0], *common, "--out", str(tmp_path / "x.odt")])
    assert (wrong.exit_code, "paper-suffix" in wrong.stderr) == (2, True)
