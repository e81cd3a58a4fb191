"""The values of `[tool.pytest-devenv]`, as frozen as they are once read."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_NOTHING: Mapping[str, str] = MappingProxyType({})


class Tier(enum.StrEnum):
    """What an environment is for. Only development and test are ever changed."""

    PRODUCTION = "production"
    STAGING = "staging"
    DEVELOPMENT = "development"
    TEST = "test"

    @property
    def changeable(self) -> bool:
        """Whether the guard may let anything be changed in such an environment."""
        return self in {Tier.DEVELOPMENT, Tier.TEST}

    @property
    def layers(self) -> tuple[str, ...]:
        """The seed layers that such an environment gets, in order."""
        return {"development": ("base", "development"), "test": ("base", "development", "test")}.get(self, ("base",))


TIER_ALIASES: Mapping[str, Tier] = MappingProxyType(
    {
        **{tier.value: tier for tier in Tier},
        "prod": Tier.PRODUCTION,
        "stage": Tier.STAGING,
        "dev": Tier.DEVELOPMENT,
        "testing": Tier.TEST,
    }
)


class TargetName(enum.StrEnum):
    """Where an environment runs."""

    AUTO = "auto"
    CLUSTER = "cluster"
    EMBEDDED = "embedded"
    ADDRESSES = "addresses"


class ClusterSource(enum.StrEnum):
    """Where the cluster of the cluster target comes from."""

    CONTEXT = "context"
    KIND = "kind"
    CONTROLPLANE = "controlplane"


class Requirement(enum.StrEnum):
    """What has to be there where its checks would otherwise be off."""

    NOTHING = "nothing"
    TILT = "tilt"


class ServiceKind(enum.StrEnum):
    """What a service speaks."""

    POSTGRES = "postgres"
    REDIS = "redis"
    HTTP = "http"
    JOB = "job"


class Format(enum.StrEnum):
    """What the body of an HTTP answer is."""

    ANY = "any"
    JSON = "json"
    HTML = "html"


class MigrationEngine(enum.StrEnum):
    """Whose layout, history table and rules a folder of migrations follows."""

    SQLX = "sqlx"
    BUN = "bun"
    ALEMBIC = "alembic"


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordSource:
    """Where a password is found, never the password: a key of a Kubernetes Secret, an environment variable, or both."""

    secret: str | None = None
    key: str | None = None
    env: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A thing with an address, or a Job.

    `port` is the port inside the cluster, `local_port` the one on this machine. `command` and `env` say how the
    embedded target runs it; `url`, or `host` with `local_port`, where the addresses target finds it, and `start` what
    starts it there. `health`, `status`, `body` and `contains` say what a healthy HTTP answer is, `budget_ms` how long
    it may take. `reload` are the further words of `command` with which the service takes up an edit of its code by
    itself. `migrates` names the databases that a Job migrates. What may hold a secret, `url` and `env`, is not part of
    the repr.
    """

    name: str
    kind: ServiceKind
    workload: str | None = None
    port: int | None = None
    local_port: int | None = None
    requires: tuple[str, ...] = ()
    user: str | None = None
    password: PasswordSource | None = None
    url: str | None = field(default=None, repr=False)
    host: str | None = None
    start: str | None = None
    health: str = "/"
    status: int = 200
    body: Format = Format.ANY
    contains: str | None = None
    budget_ms: float | None = None
    command: tuple[str, ...] = ()
    reload: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=lambda: _NOTHING, repr=False, hash=False)
    migrates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrations:
    """How a database is built: the engine, and the folder of its files, relative to the settings' file."""

    engine: MigrationEngine
    path: str
    table: str | None = None
    strict: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """One database of a PostgreSQL service, and what has to be in it.

    Names are `table`, `schema.table`, `table.column`, `table.policy`; `verify` are read-only queries that must answer.
    """

    name: str
    service: str
    migrations: Migrations | None = None
    seeds: str | None = None
    roles: tuple[str, ...] = ()
    required_tables: tuple[str, ...] = ()
    required_columns: tuple[str, ...] = ()
    required_indexes: tuple[str, ...] = ()
    required_views: tuple[str, ...] = ()
    required_policies: tuple[str, ...] = ()
    verify: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """Where the effect of an edit is seen: a path of an HTTP service, or the ConfigMap from which a Job has it."""

    service: str
    path: str = "/"
    config_map: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How long each stage of a loop may take, in seconds."""

    detect: float = 2.0
    build: float = 3.0
    update: float = 5.0
    total: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """One way from an edit to seeing it live.

    A stamp is put into the file `edit`, behind the text `at`, else at the end of what the file says; it is live when it
    stands in the answer that is observed.
    """

    name: str
    edit: str
    observe: Observation
    at: str | None = None
    budget_s: Budget = field(default_factory=Budget)


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image of the project: what the manifests call it, its Dockerfile, and the folder that this copies from."""

    name: str
    image: str
    dockerfile: str
    context: str = "."


@dataclass(frozen=True, slots=True, kw_only=True)
class Builds:
    """What building all images may take: without any cache, with a warm one, and the least share that this saves."""

    cold_s: float = 300.0
    warm_s: float = 60.0
    saving: str = "80%"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """The kind cluster that a run makes: the image of its nodes, its configuration's file, and what is loaded into it.

    Without an image kind takes that of its own release.
    """

    image: str | None = None
    config: str | None = None
    load: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What a check marked `perf` measures may be at most, as the median of so many rounds.

    `limit` is an amount as `amounts.amount` reads it; its unit is that of what is measured.
    """

    name: str
    limit: str
    rounds: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stage of `pytest-devenv env verify`: which of the project's own checks it runs, as pytest selects them.

    `checks` are paths or ids of tests, without any those that pytest collects by itself; `marks` is what `-m` takes.
    """

    name: str
    checks: tuple[str, ...] = ()
    marks: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that one `[tool.pytest-devenv]` table describes.

    `root` is the folder of `file`; relative paths start there. `deadline_s` bounds every single look, `start_s` the
    start of one service in the embedded target. A container of the cluster that was restarted is only trusted
    `stable_s` later. `require` is what has to be there where its checks would be off. `sources` tells for each key path
    where its value came from.
    """

    root: Path
    file: Path
    name: str
    environment: Tier = Tier.DEVELOPMENT
    target: TargetName = TargetName.AUTO
    cluster: ClusterSource = ClusterSource.CONTEXT
    context: str | None = None
    namespace: str | None = None
    contexts: tuple[str, ...] = ()
    required_secrets: tuple[str, ...] = ()
    deadline_s: float = 5.0
    start_s: float = 30.0
    require: Requirement = Requirement.NOTHING
    kind: Kind | None = None
    stable_s: float = 10.0
    manifests: str | None = None
    services: Mapping[str, Service] = field(default_factory=dict, hash=False)
    databases: Mapping[str, Database] = field(default_factory=dict, hash=False)
    loops: Mapping[str, Loop] = field(default_factory=dict, hash=False)
    budgets: Mapping[str, Limit] = field(default_factory=dict, hash=False)
    verify: Mapping[str, Stage] = field(default_factory=dict, hash=False)
    images: Mapping[str, Image] = field(default_factory=dict, hash=False)
    builds: Builds = field(default_factory=Builds)
    sources: Mapping[str, str] = field(default_factory=lambda: _NOTHING, repr=False, hash=False)

    def service_of(self, database: str) -> Service:
        """Return the PostgreSQL service that holds this database."""
        return self.services[self.databases[database].service]
