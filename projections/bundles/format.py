"""The file of a proof bundle: its outer frame, its seal and the shape of its contents. Pure: bytes in, values out.

A bundle is one canonical JSON text (RFC 8785), `{"bundle": {…}, "seal": "…"}`. The seal is a signed note (C2SP
signed-note) by the ledger's key over the origin, the word `bundle` and the SHA-256 of the canonical bytes of the
member `bundle`. Because the frame is fixed, whoever reads can check the seal over the exact bytes before anything of
them is parsed. What the contents mean is checked by `projections.bundles.verifying`.
"""

from __future__ import annotations

from base64 import b64encode
from datetime import date, datetime
from hashlib import sha256
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ledger.canonical import JsonProblem, canonical_bytes, read_json
from ledger.event_bytes import written_moment
from ledger.events import Digest, Position, Text, Year

FORMAT: Final = "mingzhang/bundle/1"
LARGEST_BUNDLE: Final = 200_000_000
"""Most bytes of a bundle that is made or read."""
MOST_VALUES: Final = 2_000_000
"""Most values of a bundle that is made or read, as its commas and opening brackets bound them."""
LARGEST_SEAL: Final = 20_000
SEAL_WORD: Final = "bundle"
"""The second line of a sealed text; that of a checkpoint is a number, so neither can stand for the other."""

_BEGIN: Final = b'{"bundle":'
_BETWEEN: Final = b',"seal":'
_END: Final = b"}"

Mode = Literal["unit", "year"]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class BundleProblem(ValueError):
    """What does not hold of a bundle: a stable `code`, and plain words in Chinese for the one who checks."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(f"{sentence} [{code}]")
        self.code = code
        self.sentence = sentence


class Part(BaseModel):
    """Base of everything in a bundle: immutable, of exactly these fields, each of exactly its type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class BundledEvent(Part):
    """An event's position and exact bytes (base64), and its inclusion proof.

    The proof is null where all entries of the ledger are there: the root is then worked out from all of them.
    """

    position: Annotated[Position, Field(ge=1)]
    state: str
    proof: Annotated[list[Hash], Field(max_length=64)] | None


class BundledDocument(Part):
    """A text that an event names by its SHA-256: the scheme in force, or what last year's close froze."""

    digest: Digest
    text: str


class EvidenceNamed(Part):
    """A commitment to a stored file, the titles that entries name it by, and whether the file was erased by law."""

    commitment: Digest
    titles: list[Text]
    erased: bool


class LastGradeAssumed(Part):
    """The unit's frozen grade of the year before, which a bundle of one unit takes as given."""

    year: Year
    grade: Text


class Bundle(Part):
    """What is proved, of what, and by which bytes.

    `unit` is the unit's key. `known_at` null is: everything up to the checkpoint. `sheet`, `ranking` and `derivation`
    are the product's own answers; those of one unit claim no rank, and no grade by rank: `ranking` is null then.
    """

    format: Literal["mingzhang/bundle/1"]
    program: Text
    jurisdiction: Annotated[str, Field(pattern=r"^[0-9]{6}$")]
    year: Year
    unit: Text
    as_of: str
    known_at: str | None
    mode: Mode
    checkpoint: str
    events: list[BundledEvent]
    documents: list[BundledDocument]
    evidence: list[EvidenceNamed]
    last_grade: LastGradeAssumed | None
    sheet: dict[str, Any]
    ranking: dict[str, Any] | None
    derivation: dict[str, Any]

    @property
    def day(self) -> date:
        """The day of `as_of`."""
        return date.fromisoformat(self.as_of)

    @property
    def moment(self) -> datetime | None:
        """The moment of `known_at`."""
        return None if self.known_at is None else datetime.fromisoformat(self.known_at)


def bundle_content(bundle: Bundle) -> bytes:
    """Return the canonical bytes of the member `bundle`; raises `JsonProblem` beyond `LARGEST_BUNDLE`."""
    return canonical_bytes(bundle.model_dump(), LARGEST_BUNDLE)


def too_many_values(content: bytes) -> bool:
    """Whether JSON of these bytes may hold more values than are read; each has a comma or a bracket before it."""
    return sum(map(content.count, (b",", b"[", b"{"))) > MOST_VALUES


def sealed_text(origin: str, content: bytes) -> str:
    """Return the text that a seal signs, given the canonical bytes of the member `bundle`."""
    return f"{origin}\n{SEAL_WORD}\n{b64encode(sha256(content).digest()).decode()}\n"


def framed(content: bytes, seal: bytes) -> bytes:
    """Return the file: the canonical bytes of the member `bundle` and its seal, in one canonical JSON text."""
    return _BEGIN + content + _BETWEEN + canonical_bytes(seal.decode()) + _END


def unframed(file: bytes) -> tuple[bytes, bytes]:
    """Return the bytes of the member `bundle` and the seal; raises BundleProblem for what has no such frame."""
    if len(file) > LARGEST_BUNDLE:
        raise BundleProblem("bundle-too-large", f"文件有{len(file)}字节，最多为{LARGEST_BUNDLE}字节")
    # A quotation mark inside the seal is written with a backslash: the last of these words is the frame's own.
    at = file.rfind(_BETWEEN)
    if not file.startswith(_BEGIN) or not file.endswith(_END) or at < len(_BEGIN):
        raise BundleProblem("bundle-frame", "文件不是证明包：开头、结尾或封印的位置不对，可能不完整或被改动")
    return file[len(_BEGIN) : at], _seal(file[at + len(_BETWEEN) : -len(_END)])


def _seal(written: bytes) -> bytes:
    try:
        seal = read_json(written, LARGEST_SEAL)
        exact = canonical_bytes(seal) == written
    except JsonProblem:
        seal, exact = None, False
    if not isinstance(seal, str) or not exact:
        raise BundleProblem("bundle-frame", "封印不是一段规范的文字，可能不完整或被改动")
    return seal.encode()


def read_bundle(content: bytes) -> Bundle:
    """Return what the member `bundle` holds: only if writing it again gives the very same bytes.

    Raises BundleProblem, or `JsonProblem` for what is no strict JSON.
    """
    if too_many_values(content):
        raise BundleProblem("bundle-too-large", f"内容超过{MOST_VALUES}个值")
    found = read_json(content, LARGEST_BUNDLE)
    if isinstance(found, dict) and found.get("format") != FORMAT:
        raise BundleProblem("bundle-format", f"格式为{found.get('format')!r}，本程序只认得{FORMAT}")
    try:
        bundle = Bundle.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "bundle"
        raise BundleProblem("bundle-shape", f"字段{place}不合规定：{first['msg']}") from None
    if not _has_exact_times(bundle):
        raise BundleProblem("bundle-shape", "字段as_of或known_at不是规定的日期或时刻写法")
    if bundle_content(bundle) != content:
        raise BundleProblem("bundle-not-canonical", "内容不是规范写法（RFC 8785）：重新写出后字节不同")
    return bundle


def _has_exact_times(bundle: Bundle) -> bool:
    try:
        moment = bundle.moment
        exact = moment is None or (moment.tzinfo is not None and written_moment(moment) == bundle.known_at)
        return exact and bundle.day.isoformat() == bundle.as_of
    except (ValueError, OverflowError):
        return False
