"""Whether each declared port on this machine is free or held by whom it should be, and speaks its protocol."""

from __future__ import annotations

from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING

from pytest_devenv.probes import commands
from pytest_devenv.probes.probe import Probe, probe_id
from pytest_devenv.probes.root import root_id
from pytest_devenv.probes.shared import Shared
from pytest_devenv.verdict import failed, passed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.clients.processes import Listener
    from pytest_devenv.settings import Service, Settings
    from pytest_devenv.targets.environment import Environment
    from pytest_devenv.verdict import Verdict


def probes(settings: Settings) -> Iterator[Probe]:
    """Yield the probes of every service with a local port, and one of all of them together."""
    declared = [service for service in settings.services.values() if service.local_port is not None]
    if not declared:
        return
    yield Probe(name="ports.are_distinct", subject=settings.name, look=_are_distinct, mark="ports")
    shared = Shared(_listeners)
    for service in declared:
        yield Probe(
            name="port.is_free_or_ours",
            subject=service.name,
            look=partial(_is_free_or_ours, service, service.local_port or 0, shared),
            mark="ports",
        )
        yield Probe(
            name="port.speaks_its_protocol",
            subject=service.name,
            look=partial(_speaks_its_protocol, service),
            requires=(probe_id("port.is_free_or_ours", service.name),),
            after=(root_id(service),),
            mark="ports",
        )


def _listeners(_: Environment) -> tuple[Listener, ...]:
    from pytest_devenv.clients import processes

    return processes.listeners()


def _are_distinct(environment: Environment) -> Verdict:
    settings = environment.settings
    claims = [
        (service.local_port, name) for name, service in settings.services.items() if service.local_port is not None
    ]
    for (port, one), (other_port, other) in combinations(claims, 2):
        if port == other_port:
            return failed(
                f"{one} and {other} both claim port {port}",
                expected="a local port for each service",
                found=f"services.{one}.local_port = {port}, services.{other}.local_port = {port}",
                where=str(settings.file),
                remedy=f"give services.{other}.local_port another port in {settings.file.name}",
            )
    for (one, first), (other, second) in combinations(environment.endpoints.items(), 2):
        if (first.host, first.port) == (second.host, second.port) and first.kind is not second.kind:
            return failed(
                f"{one} and {other} are both reached at {first.address}",
                expected="an address for each service",
                found=f"{one} and {other} at {first.address}",
                where=f"target {environment.target.value}: {environment.why}",
                remedy=f"correct {commands.address_setting(environment, first)},"
                f" or {commands.address_setting(environment, second)}",
            )
    return passed(f"{len(claims)} ports, each claimed once", ports=len(claims))


def _is_free_or_ours(
    service: Service, port: int, shared: Shared[tuple[Listener, ...]], environment: Environment
) -> Verdict:
    from pytest_devenv.probes.strangers import judge

    return judge(service, port, lambda: shared.get(service.name, environment), environment)


def _speaks_its_protocol(service: Service, environment: Environment) -> Verdict:
    from pytest_devenv.probes.protocols import speaks

    return speaks(service, environment)
