"""An environment called shop, as its settings describe it and as a run reaches it."""

from __future__ import annotations

from pathlib import Path

from pytest_devenv.endpoint import Endpoint
from pytest_devenv.secret import Secret
from pytest_devenv.settings import (
    Database,
    MigrationEngine,
    Migrations,
    PasswordSource,
    Service,
    ServiceKind,
    Settings,
    TargetName,
)
from pytest_devenv.targets.environment import Environment

ROOT = Path("/srv/shop")
SERVICES = (
    Service(
        name="postgres",
        kind=ServiceKind.POSTGRES,
        local_port=5432,
        user="shop",
        password=PasswordSource(env="SHOP_PASSWORD"),
    ),
    Service(name="redis", kind=ServiceKind.REDIS, local_port=6379),
    Service(name="migrate", kind=ServiceKind.JOB, requires=("postgres",), migrates=("shop",)),
    Service(
        name="backend",
        kind=ServiceKind.HTTP,
        local_port=3000,
        health="/health",
        requires=("postgres", "redis", "migrate"),
        budget_ms=250,
        workload="deployment/backend",
    ),
)
SHOP = Database(
    name="shop",
    service="postgres",
    migrations=Migrations(engine=MigrationEngine.SQLX, path="migrations"),
    required_tables=("users", "orders"),
    required_columns=("users.email",),
    required_indexes=("orders_user_idx",),
    required_views=("open_orders",),
    required_policies=("orders.own",),
    verify=("select count(*) as users from users",),
)


def settings() -> Settings:
    """Return the settings of shop."""
    return Settings(
        root=ROOT,
        file=ROOT / "pyproject.toml",
        name="shop",
        namespace="shop-dev",
        required_secrets=("jwt-secret",),
        services={service.name: service for service in SERVICES},
        databases={"shop": SHOP},
    )


def endpoints() -> dict[str, Endpoint]:
    """Return where a run reaches the services of shop."""
    return {
        "postgres": Endpoint(
            service="postgres",
            kind=ServiceKind.POSTGRES,
            host="127.0.0.1",
            port=5432,
            user="shop",
            password=Secret("correct-horse-1"),
        ),
        "redis": Endpoint(service="redis", kind=ServiceKind.REDIS, host="127.0.0.1", port=6379),
        "backend": Endpoint(service="backend", kind=ServiceKind.HTTP, host="127.0.0.1", port=3000),
    }


def environment() -> Environment:
    """Return shop as a run on given addresses finds it."""
    return Environment(
        settings=settings(), target=TargetName.ADDRESSES, why="its addresses are given", endpoints=endpoints()
    )
