"""The root probe of each service: what everything about the service requires, and what is known before any look."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_devenv.probes import commands
from pytest_devenv.probes.probe import Probe, probe_id
from pytest_devenv.settings import ServiceKind, TargetName
from pytest_devenv.verdict import Evidence, failed, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pytest_devenv.settings import Service, Settings
    from pytest_devenv.targets.environment import Environment
    from pytest_devenv.verdict import Verdict

ROOTS: Mapping[ServiceKind, str] = {
    ServiceKind.POSTGRES: "postgres.accepts_queries",
    ServiceKind.REDIS: "redis.answers",
    ServiceKind.HTTP: "http.answers",
    ServiceKind.JOB: "job.completed",
}


_RUN_AGAIN = ", then run again"


def root_id(service: Service) -> str:
    """Return the id of the probe that says whether a service is there at all."""
    return probe_id(ROOTS[service.kind], service.name)


def root(
    settings: Settings,
    service: Service,
    look: Callable[[Environment], Verdict],
    *,
    also: Iterable[str] = (),
    holds: Callable[[Environment], bool] = lambda _: True,
) -> Probe:
    """Make the root probe of a service: it requires the roots of the services that this one requires, and `also`.

    What could not be started or resolved is its verdict, as it is, while it `holds`; only then does it `look`.
    """

    def priced(environment: Environment) -> Verdict:
        verdict = looked(environment)
        return verdict if commands.ANEW not in (verdict.remedy or "") else _priced(verdict, environment)

    def looked(environment: Environment) -> Verdict:
        fault = environment.faults.get(service.name)
        if fault is not None and holds(environment):
            return _recorded(fault) if environment.attached else fault
        if service.kind is not ServiceKind.JOB and service.name not in environment.endpoints:
            return _no_address(service, environment)
        verdict = look(environment)
        return verdict if verdict.passed else _on_the_way(service, environment) or verdict

    requires = (*(root_id(settings.services[name]) for name in service.requires), *also)
    return Probe(name=ROOTS[service.kind], subject=service.name, look=priced, requires=tuple(dict.fromkeys(requires)))


def _priced(verdict: Verdict, environment: Environment) -> Verdict:
    """Say what the remedy takes along, which is not to be seen in its words."""
    names = ", ".join(environment.settings.databases)
    text = "env down deletes all that was written since env up" + (f", into {names} too" if names else "")
    return replace(verdict, evidence=(*verdict.evidence, Evidence("what the remedy takes along", text)))


def _recorded(fault: Verdict) -> Verdict:
    """Return what was said of a service when its environment was brought up: mended now, it is still not there."""
    place = "" if fault.where is None else f"{fault.where}; "
    mend = "" if fault.remedy is None else f"{fault.remedy.removesuffix(_RUN_AGAIN)}; then: "
    return replace(fault, where=f"{place}recorded at pytest-devenv env up", remedy=mend + commands.ANEW)


def _on_the_way(service: Service, environment: Environment) -> Verdict | None:
    """Return what kept this run's own forward from reaching the service, which only shows as a broken connection."""
    forward = None if environment.cluster is None else environment.cluster.forwards.get(service.name)
    problem = None if forward is None else forward.problem
    if problem is None:
        return None
    from pytest_devenv.clients.kubernetes import ApiError, UnreachableError

    summary, *lines = problem.message.splitlines()
    parts = {name.strip(): text for name, _, text in (line.partition(": ") for line in lines)}
    if isinstance(problem, UnreachableError) or (isinstance(problem, ApiError) and not problem.missing):
        return unknown(f"{service.name} was not reached: {summary}", where=parts.get("where"), remedy=problem.remedy)
    return failed(
        summary,
        expected=parts.get("expected", f"a connection to {service.name}"),
        found=parts.get("found", summary),
        where=parts.get("where", f"namespace {environment.cluster.namespace}" if environment.cluster else ""),
        remedy=problem.remedy or commands.bring_up(environment, service.name),
    )


def _no_address(service: Service, environment: Environment) -> Verdict:
    where = f"target {environment.target.value}: {environment.why}"
    if environment.target is TargetName.EMBEDDED:
        return unknown(
            f"{service.name} was not started: something that it requires was not up then",
            where=where,
            remedy=commands.ANEW,
        )
    return unknown(
        f"no address is known for {service.name}",
        where=where,
        remedy=f"set services.{service.name}.url in {environment.settings.file.name}",
    )
