"""The commands that remedies name, ready to paste and without any password."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from pytest_devenv.settings import TargetName
from pytest_devenv.settings.rules import variable as url_variable
from pytest_devenv.targets.addresses import WITHOUT_URL

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
_VARIABLE = "environment "
_HERE = frozenset({"127.0.0.1", "localhost", "::1"})


def psql(address: DatabaseAddress, sql: str | None = None, *, user: str | None = None) -> str:
    """Return the psql line that opens a database, or runs `sql` in it; psql itself asks for the password.

    An address that ends with this run, or whose password only the target knows, is reached by what opens it for the
    program; as another user than the environment's, psql asks there too.
    """
    through = address.endpoint.anew or address.endpoint.within
    if through is not None:
        words = ["--database", address.database, "--", "psql"]
        if user is not None:
            words = ["--", "env", "-u", "PGPASSWORD", "psql", "--dbname", address.database, "--username", user]
        return f"{through} {shlex.join([*words, *([] if sql is None else ['-c', sql])])}"
    name = address.endpoint.user if user is None else user
    login = "" if name is None else f"{quote(name, safe='')}@"
    mode = "" if address.endpoint.tls_mode is None else f"?sslmode={address.endpoint.tls_mode}"
    line = f'psql "postgresql://{login}{address.endpoint.address}/{quote(address.database, safe="")}{mode}"'
    return line if sql is None else f"{line} -c {shlex.quote(sql)}"


def redis_cli(endpoint: Endpoint, *words: str, password: bool | None = None) -> str:
    """Return the redis-cli line for a server; it asks for the password where one is configured, or as told."""
    through = endpoint.anew or endpoint.within
    if through is not None:
        line = f'redis-cli -p "$REDIS_PORT" {shlex.join(words)}'.strip()
        return f"{through} -- sh -c {shlex.quote(line)}"
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


def request(environment: Environment, endpoint: Endpoint, path: str) -> str:
    """Return the line that asks an HTTP service for a path, as it is reached when somebody pastes it."""
    if endpoint.anew is not None:
        line = f'curl --include "${url_variable(endpoint.service)}"{shlex.quote(path)}'
        return f"{endpoint.anew} -- sh -c {shlex.quote(line)}"
    if ends_with_run(environment):
        return f"look at it while it runs: {KEPT_UP}"
    return curl(endpoint.base_url.rstrip("/") + path)


def migrate(database: str) -> str:
    """Return the command that applies what is pending."""
    return shlex.join(["pytest-devenv", "db", "migrate", "--database", database])


def setup(database: str) -> str:
    """Return the command that creates a database of the settings, and applies its migrations and seeds."""
    return shlex.join(["pytest-devenv", "db", "setup", "--database", database])


def reset(database: str) -> str:
    """Return the command that builds a database anew."""
    return shlex.join(["pytest-devenv", "db", "reset", "--database", database])


def kubectl(environment: Environment) -> str:
    """Return how a kubectl line begins that looks at the environment's namespace."""
    cluster = environment.cluster
    if cluster is None:
        space = environment.settings.namespace
        return "kubectl" if space is None else f"kubectl --namespace {space}"
    return f"{cluster.api.access.kubectl} --namespace {cluster.namespace}"


def ends_with_run(environment: Environment) -> bool:
    """Return whether the environment's ports and files are gone after the run, so that no remedy may name them."""
    return environment.target is TargetName.EMBEDDED and not environment.attached


def read_log(environment: Environment, service: str, otherwise: str) -> str:
    """Return how to see what a service says of itself, where this run knows its log."""
    log = environment.logs.get(service)
    workload = environment.settings.services[service].workload
    if environment.cluster is not None and workload is not None:
        return f"{kubectl(environment)} logs {workload} --tail 50"
    if log is None:
        return otherwise
    if ends_with_run(environment):
        return f"mend what its log says; to look at it while it runs: {KEPT_UP}"
    return shlex.join(["tail", "-n", "50", str(log)])


def address_setting(environment: Environment, endpoint: Endpoint) -> str:
    """Return what to edit where an address is wrong: the variable, or the key and its line, that it came from."""
    if environment.cluster is not None:
        return f"services.{endpoint.service}.workload and .port in {environment.settings.file.name}"
    if endpoint.source != WITHOUT_URL:
        return url_setting(environment, endpoint)
    settings, port = environment.settings, f"services.{endpoint.service}.local_port"
    source = settings.sources.get(port, settings.file.name)
    if source.startswith(_VARIABLE):
        return source.removeprefix(_VARIABLE)
    return f"services.{endpoint.service}.host or {port} in {settings.file.name if source == 'default' else source}"


def url_setting(environment: Environment, endpoint: Endpoint) -> str:
    """Return where the URL of a service stands, or could: the variable that gave it, or the key and its line."""
    if endpoint.source.startswith(_VARIABLE):
        return endpoint.source.removeprefix(_VARIABLE)
    file = environment.settings.file.name
    line = endpoint.source if endpoint.source.startswith(f"{file}:") else file
    return f"services.{endpoint.service}.url in {line}"


def password_setting(environment: Environment, endpoint: Endpoint, of: str) -> str:
    """Return the edit that gives the right password of `of`, where the one in use came from.

    What the embedded target made up itself it makes up anew.
    """
    if environment.target is TargetName.EMBEDDED:
        return bring_up(environment, endpoint.service)
    if _password_is_of_url(environment, endpoint):
        return f"correct the password of {of} in {url_setting(environment, endpoint)}"
    source = environment.settings.services[endpoint.service].password
    if source is not None and source.env is not None:
        return f"set {source.env} to the password of {of}"
    if source is not None and source.secret is not None:
        return f"correct the key {source.key} of the Secret {source.secret}"
    of_url = url_variable(endpoint.service) if environment.target is TargetName.ADDRESSES else None
    return (
        f'say where it is found, such as password = {{ env = "{endpoint.kind.value.upper()}_PASSWORD" }} in '
        f"services.{endpoint.service} of {environment.settings.file.name}"
        + ("" if of_url is None else f"; or give the URL with it as {of_url}")
    )


def without_password(environment: Environment, endpoint: Endpoint) -> str:
    """Return the edit that gives a service no password."""
    if _password_is_of_url(environment, endpoint):
        return f"take the password out of {url_setting(environment, endpoint)}"
    return f"take the password out of services.{endpoint.service} in {environment.settings.file.name}"


def _password_is_of_url(environment: Environment, endpoint: Endpoint) -> bool:
    url = environment.settings.services[endpoint.service].url
    given = environment.target is TargetName.ADDRESSES and endpoint.source != WITHOUT_URL
    return given and url is not None and bool(urlsplit(url).password)


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
        return f"{kubectl(environment)} describe {settings.services[service].workload or f'service/{service}'}"
    if (start := settings.services[service].start) is not None:
        return start
    endpoint = environment.endpoints.get(service)
    if endpoint is None:
        return f"start {service}, or correct services.{service}.url in {settings.file.name}"
    return f"start {service} at {endpoint.address}, or correct {address_setting(environment, endpoint)}"
