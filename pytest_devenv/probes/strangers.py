"""Who holds a local port, whether it is theirs, and how to make them let go."""

from __future__ import annotations

import getpass
import os
import re
from typing import TYPE_CHECKING

from pytest_devenv.clients import processes
from pytest_devenv.settings import TargetName
from pytest_devenv.verdict import failed, passed, unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_devenv.clients.processes import Listener, Process
    from pytest_devenv.endpoint import Endpoint
    from pytest_devenv.settings import Service
    from pytest_devenv.targets.environment import Environment
    from pytest_devenv.verdict import Verdict

HERE = frozenset({"127.0.0.1", "localhost", "::1", "0.0.0.0", "::"})  # noqa: S104  # compared, not bound
# Programs that stand at a local port for a service somewhere else.
FORWARDERS = frozenset(
    {"kubectl", "tilt", "ssh", "socat", "minikube", "kubefwd", "telepresence", "mirrord", "k9s", "docker-proxy"}
    | {"com.docker.backend", "com.docker.vpnkit", "vpnkit", "rootlesskit", "rootlessport", "slirp4netns", "pasta"}
    | {"limactl", "colima", "gvproxy", "host-switch", "OrbStack Helper", "traefik", "envoy", "haproxy", "nginx"}
)
_DOCKER = frozenset({"docker-proxy", "com.docker.backend", "com.docker.vpnkit", "vpnkit", "rootlesskit"})
_PODMAN = frozenset({"rootlessport", "slirp4netns", "pasta", "conmon"})


def stop(process: Process, port: int) -> str:
    """Return the command that stops a process: by what runs it, since whatever that is would start it again."""
    if process.name in _DOCKER:
        return f"docker stop $(docker ps --quiet --filter publish={port})"
    if process.name in _PODMAN:
        return f"podman stop $(podman ps --quiet --filter publish={port})"
    if process.unit is not None:
        return f"sudo systemctl stop {process.unit}"
    return f"kill {process.pid}" if process.user == getpass.getuser() else f"sudo kill {process.pid}"


def is_forwarder(process: Process) -> bool:
    """Return whether a process looks like one that forwards a port."""
    return process.name in FORWARDERS


def find(port: int) -> str:
    """Return the command that shows a process which only root may see."""
    return f"sudo lsof -nP -iTCP:{port} -sTCP:LISTEN"


def judge(
    service: Service, port: int, listeners: Callable[[], tuple[Listener, ...]], environment: Environment
) -> Verdict:
    """Judge who holds the local port of a service: whom it is for, nobody, or a stranger."""
    endpoint = environment.endpoints.get(service.name)
    at = "" if endpoint is None else f"; {service.name} is at {endpoint.address}"
    try:
        held = [each for each in listeners() if each.port == port]
    except PermissionError as error:
        return unknown(str(error), where=f"port {port} of this machine", remedy=find(port))
    if not held:
        return passed(f"{port} is free{at}", port=port)
    if _leads_to(endpoint, port):
        return _held_for_us(service, port, held, environment)
    needed = _needed_by(port, environment)
    if needed is not None:
        return _stranger(service, port, held, f"{needed} leads to it", environment)
    return passed(f"{port} is held by {_briefly(held)}; nothing here needs it{at}", port=port)


def _held_for_us(service: Service, port: int, held: list[Listener], environment: Environment) -> Verdict:
    """Judge who holds the port at which this run reaches the service.

    Servers that are simply there, and those that this run has started itself, are whoever they are. A cluster's
    service is somewhere else: what stands here for it must forward.
    """
    if environment.target is not TargetName.CLUSTER:
        return passed(f"{port} is held by {_briefly(held)}", port=port)
    ours = processes.family(os.getpid())
    for listener in held:
        holder = None if listener.pid is None else processes.process(listener.pid)
        if holder is None:
            return unknown(
                f"{port} is held by a process that only root may see",
                where=f"{listener.host}:{port}",
                remedy=find(port),
            )
        if holder.pid not in ours and not is_forwarder(holder):
            return _stranger(service, port, [listener], f"it stands before {service.name} of the cluster", environment)
    return passed(f"{port} is held by {_briefly(held)}", port=port)


def _stranger(service: Service, port: int, held: list[Listener], why: str, environment: Environment) -> Verdict:
    setting = f"services.{service.name}.local_port in {environment.settings.file.name}"
    listener = held[0]
    holder = None if listener.pid is None else processes.process(listener.pid)
    return failed(
        f"port {port} of {service.name} is held by {_briefly(held)}, and {why}",
        expected=f"{service.name} on port {port}, or nobody",
        found=str(holder) if holder is not None else "a process that only root may see",
        where=f"{listener.host}:{port} on this machine",
        remedy=f"{find(port) if holder is None else stop(holder, port)}; or change {setting}",
        port=port,
        pid=listener.pid,
    )


def _briefly(held: list[Listener]) -> str:
    names = []
    for pid in dict.fromkeys(each.pid for each in held):
        holder = None if pid is None else processes.process(pid)
        names.append("an unknown process" if holder is None else f"{holder.name} (pid {pid}, user {holder.user})")
    return ", ".join(names)


def _leads_to(endpoint: Endpoint | None, port: int) -> bool:
    return endpoint is not None and endpoint.port == port and endpoint.host in HERE


def _needed_by(port: int, environment: Environment) -> str | None:
    """Return which variable of which service sends it to this port of this machine.

    That is one URL or address; lists, and the origins of browsers, are what a service lets in, not where it goes.
    """
    pattern = re.compile(rf"(?:[a-z+]+://)?(?:[^\s,@/]*@)?(?:localhost|127\.0\.0\.1|\[::1\]):{port}(?:/[^\s,]*)?")
    for service, variables in environment.variables.items():
        for name, value in variables.items():
            if pattern.fullmatch(value) and "ORIGIN" not in name.upper():
                return f"{name} of {service}"
    return None
