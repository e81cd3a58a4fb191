"""Which databases an HTTP service cannot do without, and what has to hold of them before its own answer means much."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_devenv.probes.migrations import applied_id
from pytest_devenv.probes.schema import tables_id
from pytest_devenv.settings import ServiceKind
from pytest_devenv.settings.template import names

if TYPE_CHECKING:
    from pytest_devenv.settings import Database, Service, Settings

_URL = re.compile(r"database\.(?P<name>.+)\.url")


def needed_ids(settings: Settings, service: Service) -> tuple[str, ...]:
    """Return the ids of the probes of a service's databases, whose faults would only show again in its answers."""
    ids: list[str] = []
    for database in needed_by(settings, service):
        tables = tables_id(database)
        ids += [] if database.migrations is None else [applied_id(database)]
        ids += [] if tables is None else [tables]
    return tuple(ids)


def needed_by(settings: Settings, service: Service) -> tuple[Database, ...]:
    """Return the databases of a service: those that its `env` names, on the servers that it requires.

    Of a server that it requires itself and names nothing of, these are all; what it requires through others, they do.
    """
    named = _named(service)
    reached = _reached(settings, service)
    needed = []
    for server in reached:
        databases = [each for each in settings.databases.values() if each.service == server]
        chosen = [each for each in databases if each.name in named]
        needed += chosen or (databases if server in service.requires else [])
    return tuple(needed)


def _named(service: Service) -> frozenset[str]:
    found = (_URL.fullmatch(name) for value in service.env.values() for name in names(value))
    return frozenset(match["name"] for match in found if match is not None)


def _reached(settings: Settings, service: Service) -> tuple[str, ...]:
    """Return the PostgreSQL services that a service requires, itself or through others."""
    order: dict[str, None] = {}

    def add(name: str) -> None:
        if name not in order:
            order[name] = None
            for required in settings.services[name].requires:
                add(required)

    for name in service.requires:
        add(name)
    return tuple(name for name in order if settings.services[name].kind is ServiceKind.POSTGRES)
