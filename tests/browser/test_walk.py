"""A year of an office, walked through in a browser by four people and one unit, from an empty database to the proof."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from projections.scheme_files import source
from tests.browser.complaints import watch
from tests.browser.conftest import DESKTOP, MINGZHANG, serving
from tests.browser.test_recording import PASTE, PIXEL
from tests.projections.observation_workbooks import ROW, own_workbook

YEAR = "/jurisdictions/360982/years/2021"
UNIT = "福城街道"
PASSWORD = "a password of one's own"  # noqa: S105  # of this test alone
PEOPLE = {"小张": "recorder", "小李": "reviewer", "王主任": "leader", UNIT: "unit"}
DRAFT = (
    source("zhangshu-2021")
    .replace('version: "1"', 'version: "2"', 1)
    .replace("where: {subject: new_media}, each: 1", "where: {subject: new_media}, each: 2")
)


class Walk:
    """People with browsers of their own at one server."""

    def __init__(self, browser: Browser, url: str, folder: Path, passwords: dict[str, str]) -> None:
        self.folder = folder
        self._browser = browser
        self._url = url
        self._passwords = passwords
        self._contexts: dict[str, BrowserContext] = {}
        self._complaints: list[list[str]] = []

    def person(self, name: str) -> Page:
        """A page of that person's, who has signed in, for the first time with the one-time password."""
        if name in self._contexts:
            return self._contexts[name].pages[0]
        context = self._browser.new_context(
            base_url=self._url, locale="zh-CN", timezone_id="Asia/Shanghai", viewport=DESKTOP
        )
        self._contexts[name] = context
        self._complaints.append(watch(context, self._url))
        page = context.new_page()
        page.goto("/")
        page.get_by_label("用户名").fill(name)
        page.get_by_label("口令").fill(self._passwords[name])
        page.get_by_role("button", name="登录").click()
        page.get_by_label("现在的口令").fill(self._passwords[name])
        page.get_by_label("新口令", exact=True).fill(PASSWORD)
        page.get_by_label("再输一次新口令").fill(PASSWORD)
        page.get_by_role("button", name="修改口令").click()
        expect(page.get_by_text("口令已修改。")).to_be_visible()
        return page

    def end(self) -> list[str]:
        """Close every browser, and return what their pages complained of."""
        for context in self._contexts.values():
            context.close()
        return [one for said in self._complaints for one in said]


@pytest.fixture
def walk(browser: Browser, tmp_path: Path) -> Iterator[Walk]:
    database = f"sqlite:///{tmp_path / 'ledger.db'}"
    passwords = {}
    for name, role in PEOPLE.items():
        spoken_for = ["--unit", UNIT] if role == "unit" else []
        command = [MINGZHANG, "account", "create", name, "--role", role, "-j", "360982", *spoken_for, "--json"]
        made = subprocess.run([*command, "--database", database], check=True, capture_output=True, text=True)
        passwords[name] = str(json.loads(made.stdout)["one_time_password"])
    with serving(tmp_path, database) as url:
        walked = Walk(browser, url, tmp_path, passwords)
        yield walked
        complaints = walked.end()
    assert complaints == []


def test_a_year_from_its_opening_to_a_proof_that_is_verified_offline(walk: Walk) -> None:
    # 1. The leader opens the year under the shipped scheme.
    leader = walk.person("王主任")
    leader.goto("/jurisdictions/360982/open-year")
    leader.get_by_label("方案", exact=False).first.select_option("zhangshu-2021")
    leader.get_by_role("button", name="下一步：核对单位").click()
    leader.get_by_role("button", name="开启2021年度").click()
    leader.wait_for_url(re.compile(r"/years/2021"))

    # 2. The recorder imports the office's own workbook, and sees first what it would do.
    recorder = walk.person("小张")
    workbook = walk.folder / "台账.xlsx"
    workbook.write_bytes(own_workbook([{**ROW, "时间": f"2021-0{month}-15"} for month in (2, 3)]))
    recorder.goto(f"{YEAR}/workbooks")
    recorder.get_by_label("工作簿").set_input_files(workbook)
    recorder.get_by_role("button", name="核对并预览").click()
    recorder.get_by_role("button", name="全部登记").click()
    expect(recorder.get_by_text("已登记 2 条")).to_be_visible()
    assert score(recorder) == "98"

    # 3. Three incidents: two circulars, one with a screenshot, and discretion, which takes a second person.
    leader.goto(YEAR)
    for day, screenshot in (("2021-04-15", False), ("2021-05-15", True)):
        recorder.goto(f"{YEAR}/record?unit={quote(UNIT)}&row=2.2&on={day}")
        recorder.get_by_label("设区市").check()
        recorder.get_by_label("季度").check()
        if screenshot:
            recorder.get_by_label("季度").focus()
            recorder.evaluate(PASTE, PIXEL)
            expect(recorder.locator("[data-attached] img")).to_be_visible()
        else:
            recorder.get_by_label("文号或网址").fill("宜府办字〔2021〕21号")
        expect(recorder.get_by_role("region", name="将产生的影响")).to_contain_text("→")
        recorder.get_by_role("button", name="保存", exact=False).first.click()
        expect(recorder.get_by_role("status").first).to_contain_text(f"{UNIT}现得分")
    recorder.goto(f"{YEAR}/record?unit={quote(UNIT)}&row=b2&on=2021-12-30")
    recorder.get_by_label("分值").fill("1")
    recorder.get_by_label("决定人").fill("市政府办")
    recorder.get_by_label("文号或网址").fill("樟府办〔2021〕9号")
    expect(recorder.get_by_role("region", name="将产生的影响")).to_contain_text("审批")
    recorder.get_by_role("button", name="保存", exact=False).first.click()
    expect(recorder.get_by_role("status").first).to_be_visible()
    assert score(recorder) == "96"

    # 4. The leader's overview has moved by itself; the leader approves, and the score moves.
    expect(leader.get_by_role("row", name=re.compile(UNIT))).to_contain_text("96")
    leader.goto(f"{YEAR}/approvals")
    leader.get_by_role("button", name=re.compile("^批准")).click()
    expect(leader.get_by_text("已批准，并已记入台账。")).to_be_visible()
    assert score(recorder) == "97"

    # 5. Scores are released; the unit disputes the incident with the screenshot.
    leader.goto(f"{YEAR}/manage")
    leader.locator("summary", has_text="公布得分").click()
    leader.locator("#release-reason").fill("征求意见")
    leader.locator("#release").get_by_role("button").click()
    expect(leader.get_by_role("status").first).to_be_visible()
    unit = walk.person(UNIT)
    unit.goto(f"{YEAR}/appeals/file")
    unit.get_by_label("2021年5月15日 被通报").check()
    unit.get_by_label("申诉理由").fill("该账号不属本单位。")
    unit.get_by_role("button", name="提交申诉").click()
    expect(unit.get_by_text("申诉已提交。")).to_be_visible()
    appeal = unit.url

    # 6. The reviewer proposes the decision, the leader approves it, and the dossier is taken home.
    reviewer = walk.person("小李")
    reviewer.goto(appeal)
    reviewer.get_by_role("button", name="受理").click()
    reviewer.get_by_label("复核查明").fill("备案属实。")
    reviewer.get_by_label("处理建议").fill("该条作废。")
    reviewer.get_by_role("button", name="记录复核意见").click()
    reviewer.get_by_role("radio", name="成立", exact=True).check()
    reviewer.get_by_label("2021年5月15日 被通报").select_option("作废")
    reviewer.get_by_label("理由", exact=True).fill("账号不属该单位。")
    reviewer.get_by_role("button", name="提出决定").click()
    leader.goto(f"{YEAR}/approvals")
    leader.get_by_role("button", name="批准：申诉成立").click()
    expect(leader.get_by_text("已批准，并已记入台账。")).to_be_visible()
    assert score(recorder) == "98"
    reviewer.goto(appeal)
    with reviewer.expect_download() as dossier:
        reviewer.get_by_role("link", name="PDF").click()
    assert dossier.value.path().read_bytes().startswith(b"%PDF")

    # 7. What would a draft change?
    draft = walk.folder / "草案.yaml"
    draft.write_text(DRAFT, encoding="utf-8")
    reviewer.goto(f"{YEAR}/scheme/replay")
    reviewer.get_by_label("或上传方案文件").set_input_files(draft)
    reviewer.get_by_role("button", name="重算").click()
    row = reviewer.get_by_role("region", name="乡镇街道重算结果").get_by_role("row").filter(has_text=UNIT)
    expect(row.get_by_role("cell").nth(0)).to_have_text("98")
    # Three circulars at 2 points each, of which the row's 5 points leave 5.
    expect(row.get_by_role("cell").nth(1)).to_have_text("96")

    # 8. The proof is taken from the page, and verified without the server.
    reviewer.goto(f"{YEAR}/units/{quote(UNIT)}")
    with reviewer.expect_download() as bundle:
        reviewer.get_by_role("link", name="证明包").click()
    proof = walk.folder / "proof.json"
    bundle.value.save_as(proof)
    key = reviewer.request.get("/api/v1/jurisdictions/360982/verifier-key").text().strip()
    verified = subprocess.run(
        [MINGZHANG, "verify", str(proof), "--key", key], check=False, cwd="/", env={}, capture_output=True, text=True
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "98" in verified.stdout


def score(page: Page) -> str:
    """The unit's score as its page shows it now."""
    before = page.url
    page.goto(f"{YEAR}/units/{quote(UNIT)}")
    found = page.locator("dt", has_text="总分").locator("xpath=following-sibling::dd[1]").first.inner_text()
    page.goto(before)
    return found.strip()
