"""What an account that speaks for one unit learns of others: no name, no figure, no paper; and when of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine
from starlette.testclient import TestClient

from api.access.principals import Grant
from projections.scheme_files import load, shipped
from schemes.scheme import Scheme
from tests.api.accounts import bearer, token_of
from tests.api.county import HERE, OTHER, UNIT, YEAR, Clock, County

UNKNOWN = "5f" * 32
NOBODY = "00000000-0000-4000-8000-000000000000"
PAPERS = [{"title": "大桥街道检查记录", "document": "1号"}]
NAMES = {"changshu-2020": "市教育局", "langxi-2019": "建平镇", "linyi-2023": "发改局"}


@pytest.fixture
def speaker(county: County, application: FastAPI, engine: Engine) -> Iterator[TestClient]:
    yield from speaking_for(UNIT, "360982", application, engine, county.clock)


@pytest.fixture
def other_speaker(county: County, application: FastAPI, engine: Engine) -> Iterator[TestClient]:
    yield from speaking_for(OTHER, "360982", application, engine, county.clock)


def speaking_for(unit: str, code: str, application: FastAPI, engine: Engine, clock: Clock) -> Iterator[TestClient]:
    token = token_of(engine, clock, f"{unit}联络员", [Grant("unit", code, unit)])
    with TestClient(application, headers=bearer(token), follow_redirects=False) as client:
        yield client


def read(client: TestClient, path: str, **parameters: str) -> Any:
    response = client.get(path, params=parameters)
    assert response.status_code == 200, response.text
    return response.json()


def sent(client: TestClient, path: str, body: object, key: str = "key") -> tuple[int, Any]:
    response = client.post(path, json=body, headers={"Idempotency-Key": key})
    return response.status_code, response.json()


def released(county: County, as_of: str = "2021-12-31") -> None:
    assert county.post(f"{YEAR}/release", {"as_of": as_of, "reason": "反馈结果"}).status_code == 201


def judgement(value: str, day: str = "2021-05-01", unit: str = UNIT) -> dict[str, Any]:
    return {
        "unit": unit,
        "kind": "judgement",
        "occurred_on": day,
        "attributes": {"indicator": "1.2", "value": value},
    }


# --- scores: nothing of others in any answer ------------------------------------------------------------------------


@dataclass
class Year:
    """A county's year of one scheme in which every unit has a total of its own."""

    client: TestClient
    scheme: Scheme

    @property
    def here(self) -> str:
        return f"/api/v1/jurisdictions/{self.scheme.jurisdiction.code}"

    @property
    def path(self) -> str:
        return f"{self.here}/years/{self.scheme.year}"

    @property
    def units(self) -> list[str]:
        return [unit for group in self.scheme.groups for unit in group.units]

    def facts(self) -> Iterator[dict[str, Any]]:
        """Judgements, metrics, counts and ratings, no two units alike."""
        year, units = self.scheme.year, self.units
        for group in self.scheme.groups:
            row = next((row for row in group.indicators if row.judged), None)
            for unit in group.units if row else ():
                points = plain_points(units.index(unit))
                yield fact(unit, "judgement", f"{year}-05-01", indicator=row.id if row else "", value=points)
        for at, unit in enumerate(units):
            if self.scheme.id in ("changshu-2020", "yanjiang-2021"):
                name = "website_support_score" if self.scheme.id == "changshu-2020" else "mailbox_satisfaction"
                yield fact(unit, "metric", f"{year}-05-02", name=name, value=str(Decimal("61.03") + at * 2))
                yield fact(unit, "adoption", f"{year}-05-03", level="municipal") | {"count": at + 1}
            if self.scheme.id == "langxi-2019":
                rater = self.scheme.groups[1 if at < len(self.scheme.groups[0].units) else 0].units[at % 9]
                for rated in (unit, units[0]) if rater in self.scheme.groups[1].units else (unit,):
                    yield fact(rated, "rating", "2020-01-10", rater=rater, value=str(Decimal("40.13") + at))

    def open(self) -> None:
        headers = {"Idempotency-Key": "open"}
        assert self.client.post(f"{self.here}/years", json={"scheme": self.scheme.id}, headers=headers).is_success
        body = {"observations": [*self.facts()]}
        answer = self.client.post(f"{self.path}/observations/batch", json=body, headers={"Idempotency-Key": "facts"})
        assert answer.is_success, answer.text
        release = {"as_of": self.scheme.period.last.isoformat(), "reason": "反馈"}
        assert self.client.post(f"{self.path}/release", json=release, headers={"Idempotency-Key": "release"}).is_success


def plain_points(at: int) -> str:
    return str(Decimal("0.17") + Decimal("0.013") * at)


def fact(unit: str, kind: str, day: str, **attributes: Any) -> dict[str, Any]:
    document = [{"title": "测评报告", "document": "府办〔2021〕1号"}]
    return {"unit": unit, "kind": kind, "occurred_on": day, "attributes": attributes, "evidence": document}


def answers_to(unit: str, year: Year, client: TestClient) -> Iterator[tuple[str, str]]:
    """Every answer that an account of the unit gets, by its address."""
    yours = [f"{year.path}/{kind}/{unit}" for kind in ("sheets", "history", "derivations", "what-if")]
    yours += [f"{year.path}/derivations/{unit}?format={shape}" for shape in ("text", "html")]
    yours += [f"{year.path}/{items}" for items in ("observations", "appeals", "claims")]
    listed = read(client, f"{year.path}/observations")["observations"]
    yours += [f"{year.here}/observations/{one['observation']}" for one in listed]
    for path in yours:
        response = client.get(path)
        assert response.status_code == 200, response.text
        yield path, response.text


@pytest.mark.parametrize("identifier", shipped())
def test_no_answer_to_a_unit_holds_anothers_name_or_total(
    client: TestClient, application: FastAPI, engine: Engine, clock: Clock, identifier: str
) -> None:
    year = Year(client, load(identifier))
    year.open()
    unit = NAMES.get(identifier, year.units[0])
    places = [place for group in read(client, f"{year.path}/ranking")["groups"] for place in group["places"]]
    totals = {place["unit"]: place["total"] for place in places}
    own = totals.pop(unit)
    judged = {fact["unit"] for fact in year.facts() if fact["kind"] == "judgement"}
    telling = {name: total for name, total in totals.items() if name in judged}
    assert own not in telling.values()
    assert len(set(telling.values())) == len(telling) >= 14
    whole = client.get(f"{year.path}/derivations/{unit}").text
    group = next(group for group in year.scheme.groups if unit in group.units)
    assert all(name in whole for name in group.units)

    [speaker] = [*speaking(unit, year, application, engine, clock)]
    with speaker:
        for path, text in answers_to(unit, year, speaker):
            said = text.replace(unit, "")
            assert [name for name in totals if name in said] == [], path
            numbers = set(re.findall(r"\d+\.\d+", text))
            assert numbers & set(telling.values()) == set(), path


def speaking(unit: str, year: Year, application: FastAPI, engine: Engine, clock: Clock) -> Iterator[TestClient]:
    token = token_of(engine, clock, "联络员", [Grant("unit", year.scheme.jurisdiction.code, unit)])
    yield TestClient(application, headers=bearer(token), follow_redirects=False)


def nodes(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield tree
    for child in tree["children"]:
        yield from nodes(child)


def test_what_is_left_of_a_comparison_still_explains_the_score(
    client: TestClient, application: FastAPI, engine: Engine, clock: Clock
) -> None:
    year = Year(client, load("changshu-2020"))
    year.open()
    [speaker] = [*speaking("市教育局", year, application, engine, clock)]
    with speaker:
        tree = read(speaker, f"{year.path}/derivations/市教育局")["tree"]
    told = {node["operator"]: node for node in nodes(tree)}
    assert told["place"]["inputs"] == {
        "from_bottom": 0,
        "units": 12,
        "unit": "市教育局",
        "order": "highest_first",
        "own": "2",
        "figures": 12,
    }
    assert told["place"]["sentence"].endswith("：本单位2，12个单位有数值，排在前面的有10个。")
    # 61.03 + 2 × (0 + … + 18) / 19 = 79.03.
    assert told["steps_below_mean"]["inputs"] == {
        "unit": "市教育局",
        "step": "0.2",
        "own": "63.03",
        "figures": 19,
        "mean": "79.03",
    }
    assert told["rank"]["inputs"] == {"unit": "市教育局", "own": tree["value"], "figures": 12}


def test_ratings_are_told_together(client: TestClient, application: FastAPI, engine: Engine, clock: Clock) -> None:
    year = Year(client, load("langxi-2019"))
    year.open()
    [speaker] = [*speaking("建平镇", year, application, engine, clock)]
    office = read(client, f"{year.path}/history/建平镇")
    whole = next(
        node
        for node in nodes(read(client, f"{year.path}/derivations/建平镇")["tree"])
        if node["operator"] == "mean_rating"
    )
    rated = [line for line in office["lines"] if line["fact"] and line["fact"]["kind"] == "rating"]
    assert len(rated) == len(whole["children"]) > 2
    with speaker:
        history = read(speaker, f"{year.path}/history/建平镇")
        tree = read(speaker, f"{year.path}/derivations/建平镇")["tree"]
        what_if = read(speaker, f"{year.path}/what-if/建平镇")
        sheet = read(speaker, f"{year.path}/sheets/建平镇")
        listed = read(speaker, f"{year.path}/observations")["observations"]

    [line] = [line for line in history["lines"] if line["fact"] and line["fact"]["kind"] == "rating"]
    assert line["fact"]["attributes"] == {}
    assert line["evidence"] == []
    assert sum(Decimal(one["effective"]) for one in history["lines"]) == Decimal(history["total"])
    assert Decimal(line["effective"]) == sum(Decimal(one["effective"]) for one in rated)
    mean = next(node for node in nodes(tree) if node["operator"] == "mean_rating")
    assert (mean["value"], mean["sentence"], mean["children"]) == (whole["value"], whole["sentence"], [])
    assert {one["reading"]["kind"] for one in what_if["observations"]} == {"judgement"}
    assert {one["rank"] for one in what_if["observations"]} == {None}
    assert sheet["total"] == office["total"]
    ratings = [one for one in listed if one["reading"]["kind"] == "rating"]
    assert len(ratings) == len(rated)
    assert [(one["reading"]["attributes"], one["entries"][0]["evidence"]) for one in ratings] == [({}, [])] * len(rated)


def test_what_if_does_not_measure_others_where_grades_go_by_rank(
    client: TestClient, application: FastAPI, engine: Engine, clock: Clock
) -> None:
    year = Year(client, load("linyi-2023"))
    year.open()
    office = read(client, f"{year.path}/what-if/发改局")
    [speaker] = [*speaking("发改局", year, application, engine, clock)]
    with speaker:
        found = read(speaker, f"{year.path}/what-if/发改局")
    assert office["next_grade"]["why_none"] != "not_told"
    assert found["next_grade"] | {"sentence": ""} == {
        "observations": [],
        "total": None,
        "grade": None,
        "proved": False,
        "ruled_out": 0,
        "why_none": "not_told",
        "sentence": "",
    }
    [one] = found["observations"]
    [whole] = office["observations"]
    assert (whole["rank"] is None, whole["grade"] is None) == (False, False)
    assert one == whole | {"rank": None, "grade": None, "others": []}


def test_a_unit_sees_its_score_under_the_version_in_force_only(county: County, speaker: TestClient) -> None:
    county.record()
    released(county)
    path = f"{YEAR}/derivations/{UNIT}"
    in_force = county.get(YEAR)["scheme"]
    text = county.client.get("/api/v1/schemes/zhangshu-2021/document").text
    revised = text.replace('\nversion: "1"', '\nversion: "2"', 1)
    adopted = county.post(f"{YEAR}/schemes", {"document": revised, "reason": "修订"})
    assert adopted.status_code == 201, adopted.text

    assert read(speaker, path, scheme_id="zhangshu-2021", scheme_version="1")["scheme"] == in_force
    there, absent = (
        speaker.get(path, params={"scheme_id": "zhangshu-2021", "scheme_version": version}) for version in ("2", "9")
    )
    assert (there.status_code, there.json()["code"]) == (absent.status_code, "unknown-scheme")
    assert there.text.replace("'2'", "…") == absent.text.replace("'9'", "…")
    assert county.get(path, scheme_id="zhangshu-2021", scheme_version="2")["scheme"]["version"] == "2"


# --- scores of one's own, before the release --------------------------------------------------------------------------


def test_points_given_to_a_row_are_not_there_before_their_release(county: County, speaker: TestClient) -> None:
    before = read(speaker, f"{YEAR}/observations")
    circular = county.record()
    judged = county.record(**judgement("3.5"))
    ranked = county.record(kind="ranking", occurred_on="2021-05-01", attributes={"name": "third_party_q1", "rank": 2})
    later = county.record(**judgement("4.5", "2021-09-01"))

    def listed() -> list[str]:
        return [one["observation"] for one in read(speaker, f"{YEAR}/observations")["observations"]]

    assert before["observations"] == []
    assert listed() == [circular]
    assert speaker.get(f"{HERE}/observations/{judged}").status_code == 404
    about_judged, about_none = (
        sent(speaker, f"{YEAR}/appeals", {"unit": UNIT, "observations": [one], "grounds": "应为5分"})
        for one in (judged, NOBODY)
    )
    assert (about_judged[0], about_judged[1]["code"]) == (about_none[0], "unknown-observation")
    released(county, "2021-06-30")
    assert listed() == [circular, judged, ranked]
    tree = speaker.get(f"{YEAR}/derivations/{UNIT}").text
    assert judged in tree
    assert later not in tree
    assert later in county.client.get(f"{YEAR}/derivations/{UNIT}", params={"as_of": "2021-06-30"}).text
    assert later not in speaker.get(f"{YEAR}/what-if/{UNIT}").text
    county.post(
        f"{HERE}/observations/{judged}/amend",
        {"changes": {"attributes": {"indicator": "1.2", "value": "1.5"}}, "reason": "复核", "evidence": []},
    )
    [_, still, _] = read(speaker, f"{YEAR}/observations")["observations"]
    assert (still["version"], still["reading"]["attributes"]["value"]) == (1, "3.5")
    released(county)
    assert listed() == [circular, judged, ranked, later]
    assert read(speaker, f"{HERE}/observations/{judged}")["reading"]["attributes"]["value"] == "1.5"


def test_an_appeal_tells_judgements_with_their_release(
    county: County, speaker: TestClient, application: FastAPI, engine: Engine
) -> None:
    judged = county.record(**judgement("3.5"))
    appeal = {"unit": UNIT, "observations": [judged], "grounds": "应为5分"}
    token = token_of(engine, county.clock, "收件人", [Grant("recorder", "360982")])
    with TestClient(application, headers=bearer(token)) as recorder:
        _, filed = sent(recorder, f"{YEAR}/appeals", appeal)
    one = f"{YEAR}/appeals/{filed['proceeding']['id']}"
    county.post(f"{one}/accept", {})
    order = {"judge": "1.2", "value": "4.5", "occurred_on": "2021-06-01"}
    decided = county.post(f"{one}/decide", {"outcome": "upheld", "reasons": "属实", "orders": [order]})
    assert decided.status_code == 201, decided.text

    told = read(speaker, one)
    assert (told["observations"], [order["after"] for order in told["orders"]]) == ([], [None])
    released(county)
    told = read(speaker, one)
    assert [one["observation"] for one in told["observations"]] == [judged]
    assert told["orders"][0]["after"]["attributes"]["value"] == "4.5"


# --- observations that went from one unit to another ------------------------------------------------------------------


def test_each_side_of_an_amendment_sees_its_own_entries_only(
    county: County, speaker: TestClient, other_speaker: TestClient
) -> None:
    moved = county.record(note="福城街道网站栏目")
    move = {"changes": {"unit": OTHER}, "reason": "应为大桥街道，误记福城街道", "evidence": PAPERS}
    assert county.post(f"{HERE}/observations/{moved}/amend", move).status_code == 201
    rectified = {"on": "2021-04-30", "note": "大桥街道已整改", "evidence": PAPERS}
    assert county.post(f"{HERE}/observations/{moved}/rectify", rectified).status_code == 201
    released(county)

    def said(client: TestClient, own: str, *kinds: str) -> str:
        return "".join(client.get(f"{YEAR}/{kind}").text for kind in kinds).replace(own, "")

    mine = said(speaker, UNIT, "observations", f"history/{UNIT}", f"derivations/{UNIT}", f"sheets/{UNIT}")
    theirs = said(other_speaker, OTHER, "observations", f"history/{OTHER}", f"derivations/{OTHER}", f"sheets/{OTHER}")
    assert OTHER not in mine
    assert "已整改" not in mine
    assert UNIT not in theirs
    assert "网站栏目" not in theirs
    [amendment] = read(speaker, f"{YEAR}/history/{UNIT}")["amendments"]
    assert amendment["before"]["unit"] == UNIT
    assert (amendment["after"], amendment["reason"], amendment["evidence"]) == (None, None, [])
    [amendment] = read(other_speaker, f"{YEAR}/history/{OTHER}")["amendments"]
    assert amendment["after"]["unit"] == OTHER
    assert (amendment["before"], amendment["reason"], amendment["evidence"]) == (None, None, [])
    assert read(speaker, f"{YEAR}/observations")["observations"] == []
    [listed] = read(other_speaker, f"{YEAR}/observations")["observations"]
    assert [entry["entry"] for entry in listed["entries"]] == ["amend", "rectify"]
    [whole] = county.get(f"{YEAR}/history/{UNIT}")["amendments"]
    assert (whole["before"]["unit"], whole["after"]["unit"]) == (UNIT, OTHER)


def test_an_open_appeal_of_another_unit_is_not_named(
    county: County, speaker: TestClient, other_speaker: TestClient
) -> None:
    moved = county.record()
    appeal = {"unit": UNIT, "observations": [moved], "grounds": "未被通报"}
    status, filed = sent(speaker, f"{YEAR}/appeals", appeal)
    assert status == 201, filed
    own = filed["proceeding"]["id"]
    assert own in sent(speaker, f"{YEAR}/appeals", appeal, "again")[1]["detail"]
    amended = county.post(f"{HERE}/observations/{moved}/amend", {"changes": {"unit": OTHER}, "reason": "误记"})
    assert amended.status_code == 201, amended.text

    status, refused = sent(other_speaker, f"{YEAR}/appeals", appeal | {"unit": OTHER})
    assert (status, refused["code"]) == (409, "appeal-open")
    assert own not in str(refused)


def test_a_list_of_appeals_does_not_tell_that_others_recorded_something(county: County, speaker: TestClient) -> None:
    path = f"{YEAR}/appeals"
    sent(speaker, path, {"unit": UNIT, "indicators": ["1.2"], "grounds": "应为5分"})
    first = speaker.get(path)
    county.record(unit=OTHER)
    county.post(path, {"unit": OTHER, "indicators": ["1.2"], "grounds": "应为5分"})
    second = speaker.get(path)
    assert (first.text, first.headers["etag"]) == (second.text, second.headers["etag"])
    assert first.json()["position"] == first.json()["proceedings"][0]["last_position"]
    assert county.get(path)["position"] == county.size()


# --- files ------------------------------------------------------------------------------------------------------------


def stored(client: TestClient, content: bytes) -> str:
    answer = client.post(f"{HERE}/evidence", content=content, headers={"Content-Type": "text/plain"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["file"])


def paper(file: str) -> list[dict[str, str]]:
    return [{"title": "材料", "file": file}]


def test_naming_a_file_of_others_is_naming_none(county: County, speaker: TestClient) -> None:
    office, about, mine = (stored(county.client, b"office"), stored(county.client, b"about"), stored(speaker, b"mine"))
    county.record(evidence=paper(about))
    returned = sent(speaker, f"{YEAR}/claims", {"unit": UNIT, "indicator": "1.2", "grounds": "无此职责"}, "claim")[1]
    claim = returned["proceeding"]["id"]
    county.post(f"{YEAR}/claims/{claim}/return", {"reason": "请补充"})
    wishes: dict[str, dict[str, Any]] = {
        "appeals": {"unit": UNIT, "indicators": ["1.2"], "grounds": "应为5分"},
        "claims": {"unit": UNIT, "indicator": "2.1", "grounds": "无此职责"},
        f"claims/{claim}/complete": {"grounds": "补充"},
    }
    for at, (path, wish) in enumerate(wishes.items()):
        foreign, absent = (
            speaker.post(
                f"{YEAR}/{path}", json=wish | {"evidence": paper(file)}, headers={"Idempotency-Key": f"{path}-{at}"}
            )
            for file in (office, UNKNOWN)
        )
        assert (foreign.status_code, foreign.json()["code"]) == (absent.status_code, "unknown-evidence"), path
        assert foreign.text.replace(office, UNKNOWN) == absent.text
        if path == "appeals":
            said = sent(county.client, f"{YEAR}/{path}", wish | {"evidence": paper(UNKNOWN)})
            assert said == (absent.status_code, absent.json())
        assert speaker.get(f"{HERE}/evidence/{office}").status_code == 404
        seen = paper(mine) + paper(about)
        answer = [sent(speaker, f"{YEAR}/{path}", wish | {"evidence": seen}, f"{at}") for _ in range(2)]
        assert [status for status, _ in answer] == [201, 201], answer


def test_a_file_that_entries_of_others_rest_on_too_is_not_shown(
    county: County, speaker: TestClient, other_speaker: TestClient
) -> None:
    shared, own, mine = (stored(county.client, b"both"), stored(county.client, b"one"), stored(speaker, b"mine"))
    county.record(evidence=paper(shared) + paper(own) + paper(mine))
    county.record(unit=OTHER, evidence=paper(shared) + paper(mine))

    for client, seen in ((speaker, {own: 200, shared: 404, mine: 200}), (other_speaker, {shared: 404, mine: 404})):
        assert {file: client.get(f"{HERE}/evidence/{file}").status_code for file in seen} == seen


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("granted", [UNIT, "福城新街道"])
def test_a_unit_renamed_after_the_release_keeps_what_was_released(
    county: County, application: FastAPI, engine: Engine, clock: Clock, granted: str
) -> None:
    county.record()
    released(county)
    total = county.get(f"{YEAR}/sheets/{UNIT}")["total"]
    renamed = {"name": "福城新街道", "on": "2021-07-01", "reason": "更名"}
    assert county.post(f"{YEAR}/units/{UNIT}/rename", renamed).status_code == 201
    for speaker in speaking_for(granted, "360982", application, engine, clock):
        for name in (UNIT, "福城新街道"):
            assert read(speaker, f"{YEAR}/sheets/{name}")["total"] == total
            assert len(read(speaker, f"{YEAR}/observations", unit=name)["observations"]) == 1
