"""Forwards of kubectl that run on this machine for an environment, and lead nowhere any more."""

from __future__ import annotations

import contextlib
import getpass
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_devenv.clients.ports import Greeting, greet
from pytest_devenv.clients.processes import listeners
from pytest_devenv.endpoint import Endpoint
from pytest_devenv.settings import ServiceKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_ENDS_WITHIN_S = 10.0
_LIVING = frozenset({Greeting.SPEAKS, Greeting.SILENT, Greeting.FOREIGN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Stray:
    """A forward that leads nowhere: its process, when that was started as a Unix time, and the ports that it holds."""

    pid: int
    started: float
    subject: str
    ports: tuple[int, ...]

    def __str__(self) -> str:
        ports = ", ".join(map(str, self.ports)) or "no port"
        return f"the forward to {self.subject} at {ports} (pid {self.pid})"


def strays(
    context: str, namespace: str, *, current: str | None, kinds: Mapping[int, ServiceKind], deadline_s: float
) -> Iterator[Stray]:
    """Yield the forwards of this user to a namespace of a context behind which nobody is.

    `current` is the current kube context, which a command that names none has; `kinds` tells by the port inside what
    speaks there. A command that does not say its namespace is not known to be this environment's.
    """
    import psutil

    held: dict[int, list[int]] = {}
    for each in listeners():
        if each.pid is not None and each.port not in held.setdefault(each.pid, []):
            held[each.pid].append(each.port)
    for process in psutil.process_iter(["username", "cmdline", "create_time"]):
        words = process.info["cmdline"] or []
        if process.info["username"] != getpass.getuser() or not is_forward(words):
            continue
        if option(words, "--namespace", "-n") != namespace or (option(words, "--context") or current) != context:
            continue
        subject, pairs = forwarded(words)
        ports = tuple(held.get(process.pid, ()))
        if any(_lives(port, kinds.get(pairs.get(port, 0), ServiceKind.HTTP), deadline_s) for port in ports):
            continue
        yield Stray(pid=process.pid, started=process.info["create_time"], subject=subject, ports=ports)


def end(stray: Stray) -> None:
    """End the process of a forward, unless its number is somebody else's by now."""
    import psutil

    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(stray.pid)
        if process.create_time() != stray.started:
            return
        process.terminate()
        try:
            process.wait(_ENDS_WITHIN_S)
        except psutil.TimeoutExpired:
            process.kill()


def is_forward(words: Sequence[str]) -> bool:
    """Tell whether a command line is kubectl's, and forwards a port."""
    return len(words) > 1 and Path(words[0]).name.startswith("kubectl") and "port-forward" in words


def option(words: Sequence[str], *names: str) -> str | None:
    """Return the value of an option, given as `--name=value` or as two words; None where it is not given."""
    for at, word in enumerate(words):
        for name in names:
            if word.startswith(f"{name}="):
                return word.partition("=")[2]
            if word == name and at + 1 < len(words):
                return words[at + 1]
    return None


def forwarded(words: Sequence[str]) -> tuple[str, dict[int, int]]:
    """Return what a command line of kubectl forwards to, and the port inside for each local one that it names."""
    rest = words[list(words).index("port-forward") + 1 :]
    subject = next((word for word in rest if "/" in word), "a pod")
    pairs = {}
    for word in rest:
        here, _, there = word.partition(":")
        if here.isdecimal():
            pairs[int(here)] = int(there) if there.isdecimal() else int(here)
    return subject, pairs


def _lives(port: int, kind: ServiceKind, deadline_s: float) -> bool:
    """Tell whether somebody is behind a port of this machine: a forward to nobody hangs up."""
    endpoint = Endpoint(service="", kind=kind, host="127.0.0.1", port=port)
    try:
        return greet(endpoint, deadline_s=deadline_s).greeting in _LIVING
    except OSError:
        return False
