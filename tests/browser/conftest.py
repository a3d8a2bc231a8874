"""A real browser against a real server; a page that complains or calls another host fails its test."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.complaints import watch

CHROMIUM = ("chromium", "chromium-browser")
QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # Whatever a page asks for, no test speaks to another host.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)
LOOPBACK_URL = re.compile(r"http://127\.0\.0\.1:\d+")
SECONDS_TO_START = 60
SECONDS_TO_STOP = 30


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of a server with an empty ledger, started by the command people use."""
    folder = tmp_path_factory.mktemp("server")
    output = folder / "output.txt"
    environment = os.environ | {"MINGZHANG_DATABASE_URL": f"sqlite:///{folder / 'ledger.sqlite'}"}
    with output.open("wb") as sink:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("mingzhang")), "serve", "--port", "0"],
            cwd=folder,
            env=environment,
            stdout=sink,
            stderr=subprocess.STDOUT,
        )
    try:
        yield announced_url(process, output)
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
    executable = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if executable is None:
        pytest.fail(
            "Chromium is missing. `./run test` installs it on Debian when it runs as root; elsewhere: "
            "apt-get install chromium chromium-l10n fonts-noto-cjk"
        )
    with sync_playwright() as playwright:
        # Date and file inputs follow the browser's own language, which only the environment sets.
        browser = playwright.chromium.launch(
            executable_path=executable, args=QUIET, env={**os.environ, "LANGUAGE": "zh_CN"}
        )
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, server: str) -> Iterator[Page]:
    """A fresh page whose addresses are relative to the server."""
    context = browser.new_context(base_url=server, locale="zh-CN", timezone_id="Asia/Shanghai")
    complaints = watch(context, server)
    yield context.new_page()
    context.close()
    assert complaints == []
