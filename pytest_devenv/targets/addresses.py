"""The addresses target: servers that are simply there, such as those of compose or a CI job."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from pytest_devenv.endpoint import Endpoint
from pytest_devenv.errors import TargetError
from pytest_devenv.secret import Secret
from pytest_devenv.settings import ServiceKind, TargetName
from pytest_devenv.targets.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_devenv.settings import Service, Settings
    from pytest_devenv.targets.choose import Choice

WITHOUT_URL = "host and port"
_SCHEMES = {
    ServiceKind.POSTGRES: ("postgres", "postgresql"),
    ServiceKind.REDIS: ("redis", "rediss"),
    ServiceKind.HTTP: ("http", "https"),
}
_DEFAULT_PORTS = {"postgres": 5432, "postgresql": 5432, "redis": 6379, "rediss": 6379, "http": 80, "https": 443}
_TLS = {"rediss", "https"}
# https://www.postgresql.org/docs/current/libpq-ssl.html: the modes, and whether they insist on TLS
_TLS_MODES = {
    "disable": False,
    "allow": False,
    "prefer": False,
    "require": True,
    "verify-ca": True,
    "verify-full": True,
}
_TLS_FILES = ("sslrootcert", "sslcert", "sslkey")


def resolve(settings: Settings, choice: Choice, *, environ: Mapping[str, str] = os.environ) -> Environment:
    """Return the environment whose services are where the settings say: by `url`, else `host` and `local_port`.

    Nothing is contacted. Raises TargetError for a URL that cannot be used.
    """
    endpoints = {
        name: endpoint_of(
            service,
            environ,
            source=settings.sources.get(f"services.{name}.url", settings.file.name),
            databases=[each.name for each in settings.databases.values() if each.service == name],
        )
        for name, service in settings.services.items()
        if service.kind is not ServiceKind.JOB
    }
    return Environment(settings=settings, target=TargetName.ADDRESSES, why=choice.why, endpoints=endpoints)


def endpoint_of(
    service: Service, environ: Mapping[str, str], *, source: str, databases: Sequence[str] = ()
) -> Endpoint:
    """Return where one service answers, with the password that its URL or its password's source gives.

    `databases` are those that the settings describe on it: a URL may name one of them, and no other.
    """
    password = _password(service, environ)
    if service.url is None:
        port = service.local_port or service.port
        if port is None:
            msg = f"expected an address for the service {service.name}: a url, or host and local_port; found none"
            raise TargetError(msg, remedy=f"set services.{service.name}.url, or PYTEST_DEVENV_{_variable(service)}_URL")
        return Endpoint(
            service=service.name,
            kind=service.kind,
            host=service.host or "127.0.0.1",
            port=port,
            user=service.user,
            password=password,
            source=WITHOUT_URL,
        )
    parts = urlsplit(service.url)
    _judge(service, parts, source)
    tls_mode = _tls_mode(service, parts, source)
    _judge_database(service, parts, source, databases)
    return Endpoint(
        service=service.name,
        kind=service.kind,
        host=parts.hostname or "127.0.0.1",
        port=parts.port or _DEFAULT_PORTS[parts.scheme],
        user=unquote(parts.username) if parts.username else service.user,
        password=Secret(unquote(parts.password)) if parts.password else password,
        tls=parts.scheme in _TLS or (tls_mode is not None and _TLS_MODES[tls_mode]),
        tls_mode=tls_mode,
        path=parts.path.rstrip("/") if service.kind is ServiceKind.HTTP else "",
        source=source,
    )


def _password(service: Service, environ: Mapping[str, str]) -> Secret | None:
    if service.password is None or service.password.env is None:
        return None
    value = environ.get(service.password.env)
    return None if value is None else Secret(value)


def _judge(service: Service, parts: SplitResult, source: str) -> None:
    """Refuse a URL whose host is not the one it seems to name."""
    allowed = _SCHEMES[service.kind]
    if parts.scheme not in allowed:
        found = f"the scheme {parts.scheme!r}"
    elif "," in parts.netloc:
        found = "several hosts"
    elif any(word.startswith(("host=", "hostaddr=", "service=")) for word in parts.query.split("&")):
        found = "another host in its query"
    elif parts.hostname is None:
        found = "no host"
    else:
        return
    msg = (
        f"the url of the service {service.name} cannot be used: expected {' or '.join(allowed)} and one host, "
        f"found {found}, looked in {source}"
    )
    raise TargetError(msg, remedy=f"set services.{service.name}.url, or PYTEST_DEVENV_{_variable(service)}_URL")


def _tls_mode(service: Service, parts: SplitResult, source: str) -> str | None:
    """Return the `sslmode` of a PostgreSQL URL. What we would not heed of its TLS is refused, not weakened."""
    if service.kind is not ServiceKind.POSTGRES:
        return None
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    unheeded = [name for name in _TLS_FILES if name in query]
    if unheeded:
        variables = ", ".join(f"PG{name.upper()}" for name in unheeded)
        msg = (
            f"the url of the service {service.name} cannot be used: expected the files of TLS in {variables}, "
            f"found {', '.join(unheeded)} in its query, looked in {source}"
        )
        raise TargetError(msg, remedy=f"take {', '.join(unheeded)} out of the url, and set {variables}")
    mode = query.get("sslmode")
    if mode is None or mode in _TLS_MODES:
        return mode
    msg = (
        f"the url of the service {service.name} cannot be used: expected sslmode {', '.join(_TLS_MODES)}, "
        f"found {mode!r}, looked in {source}"
    )
    raise TargetError(msg, remedy="correct sslmode in the url")


def _judge_database(service: Service, parts: SplitResult, source: str, databases: Sequence[str]) -> None:
    """Refuse a PostgreSQL URL that names a database which the checks would not look at."""
    named = unquote(parts.path.strip("/"))
    if service.kind is not ServiceKind.POSTGRES or not named or not databases or named in databases:
        return
    msg = (
        f"the url of the service {service.name} cannot be used: expected no database in it, "
        f"or {' or '.join(databases)}, found {named!r}, looked in {source}"
    )
    raise TargetError(msg, remedy=f"take /{named} out of the url, or describe the database: databases.{named}")


def _variable(service: Service) -> str:
    return service.name.upper().replace("-", "_")
