"""Amounts as settings and reports write them: `400ms`, `300MiB`, `5%`, or a bare number."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

EXPECTED = "an amount: a duration such as 250ms or 2s, a size such as 64KiB or 300MiB, a share such as 5%, or a number"


class Unit(enum.StrEnum):
    """What an amount counts. A share is a part of 1."""

    SECONDS = "s"
    BYTES = "bytes"
    SHARE = "share"
    NUMBER = "number"


_AMOUNT = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>[A-Za-z%]*)")
_UNITS = {
    "ms": (Unit.SECONDS, 0.001),
    "s": (Unit.SECONDS, 1.0),
    "m": (Unit.SECONDS, 60.0),
    "KiB": (Unit.BYTES, 2.0**10),
    "MiB": (Unit.BYTES, 2.0**20),
    "GiB": (Unit.BYTES, 2.0**30),
    "%": (Unit.SHARE, 0.01),
    "": (Unit.NUMBER, 1.0),
}

_SHORTER = 999.5
"""From here on, three digits would be written with an exponent."""


@dataclass(frozen=True, slots=True)
class Amount:
    """So many seconds, bytes, or whatever the unit says."""

    value: float
    unit: Unit

    def __str__(self) -> str:
        match self.unit:
            case Unit.SECONDS:
                ms = self.value * 1000
                return f"{_short(ms)} ms" if ms < _SHORTER else f"{_short(self.value)} s"
            case Unit.BYTES:
                name, factor = next((each for each in _SIZES if self.value >= each[1]), ("bytes", 1.0))
                return f"{_short(self.value / factor)} {name}"
            case Unit.SHARE:
                return f"{_short(self.value * 100)} %"
            case _:
                return _short(self.value)


_SIZES = (("GiB", 2.0**30), ("MiB", 2.0**20), ("KiB", 2.0**10))


def amount(text: str) -> Amount:
    """Return the amount that a text means. Raises ValueError for one that means none."""
    found = _AMOUNT.fullmatch(text)
    if found is None or found["unit"] not in _UNITS:
        raise ValueError(EXPECTED)
    unit, factor = _UNITS[found["unit"]]
    return Amount(float(found["number"]) * factor, unit)


def _short(value: float) -> str:
    """Return a number with three digits that count."""
    return f"{value:.3g}" if value < _SHORTER else f"{value:.0f}"
