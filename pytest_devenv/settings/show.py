"""The settings as they may be shown: each value with its key path and its source, secrets hidden."""

from __future__ import annotations

import enum
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING

from pytest_devenv.settings.problems import dotted
from pytest_devenv.settings.redact import redact, redact_login, redact_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_devenv.settings.model import Settings

Shown = str | int | float | bool | list[str] | None


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value: the tables around it, its key, what may be shown of it, and where it came from."""

    table: tuple[str, ...]
    key: str
    value: Shown
    source: str

    @property
    def path(self) -> str:
        """The key path: `services.backend.port`."""
        return dotted((*self.table, self.key))


def leaves(settings: Settings) -> Iterator[Leaf]:
    """Yield every value of the settings that fits its table, in the order of the schema."""
    for table, key, value in _walk(settings, ()):
        path = dotted((*table, key))
        if path in settings.sources:
            yield Leaf(table, key, _shown(table, key, value), settings.sources[path])


def _walk(node: object, table: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str, object]]:
    """Yield values before the tables below them, as TOML wants them."""
    pairs = _pairs(node)
    for key, value in pairs.items():
        if not _is_table(value):
            yield table, key, value
    for key, value in pairs.items():
        if _is_table(value):
            yield from _walk(value, (*table, key))


def _pairs(node: object) -> Mapping[str, object]:
    if is_dataclass(node):
        return {each.name: getattr(node, each.name) for each in fields(node)}
    return dict(node)  # type: ignore[call-overload, no-any-return]  # what is no dataclass here is a mapping


def _is_table(value: object) -> bool:
    return is_dataclass(value) or hasattr(value, "items")


def _shown(table: tuple[str, ...], key: str, value: object) -> Shown:
    match value:
        case enum.Enum():
            return str(value.value)
        case str() if key == "url":
            return redact_login(value)
        case str():
            return redact(key, value) if table and table[-1] == "env" else redact_url(value)
        case tuple():
            return [redact_url(str(each)) for each in value]
        case None | bool() | int() | float():
            return value
        case _:
            return redact_url(str(value))
