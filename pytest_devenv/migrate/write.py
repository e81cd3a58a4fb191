"""New migrations: the next version, a name that makes a file, and the files."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pytest_devenv.errors import explain
from pytest_devenv.migrate.failure import FolderError
from pytest_devenv.migrate.folder import list_folder
from pytest_devenv.migrate.model import Direction

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_devenv.migrate.dialect import Dialect

_LONGEST_BYTES = 180


def write_files(folder: Path, dialect: Dialect, name: str, *, transaction: bool) -> tuple[Path, ...]:
    """Write the files of a migration called `name` that comes after all others. Raises FolderError for a bad name.

    A folder whose migrations all lack a way back goes on that way.
    """
    migrations = list_folder(folder, dialect).migrations if folder.exists() else ()
    reversible = not migrations or any(migration.down is not None for migration in migrations)
    version = _next_version(migrations[-1].version if migrations else None)
    files = dialect.new_files(version, name, transaction, reversible)
    for file, _ in files:
        _judge(file, name, dialect, folder)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for file, content in files:
        path = folder / file
        with path.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(content)
        written.append(path)
    return tuple(written)


def _next_version(last: str | None) -> str:
    now = int(datetime.now(tz=UTC).strftime("%Y%m%d%H%M%S"))
    return str(now if last is None else max(now, int(last) + 1))


def _judge(file: str, name: str, dialect: Dialect, folder: Path) -> None:
    problem = None
    if not name.strip() or name != name.strip():
        problem = "an empty name, or one with space around it"
    elif any(letter in "/\\\0" or not letter.isprintable() for letter in name):
        problem = "a character that no file name should hold"
    elif len(file.encode("utf-8", "surrogatepass")) > _LONGEST_BYTES:
        problem = f"a name of more than {_LONGEST_BYTES} bytes"
    else:
        try:
            parsed = dialect.parse_name(file)
        except ValueError as error:
            problem = f"{file}, which {dialect.name} refuses: expected {error}"
        else:
            direction = Direction.DOWN if file.endswith(".down.sql") else Direction.UP
            whole = parsed is not None and parsed.description.replace(" ", "_") == name.replace(" ", "_")
            if parsed is None or parsed.direction is not direction or not whole:
                problem = f"{file}, which {dialect.name} would read as something else"
    if problem is not None:
        message = explain(
            f"a migration cannot be called {name!r}",
            expected="words of letters, digits, hyphens and underscores",
            found=problem,
            where=str(folder),
        )
        raise FolderError(message, remedy="pytest-devenv db create add_users")
