"""The few rules of the project that no linter knows."""

import re
import subprocess
import tomllib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
VENDORED = sorted(path.parent for path in ROOT.glob("api/static/*/CHECKSUMS"))
READMES = ("README.md", "README.zh-CN.md")
LOCKS = ("requirements.lock", "requirements-test.lock")
LONGEST_MODULE = 500

MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:home|root|tmp|work|Users)/")
REGISTRY = re.compile(
    r"\b(?:pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|npmmirror\.com|jsdelivr\.net|unpkg\.com"
    r"|deb\.debian\.org|(?:mirrors?|pypi)\.[a-z0-9-]+\.(?:com|cn|org|edu))\b"
)
NOT_RUN = re.compile(r"\bpytest\.(?:mark\.)?(?:skip|skipif|xfail|importorskip)\b|\bunittest\.skip")
UNFINISHED = re.compile(r"\b(?:TO[D]O|FIX[M]E|XX[X])\b|\bNotImplemented[E]rror\b")
BLANKET_IGNORE = re.compile(r"# (?:type: ignore|noqa)\s*$")


def own_files(suffix: str = "") -> list[Path]:
    """The files of the repository that are written here: not ignored by git, not vendored."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    paths = [ROOT / name for name in listed.split("\0") if name.endswith(suffix) and name]
    return [path for path in paths if path.is_file() and not set(VENDORED) & set(path.parents)]


def lines_of(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        return []


def places(pattern: re.Pattern[str], paths: list[Path]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in paths
        for number, line in enumerate(lines_of(path), start=1)
        if pattern.search(line)
    ]


@pytest.mark.parametrize("pattern", [MACHINE_PATH, REGISTRY], ids=["machine path", "registry host"])
def test_no_file_names_a_machine_or_a_registry(pattern: re.Pattern[str]) -> None:
    assert places(pattern, own_files()) == []


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (MACHINE_PATH, "open('" + "/" + "root/x')"),
        (REGISTRY, "https://" + "pypi" + ".org/simple"),
        (NOT_RUN, "@pytest." + "mark.skip(reason='slow')"),
        (UNFINISHED, "# " + "TO" + "DO: later"),
        (BLANKET_IGNORE, "x = f()  # " + "type: ignore"),
    ],
)
def test_the_patterns_find_what_they_look_for(pattern: re.Pattern[str], text: str) -> None:
    assert pattern.search(text)


def test_every_test_is_run() -> None:
    assert places(NOT_RUN, own_files(".py")) == []


def test_nothing_is_left_unfinished() -> None:
    assert places(UNFINISHED, own_files()) == []


def test_ignored_warnings_are_named() -> None:
    assert places(BLANKET_IGNORE, own_files(".py")) == []


def test_modules_are_short() -> None:
    lengths = {str(path.relative_to(ROOT)): len(lines_of(path)) for path in own_files(".py")}
    assert {name: length for name, length in lengths.items() if length >= LONGEST_MODULE} == {}


def test_every_test_file_stands_under_a_test_path() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    test_paths = [ROOT / name for name in settings["tool"]["pytest"]["testpaths"]]
    files = [path for path in own_files(".py") if path.name.startswith("test_")]
    assert [path for path in files if not any(path.is_relative_to(home) for home in test_paths)] == []


def test_both_readmes_name_the_same_commands() -> None:
    english, chinese = (commands((ROOT / name).read_text(encoding="utf-8")) for name in READMES)
    assert english
    assert english == chinese


def commands(markdown: str) -> list[str]:
    """The command lines of a page's shell blocks, without prompts, comments and output."""
    blocks = re.findall(r"^```(?:bash|console|sh|shell)\n(.*?)^```", markdown, re.MULTILINE | re.DOTALL)
    lines = "\n".join(re.sub(r"\s+#\s.*$", "", block, flags=re.MULTILINE) for block in blocks)
    return re.findall(r"^(?:\$ )?((?:\./run|mingzhang|curl|git)\b.*)$", lines, re.MULTILINE)


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_holds_hashes_and_no_address(name: str) -> None:
    entries = list(locked(name))
    assert entries
    text = (ROOT / name).read_text(encoding="utf-8")
    assert re.findall(r"://| @ |^\s*-[^-].*|^--.*", text, re.MULTILINE) == []
    assert [str(requirement) for requirement, hashes in entries if not hashes] == []


def locked(name: str) -> Iterator[tuple[Requirement, list[str]]]:
    """Each pinned package of a lock file, with its hashes."""
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        if line and not line.lstrip().startswith("#"):
            requirement, *hashes = line.split("--hash=")
            yield Requirement(requirement), hashes


def test_the_lock_files_hold_what_the_project_requires() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    runtime = [*project["project"]["dependencies"], *groups["build"]]
    assert not_locked("requirements.lock", runtime) == []
    assert not_locked("requirements-test.lock", [*runtime, *groups["test"], *groups["check"]]) == []
    assert not_locked("requirements-test.lock", groups["bench"]) == []


def not_locked(lock: str, required: list[str]) -> list[str]:
    """The requirements that no pin of the lock file meets: `./run lock` has to be run."""
    pins = [(canonicalize_name(pin.name), pin.specifier) for pin, _ in locked(lock)]
    return [text for text in required if not any(meets(name, pin, Requirement(text)) for name, pin in pins)]


def meets(name: str, pin: SpecifierSet, required: Requirement) -> bool:
    return name == canonicalize_name(required.name) and all(required.specifier.contains(exact.version) for exact in pin)


def test_the_test_lock_pins_the_versions_that_run() -> None:
    runtime, test = ({str(requirement) for requirement, _ in locked(name)} for name in LOCKS)
    assert runtime - test == set()


def test_what_browsers_load_is_vendored() -> None:
    assert [folder.name for folder in VENDORED] == ["echarts", "htmx", "swagger-ui", "tabler"]


@pytest.mark.parametrize("folder", VENDORED, ids=lambda folder: folder.name)
def test_vendored_files_are_what_their_authors_published(folder: Path) -> None:
    listed = [line.split("  ") for line in lines_of(folder / "CHECKSUMS") if not line.startswith("#")]
    files = [path for path in folder.iterdir() if path.name != "CHECKSUMS"]
    assert {path.name: sha256(path.read_bytes()).hexdigest() for path in files} == {
        name: checksum for checksum, name in listed
    }
    assert "LICENSE" in {path.name for path in files}
