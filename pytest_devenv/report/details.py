"""What a verdict says, as lines: expected, found, where, remedy, evidence, in the order in which they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_devenv.report.lines import Line, Role, Span, clean, one_line, wrap

if TYPE_CHECKING:
    from pytest_devenv.verdict import Evidence, Verdict

EVIDENCE_LINES = 15
_LABEL = 10


def facts(verdict: Verdict, *, width: int, indent: int = 2) -> list[Line]:
    """Return what was expected, found and where, each with its label; prose is wrapped to the width."""
    parts = (("expected", verdict.expected), ("found", verdict.found), ("where", verdict.where))
    return [line for label, text in parts if text for line in labelled(label, text, width=width, indent=indent)]


def labelled(label: str, text: str, *, width: int, indent: int = 2, role: Role = Role.PLAIN) -> list[Line]:
    """Return a text with its label in a column before it."""
    column = max(_LABEL, len(label) + 2)
    rows = wrap(text, width - indent - column)
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
