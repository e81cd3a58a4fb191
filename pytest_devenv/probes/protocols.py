"""Whether what answers at an open port is the service that it is for, or something else, or a dead forward."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pytest_devenv.clients import processes
from pytest_devenv.clients.ports import Greeting, greet
from pytest_devenv.probes import commands, strangers
from pytest_devenv.probes.redact import redacted
from pytest_devenv.settings import ServiceKind, TargetName
from pytest_devenv.verdict import failed, off, passed

if TYPE_CHECKING:
    from pytest_devenv.clients.processes import Listener, Process
    from pytest_devenv.endpoint import Endpoint
    from pytest_devenv.settings import Service
    from pytest_devenv.targets.environment import Environment
    from pytest_devenv.verdict import Verdict

_PROTOCOLS = {ServiceKind.POSTGRES: "PostgreSQL", ServiceKind.REDIS: "Redis", ServiceKind.HTTP: "HTTP"}
# What a hung server of the kind is called: it is no stranger.
_SERVERS = {ServiceKind.POSTGRES: ("postgres",), ServiceKind.REDIS: ("redis-server", "valkey-server")}


def speaks(service: Service, environment: Environment) -> Verdict:
    """Say hello to a service, and judge what it answers."""
    endpoint = environment.endpoints.get(service.name)
    if endpoint is None:
        return off(f"no address is known for {service.name}")
    deadline_s = environment.settings.deadline_s
    greeted = greet(endpoint, path=service.health, deadline_s=deadline_s)
    protocol = _PROTOCOLS[service.kind]
    if greeted.greeting is Greeting.SPEAKS:
        return passed(f"{endpoint.address} speaks {protocol}")
    if greeted.greeting is Greeting.CLOSED:
        return passed(f"nothing listens at {endpoint.address}")
    waited = f" for {deadline_s:g} s" if greeted.greeting is Greeting.SILENT else ""
    said = f": {redacted(greeted.said, environment)!r}" if greeted.said else ""
    return failed(
        f"{endpoint.address} is open, and does not speak {protocol}",
        expected=f"the first words of {protocol}",
        found=f"it {greeted.greeting.value}{waited}{said}",
        where=endpoint.address,
        remedy=_mend(service, endpoint, greeted.greeting, environment),
    )


def _mend(service: Service, endpoint: Endpoint, greeting: Greeting, environment: Environment) -> str:
    foreign = greeting is Greeting.FOREIGN
    forward = f"a forward may be dead: {commands.bring_up(environment, service.name)}"
    held = _held(endpoint)
    pid = next((each.pid for each in held if each.pid is not None), None)
    holder = None if pid is None else processes.process(pid)
    if holder is None:
        find = f"find who holds it: {strangers.find(endpoint.port)}"
        if foreign:
            return find
        return f"{forward}; or {find}" if held else forward
    stop = strangers.stop(holder, endpoint.port)
    if foreign:
        return f"{stop} ends {holder}"
    if strangers.is_forwarder(holder) or holder.name in _SERVERS.get(service.kind, ()) or _is_ours(holder, environment):
        return forward
    return f"unless this is {service.name}, {stop} ends it: {holder}"


def _held(endpoint: Endpoint) -> list[Listener]:
    """Return the sockets of this machine that listen at an address, as far as they may be seen."""
    if endpoint.host not in strangers.HERE:
        return []
    try:
        return [each for each in processes.listeners() if each.port == endpoint.port]
    except PermissionError:
        return []


def _is_ours(holder: Process, environment: Environment) -> bool:
    """Return whether a process belongs to this run: what the embedded target starts is reached at its own ports."""
    return environment.target is TargetName.EMBEDDED or holder.pid in processes.family(os.getpid())
