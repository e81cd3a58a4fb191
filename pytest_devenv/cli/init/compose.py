"""What a compose file says: services, their published ports, what they depend on, where their passwords are."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

from pytest_devenv.cli.init.dotenv import filled_in, variable_of
from pytest_devenv.cli.init.found import FoundService, kind_of, safe_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ASKED = re.compile(r"https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0)(?::\d+)?(/[^\s\"'|;&)]*)")
_REQUIREPASS = re.compile(r"--requirepass[\s=]+[\"']?([^\s\"']+)")


def read_compose(file: str, text: str, variables: Mapping[str, str]) -> Iterator[FoundService]:
    """Yield the services of a compose file; `variables` are those of its .env. Raises `yaml.YAMLError`."""
    import yaml

    document = yaml.safe_load(text)
    services = document.get("services") if isinstance(document, dict) else None
    for raw_name, each in services.items() if isinstance(services, dict) else ():
        name = safe_name(str(raw_name))
        if name is None or not isinstance(each, dict):
            continue
        pairs = [pair for port in each.get("ports") or [] if (pair := _pair(port, variables)) is not None]
        exposed = [int(port) for port in map(str, each.get("expose") or []) if port.isdecimal()]
        inside = tuple(pair[1] for pair in pairs) + tuple(exposed)
        kind = kind_of(str(each.get("image", "")), inside)
        if kind is None:
            continue
        env = _environment(each.get("environment"))
        user, database = (filled_in(env.get(key) or "", variables) or None for key in ("POSTGRES_USER", "POSTGRES_DB"))
        yield FoundService(
            name=name,
            start=f"docker compose up --detach {shlex.quote(str(raw_name))}",
            kind=kind,
            told_by=file,
            port=next(iter(inside), None),
            local_port=next((pair[0] for pair in pairs if pair[0] is not None), None),
            requires=tuple(filter(None, (safe_name(str(other)) for other in each.get("depends_on") or ()))),
            user=user if kind == "postgres" else None,
            password_env=_password(kind, env, each.get("command")),
            health=_health(each.get("healthcheck")) if kind == "http" else None,
            database=database if kind == "postgres" and database and safe_name(database) == database else None,
        )


def _password(kind: str, env: Mapping[str, str | None], command: object) -> str | None:
    """Return the variable that holds a server's password, where it has one: the one that the file takes it from."""
    if kind == "postgres" and "POSTGRES_PASSWORD" in env:
        return variable_of(env["POSTGRES_PASSWORD"] or "") or "POSTGRES_PASSWORD"
    if kind == "redis" and (given := _REQUIREPASS.search(_line(command))) is not None:
        return variable_of(given[1]) or "REDIS_PASSWORD"
    return None


def _health(check: object) -> str | None:
    """Return the path that a service's own health check asks for."""
    asked = _ASKED.search(_line(check.get("test")) if isinstance(check, dict) else "")
    return None if asked is None else asked[1]


def _line(command: object) -> str:
    return " ".join(map(str, command)) if isinstance(command, list) else str(command or "")


def _pair(port: object, variables: Mapping[str, str]) -> tuple[int | None, int] | None:
    """Read a port as (published, target): `80`, `3000:80`, `127.0.0.1:3000:80/tcp`, `${PORT:-3000}:80`, or a table."""
    if isinstance(port, dict):
        published, target = (filled_in(str(port.get(key, "")), variables) for key in ("published", "target"))
    else:
        *rest, target = filled_in(str(port), variables).split("/")[0].split(":")
        published = rest[-1] if rest else ""
    if not target.isdecimal():
        return None
    return (int(published) if published.isdecimal() else None), int(target)


def _environment(value: Any) -> dict[str, str | None]:  # noqa: ANN401  # a compose file may hold anything
    """Return the variables, None for those without a value."""
    if isinstance(value, list):
        return {name: (text if given else None) for name, given, text in (str(each).partition("=") for each in value)}
    if isinstance(value, dict):
        return {str(name): None if text is None else str(text) for name, text in value.items()}
    return {}
