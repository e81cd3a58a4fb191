"""The processes of this machine: who holds a port, and what they say of themselves without their secrets."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pytest_devenv.settings.redact import HIDDEN, looks_secret, redact_url

_MOST_CHARACTERS = 160
_PASSWORD_FLAGS = {"redis-cli": "-a", "valkey-cli": "-a"}
_UNIT = re.compile(r"/system\.slice/(?P<unit>[^/\s]+\.service)")


@dataclass(frozen=True, slots=True)
class Process:
    """A process as people need to know it. `parents` are the names above it, `unit` is systemd's name for it.

    `command` is the command line with its secrets hidden, and `started` a Unix time.
    """

    pid: int
    name: str
    user: str
    command: str
    started: float
    parents: tuple[str, ...] = ()
    unit: str | None = None

    @property
    def since(self) -> str:
        """When it was started, in local time."""
        return datetime.fromtimestamp(self.started).astimezone().strftime("%Y-%m-%d %H:%M")

    def __str__(self) -> str:
        return f"{self.name} (pid {self.pid}, user {self.user}, since {self.since}): {self.command}"


@dataclass(frozen=True, slots=True)
class Listener:
    """A socket that listens. `pid` is None where it belongs to a process that we may not see."""

    host: str
    port: int
    pid: int | None


def listeners() -> tuple[Listener, ...]:
    """Return every TCP socket of this machine that listens. Raises `PermissionError` where none may be seen."""
    import psutil

    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied as error:
        message = "the sockets of this machine may not be listed"
        raise PermissionError(message) from error
    found = {
        Listener(each.laddr.ip, each.laddr.port, each.pid)
        for each in connections
        if each.status == psutil.CONN_LISTEN and each.laddr
    }
    return tuple(sorted(found, key=lambda each: (each.port, each.host, each.pid or 0)))


def process(pid: int) -> Process | None:
    """Describe a process; None where it has ended or may not be seen."""
    import psutil

    try:
        found = psutil.Process(pid)
        with found.oneshot():
            return Process(
                pid=pid,
                name=found.name(),
                user=found.username(),
                command=shown(found.cmdline()) or found.name(),
                started=found.create_time(),
                parents=tuple(parent.name() for parent in found.parents()),
                unit=_unit(pid),
            )
    except psutil.Error:
        return None


def arguments(pid: int) -> tuple[str, ...]:
    """Return the command line of a process as it is, secrets and all; nothing where it may not be seen."""
    import psutil

    try:
        return tuple(psutil.Process(pid).cmdline())
    except psutil.Error:
        return ()


def variables(pid: int) -> dict[str, str]:
    """Return the environment of a process as it was given, secrets and all; nothing where it may not be seen."""
    import psutil

    try:
        return dict(psutil.Process(pid).environ())
    except psutil.Error:
        return {}


def family(pid: int) -> frozenset[int]:
    """Return the ids of a process, of those above it, and of those below it."""
    import psutil

    try:
        found = psutil.Process(pid)
        related = (*found.parents(), *found.children(recursive=True))
    except psutil.Error:
        return frozenset({pid})
    return frozenset({pid, *(each.pid for each in related)})


def shown(arguments: list[str]) -> str:
    """Return a command line for people: quoted, cut, and with `***` for every secret in it."""
    program = Path(arguments[0]).name if arguments else ""
    secret_flag = _PASSWORD_FLAGS.get(program)
    parts: list[str] = []
    hide_next = False
    for argument in arguments:
        name, equals, _ = argument.partition("=")
        if hide_next and not argument.startswith("--"):
            parts.append(HIDDEN)
            hide_next = False
            continue
        if equals and looks_secret(name.lstrip("-")):
            parts.append(f"{name}={HIDDEN}")
        else:
            parts.append(shlex.quote(redact_url(argument)))
        is_flag = argument.startswith("-") and not equals
        hide_next = is_flag and (argument == secret_flag or looks_secret(argument.lstrip("-")))
    line = " ".join(parts)
    return line if len(line) <= _MOST_CHARACTERS else line[:_MOST_CHARACTERS] + " …"


def _unit(pid: int) -> str | None:
    """Return the system service that a process belongs to, where systemd runs it."""
    try:
        match = _UNIT.search(Path(f"/proc/{pid}/cgroup").read_text())
    except OSError:
        return None
    return None if match is None else match["unit"]
