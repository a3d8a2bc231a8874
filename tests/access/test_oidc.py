"""Signing in through an OpenID provider: the real application, real cookies, a provider on loopback."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Event
from time import sleep
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import delete, func, insert, select
from typer.testing import CliRunner

from api.access.oidc import EXPIRY, MOST_AT_ONCE, MOST_BEGUN, open_oidc
from api.access.oidc_provider import registration
from api.access.oidc_tables import oidc_logins
from api.commands.identity import identity
from api.settings import Settings
from ledger.appends import microseconds
from ledger.rejection import Rejection
from schemes.problem import InvalidInput
from tests.access.office import RECORDER, Office
from tests.access.provider import METADATA, SECRET, SUBJECT, ec_key, encoded, rsa_key, says_json
from tests.access.site import (
    CALLBACK,
    LOGIN,
    LOGIN_COOKIE,
    NAME,
    PUBLIC,
    SESSION,
    Site,
    at_provider,
    refusal,
    running_site,
)

SETTINGS = Settings(
    public_url=PUBLIC,
    oidc_issuer="https://id.example.gov.cn/realms/county",
    oidc_client_id="mingzhang",
    oidc_client_secret=SecretStr(SECRET),
)


@pytest.fixture
def site(office: Office, tmp_path: Path) -> Iterator[Site]:
    with running_site(office, tmp_path) as site:
        yield site


@pytest.fixture
def linked(site: Site) -> Site:
    """The site, where the person at the provider has an account."""
    site.identities.link(None, NAME, site.provider.issuer, SUBJECT)
    return site


def test_a_person_who_is_linked_signs_in(linked: Site) -> None:
    for alg, key in (("RS256", rsa_key("first")), ("PS256", rsa_key("first")), ("ES256", ec_key("curve"))):
        linked.provider.alg, linked.provider.key = alg, key
        browser = linked.browser()
        response = browser.sign_in()
        assert (response.status_code, response.headers["location"]) == (303, "/"), response.text
        principal = linked.office.access.authenticate_session(response.cookies[SESSION])
        assert principal is not None
        assert (principal.name, principal.via, principal.grants) == (NAME, "session", (RECORDER,))
        assert LOGIN_COOKIE not in browser.client.cookies


def test_the_cookies_are_for_this_host_over_tls_and_not_for_scripts(linked: Site) -> None:
    browser = linked.browser()
    begun = browser.client.get(LOGIN)
    done = browser.come_back(at_provider(begun.headers["location"]))
    [login] = begun.headers.get_list("set-cookie")
    [*_, session] = done.headers.get_list("set-cookie")
    for cookie, name in ((login, LOGIN_COOKIE), (session, SESSION)):
        assert cookie.startswith(f"{name}=")
        assert {"Path=/", "Secure", "HttpOnly", "SameSite=lax"} <= set(cookie.split("; "))
        assert "domain" not in cookie.lower()
    assert "Max-Age=600" in login
    assert [one.headers["cache-control"] for one in (begun, done)] == ["no-store", "no-store"]


def test_nothing_that_is_secret_goes_through_the_browser(linked: Site) -> None:
    browser = linked.browser()
    address = browser.begin()
    with linked.office.engine.connect() as connection:
        login = connection.execute(select(oidc_logins)).one()
    assert login.nonce in address
    for secret in (login.verifier, SECRET, browser.client.cookies[LOGIN_COOKIE]):
        assert secret not in address
    assert login.state_hash.hex() not in address


def test_a_person_who_is_not_linked_is_told_who_they_are_and_gets_no_account(site: Site) -> None:
    accounts = len(site.office.access.accounts())
    response = site.browser().sign_in()
    assert refusal(response) == (403, "identity-not-linked")
    assert SUBJECT in response.json()["detail"]
    assert (len(site.office.access.accounts()), site.identities.listed()) == (accounts, [])


def test_a_link_lasts_until_it_is_ended_and_so_do_its_sessions(linked: Site) -> None:
    token = linked.browser().sign_in().cookies[SESSION]
    assert linked.office.access.authenticate_session(token)
    ended = linked.identities.unlink(None, linked.provider.issuer, SUBJECT)
    assert ended.unlinked_at is not None
    assert linked.office.access.authenticate_session(token) is None
    assert refusal(linked.browser().sign_in()) == (403, "identity-not-linked")
    linked.office.clock.pass_(minutes=1)
    linked.identities.link(None, NAME, linked.provider.issuer, SUBJECT)
    assert linked.browser().sign_in().status_code == 303
    assert [one.unlinked_at is None for one in linked.identities.listed()] == [False, True]
    actions = ("identity-linked", "identity-unlinked")
    logged = [(one.action, one.subject, one.actor) for one in linked.office.log() if one.action in actions]
    assert logged == [(one, NAME, "command-line") for one in (*actions, "identity-linked")]


def test_the_same_subject_of_another_issuer_is_somebody_else(site: Site) -> None:
    site.identities.link(None, NAME, "https://other.example.gov.cn", SUBJECT)
    assert refusal(site.browser().sign_in()) == (403, "identity-not-linked")


def test_a_disabled_account_is_not_signed_in_to(linked: Site) -> None:
    linked.office.access.disable(None, NAME)
    assert refusal(linked.browser().sign_in()) == (403, "sign-in-refused")
    linked.office.access.enable(None, NAME)
    assert linked.browser().sign_in().status_code == 303


def test_a_link_that_cannot_be_is_refused(site: Site) -> None:
    issuer = "https://id.example.gov.cn"
    site.identities.link(None, NAME, issuer, SUBJECT)
    for name, of, subject, code in (
        ("李四", issuer, "li.si", "unknown-account"),
        (NAME, issuer, SUBJECT, "identity-linked"),
        (NAME, "ftp://id.example.gov.cn", "li.si", "issuer-form"),
        (NAME, issuer, "li\u202esi", "subject-form"),
        (NAME, issuer, "", "subject-form"),
        (NAME, issuer, "l" * 256, "subject-form"),
    ):
        with pytest.raises(Rejection) as error:
            site.identities.link(None, name, of, subject)
        assert [one.code for one in error.value.refusals] == [code]
    assert [one.subject for one in site.identities.listed()] == [SUBJECT]


def test_a_new_key_is_fetched_once_a_minute_at_most(linked: Site) -> None:
    provider, clock = linked.provider, linked.office.clock
    assert linked.browser().sign_in().status_code == 303
    provider.published, provider.key = [rsa_key("second")], rsa_key("second")
    clock.pass_(seconds=59)
    assert refusal(linked.browser().sign_in()) == (403, "oidc-token-refused")
    assert provider.fetched("/keys") == 1
    clock.pass_(seconds=1)
    assert linked.browser().sign_in().status_code == 303
    assert provider.fetched("/keys") == 2
    provider.key = rsa_key("attacker")
    for _ in range(3):
        assert refusal(linked.browser().sign_in()) == (403, "oidc-token-refused")
    assert provider.fetched("/keys") == 2
    assert provider.fetched(METADATA) == 1


def test_a_key_that_is_withdrawn_is_good_for_ten_minutes_more(linked: Site) -> None:
    provider = linked.provider
    assert linked.browser().sign_in().status_code == 303
    provider.published = [rsa_key("second")]
    linked.office.clock.pass_(minutes=10)
    assert refusal(linked.browser().sign_in()) == (403, "oidc-token-refused")


def test_a_sign_in_is_finished_once(linked: Site) -> None:
    browser = linked.browser()
    back = at_provider(browser.begin())
    secret = browser.client.cookies[LOGIN_COOKIE]
    assert browser.come_back(back).status_code == 303
    browser.client.cookies.set(LOGIN_COOKIE, secret)
    assert refusal(browser.come_back(back)) == (403, "oidc-state")


def test_a_sign_in_is_finished_once_however_many_try_at_the_same_time(linked: Site) -> None:
    browser = linked.browser()
    back = at_provider(browser.begin())
    secret = browser.client.cookies[LOGIN_COOKIE]

    def finish(_: int) -> int:
        again = linked.browser()
        again.client.cookies.set(LOGIN_COOKIE, secret)
        return again.come_back(back).status_code

    with ThreadPoolExecutor(MOST_AT_ONCE) as pool:
        assert sorted(pool.map(finish, range(MOST_AT_ONCE))) == [303] + [403] * (MOST_AT_ONCE - 1)


def test_a_sign_in_is_used_up_even_if_it_fails(linked: Site) -> None:
    browser = linked.browser()
    back = at_provider(browser.begin())
    assert refusal(browser.come_back(back, "&error=access_denied")) == (403, "oidc-sign-in-refused")
    assert refusal(browser.come_back(back)) == (403, "oidc-state")


def test_a_sign_in_of_another_browser_is_not_taken_over(linked: Site) -> None:
    attacker, victim = linked.browser(), linked.browser()
    back = at_provider(attacker.begin())
    assert refusal(victim.come_back(back)) == (403, "oidc-browser")
    victim.begin()
    assert refusal(victim.come_back(back)) == (403, "oidc-browser")
    # What the victim's browser was made to ask did not use up the sign-in of the one who began it.
    assert attacker.come_back(back).status_code == 303


def test_a_state_that_was_not_begun_here_is_refused(linked: Site) -> None:
    browser = linked.browser()
    back = at_provider(browser.begin())
    secret = browser.client.cookies[LOGIN_COOKIE]
    for strange in ("0" * 64, "", "明账", "a" * 4096):
        address = f"{PUBLIC}{CALLBACK}?code=x&state={strange}"
        assert refusal(browser.client.get(address)) == (403, "oidc-browser")
    with linked.office.engine.begin() as connection:
        connection.execute(delete(oidc_logins))
    assert secret
    assert refusal(browser.come_back(back)) == (403, "oidc-state")


def test_a_sign_in_takes_less_than_ten_minutes(linked: Site) -> None:
    begun = [linked.browser() for _ in range(2)]
    addresses = [at_provider(browser.begin()) for browser in begun]
    linked.office.clock.moment += EXPIRY - timedelta(seconds=1)
    assert begun[0].come_back(addresses[0]).status_code == 303
    linked.office.clock.pass_(seconds=1)
    assert refusal(begun[1].come_back(addresses[1])) == (403, "oidc-state")


def test_another_verifier_gets_nothing_for_the_code(linked: Site) -> None:
    browser = linked.browser()
    back = at_provider(browser.begin())
    [grant] = linked.provider.grants.values()
    grant.challenge = encoded(b"of somebody else's verifier")
    response = browser.come_back(back)
    assert refusal(response) == (403, "oidc-code-refused")
    assert "invalid_grant" in response.text
    assert "<script>" not in response.text


def test_a_code_of_another_sign_in_is_of_another_nonce_and_verifier(linked: Site) -> None:
    attacker, victim = linked.browser(), linked.browser()
    stolen = at_provider(attacker.begin()).partition("code=")[2].partition("&")[0]
    own = at_provider(victim.begin())
    code = own.partition("code=")[2].partition("&")[0]
    assert refusal(victim.come_back(own.replace(code, stolen))) == (403, "oidc-code-refused")


def test_an_error_of_the_provider_is_told_and_not_repeated_blindly(linked: Site) -> None:
    for error in ("access_denied", "login_required", "<script>alert(1)</script>", "明账", ""):
        browser = linked.browser()
        state = at_provider(browser.begin()).partition("state=")[2]
        said = {"state": state, "error": error, "error_description": "<b>no</b>", "error_uri": "https://example.com"}
        response = browser.client.get(CALLBACK, params=said)
        assert refusal(response) == (403, "oidc-sign-in-refused")
        told = error if error in ("access_denied", "login_required") else "without a plain reason"
        assert response.json()["detail"].endswith(told)
        assert "<" not in response.text


def test_what_providers_send_along_is_passed_over(linked: Site) -> None:
    along = "&session_state=abc.def&scope=openid%20email&authuser=0&hd=example.com&prompt=none"
    assert linked.browser().sign_in(along).status_code == 303


def test_an_answer_of_another_issuer_is_refused(linked: Site) -> None:
    provider, clock = linked.provider, linked.office.clock
    assert linked.browser().sign_in(f"&iss={provider.issuer}").status_code == 303
    other = linked.browser().sign_in("&iss=https://other.example.gov.cn")
    provider.metadata["authorization_response_iss_parameter_supported"] = True
    clock.pass_(minutes=10)
    missing = linked.browser().sign_in()
    assert [refusal(one) for one in (other, missing)] == [(403, "oidc-answer")] * 2
    assert linked.browser().sign_in(f"&iss={provider.issuer}").status_code == 303


def test_an_answer_without_code_and_error_is_refused(linked: Site) -> None:
    browser = linked.browser()
    state = at_provider(browser.begin()).partition("state=")[2]
    assert refusal(browser.client.get(CALLBACK, params={"state": state})) == (403, "oidc-answer")


def test_nobody_chooses_where_a_sign_in_leads(linked: Site) -> None:
    for address in (f"{LOGIN}?next=https://example.com", f"{CALLBACK}?state=x&code=x&redirect=//example.com"):
        assert refusal(linked.browser().client.get(address)) == (422, "parameter-unknown")


def test_parameters_that_cannot_be_are_refused(linked: Site) -> None:
    client = linked.browser().client
    for query in ("code=x", "state=x&code=", "state=x&code=%E6%98%8E", "state=x&code=%00", f"state={'x' * 5000}"):
        assert client.get(f"{CALLBACK}?{query}").status_code == 422


def test_a_provider_that_is_down_is_a_bad_gateway(linked: Site) -> None:
    gone = linked.settings.model_copy(update={"oidc_issuer": "http://127.0.0.1:9"})
    office = linked.office
    linked.app.state.oidc = open_oidc(office.engine, office.clock, secrets.token_bytes, office.access, gone)
    assert refusal(linked.browser().client.get(LOGIN)) == (502, "oidc-provider-failed")


def test_a_slow_provider_keeps_few_waiting_and_tells_the_others(linked: Site) -> None:
    asked, go_on = Event(), Event()

    def waits(handler: Any) -> None:
        asked.set()
        go_on.wait(10)
        says_json({})(handler)

    browsers = [linked.browser() for _ in range(MOST_AT_ONCE)]
    backs = [at_provider(browser.begin()) for browser in browsers]
    linked.provider.answers["/token"] = waits
    with ThreadPoolExecutor(MOST_AT_ONCE) as pool:
        waiting = [pool.submit(browser.come_back, back) for browser, back in zip(browsers, backs, strict=True)]
        while linked.provider.fetched("/token") < MOST_AT_ONCE:
            sleep(0.01)
        assert refusal(linked.browser().client.get(LOGIN)) == (503, "oidc-busy")
        go_on.set()
        assert {one.result().status_code for one in waiting} == {502}
    assert linked.browser().client.get(LOGIN).status_code == 303


def test_only_so_many_sign_ins_may_be_begun_and_old_ones_make_place(linked: Site) -> None:
    started_at = microseconds(linked.office.clock())
    rows = [
        {"state_hash": number.to_bytes(32, "big"), "nonce": "", "verifier": "", "started_at": started_at}
        for number in range(MOST_BEGUN)
    ]
    with linked.office.engine.begin() as connection:
        connection.execute(insert(oidc_logins), rows)
    assert refusal(linked.browser().client.get(LOGIN)) == (503, "oidc-busy")
    linked.office.clock.moment += EXPIRY + timedelta(seconds=1)
    linked.browser().begin()
    with linked.office.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(oidc_logins)) == 1


def test_one_address_may_not_begin_without_end(linked: Site) -> None:
    client = linked.browser().client
    statuses = [client.get(LOGIN).status_code for _ in range(25)]
    assert statuses == sorted(statuses)
    assert set(statuses) == {303, 429}


def test_people_are_told_whether_there_is_a_provider(site: Site) -> None:
    client = site.browser().client
    assert client.get("/api/v1/oidc").json() == {"configured": True, "title": "县政务统一认证"}
    site.app.state.oidc = None
    assert client.get("/api/v1/oidc").json() == {"configured": False, "title": None}
    for address in (LOGIN, f"{CALLBACK}?state=x&code=x"):
        assert refusal(client.get(address)) == (404, "oidc-not-configured")


@pytest.mark.parametrize(
    "issuer",
    [
        "http://id.example.gov.cn",
        "https://id.example.gov.cn?x=1",
        "https://id.example.gov.cn/#x",
        "https://user@id.example.gov.cn",
        "https://id.example.gov.cn\\@example.com",
        "http://127.0.0.1.example.com",
        "http://169.254.169.254",
        "file:///etc/passwd",
        "id.example.gov.cn",
        "",
    ],
)
def test_an_issuer_that_is_not_safe_is_refused(issuer: str) -> None:
    assert registration(SETTINGS) is not None
    with pytest.raises(InvalidInput, match="oidc_issuer"):
        registration(SETTINGS.model_copy(update={"oidc_issuer": issuer}))


@pytest.mark.parametrize(
    "without",
    [{"oidc_client_id": None}, {"public_url": None}, {"oidc_client_secret": SecretStr("密")}],
    ids=lambda one: next(iter(one)),
)
def test_settings_that_are_incomplete_are_refused(without: dict[str, object]) -> None:
    with pytest.raises(InvalidInput, match=next(iter(without))):
        registration(SETTINGS.model_copy(update=without))


def test_without_an_issuer_there_is_no_provider() -> None:
    assert registration(Settings()) is None


def test_the_client_secret_is_in_no_text() -> None:
    found = registration(SETTINGS)
    assert found is not None
    assert found.client_secret == SECRET
    assert SECRET not in repr(found) + str(found) + repr(SETTINGS)


def test_links_by_command_line(office: Office) -> None:
    office.access.create_account(None, NAME, with_password=False)
    where = ["--database", office.engine.url.render_as_string(hide_password=False)]
    issuer = ["--issuer", "https://id.example.gov.cn"]

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(identity, [*words, *where])
        return done.exit_code, done.stderr or done.stdout

    status, said = run("link", NAME, "--subject", SUBJECT, *issuer, "--json")
    [made] = json.loads(said)
    assert (status, made["account"], made["subject"], made["unlinked_at"]) == (0, NAME, SUBJECT, None)
    assert json.loads(run("list", "--json")[1]) == [made]
    assert NAME in run("list")[1]
    assert run("link", NAME, "--subject", SUBJECT, *issuer)[0] == 2
    assert "[issuer-missing]" in run("unlink", "--subject", SUBJECT)[1]
    assert run("unlink", "--subject", SUBJECT, *issuer)[0] == 0
    assert "[identity-not-linked]" in run("unlink", "--subject", SUBJECT, *issuer)[1]
