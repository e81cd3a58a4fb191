"""One rule applied to every text of a value, however deep."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast

T = TypeVar("T")


def map_texts(value: T, change: Callable[[str, str], str], key: str = "") -> T:
    """Return the value with `change(text, key)` in place of every text in it.

    `key` is the field or the key of a mapping under which the text stands. Dataclasses, tuples, lists and mappings are
    walked; enums and all that is no text stay as they are.
    """
    return cast("T", _mapped(value, change, key))


def _mapped(value: Any, change: Callable[[str, str], str], key: str) -> Any:  # noqa: ANN401  # it walks whatever it is given
    if isinstance(value, enum.Enum):
        return value
    if isinstance(value, str):
        return change(value, key)
    if isinstance(value, Mapping):
        return {name: _mapped(item, change, str(name)) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return type(value)([_mapped(item, change, key) for item in value])
    if is_dataclass(value) and not isinstance(value, type):
        return replace(
            value, **{field.name: _mapped(getattr(value, field.name), change, field.name) for field in fields(value)}
        )
    return value
