"""Lines of a report before they are coloured: spans of text with the role that each plays."""

from __future__ import annotations

import enum
import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from pytest_devenv.verdict import State

NO_BREAK = "\u00a0"
_WORD = re.compile(rf"[\S{NO_BREAK}]+")


class Role(enum.StrEnum):
    """What a piece of text is for; only what carries meaning has a colour."""

    PLAIN = "plain"
    DIM = "dim"
    STRONG = "strong"
    COMMAND = "command"
    PASS = "pass"  # noqa: S105  # a verdict, no password
    FAIL = "fail"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"
    OFF = "off"
    FAIL_TITLE = "fail title"
    UNKNOWN_TITLE = "unknown title"


class Span(NamedTuple):
    """A piece of a line."""

    text: str
    role: Role = Role.PLAIN


Line: TypeAlias = tuple[Span, ...]

BLANK: Line = ()
_ESCAPES = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # OSC: titles and links
    r"|\x1b[PX^_].*?(?:\x1b\\|$)"  # DCS, SOS, PM, APC
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|\x1b[ -/]*[0-~]",
    re.DOTALL,
)
_INVISIBLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def role_of(state: State) -> Role:
    """Return the role of a verdict's sign."""
    return Role(state.value)


def clean(text: str) -> str:
    """Return text from outside without what steers a terminal: escape sequences, control and direction characters."""
    text = _ESCAPES.sub("", text.replace("\r\n", "\n")).replace("\r", "\n").replace("\t", "    ")
    return _INVISIBLE.sub("", text)


def one_line(text: str) -> str:
    """Return text from outside as one line."""
    return " ".join(clean(text).split())


def cells(text: str) -> int:
    """Return how many columns a text takes: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def pad(text: str, width: int) -> str:
    """Return the text with blanks up to a width in columns."""
    return text + " " * (width - cells(text))


def wrap(text: str, width: int) -> list[str]:
    """Return prose broken at blanks, but not at `NO_BREAK`, into lines of at most `width` columns.

    A longer word keeps a line for itself; line breaks are kept.
    """
    return [line for paragraph in clean(text).splitlines() for line in _wrap_paragraph(paragraph, width)]


def _wrap_paragraph(text: str, width: int) -> list[str]:
    lines: list[str] = []
    for word in _WORD.findall(text):
        if lines and cells(lines[-1]) + 1 + cells(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def wrap_items(items: list[str], width: int, *, between: str = " · ", indent: str = "  ") -> list[str]:
    """Return short pieces side by side, broken only between them; lines after the first are indented."""
    lines: list[str] = []
    for item in items:
        if lines and cells(lines[-1]) + cells(between) + cells(item) <= width:
            lines[-1] += between + item
        else:
            lines.append((indent if lines else "") + item)
    return lines


def plain(lines: list[Line]) -> str:
    """Return lines as text without colours; no line ends in blanks."""
    return "".join("".join(span.text for span in line).rstrip() + "\n" for line in lines)
