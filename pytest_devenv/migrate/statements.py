"""What a file of SQL is made of, told by PostgreSQL's own parser (pglast, extra `lint`), where that is installed."""

from __future__ import annotations

import importlib.util
from typing import NamedTuple

_ENDS = ("commit", "rollback", "abort", "end", "prepare")
_SHOWN = 240
_PARSED = 100_000
_SCANNED = 1_000_000
_SEMICOLON = "ASCII_59"
_COMMENTS = ("SQL_COMMENT", "C_COMMENT")


class Place(NamedTuple):
    """A place in a text: line and column count from 1."""

    line: int
    column: int


def parser_installed() -> bool:
    """Whether SQL can be parsed here."""
    return importlib.util.find_spec("pglast") is not None


def place(text: str, index: int) -> Place:
    """Return where the character `index`, counted from 0, stands in `text`."""
    start = text.rfind("\n", 0, index) + 1
    return Place(text.count("\n", 0, index) + 1, index - start + 1)


def may_end_transaction(text: str) -> bool:
    """Whether one of the words that end a transaction is in the text at all, be it in a comment or a function.

    A keyword can be written in no other way, and nothing of a word touches it, so most files need no parser.
    """
    lowered = text.lower()
    return any(_holds_word(lowered, word) for word in _ENDS)


def _holds_word(text: str, word: str) -> bool:
    start = text.find(word)
    while start >= 0:
        before, after = text[start - 1 : start], text[start + len(word) : start + len(word) + 1]
        if not (_in_word(before) or _in_word(after)):
            return True
        start = text.find(word, start + 1)
    return False


def _in_word(letter: str) -> bool:
    return letter.isalnum() or letter == "_"


def find_transaction_end(text: str) -> tuple[str, Place] | None:
    """Return the first top-level statement that ends a transaction, and its place; None where there is none.

    Needs pglast. What cannot be parsed is left to the server, which refuses it whole.
    """
    import pglast
    from pglast.ast import TransactionStmt
    from pglast.enums import TransactionStmtKind as Kind

    ends = {Kind.TRANS_STMT_COMMIT, Kind.TRANS_STMT_ROLLBACK, Kind.TRANS_STMT_PREPARE}
    for piece in split(text):
        statement = text[piece]
        if len(statement) > _PARSED or not may_end_transaction(statement):
            continue
        try:
            parsed = pglast.parse_sql(statement)
        except pglast.parser.ParseError:
            return None
        if any(isinstance(raw.stmt, TransactionStmt) and raw.stmt.kind in ends for raw in parsed):
            return statement, place(text, piece.start)
    return None


def split(text: str) -> tuple[slice, ...]:
    """Return where the statements of `text` are, without what stands between them. Needs pglast."""
    import pglast

    try:
        pieces: tuple[slice, ...] = pglast.parser.split(text, only_slices=True)
    except pglast.parser.ParseError:
        return _split_by_words(text)
    return pieces


def _split_by_words(text: str) -> tuple[slice, ...]:
    """Return where the statements of a text are that cannot be parsed: what stands between semicolons.

    A huge text has too many words for that.
    """
    import pglast

    if len(text) > _SCANNED:
        return ()
    try:
        tokens = pglast.parser.scan(text)
    except pglast.parser.ParseError:
        return ()
    pieces: list[slice] = []
    start, end = None, 0
    for token in tokens:
        if token.name == _SEMICOLON:
            pieces += [] if start is None else [slice(start, end)]
            start = None
        elif token.name not in _COMMENTS:
            start, end = token.start if start is None else start, token.end + 1
    return (*pieces, *([] if start is None else [slice(start, end)]))


def statement_at(text: str, *, index: int | None, number: int) -> tuple[str | None, Place | None]:
    """Return the statement around the character `index`, or else the one after `number` others, and its place.

    Without pglast the statement is the line around `index`.
    """
    if not parser_installed():
        if index is None:
            return None, None
        return shown(_line(text, index)), place(text, index)
    pieces = split(text)
    if index is not None:
        around = [text[piece] for piece in pieces if piece.start <= index <= piece.stop]
        return shown(around[-1] if around else _line(text, index)), place(text, index)
    if number < len(pieces):
        return shown(text[pieces[number]]), place(text, pieces[number].start)
    return None, None


def _line(text: str, index: int) -> str:
    end = text.find("\n", index)
    return text[text.rfind("\n", 0, index) + 1 : len(text) if end < 0 else end]


def extension_wanted(statement: str) -> str | None:
    """Return the extension that a CREATE EXTENSION statement asks for; None for any other, or without pglast."""
    if not parser_installed() or "extension" not in statement.lower():
        return None
    import pglast
    from pglast.ast import CreateExtensionStmt

    try:
        parsed = pglast.parse_sql(statement)
    except pglast.parser.ParseError:
        return None
    return next((raw.stmt.extname for raw in parsed if isinstance(raw.stmt, CreateExtensionStmt)), None)


def shown(statement: str) -> str:
    """Return a statement as a message shows it: short, and not at all where it may hold a password."""
    if "password" in statement.lower():
        return "(not shown: it speaks of a password)"
    flat = " ".join(statement.split())
    return flat if len(flat) <= _SHOWN else flat[: _SHOWN - 1] + "…"
