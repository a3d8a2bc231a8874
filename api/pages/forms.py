"""What a form sent: texts and files, once each or several times, all of it read before the route begins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, NamedTuple

from fastapi import Depends, Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.status import HTTP_400_BAD_REQUEST, HTTP_413_CONTENT_TOO_LARGE

from api.problems import RefusedRequest
from schemes.problem import Problem

KEY: Final = "key"
FILES_LOST: Final = "files-lost"
"""Set in a form that is kept without the files that came with it."""
MOST_FIELDS: Final = 2_000
MOST_FILES: Final = 100
LONGEST_TEXT: Final = 1024 * 1024


class Upload(NamedTuple):
    """A file as it was sent: the name that its sender gave it, and its bytes."""

    name: str
    content: bytes


class Form:
    """The fields of a form in their order."""

    def __init__(self, fields: Sequence[tuple[str, str]] = (), files: Sequence[tuple[str, Upload]] = ()) -> None:
        self.fields = fields
        self._files = files

    def text(self, name: str, default: str = "") -> str:
        """Return the last text of that name without blanks around it; the default where there is none."""
        return next((value.strip() for one, value in reversed(self.fields) if one == name), default)

    def secret(self, name: str) -> str:
        """Return the text of that name exactly as it was typed."""
        return next((value for one, value in self.fields if one == name), "")

    def texts(self, name: str) -> list[str]:
        """Return every text of that name that is not blank, in order."""
        return [value.strip() for one, value in self.fields if one == name and value.strip()]

    def starting(self, prefix: str) -> dict[str, str]:
        """Return the texts that are not blank of the names that begin so, by the rest of the name."""
        found = ((name.removeprefix(prefix), value.strip()) for name, value in self.fields if name.startswith(prefix))
        return {name: value for name, value in found if value}

    def files(self, name: str) -> list[Upload]:
        """Return the files of that name, without those of a file input that was left empty."""
        return [upload for one, upload in self._files if one == name and (upload.name or upload.content)]

    @property
    def key(self) -> str:
        """The idempotency key that the form was shown with: sent twice, it records once."""
        return self.text(KEY)


async def read_form(request: Request) -> Form:
    """Return what the form sent; its size is bounded by the route, and each text to 1 MiB.

    Raises `RefusedRequest` (413) `body-too-large`, and (400) `form-not-readable`.
    """
    await request.body()  # bounded, and kept for the parser
    fields: list[tuple[str, str]] = []
    uploads: list[tuple[str, Upload]] = []
    try:
        async with request.form(max_files=MOST_FILES, max_fields=MOST_FIELDS, max_part_size=LONGEST_TEXT) as sent:
            for name, value in sent.multi_items():
                if isinstance(value, UploadFile):
                    uploads.append((name, Upload(value.filename or "", await value.read())))
                else:
                    fields.append((name, value.replace("\r\n", "\n")))
    except HTTPException as refused:
        # What is too large is told apart by its words only.
        if "exceeded maximum size" in str(refused.detail):
            problem = Problem("body-too-large", "", f"a field is larger than {LONGEST_TEXT} bytes; shorten it")
            raise RefusedRequest(HTTP_413_CONTENT_TOO_LARGE, problem) from None
        problem = Problem("form-not-readable", "", str(refused.detail))
        raise RefusedRequest(HTTP_400_BAD_REQUEST, problem) from None
    return Form(fields, uploads)


FormSent = Annotated[Form, Depends(read_form)]
