"""Production is refused before anybody is connected to."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from pytest_devenv.clients.postgres import DatabaseAddress
from pytest_devenv.endpoint import Endpoint
from pytest_devenv.errors import GuardError
from pytest_devenv.guard import Consent
from pytest_devenv.migrate import Action, PlainEngine, apply_repair
from pytest_devenv.secret import Secret
from pytest_devenv.settings import MigrationEngine, ServiceKind, Tier
from tests.integration.migrate.sandbox import engine, fill

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DEVELOPMENT, TEST, STAGING, PRODUCTION = Tier.DEVELOPMENT, Tier.TEST, Tier.STAGING, Tier.PRODUCTION


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Give a socket that listens where the database would be."""
    with socket.create_server(("127.0.0.1", 0)) as made:
        made.setblocking(False)  # noqa: FBT003  # socket takes it so
        yield made


def _apply(kind: MigrationEngine) -> Callable[..., object]:
    def change(folder: Path, address: DatabaseAddress, **words: Any) -> object:  # noqa: ANN401
        return engine(folder, kind).apply(address, **words)

    return change


def _roll_back(folder: Path, address: DatabaseAddress, **words: Any) -> object:  # noqa: ANN401
    return engine(folder).roll_back(address, to="base", **words)


def _repair(folder: Path, address: DatabaseAddress, **words: Any) -> object:  # noqa: ANN401
    made = engine(folder)
    assert isinstance(made, PlainEngine)
    return apply_repair(made, address, "1", Action.ABSENT, **words)


@pytest.mark.parametrize(
    ("database", "host", "tier", "consent"),
    [
        ("shop", "127.0.0.1", PRODUCTION, None),
        ("shop", "127.0.0.1", STAGING, None),
        ("shop", "127.0.0.1", PRODUCTION, Consent("other")),
        ("shop", "127.0.0.1", PRODUCTION, Consent("SHOP")),
        ("shop", "127.0.0.1", STAGING, Consent("")),
        ("shop_production", "127.0.0.1", DEVELOPMENT, None),
        ("shop_production", "127.0.0.1", DEVELOPMENT, Consent("shop_production")),
        ("prod", "127.0.0.1", TEST, None),
        ("Staging-Shop", "127.0.0.1", TEST, None),
        ("shop", "db.prod.example.com", DEVELOPMENT, None),
        ("shop", "shop-live.example.com", TEST, None),
    ],
)
@pytest.mark.parametrize(
    "change",
    [_apply(MigrationEngine.SQLX), _apply(MigrationEngine.BUN), _apply(MigrationEngine.ALEMBIC), _roll_back, _repair],
    ids=["sqlx", "bun", "alembic", "roll back", "repair"],
)
def test_no_connection_is_opened(
    listener: socket.socket,
    folder: Path,
    change: Callable[..., object],
    database: str,
    host: str,
    tier: Tier,
    consent: Consent | None,
) -> None:
    """By environment, by name, and by host: the refusal comes first, whatever would be changed and however."""
    fill(folder, {"1_a.sql": "CREATE TABLE a ()"})
    endpoint = Endpoint(
        service="postgres",
        kind=ServiceKind.POSTGRES,
        host=host,
        port=listener.getsockname()[1],
        user="shop",
        password=Secret("s3cr3t"),
    )
    with pytest.raises(GuardError, match=r"where: database .* on .* as shop") as caught:
        change(folder, DatabaseAddress(endpoint, database), tier=tier, consent=consent)
    assert "s3cr3t" not in str(caught.value)
    with pytest.raises(BlockingIOError):
        listener.accept()
