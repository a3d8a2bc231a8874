"""Exact decimal arithmetic for points: any inexact result raises, rounding happens only where it is asked for.

Sums and products of points are decimals; quotients (means, shares) are fractions until the contract rounds
them, so that no digit is lost on the way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import (
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
    localcontext,
)
from fractions import Fraction

ZERO = Decimal(0)
_EXACT = Context(prec=200, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])
_PLAIN_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,9})?")


@contextmanager
def exact_arithmetic() -> Iterator[None]:
    """Make every decimal operation inside the block exact or an error."""
    with localcontext(_EXACT):
        yield


def parse_decimal(text: str) -> Decimal | None:
    """Return the number written as a plain decimal ("13.5"), or None when it is not one.

    At most 15 digits before and 9 after the point; no exponent, no plus sign, no NaN.
    """
    return Decimal(text) if _PLAIN_DECIMAL.fullmatch(text) else None


def plain(value: Decimal) -> str:
    """Return the number without exponent and without trailing zeros ("0", "-1.5", "100")."""
    if not value:
        return "0"
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def rounded_half_up(value: Fraction, places: int = 2) -> Decimal:
    """Return the fraction rounded to that many places, a tie away from zero (四舍五入)."""
    scale = 10**places
    doubled = abs(value.numerator) * scale * 2 + value.denominator
    units = doubled // (2 * value.denominator)
    return Decimal(units if value >= 0 else -units).scaleb(-places)


def whole_half_up(value: Fraction) -> int:
    """Return the fraction rounded to a whole number, a tie upwards; for shares, which are never negative."""
    return int(rounded_half_up(value, 0))
