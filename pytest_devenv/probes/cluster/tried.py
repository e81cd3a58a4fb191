"""Manifests applied one by one without keeping it: what the API server says, and what it would change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_devenv.errors import TargetError
from pytest_devenv.probes.cluster.differences import differences
from pytest_devenv.probes.cluster.objects import name_of
from pytest_devenv.probes.cluster.refusals import said
from pytest_devenv.probes.cluster.removed import applied_by, cut, removed

if TYPE_CHECKING:
    from pytest_devenv.clients.kubernetes import Api, ApiError
    from pytest_devenv.probes.cluster.objects import Object

_APPLY, _PATCH = "application/apply-patch+yaml", "application/json-patch+json"
_MANAGER = "pytest-devenv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What came of applying one object without keeping it.

    `would_be` is what it would be, `is_now` what it is, None where it is not there; `freed` is what it would be without
    the places that were taken out of its manifest since kubectl applied it, None where there are none. `refusal` is
    what the API server said instead, and `barred` its error where this user may not even try.
    """

    object: Object
    refusal: str | None = None
    barred: ApiError | None = None
    would_be: Object | None = None
    is_now: Object | None = None
    freed: Object | None = None

    @property
    def label(self) -> str:
        """The object as kubectl writes it: `deployment/backend`."""
        return f"{str(self.object.get('kind', '')).lower()}/{name_of(self.object)}"

    @property
    def changes(self) -> list[str]:
        """What applying it would change, a line for each place."""
        if self.would_be is None:
            return []
        if self.is_now is None:
            return ["is not there"]
        found = differences(self.is_now, self.would_be)
        return list(dict.fromkeys((*found, *(() if self.freed is None else differences(self.is_now, self.freed)))))


class Trial:
    """Objects applied to one namespace, where they do not name their own. Threads may share it."""

    def __init__(self, api: Api, namespace: str) -> None:
        from pytest_devenv.clients.kubernetes.resources import Resources

        self._api = api
        self._namespace = namespace
        self._resources = Resources(api)

    def of(self, each: dict[str, Any]) -> Tried:
        """Apply an object as whoever applied it, so that what they took out of it is seen; nothing is kept."""
        from pytest_devenv.clients.kubernetes import ApiError, UnreachableError

        now: Object | None = None
        unseen: ApiError | None = None
        try:
            path = self._resources.reference(each, self._namespace).path
            try:
                now = self._now(path)
            except ApiError as error:
                if not error.forbidden:
                    raise
                unseen = error
            manager = None if now is None else applied_by(now)
            would_be = self._dry(path, each, _APPLY, fieldManager=manager or _MANAGER, force="true")
            freed = None if now is None else self._freed(path, each, now)
        except UnreachableError:
            raise
        except ApiError as error:
            if error.forbidden:
                return Tried(object=each, barred=error)
            return Tried(object=each, refusal=said(error).found)
        except TargetError as error:
            return Tried(object=each, refusal=error.message)
        if unseen is not None:
            return Tried(object=each, barred=unseen)
        return Tried(object=each, would_be=would_be, is_now=now, freed=freed)

    def _now(self, path: str) -> Object | None:
        from pytest_devenv.clients.kubernetes import ApiError

        try:
            return self._api.get(path)
        except ApiError as error:
            if not error.missing:
                raise
            return None

    def _freed(self, path: str, each: Object, now: Object) -> Object | None:
        """Return what an object would be without what was taken out of its manifest, with the server's defaults.

        What the server does not take by itself, such as a container without its image, shows as it is taken out.
        """
        from pytest_devenv.clients.kubernetes import ApiError

        gone = removed(each, now)
        if not gone:
            return None
        try:
            return self._dry(path, [{"op": "remove", "path": pointer} for pointer in gone], _PATCH)
        except ApiError as error:
            if error.forbidden:
                raise
            return cut(now, gone)

    def _dry(self, path: str, body: object, kind: str, **query: str) -> Object:
        return self._api.request("PATCH", path, body, content_type=kind, dryRun="All", **query)
