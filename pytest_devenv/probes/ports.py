"""Whether each declared port on this machine is free or held by whom it should be, and speaks its protocol."""

from __future__ import annotations

import os
import re
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING

from pytest_devenv.clients.ports import Greeting, greet
from pytest_devenv.clients.processes import Listener, family, listeners, process
from pytest_devenv.probes import commands, strangers
from pytest_devenv.probes.probe import Probe, probe_id
from pytest_devenv.probes.redact import redacted
from pytest_devenv.probes.shared import Shared
from pytest_devenv.settings import ServiceKind, TargetName
from pytest_devenv.verdict import failed, off, passed, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.endpoint import Endpoint
    from pytest_devenv.settings import Service, Settings
    from pytest_devenv.targets.environment import Environment
    from pytest_devenv.verdict import Verdict

_HERE = frozenset({"127.0.0.1", "localhost", "::1", "0.0.0.0", "::"})  # noqa: S104  # compared, not bound
_PROTOCOLS = {ServiceKind.POSTGRES: "PostgreSQL", ServiceKind.REDIS: "Redis", ServiceKind.HTTP: "HTTP"}


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
            mark="ports",
        )


def _listeners(_: Environment) -> tuple[Listener, ...]:
    return listeners()


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
                remedy=f"correct services.{one}.url or services.{other}.url in {settings.file.name}",
            )
    return passed(f"{len(claims)} ports, each claimed once", ports=len(claims))


def _is_free_or_ours(
    service: Service, port: int, shared: Shared[tuple[Listener, ...]], environment: Environment
) -> Verdict:
    endpoint = environment.endpoints.get(service.name)
    at = "" if endpoint is None else f"; {service.name} is at {endpoint.address}"
    try:
        held = [each for each in shared.get(service.name, environment) if each.port == port]
    except PermissionError as error:
        return unknown(str(error), where=f"port {port} of this machine", remedy=strangers.find(port))
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
    ours = family(os.getpid())
    for listener in held:
        holder = None if listener.pid is None else process(listener.pid)
        if holder is None:
            return unknown(
                f"{port} is held by a process that only root may see",
                where=f"{listener.host}:{port}",
                remedy=strangers.find(port),
            )
        if holder.pid not in ours and not strangers.is_forwarder(holder):
            return _stranger(service, port, [listener], f"it stands before {service.name} of the cluster", environment)
    return passed(f"{port} is held by {_briefly(held)}", port=port)


def _stranger(service: Service, port: int, held: list[Listener], why: str, environment: Environment) -> Verdict:
    setting = f"services.{service.name}.local_port in {environment.settings.file.name}"
    listener = held[0]
    holder = None if listener.pid is None else process(listener.pid)
    return failed(
        f"port {port} of {service.name} is held by {_briefly(held)}, and {why}",
        expected=f"{service.name} on port {port}, or nobody",
        found=str(holder) if holder is not None else "a process that only root may see",
        where=f"{listener.host}:{port} on this machine",
        remedy=f"{strangers.find(port) if holder is None else strangers.stop(holder, port)}; or change {setting}",
        port=port,
        pid=listener.pid,
    )


def _briefly(held: list[Listener]) -> str:
    names = []
    for pid in dict.fromkeys(each.pid for each in held):
        holder = None if pid is None else process(pid)
        names.append("an unknown process" if holder is None else f"{holder.name} (pid {pid}, user {holder.user})")
    return ", ".join(names)


def _leads_to(endpoint: Endpoint | None, port: int) -> bool:
    return endpoint is not None and endpoint.port == port and endpoint.host in _HERE


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


def _speaks_its_protocol(service: Service, environment: Environment) -> Verdict:
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
    pids = [each.pid for each in listeners() if each.port == endpoint.port and each.pid is not None]
    holder = process(pids[0]) if pids and endpoint.host in _HERE else None
    if holder is None:
        return f"find who holds it: {strangers.find(endpoint.port)}"
    return f"{strangers.stop(holder, endpoint.port)} ends {holder}"
