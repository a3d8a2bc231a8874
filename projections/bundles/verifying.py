"""Checking a bundle: bytes and trusted keys in, what held and what did not out. No server, database or settings.

1. The seal: the ledger's key signed exactly these bytes. Nothing of the file is parsed before.
2. The form: strict JSON, every field known, and written again the same bytes.
3. The checkpoint: signed by the same key, of this jurisdiction's ledger, cosigned by every witness named.
4. Every entry: canonical bytes of a known event of this ledger.
5. The tree: each entry is proved to stand at its position; or all are there, and give the root.
6. The order: positions and moments rise, streams have no gaps, decisions and approvals fit what they name.
7. The scheme: the document whose digest the year's entries name, read strictly.
8. The score: facts folded from the bytes, the sheet recomputed and compared field by field (all units' ranks too).
9. The derivation: recomputed, compared, and held against itself node by node without the engine.
10. The evidence: the commitments that the entries name, which were erased, and the files that are given.

The first thing that does not hold ends the check. What it cannot know is said at the end; that an operator who holds
the key left entries out of a bundle of one unit is such a thing, and not of a bundle of the whole year.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Final

from ledger.canonical import JsonProblem
from ledger.checkpoints import Checkpoint, open_cosigned
from ledger.event_bytes import EventMapper
from ledger.events import EvidenceErased, SchemeRegistered, YearClosed
from ledger.merkle import ProofRejected, root_of, verify_inclusion
from ledger.signed_notes import NoteRejected, VerifierKey, open_note, parse_note
from projections.bundles.answering import (
    Answers,
    Asked,
    answers,
    assumed_grades,
    first_difference,
    last_close,
    year_view,
)
from projections.bundles.entries import UNREADABLE, LedgerEntry, evidence_named, ledger_entry
from projections.bundles.evidence_files import check_file
from projections.bundles.format import Bundle, BundleProblem, read_bundle, sealed_text, unframed
from projections.bundles.models import FindingAnswer, ProvedAnswer, StepAnswer, VerificationAnswer
from projections.bundles.order import alone, check_order
from projections.bundles.printable import printable
from projections.proceedings.frozen_sheets import frozen_sheets
from projections.scheme_files import vocabulary
from projections.years import LastGrades, YearView
from schemes.derivations.recomputing import disagreements
from schemes.problem import InvalidInput
from schemes.reading import read_scheme
from schemes.scheme import Scheme

PROGRAM: Final = version("mingzhang")
_MOST_NAMED: Final = 20
"""Most positions that one sentence names."""

Held = tuple[str, int | None]
"""What a step checked, in a sentence, and how many things it counted."""


def verify(
    file: bytes, key: VerifierKey, witnesses: Sequence[VerifierKey] = (), evidence: Path | None = None
) -> VerificationAnswer:
    """Return what held of the bundle and the first thing that did not; raises nothing for any bytes.

    `key` is the ledger's, known from elsewhere than the bundle; each of `witnesses` must have cosigned the checkpoint;
    `evidence` is a folder with files that were given (`projections.bundles.evidence_files`).
    """
    checking = _Checking(key, tuple(dict.fromkeys(witnesses)), evidence)
    steps: list[StepAnswer] = []
    for number, (title, code, step) in enumerate(checking.steps(file), start=1):
        held = _held(step, code)
        if isinstance(held, BundleProblem):
            finding = FindingAnswer(step=number, title=title, code=held.code, sentence=printable(held.sentence))
            return VerificationAnswer(holds=False, steps=steps, finding=finding, proved=None, unknown=[])
        sentence, count = held
        steps.append(StepAnswer(number=number, title=title, sentence=printable(sentence), count=count))
    return VerificationAnswer(
        holds=True,
        steps=steps,
        finding=None,
        proved=checking.proved(),
        unknown=[printable(line) for line in checking.unknown()],
    )


def _held(step: Callable[[], Held], code: str) -> Held | BundleProblem:
    try:
        return step()
    except BundleProblem as problem:
        return problem
    except UNREADABLE as error:
        # Only who holds the key gets here: what is signed has a shape that nothing can be worked out from.
        return BundleProblem(code, f"无法核对：{_first_line(error)}")


class _Checking:
    """The steps in their order; each finds what the ones before it have verified."""

    _content: bytes
    _bundle: Bundle
    _checkpoint: Checkpoint
    _entries: list[LedgerEntry]
    _approved: frozenset[int]
    _alone: list[int]
    _later: int
    _scheme: Scheme
    _last_grades: LastGrades | None
    _view: YearView
    _answers: Answers

    def __init__(self, key: VerifierKey, witnesses: Sequence[VerifierKey], evidence: Path | None) -> None:
        self._key = key
        self._witnesses = witnesses
        self._folder = evidence

    def steps(self, file: bytes) -> Iterator[tuple[str, str, Callable[[], Held]]]:
        """Yield title, the code of what no step can work with, and the step."""
        yield "封印", "bundle-frame", lambda: self._check_seal(file)
        yield "格式", "bundle-shape", self._check_form
        yield "检查点", "checkpoint-refused", self._check_checkpoint
        yield "记录原文", "entry-refused", self._check_entries
        yield "收录证明", "proof-refused", self._check_tree
        yield "先后次序", "order-refused", self._check_order
        yield "计分办法", "scheme-refused", self._check_scheme
        yield "得分", "score-not-computable", self._check_score
        yield "推导", "derivation-not-computable", self._check_derivation
        yield "证据", "evidence-refused", self._check_evidence

    # 1.
    def _check_seal(self, file: bytes) -> Held:
        self._content, seal = unframed(file)
        try:
            text, _ = parse_note(seal)
            if text != sealed_text(self._key.name, self._content):
                sentence = f"封印所签的不是{self._key.name}账本的这份内容：内容被改动，或封印来自别处"
                raise BundleProblem("seal-other-content", sentence)
            open_note(seal, [self._key])
        except NoteRejected as rejected:
            raise BundleProblem("seal-not-by-key", f"封印不是{self._key.name}的密钥所签：{rejected}") from None
        return f"由密钥{self._key.name}签署，所签的正是本文件的{len(self._content)}字节", len(self._content)

    # 2.
    def _check_form(self) -> Held:
        try:
            self._bundle = read_bundle(self._content)
        except JsonProblem as problem:
            raise BundleProblem("bundle-not-canonical", f"内容不是严格的JSON：{problem}") from None
        bundle = self._bundle
        moment = "检查点为止的全部登记" if bundle.known_at is None else f"{bundle.known_at}以前的登记"
        unit = "该单位自己的记录" if bundle.mode == "unit" else "账本的全部记录"
        told = (
            f"{bundle.jurisdiction}账本{bundle.year}年度{bundle.unit}截至{bundle.as_of}的得分，依{moment}；内含{unit}"
        )
        return f"规范写法，逐字节一致：{told}", None

    # 3.
    def _check_checkpoint(self) -> Held:
        bundle = self._bundle
        try:
            self._checkpoint, seen = open_cosigned(bundle.checkpoint.encode(), self._key, self._witnesses)
        except NoteRejected as rejected:
            raise BundleProblem("checkpoint-refused", f"检查点不可信：{rejected}") from None
        if self._key.name.rpartition("/")[2] != bundle.jurisdiction:
            raise BundleProblem("other-ledger", f"密钥是{self._key.name}的，证明包却是{bundle.jurisdiction}的")
        missing = [one.name for one in self._witnesses if one not in {cosigned.witness for cosigned in seen}]
        if missing:
            raise BundleProblem("witness-missing", f"检查点上没有见证人{'、'.join(missing)}的联署")
        told = f"账本当时有{self._checkpoint.size}条记录，根为{b64encode(self._checkpoint.root).decode()}"
        return f"签名有效；{told}" + (f"；{len(seen)}个见证人联署" if seen else ""), len(seen) + 1

    # 4.
    def _check_entries(self) -> Held:
        mapper = EventMapper(self._bundle.jurisdiction)
        self._entries = []
        for one in self._bundle.events:
            try:
                state = b64decode(one.state, validate=True)
                if b64encode(state).decode() != one.state:
                    raise ValueError("not the one exact base64 form of the bytes")
                self._entries.append(ledger_entry(one.position, state, mapper))
            except ValueError as error:
                sentence = f"第{one.position}号记录的字节不是账本写下的样子：{_first_line(error)}"
                raise BundleProblem("entry-not-exact", sentence) from None
        return f"{len(self._entries)}条记录的字节都是规范写法，都是本账本的已知事项", len(self._entries)

    # 5.
    def _check_tree(self) -> Held:
        size, root = self._checkpoint.size, self._checkpoint.root
        if self._bundle.mode == "year":
            return self._check_whole_tree(size, root)
        hashes = 0
        for one, bundled in zip(self._entries, self._bundle.events, strict=True):
            proof = [bytes.fromhex(value) for value in bundled.proof or ()]
            hashes += len(proof)
            try:
                verify_inclusion(one.leaf, one.position - 1, size, proof, root)
            except ProofRejected as rejected:
                sentence = f"第{one.position}号记录不能证明收录在检查点之内：{rejected}"
                raise BundleProblem("inclusion-not-proved", sentence) from None
        count = len(self._entries)
        return f"共核对{count}条记录的字节与证明（{hashes}个散列值），都收录在检查点之内", count

    def _check_whole_tree(self, size: int, root: bytes) -> Held:
        if any(one.proof is not None for one in self._bundle.events):
            raise BundleProblem("proof-not-needed", "全年包不含单条证明，却附有证明")
        if [one.position for one in self._entries] != list(range(1, len(self._entries) + 1)):
            raise BundleProblem("entries-not-dense", "记录的编号不是从1起连续的：有缺漏、重复或调换")
        if len(self._entries) != size:
            sentence = f"检查点有{size}条记录，包内有{len(self._entries)}条"
            raise BundleProblem("entries-not-whole", f"{sentence}：有缺漏或多余")
        if root_of(one.leaf for one in self._entries) != root:
            raise BundleProblem("root-differs", "由全部记录算出的根与检查点的根不同：有记录被改动、替换或调换")
        return f"由全部{size}条记录算出的根与检查点一致：一条不多，一条不少", size

    # 6.
    def _check_order(self) -> Held:
        unit = self._bundle.unit if self._bundle.mode == "unit" else None
        streams, ordered, self._approved = check_order(self._entries, self._bundle.jurisdiction, unit)
        told = f"{len(self._entries)}条记录分属{streams}个序列，版本连续，登记时刻不倒退"
        return f"{told}；{ordered}条由申诉决定所命令，{len(self._approved)}条经第二人批准，均与其依据相符", streams

    # 7.
    def _check_scheme(self) -> Held:
        documents = {one.digest: one.text for one in self._bundle.documents}
        for digest, text in documents.items():
            if sha256(text.encode()).hexdigest() != digest:
                raise BundleProblem("document-altered", f"所附文件的散列值不是{digest}：文件被改动")
        self._last_grades, close = self._grades(documents)
        registered = {one.event.scheme for one in self._entries if isinstance(one.event, SchemeRegistered)}
        view = year_view(self._entries, self._checkpoint.size, self._asked, self._read(documents), self._last_grades)
        _, in_force = view.state.opened()
        if in_force not in registered:
            raise BundleProblem("scheme-not-registered", f"没有计分办法{in_force.id}第{in_force.version}版的登记记录")
        named = {in_force.digest, *([close.sheets] if close else [])}
        if named != set(documents) or len(documents) != len(self._bundle.documents):
            raise BundleProblem("documents-not-named", "所附文件与记录所指的不是同一些")
        self._view, self._scheme = view, view.scheme
        found = (view.scheme.id, view.scheme.version, view.scheme.jurisdiction.code, view.scheme.year)
        if found != (in_force.id, in_force.version, self._bundle.jurisdiction, self._bundle.year):
            raise BundleProblem("scheme-other", f"计分办法写的是{found}，不是记录所指的那一个")
        self._alone = alone(self._entries, self._approved, self._bundle.year, view.scheme)
        told = f"按{in_force.id}第{in_force.version}版（《{view.scheme.document.title}》）"
        return f"{told}，所附文件的SHA-256为{in_force.digest}，正是记录所指的", len(documents)

    def _read(self, documents: dict[str, str]) -> Callable[[str], Scheme]:
        def read(digest: str) -> Scheme:
            if digest not in documents:
                raise BundleProblem("document-missing", f"没有附上记录所指的计分办法{digest}")
            try:
                return read_scheme(documents[digest], digest, vocabulary())
            except InvalidInput as invalid:
                raise BundleProblem("scheme-refused", f"计分办法读不通：{_first_line(invalid)}") from None

        return read

    def _grades(self, documents: dict[str, str]) -> tuple[LastGrades | None, YearClosed | None]:
        """Return last year's frozen grades, and the close that froze them where all entries are there to tell."""
        if self._bundle.mode == "unit":
            return assumed_grades(self._bundle.unit, self._bundle.last_grade), None
        if self._bundle.last_grade is not None:
            raise BundleProblem("assumption-not-needed", "全年包不应假定上年度等次")
        close = last_close(self._entries, self._asked)
        if close is None:
            return None, None
        if close.sheets not in documents:
            raise BundleProblem("document-missing", f"没有附上上年度封存的得分表{close.sheets}")
        return frozen_sheets(documents[close.sheets].encode()).grades, close

    @property
    def _asked(self) -> Asked:
        bundle = self._bundle
        return Asked(bundle.year, bundle.unit, bundle.day, bundle.moment, bundle.mode)

    # 8.
    def _check_score(self) -> Held:
        bundle, view = self._bundle, self._view
        unit = view.unit(bundle.unit)
        if unit.key != bundle.unit or view.as_of != bundle.day:
            raise BundleProblem("question-differs", "所问的单位或日期，不是本年度的单位首用名或考核期内的日期")
        self._answers = answers(view, unit, bundle.mode)
        self._compare("sheet-differs", "得分表", bundle.sheet, self._answers.sheet)
        self._compare("ranking-differs", "排名", bundle.ranking, self._answers.ranking)
        rows = len(self._answers.sheet["rows"])
        known = [one for one in view.entries if view.known_at is None or one.recorded_at <= view.known_at]
        self._later = sum(view.known_at is not None and one.event.recorded_at > view.known_at for one in self._entries)
        used = sum(fact.occurred_on <= view.as_of for fact in view.facts)
        told = f"由{len(known)}条事实记录（截至当日的{used}项事实）重算"
        told += f"，{rows}个指标逐项一致，总分{self._answers.sheet['total']}分"
        if bundle.mode == "unit":
            return told, rows
        return f"{told}；全部{len(view.units)}个单位的总分、名次和等次也逐一重算，均一致", rows

    # 9.
    def _check_derivation(self) -> Held:
        self._compare("derivation-differs", "推导", self._bundle.derivation, self._answers.derivation)
        tree = self._bundle.derivation["tree"]
        lines = disagreements(tree)
        if lines:
            raise BundleProblem("derivation-not-adding-up", f"推导前后不一：{lines[0]}")
        nodes = _nodes(tree)
        return f"推导共{nodes}步，逐步与重算一致；每步又不经计分程序、由其下各步另行核算，均相符", nodes

    def _compare(self, code: str, what: str, stated: object, worked_out: object) -> None:
        found = first_difference(stated, worked_out)
        if found is not None:
            made_by = self._bundle.program
            other = "" if made_by == PROGRAM else f"（制作程序为{made_by}版，核对程序为{PROGRAM}版）"
            raise BundleProblem(code, f"{what}与重算不一致：{found}{other}")

    # 10.
    def _check_evidence(self) -> Held:
        named = evidence_named(self._entries)
        if named != self._bundle.evidence:
            raise BundleProblem("evidence-differs", "证据清单与记录所指的证据不一致")
        erasures = {
            one.event.commitment: one.position in self._approved
            for one in self._entries
            if isinstance(one.event, EvidenceErased)
        }
        by_law = sum(one.erased and erasures[one.commitment] for one in named)
        unlawful = sum(one.erased for one in named) - by_law
        told = f"记录所指的{len(named)}个证据文件，承诺值与标题均与记录一致"
        told += f"；其中{by_law}个已依法销毁，承诺值完好" if by_law else ""
        told += f"；其中{unlawful}个记为已销毁，但账上没有第二人批准" if unlawful else ""
        if self._folder is not None:
            given = [check_file(self._folder, one.commitment) for one in named if not one.erased]
            told += f"；所给文件夹中有{sum(given)}个，内容与承诺值一致"
        return told, len(named)

    def proved(self) -> ProvedAnswer:
        """Return what the bundle proves."""
        bundle, sheet = self._bundle, self._answers.sheet
        return ProvedAnswer(
            jurisdiction=bundle.jurisdiction,
            year=bundle.year,
            unit=printable(sheet["unit"]),
            as_of=bundle.day,
            known_at=bundle.moment,
            mode=bundle.mode,
            checkpoint=bundle.checkpoint,
            scheme_digest=self._view.state.opened()[1].digest,
            total=sheet["total"],
            rank=sheet.get("rank"),
            grade=None if sheet.get("grade") is None else printable(sheet["grade"]),
        )

    def unknown(self) -> Iterator[str]:
        """Yield what the check cannot know, in plain words."""
        bundle, size = self._bundle, self._checkpoint.size
        if bundle.mode == "unit":
            yield (
                "账本里有没有漏装进本包的记录：经办机关若漏装一条作废或更正，本包看不出来。"
                "要证明一条不漏，请索取全年包（--whole-year）。"
            )
            unclaimed = "名次" if "grade" in self._answers.sheet else "名次和按名次定的等次"
            yield f"{unclaimed}：要有其他单位的全部记录才能重算，本包没有主张，也没有核对。"
        if bundle.last_grade is not None:
            given = bundle.last_grade
            yield f"{given.year}年度的等次是否确为“{given.grade}”：重算时以此为前提，本包没有证明。"
        if self._last_grades is not None and bundle.mode == "year":
            yield f"{self._last_grades.year}年度的等次本身：取自该年度封存的得分表，没有重算那一年。"
        yield "证据文件的内容是否如其标题所说，事实是否真的发生过。"
        yield "记录里的登记人、提议人和批准人，是否确为其人。"
        _, scheme = self._view.state.opened()
        yield f"计分办法是否就是公布的那一份：请把公布文件的SHA-256与{scheme.digest}对照。"
        if self._later:
            yield (
                f"所问时刻{bundle.known_at}之后到检查点为止登记的{self._later}条记录（包内）："
                "按所问时刻不计入得分；眼下的得分可能不同。"
            )
        elif bundle.known_at is not None:
            yield f"所问时刻{bundle.known_at}之后到检查点为止又登记了什么：按所问时刻不计入得分，眼下的得分可能不同。"
        yield f"检查点（第{size}号记录）之后又登记了什么。"
        if not self._witnesses:
            yield "经办机关是否给别人看了另一本账：没有核对见证人联署（--witness-key）；可把检查点与别人手里的对照。"
        if self._alone:
            shown = "、".join(map(str, self._alone[:_MOST_NAMED])) + ("等" if len(self._alone) > _MOST_NAMED else "")
            yield (
                f"第{shown}号记录（共{len(self._alone)}条）是作废、决定、销毁证据，或按本办法须经第二人批准的登记、"
                "更正、整改，账上没有第二人批准：是谁同意的，本包看不出来。"
            )


def _nodes(tree: object) -> int:
    """Return how many nodes the derivation has."""
    found, left = 0, [tree]
    while left:
        node = left.pop()
        found += 1
        left += node["children"] if isinstance(node, dict) else []
    return found


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
