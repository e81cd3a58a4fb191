"""Alembic's revisions as their files say it, read without Alembic: importing that takes longer than a whole look."""

from __future__ import annotations

import ast
import re
from configparser import ConfigParser
from configparser import Error as IniError
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_devenv.migrate.model import Migration

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_FILE = re.compile(r"(?!\.\#|__init__).*\.py")
_SAID = ("revision", "down_revision", "branch_labels", "depends_on")
# With one of these, revisions lie elsewhere or are other files.
_UNUSUAL = ("version_locations", "recursive_version_locations", "sourceless")


@dataclass(frozen=True, slots=True)
class _Line:
    """What one file says."""

    migration: Migration
    parent: str | None


def ini_of(folder: Path) -> Path | None:
    """Return the alembic.ini in `folder`, or beside it; None where there is none."""
    return next((path for path in (folder / "alembic.ini", folder.parent / "alembic.ini") if path.is_file()), None)


def read_line(folder: Path) -> tuple[Migration, ...] | None:
    """Return the revisions of a folder, parents before children, where they are a single line and plainly written.

    None where only Alembic itself can tell: for branches, labels, revisions elsewhere, and whatever is computed or
    wrong.
    """
    versions = _versions_of(folder)
    if versions is None:
        return None
    try:
        paths = sorted(path for path in versions.iterdir() if _FILE.fullmatch(path.name) is not None)
        return _in_line([_read(path) for path in paths])
    except (OSError, ValueError, TypeError, SyntaxError, RecursionError):
        return None


def _versions_of(folder: Path) -> Path | None:
    """Return where the revisions are; None where alembic.ini says something that is not understood here."""
    ini = ini_of(folder)
    if ini is None:
        return folder / "versions"
    parser = ConfigParser({"here": str(ini.parent)})
    try:
        parser.read_string(ini.read_text(encoding="utf-8"))
        if any(parser.has_option("alembic", name) for name in _UNUSUAL):
            return None
        location = parser.get("alembic", "script_location", fallback=None)
    except (OSError, UnicodeDecodeError, IniError):
        return None
    if location is None or ini.parent != folder:
        return folder / "versions"
    return None if ":" in location else ini.parent / location / "versions"


def _read(path: Path) -> _Line:
    """Read one file. Raises ValueError where what it says of itself is not plainly written."""
    tree = ast.parse(path.read_bytes(), str(path))
    said: dict[str, object] = {}
    for name, value in _assignments(tree):
        if name in said:
            message = f"{path.name} says twice what its {name} is"
            raise ValueError(message)
        said[name] = ast.literal_eval(value)
    revision, parent = said.get("revision"), said.get("down_revision")
    if not isinstance(revision, str) or not isinstance(parent, str | None) or "down_revision" not in said:
        message = f"{path.name} is no revision with one parent or none"
        raise ValueError(message)
    if said.get("branch_labels") or said.get("depends_on"):
        message = f"{path.name} belongs to a branch"
        raise ValueError(message)
    migration = Migration(
        version=revision,
        description=(ast.get_docstring(tree, clean=False) or "").strip().split("\n\n")[0],
        file=str(path),
        back=str(path)
        if any(isinstance(each, ast.FunctionDef) and each.name == "downgrade" for each in tree.body)
        else None,
        parents=() if parent is None else (parent,),
    )
    return _Line(migration, parent)


def _assignments(tree: ast.Module) -> Iterable[tuple[str, ast.expr]]:
    """Yield what a revision says of itself, wherever in its file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            targets, value = [node.target], node.value
        else:
            continue
        for target in targets:
            if isinstance(target, ast.Name) and target.id in _SAID:
                yield target.id, value


def _in_line(lines: list[_Line]) -> tuple[Migration, ...] | None:
    """Return the migrations from the only base to the only head; None where they are no line."""
    children = {line.parent: line.migration for line in lines}
    ordered: list[Migration] = []
    after: str | None = None
    while after in children and len(ordered) < len(lines):
        ordered.append(children[after])
        after = ordered[-1].version
    whole = len(ordered) == len(lines) == len({line.migration.version for line in lines})
    return tuple(ordered) if whole else None
