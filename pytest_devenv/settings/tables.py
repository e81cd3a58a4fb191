"""Tables of the file against their schema: what fits becomes values, what does not becomes problems."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pytest_devenv.settings.keys import NAME, NAME_IN_WORDS, Key, Named, Table
from pytest_devenv.settings.lines import line_of
from pytest_devenv.settings.problems import Problem, did_you_mean, dotted, nearest, quoted, shown, type_of
from pytest_devenv.settings.redact import looks_secret
from pytest_devenv.settings.schema import SERVICE
from pytest_devenv.settings.shapes import MisfitError, Shape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pytest_devenv.settings.model import ServiceKind

Path_ = tuple[str, ...]


@dataclass(slots=True)
class Reading:
    """One read of one file: where each key stands or what else it came from, and the problems found so far.

    `meant` are the key paths that unknown keys seem to have been meant as, each with the keys that the table below it
    has: that these are missing follows from the unknown key, which is said already.
    """

    file: Path
    prefix: Path_
    lines: dict[Path_, int]
    given: Mapping[Path_, str]
    sources: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    meant: dict[Path_, frozenset[str]] = field(default_factory=dict)

    def source(self, path: Path_) -> str:
        """Return where the value at a key path came from."""
        if path in self.given:
            return self.given[path]
        line = line_of(self.lines, (*self.prefix, *path))
        return self.file.name if line is None else f"{self.file.name}:{line}"

    def from_file(self, path: Path_) -> bool:
        """Return whether the value at a key path stands in the file."""
        return path not in self.given

    def problem(self, path: Path_, *, expected: str, found: str, remedy: str | None = None, at: str = "") -> None:
        """Note a problem with what stands at a key path."""
        line = 0 if path in self.given else line_of(self.lines, (*self.prefix, *path)) or 0
        key = dotted(path) + at or dotted(self.prefix) or self.file.name
        where = self.source(path)
        self.problems.append(Problem(key=key, expected=expected, found=found, where=where, remedy=remedy, line=line))

    def follows(self, table: str, name: str) -> bool:
        """Return whether a service or database is missing only since it stands below a mistyped key."""
        return name in self.meant.get((table,), ())

    def foreign(self, variable: str, *, expected: str, found: str, remedy: str | None) -> None:
        """Note a problem with an environment variable that gives no key of the file."""
        where = f"environment {variable}"
        self.problems.append(Problem(key=variable, expected=expected, found=found, where=where, remedy=remedy))


def read_table(reading: Reading, table: Table, raw: Mapping[str, object], path: Path_) -> dict[str, object]:
    """Return the values of all keys that fit, and note the problems of those that do not."""
    kind = _kind(table, raw)
    fitting = {name: key for name, key in table.keys.items() if kind is None or kind in key.kinds}
    values: dict[str, object] = {}
    for name, value in raw.items():
        if name not in fitting:
            _unknown(reading, table, tuple(fitting), kind, value, (*path, name))
            continue
        for made in _read(reading, fitting[name], name, value, (*path, name)):
            values[name] = made
    for name, key in fitting.items():
        if name in raw:
            continue
        if table.required(name) and (*path, name) in reading.meant:
            continue
        if table.required(name):
            reading.problem((*path, name), expected=_expected(key), found="nothing", remedy=f"add {name} = …")
            continue
        if kind is not None and kind in key.by_kind:
            values[name] = key.by_kind[kind]
        _default_sources(reading, key, (*path, name), given=table.default(name) is not None)
    return values


def build(table: Table, values: Mapping[str, object], **further: object) -> Any:  # noqa: ANN401  # table.model says which
    """Return the frozen value of a table that was read without a problem."""
    made: dict[str, object] = {}
    for name, key in table.keys.items():
        if name in values:
            made[name] = _frozen(key.shape, values[name])
        elif isinstance(key.shape, Named):
            made[name] = MappingProxyType({})
    return table.model(**made, **further)


def _frozen(shape: Shape | Table | Named, value: Any) -> object:  # noqa: ANN401  # the shape says what it is
    match shape:
        case Table():
            return build(shape, value)
        case Named():
            return MappingProxyType({name: build(shape.table, each, name=name) for name, each in value.items()})
        case _:
            return MappingProxyType(value) if isinstance(value, dict) else value


def _read(reading: Reading, key: Key, name: str, value: object, path: Path_) -> Iterator[object]:
    """Yield the value at a key path, or nothing where it does not fit."""
    match key.shape:
        case Shape(expected, convert):
            try:
                made = convert(value)
            except MisfitError as wrong:
                for misfit in wrong.misfits:
                    reading.problem(
                        path,
                        at=misfit.at,
                        expected=misfit.expected or expected,
                        found=misfit.found or shown(value),
                        remedy=misfit.remedy,
                    )
                return
            if isinstance(made, dict):
                for each in made:
                    reading.sources[dotted((*path, each))] = reading.source((*path, each))
            else:
                reading.sources[dotted(path)] = reading.source(path)
            yield made
        case _ if not isinstance(value, dict):
            found = shown(value, secret=looks_secret(name))
            reading.problem(path, expected=_expected(key), found=found, remedy=key.hint)
        case Table():
            yield read_table(reading, key.shape, value, path)
        case Named(table, word):
            yield _read_named(reading, table, word, value, path)


def _read_named(
    reading: Reading, table: Table, word: str, raw: Mapping[str, object], path: Path_
) -> dict[str, dict[str, object]]:
    values: dict[str, dict[str, object]] = {}
    for name, each in raw.items():
        here = (*path, name)
        if re.fullmatch(NAME, name) is None:
            found = "an empty name" if name == "" else f"the name {quoted(name)}"
            reading.problem(here, expected=f"{NAME_IN_WORDS}, since it stands in the ids of checks", found=found)
        elif not isinstance(each, dict):
            remedy = did_you_mean(name, table.keys) and f"write it below a [{dotted((*path, f'name-of-the-{word}'))}]"
            reading.problem(here, expected=f"a table that describes the {word}", found=shown(each), remedy=remedy)
        else:
            values[name] = read_table(reading, table, each, here)
    return values


def _kind(table: Table, raw: Mapping[str, object]) -> ServiceKind | None:
    if table is not SERVICE:
        return None
    shape = SERVICE.keys["kind"].shape
    assert isinstance(shape, Shape)  # noqa: S101  # for the type checker
    try:
        return shape.convert(raw.get("kind"))  # type: ignore[return-value]  # the shape of kind gives kinds
    except MisfitError:
        return None


def _unknown(
    reading: Reading, table: Table, fitting: tuple[str, ...], kind: ServiceKind | None, value: object, path: Path_
) -> None:
    """Note a key that is not of this table; its value is not shown, since a mistyped `password` holds one too."""
    name = path[-1]
    whose = "this table" if kind is None else f"a service of kind {kind}"
    if name in table.keys:
        kinds = " and ".join(table.keys[name].kinds)
        found = f"{name} ({type_of(value)}), which fits only {kinds}"
        remedy = f"remove {name}, or correct the kind"
    else:
        found = f"the unknown key {dotted([name])} ({type_of(value)})"
        remedy = did_you_mean(name, fitting) or "remove it"
        if (near := nearest(name, fitting)) is not None:
            reading.meant[*path[:-1], near] = frozenset(value if isinstance(value, dict) else ())
    reading.problem(path, expected=f"a key of {whose}: {', '.join(sorted(fitting))}", found=found, remedy=remedy)


def _expected(key: Key) -> str:
    match key.shape:
        case Shape(expected):
            return expected
        case Table(_, keys):
            return f"a table with {', '.join(keys)}"
        case Named(_, word):
            return f"a table that holds one table for each {word}"


def _default_sources(reading: Reading, key: Key, path: Path_, *, given: bool) -> None:
    """Say of each key below that it has its default; of a table that is not given at all, only that."""
    match key.shape:
        case Named():
            return
        case Table(_, keys) if given:
            for name, each in keys.items():
                _default_sources(reading, each, (*path, name), given=True)
        case _:
            reading.sources[dotted(path)] = "default"
