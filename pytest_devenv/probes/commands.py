"""The commands that remedies name, ready to paste and without any password."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING
from urllib.parse import quote

from pytest_devenv.settings import TargetName

if TYPE_CHECKING:
    from pytest_devenv.clients.postgres import DatabaseAddress
    from pytest_devenv.endpoint import Endpoint
    from pytest_devenv.targets.environment import Environment

WHO_IS_CONNECTED = (
    "select usename, application_name, state, count(*), min(state_change) from pg_stat_activity"
    " where backend_type = 'client backend' group by 1, 2, 3 order by 4 desc"
)
ANEW = "pytest-devenv env down && pytest-devenv env up"
KEPT_UP = "pytest-devenv env up; pytest -m health"
_HERE = frozenset({"127.0.0.1", "localhost", "::1"})


def psql(address: DatabaseAddress, sql: str | None = None, *, user: str | None = None) -> str:
    """Return the psql line that opens a database, or runs `sql` in it; psql itself asks for the password."""
    name = address.endpoint.user if user is None else user
    login = "" if name is None else f"{quote(name, safe='')}@"
    line = f'psql "postgresql://{login}{address.endpoint.address}/{quote(address.database, safe="")}"'
    return line if sql is None else f"{line} -c {shlex.quote(sql)}"


def redis_cli(endpoint: Endpoint, *words: str, password: bool | None = None) -> str:
    """Return the redis-cli line for a server; it asks for the password where one is configured, or as told."""
    asks = endpoint.password is not None if password is None else password
    parts = ["redis-cli"]
    if endpoint.host not in _HERE:
        parts += ["-h", endpoint.host]
    parts += ["-p", str(endpoint.port)]
    if endpoint.tls:
        parts.append("--tls")
    if asks and endpoint.user is not None:
        parts += ["--user", endpoint.user]
    if asks:
        parts.append("--askpass")
    return shlex.join([*parts, *words])


def redis_where(endpoint: Endpoint) -> str:
    """Return where a Redis server is, as messages say it."""
    user = "" if endpoint.user is None else f" as {endpoint.user}"
    return f"redis on {endpoint.address}{user}"


def curl(url: str) -> str:
    """Return the curl line that shows an answer with its status and headers."""
    return shlex.join(["curl", "--include", url])


def migrate(database: str) -> str:
    """Return the command that applies what is pending."""
    return shlex.join(["pytest-devenv", "db", "migrate", "--database", database])


def reset(database: str) -> str:
    """Return the command that builds a database anew."""
    return shlex.join(["pytest-devenv", "db", "reset", "--database", database])


def ends_with_run(environment: Environment) -> bool:
    """Return whether the environment's ports and files are gone after the run, so that no remedy may name them."""
    return environment.target is TargetName.EMBEDDED and not environment.attached


def read_log(environment: Environment, service: str, otherwise: str) -> str:
    """Return how to see what a service says of itself, where this run knows its log."""
    log = environment.logs.get(service)
    if log is None:
        return otherwise
    if ends_with_run(environment):
        return f"mend what its log says; to look at it while it runs: {KEPT_UP}"
    return shlex.join(["tail", "-n", "50", str(log)])


def unless_stranger(environment: Environment, endpoint: Endpoint, mend: str) -> str:
    """Return what mends a silent service, and where its port is a declared one, how to learn who really holds it."""
    declared = environment.settings.services[endpoint.service].local_port == endpoint.port
    if not declared or endpoint.host not in _HERE or environment.target is TargetName.EMBEDDED:
        return mend
    return f"{mend}; or a stranger holds its port: pytest -m ports"


def bring_up(environment: Environment, service: str) -> str:
    """Return what brings a service back, as far as the target knows."""
    settings = environment.settings
    if environment.target is TargetName.EMBEDDED:
        return ANEW if environment.attached else "mend what its log says, then run again: pytest -m health"
    if environment.target is TargetName.CLUSTER:
        workload = settings.services[service].workload
        if workload is not None:
            space = [] if settings.namespace is None else ["--namespace", settings.namespace]
            return shlex.join(["kubectl", *space, "describe", workload])
    endpoint = environment.endpoints.get(service)
    at = "" if endpoint is None else f" at {endpoint.address}"
    return f"start {service}{at}, or correct services.{service}.url in {settings.file.name}"
