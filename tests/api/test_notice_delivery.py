"""Notices to a webhook, through a real receiver on loopback, and what goes for every target."""

from __future__ import annotations

import hmac
import json
import logging
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Barrier, Event, Thread
from typing import Any

import pytest
from sqlalchemy import Engine, select, update
from typer.testing import CliRunner

from api.access.access import Access
from api.access.principals import Grant
from api.access.tables import access_log
from api.command_line import app
from api.commands import notice
from api.listening import begin_log
from api.notices import delivering as module
from api.notices.delivering import FIRST_WAIT, LONGEST_WAIT, MOST_TRIES, Deliveries, delivering
from api.notices.tables import notice_deliveries, webhooks
from api.notices.targets import Targets
from api.notices.webhooks import signature
from api.settings import Settings
from ledger.rejection import Rejection
from projections.jurisdictions import Jurisdictions
from tests.api.accounts import CHEAP
from tests.api.county import EVIDENCE, HERE, OTHER, UNIT, YEAR, Clock, County

CODE = "360982"
SECONDS = 20


class Receiver:
    """What was posted, and what is answered: `status` until a test sets another."""

    def __init__(self) -> None:
        self.posts: list[tuple[dict[str, str], bytes]] = []
        self.status = 204
        self.came = Event()
        self.url = ""

    @property
    def bodies(self) -> list[dict[str, str]]:
        return [json.loads(body) for _, body in self.posts]


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the library's own name
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.posts.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(receiver.status)
            self.send_header("Location", receiver.url)
            self.send_header("Content-Length", "0")
            self.end_headers()
            receiver.came.set()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield receiver
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


def later(clock: Clock, **passed: float) -> None:
    clock.set((clock() + timedelta(**passed)).isoformat())


def unit_account(engine: Engine, clock: Clock, name: str, *units: str) -> None:
    access = Access(engine, clock, secrets.token_bytes, 12, CHEAP)
    access.create_account(None, name, [Grant("unit", CODE, unit) for unit in units], None, with_password=False)


# --- webhooks --------------------------------------------------------------------------------------------------------


def test_a_signature_is_that_of_the_published_example() -> None:
    body = b'{"test": 2432232314}'
    found = signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_webhook_gets_what_comes_after_it_signed_in_order_and_once(
    county: County, jurisdictions: Jurisdictions, targets: Targets, settings: Settings, receiver: Receiver
) -> None:
    county.record(occurred_on="2021-01-05")
    later(county.clock, minutes=1)
    hook = targets.add_webhook(CODE, receiver.url)
    later(county.clock, minutes=1)
    observations = [county.record(), county.record(unit=OTHER)]
    county.post(f"{HERE}/observations/{observations[0]}/rectify", {"on": "2021-04-10"})

    deliveries = Deliveries(jurisdictions, settings, county.clock)
    assert deliveries.round().model_dump() == {"delivered": 3, "failed": 0, "given_up": 0, "waiting": 0}
    assert [(one["unit"], one["sentence"].partition("：")[0]) for one in receiver.bodies] == [
        (UNIT, "登记"), (OTHER, "登记"), (UNIT, "整改"),
    ]  # fmt: skip
    pages = [f"/jurisdictions/{CODE}/years/2021/observations/{observations[at]}" for at in (0, 1, 0)]
    assert [one["path"] for one in receiver.bodies] == pages
    assert {frozenset(one) for one in receiver.bodies} == {frozenset({"id", "unit", "sentence", "path"})}

    for headers, body in receiver.posts:
        assert headers["webhook-id"] == json.loads(body)["id"]
        assert headers["webhook-timestamp"] == str(int(county.clock().timestamp()))
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        key = b64decode((hook.secret or "").removeprefix("whsec_"))
        expected = b64encode(hmac.new(key, signed, sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{expected}"

    assert deliveries.round().delivered == 0
    assert Deliveries(jurisdictions, settings, county.clock).round().delivered == 0
    assert len({headers["webhook-id"] for headers, _ in receiver.posts}) == len(receiver.posts) == 3


def test_what_is_not_taken_is_tried_again_under_the_same_id_and_later_notices_wait(
    county: County, jurisdictions: Jurisdictions, targets: Targets, settings: Settings, receiver: Receiver
) -> None:
    targets.add_webhook(CODE, receiver.url)
    county.record()
    county.record(unit=OTHER)
    deliveries = Deliveries(jurisdictions, settings, county.clock)
    receiver.status = 503
    assert deliveries.round().model_dump() == {"delivered": 0, "failed": 1, "given_up": 0, "waiting": 1}
    assert deliveries.round().model_dump() == {"delivered": 0, "failed": 0, "given_up": 0, "waiting": 2}
    assert len(receiver.posts) == 1

    later(county.clock, seconds=FIRST_WAIT.total_seconds())
    assert deliveries.round().failed == 1
    later(county.clock, seconds=FIRST_WAIT.total_seconds())
    assert deliveries.round().failed == 0, "the second wait is twice as long as the first"
    later(county.clock, seconds=FIRST_WAIT.total_seconds())
    receiver.status = 200
    assert Deliveries(jurisdictions, settings, county.clock).round().delivered == 2

    names = [one["unit"] for one in receiver.bodies]
    assert names == [UNIT, UNIT, UNIT, OTHER]
    assert len({one["id"] for one in receiver.bodies[:3]}) == 1


@pytest.mark.parametrize("status", [301, 307, 400, 410, 500])
def test_only_an_answer_of_2xx_is_taking_it(
    county: County, jurisdictions: Jurisdictions, targets: Targets, settings: Settings, receiver: Receiver, status: int
) -> None:
    targets.add_webhook(CODE, receiver.url)
    county.record()
    receiver.status = status
    assert Deliveries(jurisdictions, settings, county.clock).round().failed == 1
    assert len(receiver.posts) == 1, "a redirect is not followed"
    with jurisdictions.engine.connect() as connection:
        assert connection.execute(select(notice_deliveries.c.last_error)).scalar_one() == f"answered {status}"


def test_a_notice_is_given_up_after_many_tries_and_the_next_one_follows(
    county: County, jurisdictions: Jurisdictions, targets: Targets, settings: Settings, receiver: Receiver
) -> None:
    targets.add_webhook(CODE, receiver.url)
    county.record()
    county.record(unit=OTHER)
    deliveries = Deliveries(jurisdictions, settings, county.clock)
    receiver.status = 500
    rounds = []
    for _ in range(MOST_TRIES):
        rounds.append(deliveries.round())
        later(county.clock, seconds=LONGEST_WAIT.total_seconds())
    assert [one.given_up for one in rounds] == [0] * (MOST_TRIES - 1) + [1]
    receiver.status = 204
    assert deliveries.round().model_dump() == {"delivered": 1, "failed": 0, "given_up": 0, "waiting": 0}
    assert [one["unit"] for one in receiver.bodies[-2:]] == [OTHER, OTHER]


def test_a_receiver_that_is_not_there_does_not_hold_up_the_others(
    county: County, jurisdictions: Jurisdictions, targets: Targets, settings: Settings, receiver: Receiver
) -> None:
    with receiving() as gone:
        targets.add_webhook(CODE, gone.url)
    targets.add_webhook(CODE, receiver.url)
    county.record()
    assert Deliveries(jurisdictions, settings, county.clock).round().model_dump() == {
        "delivered": 1, "failed": 1, "given_up": 0, "waiting": 0,
    }  # fmt: skip


@pytest.mark.parametrize("url", ["https://a..b/", f"https://{'a' * 64}.example.com/", "https://[v1.a]/?key=s3cret"])
def test_an_address_that_cannot_be_posted_to_fails_as_any_other_and_the_others_are_served(
    county: County, jurisdictions: Jurisdictions, targets: Targets, settings: Settings, receiver: Receiver, url: str
) -> None:
    # Such an address is refused now; one could have been stated earlier.
    hook = targets.add_webhook(CODE, "https://example.com/")
    with jurisdictions.engine.begin() as connection:
        connection.execute(update(webhooks).where(webhooks.c.id == hook.id).values(url=url))
    targets.add_webhook(CODE, receiver.url)
    county.record()
    assert Deliveries(jurisdictions, settings, county.clock).round().model_dump() == {
        "delivered": 1, "failed": 1, "given_up": 0, "waiting": 0,
    }  # fmt: skip
    with jurisdictions.engine.connect() as connection:
        failed = connection.execute(
            select(notice_deliveries.c.last_error).where(notice_deliveries.c.target == hook.id)
        ).scalar_one()
    assert failed in ("UnicodeError", "InvalidURL")


def test_what_follows_the_host_of_a_webhook_stands_in_no_log(
    county: County,
    jurisdictions: Jurisdictions,
    targets: Targets,
    settings: Settings,
    receiver: Receiver,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for name in ("", "httpx2", "httpcore2"):
        caplog.set_level(logging.INFO, name)
    begin_log()
    targets.add_webhook(CODE, f"{receiver.url}?key=s3cret")
    county.record()
    deliveries = Deliveries(jurisdictions, settings, county.clock)
    receiver.status = 500
    assert deliveries.round().failed == 1
    receiver.status = 204
    later(county.clock, seconds=FIRST_WAIT.total_seconds())
    assert deliveries.round().delivered == 1
    assert "answered 500" in caplog.text
    assert "s3cret" not in caplog.text
    with jurisdictions.engine.connect() as connection:
        said = connection.execute(
            select(access_log.c.detail).where(access_log.c.action == "webhook-added")
        ).scalar_one()
    assert json.loads(said) == {"jurisdiction": CODE, "url": receiver.url.removesuffix("/hook")}


def test_of_several_processes_at_once_one_delivers(
    county: County, jurisdictions: Jurisdictions, targets: Targets, settings: Settings, receiver: Receiver
) -> None:
    targets.add_webhook(CODE, receiver.url)
    for day in range(1, 6):
        county.record(occurred_on=f"2021-03-0{day}")
    together = Barrier(3)

    def deliver() -> None:
        deliveries = Deliveries(jurisdictions, settings, county.clock)
        together.wait(SECONDS)
        for _ in range(10):
            deliveries.round()

    threads = [Thread(target=deliver) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ids = [one["id"] for one in receiver.bodies]
    assert len(ids) == len(set(ids)) == 5


def test_a_release_is_told_to_each_unit_under_an_id_of_its_own_and_without_points(
    county: County, jurisdictions: Jurisdictions, targets: Targets, settings: Settings, receiver: Receiver
) -> None:
    targets.add_webhook(CODE, receiver.url)
    released = county.post(f"{YEAR}/release", {"as_of": "2021-12-31", "reason": "公示"})
    assert released.status_code == 201, released.text
    units = len(county.get(f"{YEAR}/sheets")["sheets"])
    assert Deliveries(jurisdictions, settings, county.clock).round().delivered == units
    assert len({one["id"] for one in receiver.bodies}) == units
    assert len({one["sentence"] for one in receiver.bodies}) == 1
    assert not any("分数" in one["sentence"] or "100" in one["sentence"] for one in receiver.bodies)


def test_the_reason_of_a_return_is_read_on_the_page_only(
    county: County, jurisdictions: Jurisdictions, targets: Targets, settings: Settings, receiver: Receiver
) -> None:
    body = {"unit": UNIT, "observations": [county.record()], "grounds": "不是我单位的账号", "evidence": EVIDENCE}
    appeal = county.post(f"{YEAR}/appeals", body).json()["proceeding"]["id"]
    later(county.clock, minutes=1)
    targets.add_webhook(CODE, receiver.url)
    returned = county.post(f"{YEAR}/appeals/{appeal}/return", {"reason": "请张三补交身份证号"})
    assert returned.status_code == 201, returned.text
    assert Deliveries(jurisdictions, settings, county.clock).round().delivered == 1
    assert [one["sentence"] for one in receiver.bodies] == ["申诉被退回，请补正后再提交"]


def test_what_somebody_wrote_into_an_observation_is_read_on_the_page_only(
    county: County, jurisdictions: Jurisdictions, targets: Targets, settings: Settings, receiver: Receiver
) -> None:
    targets.add_webhook(CODE, receiver.url)
    written = {"subject": "new_media", "period": "quarterly", "level": "municipal", "issue": "张三身份证号泄露"}
    county.record(attributes=written)
    assert Deliveries(jurisdictions, settings, county.clock).round().delivered == 1
    assert [one["sentence"] for one in receiver.bodies] == [
        "登记：2021年3月29日 被通报（设区市级，政务新媒体，季度）1次"
    ]
    page = county.client.get(f"{YEAR.removeprefix('/api/v1')}/notices", params={"unit": UNIT})
    assert "张三身份证号泄露" in page.text


def test_a_webhook_that_is_removed_gets_nothing_more(
    county: County, jurisdictions: Jurisdictions, targets: Targets, settings: Settings, receiver: Receiver
) -> None:
    hook = targets.add_webhook(CODE, receiver.url)
    county.record()
    targets.remove_webhook(hook.id)
    assert Deliveries(jurisdictions, settings, county.clock).round().delivered == 0
    with pytest.raises(Rejection, match="unknown-webhook"):
        targets.remove_webhook(hook.id)


@pytest.mark.parametrize(
    "url",
    ["http://example.com/hook", "ftp://example.com", "https://", "https://a:b@example.com/", "https://example.com/#x",
     "http://localhost.example.com/", "https://[::1", "https://example.com/钩", "https://example.com/\n",
     "https://a..b/", "https://.example.com/", f"https://{'a' * 64}.example.com/", "https://[v1.a]/", "https://1.2.3.999/",
     "https://example.com:65536/"],
)  # fmt: skip
def test_a_webhook_is_https_or_on_this_machine(targets: Targets, url: str) -> None:
    with pytest.raises(Rejection, match="webhook-url"):
        targets.add_webhook(CODE, url)


def test_the_server_delivers_while_it_runs_and_ends_in_order(
    county: County,
    jurisdictions: Jurisdictions,
    targets: Targets,
    settings: Settings,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "SECONDS_BETWEEN", 0.01)
    targets.add_webhook(CODE, receiver.url)
    with delivering(jurisdictions, settings, county.clock):
        county.record()
        assert receiver.came.wait(SECONDS)
    county.record(unit=OTHER)
    assert [one["unit"] for one in receiver.bodies] == [UNIT]


def test_a_webhook_that_is_added_while_the_server_runs_is_delivered_to(
    county: County,
    jurisdictions: Jurisdictions,
    targets: Targets,
    settings: Settings,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "SECONDS_BETWEEN", 0.01)
    with delivering(jurisdictions, settings, county.clock):
        targets.add_webhook(CODE, receiver.url)
        county.record()
        assert receiver.came.wait(SECONDS)


def test_what_nobody_expected_is_logged_and_the_thread_goes_on(
    county: County,
    jurisdictions: Jurisdictions,
    targets: Targets,
    settings: Settings,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(module, "SECONDS_BETWEEN", 0.01)
    hooks = [targets.add_webhook(CODE, f"{receiver.url}/{number}") for number in range(2)]
    damaged = min(hook.id for hook in hooks)
    with jurisdictions.engine.begin() as connection:
        connection.execute(update(webhooks).where(webhooks.c.id == damaged).values(secret="whsec_x"))  # noqa: S106
    county.record()
    with delivering(jurisdictions, settings, county.clock):
        assert receiver.came.wait(SECONDS)
    assert [one.message for one in caplog.records if one.exc_info] == ["a round of notices failed"]


# --- the command line ------------------------------------------------------------------------------------------------


def command(database_url: str, *words: str) -> Any:
    assert notice.notice in [group.typer_instance for group in app.registered_groups]
    done = CliRunner().invoke(app, ["notice", *words, "--database", database_url, "--json"])
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def test_targets_and_a_round_by_command_line(
    database_url: str, engine: Engine, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MINGZHANG_SMTP_HOST", raising=False)
    unit_account(engine, clock, "账户", UNIT)
    [made] = command(database_url, "address", "set", "账户", "a@example.gov.cn")
    assert command(database_url, "address", "list") == [made]
    assert command(database_url, "address", "remove", "账户") == []
    [hook] = command(database_url, "webhook", "add", "https://example.gov.cn/hook", "-j", CODE)
    assert len(b64decode(hook.pop("secret").removeprefix("whsec_"))) == 32
    assert command(database_url, "webhook", "list") == [hook]
    assert command(database_url, "deliver")["delivered"] == 0
    assert command(database_url, "webhook", "remove", hook["id"]) == []
