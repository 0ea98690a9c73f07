"""Numbers as a reader meets them, in one place: sentences, tables, figures, pages.

Scores and shares have two decimals, what is below a tenth and every difference three; a number that three decimals would make
zero has its first two digits, a difference one decimal more; ten and more has one decimal, a thousand none. The minus is U+2212. Files (JSON, CSV) keep what
was computed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

MINUS = "\N{MINUS SIGN}"
PLACES = 4  # of a difference that three would make zero; less is none
TINY = 1e-4  # below it, a number is written with a power of ten
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
PLAIN_MINUS = re.compile(r"(?<![\w.])-(?=\.?\d)")


def shown(value: float, sign: bool = False, places: int | None = None) -> str:
    """One number. sign: a difference, +0.012. places: decimals, where the neighbours have them."""
    if isinstance(value, int) or (float(value).is_integer() and abs(value) > 1):
        return minus(f"{value:{'+' if sign and value else ''},.0f}")
    if 0 < abs(value) < TINY and not sign:
        mantissa, exponent = f"{value:.1e}".split("e")
        return minus(f"{mantissa} × 10{str(int(exponent)).translate(RAISED)}")
    places = decimals(value, sign) if places is None else places
    text = f"{value:{'+' if sign else ''},.{places}f}"
    if value and not text.strip("+-0.,"):
        text = f"{value:+.{PLACES}f}" if sign else f"{value:.{_first_digits(value)}f}"
    return minus(text if text.strip("+-0.,") else text.lstrip("+-"))


def decimals(value: float, sign: bool = False) -> int:
    """How many decimals a number has when it stands alone."""
    size = abs(value)
    if size >= 1000:
        return 0
    if size >= 10:
        return 1
    return 3 if (sign and size < 1) or 0 < round(size, 3) < 0.1 else 2


def _first_digits(value: float) -> int:
    """Decimals up to the second digit that is not zero."""
    return 1 - math.floor(math.log10(abs(value)))


def interval(low: float, high: float, sign: bool = False) -> str:
    """`0.81 to 0.90`: both ends to the same number of decimals."""
    places = max(decimals(low, sign), decimals(high, sign))
    return f"{shown(float(low), sign, places)} to {shown(float(high), sign, places)}"


def with_interval(value: float, low: float, high: float, sign: bool = False) -> str:
    """`0.85 (0.81 to 0.90)`, all three to the same number of decimals."""
    places = max(decimals(one, sign) for one in (value, low, high))
    return f"{shown(float(value), sign, places)} ({interval(low, high, sign)})"


def share(value: float) -> str:
    """A share as a percentage: 61 %, 0.4 %, below 0.1 %, above 99.9 %; nothing and all are 0 % and 100 %."""
    percent = 100 * value
    if value in (0, 1) or 1 <= percent <= 99:
        return f"{percent:.0f} %"
    if 0 < percent < 0.05:
        return "below 0.1 %"
    if 99.95 <= percent < 100:
        return "above 99.9 %"
    return minus(f"{percent:.1f} %")


def column(values: Sequence[float]) -> int:
    """Decimals of a table's column: two, three where a number of it is below a tenth, one where some are ten and more."""
    largest = max(map(abs, values), default=0.0)
    return decimals(largest) if largest >= 10 else max((decimals(value) for value in values if value), default=2)


def minus(text: str) -> str:
    """A hyphen before a number is a minus sign; one between words or digits is none."""
    return PLAIN_MINUS.sub(MINUS, text)
