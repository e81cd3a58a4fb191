"""The text of a first table, with a comment for what its reader has to decide."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pytest_devenv.settings.rules import variable as url_variable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.cli.init.found import Found, FoundDatabase, FoundService

_LOCAL_CONTEXTS = (  # what clusters of one's own machine are called
    *("minikube", "kind-*", "k3d-*", "docker-desktop"),
    *("rancher-desktop", "colima", "orbstack", "microk8s"),
)


def render(found: Found, *, prefix: str) -> str:
    """Return the table as TOML; `prefix` is the path of its tables, empty in a file of its own."""
    return "\n".join(line.rstrip() for line in _lines(found, f"{prefix}." if prefix else "", prefix)) + "\n"


def _lines(found: Found, dot: str, prefix: str) -> Iterator[str]:
    yield "# The development environment, as pytest-devenv validates it: pytest -m health"
    yield "# `pytest-devenv config` prints what is in force; its docs/configuration.md describes every key."
    for note in found.notes:
        yield f"# Note: {note}"
    if prefix:
        yield f"[{prefix}]"
    yield f"name = {_text(found.name)}"
    yield 'environment = "development"  # development, test, staging, production: only the first two are ever changed'
    target = f"target = {_text(found.target)}"
    yield f"{target:<28} # auto, cluster, embedded (processes of this machine), addresses (servers that are there)"
    if found.namespace is not None:
        yield f"namespace = {_text(found.namespace)}"
    contexts = found.contexts or _LOCAL_CONTEXTS
    yield f"contexts = {_texts(contexts)}  # nothing is read from any other kube context"
    if found.secrets:
        yield f"required_secrets = {_texts(found.secrets)}  # names only, never values"
    for service in found.services.values():
        yield from _service(service, found.variables, dot)
    if not found.services:
        yield from _example(dot)
    postgres = [each.name for each in found.services.values() if each.kind == "postgres"]
    for database in found.databases:
        yield from _database(database, postgres, dot)


def _service(service: FoundService, variables: frozenset[str], dot: str) -> Iterator[str]:
    yield ""
    yield f"[{dot}services.{service.name}]  # {service.told_by}"
    yield f"kind = {_text(service.kind)}"
    if service.workload is not None:
        yield f"workload = {_text(service.workload)}"
    if service.port is not None and service.kind != "job":
        yield f"port = {service.port}"
    if service.host is not None:
        yield f"host = {_text(service.host)}"
    if service.local_port is not None and service.kind != "job":
        yield f"local_port = {service.local_port}"
    if service.start is not None:
        yield f"start = {_text(service.start)}"
    if service.requires:
        yield f"requires = {_texts(service.requires)}"
    if service.kind == "postgres":
        yield f"user = {_text(service.user)}" if service.user is not None else '# user = "…"'
    if service.kind == "postgres" or service.password_env or service.url_env:
        yield _password(service, variables)
    if service.kind == "http":
        yield f"health = {_text(service.health or '/')}"
        yield "# budget_ms = 250"
        yield '# command = ["{python}", "-m", "…", "--port", "{port}"]  # how the embedded target runs it'
        yield '# env = { DATABASE_URL = "{database.….url}" }'


def _password(service: FoundService, variables: frozenset[str]) -> str:
    if service.url_env is not None:
        return f'# its password is in {service.url_env}: export {url_variable(service.name)}="${service.url_env}"'
    parts = []
    if service.password_secret is not None:
        secret, key = service.password_secret
        parts += [f"secret = {_text(secret)}", f"key = {_text(key)}"]
    if service.password_env is not None:
        parts.append(f"env = {_text(service.password_env)}")
    said = ", ".join(parts) or 'env = "POSTGRES_PASSWORD"'
    of = "; it is in .env: set -a; . ./.env; set +a" if service.password_env in variables else ""
    return f"{'' if parts else '# '}password = {{ {said} }}  # where to find it, never the value{of}"


def _database(database: FoundDatabase, postgres: list[str], dot: str) -> Iterator[str]:
    yield ""
    if not postgres:
        yield f"# {database.path} looks like {database.engine} migrations. With a service of kind postgres, add:"
    mute = "" if postgres else "# "
    yield f"{mute}[{dot}databases.{database.name}]"
    service = _text(database.service or (postgres[0] if postgres else "…"))
    choice = f"  # or {', '.join(postgres[1:])}" if len(postgres) > 1 and database.service is None else ""
    yield f"{mute}service = {service}{choice}"
    if database.engine is not None and database.path is not None:
        yield f"{mute}migrations = {{ engine = {_text(database.engine)}, path = {_text(database.path)} }}"
    else:
        yield '# migrations = { engine = "sqlx", path = "migrations" }  # sqlx, bun or alembic'
    yield "# required_tables = []"
    yield "# verify = []  # queries that only read, and have to answer"


def _example(dot: str) -> Iterator[str]:
    yield ""
    yield "# No service was found in manifests, a Tiltfile, a compose file or a .env. One looks like this:"
    yield f"# [{dot}services.postgres]"
    yield '# kind = "postgres"  # postgres, redis, http, job'
    yield "# local_port = 5432"
    yield '# user = "…"'
    yield '# password = { env = "POSTGRES_PASSWORD" }'


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _texts(values: tuple[str, ...]) -> str:
    return f"[{', '.join(_text(each) for each in values)}]"
