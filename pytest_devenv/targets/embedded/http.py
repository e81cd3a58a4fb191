"""An HTTP service as the settings' command runs it."""

from __future__ import annotations

import http.client
import os
import time
from typing import TYPE_CHECKING

from pytest_devenv.endpoint import Endpoint
from pytest_devenv.settings import ServiceKind
from pytest_devenv.targets.embedded.account import Account
from pytest_devenv.targets.embedded.child import Child, spawn, wait_until
from pytest_devenv.targets.embedded.ports import HOST, accepts
from pytest_devenv.targets.embedded.startup import start_on_free_port

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_devenv.settings import Service


def start_http(
    service: Service,
    instance: Path,
    root: Path,
    *,
    fill_in: Callable[[str, int], str],
    start_s: float,
    settle_s: float,
    wait: bool,
    given: dict[str, str],
) -> tuple[Child, Endpoint]:
    """Run the service's command in the project's folder, on a port of its own.

    `fill_in` renders a template of the settings for a port. `given` is filled with the variables that the service is
    given, also where it does not come up: its log may hold them. Returns once the child listens, and where `wait` is
    set also once it answered its health path as it should, for at most `settle_s` seconds: whether it is healthy is
    for its probe to say. Raises ServerStartError when it ends, or does not listen within `start_s` seconds.
    """
    deadline = time.monotonic() + start_s

    def start(port: int) -> Child:
        given.clear()
        given.update({key: fill_in(value, port) for key, value in service.env.items()})
        command = [fill_in(word, port) for word in service.command]
        env = {**os.environ, "PYTHONUNBUFFERED": "1", "PORT": str(port), **given}
        return spawn(service.name, command, instance=instance, account=Account(), env=env, cwd=root)

    def ready(child: Child, port: int) -> bool:
        return wait_until(lambda: accepts(port) and _listens(child, port), child, deadline=deadline)

    child, port = start_on_free_port(start, ready, deadline=deadline)
    if wait:
        settled = min(deadline, time.monotonic() + settle_s)
        wait_until(lambda: _answers(port, service), child, deadline=settled)
    endpoint = Endpoint(service=service.name, kind=ServiceKind.HTTP, host=HOST, port=port, source="embedded")
    return child, endpoint


def _listens(child: Child, port: int) -> bool:
    """Tell whether it is the child, or one of its own, that listens on the port."""
    import psutil

    for process in (child.process, *child.process.children(recursive=True)):
        try:
            connections = process.net_connections(kind="tcp")
        except psutil.Error:
            continue
        if any(each.status == psutil.CONN_LISTEN and each.laddr.port == port for each in connections):
            return True
    return False


def _answers(port: int, service: Service) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=1)
    try:
        connection.request("GET", service.health)
        return connection.getresponse().status == service.status
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
