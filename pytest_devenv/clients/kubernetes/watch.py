"""Changes as they happen: list, then watch from there, and list again where the server no longer knows the place."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from pytest_devenv.clients.kubernetes.errors import ApiError, UnreachableError
from pytest_devenv.clients.kubernetes.transport import Reply

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.clients.kubernetes.api import Api

# A server sends a bookmark about every minute: https://kubernetes.io/docs/reference/using-api/api-concepts/
_SILENCE_S = 90.0
_FIRST_WAIT_S = 0.1
_LONGEST_WAIT_S = 2.0


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One change: `type` is ADDED, MODIFIED or DELETED, `object` what is there now, or was last."""

    type: str
    object: dict[str, Any]


class _GoneError(Exception):
    """The server no longer knows the version that was to be watched from."""


class _Watch:
    """One watch: what is known to be there, and from which version on the next change is wanted."""

    def __init__(self, api: Api, path: str, query: dict[str, str], end: float) -> None:
        self._api = api
        self._path = path
        self._query = query
        self._end = end
        self._known: dict[str, dict[str, Any]] = {}
        self.version: str | None = None

    def left_s(self) -> float:
        return self._end - time.monotonic()

    def listed(self) -> Iterator[WatchEvent]:
        """Yield how what is there differs from what is known."""
        answer = self._api.within(max(0.001, min(self._api.deadline_s, self.left_s()))).get(self._path, **self._query)
        items = {_key(each): each for each in answer.get("items") or ()}
        for key in [key for key in self._known if key not in items]:
            yield WatchEvent("DELETED", self._known.pop(key))
        for key, item in items.items():
            before = self._known.get(key)
            self._known[key] = item
            if before is None or _version(before) != _version(item):
                yield WatchEvent("ADDED" if before is None else "MODIFIED", item)
        self.version = str(answer.get("metadata", {}).get("resourceVersion", ""))

    def changes(self) -> Iterator[WatchEvent]:
        """Yield each change until the server ends this watch, or nothing comes for too long. Raises _GoneError."""
        query = {
            **self._query,
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": self.version or "",
            "timeoutSeconds": str(max(1, round(self.left_s()))),
        }
        with self._api.stream(self._path, **query) as stream:
            if stream.status == HTTPStatus.GONE:
                raise _GoneError
            if stream.status != HTTPStatus.OK:
                reply = Reply(stream.status, stream.reason, {}, stream.rest(deadline_s=self._api.deadline_s))
                raise self._api.refusal("GET", self._path, reply, watch=True)
            try:
                for line in stream.lines(lambda: min(self.left_s(), _SILENCE_S)):
                    yield from self._taken(json.loads(line))
                    if self.left_s() <= 0:
                        return
            except TimeoutError:
                return

    def _taken(self, event: dict[str, Any]) -> Iterator[WatchEvent]:
        kind, item = event.get("type"), event.get("object", {})
        if kind == "ERROR":
            if item.get("code") == HTTPStatus.GONE:
                raise _GoneError
            reply = Reply(int(item.get("code") or 0), str(item.get("reason")), {}, json.dumps(item).encode())
            raise self._api.refusal("GET", self._path, reply, watch=True)
        self.version = _version(item) or self.version
        if kind == "DELETED":
            self._known.pop(_key(item), None)
        elif kind in {"ADDED", "MODIFIED"}:
            self._known[_key(item)] = item
        else:
            return
        yield WatchEvent(str(kind), item)


def watch(api: Api, path: str, *, deadline_s: float, query: dict[str, str]) -> Iterator[WatchEvent]:
    """Yield each object at the path of a collection as ADDED, then its changes, and end after `deadline_s` seconds.

    A server that is away is asked again, with growing pauses. After a gap only the differences are told. Raises
    ApiError for what it refuses, and UnreachableError where it was away at the end.
    """
    looked = _Watch(api, path, query, time.monotonic() + deadline_s)
    wait_s = _FIRST_WAIT_S
    away: UnreachableError | ApiError | None = None
    while looked.left_s() > 0:
        try:
            if looked.version is None:
                yield from looked.listed()
            away, wait_s = None, _FIRST_WAIT_S
            yield from looked.changes()
        except _GoneError:
            looked.version = None
        except UnreachableError as error:
            away = error
        except ApiError as error:
            if error.status < HTTPStatus.INTERNAL_SERVER_ERROR and error.status != HTTPStatus.TOO_MANY_REQUESTS:
                raise
            away = error
        if away is not None:
            time.sleep(max(0.0, min(wait_s, looked.left_s())))
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
    if away is not None:
        raise away


def _key(item: dict[str, Any]) -> str:
    metadata = item.get("metadata", {})
    return str(metadata.get("uid") or f"{metadata.get('namespace', '')}/{metadata.get('name', '')}")


def _version(item: dict[str, Any]) -> str:
    return str(item.get("metadata", {}).get("resourceVersion", ""))
