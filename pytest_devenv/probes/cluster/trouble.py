"""Why a pod is not as it should be, before anything more is read of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_devenv.probes.cluster.kubectl import Kubectl
    from pytest_devenv.probes.cluster.objects import Object


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """The log that tells more: of a container, or of its previous life where it is being restarted."""

    pod: str
    container: str
    previous: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What keeps a pod from being ready. `what` follows the name of its workload: `cannot pull the image shop:2`.

    `log` is what to read for more, and where `says_why` is set its last line is the reason. `secret` is the Secret,
    and the key in it where only that is missing, that a container waits for. `claims` are those that the pod waits for.
    """

    what: str
    expected: str
    found: str
    remedy: str
    where: str
    log: Log | None = None
    says_why: bool = False
    secret: tuple[str, str | None] | None = None
    claims: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a pod is judged with: its workload, as kubectl writes it, the events about it, and the time there.

    `ends` tells that the workload is a Job, whose containers are to end, and `undo` that pods of an earlier revision
    are still ready. `load` is the command that brings an image, for which `IMAGE` stands, into the cluster, where its
    platform has one. `stable_s` is how long a container has to have run since it was last restarted.
    """

    workload: str
    kubectl: Kubectl
    now_s: float
    stable_s: float
    events: tuple[Object, ...] = ()
    ends: bool = False
    undo: bool = False
    load: str | None = None

    @property
    def anew(self) -> str:
        """The command that starts the workload anew."""
        kind = self.workload.partition("/")[0]
        if kind in {"deployment", "statefulset", "daemonset"}:
            return self.kubectl("rollout", "restart", self.workload)
        delete = self.kubectl("delete", self.workload)
        if self.kubectl.manifests is None:
            return f"{delete}, and deploy it again"
        return f"{delete} && {self.kubectl.deploy('')}"

    @property
    def back(self) -> str:
        """The command that goes back to the revision before."""
        return self.kubectl("rollout", "undo", self.workload)


def last_event(pod: Object, scene: Scene, reasons: frozenset[str], *, about: str = "") -> str | None:
    """Return what the newest event about a pod with one of these reasons says; the text `about` has to be in it."""
    uid = pod.get("metadata", {}).get("uid")
    messages = [
        str(each.get("message", ""))
        for each in scene.events
        if each.get("involvedObject", {}).get("uid") == uid and each.get("reason") in reasons
    ]
    return next((each for each in reversed(messages) if about in each), None)
