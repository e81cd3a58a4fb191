"""A folder of plain SQL migrations: which there are, and what is in them."""

from __future__ import annotations

import hashlib
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pytest_devenv.errors import explain
from pytest_devenv.migrate.failure import FolderError
from pytest_devenv.migrate.model import Direction, Migration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.migrate.dialect import Dialect

BOM = "\ufeff"
_PIECE = 1 << 16


class Source(NamedTuple):
    """The content of a file, and the SHA-384 of its bytes in hexadecimal."""

    file: str
    text: str
    checksum: str

    @property
    def path(self) -> Path:
        """Where it is."""
        return Path(self.file)

    @property
    def name(self) -> str:
        """What it is called there."""
        return os.path.basename(self.file)  # noqa: PTH119  # for thousands of files `Path` would take its time


class Listing(NamedTuple):
    """What a folder holds, in the order in which it is applied. `notes` are remarks that stop nothing."""

    migrations: tuple[Migration, ...]
    notes: tuple[str, ...] = ()


def list_folder(folder: Path, dialect: Dialect) -> Listing:
    """Read the names in `folder`, opening no file. Raises FolderError, for all bad names at once."""
    found: dict[tuple[str, Direction], tuple[str, str]] = {}
    problems: list[str] = []
    for path in sorted(_files(folder, recursive=dialect.recursive)):
        name = os.path.basename(path).encode("utf-8", "surrogateescape").decode("utf-8", "replace")  # noqa: PTH119
        try:
            parsed = dialect.parse_name(name)
        except ValueError as error:
            problems.append(f"{name}: expected {error}")
            continue
        if parsed is None:
            continue
        key = (parsed.version, parsed.direction)
        if key in found:
            other = os.path.relpath(found[key][0], folder)
            problems.append(f"{os.path.relpath(path, folder)}: version {parsed.version} is already that of {other}")
            continue
        found[key] = (path, parsed.description)
    if problems:
        message = explain(
            "the folder of migrations cannot be used",
            expected=f"files as {dialect.name} names them, each version once",
            found="; ".join(problems),
            where=str(folder),
        )
        raise FolderError(message, remedy="rename or remove the files named above, none of which is applied yet")
    migrations = [
        Migration(
            version=version,
            description=description,
            file=path,
            back=found[version, Direction.DOWN][0] if (version, Direction.DOWN) in found else None,
        )
        for (version, direction), (path, description) in found.items()
        if direction is Direction.UP
    ]
    notes = tuple(
        f"{os.path.relpath(path, folder)} takes back a migration that is not there"
        for (version, direction), (path, _) in found.items()
        if direction is Direction.DOWN and (version, Direction.UP) not in found
    )
    return Listing(tuple(sorted(migrations, key=lambda migration: dialect.order(migration.version))), notes)


def read_source(file: str) -> Source:
    """Read one file. Raises FolderError where it cannot be read or is not UTF-8."""
    try:
        data = _read(file)
    except OSError as error:
        name = Path(file).name
        message = explain(f"{name} cannot be read", expected="a readable file", found=error.strerror or "?", where=file)
        raise FolderError(message, remedy=f"ls -l {shlex.quote(file)}") from error
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = explain(
            f"{Path(file).name} is not UTF-8",
            expected="text in UTF-8",
            found=f"byte 0x{data[error.start]:02x} at offset {error.start}",
            where=f"{file}, line {line}",
        )
        raise FolderError(message, remedy="save the file as UTF-8") from error
    return Source(file, text, hashlib.sha384(data).hexdigest())


def _read(file: str) -> bytes:
    """Return a file's content; `Path.read_bytes` takes three times as long, and there may be thousands."""
    descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        data = os.read(descriptor, _PIECE)
        if len(data) < _PIECE:
            return data
        pieces = [data]
        while piece := os.read(descriptor, _PIECE):
            pieces.append(piece)
        return b"".join(pieces)
    finally:
        os.close(descriptor)


def _files(folder: Path, *, recursive: bool) -> Iterator[str]:
    try:
        entries = os.scandir(folder)
    except OSError as error:
        message = explain(
            "the folder of migrations cannot be read",
            expected="a folder",
            found=error.strerror or type(error).__name__,
            where=str(folder),
        )
        raise FolderError(message, remedy="name the right folder in migrations.path of the settings") from error
    with entries:
        for entry in entries:
            if entry.is_file():
                yield entry.path
            elif recursive and entry.is_dir(follow_symlinks=False):
                yield from _files(Path(entry.path), recursive=True)
