"""The vocabulary of facts: kinds, their attributes and the item codes, read from data and grown without code.

`Vocabulary.read` turns a recorded observation's kind and raw attributes into typed values, or returns every
problem found. It does not know schemes: ranges of judgements and bounds of ranks are `schemes.admission`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from difflib import get_close_matches
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemes.exact import parse_decimal
from schemes.fact import AttributeValue
from schemes.problem import Problem

LARGEST_INTEGER = 2**53 - 1
LONGEST_TEXT = 500


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Attribute(_Model):
    """An attribute of a kind: `problem` says what is wrong with a raw value, `read` types one that is right."""

    label: str
    required: bool = True


class TextAttribute(_Attribute):
    """Free text, not blank, at most 500 characters."""

    type: Literal["text"]

    def read(self, raw: object, vocabulary: Vocabulary) -> AttributeValue:
        """Return the typed value of a raw one without a problem."""
        return raw if isinstance(raw, str) else ""

    def problem(self, raw: object, vocabulary: Vocabulary) -> str | None:
        """Return what was expected instead, or None when the raw value is right."""
        if isinstance(raw, str) and raw.strip() and len(raw) <= LONGEST_TEXT:
            return None
        return f"expected a text of 1 to {LONGEST_TEXT} characters"


class UnitAttribute(TextAttribute):
    """The name of a unit of this year; whether there is one is checked against the year, not here."""

    type: Literal["unit"]  # type: ignore[assignment]  # narrows the discriminator of the parent


class CodeAttribute(_Attribute):
    """One code of a closed list, each with its Chinese label."""

    type: Literal["code"]
    values: dict[str, str]

    def read(self, raw: object, vocabulary: Vocabulary) -> AttributeValue:
        """Return the typed value of a raw one without a problem."""
        return str(raw)

    def problem(self, raw: object, vocabulary: Vocabulary) -> str | None:
        """Return what was expected instead, or None when the raw value is right."""
        if isinstance(raw, str) and raw in self.values:
            return None
        return f"expected one of {', '.join(self.values)}"


class CodesAttribute(_Attribute):
    """A list of one or more codes of a closed list."""

    type: Literal["codes"]
    values: dict[str, str]

    def read(self, raw: object, vocabulary: Vocabulary) -> AttributeValue:
        """Return the typed value of a raw one without a problem."""
        return tuple(raw) if isinstance(raw, list | tuple) else ()

    def problem(self, raw: object, vocabulary: Vocabulary) -> str | None:
        """Return what was expected instead, or None when the raw value is right."""
        if isinstance(raw, list | tuple) and raw and all(isinstance(one, str) and one in self.values for one in raw):
            return None if len(set(raw)) == len(raw) else "expected each code once"
        return f"expected a list of one or more of {', '.join(self.values)}"


class ItemAttribute(_Attribute):
    """A code of the vocabulary's item list."""

    type: Literal["item"]

    def read(self, raw: object, vocabulary: Vocabulary) -> AttributeValue:
        """Return the typed value of a raw one without a problem."""
        return str(raw)

    def problem(self, raw: object, vocabulary: Vocabulary) -> str | None:
        """Return what was expected instead, or None when the raw value is right."""
        if isinstance(raw, str) and raw in vocabulary.items:
            return None
        near = vocabulary.items_like(raw) if isinstance(raw, str) else ()
        hint = f"; similar: {', '.join(near)}" if near else ""
        return f"expected one of the {len(vocabulary.items)} item codes of the vocabulary{hint}"


class IntegerAttribute(_Attribute):
    """A whole number within bounds."""

    type: Literal["integer"]
    at_least: int = 0
    at_most: int = LARGEST_INTEGER

    def read(self, raw: object, vocabulary: Vocabulary) -> AttributeValue:
        """Return the typed value of a raw one without a problem."""
        return raw if isinstance(raw, int) else 0

    def problem(self, raw: object, vocabulary: Vocabulary) -> str | None:
        """Return what was expected instead, or None when the raw value is right."""
        if isinstance(raw, int) and not isinstance(raw, bool) and self.at_least <= raw <= self.at_most:
            return None
        return f"expected a whole number from {self.at_least} to {self.at_most}"


class DecimalAttribute(_Attribute):
    """An exact decimal, written as a string ("13.5"); whole numbers may stand without quotes."""

    type: Literal["decimal"]
    at_least: Decimal | None = None
    at_most: Decimal | None = None
    more_than: Decimal | None = None

    def read(self, raw: object, vocabulary: Vocabulary) -> AttributeValue:
        """Return the typed value of a raw one without a problem."""
        return parse_decimal(str(raw)) or Decimal(0)

    def problem(self, raw: object, vocabulary: Vocabulary) -> str | None:
        """Return what was expected instead, or None when the raw value is right."""
        plain = isinstance(raw, str | int) and not isinstance(raw, bool)
        value = parse_decimal(str(raw)) if plain else None
        expected = 'expected a decimal written as text, like "13.5"'
        if value is None:
            return expected
        if self.at_least is not None and value < self.at_least:
            return f"{expected}, at least {self.at_least}"
        if self.at_most is not None and value > self.at_most:
            return f"{expected}, at most {self.at_most}"
        if self.more_than is not None and value <= self.more_than:
            return f"{expected}, more than {self.more_than}"
        return None


Attribute = Annotated[
    TextAttribute
    | UnitAttribute
    | CodeAttribute
    | CodesAttribute
    | ItemAttribute
    | IntegerAttribute
    | DecimalAttribute,
    Field(discriminator="type"),
]


class Kind(_Model):
    """A kind of observation with its Chinese label and its attributes."""

    label: str
    attributes: dict[str, Attribute]


class Vocabulary(_Model):
    """All kinds and item codes known; `items` maps each slug to its Chinese label."""

    kinds: dict[str, Kind]
    items: dict[str, str]

    def extended(self, items: Mapping[str, str]) -> Vocabulary:
        """Return the vocabulary with a scheme's own items added."""
        return self.model_copy(update={"items": {**self.items, **items}}) if items else self

    def items_like(self, text: str) -> tuple[str, ...]:
        """Return up to three item codes that look like the text, best first."""
        return tuple(get_close_matches(text, self.items, n=3))

    def typed(self, kind: str, raw: Mapping[str, object]) -> dict[str, AttributeValue]:
        """Return the typed attributes of an observation that has been recorded, and so was right."""
        attributes = self.kinds[kind].attributes
        return {name: attributes[name].read(value, self) for name, value in raw.items()}

    def read(self, kind: str, raw: Mapping[str, object]) -> tuple[dict[str, AttributeValue], tuple[Problem, ...]]:
        """Return the typed attributes of an observation of this kind, and every problem found in them."""
        known = self.kinds.get(kind)
        if known is None:
            allowed = ", ".join(self.kinds)
            return {}, (Problem("unknown-kind", "kind", f"found {kind!r}, expected one of {allowed}"),)
        problems = [
            Problem(
                "unknown-attribute",
                f"attributes.{name}",
                f"{kind} has no attribute {name!r}; it has {', '.join(known.attributes) or 'none'}",
            )
            for name in raw
            if name not in known.attributes
        ]
        values: dict[str, AttributeValue] = {}
        for name, attribute in known.attributes.items():
            if name not in raw:
                if attribute.required:
                    problems.append(_missing(kind, name, attribute))
                continue
            wrong = attribute.problem(raw[name], self)
            if wrong:
                found = f"found {raw[name]!r}, {wrong}"
                problems.append(Problem("invalid-attribute", f"attributes.{name}", found))
            else:
                values[name] = attribute.read(raw[name], self)
        return values, tuple(problems)


def _missing(kind: str, name: str, attribute: Attribute) -> Problem:
    allowed = f" (one of {', '.join(attribute.values)})" if isinstance(attribute, CodeAttribute) else ""
    return Problem("missing-attribute", f"attributes.{name}", f"{kind} needs {name}{allowed}")
