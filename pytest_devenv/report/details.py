"""What a verdict says, as lines: expected, found, where, remedy, evidence, in the order in which they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_devenv.report.lines import Line, Role, Span, cells, clean, one_line, wrap

if TYPE_CHECKING:
    from pytest_devenv.verdict import Evidence, Verdict

EVIDENCE_LINES = 15
_LABEL = 10


def facts(verdict: Verdict, *, width: int, indent: int = 2) -> list[Line]:
    """Return what was expected, found and where, each with its label; prose is wrapped to the width."""
    parts = (("expected", verdict.expected), ("found", verdict.found), ("where", verdict.where))
    return [line for label, text in parts if text for line in labelled(label, text, width=width, indent=indent)]


def labelled(label: str, text: str, *, width: int, indent: int = 2, role: Role = Role.PLAIN) -> list[Line]:
    """Return a text with its label in a column before it, or above it where a word of it is too long for that."""
    column = max(_LABEL, len(label) + 2)
    room = width - indent - column
    rows = wrap(text, room)
    if any(cells(row) > room for row in rows):
        below: list[Line] = [(Span(" " * (indent + 2)), Span(row, role)) for row in wrap(text, width - indent - 2)]
        return [(Span(" " * indent + label, Role.DIM),), *below]
    return [
        (Span(" " * indent + (label if number == 0 else "").ljust(column), Role.DIM), Span(row, role))
        for number, row in enumerate(rows)
    ]


def commands(text: str, *, indent: int = 4) -> list[Line]:
    """Return a remedy on lines of its own, whole: what is to be pasted is neither wrapped nor cut."""
    return [(Span(" " * indent), Span(row.rstrip(), Role.COMMAND)) for row in clean(text).strip("\n").split("\n")]


def remedy(verdict: Verdict, *, label: str = "remedy", indent: int = 2) -> list[Line]:
    """Return the label and, below it, the remedy; nothing when there is none."""
    if not verdict.remedy:
        return []
    return [(Span(" " * indent + label, Role.DIM),), *commands(verdict.remedy, indent=indent + 2)]


def evidence(verdict: Verdict, *, indent: int = 2) -> list[Line]:
    """Return the last lines of each piece of evidence below its title; no line of it is wrapped or cut."""
    return [line for piece in verdict.evidence for line in _piece(piece, indent)]


def _piece(piece: Evidence, indent: int) -> list[Line]:
    rows = [row.rstrip() for row in clean(piece.text).strip("\n").split("\n")]
    shown = rows[-EVIDENCE_LINES:]
    note = "" if len(shown) == len(rows) else f", last {len(shown)} of {len(rows)} lines"
    return [
        (Span(" " * indent + one_line(piece.title) + note, Role.DIM),),
        *((Span(" " * (indent + 2) + row, Role.DIM),) for row in shown),
    ]
