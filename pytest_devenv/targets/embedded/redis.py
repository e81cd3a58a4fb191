"""A Redis-protocol server of our own, kept in memory."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

from pytest_devenv.endpoint import Endpoint
from pytest_devenv.secret import Secret
from pytest_devenv.settings import ServiceKind
from pytest_devenv.targets.embedded.account import Account
from pytest_devenv.targets.embedded.binaries import redis_server
from pytest_devenv.targets.embedded.child import Child, spawn, wait_until
from pytest_devenv.targets.embedded.ports import HOST
from pytest_devenv.targets.embedded.startup import start_on_free_port

if TYPE_CHECKING:
    from pathlib import Path

_MAX_MEMORY = "128mb"
_READY = "Ready to accept connections"


def start_redis(service: str, instance: Path, *, start_s: float) -> tuple[Child, Endpoint]:
    """Start a server that answers on the loopback interface, with a password of its own.

    Raises ServerStartError with the log's tail where that fails or takes longer than `start_s` seconds.
    """
    program = redis_server()
    password = Secret(secrets.token_urlsafe(16))
    home = instance / service
    home.mkdir(mode=0o700)
    configuration = home / "server.conf"
    configuration.touch(mode=0o600)
    deadline = time.monotonic() + start_s

    def start(port: int) -> Child:
        # In a file, since every user of the machine can read a command line.
        lines = (
            f"bind {HOST}",
            f"port {port}",
            f"requirepass {password.reveal()}",
            f"maxmemory {_MAX_MEMORY}",
            "maxmemory-policy noeviction",
            'save ""',
            "appendonly no",
            "set-proc-title no",
        )
        configuration.write_text("\n".join(lines) + "\n")
        return spawn(
            service, [str(program), str(configuration)], instance=instance, account=Account(), env={}, cwd=home
        )

    def ready(child: Child, _port: int) -> bool:
        return wait_until(lambda: _READY in child.tail(), child, deadline=deadline)

    child, port = start_on_free_port(start, ready, deadline=deadline)
    endpoint = Endpoint(
        service=service, kind=ServiceKind.REDIS, host=HOST, port=port, password=password, source="embedded"
    )
    return child, endpoint
