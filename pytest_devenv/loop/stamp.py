"""Stamps: what is put into a file so that an answer shows which edit it holds, and taken out again."""

from __future__ import annotations

import re
import secrets

from pytest_devenv.errors import ConfigError

_DIGITS = 3
MOST = 10**_DIGITS - 1


def new_series() -> str:
    """Return what the stamps of one run have in common; it occurs nowhere else."""
    return f"-devenv-{secrets.token_hex(4)}-"


def stamp(series: str, number: int) -> bytes:
    """Return one stamp of a series: letters, digits and hyphens, which text, JSON, HTML and any string may hold.

    All have the same length, and differ in digits alone: half of one and half of another is one again.
    """
    return f"{series}{number:0{_DIGITS}}".encode()


def without(content: bytes, series: str) -> bytes:
    """Return a content without any stamp of the series."""
    return re.sub(re.escape(series.encode()) + b"[0-9]{%d}" % _DIGITS, b"", content)


def place_for(content: bytes, at: str | None, *, file: str) -> int:
    """Return where in a file's content the stamp goes: behind the text `at`, else at the end of what it says.

    Raises ConfigError where `at` does not stand in it exactly once; `file` names it in the message.
    """
    if at is None:
        return len(content.rstrip())
    wanted = at.encode()
    found = content.count(wanted)
    if found == 1:
        return content.index(wanted) + len(wanted)
    msg = f"expected the text {at!r} once, found it {found} times, looked in {file}"
    raise ConfigError(msg, remedy=f"correct `at` of the loop that edits {file}: a text that stands there once")


def common_prefix(one: bytes, other: bytes) -> int:
    """Return how many bytes two contents begin with alike."""
    shortest = min(len(one), len(other))
    if one[:shortest] == other[:shortest]:
        return shortest
    return next(index for index in range(shortest) if one[index] != other[index])
