"""Jinja2 for pages: strict, escaping everything, with the few filters that all pages share.

A missing name is an error, never an empty place. Addresses of static files carry a part of their SHA-256, so that
browsers keep them for good and a new version is fetched at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

BEIJING: Final = timezone(timedelta(hours=8), "UTC+8")
ROLE_TITLES: Final[Mapping[str, str]] = {
    "recorder": "登记员",
    "reviewer": "复核员",
    "leader": "分管领导",
    "unit": "被考核单位",
    "auditor": "审计员",
    "administrator": "系统管理员",
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
    environment.filters |= {"day": day, "moment": moment, "points": points, "signed": signed}
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


def moment(value: datetime | None) -> str:
    """Return a moment in Chinese time as YYYY-MM-DD HH:MM, and a dash for none."""
    return "—" if value is None else value.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")


def points(value: Any) -> str:
    """Return points as they are written in a table: with a true minus sign, and a dash for none."""
    return "—" if value is None else str(value).replace("-", "−")


def signed(value: Any) -> str:
    """Return points with their sign, as a change: +2, −0.5, 0; a dash for none."""
    text = points(value)
    return text if text[0] in "—−" or text.strip("0.") == "" else f"+{text}"
