"""Values with placeholders, such as `{python}` or `{postgres.url}`, which the embedded target fills in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

OWN = ("python", "host", "port")
OF_A_SERVICE = ("host", "port", "url")

_TOKEN = re.compile(r"\{\{|\}\}|\{(?P<name>[^{}]*)\}|[{}]")
_NAME = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")


class TemplateError(ValueError):
    """A template that cannot be read; the message says what is wrong and at which character."""


def parse(template: str) -> tuple[tuple[str, str | None], ...]:
    """Return a template as pairs of a literal text and the placeholder that follows it, None after the last.

    `{{` and `}}` stand for braces. Raises `TemplateError`.
    """
    pairs: list[tuple[str, str | None]] = []
    literal, end = "", 0
    for token in _TOKEN.finditer(template):
        literal += template[end : token.start()]
        end = token.end()
        name = token["name"]
        if token[0] in {"{{", "}}"}:
            literal += token[0][0]
        elif name is None:
            message = f"a single {token[0]} at character {token.start() + 1}"
            raise TemplateError(message)
        elif _NAME.fullmatch(name) is None:
            message = f"{token[0]} at character {token.start() + 1}, which is no placeholder"
            raise TemplateError(message)
        else:
            pairs.append((literal, name))
            literal = ""
    return (*pairs, (literal + template[end:], None))


def names(template: str) -> tuple[str, ...]:
    """Return the placeholders of a template, in order. Raises `TemplateError`."""
    return tuple(name for _, name in parse(template) if name is not None)


def render(template: str, values: Mapping[str, str]) -> str:
    """Return the template with its placeholders filled in. Raises `TemplateError`, and `KeyError` for one unknown."""
    return "".join(literal + ("" if name is None else values[name]) for literal, name in parse(template))


def placeholders(services: Iterable[str], databases: Iterable[str]) -> tuple[str, ...]:
    """Return every placeholder there is, given the names of the services that have an address and of the databases."""
    return (
        *OWN,
        *(f"{service}.{part}" for service in services for part in OF_A_SERVICE),
        *(f"database.{database}.url" for database in databases),
    )
