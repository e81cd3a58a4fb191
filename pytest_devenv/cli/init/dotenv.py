"""What a .env says: names of users and databases, and the servers whose URLs stand in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

from pytest_devenv.cli.init.found import FoundService, safe_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PAIR = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$", re.MULTILINE)
_REFERENCE = re.compile(
    r"\$(?:\{(?P<braced>[A-Za-z_]\w*)(?::?-(?P<default>[^}]*)|:?\?[^}]*)?\}|(?P<plain>[A-Za-z_]\w*))"
)
_SERVERS = (("postgres", "DATABASE_URL", ("postgres", "postgresql")), ("redis", "REDIS_URL", ("redis", "rediss")))
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
_PORTS = {"postgres": 5432, "redis": 6379}


def read_dotenv(text: str) -> dict[str, str]:
    """Return the variables of a .env."""
    return {name: value.strip("'\"") for name, value in _PAIR.findall(text)}


def filled_in(text: str, variables: Mapping[str, str]) -> str:
    """Return a text with the variables that it refers to, as compose reads them: one without a value is empty."""
    return _REFERENCE.sub(
        lambda match: variables.get(match["braced"] or match["plain"]) or match["default"] or "", text
    )


def variable_of(text: str) -> str | None:
    """Return the name of the variable that a text is nothing but a reference to."""
    match = _REFERENCE.fullmatch(text)
    return None if match is None else match["braced"] or match["plain"]


def part_of_database_url(variables: Mapping[str, str], part: str) -> str | None:
    """Return a part of DATABASE_URL that is no secret: its username or path."""
    url = _url(variables.get("DATABASE_URL", ""), ("postgres", "postgresql"))
    value: str | None = None if url is None else getattr(url, part)
    return value


def servers(variables: Mapping[str, str], file: str) -> Iterator[FoundService]:
    """Yield the servers that the URLs of a .env lead to; where one has a password, the variable that has it."""
    for kind, name, schemes in _SERVERS:
        url = _url(variables.get(name, ""), schemes)
        if url is None:
            continue
        database = unquote(url.path.strip("/")) if kind == "postgres" else ""
        yield FoundService(
            name=kind,
            kind=kind,
            told_by=f"{name} of {file}",
            host=None if url.hostname in _HERE else url.hostname,
            local_port=url.port or _PORTS[kind],
            user=unquote(url.username) if url.username else None,
            url_env=name if url.password else None,
            database=database if database and safe_name(database) == database else None,
        )


def _url(text: str, schemes: tuple[str, ...]) -> SplitResult | None:
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError:
        return None
    return url if url.scheme in schemes and url.hostname else None
