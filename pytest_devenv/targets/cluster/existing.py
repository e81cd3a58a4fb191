"""A forward that somebody else holds at a service's local port, where it is proven to lead to the same pod."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_devenv.clients.kubernetes.forward import HOST
from pytest_devenv.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_devenv.clients.kubernetes.cluster import Cluster
    from pytest_devenv.clients.tilt.values import Forward
    from pytest_devenv.endpoint import Endpoint

_CONNECT_S = 0.5
_GREETING_S = 2.0
_SHORT = {
    "deploy": "deployment",
    "deployments": "deployment",
    "sts": "statefulset",
    "statefulsets": "statefulset",
    "ds": "daemonset",
    "daemonsets": "daemonset",
    "svc": "service",
    "services": "service",
    "po": "pod",
    "pods": "pod",
}
# Those of kubectl's flags that stand alone: https://kubernetes.io/docs/reference/kubectl/generated/kubectl_port-forward/
_ALONE = frozenset(
    {"--insecure-skip-tls-verify", "--match-server-version", "--warnings-as-errors", "--disable-compression"}
)


@dataclass(frozen=True, slots=True)
class Led:
    """Where a kubectl forward leads, as its command line says: nothing of it is guessed."""

    context: str | None
    namespace: str | None
    subject: str
    ports: tuple[tuple[int, int], ...]


def leads_to(endpoint: Endpoint, led: Led, *, path: str) -> bool:
    """Tell whether the endpoint at this machine is a kubectl forward that was started for just this, and still works.

    What does not name its context does not say where it leads, nor does one with another kubeconfig.
    """
    if not _is_open(endpoint):
        return False
    wanted = (led.context, led.namespace, led.subject, led.ports[0])
    if not any((each.context, each.namespace, each.subject, port) == wanted for each, port in _held(endpoint.port)):
        return False
    return _speaks(endpoint, path)


class OfTilt:
    """The forwards of the project's own Tilt, which is asked at most once, and only where it holds a local port."""

    def __init__(self, root: Path, cluster: Cluster) -> None:
        self._root = root
        self._cluster = cluster
        self._known: tuple[Forward, ...] | None = None

    def leads_to(self, endpoint: Endpoint, subject: str, port: int, *, path: str) -> bool:
        """Tell whether Tilt forwards this port of this machine to the pod that we would forward it to.

        Its context and namespace have to be ours, and its pod the one that the API server names now.
        """
        if not _is_open(endpoint) or not any(_program(pid) == "tilt" for pid in _holders(endpoint.port)):
            return False
        from pytest_devenv.clients.kubernetes.pods import place_of

        api, namespace = self._cluster.api, self._cluster.namespace
        try:
            forwards = [each for each in self._forwards() if each.local_port == endpoint.port]
            place = place_of(api, namespace, subject, port) if forwards else None
        except TargetError:
            return False
        ours = None if place is None else (namespace, place.pod, place.port)
        same = any((each.namespace, each.pod, each.container_port) == ours for each in forwards)
        return same and _speaks(endpoint, path)

    def _forwards(self) -> tuple[Forward, ...]:
        if self._known is None:
            from pytest_devenv.clients.tilt.client import running

            self._known = ()
            self._known = running(self._root).forwards_into(self._cluster.context)
        return self._known


def read(arguments: Sequence[str]) -> Led | None:
    """Return where a command line leads, None where it is no `kubectl port-forward` or leaves that to be guessed."""
    if not arguments or Path(arguments[0]).name != "kubectl" or "port-forward" not in arguments:
        return None
    flags, words = _split(arguments[1:])
    if words[:1] != ["port-forward"] or len(words) < 3 or "--kubeconfig" in flags:  # noqa: PLR2004  # subject, port
        return None
    kind, slash, name = words[1].partition("/")
    subject = f"{_SHORT.get(kind, kind)}/{name}" if slash else f"pod/{words[1]}"
    ports = [_ports(word) for word in words[2:]]
    known = tuple(each for each in ports if each is not None)
    return Led(flags.get("--context"), flags.get("--namespace", flags.get("-n")), subject, known)


def _split(arguments: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Return the flags with their values, and the words that are no flags."""
    flags: dict[str, str] = {}
    words: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        if not argument.startswith("-"):
            words.append(argument)
            continue
        name, equals, value = argument.partition("=")
        if name.startswith("-n") and not name.startswith("--") and name != "-n":
            name, equals, value = "-n", "=", argument[2:].lstrip("=")
        flags[name] = value if equals or name in _ALONE else next(rest, "")
    return flags, words


def _ports(word: str) -> tuple[int, int] | None:
    """Return the local port and the other of `LOCAL:OTHER`, or of one that stands for both."""
    local, colon, other = word.partition(":")
    both = (local, other if colon else local)
    return (int(both[0]), int(both[1])) if both[0].isdecimal() and both[1].isdecimal() else None


def _held(port: int) -> Iterator[tuple[Led, tuple[int, int]]]:
    """Yield where the processes that listen at a port of this machine lead, as far as they may be seen."""
    from pytest_devenv.clients import processes

    for pid in _holders(port):
        led = read(processes.arguments(pid))
        for each in led.ports if led is not None else ():
            if led is not None and each[0] == port:
                yield led, each


def _holders(port: int) -> list[int]:
    """Return the processes that listen at a port and read the same kubeconfig as we, where they may be seen."""
    from pytest_devenv.clients import processes

    try:
        pids = {each.pid for each in processes.listeners() if each.port == port and each.pid is not None}
    except PermissionError:
        return []
    ours = {name: os.environ.get(name) for name in ("KUBECONFIG", "HOME")}
    return [pid for pid in pids if all(processes.variables(pid).get(name) == ours[name] for name in ours)]


def _program(pid: int) -> str:
    from pytest_devenv.clients import processes

    return Path(next(iter(processes.arguments(pid)), "")).name


def _speaks(endpoint: Endpoint, path: str) -> bool:
    """Tell whether the service answers behind an address: a forward whose pod is gone listens on, and says nothing."""
    from pytest_devenv.clients.ports import Greeting, greet

    try:
        return greet(endpoint, path=path, deadline_s=_GREETING_S).greeting is Greeting.SPEAKS
    except OSError:
        return False


def _is_open(endpoint: Endpoint) -> bool:
    try:
        socket.create_connection((HOST, endpoint.port), timeout=_CONNECT_S).close()
    except OSError:
        return False
    return True
