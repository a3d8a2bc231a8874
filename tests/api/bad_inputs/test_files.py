"""Files from outside: bombs, pictures of nothing, files that are two things at once; refused, or only ever saved."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import pytest

from ledger.rejection import Rejection
from projections.official_documents import pages as official_pages
from projections.official_documents.pages import pages
from tests.api.bad_inputs.refusals import refusal
from tests.api.county import HERE, UNIT, YEAR, County
from tests.ledger.evidence.files import PDF, archive, declared, gif_of_size, image, jpeg_of_size, png_header

FILES = f"{HERE}/evidence"
DOCUMENT = f"{HERE}/schemes/zhangshu-2021/versions/1/document"
IMAGE, ARCHIVE = "evidence-image-too-large", "evidence-archive-too-large"
SCRIPT = b"<script>alert(1)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'


def webp_of_size(width: int, height: int) -> bytes:
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4)
    body += (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", len(body)) + body


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "evidence-empty"),
    "a PNG of 60000 × 60000": (lambda: png_header(60_000, 60_000), IMAGE),
    "a PNG of 2**31": (lambda: png_header(2**31 - 1, 2**31 - 1), IMAGE),
    "a PNG of one line": (lambda: png_header(2**31 - 1, 1), IMAGE),
    "a JPEG of 65535 × 65535": (lambda: jpeg_of_size(65_535, 65_535), IMAGE),
    "a GIF of 65535 × 65535": (lambda: gif_of_size(65_535, 65_535), IMAGE),
    "a WebP of 16383 × 16383": (lambda: webp_of_size(16_383, 16_383), IMAGE),
    "a ZIP of 2 GiB": (lambda: declared(archive("bomb"), 2**31), ARCHIVE),
    "a ZIP of 4 GiB": (lambda: declared(archive("bomb"), 2**32 - 1), ARCHIVE),
    "a ZIP of 10 001 entries": (lambda: archive(*map(str, range(10_001)), content=b""), ARCHIVE),
    "an xlsx of 2 GiB": (lambda: declared(archive("xl/workbook.xml"), 2**31), ARCHIVE),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_is_out_of_bounds_is_not_stored(shared: County, name: str) -> None:
    make, code = REFUSED[name]

    assert refusal(shared.client.post(FILES, content=make())) == (422, code, "file")


SAVED: dict[str, bytes] = {
    "SVG": SVG,
    "SVG with a declaration": b'<?xml version="1.0"?>' + SVG,
    "SVG behind white space": b"\n\n" + SVG,
    "SVG, packed": zlib.compress(SVG),
    "a web page": b"<!doctype html>" + SCRIPT,
    "a web page in UTF-16": ("\ufeff<script>alert(1)</script>").encode("utf-16-le"),
    "a web page in UTF-7": b"+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
    "XML with a style sheet": b'<?xml-stylesheet href="javascript:alert(1)"?><x/>',
    "a script": b"#!/bin/sh\nrm -rf /\n",
    "JavaScript": b"alert(document.cookie)",
    "a program": b"MZ\x90\x00" + bytes(60),
    "an ELF program": b"\x7fELF\x02\x01\x01" + bytes(9),
    "a class": b"\xca\xfe\xba\xbe\x00\x00\x00\x34",
    "CSV with a formula": b'=HYPERLINK("https://example.com"),1\n',
    "a mail": b"MIME-Version: 1.0\nContent-Type: text/html\n\n" + SCRIPT,
    "a web page before a PDF": SCRIPT + PDF,
    "a web page before a PNG": SCRIPT + image("PNG"),
    "a web page before a ZIP": SCRIPT + archive("a"),
    "a PDF behind a line": b"\n" + PDF,
    "a GIF that is a script": b"GIF89a=1;alert(1)//",
    "a PNG cut off": image("PNG")[:20],
    "a document with macros": archive("word/document.xml", "word/vbaProject.bin"),
    "an archive that climbs": archive("../../../../etc/passwd", "..\\..\\x", "/etc/passwd"),
    "an archive with NUL in a name": archive("a\0.png"),
    "a TIFF": image("TIFF"),
    "PostScript": b"%!PS-Adobe-3.0\n(/etc/passwd) (r) file\n",
    "Flash": b"CWS\x0a" + bytes(20),
}


@pytest.mark.parametrize("name", SAVED)
def test_what_a_browser_could_run_is_only_ever_saved(shared: County, name: str) -> None:
    stored = shared.client.post(FILES, content=SAVED[name], headers={"Content-Type": "text/html"})
    assert stored.status_code == 201, stored.text
    given = shared.client.get(f"{FILES}/{stored.json()['file']}/content?inline=true")

    assert given.content == SAVED[name]
    assert given.headers["content-disposition"].startswith("attachment; ")
    assert given.headers["x-content-type-options"] == "nosniff"
    assert given.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert not {"html", "xml", "svg", "javascript"} & set(
        given.headers["content-type"].replace("+", "/").replace(";", "/").split("/")
    )


BEHIND: dict[str, tuple[bytes, str]] = {
    "a script behind a GIF": (image("GIF") + SCRIPT, "image/gif"),
    "an archive behind a PNG": (image("PNG") + archive("a.js"), "image/png"),
    "a script behind a JPEG": (image("JPEG") + SCRIPT, "image/jpeg"),
    "a web page behind a PDF": (PDF + SCRIPT, "application/pdf"),
    "an archive behind a PDF": (PDF + archive("META-INF/MANIFEST.MF"), "application/pdf"),
}


@pytest.mark.parametrize("name", BEHIND)
def test_what_stands_behind_a_picture_is_never_looked_at(shared: County, name: str) -> None:
    content, media_type = BEHIND[name]
    file = shared.client.post(FILES, content=content, headers={"Content-Type": "text/html"}).json()["file"]
    given = shared.client.get(f"{FILES}/{file}/content?inline=true")

    assert (given.headers["content-type"], given.headers["x-content-type-options"]) == (media_type, "nosniff")
    assert given.headers["content-security-policy"] == "default-src 'none'; sandbox"


def stream(data: bytes) -> bytes:
    packed = zlib.compress(data, 9)
    return b"<</Length %d/Filter/FlateDecode>>\nstream\n" % len(packed) + packed + b"\nendstream"


def pdf(*objects: bytes, trailer: bytes = b"") -> bytes:
    """A PDF of these objects, the first of which is its catalog."""
    written, places = b"%PDF-1.7\n", []
    for number, one in enumerate(objects, start=1):
        places.append(len(written))
        written += b"%d 0 obj\n" % number + one + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count, start = len(objects) + 1, len(written)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % count
    end = b"trailer <</Root 1 0 R/Size %d%s>>\nstartxref\n%d\n%%%%EOF" % (count, trailer, start)
    return written + head + table + end


CATALOG = b"<</Type/Catalog/Pages 2 0 R>>"
FONTS = b"/Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>"


def page(contents: bytes) -> bytes:
    """A PDF of one page with these contents."""
    only = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<<%s>>>>" % FONTS
    return pdf(CATALOG, b"<</Type/Pages/Kids[3 0 R]/Count 1>>", only, contents)


def twice_packed() -> bytes:
    packed = zlib.compress(zlib.compress(bytes(200_000_000), 9), 9)
    return b"<</Length %d/Filter[/FlateDecode/FlateDecode]>>\nstream\n" % len(packed) + packed + b"\nendstream"


LEAF = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 1 1]>>"
SECRET = b"<</Filter/Standard/V 1/R 2/P -1/O(" + b"x" * 32 + b")/U(" + b"x" * 32 + b")>>"
BROKEN, LONG = "document-broken", "document-too-long"
DOCUMENTS: dict[str, tuple[Callable[[], bytes], str]] = {
    "a head alone": (lambda: b"%PDF-1.7\n", BROKEN),
    "noise": (lambda: b"%PDF-1.7\n" + b"\xff" * 1_000, BROKEN),
    "a web page": (lambda: b"%PDF-1.7\n" + SCRIPT, BROKEN),
    "cut off": (lambda: page(stream(b"q Q"))[:-30], BROKEN),
    "pages that hold themselves": (lambda: pdf(CATALOG, b"<</Type/Pages/Kids[2 0 R]/Count 1>>"), BROKEN),
    "a catalog that is itself": (lambda: pdf(b"1 0 R"), BROKEN),
    "a page 10 000 times": (
        lambda: pdf(CATALOG, b"<</Type/Pages/Kids[%s]/Count 1>>" % (b"3 0 R " * 10_000), LEAF),
        LONG,
    ),
    "encrypted": (
        lambda: pdf(CATALOG, b"<</Type/Pages/Kids[]/Count 0>>", SECRET, trailer=b"/Encrypt 3 0 R/ID[(a)(b)]"),
        "document-encrypted",
    ),
    "a bomb of 100 MB": (lambda: page(stream(b"q Q\n" * 25_000_000)), BROKEN),
    "a bomb in a bomb": (lambda: page(twice_packed()), BROKEN),
    "deep objects": (lambda: page(b"[" * 20_000), BROKEN),
    "deep contents": (lambda: page(stream(b"[" * 200_000)), BROKEN),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_that_is_out_of_bounds_is_refused(name: str) -> None:
    make, code = DOCUMENTS[name]
    with pytest.raises(Rejection) as refused:
        pages(make(), "application/pdf")

    assert [one.code for one in refused.value.refusals] == [code]


def ruled(rules: int, texts: int) -> bytes:
    drawn = b"".join(b"%d 0 m %d 800 l S\n" % (at % 595, at % 595) for at in range(rules))
    return page(stream(drawn + b"BT /F 9 Tf 1 0 0 1 100 100 Tm (a) Tj ET\n" * texts))


DRAWN: dict[str, Callable[[], bytes]] = {
    "many texts": lambda: page(stream(b"BT (a) Tj ET\n" * 2_000)),
    "more rules than a table has": lambda: ruled(400, 10),
    "the same contents on many pages": lambda: pdf(
        CATALOG,
        b"<</Type/Pages/Kids[" + b"3 0 R " * 100 + b"]/Count 100>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 1 1]/Contents 4 0 R/Resources<<%s>>>>" % FONTS,
        stream(b"BT (a) Tj ET\n" * 50),
    ),
}


@pytest.mark.parametrize("name", DRAWN)
def test_a_document_that_draws_too_much_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(official_pages, "MOST_DRAWN", 1_000)

    with pytest.raises(Rejection) as refused:
        pages(DRAWN[name](), "application/pdf")
    assert [one.code for one in refused.value.refusals] == [LONG]
    assert len(pages(page(stream(b"BT (a) Tj ET\n" * 100)), "application/pdf")) == 1


REGISTERED: dict[str, tuple[str, bytes, tuple[int, str]]] = {
    "nothing": ("text/plain", b"", (422, "document-empty")),
    "white space": ("text/plain", b" \n", (422, "document-empty")),
    "no UTF-8": ("text/plain", b"\xff\xfe", (422, "document-not-text")),
    "NUL": ("text/plain", b"a\0b", (422, "document-not-text")),
    "no PDF": ("application/pdf", SCRIPT, (422, "document-not-pdf")),
    "a PDF behind a line": ("application/pdf", b"\n" + PDF, (422, "document-not-pdf")),
    "a web page": ("text/html", SCRIPT, (415, "media-type")),
    "SVG": ("image/svg+xml", SVG, (415, "media-type")),
    "too large": ("text/plain", b"x" * (20 * 2**20 + 1), (413, "body-too-large")),
}


@pytest.mark.parametrize("name", REGISTERED)
def test_what_is_no_official_document_is_not_registered(shared: County, name: str) -> None:
    media_type, content, (status, code) = REGISTERED[name]
    before = shared.size()
    headers = {"Content-Type": media_type, "Idempotency-Key": f"document {name}".replace(" ", "-")}

    refused = refusal(shared.client.post(DOCUMENT, params={"title": "方案"}, content=content, headers=headers))
    assert refused[:2] == (status, code)
    assert shared.size() == before


def test_a_broken_document_spoils_no_score(shared: County) -> None:
    headers = {"Content-Type": "application/pdf", "Idempotency-Key": "broken"}
    registered = shared.client.post(DOCUMENT, params={"title": "方案"}, content=PDF + SCRIPT, headers=headers)
    assert registered.status_code == 201

    assert refusal(shared.client.get(f"{DOCUMENT}/lines"))[:2] == (422, BROKEN)
    assert shared.get(f"{YEAR}/derivations/{UNIT}")["unit"] == UNIT
    shown = shared.client.get(DOCUMENT).headers
    assert (shown["content-type"], shown["x-content-type-options"]) == ("application/pdf", "nosniff")
