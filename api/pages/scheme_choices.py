"""Which scheme a form means: a shipped one, a version that the ledger keeps, or a file that is sent.

A choice is written as the id of a shipped scheme, or as `id/version` for a version that the ledger keeps.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from api.pages.forms import Form, Upload
from api.pages.page import Page
from ledger.events import SchemeReference
from ledger.rejection import rejected
from projections.answer_models import AdoptionAnswer
from projections.answers import adoption_answers
from projections.scheme_files import load, shipped, source, vocabulary
from projections.workbooks.importing import import_workbook
from schemes.problem import refuse
from schemes.scheme import Scheme

CHOICE: Final = "scheme"
"""The field of a form that says which scheme is chosen."""
FILE: Final = "file"
"""The field of a form that sends a scheme file (YAML) or a filled-in workbook (.xlsx)."""
TEXT: Final = "document"
"""The field of a form that holds the text of a scheme file that was sent before."""

LARGEST_TEXT: Final = 1_000_000
"""Most bytes of a scheme file; the shipped ones have about a twentieth of that."""


class SchemeText(NamedTuple):
    """The text of a scheme file, and what its errors call it; `choice` is blank where a file was sent."""

    text: str
    name: str
    choice: str = ""

    @property
    def kept(self) -> bool:
        """Whether it is a version that the ledger keeps."""
        return "/" in self.choice


def choice_of(reference: SchemeReference) -> str:
    """Return how a version that the ledger keeps is written as a choice."""
    return f"{reference.id}/{reference.version}"


def adoptions(page: Page, year: int) -> list[AdoptionAnswer]:
    """Return the scheme versions of the year, oldest first; the last one is in force."""
    ledgers, code = page.given.jurisdictions, page.code
    ledgers.opened_year(code, year)
    return adoption_answers(ledgers.ledger(code).year_events(year), lambda digest: ledgers.scheme(code, digest))


def shipped_for(code: str, year: int | None = None) -> list[Scheme]:
    """Return the shipped schemes of the jurisdiction, of the year where one is given."""
    found = (load(identifier) for identifier in shipped())
    return [one for one in found if one.jurisdiction.code == code and year in (None, one.year)]


def chosen_scheme(page: Page, form: Form) -> SchemeText:
    """Return the scheme that the form sends or names; a file goes before a choice.

    Raises `InvalidInput` for a workbook with errors, a file that is no text and an unknown choice; refuses none at all.
    """
    for upload in form.files(FILE):
        return sent_scheme(upload)
    if form.secret(TEXT):
        return SchemeText(form.secret(TEXT), form.text("name", TEXT))
    return named_scheme(page, form.text(CHOICE))


def named_scheme(page: Page, choice: str) -> SchemeText:
    """Return the scheme of a choice; refuses one that is neither shipped nor kept by the ledger."""
    if not choice:
        raise rejected("field-missing", CHOICE, "expected a scheme, or a scheme file (.yaml, .xlsx)")
    if "/" not in choice:
        return SchemeText(source(choice), f"{choice}.yaml", choice)
    reference = kept_version(page, choice)
    return SchemeText(page.given.jurisdictions.document(page.code, reference.digest).decode(), choice, choice)


def kept_version(page: Page, choice: str) -> SchemeReference:
    """Return the version that the ledger keeps under that choice; refuses one that it does not keep."""
    identifier, _, version = choice.partition("/")
    return page.given.jurisdictions.registered_version(page.code, identifier, version)


def sent_scheme(upload: Upload) -> SchemeText:
    """Return the text of a scheme file, or of the scheme file that a filled-in workbook holds."""
    if upload.name.lower().endswith(".xlsx"):
        return SchemeText(import_workbook(upload.content, upload.name, vocabulary()).text, upload.name)
    if not upload.name.lower().endswith((".yaml", ".yml")):
        raise refuse("media-type", upload.name, "expected a scheme file (.yaml) or a filled-in workbook (.xlsx)")
    if len(upload.content) > LARGEST_TEXT:
        message = f"found {len(upload.content)} bytes, expected at most {LARGEST_TEXT}"
        raise refuse("document-too-large", upload.name, message)
    try:
        return SchemeText(upload.content.decode("utf-8"), upload.name)
    except UnicodeDecodeError:
        raise refuse("scheme-not-readable", upload.name, "expected UTF-8 text") from None


def version_choices(page: Page, year: int) -> dict[str, str]:
    """Return the titles of the versions to choose from: those of the year, the newest first, then those shipped."""
    versions = list(reversed(adoptions(page, year)))
    shown = {choice_of(one.scheme): f"{one.title}（第{one.scheme.version}版）" for one in versions}
    shown[choice_of(versions[0].scheme)] += "，现行"
    return shown | {one.id: f"{one.document.title}（第{one.version}版，随附）" for one in shipped_for(page.code, year)}
