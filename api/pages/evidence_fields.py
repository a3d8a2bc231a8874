"""Evidence in forms: files stored before the form is sent, files that come with it, and documents by number or address.

With scripts a file is stored as soon as it is chosen, dropped or pasted (`api/static/pages/attachments.js`), and the
form names it. Without, it comes with the form and is stored here; a form that is then refused names it too, so that
nothing has to be chosen again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar, cast

from pydantic import BaseModel, ValidationError

from api.invalid_fields import model_problems
from api.pages.forms import Form
from api.pages.page import Page
from api.settings import Settings
from ledger.rejection import Rejection
from schemes.problem import InvalidInput

_FILE: Final = "evidence.file."
_TITLE: Final = "evidence.title."
_SOURCE: Final = "evidence.source."
_LONGEST_TITLE: Final = 500
Sent = Mapping[str, str]
Command = TypeVar("Command", bound=BaseModel)


def evidence_sent(page: Page, form: Form) -> list[Sent]:
    """Return the evidence of the form, as commands read it; files that came with it are stored now.

    Refuses a file that cannot be stored (`Rejection`, `RefusedRequest`).
    """
    came = []
    limit = cast(Settings, page.request.app.state.settings).largest_evidence
    for upload in form.files("evidence.upload"):
        kept = page.given.evidence.put(page.code, [upload.content], limit, page.given.asking.name, page.given.clock())
        name = " ".join(upload.name.split())[:_LONGEST_TITLE]
        came.append({"title": name or "附件", "file": kept.commitment})
    return [*evidence_named(form), *came]


def evidence_named(form: Form) -> list[Sent]:
    """Return the evidence that the form names, as commands read it: files stored before, documents and addresses."""
    stored = [
        {"title": value.strip(), "file": name.removeprefix(_FILE)}
        for name, value in form.fields
        if name.startswith(_FILE) and value.strip()
    ]
    titles, sources = form.starting(_TITLE), form.starting(_SOURCE)
    named = sorted({*titles, *sources})
    return [*stored, *(_named(titles.get(at, ""), sources.get(at, "")) for at in named)]


def _named(title: str, source: str) -> Sent:
    kind = "url" if source.startswith(("http://", "https://")) else "document"
    return {"title": title or source, kind: source}


def command_sent(model: type[Command], sent: Mapping[str, Any]) -> Command:
    """Return the command that a form's fields say; raises `InvalidInput` with every field that is wrong."""
    try:
        return model.model_validate(sent)
    except ValidationError as invalid:
        raise InvalidInput(tuple(model_problems(invalid.errors(), sent, model))) from None


def visible_files(page: Page, evidence: Sequence[str]) -> frozenset[str]:
    """Return those of the files that whoever asks may read: a unit reads its own, and none that tells of another."""
    if not page.may("evidence.read"):
        return frozenset()
    return frozenset(file for file in evidence if _is_visible(page, file))


def _is_visible(page: Page, file: str) -> bool:
    try:
        return page.given.sees_file(page.code, page.given.evidence.stored(page.code, file))
    except Rejection:
        return False
