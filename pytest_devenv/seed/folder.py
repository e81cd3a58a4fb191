"""A folder of seeds: which files there are, told by their names alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_devenv.errors import explain
from pytest_devenv.seed.failure import SeedFolderError
from pytest_devenv.seed.model import LAYERS, Problem

if TYPE_CHECKING:
    from pathlib import Path

LONGEST_NAME = 63
_FILE = re.compile(rf"(\d{{1,6}})_([a-z][a-z0-9_]{{0,{LONGEST_NAME - 1}}})\.(py|sql)", re.ASCII)
_SUFFIXES = (".py", ".sql")


@dataclass(frozen=True, slots=True)
class Entry:
    """A seed's file, and what its path says: the layer, the prefix and the name."""

    path: Path
    layer: str
    prefix: int
    name: str


def parse_name(file: str) -> tuple[int, str] | None:
    """Return prefix and name of a file called `NN_name.py` or `NN_name.sql`; None for any other."""
    found = _FILE.fullmatch(file)
    return None if found is None else (int(found[1]), found[2])


def list_folder(folder: Path) -> tuple[tuple[Entry, ...], tuple[Problem, ...]]:
    """Read the names in the layers of `folder`, opening no file. Raises SeedFolderError where there is no folder."""
    entries: list[Entry] = []
    problems: list[Problem] = []
    try:
        children = sorted(folder.iterdir())
    except OSError as error:
        found = error.strerror or type(error).__name__
        message = explain("the folder of seeds cannot be read", expected="a folder", found=found, where=str(folder))
        problem = Problem(path=folder, found=found)
        remedy = "name the right folder in the database's `seeds` setting"
        raise SeedFolderError(message, problems=(problem,), remedy=remedy) from error
    for child in children:
        if not child.is_dir() or child.name.startswith((".", "_")):
            continue
        files = sorted(path for path in child.iterdir() if path.is_file() and path.suffix in _SUFFIXES)
        if child.name in LAYERS:
            _list_layer(child.name, files, entries, problems)
        elif any(parse_name(path.name) for path in files):
            problems.append(Problem(path=child, found=f"holds seeds and is no layer: {', '.join(LAYERS)}"))
    problems += _doubles(entries)
    return tuple(entries), tuple(problems)


def _list_layer(layer: str, files: list[Path], entries: list[Entry], problems: list[Problem]) -> None:
    for path in files:
        if path.name.startswith((".", "_")):
            continue
        parsed = parse_name(path.name)
        if parsed is None:
            found = "expected a name such as 10_name.py or 10_name.sql, in lower-case letters, digits and underscores"
            problems.append(Problem(path=path, found=found))
        else:
            entries.append(Entry(path, layer, *parsed))


def _doubles(entries: list[Entry]) -> list[Problem]:
    seen: dict[str, Entry] = {}
    problems = []
    for entry in entries:
        other = seen.setdefault(entry.name, entry)
        if other is not entry:
            found = f"{entry.name} is already the name of {other.layer}/{other.path.name}"
            problems.append(Problem(path=entry.path, found=found, seed=entry.name))
    return problems
