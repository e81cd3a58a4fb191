"""The graph of an environment drawn: as a tree for a terminal, for Mermaid, for Graphviz."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_devenv.report.details import commands
from pytest_devenv.report.graph import tops
from pytest_devenv.report.lines import BLANK, Line, Role, Span, role_of, wrap
from pytest_devenv.verdict import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.report.graph import Node
    from pytest_devenv.report.view import View

_LIMBS = ("├── ", "└── ", "│   ", "    ")
_ASCII_LIMBS = ("|-- ", "`-- ", "|   ", "    ")
_COLOURS = {
    State.PASS: "#2da44e",
    State.FAIL: "#cf222e",
    State.BLOCKED: "#8250df",
    State.UNKNOWN: "#9a6700",
    State.OFF: "#6e7781",
}
_LONGEST = 60


def tree(name: str, found: tuple[Node, ...], view: View) -> list[Line]:
    """Return the tree: what nobody requires at the left, and below each what it requires; each is drawn once."""
    by_key = {node.key: node for node in found}
    lines: list[Line] = [(Span(name, Role.STRONG),)]
    drawn: set[str] = set()
    for at, node in enumerate(leading := tops(found)):
        lines += _branch(node, by_key, drawn, view, before="", last=at == len(leading) - 1)
    return [*lines, *_roots(found, view)]


def _branch(
    node: Node, by_key: dict[str, Node], drawn: set[str], view: View, *, before: str, last: bool
) -> Iterator[Line]:
    tee, corner, bar, gap = _ASCII_LIMBS if view.ascii else _LIMBS
    again = node.key in drawn
    drawn.add(node.key)
    limb = before + (corner if last else tee)
    yield (Span(limb, Role.DIM), *_label(node, view, room=view.width - len(limb), again=again))
    if again:
        return
    for at, key in enumerate(node.requires):
        last_here = at == len(node.requires) - 1
        yield from _branch(by_key[key], by_key, drawn, view, before=before + (gap if last else bar), last=last_here)


def _label(node: Node, view: View, *, room: int, again: bool) -> Line:
    sign = () if node.state is None else (Span(f"{view.symbol(node.state)} ", role_of(node.state)),)
    name, kind = Span(node.name, Role.STRONG), Span(f" {node.kind}", Role.DIM)
    if again:
        return (*sign, name, Span(" (drawn above)", Role.DIM))
    said = _said(node)
    if not said:
        return (*sign, name, kind)
    left = room - len(node.name) - len(node.kind) - 10
    short = said if len(said) <= left else f"{said[: max(8, left - 1)].rstrip()}…"
    role = role_of(node.state) if node.state in {State.FAIL, State.BLOCKED, State.UNKNOWN} else Role.DIM
    return (*sign, name, kind, Span("  " + ("ROOT FAILURE: " if node.root else ""), role), Span(short, role))


def _said(node: Node) -> str:
    if node.blocked_by is not None:
        return f"blocked by {node.blocked_by}"
    return (node.address or node.said) if node.state is State.PASS else node.said


def _roots(found: tuple[Node, ...], view: View) -> Iterator[Line]:
    """Yield each root with what it says in full, and its remedy."""
    for node in found:
        if not node.root or node.state is None:
            continue
        yield BLANK
        start, *more = wrap(f"{node.name}: {node.said}", view.width - 2) or [node.name]
        yield (Span(f"{view.symbol(node.state)} ", role_of(node.state)), Span(start, Role.STRONG))
        yield from ((Span("  " + row),) for row in more)
        if node.remedy is not None:
            yield from commands(node.remedy, indent=4)


def mermaid(found: tuple[Node, ...]) -> str:
    """Return the graph as Mermaid takes it: https://mermaid.js.org/syntax/flowchart.html."""
    number = {node.key: f"n{at}" for at, node in enumerate(found)}
    lines = ["flowchart TD"]
    for node in found:
        text = "<br/>".join(_escaped(each) for each in _parts(node))
        shape = ('[("', '")]') if node.kind in {"postgres", "redis", "database"} else ('["', '"]')
        lines.append(f"  {number[node.key]}{shape[0]}{text}{shape[1]}")
    lines += [f"  {number[node.key]} --> {number[key]}" for node in found for key in node.requires]
    for state in State:
        members = [number[node.key] for node in found if node.state is state]
        if members:
            lines.append(f"  classDef {state.value} stroke:{_COLOURS[state]},stroke-width:2px")
            lines.append(f"  class {','.join(members)} {state.value}")
    return "\n".join(lines)


def dot(name: str, found: tuple[Node, ...]) -> str:
    """Return the graph as Graphviz takes it: https://graphviz.org/doc/info/lang.html."""
    lines = [f"digraph {_quoted(name)} {{", "  rankdir=TB", "  node [shape=box, fontname=sans]"]
    for node in found:
        colour = "" if node.state is None else f', color="{_COLOURS[node.state]}", penwidth={3 if node.root else 1}'
        lines.append(f"  {_quoted(node.key)} [label={_quoted(chr(10).join(_parts(node)))}{colour}]")
    lines += [f"  {_quoted(node.key)} -> {_quoted(key)}" for node in found for key in node.requires]
    return "\n".join([*lines, "}"])


def _parts(node: Node) -> list[str]:
    parts = [node.name, node.kind]
    if node.state is not None:
        parts.append(f"{'root failure: ' if node.root else ''}{node.state.value}")
    if node.state in {State.FAIL, State.BLOCKED, State.UNKNOWN}:
        said = _said(node)
        parts.append(said if len(said) <= _LONGEST else f"{said[: _LONGEST - 1].rstrip()}…")
    return parts


def _escaped(text: str) -> str:
    """Return a text as Mermaid's labels take it."""
    return text.replace("&", "#amp;").replace('"', "#quot;").replace("<", "#lt;").replace(">", "#gt;")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
