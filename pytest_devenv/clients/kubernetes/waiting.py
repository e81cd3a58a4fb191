"""Waiting until an object is as it should be: told by a watch, with a deadline and what was last seen."""

from __future__ import annotations

import contextlib
import re
import shlex
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_devenv.clients.kubernetes.errors import ApiError, UnreachableError, said
from pytest_devenv.errors import TargetError, WaitTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    from pytest_devenv.clients.kubernetes.api import Api
    from pytest_devenv.clients.kubernetes.resources import Reference

    Object: TypeAlias = dict[str, Any]
    Condition: TypeAlias = str | Callable[[Object], bool]

# An object that goes between the look and the watch leaves no event: so often it is looked for anew.
_LOOK_S = 5.0
_JSONPATH = re.compile(r"jsonpath=\{(?P<path>\.[^}]*)\}(?:=(?P<value>.*))?", re.DOTALL)
_STEP = re.compile(r"\.(?P<key>[\w-]+(?:\\\.[\w-]+)*)|\[(?P<index>\d+)\]")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is waited for: in words, and how it is told by an object, which is None where it is not there."""

    words: str
    is_met: Callable[[Object | None], bool]


def wait(api: Api, reference: Reference, condition: Condition, *, deadline_s: float) -> Object | None:
    """Return the object as soon as the condition is met; None where it is that the object be gone.

    Conditions are kubectl's: `Available`, `condition=Ready=False`, `create`, `delete`,
    `jsonpath={.status.phase}=Running`; `rollout` for a workload; or a function of the object. Raises WaitTimeoutError
    after `deadline_s` seconds, which says what was last seen, and UnreachableError where the server is away by then.
    """
    wanted = _wanted(condition)
    end = time.monotonic() + deadline_s
    seen = _look(api, reference)
    while not wanted.is_met(seen):
        left_s = end - time.monotonic()
        if left_s <= 0:
            raise _late(api, reference, wanted, seen, deadline_s)
        try:
            seen = _watched(api, reference, wanted, seen, min(left_s, _LOOK_S))
        except UnreachableError:
            if time.monotonic() >= end:
                raise
    return seen


def _watched(api: Api, reference: Reference, wanted: Wanted, seen: Object | None, for_s: float) -> Object | None:
    """Return what is there when the condition is met, or after `for_s` seconds."""
    changes = api.watch(reference.collection, deadline_s=for_s, fieldSelector=f"metadata.name={reference.name}")
    with contextlib.closing(changes):  # type: ignore[type-var]  # a generator
        for change in changes:
            seen = None if change.type == "DELETED" else change.object
            if wanted.is_met(seen):
                return seen
    return _look(api, reference)


def _look(api: Api, reference: Reference) -> Object | None:
    try:
        return api.get(reference.path)
    except ApiError as error:
        if not error.missing:
            raise
        return None


def _wanted(condition: Condition) -> Wanted:
    if not isinstance(condition, str):
        name = getattr(condition, "__name__", "what was asked for")
        return Wanted(name, lambda seen: seen is not None and condition(seen))
    word = condition.strip()
    if word in {"create", "delete"}:
        return Wanted("be there" if word == "create" else "be gone", lambda seen: (seen is None) == (word == "delete"))
    if word == "rollout":
        return Wanted("be rolled out", lambda seen: seen is not None and is_rolled_out(seen))
    if word.startswith("jsonpath="):
        return _jsonpath(word)
    name, _, value = word.removeprefix("condition=").partition("=")
    value = value or "True"
    return Wanted(
        f"have the condition {name}={value}",
        lambda seen: seen is not None and _holds(seen, name.lower(), value.lower()),
    )


def _holds(seen: Object, name: str, value: str) -> bool:
    """Tell whether a condition has a value, and was judged for the object as it is now, as kubectl does."""
    for each in seen.get("status", {}).get("conditions") or ():
        if str(each.get("type", "")).lower() == name:
            judged = each.get("observedGeneration") or seen.get("status", {}).get("observedGeneration")
            current = judged is None or judged >= seen.get("metadata", {}).get("generation", 0)
            return bool(current) and str(each.get("status", "")).lower() == value
    return False


def is_rolled_out(workload: Mapping[str, Any]) -> bool:
    """Tell whether a Deployment, StatefulSet or DaemonSet has every replica of its present generation available."""
    status, spec = workload.get("status", {}), workload.get("spec", {})
    if status.get("observedGeneration", 0) < workload.get("metadata", {}).get("generation", 0):
        return False
    if workload.get("kind") == "DaemonSet" or "desiredNumberScheduled" in status:
        wanted = status.get("desiredNumberScheduled", 0)
        return bool(status.get("updatedNumberScheduled", 0) == status.get("numberAvailable", 0) == wanted)
    wanted = spec.get("replicas", 1)
    counts = (status.get("replicas", 0), status.get("updatedReplicas", 0), status.get("availableReplicas", 0))
    return all(count == wanted for count in counts)


def _jsonpath(word: str) -> Wanted:
    match = _JSONPATH.fullmatch(word)
    steps = [] if match is None else list(_STEP.finditer(match["path"]))
    if match is None or "".join(step.group() for step in steps) != match["path"]:
        msg = f"expected a path of keys and indexes, such as jsonpath={{.status.phase}}=Running, found {word!r}"
        raise TargetError(msg, remedy="write it so, or give a function of the object instead")
    value = match["value"]

    def is_met(seen: Object | None) -> bool:
        found = _at(seen, steps)
        return found is not None if value is None else _said(found) == value

    return Wanted(f"have {match['path']}" + ("" if value is None else f" {value}"), is_met)


def _at(value: Any, steps: list[re.Match[str]]) -> Any:  # noqa: ANN401  # whatever JSON holds
    for step in steps:
        if step["index"] is not None:
            index = int(step["index"])
            value = value[index] if isinstance(value, list) and index < len(value) else None
        else:
            value = value.get(step["key"].replace("\\.", ".")) if isinstance(value, dict) else None
    return value


def _said(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _late(api: Api, reference: Reference, wanted: Wanted, seen: Object | None, deadline_s: float) -> WaitTimeoutError:
    msg = (
        f"waited {deadline_s:g} s for {reference}{reference.place} to {wanted.words}\n"
        f"  expected: it to {wanted.words}\n  found: {described(seen)}\n  where: {said(api.access.context)}"
    )
    space = f" --namespace {shlex.quote(reference.namespace)}" if reference.resource.namespaced else ""
    return WaitTimeoutError(msg, remedy=f"{api.access.kubectl}{space} describe {shlex.quote(str(reference))}")


def described(seen: Mapping[str, Any] | None) -> str:
    """Return the state of an object in a line: its conditions, else its phase, else that it is there."""
    if seen is None:
        return "it is not there"
    status = seen.get("status") or {}
    parts = [_told(each) for each in status.get("conditions") or ()]
    if "phase" in status:
        parts.insert(0, f"phase {status['phase']}")
    if "replicas" in status or "readyReplicas" in status:
        ready, replicas = (
            status.get("readyReplicas", 0),
            seen.get("spec", {}).get("replicas", status.get("replicas", 0)),
        )
        parts.insert(0, f"{ready} of {replicas} ready")
    return (
        "; ".join(parts) or f"it is there, generation {seen.get('metadata', {}).get('generation', 1)}, without a status"
    )


def _told(condition: Mapping[str, Any]) -> str:
    why = ": ".join(str(condition[key]) for key in ("reason", "message") if condition.get(key))
    return f"{condition.get('type')}={condition.get('status')}" + (f" ({why})" if why else "")
