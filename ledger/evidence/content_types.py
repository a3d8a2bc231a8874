"""What a file is, by its content: never by its name, or by what its sender says.

Rules kept here: a file is what its first byte begins; what else it may be to another reader does not count. Images are
opened only as far as their headers, in the first MiB, archives as far as their directory; nothing is decoded, unpacked
or run. What a browser could execute (SVG, HTML, XML, scripts) is plain text, or nothing in particular.
"""

from __future__ import annotations

import codecs
import io
import re
import struct
import zlib
from typing import BinaryIO, Final

from PIL import Image

from ledger.evidence.zip_directories import entry_names
from ledger.rejection import Rejection, rejected

MEBIBYTE: Final = 1024 * 1024
MOST_PIXELS: Final = 50_000_000
LONGEST_SIDE: Final = 30_000
OTHER: Final = "application/octet-stream"
INLINE: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf"})
"""What a browser may show in its place; everything else is only ever saved."""

_OFFICE: Final = "application/vnd.openxmlformats-officedocument"
EXTENSIONS: Final = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/webp": "webp",
    "application/pdf": "pdf",
    f"{_OFFICE}.wordprocessingml.document": "docx",
    f"{_OFFICE}.spreadsheetml.sheet": "xlsx",
    f"{_OFFICE}.presentationml.presentation": "pptx",
    "application/ofd": "ofd",
    "application/zip": "zip",
    "application/x-ole-storage": "ole",
    "text/plain": "txt",
    OTHER: "bin",
}
"""Every media type that a stored file can have, and how the name of its file ends."""

# In the order of the list; the first part found says what the archive is.
_PARTS: Final = {
    "word/document.xml": f"{_OFFICE}.wordprocessingml.document",
    "xl/workbook.xml": f"{_OFFICE}.spreadsheetml.sheet",
    "ppt/presentation.xml": f"{_OFFICE}.presentationml.presentation",
    "OFD.xml": "application/ofd",
}
_MACROS: Final = "vbaProject.bin"
_FORMATS: Final = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "GIF": "image/gif",
    "WEBP": "image/webp",
}
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_CONTROLS: Final = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f]")
# What Pillow raises for headers that are none, warnings included where they are made errors.
_NO_IMAGE: Final = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    ArithmeticError,
    AttributeError,
    AssertionError,
    UserWarning,
    struct.error,
    zlib.error,
)
# Beyond it Pillow warns, and beyond twice as many pixels it refuses: both are refused here.
Image.MAX_IMAGE_PIXELS = MOST_PIXELS


def media_type_of(content: BinaryIO, size: int) -> str:
    """Return what the content is: one of `EXTENSIONS`. The content is read from wherever that takes.

    Raises Rejection: `evidence-image-too-large`, `evidence-archive-too-large`.
    """
    content.seek(0)
    head = content.read(MEBIBYTE)
    image = _image_type(head)
    if image is not None:
        return image
    if head.startswith(b"%PDF-"):
        return "application/pdf"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _archive_type(content, size)
    if head.startswith(_OLE):
        return "application/x-ole-storage"
    return "text/plain" if any(_is_text(content, encoding) for encoding in ("utf-8", "gb18030")) else OTHER


def _image_type(head: bytes) -> str | None:
    """Return the type of an image by the headers in its first MiB."""
    try:
        with Image.open(io.BytesIO(head), formats=["PNG", "JPEG", "GIF", "WEBP"]) as image:
            width, height, found = *image.size, image.format
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(str(error)) from None
    except _NO_IMAGE:
        return None
    if width * height > MOST_PIXELS or max(width, height) > LONGEST_SIDE:
        raise _too_large(f"{width} × {height} pixels")
    return _FORMATS[found or ""]


def _too_large(found: str) -> Rejection:
    message = (
        f"the image is refused: {found}; expected at most {MOST_PIXELS} pixels, and {LONGEST_SIDE} on a side: scale it"
    )
    return rejected("evidence-image-too-large", "file", message)


def _archive_type(content: BinaryIO, size: int) -> str:
    names = entry_names(content, size)
    if names is None:
        return OTHER
    if any(name.endswith(_MACROS) for name in names):
        return "application/zip"
    return next((found for part, found in _PARTS.items() if part in names), "application/zip")


def _is_text(content: BinaryIO, encoding: str) -> bool:
    content.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while chunk := content.read(64 * 1024):
            if _CONTROLS.search(decoder.decode(chunk)):
                return False
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
