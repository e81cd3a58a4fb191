"""What the Tilt that runs for a project makes of it: resources, port forwards, and its own version."""

from __future__ import annotations

import re
import shlex
from functools import partial
from typing import TYPE_CHECKING

from pytest_devenv.clients.ports import Greeting, greet
from pytest_devenv.endpoint import Endpoint
from pytest_devenv.probes.probe import Probe, probe_id
from pytest_devenv.probes.root import root_id
from pytest_devenv.settings import Requirement, ServiceKind
from pytest_devenv.verdict import Evidence, Verdict, failed, off, passed, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytest_devenv.clients.tilt.client import Tilt
    from pytest_devenv.clients.tilt.values import Forward, Resource
    from pytest_devenv.settings import Settings
    from pytest_devenv.targets.environment import Environment

TILTFILE = "Tiltfile"
_DEADLINE_S = 60.0
_LOGS = 3
_CONSTRAINT = re.compile(r"""version_settings\([^)]*?constraint\s*=\s*(["'])(?P<constraint>.+?)\1""", re.DOTALL)
_COMPARED = re.compile(r"\s*(?P<operator>>=|<=|>|<|==|=|!=)?\s*v?(?P<version>\d+(?:\.\d+){0,2})\s*")


def probes(settings: Settings) -> Iterator[Probe]:
    """Yield the probes of a project with a Tiltfile, or of one that requires Tilt."""
    if settings.require is not Requirement.TILT and not (settings.root / TILTFILE).is_file():
        return
    root = probe_id("tilt.runs", TILTFILE)
    yield Probe(name="tilt.runs", subject=TILTFILE, look=_runs, deadline_s=_DEADLINE_S)
    looks: dict[str, Callable[[Tilt, Environment], Verdict]] = {
        "tilt.is_new_enough": _is_new_enough,
        "tilt.resources_are_ready": _resources_are_ready,
        "tilt.forwards_are_alive": _forwards_are_alive,
    }
    services = tuple(root_id(each) for each in settings.services.values())
    for name, look in looks.items():
        yield Probe(
            name=name,
            subject=TILTFILE,
            look=partial(_with_tilt, look),
            requires=(root,),
            after=() if name == "tilt.is_new_enough" else services,  # what is wrong with a service, its own probe tells
            deadline_s=_DEADLINE_S,
        )


def _runs(environment: Environment) -> Verdict:
    from pytest_devenv.clients.tilt.program import NoTiltError

    settings = environment.settings
    try:
        tilt = _running(settings.root)
    except NoTiltError as error:
        if settings.require is not Requirement.TILT:
            return off(error.message)
        return failed(
            "Tilt does not run for this project",
            expected="a Tilt that runs this project, since require is tilt",
            found=error.message,
            where=str(settings.root / TILTFILE),
            remedy=error.remedy or "tilt up",
        )
    return passed(f"Tilt runs {tilt.tiltfile.name} at {tilt.url}", port=tilt.port)


def _with_tilt(look: Callable[[Tilt, Environment], Verdict], environment: Environment) -> Verdict:
    from pytest_devenv.clients.tilt.program import NoTiltError

    try:
        tilt = _running(environment.settings.root)
    except NoTiltError as error:
        return off(error.message)
    from pytest_devenv.clients.tilt.client import TiltError

    try:
        return look(tilt, environment)
    except TiltError as error:
        return unknown(error.message, where=str(environment.settings.root / TILTFILE), remedy=error.remedy)


def _running(root: Path) -> Tilt:
    """Return the Tilt that runs for the project; a machine without the program does not pay for the client."""
    from pytest_devenv.clients.tilt.program import program

    program()
    from pytest_devenv.clients.tilt.client import running

    return running(root)


def _is_new_enough(tilt: Tilt, _: Environment) -> Verdict:
    version = tilt.version()
    constraint = constraint_of(tilt.tiltfile)
    if constraint is None:
        return passed(f"Tilt {version}; its Tiltfile asks for no version", version=version)
    kept = keeps(version, constraint)
    if kept is None:
        return unknown(
            f"whether Tilt {version} is {constraint} cannot be told",
            where=str(tilt.tiltfile),
            remedy="write the constraint as comparisons: version_settings(constraint='>=0.33.0')",
        )
    if kept:
        return passed(f"Tilt {version} is {constraint}", version=version)
    return failed(
        f"Tilt {version} is not what the Tiltfile needs",
        expected=f"a version {constraint}",
        found=version,
        where=f"{tilt.program}, for {tilt.tiltfile}",
        remedy="install another Tilt: https://docs.tilt.dev/install.html",
    )


def constraint_of(tiltfile: Path) -> str | None:
    """Return which versions of Tilt a Tiltfile asks for, None where it asks for none."""
    found = _CONSTRAINT.search(tiltfile.read_text(errors="replace"))
    return None if found is None else found["constraint"]


def keeps(version: str, constraint: str) -> bool | None:
    """Tell whether a version keeps a constraint such as `>=0.33, <1`; None where the constraint is of another kind."""
    own = _numbers(version)
    kept = True
    for part in constraint.split(","):
        match = _COMPARED.fullmatch(part)
        if match is None or own is None:
            return None
        other = _numbers(match["version"]) or (0, 0, 0)
        kept = kept and {
            ">=": own >= other,
            "<=": own <= other,
            ">": own > other,
            "<": own < other,
            "!=": own != other,
        }.get(match["operator"] or "=", own == other)
    return kept


def _numbers(version: str) -> tuple[int, ...] | None:
    match = re.match(r"\d+(?:\.\d+)*", version)
    if match is None:
        return None
    numbers = [int(each) for each in match[0].split(".")]
    return tuple((*numbers, 0, 0)[:3])


def _resources_are_ready(tilt: Tilt, _: Environment) -> Verdict:
    """Look at what has to be there by itself; a trigger that failed when it was last pressed makes nothing unwell."""
    every = tilt.resources().values()
    resources = [each for each in every if not (each.disabled or each.manual)]
    failing = [each for each in resources if each.is_failing]
    unready = [each for each in resources if not (each.is_ready or each.is_failing)]
    if failing:
        return _failing(tilt, resources, failing)
    if unready:
        return unknown(
            f"{len(unready)} of {len(resources)} resources are not there yet: " + "; ".join(map(_explained, unready)),
            where=f"{tilt.url}, {tilt.tiltfile}",
            remedy=f"tilt wait --for=condition=Ready {shlex.quote(f'uiresource/{unready[0].name}')} --timeout=120s "
            f"--port={tilt.port}",
        )
    said = [f"{len(resources)} resources are updated and ready"]
    said += _named("disabled", [each.name for each in every if each.disabled])
    said += _named("triggers that failed when last pressed", [each.name for each in every if _is_red(each)])
    return passed("; ".join(said), resources=len(resources))


def _is_red(resource: Resource) -> bool:
    return resource.manual and not resource.disabled and resource.is_failing


def _named(word: str, names: list[str]) -> list[str]:
    return [f"{word}: {', '.join(names)}"] if names else []


def _failing(tilt: Tilt, resources: list[Resource], failing: list[Resource]) -> Verdict:
    first = failing[0]
    return failed(
        f"{first.name} {_fault(first)}" + (f", and {len(failing) - 1} more" if len(failing) > 1 else ""),
        expected=f"{len(resources)} resources updated and ready",
        found="; ".join(f"{each.name}: {_fault(each)}" for each in failing),
        where=f"{tilt.url}, {tilt.tiltfile}",
        remedy=f"mend what its log says, then: tilt trigger {first.name} --port={tilt.port}",
        evidence=tuple(Evidence(f"log of {each.name}", tilt.logs(each.name)) for each in failing[:_LOGS]),
    )


def _fault(resource: Resource) -> str:
    if resource.update == "error":
        return "does not build: " + ((resource.builds[0].error if resource.builds else None) or "no reason given")
    return "does not run" + (f": {resource.pod_status}" if resource.pod_status else "")


def _explained(resource: Resource) -> str:
    if resource.waiting is not None:
        return f"{resource.name} waits, {resource.waiting}"
    if resource.building_since is not None:
        return f"{resource.name} is being updated"
    if resource.pod_status:
        return f"{resource.name} starts: {resource.pod_status}"
    return f"{resource.name}: {resource.state}"


def _forwards_are_alive(tilt: Tilt, environment: Environment) -> Verdict:
    forwards = tilt.forwards()
    if not forwards:
        return off(f"Tilt at {tilt.url} forwards no port")
    again = f"tilt trigger {{}} --port={tilt.port}"
    return alive(forwards, environment, where=f"{tilt.url}, {tilt.tiltfile}", again=again)


def alive(forwards: tuple[Forward, ...], environment: Environment, *, where: str, again: str) -> Verdict:
    """Judge whether every forward is bound and leads to somebody; `again` is what updates a resource, `{}` its name."""
    faults = {each: fault for each in forwards if (fault := dead(each, environment)) is not None}
    if not faults:
        ports = ", ".join(str(each.local_port) for each in forwards)
        return passed(f"{len(forwards)} port forwards are alive: {ports}", forwards=len(forwards))
    first = next(iter(faults))
    return failed(
        f"the forward of port {first.local_port} to {first.resource} is dead",
        expected="every declared forward bound, and somebody behind it",
        found="; ".join(f"{each.resource} {each.local_port}:{each.container_port}: {faults[each]}" for each in faults),
        where=where,
        remedy=f"see who holds it: ss -ltnp 'sport = :{first.local_port}'; then: {again.format(first.resource)}",
    )


def dead(forward: Forward, environment: Environment) -> str | None:
    """Return what is wrong with a forward, None where somebody answers behind it."""
    if forward.error is not None:
        return forward.error
    if forward.started is None:
        return "not bound yet"
    kind = _kind_of(forward, environment)
    endpoint = Endpoint(
        service=forward.resource, kind=kind or ServiceKind.HTTP, host=forward.host, port=forward.local_port
    )
    try:
        greeted = greet(endpoint, deadline_s=environment.settings.deadline_s)
    except OSError as error:
        return str(error)
    if greeted.greeting is Greeting.SPEAKS or (kind is None and greeted.greeting is not Greeting.CLOSED):
        return None
    return str(greeted.greeting.value)


def _kind_of(forward: Forward, environment: Environment) -> ServiceKind | None:
    """Return what speaks behind a forward: the service that is called as its resource, or has its port, if any."""
    services = environment.settings.services
    if forward.resource in services:
        return services[forward.resource].kind
    return next((each.kind for each in services.values() if each.local_port == forward.local_port), None)
