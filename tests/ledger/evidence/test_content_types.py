"""What a file is, by its content alone."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.evidence import zip_directories
from ledger.evidence.content_types import EXTENSIONS, INLINE, media_type_of
from ledger.rejection import Rejection
from tests.ledger.evidence.files import PDF, archive, declared, gif_of_size, image, jpeg_of_size, png_header

OFFICE = "application/vnd.openxmlformats-officedocument"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><script>alert(1)</script>"
GIF_JS = b"GIF89a/*\x01\x00\x00\x00\x00\x00*/=1;alert(1)//"


def found(content: bytes) -> str:
    return media_type_of(io.BytesIO(content), len(content))


def refusal(content: bytes) -> str:
    with pytest.raises(Rejection) as refused:
        found(content)
    [one] = refused.value.refusals
    return one.code


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (image("PNG"), "image/png"),
        (image("JPEG"), "image/jpeg"),
        (image("GIF"), "image/gif"),
        (image("WEBP"), "image/webp"),
        (PDF, "application/pdf"),
        (archive("[Content_Types].xml", "word/document.xml"), f"{OFFICE}.wordprocessingml.document"),
        (archive("[Content_Types].xml", "xl/workbook.xml"), f"{OFFICE}.spreadsheetml.sheet"),
        (archive("[Content_Types].xml", "ppt/presentation.xml"), f"{OFFICE}.presentationml.presentation"),
        (archive("OFD.xml", "Doc_0/Document.xml"), "application/ofd"),
        (archive("photos/1.jpg"), "application/zip"),
        (archive(), "application/zip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504), "application/x-ole-storage"),
        ("政务公开\t2021\r\n".encode(), "text/plain"),
        ("政务公开工作考核方案".encode("gb18030"), "text/plain"),
        ("\ufeff有字节顺序标记".encode(), "text/plain"),
        ("字".encode() * 50_000, "text/plain"),
        (SVG, "text/plain"),
        (b'<?xml version="1.0"?>' + SVG, "text/plain"),
        (HTML, "text/plain"),
        (b"#!/bin/sh\nrm -rf .\n", "text/plain"),
        (b"\x7fELF\x02\x01\x01\x00", "application/octet-stream"),
        (b"\x00", "application/octet-stream"),
        (b"text, and then\x00", "application/octet-stream"),
        (b"a" * 100_000 + b"\xff\xff", "application/octet-stream"),
        (image("TIFF"), "application/octet-stream"),
        (image("BMP"), "application/octet-stream"),
    ],
)
def test_a_file_is_what_its_content_says(content: bytes, media_type: str) -> None:
    assert found(content) == media_type
    assert media_type in EXTENSIONS


@pytest.mark.parametrize(
    "content",
    [
        SVG,
        HTML,
        b"\n" + PDF,
        b"GIF89a" + b"alert(1)",
        HTML + PDF,
        b"MZ" + archive("a"),
        HTML + image("PNG"),
        b"\xff\xd8\xff\xe0" + HTML,
        image("PNG")[:20],
        image("JPEG")[:20],
        image("WEBP")[:20],
        image("GIF")[:8],
        b"\x89PNG\r\n\x1a\n",
        archive("word/document.xml", "word/vbaProject.bin"),
    ],
)
def test_what_only_partly_looks_like_an_image_or_a_document_is_not_shown(content: bytes) -> None:
    assert found(content) not in INLINE


def test_what_is_behind_an_image_does_not_make_it_something_else() -> None:
    assert found(image("GIF") + HTML + archive("a.js")) == "image/gif"
    assert found(PDF + archive("a.js") + HTML) == "application/pdf"
    assert found(GIF_JS) not in {"text/html", "text/javascript"}


@pytest.mark.parametrize(
    "content",
    [
        png_header(60_000, 60_000),
        png_header(7_072, 7_072),
        png_header(30_001, 1),
        jpeg_of_size(60_000, 60_000),
        jpeg_of_size(9_000, 9_000),
        gif_of_size(65_535, 65_535),
        gif_of_size(1, 30_001),
    ],
)
def test_an_image_of_too_many_pixels_is_refused_by_its_header(content: bytes) -> None:
    assert len(content) < 1000
    assert refusal(content) == "evidence-image-too-large"


def test_an_image_at_the_bounds_is_taken() -> None:
    assert found(png_header(30_000, 1_666)) == "image/png"
    assert found(png_header(7_071, 7_071)) == "image/png"


def test_an_image_cut_off_behind_its_header_is_still_one() -> None:
    whole = image("JPEG", 200, 200)
    assert found(whole[: len(whole) // 2 + 300]) == "image/jpeg"


def test_a_webp_that_says_it_is_huge_is_refused() -> None:
    canvas = b"\x00\x00\x00\x00" + (16_383 - 1).to_bytes(3, "little") * 2
    body = b"WEBP" + b"VP8X" + struct.pack("<I", 10) + canvas
    assert refusal(b"RIFF" + struct.pack("<I", len(body)) + body) == "evidence-image-too-large"


def test_an_archive_that_would_unpack_to_too_much_is_refused() -> None:
    assert refusal(declared(archive("bomb"), 2**31)) == "evidence-archive-too-large"
    # Without the ZIP64 field that would say how much, it counts as the most that fits.
    assert refusal(declared(archive("bomb"), 2**32 - 1)) == "evidence-archive-too-large"


def test_a_real_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_directories, "LARGEST_UNPACKED", 20 * 1024 * 1024)
    bomb = archive("1", "2", "3", content=bytes(7 * 1024 * 1024))
    assert len(bomb) < 30_000
    assert refusal(bomb) == "evidence-archive-too-large"
    assert found(archive("1", "2", content=bytes(7 * 1024 * 1024))) == "application/zip"


def test_overlapping_entries_are_counted_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_directories, "LARGEST_UNPACKED", 1000)
    one = archive("same", content=bytes(400))
    start, end = one.index(b"PK\x01\x02"), one.index(b"PK\x05\x06")
    entry = one[start:end]
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 3, 3, 3 * len(entry), start, 0)
    assert refusal(one[:start] + 3 * entry + tail) == "evidence-archive-too-large"


def test_an_archive_of_too_many_entries_is_refused() -> None:
    names = [str(number) for number in range(zip_directories.MOST_ENTRIES + 1)]
    assert refusal(archive(*names, content=b"")) == "evidence-archive-too-large"
    assert found(archive(*names[1:], content=b"")) == "application/zip"


def test_an_archive_with_a_comment_is_one() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as written:
        written.writestr("OFD.xml", "<x/>")
        written.comment = b"PK\x05\x06 not the end" * 40
    assert found(file.getvalue()) == "application/ofd"


def test_a_large_archive_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 1)
    assert found(archive("OFD.xml", "more", "and more")) == "application/ofd"


@pytest.mark.parametrize(
    "change",
    [
        lambda whole: whole[:-1],
        lambda whole: whole + b"\x00",
        lambda whole: whole[: whole.index(b"PK\x01\x02")],
        lambda whole: whole.replace(b"PK\x01\x02", b"PK\x01\x03"),
        lambda whole: b"PK\x03\x04" + whole,
        lambda whole: whole[:4],
        lambda whole: whole[:-14] + struct.pack("<HH", 1, 1) + whole[-10:],
    ],
    ids=["cut", "more", "no directory", "other entry", "prefixed", "signature only", "fewer counted than there are"],
)
def test_an_archive_that_readers_may_see_differently_is_none(change: object) -> None:
    whole = archive("word/document.xml", "a.exe")
    assert found(change(whole)) in {"application/octet-stream", "text/plain"}  # type: ignore[operator]


HEADS = [image(kind) for kind in ("PNG", "JPEG", "GIF", "WEBP")] + [archive("xl/workbook.xml", "b"), PDF]


@settings(max_examples=100)
@given(st.sampled_from(HEADS), st.data())
def test_whatever_the_bytes_there_is_an_answer(whole: bytes, data: st.DataObject) -> None:
    changed = bytearray(whole)
    for _ in range(data.draw(st.integers(0, 6))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    content = bytes(changed[: data.draw(st.integers(1, len(changed)))]) + data.draw(st.binary(max_size=20))
    try:
        answer = found(content)
    except Rejection as refused:
        [one] = refused.refusals
        answer = one.code
    assert answer in {*EXTENSIONS, "evidence-image-too-large", "evidence-archive-too-large"}
