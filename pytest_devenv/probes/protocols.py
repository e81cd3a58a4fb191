"""Whether what answers at an open port is the service that it is for, or something else, or a dead forward."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_devenv.clients import processes
from pytest_devenv.clients.ports import Greeting, greet
from pytest_devenv.probes import commands, strangers
from pytest_devenv.probes.redact import redacted
from pytest_devenv.settings import ServiceKind
from pytest_devenv.verdict import failed, off, passed

if TYPE_CHECKING:
    from pytest_devenv.endpoint import Endpoint
    from pytest_devenv.settings import Service
    from pytest_devenv.targets.environment import Environment
    from pytest_devenv.verdict import Verdict

_PROTOCOLS = {ServiceKind.POSTGRES: "PostgreSQL", ServiceKind.REDIS: "Redis", ServiceKind.HTTP: "HTTP"}


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
    if greeting is not Greeting.FOREIGN:
        return f"a forward may be dead: {commands.bring_up(environment, service.name)}"
    pids = [each.pid for each in processes.listeners() if each.port == endpoint.port and each.pid is not None]
    holder = processes.process(pids[0]) if pids and endpoint.host in strangers.HERE else None
    if holder is None:
        return f"find who holds it: {strangers.find(endpoint.port)}"
    return f"{strangers.stop(holder, endpoint.port)} ends {holder}"
