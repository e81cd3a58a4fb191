"""The addresses target: servers that are simply there, such as those of compose or a CI job."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

from pytest_devenv.endpoint import Endpoint
from pytest_devenv.errors import TargetError
from pytest_devenv.secret import Secret
from pytest_devenv.settings import ServiceKind, TargetName
from pytest_devenv.targets.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_devenv.settings import Service, Settings
    from pytest_devenv.targets.choose import Choice

_SCHEMES = {
    ServiceKind.POSTGRES: ("postgres", "postgresql"),
    ServiceKind.REDIS: ("redis", "rediss"),
    ServiceKind.HTTP: ("http", "https"),
}
_DEFAULT_PORTS = {"postgres": 5432, "postgresql": 5432, "redis": 6379, "rediss": 6379, "http": 80, "https": 443}
_TLS = {"rediss", "https"}
_TLS_MODES = {"require", "verify-ca", "verify-full"}


def resolve(settings: Settings, choice: Choice, *, environ: Mapping[str, str] = os.environ) -> Environment:
    """Return the environment whose services are where the settings say: by `url`, else `host` and `local_port`.

    Nothing is contacted. Raises TargetError for a URL that cannot be used.
    """
    endpoints = {
        name: endpoint_of(service, environ, source=settings.sources.get(f"services.{name}.url", settings.file.name))
        for name, service in settings.services.items()
        if service.kind is not ServiceKind.JOB
    }
    return Environment(settings=settings, target=TargetName.ADDRESSES, why=choice.why, endpoints=endpoints)


def endpoint_of(service: Service, environ: Mapping[str, str], *, source: str) -> Endpoint:
    """Return where one service answers, with the password that its URL or its password's source gives."""
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
            source="host and port",
        )
    parts = urlsplit(service.url)
    _judge(service, parts, source)
    return Endpoint(
        service=service.name,
        kind=service.kind,
        host=parts.hostname or "127.0.0.1",
        port=parts.port or _DEFAULT_PORTS[parts.scheme],
        user=unquote(parts.username) if parts.username else service.user,
        password=Secret(unquote(parts.password)) if parts.password else password,
        tls=parts.scheme in _TLS or any(f"sslmode={mode}" in parts.query for mode in _TLS_MODES),
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


def _variable(service: Service) -> str:
    return service.name.upper().replace("-", "_")
