"""Every key of `[tool.pytest-devenv]`: what it means, what it allows, and which kinds of service it fits."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from pytest_devenv.settings import shapes
from pytest_devenv.settings.model import (
    TIER_ALIASES,
    Budget,
    Builds,
    ClusterSource,
    Database,
    Format,
    Image,
    Kind,
    Limit,
    Loop,
    MigrationEngine,
    Migrations,
    Observation,
    PasswordSource,
    Requirement,
    Service,
    ServiceKind,
    Settings,
    Stage,
    TargetName,
)
from pytest_devenv.settings.shapes import HIGHEST_PORT, Shape

if TYPE_CHECKING:
    from collections.abc import Mapping

WITH_ADDRESS = (ServiceKind.POSTGRES, ServiceKind.REDIS, ServiceKind.HTTP)
DEFAULT_PORTS: Mapping[ServiceKind, int] = {ServiceKind.POSTGRES: 5432, ServiceKind.REDIS: 6379, ServiceKind.HTTP: 80}
SCHEMES: Mapping[ServiceKind, tuple[str, ...]] = {
    ServiceKind.POSTGRES: ("postgresql", "postgres"),
    ServiceKind.REDIS: ("redis", "rediss"),
    ServiceKind.HTTP: ("http", "https"),
}
MOST_ROUNDS = 99
NAME = r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
NAME_IN_WORDS = "a name of 1 to 63 letters, digits, - and _, beginning and ending with a letter or digit"


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a table: its shape (or the table it holds), what it means, and the kinds of service it fits."""

    shape: Shape | Table | Named
    doc: str
    kinds: tuple[ServiceKind, ...] = tuple(ServiceKind)
    by_kind: Mapping[ServiceKind, object] = field(default_factory=dict)
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table: the class of the settings that it becomes, and its keys."""

    model: type[Any]
    keys: Mapping[str, Key]

    def required(self, name: str) -> bool:
        """Return whether the table is nothing without this key."""
        each = self._field(name)
        return each.default is MISSING and each.default_factory is MISSING

    def default(self, name: str) -> object:
        """Return what the key is where it is not given."""
        each = self._field(name)
        return each.default if each.default_factory is MISSING else each.default_factory()

    def _field(self, name: str) -> Any:  # noqa: ANN401  # dataclasses.Field is generic in the value
        return next(each for each in fields(self.model) if each.name == name)


@dataclass(frozen=True, slots=True)
class Named:
    """A table of tables, each under a name that the user chooses."""

    table: Table
    word: str


def _name(what: str) -> Shape:
    return shapes.text(f"the name of {what}", NAME)


def _objects(what: str, least: int, most: int) -> Shape:
    """Allow dotted names of database objects that also read well, and stay whole, in the id of a test."""
    part = r"[^\s.\[\]:/\\](?:[^.\[\]:/\\\x00-\x1f\x7f]*[^\s.\[\]:/\\])?"
    return shapes.texts(shapes.text(what, rf"{part}(?:\.{part}){{{least - 1},{most - 1}}}"))


_PASSWORD = Table(
    PasswordSource,
    {
        "secret": Key(
            shapes.text("the name of a Kubernetes Secret", r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?"),
            "The Kubernetes Secret that holds the password; needs `key`.",
        ),
        "key": Key(
            shapes.text("the name of a key in that Secret", r"[A-Za-z0-9._-]+"),
            "The key in that Secret; needs `secret`.",
        ),
        "env": Key(
            shapes.text("the name of an environment variable", r"[A-Za-z_][A-Za-z0-9_]*"),
            "The environment variable that holds the password. It goes before the Secret.",
        ),
    },
)

_PORT = shapes.integer(f"a port, an integer from 1 to {HIGHEST_PORT}", 1, HIGHEST_PORT)

SERVICE = Table(
    Service,
    {
        "kind": Key(shapes.members(ServiceKind), "What the service speaks. A `job` runs once and ends."),
        "workload": Key(
            shapes.text(
                "kind/name, such as deployment/backend",
                r"(deployment|statefulset|daemonset|job|cronjob|pod)/[a-z0-9]([a-z0-9.-]*[a-z0-9])?",
            ),
            "What runs the service in the cluster, as kubectl writes it: `deployment/backend`, `job/migration`.",
        ),
        "port": Key(
            _PORT, "The port at which the service listens in the cluster.", WITH_ADDRESS, by_kind=DEFAULT_PORTS
        ),
        "local_port": Key(
            _PORT,
            "The port on this machine that belongs to the service. Without one, no port is claimed.",
            WITH_ADDRESS,
        ),
        "requires": Key(
            shapes.texts(_name("a service")), "The services that have to be healthy before this one can be."
        ),
        "user": Key(
            shapes.text(),
            "The user to connect as.",
            (ServiceKind.POSTGRES, ServiceKind.REDIS),
        ),
        "password": Key(
            _PASSWORD,
            "Where the password is found, never the password itself.",
            (ServiceKind.POSTGRES, ServiceKind.REDIS),
            hint='name where the password is found: password = { env = "POSTGRES_PASSWORD" }, '
            'or { secret = "…", key = "…" }',
        ),
        "url": Key(
            shapes.url(),
            "Where the `addresses` target finds the service: a URL, or `host:port`. The environment variable "
            "`PYTEST_DEVENV_<SERVICE>_URL` goes before it, and only there may it hold a password.",
            WITH_ADDRESS,
        ),
        "host": Key(
            shapes.text("the name or IP address of a host, without a port", r"[A-Za-z0-9._:%-]*[A-Za-z0-9]"),
            "Where the `addresses` target finds the service, at its `local_port`, without a `url`. Else this machine.",
            WITH_ADDRESS,
        ),
        "start": Key(
            shapes.text("a command, such as docker compose up --detach db"),
            "The command that starts the service where it is down, for the remedies of the `addresses` target. It is "
            "only named, never run.",
            WITH_ADDRESS,
        ),
        "health": Key(
            shapes.text("a path that begins with /", r"/\S*"), "The path that is asked for.", (ServiceKind.HTTP,)
        ),
        "status": Key(
            shapes.integer("an HTTP status, an integer from 100 to 599", 100, 599),
            "The status of a healthy answer.",
            (ServiceKind.HTTP,),
        ),
        "body": Key(shapes.members(Format), "What the body of a healthy answer is.", (ServiceKind.HTTP,)),
        "contains": Key(shapes.text(), "A text that the body of a healthy answer contains.", (ServiceKind.HTTP,)),
        "budget_ms": Key(
            shapes.duration("ms"), "The time that an answer may take, in milliseconds.", (ServiceKind.HTTP,)
        ),
        "command": Key(
            shapes.texts(shapes.template(), unique=False),
            "How the `embedded` target runs the service: a program and its arguments, with placeholders.",
            (ServiceKind.HTTP,),
        ),
        "reload": Key(
            shapes.texts(shapes.template(), unique=False),
            "Further words of `command` with which the service takes up an edit of its code by itself. They are given "
            "where somebody works on it: by `pytest-devenv env up`, and where loops are timed.",
            (ServiceKind.HTTP,),
        ),
        "env": Key(
            shapes.mapping(
                r"[A-Za-z_][A-Za-z0-9_]*",
                "the name of an environment variable: letters, digits and _, not beginning with a digit",
                shapes.template(),
            ),
            "The environment variables that the `embedded` target gives to the service, with placeholders.",
            (ServiceKind.HTTP,),
        ),
        "migrates": Key(
            shapes.texts(_name("a database")),
            "The databases that this Job migrates; without it, every one with migrations.",
            (ServiceKind.JOB,),
        ),
    },
)

MIGRATIONS = Table(
    Migrations,
    {
        "engine": Key(
            shapes.members(MigrationEngine), "Whose layout, history table and rules the folder of migrations follows."
        ),
        "path": Key(
            shapes.text("the path of a folder"), "The folder of the migrations, beginning at this file's folder."
        ),
        "table": Key(
            shapes.text("the name of a table", r"[^\s.]+(\.[^\s.]+)?"),
            "The table in which the engine keeps its history, where that is not its usual one.",
        ),
        "strict": Key(shapes.boolean(), "Whether what is only doubtful in a migration also counts as a failure."),
    },
)

DATABASE = Table(
    Database,
    {
        "service": Key(_name("a service of kind postgres"), "The PostgreSQL service that holds the database."),
        "migrations": Key(MIGRATIONS, "How the database is built. Without it, its migrations are not looked at."),
        "seeds": Key(shapes.text("the path of a folder"), "The folder of the seeds, beginning at this file's folder."),
        "roles": Key(
            shapes.texts(shapes.text("the name of a role")), "The roles of the server that the migrations use."
        ),
        "required_tables": Key(_objects("table or schema.table", 1, 2), "The tables that have to be there."),
        "required_columns": Key(
            _objects("table.column or schema.table.column", 2, 3), "The columns that have to be there."
        ),
        "required_indexes": Key(_objects("index or schema.index", 1, 2), "The indexes that have to be there."),
        "required_views": Key(_objects("view or schema.view", 1, 2), "The views that have to be there."),
        "required_policies": Key(
            _objects("table.policy or schema.table.policy", 2, 3), "The row-level policies that have to be there."
        ),
        "verify": Key(shapes.texts(shapes.text("an SQL query")), "Queries that only read, and have to answer."),
    },
)

_OBSERVE = Table(
    Observation,
    {
        "service": Key(_name("a service of kind http"), "The service that shows the edit."),
        "path": Key(shapes.text("a path that begins with /", r"/\S*"), "The path whose answer changes."),
    },
)

_BUDGET = Table(
    Budget,
    {
        "detect": Key(shapes.duration("s"), "From the edit to its being noticed, in seconds."),
        "build": Key(shapes.duration("s"), "The build, in seconds."),
        "update": Key(shapes.duration("s"), "From the build to the running container, in seconds."),
        "total": Key(shapes.duration("s"), "From the edit to its being observed, in seconds."),
    },
)

LOOP = Table(
    Loop,
    {
        "edit": Key(
            shapes.text("the path of a file"),
            "The file that is edited, and put back afterwards, beginning at this file's folder.",
        ),
        "observe": Key(_OBSERVE, "Where the effect of the edit is seen."),
        "at": Key(
            shapes.text("a text that stands once in the file", r"(?s).+"),
            "The text of the file behind which a stamp is put, so that it stands in the answer that is observed. "
            "Without it, the end of what the file says.",
        ),
        "budget_s": Key(_BUDGET, "How long each stage may take."),
    },
)

IMAGE = Table(
    Image,
    {
        "image": Key(
            shapes.text("the name of an image, without a tag", r"[a-z0-9][a-z0-9._/:-]*"),
            "What the manifests and the Tiltfile call it, such as `shop/backend`.",
        ),
        "dockerfile": Key(shapes.text("the path of a file"), "Its Dockerfile, beginning at this file's folder."),
        "context": Key(shapes.text("the path of a folder"), "The folder that its Dockerfile copies from."),
    },
)

BUILDS = Table(
    Builds,
    {
        "cold_s": Key(shapes.duration("s"), "All images without any cache, in seconds."),
        "warm_s": Key(shapes.duration("s"), "All images again, with a warm cache, in seconds."),
        "saving": Key(shapes.amount(), "The least share of the cold time that a warm cache has to save."),
    },
)

KIND = Table(
    Kind,
    {
        "image": Key(
            shapes.text("the name of an image, without spaces", r"\S+"),
            "The image of the nodes. Not set: that of the release of kind that is installed.",
        ),
        "config": Key(shapes.text("the path of a file"), "kind's own configuration: nodes, ports, mounts."),
        "load": Key(
            shapes.texts(shapes.text("the name of an image, without spaces", r"\S+")),
            "The images that are loaded from the container engine into the cluster's nodes.",
        ),
    },
)

LIMIT = Table(
    Limit,
    {
        "limit": Key(
            shapes.amount(),
            "What the median may be at most. Its unit is that of what is measured: seconds, bytes, a share, a number.",
        ),
        "rounds": Key(
            shapes.integer(f"an integer from 1 to {MOST_ROUNDS}", 1, MOST_ROUNDS),
            "How often it is measured, after one round that does not count.",
        ),
    },
)

STAGE = Table(
    Stage,
    {
        "checks": Key(
            shapes.texts(shapes.text("a path or the id of a test, such as tests/test_api.py", r"[^-\s].*")),
            "The paths or ids of the tests that the stage runs. Without any: those that pytest collects by itself.",
        ),
        "marks": Key(
            shapes.text("an expression of marks, as pytest's -m takes it", r"[^-\s].*"),
            "The marks of the tests that the stage runs, as pytest's `-m` takes them.",
        ),
    },
)

ROOT = Table(
    Settings,
    {
        "name": Key(shapes.text(NAME_IN_WORDS, NAME), "The name of the environment, as reports show it."),
        "environment": Key(
            shapes.choice(TIER_ALIASES), "What the environment is for. Only development and test are ever changed."
        ),
        "target": Key(
            shapes.members(TargetName),
            "Where the environment runs: in a cluster, as processes of this machine, or at addresses that are simply "
            "there. `auto` chooses by the current kube context.",
        ),
        "cluster": Key(
            shapes.members(ClusterSource),
            "Where the cluster of the `cluster` target comes from: a kube context, a kind cluster that the run makes, "
            "or a control plane without nodes. The last two choose the target, where it is `auto`.",
        ),
        "context": Key(
            shapes.text("the name of a kube context", r"\S+"),
            "The kube context that is used. Not set: the current one. Either has to be among `contexts`.",
        ),
        "namespace": Key(
            shapes.text("the name of a Kubernetes namespace", r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"),
            "The namespace of the environment in the cluster.",
        ),
        "contexts": Key(
            shapes.texts(shapes.text("a kube context or a pattern such as kind-*, never only *", r"\S*[^\s*?]\S*")),
            "The kube contexts that are allowed, by name or pattern. Nothing is read from any other.",
        ),
        "required_secrets": Key(
            shapes.texts(shapes.text("the name of a secret, without spaces", r"[^\s\[\]]+")),
            "The names of the Kubernetes Secrets that have to be there; never their values.",
        ),
        "deadline_s": Key(shapes.duration("s"), "The longest that a single look may take, in seconds."),
        "start_s": Key(shapes.duration("s"), "The longest that one service may take to start, in seconds."),
        "require": Key(
            shapes.members(Requirement),
            "What has to be there for a healthy run, where its checks would otherwise be off: `tilt` is the Tilt that "
            "runs this project.",
        ),
        "kind": Key(KIND, "The kind cluster that a run makes."),
        "stable_s": Key(
            shapes.duration("s"), "How long a container in the cluster has to run after a restart to count as well."
        ),
        "manifests": Key(
            shapes.text("the path of a folder"),
            "The folder of the Kubernetes manifests, a kustomization or plain YAML, beginning at this file's folder.",
        ),
        "services": Key(Named(SERVICE, "service"), "The services, by name."),
        "databases": Key(Named(DATABASE, "database"), "The databases, by the name they have on their server."),
        "loops": Key(Named(LOOP, "loop"), "The ways from an edit to seeing it live, by name."),
        "budgets": Key(Named(LIMIT, "budget"), "What the project's own checks marked `perf` measure, by name."),
        "verify": Key(
            Named(STAGE, "stage"),
            "The stages of `pytest-devenv env verify` that run the project's own checks, in this order.",
        ),
        "images": Key(Named(IMAGE, "image"), "The images of the project, by a name of yours."),
        "builds": Key(BUILDS, "What building all images may take: `pytest-devenv env build-performance`."),
    },
)
