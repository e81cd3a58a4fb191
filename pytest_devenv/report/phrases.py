"""Numbers and durations as people say them."""

from __future__ import annotations


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun: `1 check`, `2 checks`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def milliseconds(value: float) -> str:
    """Return a duration of so many milliseconds: `0.4 ms`, `12 ms`, `1.2 s`."""
    if value < 1:
        return f"{value:.1f} ms"
    if round(value) < 1000:  # noqa: PLR2004  # a second
        return f"{value:.0f} ms"
    return f"{value / 1000:.1f} s"


def seconds(value: float) -> str:
    """Return the wall time of a run: `0.42 s`, `75.0 s`."""
    return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"  # noqa: PLR2004  # hundredths stop to matter
