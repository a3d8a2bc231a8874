"""Notices by e-mail: one message to one address, over TLS unless the mail server is on this machine."""

from __future__ import annotations

import smtplib
import ssl
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256
from typing import Final

from api.notices.message import DeliveryFailed, Message
from api.notices.targets import is_loopback
from api.settings import Settings

SECONDS: Final = 10
# A name of a host, a user's name or a password that the protocol cannot carry is a ValueError.
_FAILURES: Final = (smtplib.SMTPException, OSError, ValueError)
_IMPLICIT_TLS: Final = 465


def send_mail(settings: Settings, message: Message, address: str, now: datetime) -> None:
    """Hand a notice to the mail server; raises `DeliveryFailed` where it is not taken."""
    host = settings.smtp_host
    if host is None:
        raise DeliveryFailed("no mail server is set: MINGZHANG_SMTP_HOST")
    try:
        with _connected(host, settings.smtp_port) as server:
            if settings.smtp_user is not None and settings.smtp_password is not None:
                server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
            server.send_message(_mail(settings, message, address, now))
    except _FAILURES as error:
        raise DeliveryFailed(f"{host}: {type(error).__name__}") from None


def _connected(host: str, port: int) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if port == _IMPLICIT_TLS:
        return smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=context)
    server = smtplib.SMTP(host, port, timeout=SECONDS)
    try:
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=context)
        elif not is_loopback(host):
            raise smtplib.SMTPNotSupportedError("the mail server does not offer STARTTLS")
    except _FAILURES:
        server.close()
        raise
    return server


def _mail(settings: Settings, message: Message, address: str, now: datetime) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = settings.smtp_from
    mail["To"] = address
    mail["Subject"] = " ".join(f"明账通知：{message.unit}".split())
    mail["Date"] = format_datetime(now)
    # The same each time it is sent: a reader's program shows what came twice once.
    domain = settings.smtp_from.rpartition("@")[2]
    mail["Message-ID"] = f"<{sha256(f'{message.event} {address}'.encode()).hexdigest()[:32]}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    link = f"{settings.public_url or ''}{message.path}"
    mail.set_content(f"{message.unit}：\n\n{message.sentence}\n\n查看：{link}\n编号：{message.event}\n", cte="base64")
    return mail
