"""Files under test: images, archives and what only looks like one, made byte by byte."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime

from PIL import Image

NOW = datetime(2021, 3, 2, 9, tzinfo=UTC)
LIMIT = 4 * 1024 * 1024
PDF = b"%PDF-1.7\n1 0 obj\n"


def image(kind: str, width: int = 3, height: int = 2) -> bytes:
    """An image as Pillow writes it."""
    file = io.BytesIO()
    Image.new("RGB", (width, height), (200, 30, 30)).save(file, kind)
    return file.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that declares a size, and holds no picture of that size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _png_chunk(name, content) for name, content in ((b"IHDR", header), (b"IDAT", b""), (b"IEND", b""))
    )


def _png_chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def jpeg_of_size(width: int, height: int) -> bytes:
    """A small JPEG whose header says another size."""
    written = bytearray(image("JPEG"))
    at = written.index(b"\xff\xc0")
    written[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(written)


def gif_of_size(width: int, height: int) -> bytes:
    written = bytearray(image("GIF"))
    written[6:10] = struct.pack("<HH", width, height)
    return bytes(written)


def archive(*names: str, content: bytes = b"<x/>") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as written:
        for name in names:
            written.writestr(name, content)
    return file.getvalue()


def declared(content: bytes, unpacked: int) -> bytes:
    """The archive, whose first entry declares another size in the directory."""
    changed = bytearray(content)
    at = changed.index(b"PK\x01\x02")
    changed[at + 24 : at + 28] = struct.pack("<I", unpacked)
    return bytes(changed)


def in_parts(content: bytes, size: int = 10_000) -> Iterator[bytes]:
    return (content[at : at + size] for at in range(0, len(content), size))
