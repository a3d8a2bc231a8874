"""Measurements of pages: what people wait for, in a real browser and over loopback, on the demonstration's data."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from urllib.parse import quote, urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, Response, sync_playwright

from api.demonstration.accounts import PASSWORD
from tests.bench.outcomes import Measurement, Outcome
from tests.browser.conftest import chromium, serving

MINGZHANG = str(Path(sys.executable).with_name("mingzhang"))
YEAR = "/jurisdictions/360982/years/2021"
UNIT = quote("福城街道")
MAIN_PAGES = {
    "总览": YEAR,
    "登记": f"{YEAR}/record",
    "单位": f"{YEAR}/units/{UNIT}",
    "推导": f"{YEAR}/derivations/{UNIT}",
    "申诉": f"{YEAR}/appeals",
    "审批": f"{YEAR}/approvals",
    "方案": f"{YEAR}/scheme",
    "台账": f"{YEAR}/ledger",
}
DAYS = [f"2021-{month:02}-{day:02}" for month in range(1, 13) for day in (5, 15, 25)]
COLD_LOADS = 7
INCIDENTS = 9
REPEATED = 15
ALL_ROLES = "复核员"


@contextmanager
def demonstration() -> Iterator[str]:
    """Serve a new demonstration, and give its address."""
    with TemporaryDirectory(prefix=".bench-") as name:
        folder = Path(name).resolve()
        subprocess.run([MINGZHANG, "demo", "--once"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        with serving(folder, f"sqlite:///{folder / 'data' / 'demonstration.db'}") as url:
            yield url


def first_page_in_cold_browser(_: str) -> Outcome:
    """Measure milliseconds until the overview has loaded in a browser that has nothing of it."""
    return _cold(YEAR)


def shortest_page_in_cold_browser(_: str) -> Outcome:
    """Measure the same for the server's shortest answer."""
    return _cold("/health/live")


def _cold(path: str) -> Outcome:
    with demonstration() as url, _browser() as browser:
        waits, weights = [], []
        for _ in range(COLD_LOADS):
            with _signed_in(browser, url, ALL_ROLES) as context:
                page = context.new_page()
                answers = _answers(page)
                page.goto(path)
                waits.append(float(page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")))
                weights.append(sum(_weight(answer) for answer in answers))
    return Outcome(median(waits), f"{max(weights) / 1e6:.2f} MB unpacked")


def incident_to_new_score(_: str) -> Outcome:
    """Measure milliseconds from the click that saves an incident until the page with the new score is there."""
    with demonstration() as url, _browser() as browser, _signed_in(browser, url, "登记员") as context:
        page = context.new_page()
        waits = []
        for number in range(INCIDENTS):
            page.goto(f"{YEAR}/record?unit={UNIT}&row=2.2&on={DAYS[number]}")
            page.get_by_label("设区市").check()
            page.get_by_label("季度").check()
            page.get_by_label("文号或网址").fill("宜府办字〔2021〕20号")
            page.get_by_role("region", name="将产生的影响").get_by_text("→").first.wait_for()
            begun = perf_counter()
            page.get_by_role("button", name="保存", exact=False).first.click()
            page.get_by_text("福城街道现得分").wait_for()
            waits.append((perf_counter() - begun) * 1000)
    return Outcome(median(waits), f"slowest {max(waits):.0f} ms")


def incident_over_http(_: str) -> Outcome:
    """Measure milliseconds for the same over HTTP: an observation is sent, and the sheet read."""
    with demonstration() as url:
        token = _token(url)
        connection = http.client.HTTPConnection(urlsplit(url).netloc)
        waits = []
        for number in range(INCIDENTS):
            begun = perf_counter()
            observed = {
                "unit": "福城街道",
                "kind": "circular",
                "occurred_on": DAYS[number],
                "attributes": {"level": "municipal", "subject": "new_media", "period": "quarterly"},
                "evidence": [{"title": "检查情况通报", "document": "宜府办字〔2021〕20号"}],
            }
            headers = {"Cookie": token, "Content-Type": "application/json", "Idempotency-Key": f"bench-{number}"}
            _answer(connection, "POST", f"/api/v1{YEAR}/observations", headers, json.dumps(observed).encode())
            _answer(connection, "GET", f"/api/v1{YEAR}/sheets/{UNIT}", {"Cookie": token})
            waits.append((perf_counter() - begun) * 1000)
    return Outcome(median(waits))


def slider_over_http(_: str) -> Outcome:
    """Measure milliseconds for the part of a unit's page that another day asks for: each day anew."""
    with demonstration() as url:
        connection, token = http.client.HTTPConnection(urlsplit(url).netloc), _token(url, ALL_ROLES)
        headers = {"Cookie": token, "HX-Request": "true"}
        waits = [_timed(connection, f"{YEAR}/units/{UNIT}?as_of={day}", headers) for day in DAYS]
    return Outcome(median(waits), f"slowest {max(waits):.0f} ms")


def slowest_page_over_http(_: str) -> Outcome:
    """Measure milliseconds of the slowest of the main pages; each is asked for several times."""
    with demonstration() as url:
        waits = {}
        for title, path in MAIN_PAGES.items():
            connection, token = http.client.HTTPConnection(urlsplit(url).netloc), _token(url, _who(title))
            waits[title] = median(_timed(connection, path, {"Cookie": token}) for _ in range(REPEATED))
    return Outcome(max(waits.values()), " ".join(f"{title} {wait:.0f}" for title, wait in waits.items()))


def liveness_of_demonstration(_: str) -> Outcome:
    """Measure milliseconds for the server's shortest answer."""
    with demonstration() as url:
        connection = http.client.HTTPConnection(urlsplit(url).netloc)
        return Outcome(median(_timed(connection, "/health/live", {}) for _ in range(REPEATED * 4)))


def _who(title: str) -> str:
    return "登记员" if title == "登记" else ALL_ROLES


@contextmanager
def _browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = chromium(playwright)
        yield browser
        browser.close()


@contextmanager
def _signed_in(browser: Browser, url: str, name: str) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=url, locale="zh-CN", timezone_id="Asia/Shanghai")
    answer = context.request.post("/api/v1/session", data={"name": name, "password": PASSWORD})
    if not answer.ok:
        raise RuntimeError(answer.text())
    yield context
    context.close()


def _answers(page: Page) -> list[Response]:
    """Return a list that grows with each answer that the page gets."""
    answers: list[Response] = []

    def note(answer: Response) -> None:
        answers.append(answer)

    page.on("response", note)
    return answers


def _weight(answer: Response) -> int:
    """Return how many bytes an answer has unpacked; updates that go on are none."""
    return 0 if "event-stream" in answer.headers.get("content-type", "") else len(answer.body())


def _token(url: str, name: str = "登记员") -> str:
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    body = json.dumps({"name": name, "password": PASSWORD}).encode()
    connection.request("POST", "/api/v1/session", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    return str(answer.headers["Set-Cookie"]).partition(";")[0]


def _timed(connection: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> float:
    begun = perf_counter()
    _answer(connection, "GET", path, headers)
    return (perf_counter() - begun) * 1000


def _answer(
    connection: http.client.HTTPConnection, method: str, path: str, headers: dict[str, str], body: bytes | None = None
) -> None:
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    said = answer.read()
    if answer.status not in (200, 201):
        raise RuntimeError(f"{path}: found status {answer.status}: {said[:300]!r}")


PAGES: tuple[Measurement, ...] = (
    first_page_in_cold_browser,
    shortest_page_in_cold_browser,
    incident_to_new_score,
    incident_over_http,
    slider_over_http,
    slowest_page_over_http,
    liveness_of_demonstration,
)
