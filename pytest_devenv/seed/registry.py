"""The file `registry.json`: which seeds there are, in which order and with which checksum, for people and reviews."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_devenv.errors import SeedError, explain

if TYPE_CHECKING:
    from pytest_devenv.seed.catalog import Seeds

FILE = "registry.json"
_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One seed as the registry describes it; `order` counts from 1 over all layers."""

    name: str
    layer: str
    order: int
    version: int
    checksum: str
    dependencies: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """What writing the registry changed, by the names of seeds."""

    path: Path
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def entries(seeds: Seeds) -> tuple[Entry, ...]:
    """Describe the seeds of a folder as they are now."""
    return tuple(
        Entry(
            name=seed.name,
            layer=seed.layer,
            order=number,
            version=seed.version,
            checksum=seeds.sources(seed).checksum,
            dependencies=seed.dependencies,
        )
        for number, seed in enumerate(seeds.seeds, 1)
    )


def read_registry(folder: Path) -> tuple[Entry, ...]:
    """Read the registry of a folder, empty where there is none. Raises SeedError for a file that is no registry."""
    path = folder / FILE
    try:
        return _parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = explain(
            f"{FILE} cannot be read",
            expected=f"what seed-sync writes, format {_FORMAT}",
            found=f"{type(error).__name__}: {error}",
            where=str(path),
        )
        raise SeedError(message, remedy=f"remove it, then: pytest-devenv db seed-sync ({path})") from error


def sync_registry(seeds: Seeds) -> Synced:
    """Write the registry, in one step and only where it differs, and say what that changed."""
    path = seeds.folder / FILE
    try:
        old = {entry.name: entry for entry in read_registry(seeds.folder)}
    except SeedError:
        old = {}
    new = {entry.name: entry for entry in entries(seeds)}
    text = json.dumps({"format": _FORMAT, "seeds": [asdict(entry) for entry in new.values()]}, indent=2) + "\n"
    if not path.is_file() or path.read_text(encoding="utf-8", errors="replace") != text:
        _replace(path, text)
    return Synced(
        path=path,
        added=tuple(name for name in new if name not in old),
        changed=tuple(name for name in new if name in old and new[name] != old[name]),
        removed=tuple(name for name in old if name not in new),
    )


def _parse(text: str) -> tuple[Entry, ...]:
    data = json.loads(text)
    if data["format"] != _FORMAT:
        message = f"format {data['format']!r}"
        raise ValueError(message)
    return tuple(Entry(**{**one, "dependencies": tuple(one["dependencies"])}) for one in data["seeds"])


def _replace(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
