"""Who holds a port that is not theirs, and how to make them let go."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_devenv.clients.processes import Process

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
