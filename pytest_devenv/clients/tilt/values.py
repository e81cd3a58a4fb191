"""What Tilt says, as values: its resources with their builds and states, and its port forwards.

The fields are those of Tilt's API objects UIResource, PortForward and Session, as `tilt get … -o json` prints them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

TILTFILE = "(Tiltfile)"
_MANUAL = frozenset({1, 2})  # TRIGGER_MODE_MANUAL, and the same with auto_init=False
_RESTS = frozenset({"ok", "not_applicable", "none"})
_BUSY = frozenset({"pending", "in_progress"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """One build of a resource that has ended: when it ran, as Unix times, and its error, if it failed."""

    started: float
    finished: float
    span: str
    error: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def took_s(self) -> float:
        """How long it took, in seconds."""
        return self.finished - self.started


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One resource of a Tiltfile. `update` and `runtime` are Tilt's own words; `builds` are the last two, newest first.

    `building_since` is when a build began that is under way. `waiting` says in words what it waits for.
    """

    name: str
    update: str
    runtime: str
    builds: tuple[Build, ...] = ()
    building_since: float | None = None
    pending_since: float | None = None
    queued: bool = False
    disabled: bool = False
    manual: bool = False
    order: int = 0
    labels: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    waiting: str | None = None
    pod: str | None = None
    pod_status: str | None = None
    live_update: bool = False

    @property
    def is_untouched(self) -> bool:
        """Whether it is a button that nobody has pressed yet."""
        return self.manual and not self.builds and self.building_since is None

    @property
    def is_failing(self) -> bool:
        """Whether its last update or what it runs has failed."""
        return "error" in {self.update, self.runtime}

    @property
    def is_busy(self) -> bool:
        """Whether an update is under way, or what it runs is not ready yet."""
        under_way = self.building_since is not None or self.queued or self.pending_since is not None
        return under_way or self.update in _BUSY or self.runtime in _BUSY

    @property
    def is_ready(self) -> bool:
        """Whether it is up to date, and what it runs is ready: none of the three others."""
        return not self.is_busy and self.update in _RESTS and self.runtime in _RESTS

    @property
    def state(self) -> str:
        """Its state in a few words."""
        if self.disabled:
            return "disabled"
        if self.is_untouched:
            return "not run yet"
        return f"update {self.update}, runtime {self.runtime}"

    @classmethod
    def from_json(cls, item: dict[str, Any]) -> Self:
        """Make the resource that a UIResource describes."""
        metadata, status = item["metadata"], item.get("status", {})
        kubernetes = status.get("k8sResourceInfo") or {}
        return cls(
            name=metadata["name"],
            update=status.get("updateStatus") or "unknown",
            runtime=status.get("runtimeStatus") or "unknown",
            builds=tuple(_build(each) for each in status.get("buildHistory") or ()),
            building_since=unix((status.get("currentBuild") or {}).get("startTime")),
            pending_since=unix(status.get("pendingBuildSince")),
            queued=bool(status.get("queued")),
            disabled=(status.get("disableStatus") or {}).get("state") == "Disabled",
            manual=status.get("triggerMode", 0) in _MANUAL,
            order=status.get("order", 0),
            labels=tuple(metadata.get("labels") or ()),
            links=tuple(each["url"] for each in status.get("endpointLinks") or () if "url" in each),
            waiting=_waiting(status.get("waiting")),
            pod=kubernetes.get("podName") or None,
            pod_status=kubernetes.get("podStatusMessage") or kubernetes.get("podStatus") or None,
            live_update=any(each.get("hasLiveUpdate") for each in status.get("specs") or ()),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """A port forward that Tilt keeps: from a port of this machine to one of a pod; `started` None until it is bound."""

    resource: str
    pod: str
    host: str
    local_port: int
    container_port: int
    namespace: str = ""
    started: float | None = None
    error: str | None = None

    @classmethod
    def all_of(cls, item: dict[str, Any]) -> tuple[Self, ...]:
        """Make the forwards that a PortForward describes, each with its status, where it has one."""
        spec, metadata = item["spec"], item["metadata"]
        statuses = {
            (each.get("localPort"), each.get("containerPort")): each
            for each in item.get("status", {}).get("forwardStatuses") or ()
        }
        made = []
        for each in spec.get("forwards") or ():
            local_port = each.get("localPort", 0)
            status = statuses.get((local_port, each["containerPort"]), {})
            made.append(
                cls(
                    resource=(metadata.get("annotations") or {}).get("tilt.dev/resource", metadata["name"]),
                    pod=spec.get("podName", ""),
                    namespace=spec.get("namespace", ""),
                    host=each.get("host") or "localhost",
                    local_port=status.get("localPort") or local_port,
                    container_port=each["containerPort"],
                    started=unix(status.get("startedAt")),
                    error=status.get("error") or None,
                )
            )
        return tuple(made)


def unix(stamp: str | None) -> float | None:
    """Return one of Tilt's times as a Unix time; None where it gives none."""
    return None if stamp is None else datetime.fromisoformat(stamp).timestamp()


def _build(item: dict[str, Any]) -> Build:
    return Build(
        started=unix(item.get("startTime")) or 0.0,
        finished=unix(item.get("finishTime")) or 0.0,
        span=item.get("spanID", ""),
        error=item.get("error") or None,
        warnings=tuple(item.get("warnings") or ()),
    )


def _waiting(item: dict[str, Any] | None) -> str | None:
    if item is None:
        return None
    names = ", ".join(each.get("name", "") for each in item.get("on") or ())
    return f"{item.get('reason', 'waiting')}: {names}" if names else item.get("reason", "waiting")
