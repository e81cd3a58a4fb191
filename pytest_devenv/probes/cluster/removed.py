"""What was taken out of a manifest since kubectl applied it, and is still deployed."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_devenv.probes.cluster.objects import Object

APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
# What tells the items of a list apart, in the order of the API's own merge keys:
# https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy
_KEYS = ("mountPath", "devicePath", "containerPort", "port", "name", "ip")
_GIVEN_BY_KUBECTL = frozenset({"namespace"})


def removed(manifest: Object, now: Object) -> list[str]:
    """Return the places in `now` that the manifest had when kubectl last applied it and has no longer.

    They are JSON pointers, the last ones first, so that each can be removed without moving another. There are none
    where kubectl applied on the server, which keeps account of that itself.
    """
    text = (now.get("metadata", {}).get("annotations") or {}).get(APPLIED)
    try:
        last = None if text is None else json.loads(text)
    except ValueError:
        return []
    return [] if not isinstance(last, dict) else list(_gone(last, manifest, now, ""))[::-1]


def applied_by(now: Object) -> str | None:
    """Return who alone applied an object on the server; None where nobody did, or several."""
    fields = now.get("metadata", {}).get("managedFields") or ()
    applied = (each for each in fields if each.get("operation") == "Apply" and not each.get("subresource"))
    managers = {each.get("manager") for each in applied}
    return str(next(iter(managers))) if len(managers) == 1 else None


def cut(now: Object, pointers: Sequence[str]) -> Object:
    """Return the object without these places, one after the other."""
    left: dict[str, Any] = copy.deepcopy(dict(now))
    for pointer in pointers:
        *steps, last = [each.replace("~1", "/").replace("~0", "~") for each in pointer.split("/")[1:]]
        holder: Any = left
        for step in steps:
            holder = holder[int(step) if isinstance(holder, list) else step]
        del holder[int(last) if isinstance(holder, list) else last]
    return left


def _gone(last: Any, manifest: Any, now: Any, place: str) -> Iterator[str]:  # noqa: ANN401  # JSON
    """Yield what `last` has, `manifest` has not and `now` still has, in the order of `now`."""
    if isinstance(last, dict) and isinstance(manifest, dict) and isinstance(now, dict):
        for key in now:
            at = f"{place}/{key.replace('~', '~0').replace('/', '~1')}"
            if key in manifest:
                yield from _gone(last.get(key), manifest[key], now[key], at)
            elif place == "/metadata" and key == "annotations":
                yield from _gone(last.get(key), {}, now[key], at)
            elif last.get(key) is not None and not (place == "/metadata" and key in _GIVEN_BY_KUBECTL):
                yield at
    elif isinstance(last, list) and isinstance(manifest, list) and isinstance(now, list):
        mine, theirs = _by_key(last), _by_key(manifest)
        for index, (key, each) in enumerate(_by_key(now).items()):
            if key in mine and key in theirs:
                yield from _gone(mine[key], theirs[key], each, f"{place}/{index}")
            elif key in mine:
                yield f"{place}/{index}"


def _by_key(items: list[Any]) -> dict[object, Any]:
    """Return the items of a list by what tells them apart; none where nothing does, and the list is one value."""
    if not items or not all(isinstance(each, dict) for each in items):
        return {}
    name = next((each for each in _KEYS if all(each in item for item in items)), None)
    found: dict[object, Any] = (
        {} if name is None else {(item[name], item.get("protocol", "TCP")): item for item in items}
    )
    return found if len(found) == len(items) else {}
