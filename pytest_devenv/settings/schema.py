"""Every key of `[tool.pytest-devenv]`: what it means, what it allows, and which kinds of service it fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_devenv.settings import shapes
from pytest_devenv.settings.keys import NAME, NAME_IN_WORDS, Key, Named, Table, name_of, objects
from pytest_devenv.settings.model import (
    TIER_ALIASES,
    ClusterSource,
    Database,
    Format,
    Kind,
    MigrationEngine,
    Migrations,
    PasswordSource,
    Requirement,
    Service,
    ServiceKind,
    Settings,
    TargetName,
)
from pytest_devenv.settings.routines import BUILDS, IMAGE, LIMIT, LOOP, STAGE
from pytest_devenv.settings.shapes import HIGHEST_PORT

if TYPE_CHECKING:
    from collections.abc import Mapping

WITH_ADDRESS = (ServiceKind.POSTGRES, ServiceKind.REDIS, ServiceKind.HTTP)
DEFAULT_PORTS: Mapping[ServiceKind, int] = {ServiceKind.POSTGRES: 5432, ServiceKind.REDIS: 6379, ServiceKind.HTTP: 80}
SCHEMES: Mapping[ServiceKind, tuple[str, ...]] = {
    ServiceKind.POSTGRES: ("postgresql", "postgres"),
    ServiceKind.REDIS: ("redis", "rediss"),
    ServiceKind.HTTP: ("http", "https"),
}

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
            shapes.texts(name_of("a service")), "The services that have to be healthy before this one can be."
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
            shapes.texts(name_of("a database")),
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
        "service": Key(name_of("a service of kind postgres"), "The PostgreSQL service that holds the database."),
        "migrations": Key(MIGRATIONS, "How the database is built. Without it, its migrations are not looked at."),
        "seeds": Key(shapes.text("the path of a folder"), "The folder of the seeds, beginning at this file's folder."),
        "roles": Key(
            shapes.texts(shapes.text("the name of a role")), "The roles of the server that the migrations use."
        ),
        "required_tables": Key(objects("table or schema.table", 1, 2), "The tables that have to be there."),
        "required_columns": Key(
            objects("table.column or schema.table.column", 2, 3), "The columns that have to be there."
        ),
        "required_indexes": Key(objects("index or schema.index", 1, 2), "The indexes that have to be there."),
        "required_views": Key(objects("view or schema.view", 1, 2), "The views that have to be there."),
        "required_policies": Key(
            objects("table.policy or schema.table.policy", 2, 3), "The row-level policies that have to be there."
        ),
        "verify": Key(shapes.texts(shapes.text("an SQL query")), "Queries that only read, and have to answer."),
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
