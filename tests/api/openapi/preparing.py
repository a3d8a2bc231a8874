"""A county in which whatever the API's addresses name is there: made once, then copied for each who asks."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from argon2 import PasswordHasher
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.access.access import Access
from api.access.principals import Grant, Role
from api.access.tokens import TokenWish
from api.http import create_app
from api.settings import Settings
from ledger.database import migrate, open_engine
from projections.jurisdictions import Jurisdictions
from tests.api.accounts import bearer, office, token_of
from tests.api.county import HERE, OTHER, UNIT, YEAR, Clock, County

CODE: Final = "360982"
ROLES: Final[tuple[Role, ...]] = ("recorder", "reviewer", "leader", "unit", "auditor", "administrator")
SESSION_ONLY: Final = ("DELETE /api/v1/session", "POST /api/v1/session/password", "POST /api/v1/tokens")
"""What takes a session: one each, since two of them end it."""
CLERK: Final = "登记员"
PASSWORD: Final = "正确的马-电池-订书钉"  # noqa: S105  # of an example of the documentation
CHEAP: Final = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
OPENED, NOW = "2021-01-04T09:00:00+08:00", "2021-12-20T09:00:00+08:00"


@dataclass(frozen=True)
class Prepared:
    """A folder with a database, keys and files; the secrets of who may ask; and what addresses may name."""

    folder: Path
    tokens: Mapping[Role, str]
    prefixes: Mapping[Role, str]
    """Of another token of each role's account, which may be revoked."""
    sessions: Mapping[str, str]
    """Of recorders, by what they are for."""
    parameters: Mapping[str, str | int]
    claim: str
    leaf_hash: str
    """Of the proposal that `parameters` names."""


def prepare(folder: Path) -> Prepared:
    """Make the county: a year closed once and open again, and one of everything that has an address."""
    clock = Clock(OPENED)
    with serving(folder, clock) as application:
        engine = application.state.edge.jurisdictions.engine
        access = Access(engine, clock, secrets.token_bytes, session_hours=12, hasher=CHEAP)
        here, there, desk = (token_of(engine, clock, name, office(CODE)) for name in ("考核办", "考核办乙", "收件员"))
        with (
            TestClient(application, headers=bearer(here)) as office_client,
            TestClient(application, headers=bearer(there)) as colleague,
            TestClient(application, headers=bearer(desk)) as clerk,
        ):
            found = _filled(County(office_client, clock, colleague, clerk))
        tokens = {role: token_of(engine, clock, f"某{role}", [granted(role)]) for role in ROLES}
        prefixes = {
            role: access.create_token(None, f"某{role}", TokenWish(name="another", days=1)).prefix for role in ROLES
        }
        signed_in(access, CLERK)
        uses = ("session", *SESSION_ONLY)
        sessions = {use: signed_in(access, f"登记员{number}") for number, use in enumerate(uses)}
    claim, leaf_hash = (str(found.pop(name)) for name in ("claim", "leaf_hash"))
    return Prepared(folder, tokens, prefixes, sessions, found | {"name": CLERK}, claim, leaf_hash)


def granted(role: Role) -> Grant:
    return Grant(role, None if role == "administrator" else CODE, UNIT if role == "unit" else None)


def signed_in(access: Access, name: str) -> str:
    """Make a recorder's account that signs in with `PASSWORD`, and return a session of it."""
    once = access.create_account(None, name, [granted("recorder")], None, with_password=True).one_time_password
    assert once is not None
    access.sign_in(name, once)
    return access.change_password(name, once, PASSWORD)


@contextmanager
def serving(folder: Path, clock: Clock) -> Iterator[FastAPI]:
    """Give the application over what the folder holds."""
    engine = open_engine(f"sqlite:///{folder / 'ledger.sqlite3'}")
    migrate(engine)
    jurisdictions = Jurisdictions(engine, secrets.token_bytes)
    settings = Settings(key_folder=folder / "keys", evidence_folder=folder / "evidence")
    try:
        yield create_app(jurisdictions, settings, clock)
    finally:
        jurisdictions.close()
        engine.dispose()


@contextmanager
def serving_a_copy(prepared: Prepared, folder: Path) -> Iterator[FastAPI]:
    """Give the application over a copy of the county, which may be changed."""
    with serving(Path(shutil.copytree(prepared.folder, folder / "copy")), Clock(NOW)) as application:
        yield application


def _filled(county: County) -> dict[str, Any]:
    county.open()
    county.clock.set(NOW)
    stored = county.client.post(
        f"{HERE}/evidence", content="检查记录\n".encode(), headers={"Content-Type": "text/plain"}
    )
    file = stored.json()["file"]
    observation = county.record(evidence=[{"title": "检查记录", "file": file}])
    county.record(unit=OTHER)
    registered = county.client.post(
        f"{HERE}/schemes/zhangshu-2021/versions/1/document",
        params={"title": "方案"},
        content="附件一\n日常管理的要求。\n".encode(),
        headers={"Content-Type": "text/plain", "Idempotency-Key": "document"},
    )
    assert registered.status_code == 201, registered.text
    claim = county.post(f"{YEAR}/claims", {"unit": UNIT, "indicator": "1.10", "grounds": "不适用"}).json()
    for step, body in (
        ("close", {"reason": "审定"}),
        ("reopen", {"reason": "补登"}),
        ("release", {"as_of": "2021-12-20", "reason": "反馈"}),
    ):
        assert county.post(f"{YEAR}/{step}", body).status_code == 201, step
    appeal = county.post(f"{YEAR}/appeals", {"unit": UNIT, "observations": [observation], "grounds": "有异议"}).json()
    proposed = county.client.post(
        f"{HERE}/observations/{county.record()}/void",
        json={"reason": "撤销", "evidence": [{"title": "函", "document": "宜府办字〔2021〕31号"}]},
        headers={"Idempotency-Key": "void"},
    ).json()
    return {
        "jurisdiction": CODE,
        "year": 2021,
        "unit": UNIT,
        "observation": observation,
        "proceeding": appeal["proceeding"]["id"],
        "claim": claim["proceeding"]["id"],
        "kinds": "appeals",
        "proposal": proposed["proposal"],
        "leaf_hash": proposed["leaf_hash"],
        "file": file,
        "number": 1,
        "position": county.get(f"{HERE}/observations/{observation}")["entries"][0]["position"],
        "scheme": "zhangshu-2021",
        "scheme_id": "zhangshu-2021",
        "version": "1",
        "group": "township",
        "indicator": "2.2",
    }
