"""What is shown beside a failure: the last events about the objects concerned, and the last lines of a log."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pytest_devenv.probes.cluster.objects import age, epoch_s
from pytest_devenv.probes.cluster.refusals import may_not_see
from pytest_devenv.verdict import Evidence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_devenv.clients.kubernetes import Cluster
    from pytest_devenv.probes.cluster.objects import Object
    from pytest_devenv.probes.cluster.snapshot import Snapshot
    from pytest_devenv.probes.cluster.trouble import Log

_EVENTS = 6
_LOG_LINES = 15
_REMOVED = "unable to retrieve container logs for "  # the kubelet's answer, with status 200
_TRIES = 4
_NEXT_LIFE_S = 0.5


def events_about(objects: Iterable[Object], snapshot: Snapshot) -> tuple[Object, ...]:
    """Return the events about any of the objects, the newest last."""
    uids = {each["metadata"].get("uid") for each in objects}
    return tuple(each for each in snapshot.all("events") if each.get("involvedObject", {}).get("uid") in uids)


def last_events(events: tuple[Object, ...], snapshot: Snapshot) -> tuple[Evidence, ...]:
    """Return the last of some events as evidence, or that they may not be read."""
    for error in snapshot.may_not("events"):
        return (Evidence("last events", may_not_see("the events", error)),)
    lines = [_line(each, snapshot.now_s) for each in events[-_EVENTS:]]
    return (Evidence("last events", "\n".join(lines)),) if lines else ()


def last_lines(cluster: Cluster, log: Log) -> Evidence | None:
    """Read the last lines of a container's log, or of its previous life's; None where it has said nothing."""
    from pytest_devenv.clients.kubernetes import ApiError, UnreachableError

    title = f"last lines of {log.pod}, container {log.container}"
    try:
        text = _read(cluster, log)
    except ApiError as error:
        return Evidence(title, may_not_see("its log", error))
    except UnreachableError as error:
        return Evidence(title, str(error).partition("\n")[0])
    return Evidence(title, text) if text else None


def _read(cluster: Cluster, log: Log) -> str:
    """Read a log; where a life was removed while it was asked for, that of the next, which has said the same."""
    for _ in range(_TRIES - 1):
        text = _of_a_life(cluster, log)
        if not text.startswith(_REMOVED):
            return text
        time.sleep(_NEXT_LIFE_S)
    return _of_a_life(cluster, log)


def _of_a_life(cluster: Cluster, log: Log) -> str:
    from pytest_devenv.clients.kubernetes import ApiError

    path = f"/api/v1/namespaces/{cluster.namespace}/pods/{log.pod}/log"
    query = {"container": log.container, "tailLines": str(_LOG_LINES)}
    if log.previous:
        try:
            text = cluster.api.text(path, **query, previous="true").rstrip()
            if not text.startswith(_REMOVED):
                return text
        except ApiError as error:
            if error.forbidden:
                raise  # else the previous life's log is gone, and this one's is what there is
    return cluster.api.text(path, **query).rstrip()


def _line(event: Object, now_s: float) -> str:
    when = epoch_s(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp"))
    ago = "" if when is None else f"{age(now_s - when)} ago"
    times = event.get("count") or (event.get("series") or {}).get("count") or 1
    often = "" if times == 1 else f" ({times} times)"
    message = " ".join(str(event.get("message", "")).split())
    return f"{ago:>8}  {event.get('type', 'Normal')}  {event.get('reason', '')}: {message}{often}"
