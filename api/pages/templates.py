"""Jinja2 for pages: strict, escaping everything, with the few filters that all pages share.

A missing name is an error, never an empty place. Addresses of static files carry a part of their SHA-256, so that
browsers keep them for good and a new version is fetched at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from ledger.decisions import CHINA, local_day

ROLE_TITLES: Final[Mapping[str, str]] = {
    "recorder": "登记员",
    "reviewer": "复核员",
    "leader": "分管领导",
    "unit": "被考核单位",
    "auditor": "审计员",
    "administrator": "系统管理员",
}
PERMISSION_TITLES: Final[Mapping[str, str]] = {
    "reference.read": "查看方案和词汇",
    "years.read": "查看年度",
    "years.manage": "管理年度",
    "years.close": "启用方案、公布、办结",
    "items.read": "查看登记事项",
    "scores.read": "查看全部得分",
    "own-scores.read": "查看本单位得分",
    "observations.record": "登记",
    "evidence.store": "存入证据",
    "evidence.read": "查看证据",
    "evidence.erase": "提请销毁证据",
    "proposals.read": "查看审批",
    "proposals.approve": "批准",
    "proposals.decline": "不批准或撤回",
    "appeals.file": "提出申诉和申请",
    "appeals.handle": "受理和复核",
    "appeals.decide": "决定",
    "proofs.read": "取得证明",
    "entries.read": "查看记录原文",
    "accounts.manage": "管理账户",
    "access-log.read": "查看访问记录",
    "metrics.read": "查看运行指标",
}


@lru_cache
def page_templates() -> Environment:
    """Return the environment of all pages' templates, which lie in `api/templates/pages`."""
    environment = Environment(
        loader=PackageLoader("api", "templates/pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., str]] = {
        "day": day,
        "day_of": day_of,
        "moment": moment,
        "points": points,
        "signed": signed,
        "permission_title": permission_title,
    }
    environment.filters |= filters
    environment.globals |= {"static": static_address, "role_titles": ROLE_TITLES}
    return environment


@lru_cache
def static_address(name: str) -> str:
    """Return the address of a file of `api/static`, which changes with its content; raises FileNotFoundError."""
    content = files("api").joinpath("static", *name.split("/")).read_bytes()
    return f"/static/{name}?v={sha256(content).hexdigest()[:12]}"


def day(value: date | None) -> str:
    """Return a day as YYYY-MM-DD, and a dash for none."""
    return "—" if value is None else value.isoformat()


def day_of(value: datetime) -> str:
    """Return the day in China on which a moment falls, as YYYY-MM-DD."""
    return day(local_day(value))


def moment(value: datetime | None) -> str:
    """Return a moment in Chinese time as YYYY-MM-DD HH:MM, and a dash for none."""
    return "—" if value is None else value.astimezone(CHINA).strftime("%Y-%m-%d %H:%M")


def points(value: Any) -> str:
    """Return points as they are written in a table: with a true minus sign, and a dash for none."""
    return "—" if value is None else str(value).replace("-", "−")


def permission_title(name: str) -> str:
    """Return what a permission is called; its own name for one that has no title."""
    return PERMISSION_TITLES.get(name, name)


def signed(value: Any) -> str:
    """Return points with their sign, as a change: +2, −0.5, 0; a dash for none."""
    text = points(value)
    return text if text[0] in "—−" or text.strip("0.") == "" else f"+{text}"
