"""Derivations over HTTP and by command line: JSON that recomputes, text that lines up, HTML whole and escaped."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from schemes.derivations.recomputing import disagreements
from tests.api.county import OTHER, UNIT, YEAR, County

MISCHIEF = '<script>alert(1)</script> & "引号"'
WHERE = ("--jurisdiction", "360982", "--year", "2021")


class _Tags(HTMLParser):
    """Follows the tags of a fragment: each must be closed where it was opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str | None] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value for name, value in attrs if name == "href"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def _fragment(text: str) -> _Tags:
    tags = _Tags()
    tags.feed(text)
    tags.close()
    assert tags.open == []
    return tags


def _nodes(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield tree
    for child in tree["children"]:
        yield from _nodes(child)


def test_a_derivation_recomputes_and_ends_in_evidence(county: County) -> None:
    observed = county.record()
    derived = county.get(f"{YEAR}/derivations/{UNIT}")
    sheet = county.get(f"{YEAR}/sheets/{UNIT}")
    assert disagreements(derived["tree"]) == []
    shared = set(derived) & set(sheet)
    assert shared >= {"as_of", "known_at", "scheme", "position", "total", "rank", "grade", "group"}
    assert {name: derived[name] for name in shared} == {name: sheet[name] for name in shared}
    [evidence] = [node for node in _nodes(derived["tree"]) if node["operator"] == "evidence"]
    assert evidence["id"] == f"total/base/2.2/rule1/{observed}/entry3/evidence1"
    assert evidence["value"] == "宜府办字〔2021〕20号"


def test_a_derivation_as_of_a_day_and_as_known_at_a_moment(county: County) -> None:
    county.clock.set("2022-01-01T08:00:00+08:00")
    county.record()
    path = f"{YEAR}/derivations/{UNIT}"
    assert county.get(path)["total"] == "99"
    assert county.get(path, as_of="2021-03-28")["total"] == "100"
    assert county.get(path, known_at="2022-01-01T07:59:59+08:00")["total"] == "100"


def test_a_reader_who_has_the_derivation_is_told_so(county: County) -> None:
    for shape in ("json", "html", "text"):
        path = f"{YEAR}/derivations/{UNIT}?format={shape}"
        tag = county.client.get(path).headers["etag"]
        assert county.client.get(path, headers={"If-None-Match": tag}).status_code == 304


def test_text_lines_up_points_and_marks_what_did_not_fire(county: County) -> None:
    county.record(note=MISCHIEF)
    response = county.client.get(f"{YEAR}/derivations/{UNIT}?format=text")
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    heading, standing, empty, *lines = response.text.splitlines()
    assert heading == f"{UNIT}2021年度得分推导"
    assert standing == "截至2021年12月31日，按全部登记，方案zhangshu-2021第1版，账本第3号"
    assert empty == ""
    assert lines[0] == f"       99  {UNIT}得99分，在乡镇街道19个单位中列第19名；有9项待定，总分可能为52分至99分。"
    assert "       -1            2021年3月29日 被通报（设区市级，政务新媒体，季度）1次：扣1分。" in lines
    assert any(re.match(r" +0 +（未生效）没有这样的事实，扣0分", line) for line in lines)
    assert MISCHIEF in response.text
    assert all(re.match(r"[ 0-9.-]{9}  (  )*\S", line) for line in lines)


def test_html_is_whole_and_escaped(county: County) -> None:
    web = [{"title": "<b>网页</b>", "url": "https://example.gov.cn/a?b=1&c=2"}]
    county.record(note=MISCHIEF, evidence=web)
    response = county.client.get(f"{YEAR}/derivations/{UNIT}?format=html")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    tags = _fragment(response.text)
    assert tags.seen == {"section", "h2", "p", "details", "summary", "div", "span", "a"}
    assert tags.attributes == {"class", "data-node", "href", "lang", "open", "rel"}
    assert tags.links == ["https://example.gov.cn/a?b=1&c=2"]
    assert MISCHIEF in tags.text
    assert "《<b>网页</b>》" in tags.text
    assert "未生效" in tags.text
    derived = county.get(f"{YEAR}/derivations/{UNIT}")
    told = {node["id"] for node in _nodes(derived["tree"])}
    assert told == set(re.findall(r'data-node="([^"]+)"', response.text))


def test_a_derivation_under_a_version_that_the_ledger_keeps(county: County) -> None:
    derived = county.get(f"{YEAR}/derivations/{UNIT}", scheme_id="zhangshu-2021", scheme_version="1")
    assert derived["scheme"]["version"] == "1"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"{UNIT}?scheme_id=zhangshu-2021", 422, "scheme-version-incomplete"),
        (f"{UNIT}?scheme_version=1", 422, "scheme-version-incomplete"),
        (f"{UNIT}?scheme_id=zhangshu-2021&scheme_version=9", 422, "unknown-scheme"),
        (f"{UNIT}?format=xml", 422, None),
        ("无此街道", 404, "unknown-unit"),
    ],
)
def test_what_cannot_be_derived_is_refused(county: County, path: str, status: int, code: str | None) -> None:
    response = county.client.get(f"{YEAR}/derivations/{path}")
    assert response.status_code == status
    assert code in (None, response.json()["code"])


def test_a_derivation_by_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINGZHANG_DATABASE_URL", f"sqlite:///{tmp_path}/ledger.db")

    def ran(*words: str) -> tuple[int, str, str]:
        command = [sys.executable, "-c", "from api.command_line import main; main()", *words]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    assert ran("year", "open", "zhangshu-2021")[0] == 0
    status, shown, _ = ran("derive", *WHERE, OTHER)
    assert status == 0
    assert shown.startswith(f"{OTHER}2021年度得分推导\n")
    derived = json.loads(ran("derive", *WHERE, OTHER, "--json", "--row", "2.2")[1])
    assert (derived["tree"]["id"], derived["total"]) == ("total/base/2.2", "100")
    version = ("--scheme-id", "zhangshu-2021", "--scheme-version", "1")
    _fragment(ran("derive", *WHERE, OTHER, "--html", "--as-of", "2021-06-30", *version)[1])
    status, _, told = ran("derive", *WHERE, OTHER, "--row", "9.9")
    assert (status, "[unknown-indicator]" in told) == (2, True)
    status, _, told = ran("derive", *WHERE, OTHER, "--scheme-id", "zhangshu-2021", "--json")
    assert (status, json.loads(told)["errors"][0]["code"]) == (2, "scheme-version-incomplete")
