"""What a seed works with: the connection, its environment, and writing that can be repeated without harm."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_devenv.errors import SeedError, explain
from pytest_devenv.secret import Secret
from pytest_devenv.seed.rows import check_columns, select_rows, write_rows
from pytest_devenv.seed.sources import data_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    import psycopg
    from psycopg import sql

    from pytest_devenv.seed.model import Seed
    from pytest_devenv.settings import Tier

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

Row: TypeAlias = dict[str, Any]
_Key: TypeAlias = tuple[str, tuple[tuple[str, object], ...]]


class SeedContext:
    """One run of one seed. Everything happens in the transaction that also notes the seed as applied.

    Tables are named `table` or `schema.table`. A `dict` as a value is written as JSONB. What is written through
    `connection` is tracked as well as what is written through the context, but `lookup` does not notice it.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        seed: Seed,
        folder: Path,
        tier: Tier,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.connection = connection
        self.seed = seed
        self.tier = tier
        self._folder = folder
        self._environ = os.environ if environ is None else environ
        self._cache: dict[_Key, Row] = {}
        self._secrets: dict[str, Secret] = {}
        self._files: dict[str, None] = {}

    @property
    def files(self) -> tuple[str, ...]:
        """The data files that this run has asked for, by their names in the seeds folder."""
        return tuple(self._files)

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """The secrets that this run was given."""
        return tuple(self._secrets.values())

    def lookup(self, table: str, **key: object) -> Row:
        """Return the one row with this key, from memory where it was looked up or ensured before.

        Raises SeedError where there is none, or more than one.
        """
        row = self.find(table, **key)
        if row is None:
            message = explain(
                f"{self.seed.name} looked for a row of {table} that is not there",
                expected=f"one row with {_shown(key)}",
                found="none",
                where=f"table {table}",
            )
            raise SeedError(message, remedy=f"name the seed that writes it among the dependencies of {self.seed.name}")
        return row

    def find(self, table: str, **key: object) -> Row | None:
        """Return the one row with this key, None where there is none. Raises SeedError for more than one."""
        remembered = self._cache.get(_key(table, key))
        if remembered is not None:
            return dict(remembered)
        rows = select_rows(self.connection, table, key, limit=2)
        if len(rows) > 1:
            message = explain(
                f"{self.seed.name} looked for one row of {table} and found several",
                expected=f"one row with {_shown(key)}",
                found="at least 2",
                where=f"table {table}",
            )
            raise SeedError(message, remedy="give enough columns to tell it from the others")
        if rows:
            self._cache[_key(table, key)] = rows[0]
        return dict(rows[0]) if rows else None

    def ensure(
        self,
        table: str,
        key: Mapping[str, object],
        values: Mapping[str, object] | None = None,
        *,
        initial: Mapping[str, object] | None = None,
    ) -> Row:
        """Make the row with this key hold these values, and return it: inserted, updated, or as it was.

        `initial` are values for a new row only. No unique index on the key is needed.
        """
        return self.ensure_all(table, [{**key, **(values or {})}], key=tuple(key), initial=[initial or {}])[0]

    def ensure_all(
        self,
        table: str,
        rows: Iterable[Mapping[str, object]],
        *,
        key: Sequence[str],
        initial: Sequence[Mapping[str, object]] | None = None,
    ) -> list[Row]:
        """Do for many rows at once what `ensure` does for one; `key` names the columns that tell them apart."""
        wanted = [dict(row) for row in rows]
        check_columns(self.seed.name, table, wanted, key)
        self.forget(table)
        written = write_rows(self.connection, self.seed.name, table, wanted, tuple(key), initial)
        for row, result in zip(wanted, written, strict=True):
            self._cache[_key(table, {name: row[name] for name in key})] = result
        return [dict(row) for row in written]

    def execute(self, query: str | sql.Composable, parameters: Sequence[Any] | Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401  # psycopg's own cursor
        """Run a statement and return psycopg's cursor; values belong in `parameters`, never in the text."""
        self.forget()
        return self.connection.execute(query, parameters)  # type: ignore[arg-type]  # psycopg asks for a literal

    def forget(self, table: str | None = None) -> None:
        """Drop what `lookup` remembers, of one table or of all."""
        self._cache = {key: row for key, row in self._cache.items() if table is not None and key[0] != table}

    def path(self, name: str) -> Path:
        """Return the path of a data file by its name in the seeds folder; it becomes a part of the checksum.

        Raises SeedError for one that is not there, or outside the folder.
        """
        path = data_file(self._folder, name)
        if path is None or not path.is_file():
            message = explain(
                f"{self.seed.name} asks for a data file that is not there",
                expected="the name of a file in the folder of seeds",
                found=repr(name),
                where=str(self._folder),
            )
            raise SeedError(message, remedy="put the file there; names begin in that folder, such as data/names.csv")
        self._files[name] = None
        return path

    def read_text(self, name: str) -> str:
        """Return the content of a data file in UTF-8, by its name in the seeds folder."""
        return self.path(name).read_text(encoding="utf-8")

    def read_bytes(self, name: str) -> bytes:
        """Return the content of a data file, by its name in the seeds folder."""
        return self.path(name).read_bytes()

    def secret(self, variable: str) -> Secret | None:
        """Return the value of an environment variable, None where it is not set or empty.

        It is taken out of whatever is said or noted of this seed.
        """
        value = self._environ.get(variable)
        if not value:
            return None
        return self._secrets.setdefault(variable, Secret(value))

    def hide(self, value: str) -> Secret:
        """Take a value, such as a default password, out of whatever is said or noted of this seed."""
        return self._secrets.setdefault(f"={value}", Secret(value))


def _key(table: str, key: Mapping[str, object]) -> _Key:
    return table, tuple(sorted((name, _hashable(value)) for name, value in key.items()))


def _hashable(value: object) -> object:
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return value


def _shown(key: Mapping[str, object]) -> str:
    return ", ".join(f"{name} = {value!r}" for name, value in key.items()) or "no condition"
