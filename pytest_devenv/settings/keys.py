"""What a key of the settings is, and a table of keys."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from pytest_devenv.settings import shapes
from pytest_devenv.settings.model import ServiceKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_devenv.settings.shapes import Shape

NAME = r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
NAME_IN_WORDS = "a name of 1 to 63 letters, digits, - and _, beginning and ending with a letter or digit"


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a table: its shape (or the table it holds), what it means, and the kinds of service it fits."""

    shape: Shape | Table | Named
    doc: str
    kinds: tuple[ServiceKind, ...] = tuple(ServiceKind)
    by_kind: Mapping[ServiceKind, object] = field(default_factory=dict)
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table: the class of the settings that it becomes, and its keys."""

    model: type[Any]
    keys: Mapping[str, Key]

    def required(self, name: str) -> bool:
        """Return whether the table is nothing without this key."""
        each = self._field(name)
        return each.default is MISSING and each.default_factory is MISSING

    def default(self, name: str) -> object:
        """Return what the key is where it is not given."""
        each = self._field(name)
        return each.default if each.default_factory is MISSING else each.default_factory()

    def _field(self, name: str) -> Any:  # noqa: ANN401  # dataclasses.Field is generic in the value
        return next(each for each in fields(self.model) if each.name == name)


@dataclass(frozen=True, slots=True)
class Named:
    """A table of tables, each under a name that the user chooses."""

    table: Table
    word: str


def name_of(what: str) -> Shape:
    """Allow the names that the user chooses for a service, a database and their like."""
    return shapes.text(f"the name of {what}", NAME)


def objects(what: str, least: int, most: int) -> Shape:
    """Allow dotted names of database objects that also read well, and stay whole, in the id of a test."""
    part = r"[^\s.\[\]:/\\](?:[^.\[\]:/\\\x00-\x1f\x7f]*[^\s.\[\]:/\\])?"
    return shapes.texts(shapes.text(what, rf"{part}(?:\.{part}){{{least - 1},{most - 1}}}"))
