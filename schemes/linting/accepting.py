"""Accepting a finding of the lint in the text of a scheme file, which stays as its authors wrote it otherwise.

The entry goes to the end of the list `accepted`, into its place where that is `[]`, or, where the file has none, to the
end of the file as that list.
What was written is read again: it must be the same scheme with one acceptance more.
"""

from __future__ import annotations

import json

import yaml

from schemes.linting.finding import Finding
from schemes.linting.lint import accepts, lint
from schemes.problem import InvalidInput, refuse
from schemes.reading import read_scheme
from schemes.scheme import Accepted, Scheme
from schemes.vocabulary import Vocabulary

_FIELD = "accepted"


def with_acceptance(text: str, file: str, acceptance: Accepted, vocabulary: Vocabulary) -> str:
    """Return the text of the scheme file with the acceptance added; `file` only names the place.

    Raises `InvalidInput` when the text is no scheme, when there is no such finding that is not accepted yet
    (`lint-no-such-finding`), and when the text has a form that nothing can be added to (`lint-accept-form`).
    """
    scheme = read_scheme(text, file, vocabulary)
    _check(acceptance, lint(scheme, vocabulary), file)
    stated = acceptance.model_dump(exclude_none=True)
    entry = "{" + ", ".join(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in stated.items()) + "}"
    added = _added(text, entry)
    try:
        again = read_scheme(added, file, vocabulary)
    except InvalidInput:
        again = scheme
    if again != _accepting(scheme, acceptance):
        message = f"add the entry to the field {_FIELD} yourself, a list with one entry a line: {entry}"
        raise refuse("lint-accept-form", file, message)
    return added


def _accepting(scheme: Scheme, acceptance: Accepted) -> Scheme:
    return scheme.model_copy(update={_FIELD: (*scheme.accepted, acceptance)})


def _check(acceptance: Accepted, found: list[Finding], file: str) -> None:
    accepted = [one for one in found if accepts(acceptance, one)]
    if any(one.accepted is None for one in accepted):
        return
    if accepted:
        message = f"every {acceptance.code} there is accepted already: {accepted[0].accepted}"
    else:
        place = " ".join(filter(None, (acceptance.group, acceptance.indicator))) or "the scheme"
        codes = ", ".join(sorted({one.code for one in found if one.accepted is None})) or "none"
        message = f"found no {acceptance.code} in {place}; findings not accepted yet: {codes}"
    raise refuse("lint-no-such-finding", file, message)


def _added(text: str, entry: str) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    empty = _empty_list(text)
    if empty is not None:
        before, after = text[: empty[0]].rstrip(" "), text[empty[1] :]
        return f"{before}{newline}  - {entry}{after}"
    at, indent = _last_entry(text)
    if at is not None:
        return f"{text[:at]}{newline}{' ' * indent}- {entry}{text[at:]}"
    end = "" if text.endswith("\n") else newline
    return f"{text}{end}{newline}{_FIELD}:{newline}  - {entry}{newline}"


def _listed(text: str) -> yaml.Node | None:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    fields = {key.value: value for key, value in root.value} if isinstance(root, yaml.MappingNode) else {}
    return fields.get(_FIELD)


def _empty_list(text: str) -> tuple[int, int] | None:
    """Return where `[]` stands, or None where the list is not written so."""
    listed = _listed(text)
    if not isinstance(listed, yaml.SequenceNode) or listed.value:
        return None
    return listed.start_mark.index, listed.end_mark.index


def _last_entry(text: str) -> tuple[int | None, int]:
    """Return the end of the line on which the list's last entry ends, and the column of its dashes."""
    listed = _listed(text)
    if listed is None:
        return None, 0
    last = _last(listed)
    line_end = text.find("\n", last.end_mark.index - (last.end_mark.column == 0))
    at = len(text) if line_end == -1 else line_end - text.startswith("\r", line_end - 1)
    return at, listed.start_mark.column


def _last(node: yaml.Node) -> yaml.Node:
    """The last value within a list written over several lines; the end of a list itself is where the next field is."""
    if not isinstance(node, yaml.CollectionNode) or not node.value or node.flow_style:
        return node
    child = node.value[-1]
    return _last(child[1] if isinstance(child, tuple) else child)
