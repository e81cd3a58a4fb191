"""What a Tiltfile says: port forwards, dependencies, contexts. Starlark is near enough to Python for its parser."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_RESOURCE = re.compile(r"k8s_resource\(\s*(?:workload\s*=\s*)?['\"](?P<name>[^'\"]+)['\"](?P<rest>[^()]*)\)")
_FORWARDS = re.compile(r"port_forwards\s*=\s*\[?\s*['\"]?(?P<ports>[\d.:\w]*\d)")


@dataclass(frozen=True, slots=True)
class Resource:
    """A `k8s_resource`: its workload, its ports as (local, container), and what it depends on."""

    name: str
    ports: tuple[tuple[int, int | None], ...] = ()
    requires: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tiltfile:
    """What a Tiltfile says that a table can hold."""

    resources: tuple[Resource, ...] = ()
    contexts: tuple[str, ...] = ()


def read_tiltfile(text: str) -> Tiltfile:
    """Return what a Tiltfile says; where Python's parser does not take it, what plain patterns find."""
    try:
        calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    except (SyntaxError, ValueError, RecursionError):
        return Tiltfile(tuple(_by_pattern(text)))
    resources = [each for call in calls if _name(call) == "k8s_resource" for each in _resource(call)]
    contexts = [
        each for call in calls if _name(call) == "allow_k8s_contexts" for arg in call.args for each in _texts(arg)
    ]
    return Tiltfile(tuple(resources), tuple(dict.fromkeys(contexts)))


def _resource(call: ast.Call) -> Iterator[Resource]:
    keywords = {each.arg: each.value for each in call.keywords}
    names = _texts(call.args[0] if call.args else keywords.get("workload"))
    if not names:
        return
    yield Resource(names[0], tuple(_ports(keywords.get("port_forwards"))), _texts(keywords.get("resource_deps")))


def _ports(node: ast.expr | None) -> Iterator[tuple[int, int | None]]:
    match node:
        case ast.List(elts) | ast.Tuple(elts):
            for each in elts:
                yield from _ports(each)
        case ast.Constant(int(port)) if not isinstance(port, bool):
            yield port, None
        case ast.Constant(str(text)):
            yield from _port_pair(text)
        case ast.Call(args=args) if _name(node) == "port_forward":
            numbers = [each.value for each in args if isinstance(each, ast.Constant) and isinstance(each.value, int)]
            if numbers:
                yield numbers[0], numbers[1] if len(numbers) > 1 else None
        case _:
            return


def _port_pair(text: str) -> Iterator[tuple[int, int | None]]:
    """Read `3000`, `3000:80` and `127.0.0.1:3000:80`."""
    numbers = [int(part) for part in text.split(":") if part.isdecimal()]
    if numbers:
        yield numbers[0], numbers[1] if len(numbers) > 1 else None


def _by_pattern(text: str) -> Iterator[Resource]:
    for match in _RESOURCE.finditer(text):
        forwards = _FORWARDS.search(match["rest"])
        yield Resource(match["name"], () if forwards is None else tuple(_port_pair(forwards["ports"])))


def _texts(node: ast.expr | None) -> tuple[str, ...]:
    match node:
        case ast.Constant(str(text)):
            return (text,)
        case ast.List(elts) | ast.Tuple(elts):
            return tuple(each.value for each in elts if isinstance(each, ast.Constant) and isinstance(each.value, str))
        case _:
            return ()


def _name(call: ast.Call) -> str | None:
    return call.func.id if isinstance(call.func, ast.Name) else None
