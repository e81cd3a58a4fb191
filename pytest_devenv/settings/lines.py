"""On which line of a TOML text each key stands, which `tomllib` does not tell."""

from __future__ import annotations

import re

_PART = r"""(?:[A-Za-z0-9_-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*')"""
_KEY = rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*"
_HEADER = re.compile(rf"[ \t]*\[\[?[ \t]*({_KEY})[ \t]*\]")
_SETTING = re.compile(rf"[ \t]*({_KEY})[ \t]*=")
_PARTS = re.compile(_PART)
_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|\#[^\n]*"
    r"|[\[{]|[\]}]|\n|[^\[\]{}\n\"'\#]+|.",
    re.DOTALL,
)


def lines_of(text: str) -> dict[tuple[str, ...], int]:
    """Return the line, counted from 1, on which each table and key of a valid TOML text begins.

    A key inside an inline table is not listed: it stands where its table does (see `line_of`).
    """
    found: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    position, line = 0, 1
    while position < len(text):
        header = _HEADER.match(text, position)
        if header is not None:
            table = _split(header[1])
            _note(found, (), table, line)
        elif (setting := _SETTING.match(text, position)) is not None:
            _note(found, table, _split(setting[1]), line)
        end = _end_of_statement(text, position)
        line += text.count("\n", position, end)
        position = end
    return found


def line_of(lines: dict[tuple[str, ...], int], path: tuple[str, ...]) -> int | None:
    """Return the line of a key, or of the nearest table around it."""
    while path:
        if path in lines:
            return lines[path]
        path = path[:-1]
    return None


def _note(found: dict[tuple[str, ...], int], table: tuple[str, ...], key: tuple[str, ...], line: int) -> None:
    """Note the line of a key, and of each table that it is the first to name."""
    for depth in range(1, len(key) + 1):
        found.setdefault((*table, *key[:depth]), line)


def _end_of_statement(text: str, position: int) -> int:
    """Return where the line ends that begins at `position`, with all lines that its strings and brackets span."""
    depth = 0
    for token in _TOKEN.finditer(text, position):
        word = token[0]
        if word in {"[", "{"}:
            depth += 1
        elif word in {"]", "}"}:
            depth -= 1
        elif word == "\n" and depth <= 0:
            return token.end()
    return len(text)


def _split(key: str) -> tuple[str, ...]:
    return tuple(_unquoted(part) for part in _PARTS.findall(key))


def _unquoted(part: str) -> str:
    if part.startswith("'"):
        return part[1:-1]
    if part.startswith('"'):
        if "\\" not in part:
            return part[1:-1]
        import tomllib

        return str(tomllib.loads(f"key = {part}")["key"])
    return part
