"""Starting a server on a port that turns out to be free, and what is said of one that does not come up."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pytest_devenv.errors import TargetError
from pytest_devenv.targets.embedded.child import end
from pytest_devenv.targets.embedded.ports import accepts, reserved_port

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_devenv.targets.embedded.child import Child

_ATTEMPTS = 5
_IN_USE = "ddress already in use"


class ServerStartError(TargetError):
    """A server did not come up. `log` is the tail of what it said."""

    def __init__(self, service: str, reason: str, log: str) -> None:
        self.service = service
        self.reason = reason
        self.log = log
        super().__init__(f"{service} did not start: {reason}" + (f"\n{log}" if log else ""))


def start_on_free_port(
    start: Callable[[int], Child], ready: Callable[[Child, int], bool], *, deadline: float
) -> tuple[Child, int]:
    """Start a server on a reserved port and return it with the port once it is ready there.

    When a stranger took the port in between, another is tried. `deadline` is of `time.monotonic`. Raises
    ServerStartError when the server ends or does not become ready; it does not run on then.
    """
    for attempt in range(_ATTEMPTS):
        with reserved_port() as port:
            child = start(port)
            try:
                if ready(child, port):
                    return child, port
            except BaseException:
                stop(child)
                raise
        status = child.ended()
        taken = status is not None and (accepts(port) or _IN_USE in child.tail())
        stop(child)
        if not taken or attempt == _ATTEMPTS - 1:
            raise ServerStartError(child.name, _reason(status, port, deadline), child.tail())
    raise AssertionError  # the last attempt returned or raised


def stop(child: Child) -> None:
    """End one server and what it started."""
    end([child.process])


def _reason(status: int | None, port: int, deadline: float) -> str:
    if status is None:
        late = " in time" if time.monotonic() >= deadline else ""
        return f"it runs, but did not become ready on port {port}{late}"
    if status < 0:
        return f"it was ended by signal {-status}"
    return f"it ended with status {status}"
