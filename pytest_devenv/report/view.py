"""For whom a report is written: how wide, in which colours and characters, and how much of it."""

from __future__ import annotations

import enum
import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from pytest_devenv.verdict import State

if TYPE_CHECKING:
    from collections.abc import Mapping

WIDTH_WITHOUT_TERMINAL = 100
_NARROWEST, _WIDEST = 20, 120  # longer lines are hard to read, however wide the terminal is

_SYMBOLS = {State.PASS: "✔", State.FAIL: "✘", State.BLOCKED: "⊘", State.UNKNOWN: "?", State.OFF: "–"}  # noqa: RUF001  # the dash is meant
_ASCII_SYMBOLS = {
    State.PASS: "ok",
    State.FAIL: "FAIL",
    State.BLOCKED: "blocked",
    State.UNKNOWN: "?",
    State.OFF: "off",
}
_PUNCTUATION = str.maketrans(
    {"·": "-", "–": "-", "—": "-", "…": "...", "→": "->", "≥": ">=", "≤": "<=", "’": "'", "“": '"', "”": '"'}  # noqa: RUF001
)


class Ascii(enum.StrEnum):
    """Whether verdicts are written with symbols or with words."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a rendering is made for.

    `verbosity` is pytest's: 0, negative with `-q`, positive with `-v`. `encoding` is that of the output; what it
    cannot carry is written as an escape.
    """

    width: int = WIDTH_WITHOUT_TERMINAL
    color: bool = False
    ascii: bool = False
    verbosity: int = 0
    encoding: str = "utf-8"

    def symbol(self, state: State) -> str:
        """Return the sign of a verdict."""
        return (_ASCII_SYMBOLS if self.ascii else _SYMBOLS)[state]

    @property
    def symbol_width(self) -> int:
        """How many columns the signs take."""
        return max(len(symbol) for symbol in (_ASCII_SYMBOLS if self.ascii else _SYMBOLS).values())

    def encodable(self, text: str) -> str:
        """Return the text in characters that the output can show."""
        if self.ascii:
            text = text.translate(_PUNCTUATION)
        return text.encode(self.encoding, "backslashreplace").decode(self.encoding)


def view_for(
    stream: TextIO,
    environ: Mapping[str, str] | None = None,
    *,
    verbosity: int = 0,
    ascii: Ascii | str = Ascii.AUTO,  # noqa: A002  # the option is called so
    color: bool | None = None,
    width: int | None = None,
) -> View:
    """Return the view for an output stream.

    `color` None means: by NO_COLOR, FORCE_COLOR, TERM and whether the stream is a terminal. `width` None means the
    terminal's, or COLUMNS, or 100 where there is neither.
    """
    environ = os.environ if environ is None else environ
    encoding = getattr(stream, "encoding", None) or "utf-8"
    choice = Ascii(ascii)
    return View(
        width=max(_NARROWEST, min(_WIDEST, _width(stream, environ) if width is None else width)),
        color=_colored(stream, environ) if color is None else color,
        ascii=choice is Ascii.ALWAYS or (choice is Ascii.AUTO and not _carries_symbols(encoding)),
        verbosity=verbosity,
        encoding=encoding,
    )


def _colored(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Follow no-color.org and force-color.org: a variable counts when it is not empty, and NO_COLOR wins."""
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and environ.get("TERM") != "dumb"


def _width(stream: TextIO, environ: Mapping[str, str]) -> int:
    columns = environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns) > 0:
        return int(columns)
    if not stream.isatty():
        return WIDTH_WITHOUT_TERMINAL
    try:
        return os.get_terminal_size(stream.fileno()).columns or WIDTH_WITHOUT_TERMINAL
    except OSError:
        return shutil.get_terminal_size((WIDTH_WITHOUT_TERMINAL, 24)).columns


def _carries_symbols(encoding: str) -> bool:
    try:
        "".join(_SYMBOLS.values()).encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
