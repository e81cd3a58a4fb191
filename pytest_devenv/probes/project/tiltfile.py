"""Whether the Tiltfile evaluates without a cluster, and declares what the settings describe."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from pytest_devenv.probes.probe import Probe, probe_id
from pytest_devenv.probes.project.evaluating import EVALUATE_S, Resources, evaluated
from pytest_devenv.probes.project.triggers import TRIGGERS_S, Commands, triggers_run_what_is_there
from pytest_devenv.probes.shared import Shared
from pytest_devenv.probes.tilt import TILTFILE
from pytest_devenv.settings import Settings
from pytest_devenv.verdict import Verdict, failed, passed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.settings import Service
    from pytest_devenv.targets.environment import Environment

_Judge: TypeAlias = Callable[[Resources, Settings], Verdict]


def probes(settings: Settings, commands: Commands) -> Iterator[Probe]:
    """Yield the probes of a project with a Tiltfile. `commands` says what is wrong with words for `pytest-devenv`."""
    if not (settings.root / TILTFILE).is_file():
        return
    evaluates = probe_id("tiltfile.evaluates", TILTFILE)
    shared: Shared[Resources | Verdict] = Shared(lambda environment: evaluated(environment.settings))
    judges: list[tuple[str, str, _Judge]] = [
        ("tiltfile.evaluates", TILTFILE, _evaluates),
        ("tiltfile.waits_for_what_it_has", TILTFILE, _waits_for_what_it_has),
        ("tiltfile.triggers_run_what_is_there", TILTFILE, partial(triggers_run_what_is_there, commands)),
    ]
    judges += [
        ("tiltfile.has_the_service", service.name, partial(_has_the_service, service))
        for service in settings.services.values()
        if service.workload is not None
    ]
    for name, subject, judge in judges:
        own = probe_id(name, subject)
        yield Probe(
            name=name,
            subject=subject,
            look=partial(_judged, shared, own, judge),
            requires=() if own == evaluates else (evaluates,),
            deadline_s=EVALUATE_S + TRIGGERS_S,
        )


def _judged(shared: Shared[Resources | Verdict], reader: str, judge: _Judge, environment: Environment) -> Verdict:
    found = shared.get(reader, environment)
    return found if isinstance(found, Verdict) else judge(found, environment.settings)


def _evaluates(resources: Resources, _: Settings) -> Verdict:
    buttons = sum(bool(each.command) for each in resources.values())
    return passed(
        f"{TILTFILE} declares {len(resources)} resources, {buttons} of them commands", resources=len(resources)
    )


def _waits_for_what_it_has(resources: Resources, settings: Settings) -> Verdict:
    lost = [(each.name, name) for each in resources.values() for name in each.requires if name not in resources]
    if not lost:
        return passed("every resource waits only for those that there are")
    waits, missing = lost[0]
    return failed(
        f"{waits} waits for {missing}, which the {TILTFILE} does not declare",
        expected=f"resource_deps among {', '.join(resources)}",
        found="; ".join(f"{name} waits for {other}" for name, other in lost),
        where=str(settings.root / TILTFILE),
        remedy=f"correct resource_deps of {waits} in the {TILTFILE}",
    )


def _has_the_service(service: Service, resources: Resources, settings: Settings) -> Verdict:
    """Look for the resource that deploys a service, for its port here, and for what it waits for."""
    where, key = str(settings.root / TILTFILE), f"services.{service.name}"
    found = next((each for each in resources.values() if service.workload in each.workloads), None)
    if found is None:
        return failed(
            f"no resource of the {TILTFILE} deploys {service.workload}, which is to run {service.name}",
            expected=f"{service.workload} among what is deployed",
            found=", ".join(each for one in resources.values() for each in one.workloads[:1]) or "no workload",
            where=where,
            remedy=f"add its manifest to k8s_yaml, or correct {key}.workload in {settings.file.name}",
        )
    if service.local_port is not None and service.local_port not in found.ports:
        return failed(
            f"Tilt does not forward port {service.local_port} to {service.name}",
            expected=f"port_forwards of {found.name} with {service.local_port}",
            found=f"ports {', '.join(map(str, found.ports))}" if found.ports else "no port",
            where=where,
            remedy=f"correct port_forwards of {found.name}, or {key}.local_port in {settings.file.name}",
        )
    missing = [name for name in service.requires if not _waits_for(resources, found.name, settings.services[name])]
    if missing:
        return failed(
            f"{found.name} does not wait for {missing[0]}, which {service.name} requires",
            expected=f"resource_deps with {', '.join(service.requires)}",
            found=f"it waits for {', '.join(found.requires) or 'nothing'}",
            where=where,
            remedy=f"add {missing[0]} to resource_deps of {found.name}, or correct {key}.requires in "
            f"{settings.file.name}",
        )
    return passed(f"{found.name} deploys {service.workload}")


def _waits_for(resources: Resources, name: str, service: Service) -> bool:
    """Tell whether a resource waits for the one that deploys a service, itself or through others."""
    seen: set[str] = set()
    waiting = list(resources[name].requires)
    while waiting:
        each = waiting.pop()
        if each in seen or each not in resources:
            continue
        seen.add(each)
        if service.workload is None or service.workload in resources[each].workloads:
            return True
        waiting += resources[each].requires
    return service.workload is None
