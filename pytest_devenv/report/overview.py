"""The overview: one line for each service, and below it what is not well there."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pytest_devenv.report.causes import cause_of
from pytest_devenv.report.lines import NO_BREAK, Line, Role, Span, cells, one_line, pad, role_of, wrap, wrap_items
from pytest_devenv.report.model import group_name, groups
from pytest_devenv.report.phrases import count, milliseconds
from pytest_devenv.verdict import State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_devenv.report.model import Entry, Group, Run
    from pytest_devenv.report.view import View

_GAP = 3
_NARROWEST_DETAIL = 28


class Row(NamedTuple):
    """The line of a group, before it is laid out."""

    group: Group
    detail: str
    checks: str
    address: str


class Columns(NamedTuple):
    """The widths of a row's columns; `stacked` puts what does not fit below."""

    symbol: int
    name: int
    detail: int
    checks: int
    address: int
    stacked: bool

    @property
    def indent(self) -> int:
        """Where the details begin."""
        return self.symbol + 1 + self.name + _GAP


def overview(run: Run, view: View) -> list[Line]:
    """Return a line for each group in order; a group that is not well, and with `-v` every group, lists its checks."""
    by_probe = {entry.probe: entry for entry in run.entries}
    rows = [_row(run, group, by_probe) for group in groups(run)]
    columns = _columns(rows, view)
    lines: list[Line] = []
    for row in rows:
        lines += _group_line(row, columns, view)
        lines += _listed(row, columns, view)
    return lines


def _row(run: Run, group: Group, by_probe: Mapping[str, Entry]) -> Row:
    looked_at = len(_looked_at(group))
    if group.state in {State.FAIL, State.UNKNOWN}:
        checks = f"{sum(entry.verdict.passed for entry in group.entries)} of {looked_at} pass"
    else:
        checks = count(looked_at, "check") if looked_at else ""
    address = "" if group.service is None or group.service.address is None else group.service.address
    return Row(group, _detail(run, group, by_probe), checks, address)


def _looked_at(group: Group) -> list[Entry]:
    return [entry for entry in group.entries if entry.verdict.state is not State.OFF]


def _detail(run: Run, group: Group, by_probe: Mapping[str, Entry]) -> str:
    lead = group.lead
    if lead is None:
        return ""
    if lead.verdict.state is State.BLOCKED:
        cause = cause_of(lead, by_probe)
        root = by_probe.get(cause)
        return f"blocked by {cause if root is None else group_name(run, root)}"
    if group.service is None and group.state is State.PASS and len(_looked_at(group)) > 1:
        return "all as they should be"
    return said(lead)


def said(entry: Entry) -> str:
    """Return what a check found and how fast the service answered, in one line."""
    latency = entry.verdict.latency_ms
    return one_line(entry.verdict.summary) + (
        "" if latency is None else f" ·{NO_BREAK}{milliseconds(latency).replace(' ', NO_BREAK)}"
    )


def _columns(rows: list[Row], view: View) -> Columns:
    name = max((cells(row.group.name) for row in rows), default=0)
    detail = max((cells(row.detail) for row in rows), default=0)
    checks = max((cells(row.checks) for row in rows), default=0)
    address = max((cells(row.address) for row in rows), default=0)
    left = view.symbol_width + 1 + name + _GAP
    right = (checks and checks + _GAP) + (address and address + _GAP)
    stacked = view.width - left - right < min(detail, _NARROWEST_DETAIL)
    room = view.width - left - (0 if stacked else right)
    return Columns(view.symbol_width, name, min(detail, room), checks, address, stacked)


def _group_line(row: Row, columns: Columns, view: View) -> list[Line]:
    state = row.group.state
    head = (
        Span(view.symbol(state).ljust(columns.symbol), role_of(state)),
        Span(" " + pad(row.group.name, columns.name) + " " * _GAP, Role.STRONG),
    )
    first, *more = wrap(row.detail, columns.detail) or [""]
    below: list[Line] = [(Span(" " * columns.indent + text),) for text in more]
    if columns.stacked:
        items = [part for part in (row.checks, row.address) if part]
        tail = wrap_items(items, view.width - columns.indent, indent="")
        return [(*head, Span(first)), *below, *((Span(" " * columns.indent + text, Role.DIM),) for text in tail)]
    gap = " " * _GAP
    right = gap + pad(row.checks, columns.checks) + gap + row.address if columns.checks else gap + row.address
    return [(*head, Span(pad(first, columns.detail)), Span(right, Role.DIM)), *below]


def _listed(row: Row, columns: Columns, view: View) -> list[Line]:
    """Return the lines below a group: its other checks with `-v`, else those of them that are not well, or warn."""
    group, indent = row.group, columns.indent
    others = [entry for entry in group.entries if entry is not group.lead or row.detail != said(entry)]
    if view.verbosity > 0:
        return [line for entry in others for line in _entry_lines(group, entry, indent, view)]
    bad = (State.FAIL, State.UNKNOWN)
    lines = [
        line
        for entry in others
        if entry.verdict.state in bad or "warning" in entry.verdict.facts
        for line in _entry_lines(group, entry, indent, view)
    ]
    blocked = sum(entry.verdict.state is State.BLOCKED for entry in group.entries)
    if blocked and group.state is not State.BLOCKED:
        symbol = "" if view.ascii else view.symbol(State.BLOCKED) + " "
        lines.append((Span(" " * indent + symbol, Role.BLOCKED), Span(count(blocked, "check") + " blocked", Role.DIM)))
    return lines


def _entry_lines(group: Group, entry: Entry, indent: int, view: View) -> list[Line]:
    state = entry.verdict.state
    symbol = view.symbol(state).ljust(view.symbol_width) + " "
    text = entry.title_in(group.name) if state is State.BLOCKED else said(entry)
    start, *more = wrap(text, view.width - indent - len(symbol)) or [entry.title]
    return [
        (Span(" " * indent + symbol, role_of(state)), Span(start)),
        *((Span(" " * (indent + len(symbol)) + row),) for row in more),
    ]
