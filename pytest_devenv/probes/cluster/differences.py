"""Where two states of one object differ, as paths that people recognise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.probes.cluster.objects import Object

_OF_THE_SERVER = frozenset({"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"})
_NO_VALUE = "nothing"
_LONGEST = 80


def differences(now: Object, then: Object) -> list[str]:
    """Return each place where an object differs from what it would be; of a Secret only the places.

    What the server itself keeps, such as its status, is no difference, nor is that a suspended Job was let run.
    """
    hides = then.get("kind") == "Secret"
    return [
        path if hides else f"{path}: {_short(one)} → {_short(other)}"
        for path, one, other in _walk(_bare(now), _bare(then), "")
    ]


def _bare(each: Object) -> dict[str, Any]:
    metadata = {key: value for key, value in each.get("metadata", {}).items() if key not in _OF_THE_SERVER}
    bare = {key: value for key, value in each.items() if key not in {"status", "kind", "apiVersion"}}
    if each.get("kind") == "Job" and isinstance(each.get("spec"), dict):
        bare["spec"] = {key: value for key, value in each["spec"].items() if key != "suspend"}
    return {**bare, "metadata": metadata}


def _walk(one: Any, other: Any, path: str) -> Iterator[tuple[str, Any, Any]]:  # noqa: ANN401  # JSON
    if isinstance(one, dict) and isinstance(other, dict):
        for key in (*one, *(key for key in other if key not in one)):
            yield from _walk(one.get(key), other.get(key), f"{path}.{key}" if path else str(key))
    elif isinstance(one, list) and isinstance(other, list) and _named(one) and _named(other):
        mine, theirs = {each["name"]: each for each in one}, {each["name"]: each for each in other}
        for name in (*mine, *(name for name in theirs if name not in mine)):
            yield from _walk(mine.get(name), theirs.get(name), f"{path}[{name}]")
    elif one != other:
        yield path, one, other


def _named(items: list[Any]) -> bool:
    """Return whether a list is of objects with names, such as containers, so that their order means nothing."""
    return bool(items) and all(isinstance(each, dict) and isinstance(each.get("name"), str) for each in items)


def _short(value: Any) -> str:  # noqa: ANN401  # JSON
    text = _NO_VALUE if value is None else str(value)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + " …"
