"""Official documents as PDF/A-2b, set by Typst.

The template is the product's own; the document reaches it as JSON data, whose strings Typst never reads as markup.
Equal documents give equal bytes with equal fonts: nothing in the file depends on a clock. A character that no font has
is shown as its code point.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, time
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import typst

from api.documents.blocks import (
    LAYOUT,
    Block,
    Heading,
    KeyValues,
    OfficialDocument,
    Paragraph,
    Quotation,
    Table,
    attachment_lines,
    attachment_marks,
    chinese_date,
    escaped,
    issuer_head,
    numbered,
    printable,
    signature_indents,
)
from api.documents.fonts import document_fonts

MEDIA_TYPE: Final = "application/pdf"
_TEMPLATE: Final = files("api.documents") / "templates" / "official.typ"


def pdf(document: OfficialDocument, font_folder: Path | None = None) -> bytes:
    """Return the document as a PDF file.

    `font_folder` is where the office keeps its own fonts. Raises `InvalidInput` (`document-fonts-missing`) when
    neither that folder nor the system has the Chinese fonts.
    """
    fonts = document_fonts(font_folder)
    settings = {"families": fonts.families, "latin": fonts.latin, "emboldened": fonts.emboldened}
    content, warnings = typst.compile_with_warnings(
        _TEMPLATE.read_bytes(),
        font_paths=fonts.files,
        ignore_system_fonts=True,
        format="pdf",
        pdf_standards="a-2b",
        sys_inputs={
            "document": json.dumps(_shown(_data(document), fonts.characters)),
            "fonts": json.dumps(settings),
            "layout": json.dumps(LAYOUT._asdict()),
        },
        timestamp=datetime.combine(document.issued_on, time(), UTC),
    )
    if warnings:
        raise RuntimeError(f"Typst warns: {'; '.join(warning.message for warning in warnings)}")
    return content


def _data(document: OfficialDocument) -> dict[str, Any]:
    day = document.issued_on
    return {
        "title": document.title,
        "issuer": document.issuer,
        "issuer_head": issuer_head(document.issuer)._asdict(),
        "number": document.number,
        "addressee": document.addressee,
        "day": {"year": day.year, "month": day.month, "day": day.day},
        "blocks": _blocks(document.blocks),
        "signature": document.signature
        and {
            "office": document.signature,
            "day": chinese_date(day),
            "indents": signature_indents(document.signature, day)._asdict(),
        },
        "attachment_lines": attachment_lines(document),
        "attachments": [
            {"mark": mark, "title": attachment.title, "blocks": _blocks(attachment.blocks)}
            for mark, attachment in zip(attachment_marks(document), document.attachments, strict=True)
        ],
    }


def _blocks(blocks: Sequence[Block]) -> list[dict[str, Any]]:
    return [_block(label, block) for label, block in numbered(blocks)]


def _block(label: str, block: Block) -> dict[str, Any]:
    match block:
        case Heading():
            return {"kind": "heading", "level": block.level, "text": label + block.text}
        case Paragraph():
            return {"kind": "paragraph", "runs": [{"text": run.text, "bold": run.bold} for run in block.runs]}
        case Quotation():
            return {"kind": "quotation", "source": block.source, "text": block.text}
        case KeyValues():
            return {"kind": "key_values", "items": block.items}
        case Table():
            return {
                "kind": "table",
                "caption": block.caption,
                "header": block.header,
                "rows": block.rows,
                "widths": block.column_twips(),
                "alignments": block.alignments,
            }


def _shown(value: Any, characters: frozenset[int]) -> Any:
    """Return the data with every text as the fonts can show it."""
    match value:
        case str():
            return "".join(one if ord(one) in characters or one == "\n" else escaped(one) for one in printable(value))
        case dict():
            return {key: _shown(entry, characters) for key, entry in value.items()}
        case list() | tuple():
            return [_shown(entry, characters) for entry in value]
        case _:
            return value
