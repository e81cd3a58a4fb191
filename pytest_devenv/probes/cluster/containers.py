"""Why a container does not run, or does not run well: what its own status and the events about its pod say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_devenv.probes.cluster.objects import age, epoch_s, name_of
from pytest_devenv.probes.cluster.trouble import Log, Trouble, last_event

if TYPE_CHECKING:
    from pytest_devenv.probes.cluster.kubectl import Kubectl
    from pytest_devenv.probes.cluster.objects import Object
    from pytest_devenv.probes.cluster.trouble import Scene

STARTING = frozenset({"ContainerCreating", "PodInitializing", None})
_PULLING = frozenset({"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "ImageInspectError"})
_UNHEALTHY = frozenset({"Unhealthy"})
_FAILED = frozenset({"Failed"})
_MISSING = re.compile(
    r"couldn't find key (?P<key>\S+) in (?P<kind>Secret|ConfigMap) \S+/(?P<name>\S+)"
    r'|(?P<whole_kind>secret|configmap) "(?P<whole_name>[^"]+)" not found'
)
_QUANTITY = re.compile(r"(?P<number>\d+)(?P<unit>[A-Za-z]*)")
_KINDS = {"secret": "Secret", "configmap": "ConfigMap"}
_EXIT_CODES = {
    126: "its command cannot be executed",
    127: "its command is not found",
    137: "killed by SIGKILL",
    139: "ended by a segmentation fault",
    143: "ended by SIGTERM",
}


def trouble_of_container(
    pod: Object, container: Object, status: Object, scene: Scene, *, is_init: bool
) -> Trouble | None:
    """Return what is wrong with a container, or None; an init container that has done its work is well."""
    state = status.get("state") or {}
    running, ended = state.get("running"), state.get("terminated")
    serves = not is_init or container.get("restartPolicy") == "Always"
    if running is not None:
        if not serves:
            return _init_waits(pod, container, running, scene)
        if not status.get("ready"):
            return _not_ready(pod, container, status, scene)
        return _unstable(pod, container, status, scene)
    if ended is not None:
        done = ended.get("exitCode") == 0 and (scene.ends or not serves)
        return None if done else _crashed(pod, container, status, ended, scene, previous=False)
    return _waiting(pod, container, status, state.get("waiting") or {}, scene)


def exit_of(ended: Object) -> str:
    """Return how a container ended, in words: `exit code 127: its command is not found`."""
    code = ended.get("exitCode")
    if ended.get("reason") == "OOMKilled":
        return f"OOMKilled (exit code {code})"
    meaning = _EXIT_CODES.get(code) if isinstance(code, int) else None
    return f"exit code {code}" + (f": {meaning}" if meaning else "")


def _waiting(pod: Object, container: Object, status: Object, waiting: Object, scene: Scene) -> Trouble:
    reason, message = waiting.get("reason"), " ".join(str(waiting.get("message", "")).split())
    ended = (status.get("lastState") or {}).get("terminated")
    if reason in _PULLING:
        return _not_pulled(pod, container, str(reason), message, scene)
    if reason == "CrashLoopBackOff":
        return _crashed(pod, container, status, ended or {}, scene, previous=True)
    if reason == "CreateContainerConfigError" and (source := missing_source(message)) is not None:
        return _lacks(pod, container, source, message, scene)
    if reason in STARTING:
        return Trouble(
            what="is starting",
            expected="its containers running",
            found=f"container {container['name']}: {reason or 'not created yet'}",
            where=_where(pod, container),
            remedy=scene.kubectl("wait", "--for=condition=Ready", f"pod/{name_of(pod)}", "--timeout=60s"),
        )
    return Trouble(
        what=f"cannot start container {container['name']}",
        expected="a container that starts",
        found=f"{reason}: {message}" if message else str(reason),
        where=_where(pod, container),
        remedy=scene.back if scene.undo else f"correct it: {scene.kubectl('edit', scene.workload)}",
    )


def _not_pulled(pod: Object, container: Object, reason: str, message: str, scene: Scene) -> Trouble:
    image = str(container.get("image", ""))
    detail = last_event(pod, scene, _FAILED, about=image)
    said = message if "ErrImagePull:" in message or detail is None else " ".join(detail.split())
    if scene.undo:
        remedy = scene.back
    elif scene.ends:
        remedy = f"name an image that is there, then: {scene.anew}"
    else:
        correct = scene.kubectl("set", "image", scene.workload, f"{container['name']}={_untagged(image)}:…")
        remedy = f"name an image that is there: {correct}"
        if scene.load is not None and reason != "InvalidImageName":
            remedy += f"; or, if this machine has it: {scene.load.replace('IMAGE', image)}"
    return Trouble(
        what=f"cannot pull the image {image}",
        expected=f"the image {image}, on the node or in its registry",
        found=f"{reason}: {said}" if said else reason,
        where=_where(pod, container),
        remedy=remedy,
    )


def _untagged(image: str) -> str:
    name, _, tag = image.partition("@")[0].rpartition(":")
    return name if name and "/" not in tag else image


@dataclass(frozen=True, slots=True)
class Source:
    """The Secret or ConfigMap that a container waits for; without a key, all of it is missing."""

    kind: str
    name: str
    key: str | None

    def made_by(self, kubectl: Kubectl) -> str:
        """Return the command that makes it, its value left to be filled in."""
        if self.key is None:
            words = ("secret", "generic") if self.kind == "Secret" else ("configmap",)
            return kubectl("create", *words, self.name, "--from-literal=…")
        field = "stringData" if self.kind == "Secret" else "data"
        return kubectl("patch", self.kind.lower(), self.name, "--patch", f'{{"{field}": {{"{self.key}": "…"}}}}')


def missing_source(message: str) -> Source | None:
    """Return what a waiting container's message says is missing."""
    match = _MISSING.search(message)
    if match is None:
        return None
    if match["key"] is not None:
        return Source(match["kind"], match["name"], match["key"])
    return Source(_KINDS[match["whole_kind"]], match["whole_name"], None)


def _lacks(pod: Object, container: Object, source: Source, message: str, scene: Scene) -> Trouble:
    """Return which ConfigMap or Secret, or which key in it, a container waits for."""
    whole = f"the {source.kind} {source.name}"
    of = whole if source.key is None else f"the key {source.key} of {whole}"
    return Trouble(
        what=f"waits for {of}, which is not there",
        expected=whole if source.key is None else f"{whole} with a key {source.key}",
        found=message,
        where=_where(pod, container),
        remedy=scene.kubectl.deploy(source.made_by(scene.kubectl)),
        secret=(source.name, source.key) if source.kind == "Secret" else None,
    )


def _init_waits(pod: Object, container: Object, running: Object, scene: Scene) -> Trouble:
    since_s = epoch_s(running.get("startedAt"))
    for_how_long = "" if since_s is None else f" since {age(scene.now_s - since_s)}"
    return Trouble(
        what=f"waits for its init container {container['name']}",
        expected=f"{container['name']} done",
        found=f"running{for_how_long}",
        where=_where(pod, container),
        remedy="mend what it waits for; see it go on: "
        + scene.kubectl("logs", f"pod/{name_of(pod)}", "--container", container["name"], "--follow"),
        log=_log(pod, container),
        says_why=True,
    )


def _not_ready(pod: Object, container: Object, status: Object, scene: Scene) -> Trouble:
    """Return which probe of a running container fails, and what it last said."""
    kind = "Startup" if status.get("started") is False and container.get("startupProbe") else "Readiness"
    answer = last_event(pod, scene, _UNHEALTHY, about=f"{kind} probe")
    started_s = epoch_s(((status.get("state") or {}).get("running") or {}).get("startedAt"))
    found = "no answer of its probe yet" if answer is None else " ".join(answer.split())
    if started_s is not None:
        found += f"; it runs since {age(scene.now_s - started_s)}"
    ended = (status.get("lastState") or {}).get("terminated")
    if ended is not None:
        found += f"{_restarts(status.get('restartCount') or 0)}, last ended with {exit_of(ended)}"
    return Trouble(
        what=f"is not ready: the {kind.lower()} probe of {container['name']} fails",
        expected=f"a {kind.lower()} probe that succeeds",
        found=found,
        where=_where(pod, container),
        remedy=f"mend what its log says: {_logs(pod, container, scene)}"
        + (f"; or go back to what was ready: {scene.back}" if scene.undo else ""),
        log=_log(pod, container),
    )


def _crashed(pod: Object, container: Object, status: Object, ended: Object, scene: Scene, *, previous: bool) -> Trouble:
    if _out_of_memory_once(status):
        return _out_of_memory(pod, container, status, ended, scene, previous=previous)
    times = status.get("restartCount") or 0
    crashes = "fails" if scene.ends else "crashes again and again" if times else "has crashed"
    answer = last_event(pod, scene, _UNHEALTHY, about="Liveness probe")
    killed = answer is not None and ended.get("exitCode") in {137, 143}
    why = f"; it was killed: {' '.join(str(answer).split())}" if killed else ""
    message = str(ended.get("message", "")).strip().rpartition("\n")[2].strip()
    return Trouble(
        what=f"{crashes}: {exit_of(ended)}" if not killed else "is killed again and again: its liveness probe fails",
        expected=f"container {container['name']} " + ("done with exit code 0" if scene.ends else "running"),
        found=f"{exit_of(ended)}{_restarts(times)}{why}" + (f": {message}" if message else ""),
        where=_where(pod, container),
        remedy=scene.back if scene.undo else f"mend what its last lines say, then: {scene.anew}",
        log=_log(pod, container, previous=previous),
    )


def _out_of_memory_once(status: Object) -> bool:
    """Return whether this life of a container or the one before ended for its memory.

    The runtime learns of that apart from the end itself, and sometimes too late to say so of each.
    """
    lives = ((status.get(each) or {}).get("terminated") or {} for each in ("state", "lastState"))
    return any(life.get("reason") == "OOMKilled" for life in lives)


def _out_of_memory(
    pod: Object, container: Object, status: Object, ended: Object, scene: Scene, *, previous: bool
) -> Trouble:
    limit = ((container.get("resources") or {}).get("limits") or {}).get("memory")
    of = "the node's memory" if limit is None else f"its limit of {limit}"
    quantity = None if limit is None else _QUANTITY.fullmatch(str(limit))
    more = "512Mi" if quantity is None else f"{2 * int(quantity['number'])}{quantity['unit']}"
    raise_limit = scene.kubectl(
        "set", "resources", scene.workload, f"--containers={container['name']}", f"--limits=memory={more}"
    )
    return Trouble(
        what=f"runs out of memory: {container['name']} was killed at {of}",
        expected=f"container {container['name']} running within {of}",
        found=exit_of(ended) + _restarts(status.get("restartCount") or 0),
        where=_where(pod, container),
        remedy=scene.back
        if scene.undo
        else raise_limit
        if not scene.ends
        else f"raise it to {more}, then: {scene.anew}",
        log=_log(pod, container, previous=previous),
    )


def _unstable(pod: Object, container: Object, status: Object, scene: Scene) -> Trouble | None:
    """Return what is wrong with a container that is ready at this instant, and was restarted only just before."""
    ended = (status.get("lastState") or {}).get("terminated")
    started_s = epoch_s(((status.get("state") or {}).get("running") or {}).get("startedAt"))
    if ended is None or started_s is None or scene.now_s - started_s >= scene.stable_s:
        return None
    return _crashed(pod, container, status, ended, scene, previous=True)


def _restarts(times: int) -> str:
    return {0: "", 1: ", restarted once"}.get(times, f", restarted {times} times")


def _where(pod: Object, container: Object) -> str:
    return f"pod/{name_of(pod)}, container {container['name']}"


def _log(pod: Object, container: Object, *, previous: bool = False) -> Log:
    return Log(pod=name_of(pod), container=container["name"], previous=previous)


def _logs(pod: Object, container: Object, scene: Scene) -> str:
    return scene.kubectl("logs", f"pod/{name_of(pod)}", "--container", container["name"], "--tail=50")
