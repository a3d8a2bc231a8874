from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from datetime import date

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import Engine
from starlette.testclient import TestClient

from api.access.principals import Grant
from api.notices.targets import Targets
from api.pages.calendar import months_of, sort_of
from api.pages.system import shown_settings
from api.settings import Settings
from schemes.working_days import KNOWN_YEARS
from tests.api.accounts import bearer, token_of
from tests.api.county import Clock, County

PASSWORD = "correct horse battery staple"  # noqa: S105  # of this test alone


@pytest.fixture
def administrator(application: FastAPI, engine: Engine, clock: Clock) -> Iterator[TestClient]:
    token = token_of(engine, clock, "管理员", [Grant("administrator")])
    with TestClient(application, headers=bearer(token), follow_redirects=False) as client:
        yield client


def one_time_password(text: str) -> str:
    found = re.search(r'aria-label="一次性口令">([^<]+)<', text)
    assert found
    return found[1]


def created(administrator: TestClient, name: str, **fields: str) -> str:
    answer = administrator.post("/system/accounts", data={"name": name, **fields})
    assert answer.status_code == 200, answer.text
    return one_time_password(answer.text)


def signed_in(browser: TestClient, name: str, password: str) -> bool:
    answer = browser.post("/sign-in", data={"name": name, "password": password})
    return answer.status_code == 303


def test_an_account_is_made_with_a_password_that_is_shown_once(administrator: TestClient, visitor: TestClient) -> None:
    answer = administrator.post(
        "/system/accounts", data={"name": "张三", "role": "unit", "jurisdiction": "360982", "unit": "福城街道"}
    )
    password = one_time_password(answer.text)

    assert answer.headers["cache-control"] == "no-store"
    for page in ("/system/accounts", "/system/accounts/张三"):
        shown = administrator.get(page).text
        assert "被考核单位" in shown
        assert "福城街道" in shown
        assert password not in shown
    assert signed_in(visitor, "张三", password)


def test_what_is_refused_of_an_account_is_told_and_what_was_typed_is_kept(administrator: TestClient) -> None:
    typed = {"name": "李四", "role": "recorder", "unit": "<福城街道>"}
    refused = administrator.post("/system/accounts", data=typed)

    assert refused.status_code == 422
    assert "除系统管理员外都要选地区" in refused.text
    assert 'value="李四"' in refused.text
    assert 'value="&lt;福城街道&gt;"' in refused.text
    assert administrator.get("/system/accounts/李四").status_code == 404


def test_roles_are_given_and_taken_back(administrator: TestClient) -> None:
    created(administrator, "张三")
    role = {"role": "recorder", "jurisdiction": "360982"}

    assert administrator.post("/system/accounts/张三/grants", data=role).status_code == 303
    assert "登记员" in administrator.get("/system/accounts").text
    assert administrator.post("/system/accounts/张三/revoke", data=role).status_code == 303
    again = administrator.post("/system/accounts/张三/revoke", data=role)
    assert again.status_code == 409
    assert "没有这项角色" in again.text


def test_nobody_grants_to_themselves_and_the_last_administrator_stays(administrator: TestClient) -> None:
    own = administrator.post("/system/accounts/管理员/grants", data={"role": "auditor", "jurisdiction": "360982"})
    assert own.status_code == 403
    assert "不能给自己授予" in own.text
    assert administrator.post("/system/accounts/管理员/disable").status_code == 409


def test_a_disabled_account_is_out_until_it_is_enabled_and_a_reset_gives_another_password(
    administrator: TestClient, visitor: TestClient
) -> None:
    password = created(administrator, "张三")
    assert administrator.post("/system/accounts/张三/disable").status_code == 303
    assert "已停用" in administrator.get("/system/accounts/张三").text
    assert not signed_in(visitor, "张三", password)

    assert administrator.post("/system/accounts/张三/enable").status_code == 303
    other = one_time_password(administrator.post("/system/accounts/张三/reset-password").text)
    assert not signed_in(visitor, "张三", password)
    assert signed_in(visitor, "张三", other)
    assert administrator.post("/system/accounts/张三/end-sessions").status_code == 303
    assert visitor.get("/password").status_code == 303


def test_the_access_log_shows_the_newest_first_and_pages_to_the_first(administrator: TestClient) -> None:
    role = {"role": "recorder", "jurisdiction": "360982", "sign_in_by": "external"}
    for number in range(60):
        assert administrator.post("/system/accounts", data={"name": f"账户{number}", **role}).status_code == 200
    first = administrator.get("/system/access-log").text
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older
    second = administrator.get(older[1]).text

    numbers = [int(one) for one in re.findall(r'<td class="number">(\d+)</td>', first + second)]
    assert numbers == list(range(numbers[0], 0, -1))
    assert "授予角色" in first
    assert 'rel="next"' not in second


def test_the_access_log_tells_in_chinese_where_notices_were_told_to_go(
    administrator: TestClient, engine: Engine, clock: Clock
) -> None:
    targets = Targets(engine, clock, secrets.token_bytes)
    targets.set_address("管理员", "office@example.gov.cn")
    targets.remove_address("管理员")
    targets.remove_webhook(targets.add_webhook("360982", "https://example.gov.cn/hook?key=s3cret").id)

    text = administrator.get("/system/access-log").text

    titles = ["移除通知推送", "添加通知推送", "移除通知邮箱", "设置通知邮箱"]
    assert re.findall(r'<td class="nowrap">([^<]*通知[^<]*)</td>', text) == titles
    assert "地址：https://example.gov.cn<" in text
    assert "s3cret" not in text


def test_settings_are_shown_without_passwords_and_secrets() -> None:
    said = dict(
        shown_settings(
            Settings(
                database_url="postgresql://mingzhang:secret-1@db.example.gov.cn/ledger?password=secret-2",
                evidence_endpoint="https://user:secret-3@s3.example.gov.cn",
                oidc_client_secret=SecretStr("secret-4"),
            )
        )
    )

    assert "secret-" not in str(said)
    assert "db.example.gov.cn/ledger" in said["MINGZHANG_DATABASE_URL"]
    assert "已设置" in said["MINGZHANG_OIDC_CLIENT_SECRET"]


def test_the_settings_page_shows_each_ledgers_key_and_head(administrator: TestClient, county: County) -> None:
    county.record()
    shown = administrator.get("/system/settings").text

    assert county.client.get("/api/v1/jurisdictions/360982/verifier-key").text.strip() in shown.replace("&#43;", "+")
    assert f'<td class="number">{county.size()}</td>' in shown


def test_one_reads_ones_own_account_and_a_token_is_shown_once(
    administrator: TestClient, application: FastAPI, visitor: TestClient
) -> None:
    once = created(administrator, "张三", role="recorder", jurisdiction="360982")
    signed_in(visitor, "张三", once)
    visitor.post("/password", data={"old": once, "new": PASSWORD, "repeated": PASSWORD})

    refused = visitor.post("/me/tokens", data={"token_name": "数据大屏", "days": "9999"})
    assert refused.status_code == 422
    assert 'value="数据大屏"' in refused.text
    made = visitor.post("/me/tokens", data={"token_name": "数据大屏", "days": "30"})
    token = re.search(r"mz_([a-z2-9]{12})_[A-Za-z0-9_-]{43}", made.text)
    assert token
    assert made.headers["cache-control"] == "no-store"
    shown = visitor.get("/me").text
    assert "本次登录" in shown
    assert token[1] in shown
    assert token[0] not in shown

    program = TestClient(application, headers=bearer(token[0]), follow_redirects=False)
    assert program.get("/me").status_code == 200
    assert program.post("/me/tokens", data={"token_name": "另一个", "days": "30"}).status_code == 403
    assert visitor.post(f"/me/tokens/{token[1]}/revoke").status_code == 303
    assert program.get("/api/v1/session").status_code == 401


def test_ending_ones_own_sessions_ends_this_one_too(administrator: TestClient, visitor: TestClient) -> None:
    once = created(administrator, "张三", role="recorder", jurisdiction="360982")
    signed_in(visitor, "张三", once)
    visitor.post("/password", data={"old": once, "new": PASSWORD, "repeated": PASSWORD})

    assert visitor.post("/me/end-sessions").headers["location"] == "/sign-in"
    assert visitor.get("/me").status_code == 303


# --- the calendar ----------------------------------------------------------------------------------------------------


def test_a_term_ends_where_the_contract_says(client: TestClient) -> None:
    told = client.get("/system/calendar", params={"year": 2021, "received": "2021-09-13", "days": "20"}).text

    assert "期满日为 <strong>2021-10-15</strong>" in told


def test_rest_days_and_make_up_days_are_told_apart() -> None:
    assert sort_of(date(2021, 10, 1)) == "rest"
    assert sort_of(date(2021, 9, 26)) == "make-up"
    assert sort_of(date(2021, 9, 25)) == "weekend"
    assert sort_of(date(2021, 9, 24)) == "working"


@pytest.mark.parametrize("year", sorted(KNOWN_YEARS))
def test_a_calendar_has_each_day_once_under_its_weekday(year: int) -> None:
    days = [one.day for month in months_of(year) for week in month.weeks for one in week if one is not None]

    assert days == [
        date.fromordinal(at) for at in range(date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal())
    ]
    for month in months_of(year):
        for week in month.weeks:
            assert len(week) == 7
            assert all(one is None or one.day.weekday() == at for at, one in enumerate(week))


def test_a_year_without_a_notice_is_said_to_have_none_and_a_term_into_it_is_not_guessed(client: TestClient) -> None:
    unknown = max(KNOWN_YEARS) + 1
    shown = client.get("/system/calendar", params={"year": unknown}).text
    assert "放假通知尚未公布" in shown
    assert 'class="month"' not in shown

    late = client.get("/system/calendar", params={"received": f"{unknown - 1}-12-31", "days": "20"}).text
    assert "期满日还不能推算" in late


@pytest.mark.parametrize(
    ("received", "days"), [("2021-02-30", "20"), ("2021-02-03", "0"), ("2021-02-03", "x"), ("", "5")]
)
def test_what_is_no_day_or_no_term_is_told(client: TestClient, received: str, days: str) -> None:
    answer = client.get("/system/calendar", params={"received": received, "days": days})

    assert answer.status_code == 422
    assert f'value="{received}"' in answer.text
