"""Environments around the servers of one test."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_devenv.endpoint import Endpoint
from pytest_devenv.probes.catalog import catalog
from pytest_devenv.settings import Database, Service, ServiceKind, Settings, TargetName, Tier
from pytest_devenv.targets.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_devenv.clients.postgres import DatabaseAddress
    from pytest_devenv.verdict import Verdict


def environment(
    *endpoints: Endpoint,
    services: Iterable[Service] = (),
    databases: Iterable[Database] = (),
    root: Path = Path("/srv/shop"),
    deadline_s: float = 2.0,
    tier: Tier = Tier.DEVELOPMENT,
    secrets: tuple[str, ...] = (),
    target: TargetName = TargetName.ADDRESSES,
) -> Environment:
    """Return an environment that has these endpoints; their services need not be described."""
    described = {endpoint.service: Service(name=endpoint.service, kind=endpoint.kind) for endpoint in endpoints}
    described |= {service.name: service for service in services}
    settings = Settings(
        root=root,
        file=root / "pyproject.toml",
        name="shop",
        environment=tier,
        required_secrets=secrets,
        deadline_s=deadline_s,
        services=described,
        databases={database.name: database for database in databases},
    )
    return Environment(
        settings=settings,
        target=target,
        why="its addresses are given",
        endpoints={endpoint.service: endpoint for endpoint in endpoints},
    )


def at_database(
    address: DatabaseAddress, database: Database | None = None, *, root: Path = Path("/srv/shop")
) -> Environment:
    """Return an environment with one database, at this address; by itself it is required to be there, and no more."""
    given = Database(name=address.database, service="postgres") if database is None else database
    return environment(address.endpoint, databases=[given], root=root)


def look(given: Environment, probe_id: str) -> Verdict:
    """Look at one thing, without what it requires."""
    return catalog(given.settings)[probe_id].look(given)


def local(service: str, kind: ServiceKind, port: int) -> Endpoint:
    """Return the endpoint of a service at a port of this machine."""
    return Endpoint(service=service, kind=kind, host="127.0.0.1", port=port, source="this test")
