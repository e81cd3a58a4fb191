"""What a compose file says: services, their published ports, what they depend on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pytest_devenv.cli.init.found import FoundService, kind_of, safe_name

if TYPE_CHECKING:
    from collections.abc import Iterator

_DEFAULT = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*:?-([^}]*)\}")


def read_compose(file: str, text: str) -> Iterator[FoundService]:
    """Yield the services of a compose file. Raises `yaml.YAMLError`."""
    import yaml

    document = yaml.safe_load(text)
    services = document.get("services") if isinstance(document, dict) else None
    for raw_name, each in services.items() if isinstance(services, dict) else ():
        name = safe_name(str(raw_name))
        if name is None or not isinstance(each, dict):
            continue
        pairs = [pair for port in each.get("ports") or [] if (pair := _pair(port)) is not None]
        exposed = [int(port) for port in map(str, each.get("expose") or []) if port.isdecimal()]
        inside = tuple(pair[1] for pair in pairs) + tuple(exposed)
        kind = kind_of(str(each.get("image", "")), inside)
        if kind is None:
            continue
        env = _environment(each.get("environment"))
        yield FoundService(
            name=name,
            kind=kind,
            told_by=file,
            port=next(iter(inside), None),
            local_port=next((pair[0] for pair in pairs if pair[0] is not None), None),
            requires=tuple(filter(None, (safe_name(str(other)) for other in each.get("depends_on") or ()))),
            user=env.get("POSTGRES_USER") if kind == "postgres" else None,
            password_env="POSTGRES_PASSWORD" if kind == "postgres" and "POSTGRES_PASSWORD" in env else None,
        )


def _pair(port: object) -> tuple[int | None, int] | None:
    """Read a port as (published, target): `80`, `3000:80`, `127.0.0.1:3000:80/tcp`, `${PORT:-3000}:80`, or a table."""
    if isinstance(port, dict):
        published, target = str(port.get("published", "")), str(port.get("target", ""))
    else:
        *rest, target = _DEFAULT.sub(r"\1", str(port)).split("/")[0].split(":")
        published = rest[-1] if rest else ""
    if not target.isdecimal():
        return None
    return (int(published) if published.isdecimal() else None), int(target)


def _environment(value: Any) -> dict[str, str | None]:  # noqa: ANN401  # a compose file may hold anything
    """Return the variables that have a plain value; of the others, only that they are there."""
    if isinstance(value, list):
        pairs = {name: (text if given else None) for name, given, text in (str(each).partition("=") for each in value)}
    elif isinstance(value, dict):
        pairs = {str(name): None if text is None else str(text) for name, text in value.items()}
    else:
        return {}
    return {name: None if text is None or "$" in text else text for name, text in pairs.items()}
