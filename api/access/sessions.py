"""What an account is told of its own sessions, and where the log of who was let in ends: read only."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine, func, select

from api.access.principals import Principal
from api.access.tables import access_log, sessions
from api.access.tokens import digest, is_session_token
from ledger.appends import microseconds, moment
from projections.answer_models import Answer


class SessionAnswer(Answer):
    """A session that is living: when it began and ends at the latest, and whether it is the one that asks."""

    created_at: datetime
    expires_at: datetime
    present: bool


def living_sessions(engine: Engine, principal: Principal, token: str, now: datetime) -> list[SessionAnswer]:
    """Return the account's living sessions, the oldest first; `token` is that of the one that asks, if it has one."""
    own = digest(token) if is_session_token(token) else None
    living = (
        select(sessions.c.token_hash, sessions.c.created_at, sessions.c.expires_at)
        .where(
            sessions.c.account == principal.account,
            sessions.c.revoked_at.is_(None),
            sessions.c.expires_at > microseconds(now),
        )
        .order_by(sessions.c.created_at)
    )
    with engine.connect() as connection:
        return [
            SessionAnswer(
                created_at=moment(row.created_at), expires_at=moment(row.expires_at), present=row.token_hash == own
            )
            for row in connection.execute(living)
        ]


def last_log_number(engine: Engine) -> int:
    """Return the number of the log's last entry, 0 where there is none; numbers have no gaps."""
    with engine.connect() as connection:
        return connection.scalar(select(func.coalesce(func.max(access_log.c.number), 0))) or 0
