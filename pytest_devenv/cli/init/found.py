"""What was found out about a project, as plain values."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

_IMAGES = (
    ("postgres", re.compile(r"postgres|postgis|timescale|pgvector|cloudnative-pg")),
    ("redis", re.compile(r"redis|valkey|keydb|dragonfly")),
)
_PORTS = {5432: "postgres", 6379: "redis"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundService:
    """A service, and the file that told of it. What is None was not said."""

    name: str
    kind: str
    told_by: str
    workload: str | None = None
    port: int | None = None
    local_port: int | None = None
    requires: tuple[str, ...] = ()
    user: str | None = None
    password_env: str | None = None
    password_secret: tuple[str, str] | None = None
    health: str | None = None
    host: str | None = None
    url_env: str | None = None
    database: str | None = None
    start: str | None = None

    def over(self, other: FoundService) -> FoundService:
        """Return this service, with what only the other source says filled in."""
        return replace(
            self,
            workload=self.workload or other.workload,
            port=self.port or other.port,
            local_port=self.local_port or other.local_port,
            requires=(*self.requires, *(each for each in other.requires if each not in self.requires)),
            user=self.user or other.user,
            password_env=self.password_env or other.password_env,
            password_secret=self.password_secret or other.password_secret,
            health=self.health or other.health,
            database=self.database or other.database,
            start=self.start or other.start,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundDatabase:
    """A database, and its folder of migrations: the engine whose layout it has, and its path."""

    name: str
    engine: str | None = None
    path: str | None = None
    service: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Everything that was found, and what could not be read; `variables` are the names of those that .env has."""

    name: str
    target: str = "auto"
    namespace: str | None = None
    contexts: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    services: dict[str, FoundService] = field(default_factory=dict)
    databases: tuple[FoundDatabase, ...] = ()
    notes: tuple[str, ...] = ()
    variables: frozenset[str] = frozenset()


def kind_of(image: str, ports: tuple[int, ...]) -> str | None:
    """Return the kind of service that an image and its ports make likely; None where nothing listens."""
    base = re.split("[@:]", image.rsplit("/", 1)[-1], maxsplit=1)[0].lower()
    for kind, pattern in _IMAGES:
        if pattern.search(base) and "exporter" not in base and "admin" not in base:
            return kind
    for port in ports:
        if port in _PORTS:
            return _PORTS[port]
    return "http" if ports else None


def safe_name(text: str) -> str | None:
    """Return the text as a name that the settings take, or None where nothing of it can be."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", text)[:63].strip("-_")
    return name or None
