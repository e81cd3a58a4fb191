"""What a Tiltfile says: port forwards, dependencies, contexts. Starlark is near enough to Python for its parser."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

_RESOURCE = re.compile(r"k8s_resource\(\s*(?:workload\s*=\s*)?['\"](?P<name>[^'\"]+)['\"](?P<rest>[^()]*)\)")
_HERE = frozenset({"localhost", "127.0.0.1", "0.0.0.0", "::1"})  # noqa: S104  # it is read, not bound
_FORWARDS = re.compile(r"port_forwards\s*=\s*\[?\s*['\"]?(?P<ports>[\d.:\w]*\d)")


@dataclass(frozen=True, slots=True)
class Resource:
    """A `k8s_resource` or a served `local_resource`: its name, its ports as (local, container), what it depends on.

    `health` is the path of its readiness probe.
    """

    name: str
    ports: tuple[tuple[int, int | None], ...] = ()
    requires: tuple[str, ...] = ()
    health: str | None = None


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
    resources += [each for call in calls if _name(call) == "local_resource" for each in _served(call)]
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


def _served(call: ast.Call) -> Iterator[Resource]:
    """Yield a process of this machine that Tilt keeps running, where its readiness probe or a link tells its port."""
    keywords = {each.arg: each.value for each in call.keywords}
    names = _texts(call.args[0] if call.args else keywords.get("name"))
    if not names or "serve_cmd" not in keywords:
        return
    port, health = _probed(keywords.get("readiness_probe"))
    port = port or _linked(keywords.get("links"))
    if port is not None:
        yield Resource(names[0], ((port, None),), _texts(keywords.get("resource_deps")), health)


def _probed(node: ast.expr | None) -> tuple[int | None, str | None]:
    """Return the port and the path of a `probe(http_get=http_get_action(3000, path="/ready"))`, as far as said."""
    for action in ast.walk(node) if node is not None else ():
        if isinstance(action, ast.Call) and _name(action) in {"http_get_action", "tcp_socket_action"}:
            keywords = {each.arg: each.value for each in action.keywords}
            port = _constant(action.args[0] if action.args else keywords.get("port"))
            path = _constant(keywords.get("path"))
            health = path if isinstance(path, str) and path.startswith("/") and not re.search(r"\s", path) else None
            if isinstance(port, int) and not isinstance(port, bool):
                return port, health
    return None, None


def _linked(node: ast.expr | None) -> int | None:
    """Return the port of the first link to this machine: a text, or `link(url, name)`."""
    for each in ast.walk(node) if node is not None else ():
        text = _constant(each)
        try:
            url = urlsplit(text if isinstance(text, str) else "")
            if url.hostname in _HERE and url.port is not None:
                return url.port
        except ValueError:
            continue
    return None


def _constant(node: ast.AST | None) -> object:
    return node.value if isinstance(node, ast.Constant) else None


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
