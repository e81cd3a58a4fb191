"""Where what was made is kept: outside the repository, each thing under a key of what it was made of."""

from __future__ import annotations

from pathlib import Path

from tests.cluster.kind import place
from tests.cluster.kind.place import home
from tests.cluster.kind.versions import key

ROOT = Path(__file__).parents[3]
_KEPT = 3


def folder() -> Path:
    """Return the folder of images and wheels, made where it is not there."""
    made = home() / "images"
    made.mkdir(exist_ok=True)
    return made


def recent(made: Path) -> Path:
    """Note that a thing was used now, and remove those of its name that were not for longest; return it."""
    return place.recent(made, f"{made.name.rpartition('-')[0]}-*", kept=_KEPT)


def key_of(*paths: Path) -> str:
    """Return the key of files and of all files below folders: their names, modes and contents."""
    parts: list[str | bytes] = []
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and "__pycache__" not in file.parts:
                parts += [f"{file.relative_to(ROOT)} {file.stat().st_mode & 0o111:o}", file.read_bytes()]
    return key(*parts)
