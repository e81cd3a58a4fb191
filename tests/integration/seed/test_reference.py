"""Every seed of the reference environment: alone with what it needs, twice with one result, and back to nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.backend.cipher import Cipher
from app.backend.passwords import verify_password
from pytest_devenv.clients.marker import write_marker
from pytest_devenv.clients.postgres import DatabaseAddress, connect
from pytest_devenv.errors import SeedError
from pytest_devenv.guard import Consent, Origin
from pytest_devenv.migrate import engine_for
from pytest_devenv.seed import Selection, apply, check, load, roll_back, status
from pytest_devenv.settings import Database, MigrationEngine, Migrations, Tier
from tests.integration.seed.bench import snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from tests.conftest import Postgres

ROOT = Path(__file__).parents[3]
SEEDS = load(ROOT / "seeds")
OURS = ("seed_history", "seed_history_rows", "_sqlx_migrations")
MIGRATIONS = Migrations(engine=MigrationEngine.SQLX, path="migrations/kiro")


@pytest.fixture(scope="module")
def template(postgres_server: Postgres) -> Iterator[str]:
    """Give the name of a migrated database without rows."""
    address = postgres_server.create_database()
    database = Database(name=address.database, service="postgres", migrations=MIGRATIONS)
    engine_for(database, ROOT).apply(address, tier=Tier.TEST)
    yield address.database
    postgres_server.drop_database(address.database)


@pytest.fixture
def database(postgres_server: Postgres, template: str) -> Iterator[DatabaseAddress]:
    """Give a migrated database without rows, marked as one for tests."""
    name = f"{template}_clone"
    with connect(postgres_server.server.administer()) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    address = DatabaseAddress(postgres_server.endpoint, name)
    with connect(address) as connection:
        write_marker(connection, Tier.TEST, Origin.CLONED)
    yield address
    postgres_server.drop_database(name)


def rows(address: DatabaseAddress, query: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    with connect(address) as connection:
        return connection.execute(query.encode()).fetchall()


def tables(address: DatabaseAddress) -> tuple[str, ...]:
    """Return the names of all tables of the application."""
    found = rows(address, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    return tuple(name for (name,) in found if name not in OURS)


@pytest.mark.parametrize("name", [seed.name for seed in SEEDS.seeds])
def test_a_seed_applies_alone_twice_and_rolls_back(database: DatabaseAddress, name: str) -> None:
    """With its dependencies only; applying it again changes no row; taking all back leaves every table empty."""
    names = tables(database)
    empty = snapshot(database, names)
    needed = [seed.name for seed in SEEDS.seeds if seed.name in SEEDS.with_dependencies([name])]
    result = apply(SEEDS, database, tier=Tier.TEST, selection=Selection(only=(name,)), environ={})
    assert [done.seed.name for done in result.done] == needed
    assert all(sum(rows.inserted for rows in done.rows.values()) > 0 for done in result.done)
    filled = snapshot(database, names)
    again = apply(SEEDS, database, tier=Tier.TEST, selection=Selection(only=(name,), force=True), environ={})
    assert [(done.seed.name, dict(done.rows)) for done in again.done] == [(name, {})]
    assert snapshot(database, names) == filled != empty
    for one in reversed(needed):
        roll_back(SEEDS, database, one, tier=Tier.TEST, environ={})
    assert snapshot(database, names) == empty


def test_all_seeds_apply_in_parallel_and_roll_back(database: DatabaseAddress) -> None:
    """Those of one rank declare all that they need, so that four jobs give what one gives."""
    names = tables(database)
    empty = snapshot(database, names)
    result = apply(SEEDS, database, tier=Tier.TEST, selection=Selection(jobs=4), environ={})
    assert {done.seed.name for done in result.done} == {seed.name for seed in SEEDS.seeds}
    assert status(SEEDS, database, tier=Tier.TEST).clean
    for seed in reversed(SEEDS.seeds):
        roll_back(SEEDS, database, seed.name, tier=Tier.TEST, environ={})
    assert snapshot(database, names) == empty


def test_the_registry_is_current() -> None:
    """seeds/registry.json says what the folder holds, and every seed can be imported."""
    assert check(ROOT / "seeds") == ()


def test_the_data_is_what_the_reference_environment_promises(database: DatabaseAddress) -> None:
    """States, roles, people, artists, blocks, lists, connections and the organization are there."""
    apply(SEEDS, database, tier=Tier.DEVELOPMENT, environ={})
    assert rows(database, "SELECT count(*), count(*) FILTER (WHERE code = 'DC') FROM states") == [(51, 1)]
    assert rows(database, "SELECT name FROM roles ORDER BY 1") == [("admin",), ("member",), ("moderator",)]
    assert rows(
        database,
        "SELECT email, roles.name FROM users JOIN user_roles ON user_id = users.id JOIN roles ON roles.id = role_id"
        " ORDER BY 1",
    ) == [
        ("ada@example.com", "admin"),
        ("admin@example.com", "admin"),
        ("ben@example.com", "moderator"),
        ("cleo@example.com", "member"),
    ]
    assert rows(database, "SELECT name FROM artists ORDER BY 1") == [
        ("Chris Brown",),
        ("Drake",),
        ("Kanye West",),
        ("R. Kelly",),
        ("Taylor Swift",),
    ]
    counts = rows(
        database,
        "SELECT (SELECT count(*) FROM user_artist_blocks), (SELECT count(*) FROM community_lists),"
        " (SELECT count(*) FROM list_subscriptions), (SELECT count(*) FROM connections),"
        " (SELECT count(*) FROM organizations WHERE state_code = 'CA')",
    )
    assert counts == [(3, 2, 3, 3, 1)]
    assert rows(database, "SELECT count(*) FROM user_permissions WHERE permission = 'users:manage'") == [(2,)]


def test_the_application_accepts_passwords_and_tokens(database: DatabaseAddress) -> None:
    """What the seeds hash and encrypt, the application's own code verifies and decrypts."""
    environ = {
        "KIRO_ADMIN_PASSWORD": "Quite-Another-1",
        "TOKEN_ENCRYPTION_KEY": "ZGV2ZWxvcG1lbnQta2V5LW5vdC1hLXNlY3JldC0zMmI=",
    }
    apply(SEEDS, database, tier=Tier.TEST, environ=environ)
    hashes = dict(rows(database, "SELECT email, password_hash FROM users"))
    assert verify_password("Quite-Another-1", hashes["admin@example.com"])
    assert verify_password("Development-Only-1", hashes["ada@example.com"])
    assert verify_password("Correct-Horse-7", hashes["e2e-new@example.com"])
    assert not verify_password("Development-Only-1", hashes["admin@example.com"])
    cipher = Cipher(b"development-key-not-a-secret-32b")
    for user, provider, token in rows(database, "SELECT user_id, provider::text, access_token FROM connections"):
        assert cipher.decrypt(token, f"{user}:{provider}") == f"made-up-{provider}-token"


def test_an_exchanged_admin_password_is_written(database: DatabaseAddress) -> None:
    """Applying the seed again with another password changes the account; with the same it does not."""
    apply(SEEDS, database, tier=Tier.TEST, environ={"KIRO_ADMIN_PASSWORD": "Quite-Another-1"})
    again = Selection(only=("admin",), force=True)
    result = apply(SEEDS, database, tier=Tier.TEST, selection=again, environ={"KIRO_ADMIN_PASSWORD": "Yet-Another-22"})
    assert result.done[0].rows["users"].updated == 1
    ((password_hash,),) = rows(database, "SELECT password_hash FROM users WHERE email = 'admin@example.com'")
    assert verify_password("Yet-Another-22", password_hash)
    assert "Another" not in repr(rows(database, "TABLE seed_history") + rows(database, "TABLE seed_history_rows"))


@pytest.mark.parametrize(
    ("tier", "environ", "reason"),
    [
        (Tier.PRODUCTION, {}, "found: it is not set"),
        (
            Tier.STAGING,
            {"KIRO_ADMIN_PASSWORD": "Development-Only-1"},
            "found: a password that stands in the repository",
        ),
        (
            Tier.PRODUCTION,
            {"KIRO_ADMIN_PASSWORD": "short"},
            "found: a password that lacks: length, upper, digit, symbol",
        ),
        (Tier.TEST, {"KIRO_ADMIN_PASSWORD": "short-one"}, "found: a password that lacks: length, upper, digit"),
    ],
)
def test_a_bad_admin_password_is_refused(
    database: DatabaseAddress, tier: Tier, environ: dict[str, str], reason: str
) -> None:
    """Outside development and test there is no default; nowhere is there a weak one; the message does not repeat it."""
    with pytest.raises(SeedError) as caught:
        apply(SEEDS, database, tier=tier, consent=Consent(database.database), environ=environ)
    assert reason in caught.value.message
    assert not any(value in str(caught.value) for value in environ.values())
    assert rows(database, "SELECT count(*) FROM users") == [(0,)]


def test_production_gets_base_only(database: DatabaseAddress) -> None:
    """With a password of its own, hashed at the application's full cost."""
    environ = {"KIRO_ADMIN_PASSWORD": "Only-In-Production-1"}
    result = apply(SEEDS, database, tier=Tier.PRODUCTION, consent=Consent(database.database), environ=environ)
    assert [done.seed.name for done in result.done] == ["permissions", "states", "roles", "admin"]
    ((password_hash,),) = rows(database, "SELECT password_hash FROM users")
    assert password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
