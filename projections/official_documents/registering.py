"""Official documents before they are registered: whether the bytes are what they are said to be."""

from __future__ import annotations

from typing import Final

from ledger.commands import OfficialDocument
from ledger.events import DocumentType
from ledger.rejection import rejected

LARGEST_DOCUMENT: Final = 20 * 1024 * 1024
"""Most bytes of an official document."""


def official_document(title: str, media_type: DocumentType, content: bytes) -> OfficialDocument:
    """Return the document; refuses an empty one, one too large, text that is not UTF-8, and bytes that are no PDF."""
    if len(content) > LARGEST_DOCUMENT:
        message = f"found {len(content)} bytes, expected at most {LARGEST_DOCUMENT}"
        raise rejected("document-too-large", "body", message)
    if not content.strip():
        raise rejected("document-empty", "body", "the document is empty")
    if media_type == "application/pdf" and not content.startswith(b"%PDF-"):
        raise rejected("document-not-pdf", "body", "expected a PDF, which begins with %PDF-")
    if media_type == "text/plain":
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            message = f"byte {error.start} is not UTF-8; expected text in UTF-8"
            raise rejected("document-not-text", "body", message) from None
        if "\0" in text:
            message = f"found a NUL character at {text.index(chr(0)) + 1}; expected plain text"
            raise rejected("document-not-text", "body", message)
    return OfficialDocument(title, media_type, content)
