"""`pytest-devenv env setup`: whether a new environment is whole, service by service, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pytest_devenv.cli import load_settings
from pytest_devenv.cli.schema_looks import schema_of, told
from pytest_devenv.settings import ServiceKind
from pytest_devenv.verdict import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pytest_devenv.run import Devenv
    from pytest_devenv.settings import Service, Settings
    from pytest_devenv.targets.environment import Environment

FAULTY = 1


@click.command("setup")
def setup() -> None:
    """Verify each service in the order in which they require each other, then databases and endpoints; say what next.

    Stops at the first that is not well, with its remedy: what requires it cannot be either. Exits 1 then.
    """
    from pytest_devenv.every import every_probe
    from pytest_devenv.probes.root import root_id
    from pytest_devenv.run import Devenv
    from pytest_devenv.targets.choose import choose

    settings = load_settings()
    services = tuple(in_order(settings))
    with Devenv(settings, every_probe(settings, choose(settings).target)) as devenv:
        click.echo(f"{settings.name} on the target {devenv.target}: {devenv.choice.why}")
        for number, service in enumerate(services, 1):
            click.echo(f"{number}/{len(services)} {service.name}")
            _verify(devenv, root_id(service))
        click.echo("databases")
        if not told(schema_of(devenv.environment, settings.databases)):
            raise SystemExit(FAULTY)
        forwarded = _forwarded(settings.root)
        click.echo("endpoints")
        for line in _endpoints(devenv.environment, forwarded):
            click.echo(f"  {line}")
    click.echo("next steps")
    for line in _next(settings, forwarded):
        click.echo(f"  {line}")


def in_order(settings: Settings) -> Iterator[Service]:
    """Yield each service once, behind all that it requires."""
    seen: dict[str, None] = {}

    def visit(service: Service) -> Iterator[Service]:
        if service.name in seen:
            return
        seen[service.name] = None
        for name in service.requires:
            yield from visit(settings.services[name])
        yield service

    for service in settings.services.values():
        yield from visit(service)


def _verify(devenv: Devenv, probe_id: str) -> None:
    from pytest_devenv.report.failure import failure_text

    verdict = devenv.verdict(probe_id)
    if verdict.state in {State.PASS, State.OFF}:
        latency = "" if verdict.latency_ms is None else f", in {verdict.latency_ms:.0f} ms"
        click.echo(f"  {verdict.summary}{latency}")
        return
    click.echo(failure_text(verdict), err=True)
    raise SystemExit(FAULTY)


def _endpoints(environment: Environment, forwarded: Mapping[str, int]) -> Iterator[str]:
    """Yield where a person finds each service: in a cluster, at the port that Tilt keeps open for it."""
    for name, endpoint in environment.endpoints.items():
        if environment.cluster is None:
            yield f"{name}: {endpoint.base_url}"
        elif name in forwarded:
            yield f"{name}: {endpoint.scheme}://localhost:{forwarded[name]}{endpoint.path}"
        else:
            yield f"{name}: no port of this machine leads to it; tilt up keeps one open"


def _forwarded(root: Path) -> dict[str, int]:
    """Return the port of this machine that Tilt keeps open for each of its resources; none where no Tilt runs."""
    from pytest_devenv.clients.tilt.client import TiltError, running
    from pytest_devenv.clients.tilt.program import NoTiltError

    try:
        return {each.resource: each.local_port for each in running(root).forwards()}
    except (NoTiltError, TiltError):
        return {}


def _next(settings: Settings, forwarded: Mapping[str, int]) -> Iterator[str]:
    if any(each.seeds is not None for each in settings.databases.values()):
        yield "data to work with: pytest-devenv db seed, or under Tilt: tilt trigger db-seed"
    pages = [each for each in settings.services.values() if each.kind is ServiceKind.HTTP and each.name in forwarded]
    if pages:
        yield f"see it: http://localhost:{forwarded[pages[-1].name]}{pages[-1].health}"
    yield "healthy? pytest -m health"
    if settings.loops:
        yield f"edit something, and see it live: {next(iter(settings.loops.values())).edit}"
