"""What a seed's file says of itself, read without running it."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_devenv.seed.syntax import parse
from pytest_devenv.settings import TIER_ALIASES, Tier

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEYS = ("name", "version", "description", "environments", "dependencies")
_HEADER = re.compile(r"--\s*(\w+)\s*:\s*(.*?)\s*\Z", re.ASCII)
_LONGEST_DESCRIPTION = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What a file declares. `tiers` is None where it leaves them to the layer."""

    name: str
    version: int
    description: str
    tiers: frozenset[Tier] | None
    dependencies: tuple[str, ...]
    class_name: str | None = None


def declare_python(text: str) -> Declaration:
    """Read the one class with a `run` method; its attributes are literals. Raises ValueError."""
    try:
        module = parse(text.encode())
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        message = f"{'invalid Python' if line is None else f'line {line}'}: {getattr(error, 'msg', error)}"
        raise ValueError(message) from error
    classes = [node for node in module.body if isinstance(node, ast.ClassDef) and "run" in _methods(node)]
    if len(classes) != 1:
        names = ", ".join(node.name for node in classes) or "none"
        message = f"expected one class with a method run(self, ctx), found {names}"
        raise ValueError(message)
    return _declaration(_attributes(classes[0]), class_name=classes[0].name)


def declare_sql(text: str) -> Declaration:
    """Read the comment lines at the head, `-- version: 1` and so on. Raises ValueError."""
    values: dict[str, Any] = {}
    for row in text.splitlines():
        line = row.strip()
        if line and not line.startswith("--"):
            break
        found = _HEADER.match(line)
        if found is None:
            continue
        key, value = found[1], found[2]
        if key not in _KEYS:
            continue
        if key in values:
            message = f"its header gives {key} twice"
            raise ValueError(message)
        if key == "version":
            values[key] = int(value) if value.isascii() and value.isdigit() else value
        elif key in {"environments", "dependencies"}:
            values[key] = tuple(word.strip() for word in value.split(",") if word.strip())
        else:
            values[key] = value
    return _declaration(values)


def _methods(node: ast.ClassDef) -> set[str]:
    return {item.name for item in node.body if isinstance(item, ast.FunctionDef)}


def _attributes(node: ast.ClassDef) -> dict[str, Any]:
    values = {}
    for item in node.body:
        if isinstance(item, ast.Assign) and len(item.targets) == 1:
            target: ast.expr = item.targets[0]
        elif isinstance(item, ast.AnnAssign):
            target = item.target
        else:
            continue
        if not isinstance(target, ast.Name) or target.id not in _KEYS or item.value is None:
            continue
        try:
            values[target.id] = ast.literal_eval(item.value)
        except ValueError as error:
            message = f"line {item.lineno}: {target.id} must be a literal, since it is read without running the file"
            raise ValueError(message) from error
    return values


def _declaration(values: Mapping[str, Any], *, class_name: str | None = None) -> Declaration:
    missing = [key for key in ("name", "version", "description") if key not in values]
    if missing:
        message = f"it does not say its {' and '.join(missing)}"
        raise ValueError(message)
    version, description = values["version"], values["description"]
    if type(version) is not int or not 1 <= version < 2**31:
        message = f"version must be a whole number from 1, found {version!r}"
        raise ValueError(message)
    if not isinstance(description, str) or not 0 < len(description.strip()) <= _LONGEST_DESCRIPTION:
        message = f"description must be text of at most {_LONGEST_DESCRIPTION} characters that says something"
        raise ValueError(message)
    environments = values.get("environments")
    return Declaration(
        name=str(values["name"]),
        version=version,
        description=description.strip(),
        tiers=None if environments is None else frozenset(_tier(name) for name in _words("environments", environments)),
        dependencies=tuple(dict.fromkeys(_words("dependencies", values.get("dependencies", ())))),
        class_name=class_name,
    )


def _words(key: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, (tuple, list)) or not all(isinstance(word, str) for word in value):
        message = f"{key} must be a tuple of names, found {value!r}"
        raise ValueError(message)
    return tuple(value)


def _tier(name: str) -> Tier:
    tier = TIER_ALIASES.get(name)
    if tier is None:
        message = f"environments names {name!r}, which is none of {', '.join(Tier)}"
        raise ValueError(message)
    return tier
