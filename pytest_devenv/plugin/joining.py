"""When the packaged checks join a run, and which of them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PREFIX = "devenv/"
MODULES = ("cluster", "health", "schema", "ports", "loop", "project")


def selects_marked_only(expression: str) -> bool:
    """Tell whether a `-m` expression is false for a test without marks, so that whoever wrote it wants marked ones.

    An expression that cannot be read is pytest's to complain about.
    """
    if not expression.strip():
        return False
    try:
        tree = ast.parse(expression.strip(), mode="eval")
    except SyntaxError:
        return False
    return not _unmarked(tree.body)


def names_mark(expression: str, mark: str) -> bool:
    """Tell whether a `-m` expression names a mark at all."""
    try:
        tree = ast.parse(expression.strip() or "()", mode="eval")
    except SyntaxError:
        return False
    return any(isinstance(node, ast.Name) and node.id == mark for node in ast.walk(tree))


def _unmarked(node: ast.expr) -> bool:
    """Return the value of an expression for a test without marks: every name is false."""
    match node:
        case ast.BoolOp(op=ast.And(), values=values):
            return all(_unmarked(value) for value in values)
        case ast.BoolOp(values=values):
            return any(_unmarked(value) for value in values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _unmarked(operand)
        case ast.Constant(value=value):
            return bool(value)
        case _:
            return False


def is_packaged_id(argument: str, folder: Path) -> bool:
    """Tell whether a command-line argument names a packaged check or a module of them: `devenv/health.py::…`.

    A file of that name in the working directory, `folder`, is the project's own.
    """
    file = argument.partition("::")[0]
    return file in {f"{PREFIX}{name}.py" for name in MODULES} and not (folder / file).exists()


def is_named(nodeid: str, arguments: tuple[str, ...]) -> bool:
    """Tell whether one of the arguments names this check, its module, or its function with any parameter."""
    return any(nodeid == argument or nodeid.startswith((f"{argument}::", f"{argument}[")) for argument in arguments)
