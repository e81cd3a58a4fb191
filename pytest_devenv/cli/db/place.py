"""Where a `db` command acts: the environment that is up, and the address that is really reached there."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_devenv.cli import load_settings
from pytest_devenv.errors import GuardError, TargetError
from pytest_devenv.options import convert, option, overrides
from pytest_devenv.settings import TargetName
from pytest_devenv.settings.read import find, read
from pytest_devenv.targets.choose import choose
from pytest_devenv.targets.opening import environment_of, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.clients.postgres import DatabaseAddress
    from pytest_devenv.settings import Settings
    from pytest_devenv.targets.environment import Environment

UP = "pytest-devenv env up"


def settings_for(env: str | None, target: str | None) -> Settings:
    """Return the settings of the working directory, with what the command line puts over them. Raises ConfigError."""
    file = find(Path.cwd())
    if file is None:
        return load_settings()
    over = overrides(os.environ)
    for name, value, flag in (("environment", env, "--env"), ("target", target, option("target").flag)):
        key = option(name).key
        if value is not None and key is not None:
            over[key] = convert(option(name), value, flag), flag
    return read(file, overrides=over, environ=os.environ)


@contextmanager
def running(settings: Settings) -> Iterator[Environment]:
    """Give the environment that is there; nothing is started for a command. Raises TargetError where nothing runs."""
    choice = choose(settings)
    if choice.target is not TargetName.EMBEDDED:
        with opened(settings, choice) as environment:
            yield environment
        return
    from pytest_devenv.targets.embedded.instance import kept

    up = kept(settings)
    if up is None:
        message = (
            f"{settings.name} is not up\n"
            "  expected: an environment that is running, since a database command starts none of its own\n"
            f"  found: none on this machine ({choice.why})\n"
            f"  where: {settings.file}"
        )
        raise TargetError(message, remedy=f"{UP}, or {option('target').flag}=addresses for servers of your own")
    yield environment_of(settings, f"{choice.why}; the one that is up", *up)


def address_of(environment: Environment, database: str) -> DatabaseAddress:
    """Return where a database is.

    Raises TargetError where its server is not up, GuardError where libpq would go elsewhere.
    """
    service = environment.settings.databases[database].service
    fault = environment.faults.get(service)
    if fault is not None and environment.cluster is not None:
        message = f"{fault.summary}\n  where: {fault.where}"
        raise TargetError(message, remedy=fault.remedy)
    if service not in environment.endpoints:
        found = "it was not started" if fault is None else fault.summary
        message = (
            f"the server of database {database} is not up\n"
            f"  expected: the service {service}, running\n"
            f"  found: {found}\n"
            f"  where: the {environment.target} target of {environment.settings.name}\n"
            "  the remedy deletes all that was written since it was brought up, in its other databases too"
        )
        raise TargetError(message, remedy=f"pytest-devenv env down && {UP}")
    address = environment.address(database)
    refuse_detour(address)
    return address


def refuse_detour(address: DatabaseAddress) -> None:
    """Refuse an environment in which libpq would take another way than the address says. Needs no connection.

    Host, port and database are given with every connection, so PGHOST and its like decide nothing; PGHOSTADDR does, and
    the file of services may say the same: https://www.postgresql.org/docs/current/libpq-envars.html.
    """
    from psycopg.pq import Conninfo

    values = {option.keyword: option.val for option in Conninfo.get_defaults()}
    elsewhere = (values.get(b"hostaddr") or b"").decode()
    if elsewhere in {"", address.endpoint.host}:
        return
    service = os.environ.get("PGSERVICE")
    source = "PGHOSTADDR" if os.environ.get("PGHOSTADDR") or service is None else "PGSERVICE"
    message = (
        f"refused: {source} leads away from {address.endpoint.address}\n"
        f"  expected: a connection to {address}\n"
        f"  found: hostaddr={elsewhere}, which libpq puts over that\n"
        f"  where: {'the environment' if source == 'PGHOSTADDR' else f'the service {service} of libpq'}"
    )
    raise GuardError(message, remedy=f"unset {source}")
