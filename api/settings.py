"""Settings from the environment (`MINGZHANG_DATABASE_URL` and so on), with defaults for one machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

KIBIBYTE = 1024
MEBIBYTE = 1024 * KIBIBYTE


class Settings(BaseSettings):
    """Where the ledger is kept and how it is served. `port` 0 takes any free port.

    `key_folder` holds what must be kept apart from the database and outlive a restore of it: the signing keys, the last
    checkpoints signed, the key of the evidence. Evidence is kept in `evidence_folder`, or in `evidence_bucket` of the
    S3-compatible service at `evidence_endpoint`. `origin` begins the name of each ledger's checkpoints.

    `largest_body` bounds the body of a request in bytes, `largest_batch` that of a batch of observations. `font_folder`
    holds the fonts of official documents (仿宋_GB2312, 方正小标宋简体 and so on), if there are any; `template_folder`
    the Word templates of papers that replace the shipped ones (result.docx, rectification.docx, answer.docx).
    After `live_seconds` a stream of live updates ends, and the browser asks for another.

    Notices go out by e-mail where `smtp_host` is set: with implicit TLS on port 465, else with STARTTLS, and without
    TLS to loopback only.
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
    template_folder: Path | None = None
    largest_batch: Annotated[int, Field(ge=KIBIBYTE)] = 8 * MEBIBYTE
    largest_evidence: Annotated[int, Field(ge=KIBIBYTE)] = 100 * MEBIBYTE
    key_folder: Path = Path("data/keys")
    evidence_folder: Path = Path("data/evidence")
    evidence_bucket: str | None = None
    evidence_endpoint: str | None = None
    origin: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9./-]*$")] = "mingzhang"
    live_seconds: Annotated[int, Field(ge=0)] = 300
    session_hours: Annotated[int, Field(ge=1, le=24 * 7)] = 12
    public_url: Annotated[str, Field(pattern=r"^https?://[^/\s]+$")] | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    oidc_title: str = "统一身份认证"
    smtp_host: str | None = None
    smtp_port: Annotated[int, Field(ge=1, le=65535)] = 587
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_from: Annotated[str, Field(pattern=r"^[!-?A-~]+@[!-?A-~]+$")] = "mingzhang@localhost"
