from __future__ import annotations

import re
import secrets
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine
from starlette.testclient import TestClient

from api.access.access import Access
from api.access.guard import COOKIE
from api.access.principals import Grant
from api.access.tokens import TokenWish
from tests.api.accounts import CHEAP, bearer
from tests.api.county import Clock

PASSWORD = "correct horse battery staple"  # noqa: S105  # of this test alone


@pytest.fixture
def account(engine: Engine, clock: Clock) -> str:
    """The name of an account that signs in with PASSWORD."""
    access = Access(engine, clock, lambda size: b"\1" * size, 12, CHEAP)
    made = access.create_account(None, "张三", [Grant("recorder", "360982")], None, with_password=True)
    access.change_password("张三", made.one_time_password or "", PASSWORD)
    return "张三"


def test_a_page_that_needs_somebody_leads_to_signing_in_and_back(visitor: TestClient, account: str) -> None:
    asked = visitor.get("/password")
    assert asked.headers["location"] == "/sign-in?next=%2Fpassword"

    signed = visitor.post("/sign-in", data={"name": account, "password": PASSWORD, "next": "/password"})
    assert signed.status_code == 303
    went_on = visitor.get(signed.headers["location"])
    assert went_on.headers["location"] == "/password"
    assert visitor.get("/password").status_code == 200


@pytest.mark.parametrize("address", ["https://example.com/", "//example.com", "/\\example.com", "javascript:alert(1)"])
def test_signing_in_never_leads_to_another_site(visitor: TestClient, account: str, address: str) -> None:
    signed = visitor.post("/sign-in", data={"name": account, "password": PASSWORD, "next": address})
    assert signed.headers["location"] == "/signed-in?next=%2F"

    visitor.cookies.clear()
    page = visitor.get(f"/sign-in?next={quote(address, safe='')}")
    assert 'name="next" value="/"' in page.text


def test_a_wrong_password_is_told_in_chinese_and_keeps_the_way_back(visitor: TestClient, account: str) -> None:
    refused = visitor.post("/sign-in", data={"name": account, "password": "wrong", "next": "/password"})

    assert refused.status_code == 401
    assert "用户名或口令不正确" in refused.text
    assert 'name="next" value="/password"' in refused.text
    assert COOKIE not in refused.cookies


def test_what_was_typed_while_the_session_ended_can_be_sent_again_after_signing_in(
    visitor: TestClient, account: str
) -> None:
    typed = {"reason": "a\nb", "note": '"><script>alert(1)</script>'}
    asked = visitor.post("/sign-out", data=typed)
    assert asked.status_code == 401
    assert "刚才填写的内容已保留" in asked.text
    kept = dict(re.findall(r'<textarea name="(kept\.\w+)" hidden aria-hidden="true">\n([^<]*)</textarea>', asked.text))
    assert kept == {"kept.reason": "a\nb", "kept.note": "&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"}

    again = visitor.post(
        "/sign-in",
        data={"name": account, "password": PASSWORD, "next": "/sign-out", "continue": "yes", "kept.reason": "a\nb"},
    )
    assert again.status_code == 200
    assert 'action="/sign-out"' in again.text
    assert '<textarea name="reason" hidden aria-hidden="true">\na\nb</textarea>' in again.text
    assert "<script>alert" not in asked.text


def test_a_browser_that_did_not_keep_the_cookie_is_told_what_to_do(visitor: TestClient) -> None:
    told = visitor.get("/signed-in?next=/password")

    assert told.status_code == 400
    assert "localhost" in told.text


def test_who_comes_from_another_site_is_led_on_from_here(visitor: TestClient) -> None:
    asked = visitor.get("/password", headers={"Sec-Fetch-Site": "cross-site"})

    assert asked.status_code == 200
    assert 'content="0;url=/password"' in asked.text


def test_signing_out_ends_the_session(visitor: TestClient, account: str) -> None:
    visitor.post("/sign-in", data={"name": account, "password": PASSWORD})
    assert visitor.get("/password").status_code == 200

    assert visitor.post("/sign-out").headers["location"] == "/sign-in"
    assert visitor.get("/password").status_code == 303


def test_a_page_that_is_not_there_is_said_in_chinese(client: TestClient) -> None:
    missing = client.get("/no-such-page", headers={"Accept": "text/html"})

    assert missing.status_code == 404
    assert "没有这个页面" in missing.text
    assert client.get("/no-such-page").headers["content-type"] == "application/problem+json"


def test_pages_forbid_scripts_and_styles_of_their_own(visitor: TestClient) -> None:
    policy = visitor.get("/sign-in").headers["content-security-policy"]

    assert "script-src 'self';" in policy
    assert "unsafe" not in policy


def test_passwords_that_were_typed_are_not_kept_in_a_page(visitor: TestClient) -> None:
    asked = visitor.post("/password", data={"old": "my old secret", "new": "my new secret"})

    assert asked.status_code == 401
    assert "secret" not in asked.text


@pytest.mark.parametrize("host", ["127.0.0.1:8700", "[::1]:8700"])
def test_a_loopback_address_by_number_leads_to_the_name_that_browsers_keep_sessions_for(
    application: FastAPI, host: str
) -> None:
    with TestClient(application, base_url=f"http://{host}", follow_redirects=False) as browser:
        led = browser.get("/sign-in?next=%2Fpassword")

    assert led.headers["location"] == "http://localhost:8700/sign-in?next=%2Fpassword"


def test_a_large_file_does_not_cost_the_text_that_came_with_it(visitor: TestClient, account: str) -> None:
    record = "/jurisdictions/360982/years/2021/record"
    asked = visitor.post(record, data={"note": "typed"}, files={"evidence.upload": ("图.png", b"0" * 2_000_000)})
    assert asked.status_code == 401
    assert "刚才填写的内容已保留" in asked.text
    assert '<textarea name="kept.note" hidden aria-hidden="true">\ntyped</textarea>' in asked.text
    assert "附件需重新选择" in asked.text

    kept = {"name": account, "password": PASSWORD, "next": record, "continue": "yes", "kept.note": "字" * 300_000}
    again = visitor.post("/sign-in", data=kept, files={"none": ("", b"")})
    assert again.status_code == 200
    assert "字" * 300_000 in again.text


def test_what_is_too_large_to_be_kept_is_said_to_be_lost(visitor: TestClient) -> None:
    asked = visitor.post("/sign-out", data={"note": "字" * 400_000})

    assert asked.status_code == 401
    assert "未能保留" in asked.text
    assert "已保留" not in asked.text


@pytest.mark.usefixtures("county")
def test_a_token_with_scopes_opens_no_page(engine: Engine, clock: Clock, application: FastAPI) -> None:
    access = Access(engine, clock, secrets.token_bytes, 12, CHEAP)
    access.create_account(None, "程序", [Grant("leader", "360982")], None, with_password=False)
    token = access.create_token(None, "程序", TokenWish(name="t", days=1, scopes=("years.read",))).token
    with TestClient(application, headers=bearer(token), follow_redirects=False) as client:
        assert client.get("/api/v1/jurisdictions/360982/years/2021").status_code == 200
        assert client.get("/jurisdictions/360982/years/2021").status_code == 403


def test_what_is_sent_again_is_told_by_titles_and_labels(visitor: TestClient, account: str) -> None:
    typed = {
        "kept.attribute.level": "municipal",
        "kept.row": "2.2",
        "kept.note": "说明一",
        "kept.evidence.file.5f": "x",
    }
    sign_in = {"name": account, "password": PASSWORD, "next": "/sign-out", "continue": "yes"}
    told = visitor.post("/sign-in", data=sign_in | typed).text

    assert re.findall("<dt>(.*?)</dt><dd>(.*?)</dd>", told) == [
        ("层级", "设区市"),
        ("指标", "2.2"),
        ("说明", "说明一"),
    ]
    assert "附件" not in told


@pytest.mark.usefixtures("county")
def test_a_stream_that_nobody_is_signed_in_for_ends_for_good(visitor: TestClient) -> None:
    asked = visitor.get("/jurisdictions/360982/years/2021/live", headers={"Accept": "text/event-stream"})

    assert asked.status_code == 204
