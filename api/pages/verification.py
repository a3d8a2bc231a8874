"""核验: a receipt is checked in the browser, a bundle by the verifier of the command, against a key typed from paper.

What this server says of what this server signed convinces nobody: the page says so, and names the command.
"""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Response

from api.pages.forms import Form, FormSent
from api.pages.page import Page, PageAsked, PageRoute, UploadRoute
from ledger.rejection import Rejection, rejected
from ledger.signed_notes import NoteRejected, VerifierKey
from projections.bundles.models import VerificationAnswer
from projections.bundles.verifying import verify

router = APIRouter(route_class=PageRoute, include_in_schema=False)
uploads = APIRouter(route_class=UploadRoute, include_in_schema=False)

PAGE: Final = "verification/page.html"


@router.get("/verify")
def show_verification(page: PageAsked) -> Response:
    """Show where a receipt or a bundle is given."""
    return _shown(page)


@uploads.post("/verify")
def verify_bundle(page: PageAsked, form: FormSent) -> Response:
    """Check a bundle step by step."""
    try:
        found = verify(_bundle(form), _key(form))
    except Rejection as refused:
        return page.refuse(PAGE, refused, menu="verify", found=None, key=form.text("verifier_key"))
    return _shown(page, found, form.text("verifier_key"))


def _shown(page: Page, found: VerificationAnswer | None = None, key: str = "") -> Response:
    return page.render(PAGE, menu="verify", found=found, key=key)


def _bundle(form: Form) -> bytes:
    files = form.files("bundle")
    if len(files) != 1:
        raise rejected("field-missing", "bundle", f"found {len(files)} files, expected the one file of a bundle")
    return files[0].content


def _key(form: Form) -> VerifierKey:
    """Return the key that was typed; refuses none, and what is no key."""
    text = form.text("verifier_key")
    try:
        return VerifierKey.parse(text)
    except NoteRejected as error:
        message = f"found {text[:80]!r}, expected a verifier key as it stands in the minutes: {error}"
        raise rejected("verifier-key-form", "verifier_key", message) from None
