"""What is wrong with a configuration, each problem said in the same order: expected, found, where, remedy."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_devenv.errors import ConfigError
from pytest_devenv.settings.redact import HIDDEN, redact_url, refused_url

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_LONGEST = 80
_LIKE_A_LOGIN = re.compile(r"(?s)://|:.*@")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_TYPES = {bool: "boolean", str: "string", int: "integer", float: "float", list: "array", dict: "table"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong: the key path, what is allowed there, what was found, where, and what mends it."""

    key: str
    expected: str
    found: str
    where: str
    remedy: str | None = None
    line: int = 0

    def __str__(self) -> str:
        lines = [self.key, f"  expected: {self.expected}", f"  found: {self.found}", f"  where: {self.where}"]
        if self.remedy is not None:
            lines.append(f"  remedy: {self.remedy}")
        return "\n".join(lines)


class SettingsError(ConfigError):
    """The settings of a file cannot be used; `problems` holds every reason."""

    def __init__(self, message: str, *, problems: tuple[Problem, ...]) -> None:
        super().__init__(message)
        self.problems = problems


def error(file: Path, problems: Iterable[Problem]) -> SettingsError:
    """Return the one error that says all problems of a file, in the order of its lines."""
    ordered = tuple(sorted(problems, key=lambda problem: problem.line))
    count = "1 problem" if len(ordered) == 1 else f"{len(ordered)} problems"
    return SettingsError("\n\n".join([f"{count} in {file}", *map(str, ordered)]), problems=ordered)


def dotted(path: Iterable[str]) -> str:
    """Return a key path as TOML writes it: `services.backend.port`."""
    return ".".join(part if _BARE.fullmatch(part) else quoted(part) for part in path)


def quoted(text: str) -> str:
    """Return a text in double quotes, on one line, shortened where it is long."""
    escaped = "".join(_ESCAPES.get(char, char) if char.isprintable() or char in _ESCAPES else "�" for char in text)
    return f'"{escaped}"' if len(escaped) <= _LONGEST else f'"{escaped[: _LONGEST - 1]}…"'


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def type_of(value: object) -> str:
    """Return the name that TOML has for the type of a value."""
    return _TYPES.get(type(value), type(value).__name__)


def shown(value: object, *, secret: bool = False) -> str:
    """Return a value and its type, as messages show them; of a secret, only the type."""
    kind = type_of(value)
    match value:
        case dict() | list():
            return f"{'a table' if isinstance(value, dict) else 'an array'} of {len(value)}"
        case _ if secret:
            return f"{HIDDEN} ({kind})"
        case str() if _LIKE_A_LOGIN.search(value):
            return shown_url(value)
        case str():
            return f"{quoted(redact_url(value))} ({kind})"
        case bool():
            return f"{str(value).lower()} ({kind})"
        case _:
            return f"{value} ({kind})"


def shown_url(value: str) -> str:
    """Return a URL that is refused, as messages show it: it may hold a password at any place of it."""
    safe = refused_url(value)
    return f"{safe if safe == HIDDEN else quoted(safe)} ({type_of(value)})"


def nearest(word: str, words: Iterable[str]) -> str | None:
    """Return the word that was probably meant, or None where nothing comes near."""
    import difflib

    by_fold = {each.casefold(): each for each in words}
    close = difflib.get_close_matches(word.casefold(), by_fold, n=1, cutoff=0.6)
    return by_fold[close[0]] if close else None


def did_you_mean(word: str, words: Iterable[str]) -> str | None:
    """Return the remedy for a mistyped word, or None where nothing comes near."""
    near = nearest(word, words)
    return None if near is None else f"did you mean {near}?"
