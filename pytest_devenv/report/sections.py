"""The parts of a report below the overview: causes, times, next steps, and the last line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_devenv.report.causes import next_steps, roots
from pytest_devenv.report.details import commands, evidence, facts, remedy
from pytest_devenv.report.lines import BLANK, Line, Role, Span, cells, one_line, pad, role_of, wrap, wrap_items
from pytest_devenv.report.model import group_name
from pytest_devenv.report.phrases import count, milliseconds, seconds
from pytest_devenv.verdict import State

if TYPE_CHECKING:
    from pytest_devenv.report.causes import Root
    from pytest_devenv.report.model import Run
    from pytest_devenv.report.view import View

_SLOWEST = 3


def heading(run: Run, view: View) -> list[Line]:
    """Return which environment was looked at, where it runs and why there."""
    rows = wrap(f"{run.tier} · {run.target}: {run.why}", view.width - cells(run.environment) - 3)
    first: Line = (Span(run.environment, Role.STRONG), Span(" · " + (rows[0] if rows else ""), Role.DIM))
    notes = [row for note in run.notes for row in wrap(note, view.width)]
    return [first, *((Span(row, Role.DIM),) for row in [*rows[1:], *notes])]


def causes(run: Run, view: View) -> list[Line]:
    """Return a block for each root: first what fails, then what could not be looked at."""
    lines: list[Line] = []
    for root in roots(run):
        lines += [*([BLANK] if lines else []), *_cause(run, root, view)]
    return lines


def _cause(run: Run, root: Root, view: View) -> list[Line]:
    symbol = view.symbol(root.state)
    failing = root.state is State.FAIL
    start, *more = wrap(one_line(root.title), view.width - len(symbol) - 1) or [root.probe]
    title_role = Role.FAIL_TITLE if failing else Role.UNKNOWN_TITLE
    lines: list[Line] = [(Span(symbol + " ", role_of(root.state)), Span(start, title_role))]
    lines += [(Span(" " * (len(symbol) + 1)), Span(row, title_role)) for row in more]
    note = ", not a check of this run" if root.absent else ""
    lines += [(Span("  " + row, Role.DIM),) for row in wrap(root.probe + note, view.width - 2)]
    lines += facts(root.verdict, width=view.width)
    lines += remedy(root.verdict, label="remedy" if failing else "to allow it")
    lines += evidence(root.verdict)
    return lines + _blocks(run, root, view)


def _blocks(run: Run, root: Root, view: View) -> list[Line]:
    """Return the checks that a root blocks, by the service that they look at."""
    if not root.blocks:
        return []
    services: dict[str, list[str]] = {}
    for entry in root.blocks:
        service = group_name(run, entry)
        services.setdefault(service, []).append(entry.title_in(service))
    column = max(cells(name) for name in services) + 2
    lines: list[Line] = [(Span(f"  blocks {count(len(root.blocks), 'check')}", Role.DIM),)]
    for service, names in services.items():
        rows = wrap(", ".join(names), view.width - 4 - column)
        lines += [
            (Span("    " + pad(service if number == 0 else "", column)), Span(row, Role.DIM))
            for number, row in enumerate(rows)
        ]
    return lines


def times(run: Run, view: View) -> list[Line]:
    """Return how long the looks took: the slowest three, or all of them with `-v`."""
    looked = (State.PASS, State.FAIL, State.UNKNOWN)
    entries = [entry for entry in run.entries if entry.mark != "perf"]  # measuring takes as long as it takes
    took = {entry.probe: entry.verdict.took_s for entry in entries if entry.verdict.state in looked}
    if not took:
        return []
    slowest = sorted(took.items(), key=lambda item: -item[1])
    said = [f"{count(len(took), 'look')} in {seconds(run.batch_wall_s)}", f"one by one {seconds(run.looks_s)}"]
    said += [f"{name} {seconds(value)}" for name, value in run.timings_s.items()]
    rows = wrap_items(said, view.width)
    if view.verbosity > 0:
        column = max(len(milliseconds(value * 1000)) for value in took.values())
        rows += [f"  {milliseconds(value * 1000).rjust(column)}  {probe}" for probe, value in slowest]
    else:
        first, *more = [f"{probe} {milliseconds(value * 1000)}" for probe, value in slowest[:_SLOWEST]]
        rows += wrap_items([f"slowest: {first}", *more], view.width)
    return [(Span(row, Role.DIM),) for row in rows]


def versions(run: Run, view: View) -> list[Line]:
    """Return what took part, with its version."""
    items = [f"{name} {version}" for name, version in run.versions.items()]
    return [(Span(row, Role.DIM),) for row in wrap_items(items, view.width)]


def steps(run: Run, view: View) -> list[Line]:
    """Return what to do next: numbered, in the order of the causes, each remedy once and on lines of its own."""
    lines: list[Line] = []
    for number, step in enumerate(next_steps(run), start=1):
        title = one_line(step.mends[0].title)
        if len(step.mends) > 1:
            title += f", and {len(step.mends) - 1} more"
        if step.unblocks:
            title += f" · unblocks {count(len(step.unblocks), 'check')}"
        start = f"  {number}. "
        rows = wrap(title, view.width - len(start))
        lines += [
            (Span(start if index == 0 else " " * len(start)), Span(row, Role.DIM)) for index, row in enumerate(rows)
        ]
        lines += commands(step.remedy, indent=len(start))
    return [(Span("Next steps", Role.STRONG),), *lines] if lines else []


def off_count(run: Run, view: View) -> list[Line]:
    """Return how many checks are off, where `-v` does not list them."""
    number = run.counts[State.OFF]
    if number == 0 or view.verbosity > 0:
        return []
    text = f"{view.symbol(State.OFF)} {count(number, 'check')} off, not configured (-v lists them)"
    return [(Span(row, Role.DIM),) for row in wrap(text, view.width)]


def last_line(run: Run, view: View) -> list[Line]:
    """Return the verdict on the whole."""
    state = run.state
    name = Span(run.environment, Role.STRONG)
    if state is State.PASS:
        said = (name, Span(f" is {run.well}", Role.PASS), Span(f": {_checked(run)}"))
    elif state is State.FAIL:
        said = (name, Span(f" is not {run.well}", Role.FAIL), Span(f": {_why_not(run)}"))
    elif run.counts[State.PASS] > 0:
        said = (name, Span(" is not fully verified", Role.UNKNOWN), Span(f": {_as_far_as_seen(run)}"))
    else:
        return [(Span("nothing could be verified", Role.UNKNOWN),)]
    return _wrapped(said, view.width)


def _checked(run: Run) -> str:
    return f"{count(run.counts[State.PASS], 'check')} in {seconds(run.duration_s)}"


def _why_not(run: Run) -> str:
    failing = [root for root in roots(run) if root.state is State.FAIL]
    blocked = sum(len(root.blocks) for root in failing)
    what = count(len(failing), "root failure" if blocked else "failure")
    if blocked:
        what += f" {'blocks' if len(failing) == 1 else 'block'} {count(blocked, 'check')}"
    else:
        what += f" in {count(len(run.entries) - run.counts[State.OFF], 'check')}"
    unseen = run.counts[State.UNKNOWN]
    return what if unseen == 0 else f"{what}; {unseen} could not be looked at"


def _as_far_as_seen(run: Run) -> str:
    counts = run.counts
    what = f"{count(counts[State.PASS], 'check')} {'passes' if counts[State.PASS] == 1 else 'pass'}"
    if counts[State.UNKNOWN]:
        what += f", {counts[State.UNKNOWN]} could not be looked at"
    return what if counts[State.BLOCKED] == 0 else f"{what}, {counts[State.BLOCKED]} blocked"


def _wrapped(spans: Line, width: int) -> list[Line]:
    """Return a line of spans, its last one wrapped below where it is too long."""
    *fixed, last = spans
    before = sum(cells(span.text) for span in fixed)
    if before + cells(last.text) <= width:
        return [spans]
    punctuation, _, text = last.text.partition(" ")
    rows = wrap(text, width - 2)
    return [(*fixed, Span(punctuation)), *((Span("  " + row),) for row in rows)]
