"""Notices by e-mail, through a real mail server on loopback."""

from __future__ import annotations

import ssl
from asyncio import Server
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from pydantic import SecretStr
from sqlalchemy import Engine, select

from api.notices.delivering import FIRST_WAIT, Deliveries
from api.notices.tables import notice_deliveries
from api.notices.targets import Targets
from api.settings import Settings
from ledger.rejection import Rejection
from projections.jurisdictions import Jurisdictions
from tests.api.county import OTHER, UNIT, Clock, County
from tests.api.test_notice_delivery import CODE, later, unit_account
from tests.api.test_serving import self_signed


class Mailbox:
    """What the mail server took, and what it answers."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], EmailMessage]] = []
        self.answer = "250 OK"

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:  # noqa: N802
        if self.answer.startswith("250"):
            mail = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(mail, EmailMessage)
            self.mails.append((envelope.rcpt_tos, mail))
        return self.answer


class OnAnyPort(Controller):
    """The library connects to the port that it was given once; 0 is any free one."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@contextmanager
def mail_server(**options: Any) -> Iterator[tuple[Mailbox, int]]:
    mailbox = Mailbox()
    controller = OnAnyPort(mailbox, hostname="127.0.0.1", port=0, **options)
    controller.start()
    yield mailbox, controller.port
    controller.stop()


def test_an_account_is_written_to_about_its_own_units_only(
    county: County, jurisdictions: Jurisdictions, targets: Targets, settings: Settings, engine: Engine
) -> None:
    unit_account(engine, county.clock, "福城街道账户", UNIT)
    targets.set_address("福城街道账户", "fucheng@example.gov.cn")
    county.record(unit=OTHER)
    observation = county.record()
    with mail_server() as (mailbox, port):
        there = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_from": "office@example.gov.cn"}
        mailing = settings.model_copy(update={**there, "public_url": "https://mingzhang.example.gov.cn"})
        deliveries = Deliveries(jurisdictions, mailing, county.clock)
        assert deliveries.round().delivered == 1
        assert deliveries.round().delivered == 0
        [(receivers, mail)] = mailbox.mails
        assert receivers == ["fucheng@example.gov.cn"]
        assert (mail["From"], mail["To"]) == ("office@example.gov.cn", "fucheng@example.gov.cn")
        assert mail["Subject"] == f"明账通知：{UNIT}"
        text = mail.get_content()
        assert "登记：2021年3月29日 被通报（设区市级，政务新媒体，季度）1次" in text
        assert f"https://mingzhang.example.gov.cn/jurisdictions/{CODE}/years/2021/observations/{observation}" in text
        assert OTHER not in text

        targets.remove_address("福城街道账户")
        county.record(occurred_on="2021-05-01")
        assert deliveries.round().delivered == 0


def test_a_mail_that_is_not_taken_is_sent_again_under_the_same_message_id(
    county: County, jurisdictions: Jurisdictions, targets: Targets, settings: Settings, engine: Engine
) -> None:
    unit_account(engine, county.clock, "福城街道账户", UNIT)
    targets.set_address("福城街道账户", "fucheng@example.gov.cn")
    county.record()
    with mail_server() as (mailbox, port):
        mailing = settings.model_copy(update={"smtp_host": "127.0.0.1", "smtp_port": port})
        deliveries = Deliveries(jurisdictions, mailing, county.clock)
        mailbox.answer = "451 later"
        assert deliveries.round().failed == 1
        with engine.connect() as connection:
            failed = connection.execute(select(notice_deliveries.c.last_error)).scalar_one()
        assert failed == "127.0.0.1: SMTPDataError"
        later(county.clock, seconds=FIRST_WAIT.total_seconds())
        mailbox.answer = "250 OK"
        assert deliveries.round().delivered == 1
    assert len(mailbox.mails) == 1


@pytest.mark.parametrize(
    "wrong", [{"smtp_host": "a..b"}, {"smtp_user": "账户"}, {"smtp_password": SecretStr("口令")}], ids=str
)
def test_what_the_mail_protocol_cannot_carry_fails_as_any_other(
    county: County,
    jurisdictions: Jurisdictions,
    targets: Targets,
    settings: Settings,
    engine: Engine,
    wrong: dict[str, object],
) -> None:
    unit_account(engine, county.clock, "福城街道账户", UNIT)
    targets.set_address("福城街道账户", "fucheng@example.gov.cn")
    county.record()

    def anybody(*_: object) -> AuthResult:
        return AuthResult(success=True)

    with mail_server(authenticator=anybody, auth_require_tls=False) as (mailbox, port):
        right = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_user": "office", "smtp_password": SecretStr("x")}
        for update_of, expected in ((wrong, 0), ({}, 1)):
            mailing = settings.model_copy(update=right | update_of)
            assert Deliveries(jurisdictions, mailing, county.clock).round().failed == 1 - expected
            assert len(mailbox.mails) == expected
            later(county.clock, seconds=FIRST_WAIT.total_seconds())


def test_a_certificate_that_nobody_vouches_for_is_not_taken(
    county: County, jurisdictions: Jurisdictions, targets: Targets, settings: Settings, engine: Engine, tmp_path: Path
) -> None:
    unit_account(engine, county.clock, "福城街道账户", UNIT)
    targets.set_address("福城街道账户", "fucheng@example.gov.cn")
    county.record()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*self_signed(tmp_path))
    with mail_server(tls_context=context) as (mailbox, port):
        mailing = settings.model_copy(update={"smtp_host": "127.0.0.1", "smtp_port": port})
        assert Deliveries(jurisdictions, mailing, county.clock).round().failed == 1
        assert mailbox.mails == []


def test_without_a_mail_server_nothing_is_put_down_as_tried(
    county: County, jurisdictions: Jurisdictions, targets: Targets, settings: Settings, engine: Engine
) -> None:
    unit_account(engine, county.clock, "福城街道账户", UNIT)
    targets.set_address("福城街道账户", "fucheng@example.gov.cn")
    county.record()
    assert Deliveries(jurisdictions, settings, county.clock).round().failed == 0
    with engine.connect() as connection:
        assert connection.execute(select(notice_deliveries)).all() == []


@pytest.mark.parametrize(
    "address", ["x", "@example.gov.cn", "a@", "a b@example.gov.cn", "a@b@c", "a@x\nBcc: b@x", "张@example.gov.cn"]
)
def test_an_address_is_one_address(targets: Targets, engine: Engine, clock: Clock, address: str) -> None:
    unit_account(engine, clock, "账户", UNIT)
    with pytest.raises(Rejection, match="mail-address-form"):
        targets.set_address("账户", address)
    with pytest.raises(Rejection, match="unknown-address"):
        targets.remove_address("账户")
