"""What makes up a seed: its code, the modules of the seeds folder that it imports, and the data files it reads."""

from __future__ import annotations

import ast
import hashlib
import os
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from pytest_devenv.seed.syntax import parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from pytest_devenv.seed.model import Seed

CODE = "code"
_READERS = frozenset({"path", "read_bytes", "read_text"})


@dataclass(frozen=True, slots=True)
class Sources:
    """The SHA-256 of each file of a seed, by its path in the folder; the seed's own file is called `code`.

    So a seed may be renumbered without being changed.
    """

    files: Mapping[str, str]

    @property
    def checksum(self) -> str:
        """One SHA-256 over all of them, in hexadecimal."""
        lines = (f"{name}\0{digest}\n" for name, digest in sorted(self.files.items()))
        return hashlib.sha256("".join(lines).encode("utf-8", "surrogatepass")).hexdigest()

    def differing(self, others: Mapping[str, str]) -> tuple[str, ...]:
        """Name the files that `others` has differently, or has not, or has in addition."""
        return tuple(sorted(name for name in {*self.files, *others} if self.files.get(name) != others.get(name)))


@dataclass(frozen=True, slots=True)
class _Mentions:
    """What a Python file mentions: imports as (level, module, names), and texts given to what reads files."""

    imports: tuple[tuple[int, str, tuple[str, ...]], ...]
    texts: tuple[str, ...]


def sources_of(seed: Seed, folder: Path, recorded: Iterable[str] = ()) -> Sources:
    """Look at all files of a seed as they are now.

    Imports and the literal names of data files are found in the text, at any depth of helpers; `recorded` are the
    files that a run was seen to read besides. A file that is gone counts as changed. What is imported by a computed
    name is not seen.
    """
    files: dict[str, str] = {}
    own = seed.path.relative_to(folder).as_posix()
    waiting = [own]
    while waiting:
        name = waiting.pop()
        label = CODE if name == own else name
        if label in files:
            continue
        data = (folder / name).read_bytes()
        files[label] = hashlib.sha256(data).hexdigest()
        if not name.endswith(".py"):
            continue
        mentions = _mentions(data)
        waiting += [one for one in _imported(mentions, name, folder.name) if _is_file(folder, one)]
        for text in mentions.texts:
            named = data_file(folder, text)
            if named is not None and named.is_file():
                files[text] = hashlib.sha256(named.read_bytes()).hexdigest()
    for text in recorded:
        if text not in files:
            named = data_file(folder, text)
            is_there = named is not None and named.is_file()
            files[text] = hashlib.sha256(named.read_bytes()).hexdigest() if named and is_there else "gone"
    return Sources(files)


def data_file(folder: Path, name: str) -> Path | None:
    """Return the path of a file by its name in the folder, None for one that is not inside."""
    if not name or "\0" in name:
        return None
    root = folder.resolve()
    path = (root / name).resolve()
    return path if path != root and path.is_relative_to(root) else None


def _is_file(folder: Path, name: str) -> bool:
    return os.path.isfile(f"{folder}/{name}")  # noqa: PTH113  # asked often, and pathlib is slow


@lru_cache(maxsize=512)
def _mentions(data: bytes) -> _Mentions:
    try:
        tree = parse(data)
    except (SyntaxError, ValueError):
        return _Mentions((), ())
    imports: list[tuple[int, str, tuple[str, ...]]] = []
    texts: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imports += [(0, alias.name, ()) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            imports.append((node.level, node.module or "", tuple(alias.name for alias in node.names)))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _READERS:
            first = node.args[0] if node.args else None
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                texts.append(first.value)
    return _Mentions(tuple(imports), tuple(texts))


@lru_cache(maxsize=512)
def _imported(mentions: _Mentions, name: str, package: str) -> tuple[str, ...]:
    """Return the names of the files that the imports of the file `name` may run."""
    own = (package, *name.split("/")[:-1])
    found: dict[str, None] = {}
    for level, module, names in mentions.imports:
        words = tuple(word for word in module.split(".") if word)
        if level > len(own):
            continue
        parts = words if level == 0 else (*own[: len(own) - level + 1], *words)
        if not parts or parts[0] != package:
            continue
        for last in ("", *names):
            found |= dict.fromkeys(_modules((*parts[1:], last) if last else parts[1:]))
    return tuple(found)


def _modules(parts: tuple[str, ...]) -> Iterator[str]:
    """Yield the files that importing this module of the folder runs: its packages' `__init__.py`, and its own."""
    for depth in range(len(parts) + 1):
        yield "/".join((*parts[:depth], "__init__.py"))
    if parts:
        yield "/".join((*parts[:-1], f"{parts[-1]}.py"))
