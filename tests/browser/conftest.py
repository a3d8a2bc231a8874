"""A real browser against a real server; a page that complains or calls another host fails its test."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, StorageState, ViewportSize, sync_playwright

from api.demonstration.accounts import PASSWORD
from tests.browser.complaints import watch

CHROMIUM = ("chromium", "chromium-browser")
QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # Whatever a page asks for, no test speaks to another host.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
)
MINGZHANG = str(Path(sys.executable).with_name("mingzhang"))
LOOPBACK_URL = re.compile(r"http://127\.0\.0\.1:\d+")
SECONDS_TO_START = 60
SECONDS_TO_STOP = 30
DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of a server with an empty ledger, started by the command people use."""
    folder = tmp_path_factory.mktemp("server")
    with serving(folder, "sqlite:///ledger.sqlite") as url:
        yield url


@pytest.fixture(scope="session")
def demonstration_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the demonstration, loaded once by the command people use; tests copy it and leave it as it is."""
    folder = tmp_path_factory.mktemp("demonstration")
    subprocess.run([MINGZHANG, "demo", "--once"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return folder


@pytest.fixture(scope="module")
def demonstration(demonstration_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of a server with the demonstration: one for each module of tests, which may record in it."""
    folder = tmp_path_factory.mktemp("demonstrated")
    shutil.copytree(demonstration_folder / "data", folder / "data")
    with serving(folder, f"sqlite:///{folder / 'data' / 'demonstration.db'}") as url:
        yield url


@contextmanager
def serving(folder: Path, database_url: str) -> Iterator[str]:
    """A server over that database, with the demonstration's keys and evidence where there are any."""
    output = folder / "output.txt"
    environment = os.environ | {
        "MINGZHANG_DATABASE_URL": database_url,
        "MINGZHANG_KEY_FOLDER": "data/demonstration.keys",
        "MINGZHANG_EVIDENCE_FOLDER": "data/demonstration.evidence",
    }
    with output.open("wb") as sink:
        process = subprocess.Popen(
            [MINGZHANG, "serve", "--port", "0"], cwd=folder, env=environment, stdout=sink, stderr=subprocess.STDOUT
        )
    try:
        # Browsers keep the session's cookie over plain HTTP for this name only.
        yield announced_url(process, output).replace("127.0.0.1", "localhost")
    finally:
        process.terminate()
        process.wait(SECONDS_TO_STOP)


def announced_url(process: subprocess.Popen[bytes], output: Path) -> str:
    """The address that the server prints once it listens; fails with its output when it does not."""
    deadline = time.monotonic() + SECONDS_TO_START
    while process.poll() is None and time.monotonic() < deadline:
        if announced := LOOPBACK_URL.search(output.read_text(encoding="utf-8")):
            return announced.group()
        time.sleep(0.05)
    pytest.fail(f"the server did not say where it listens; its output:\n{output.read_text(encoding='utf-8')}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a window, in Chinese."""
    with sync_playwright() as playwright:
        browser = chromium(playwright)
        yield browser
        browser.close()


def chromium(playwright: Playwright) -> Browser:
    """Start Debian's Chromium; fails where it is missing."""
    executable = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if executable is None:
        pytest.fail(
            "Chromium is missing. `./run test` installs it on Debian when it runs as root; elsewhere: "
            "apt-get install chromium chromium-l10n fonts-noto-cjk"
        )
    # Date and file inputs follow the browser's own language, which only the environment sets.
    return playwright.chromium.launch(executable_path=executable, args=QUIET, env={**os.environ, "LANGUAGE": "zh_CN"})


@pytest.fixture
def page(browser: Browser, server: str) -> Iterator[Page]:
    """A fresh page whose addresses are relative to the server."""
    context = browser.new_context(base_url=server, locale="zh-CN", timezone_id="Asia/Shanghai")
    complaints = watch(context, server)
    yield context.new_page()
    context.close()
    assert complaints == []


SignIn = Callable[..., Page]


@pytest.fixture(scope="module")
def sessions() -> dict[str, StorageState]:
    """The sessions of the demonstration's accounts that have signed in."""
    return {}


@pytest.fixture
def sign_in(browser: Browser, demonstration: str, sessions: dict[str, StorageState]) -> Iterator[SignIn]:
    """Opens a page of the demonstration as one of its accounts: `sign_in("登记员")`; `phone=True` on a small screen."""
    contexts = []

    def page_of(name: str, *, phone: bool = False) -> Page:
        size = PHONE if phone else DESKTOP
        context = browser.new_context(
            base_url=demonstration,
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            viewport=size,
            storage_state=sessions.get(name),
        )
        contexts.append((context, watch(context, demonstration)))
        page = context.new_page()
        if name not in sessions:
            page.goto("/sign-in")
            page.get_by_label("用户名").fill(name)
            page.get_by_label("口令").fill(PASSWORD)
            page.get_by_role("button", name="登录").click()
            page.wait_for_url(lambda url: "/sign" not in url)
            sessions[name] = context.storage_state()
        return page

    yield page_of
    complaints = [complaint for _, said in contexts for complaint in said]
    for context, _ in contexts:
        context.close()
    assert complaints == []
