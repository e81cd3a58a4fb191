"""Whether somebody answers behind a forward of Tilt, told by servers that do and ports where nobody does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.clients.tilt.values import Forward
from pytest_devenv.probes.tilt import alive, dead
from pytest_devenv.settings import Service, ServiceKind, Settings, TargetName
from pytest_devenv.targets.embedded.ports import reserved_port
from pytest_devenv.targets.environment import Environment
from pytest_devenv.verdict import State

if TYPE_CHECKING:
    from pytest_devenv.endpoint import Endpoint

ENVIRONMENT = Environment(
    settings=Settings(
        root=Path("/p"),
        file=Path("/p/pyproject.toml"),
        name="shop",
        deadline_s=30,
        services={
            "cache": Service(name="cache", kind=ServiceKind.REDIS, local_port=6379),
            "web": Service(name="web", kind=ServiceKind.HTTP, local_port=3000),
        },
    ),
    target=TargetName.ADDRESSES,
    why="a test",
    endpoints={},
)


def forward(resource: str, port: int, *, error: str | None = None, started: float | None = 1.0) -> Forward:
    """Make a forward to a port of this machine."""
    return Forward(
        resource=resource,
        pod="pod-1",
        host="127.0.0.1",
        local_port=port,
        container_port=1,
        started=started,
        error=error,
    )


@pytest.mark.parametrize("resource", ["cache", "something-else"])
def test_server_behind_a_forward_is_greeted_as_its_service(redis_server: Endpoint, resource: str) -> None:
    """The resource's name says what is spoken there, at whichever port; a stranger's port has only to be open."""
    assert dead(forward(resource, redis_server.port), ENVIRONMENT) is None


def test_server_that_speaks_something_else_is_not_the_service(redis_server: Endpoint) -> None:
    """A forward that leads to another server is not alive."""
    assert dead(forward("web", redis_server.port), ENVIRONMENT) is not None


def test_forward_without_anybody_behind_it_is_dead() -> None:
    """What Tilt says of it goes first; then whether it was bound, then whether somebody is there."""
    with reserved_port() as port:
        assert dead(forward("cache", port), ENVIRONMENT) == "refuses the connection"
        assert dead(forward("cache", port, started=None), ENVIRONMENT) == "not bound yet"
        assert dead(forward("cache", port, error="address in use"), ENVIRONMENT) == "address in use"


def test_forwards_are_judged_together_and_the_dead_one_is_named(redis_server: Endpoint) -> None:
    """All alive is a pass with their ports; one that leads nowhere fails with its fault and what updates it."""
    living = forward("cache", redis_server.port)
    good = alive((living,), ENVIRONMENT, where="Tilt", again="tilt trigger {}")
    assert (good.state, good.summary) == (State.PASS, f"1 port forwards are alive: {redis_server.port}")
    with reserved_port() as port:
        bad = alive((living, forward("web", port)), ENVIRONMENT, where="Tilt", again="tilt trigger {}")
    assert bad.state is State.FAIL
    assert bad.found == f"web {port}:1: refuses the connection"
    assert (bad.remedy or "").endswith("; then: tilt trigger web")
