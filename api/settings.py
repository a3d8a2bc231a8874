"""Settings from the environment (`MINGZHANG_DATABASE_URL` and so on), with defaults for one machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

KIBIBYTE = 1024
MEBIBYTE = 1024 * KIBIBYTE
UNIDENTIFIED = "unidentified"
"""Who is recorded as having said what comes over HTTP, until requests say who sends them."""


class Settings(BaseSettings):
    """Where the ledger is kept and how it is served. `port` 0 takes any free port.

    `largest_body` bounds the body of a request in bytes, `largest_batch` that of a batch of observations. `font_folder`
    holds the fonts of official documents (仿宋_GB2312, 方正小标宋简体 and so on), if there are any.
    """

    model_config = SettingsConfigDict(env_prefix="MINGZHANG_", frozen=True)

    @classmethod
    def with_stated(cls, stated: Mapping[str, object]) -> Settings:
        """Return the settings of the environment, with those that are stated (not None) instead."""
        return cls.model_validate(
            {**cls().model_dump(), **{name: one for name, one in stated.items() if one is not None}}
        )

    database_url: str = "sqlite:///data/mingzhang.db"
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8700
    largest_body: Annotated[int, Field(ge=KIBIBYTE)] = MEBIBYTE
    font_folder: Path | None = None
    largest_batch: Annotated[int, Field(ge=KIBIBYTE)] = 8 * MEBIBYTE
