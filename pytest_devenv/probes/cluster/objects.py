"""Reading the API's objects: dictionaries, in which whatever is optional may be missing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Object: TypeAlias = Mapping[str, Any]

_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}


def name_of(each: Object) -> str:
    """Return the name of an object."""
    return str(each.get("metadata", {}).get("name", ""))


def labels_of(each: Object) -> Mapping[str, str]:
    """Return the labels of an object."""
    return each.get("metadata", {}).get("labels") or {}


def spec_of(each: Object) -> Object:
    """Return what an object is to be."""
    return each.get("spec") or {}


def status_of(each: Object) -> Object:
    """Return what an object is."""
    return each.get("status") or {}


def owned(objects: Iterable[Object], owner: Object) -> tuple[Object, ...]:
    """Return the objects whose owner is this one."""
    uid = owner.get("metadata", {}).get("uid")
    return tuple(
        each
        for each in objects
        if any(reference.get("uid") == uid for reference in each.get("metadata", {}).get("ownerReferences") or ())
    )


def condition(each: Object, kind: str) -> Object | None:
    """Return the condition of a kind, such as Ready, where the object has it."""
    return next((found for found in status_of(each).get("conditions") or () if found.get("type") == kind), None)


def holds(each: Object, kind: str) -> bool:
    """Return whether a condition is there and true."""
    found = condition(each, kind)
    return found is not None and found.get("status") == "True"


def epoch_s(timestamp: str | None) -> float | None:
    """Return the seconds since the epoch of one of the API's times, None where there is none."""
    if not timestamp:
        return None
    return datetime.fromisoformat(timestamp).replace(tzinfo=UTC).timestamp()


def age(seconds: float) -> str:
    """Return a duration as kubectl writes it: `45s`, `5m`, `3h`, `2d`."""
    for unit, length in _UNITS.items():
        if seconds >= 2 * length or unit == "s":
            return f"{max(0, int(seconds // length))}{unit}"
    raise AssertionError("the last unit takes every duration")


def selects(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Return whether a selector of labels, which is not empty, fits these."""
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


def selector_text(selector: Mapping[str, str]) -> str:
    """Return a selector as kubectl's `-l` takes it."""
    return ",".join(f"{key}={value}" for key, value in selector.items())


def containers(pod: Object) -> Iterator[tuple[Object, Object, bool]]:
    """Yield each container of a pod with its status and whether it is an init container, in the order of their start.

    A container of which nothing is known yet has an empty status.
    """
    for kind, statuses in (("initContainers", "initContainerStatuses"), ("containers", "containerStatuses")):
        known = {each["name"]: each for each in status_of(pod).get(statuses) or ()}
        for container in spec_of(pod).get(kind) or ():
            yield container, known.get(container["name"], {}), kind == "initContainers"
