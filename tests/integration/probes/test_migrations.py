"""Migrations: what folder and database say of each other, and what is said where they cannot be compared."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.clients.postgres import DatabaseAddress, connect
from pytest_devenv.migrate import engine_for
from pytest_devenv.probes.catalog import catalog
from pytest_devenv.settings import Database, MigrationEngine, Migrations, Tier
from pytest_devenv.targets.environment import database_fault
from pytest_devenv.verdict import State, failed
from tests.integration.probes.samples import at_database, look
from tests.integration.probes.servers import closed_port

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_devenv.targets.environment import Environment
    from tests.integration.probes.conftest import Owned

NAMES = ("none_dirty", "all_applied", "none_edited", "none_missing")


class Shop:
    """A database and its folder of two migrations, applied."""

    def __init__(self, owned: Owned, root: Path) -> None:
        self.owned = owned
        self.folder = root / "migrations"
        self.folder.mkdir()
        (self.folder / "1_users.sql").write_text("create table users (id int primary key);")
        (self.folder / "2_orders.sql").write_text("create table orders (id int primary key);")
        migrations = Migrations(engine=MigrationEngine.SQLX, path="migrations")
        self.database = Database(name=owned.address.database, service="postgres", migrations=migrations)
        self.here: Environment = at_database(owned.address, self.database, root=root)
        engine_for(self.database, root).apply(owned.address, tier=Tier.DEVELOPMENT)

    @property
    def name(self) -> str:
        """The database's name."""
        return self.owned.address.database

    @property
    def where(self) -> str:
        """Where the probes look."""
        return f"migrations and {self.owned.address}"

    def probe(self, name: str) -> str:
        """Return the id of a probe."""
        return f"migrations.{name}[{self.name}]"


@pytest.fixture
def shop(owned: Owned, tmp_path: Path) -> Shop:
    """Give a migrated database."""
    return Shop(owned, tmp_path)


def test_a_migrated_database_passes(shop: Shop) -> None:
    """All four probes pass where every migration is applied as it stands in the folder."""
    assert [look(shop.here, shop.probe(name)).summary for name in NAMES] == [
        f"{shop.name}: 2 migrations applied, none half way",
        f"{shop.name}: 2 migrations applied, at 2",
        f"{shop.name}: every applied migration is as it was",
        f"{shop.name}: every applied migration is in the folder",
    ]


def test_pending_migrations_fail(shop: Shop) -> None:
    """Each pending migration is named, and the command that applies them."""
    (shop.folder / "3_carts.sql").write_text("create table carts (id int);")
    (shop.folder / "4_prices.sql").write_text("create table prices (id int);")
    assert look(shop.here, shop.probe("all_applied")) == failed(
        f"2 migrations of {shop.name} pending",
        expected="every migration of migrations applied",
        found="pending: 3 (carts), 4 (prices)",
        where=shop.where,
        remedy=f"pytest-devenv db migrate --database {shop.name}",
        pending=2,
    )


def test_a_migration_that_comes_late_is_named(shop: Shop) -> None:
    """A pending migration that comes before an applied one is told apart."""
    (shop.folder / "0_first.sql").write_text("create table first (id int);")
    assert (
        look(shop.here, shop.probe("all_applied")).found == "pending: 0 (first); 0 (first) before one that is applied"
    )


def test_a_dirty_migration_fails(shop: Shop) -> None:
    """A migration that began and did not end is named, with the command that shows it and asks."""
    shop.owned.execute("update _sqlx_migrations set success = false where version = 2")
    assert look(shop.here, shop.probe("none_dirty")) == failed(
        f"migration 2 (orders) of {shop.name} is dirty: it began and did not end",
        expected="every migration either applied or absent",
        found="dirty: 2 (orders); a part of it may be there",
        where=shop.where,
        remedy=f"pytest-devenv db repair 2 --database {shop.name}",
    )


def test_an_edited_migration_fails(shop: Shop) -> None:
    """A file that is no longer what was applied is named, with the way back."""
    (shop.folder / "1_users.sql").write_text("create table users (id bigint primary key);")
    assert look(shop.here, shop.probe("none_edited")) == failed(
        f"1 migration of {shop.name} edited after it was applied",
        expected="files as they were applied",
        found="edited: 1 (users)",
        where=shop.where,
        remedy="restore what was applied (git log --oneline -- migrations/1_users.sql) and put the change into a new"
        f" migration; or build the database anew: pytest-devenv db reset --database {shop.name}",
        edited=1,
    )


def test_a_migration_without_a_file_fails(shop: Shop) -> None:
    """A migration that another branch applied is named, with where to find it."""
    (shop.folder / "2_orders.sql").unlink()
    assert look(shop.here, shop.probe("none_missing")) == failed(
        f"1 migration applied to {shop.name} and missing in migrations",
        expected="a file for every applied migration",
        found="applied, and without a file: 2 (orders)",
        where=shop.where,
        remedy="git switch to the branch that has it (git log --all --oneline -- 'migrations/*2*'); or build the"
        f" database anew: pytest-devenv db reset --database {shop.name}",
        missing=1,
    )


def test_what_the_target_said_of_a_failed_migration_is_the_verdict(shop: Shop) -> None:
    """Where the target knows why a migration failed, that is said; once it is mended, it no longer is."""
    fault = failed("migration 3 failed", expected="applied", found="syntax error", where="3", remedy="mend it")
    here = replace(shop.here, faults={database_fault(shop.name): fault})
    assert look(here, shop.probe("all_applied")).passed
    (shop.folder / "3_carts.sql").write_text("create tabel carts (id int);")
    assert look(here, shop.probe("all_applied")) == fault


def test_a_folder_that_is_not_there_fails(shop: Shop, tmp_path: Path) -> None:
    """A folder that cannot be read is named, and the setting that names it."""
    shop.folder.rename(tmp_path / "elsewhere")
    assert look(shop.here, shop.probe("none_dirty")) == failed(
        "the folder of migrations cannot be read",
        expected="a folder",
        found="No such file or directory",
        where=str(shop.folder),
        remedy="name the right folder in migrations.path of the settings",
    )


def test_a_history_that_may_not_be_read_is_unknown(shop: Shop) -> None:
    """Without the right to read the history nothing can be said but which grant is missing."""
    role = shop.owned.role
    shop.owned.execute(
        "alter table _sqlx_migrations owner to postgres",
        f'revoke all on _sqlx_migrations from "{role}"',
        as_admin=True,
    )
    verdict = look(shop.here, shop.probe("none_dirty"))
    assert verdict.state is State.UNKNOWN
    assert verdict.summary == f"{role} may not look: permission denied for table _sqlx_migrations (42501)"
    url = f"postgresql://postgres@{shop.owned.address.endpoint.address}/{shop.name}"
    assert verdict.remedy == f'psql "{url}" -c \'grant select on _sqlx_migrations to "{role}"\''


def test_a_server_that_is_not_there_fails(shop: Shop) -> None:
    """A server that is down is called that, and not a failed migration."""
    with closed_port() as port:
        endpoint = replace(shop.owned.address.endpoint, port=port)
        here = replace(shop.here, endpoints={"postgres": endpoint})
        summaries = {look(here, shop.probe(name)).summary for name in NAMES}
    assert summaries == {f"postgres refuses connections at 127.0.0.1:{port}"}


def test_the_history_is_read_once_for_all_four(shop: Shop) -> None:
    """The four probes of one run share one reading, and a second look of one of them reads again."""
    probes = catalog(shop.here.settings)
    assert all(probes[shop.probe(name)].look(shop.here).passed for name in NAMES[:3])
    shop.owned.execute("delete from _sqlx_migrations where version = 2")
    assert probes[shop.probe("none_missing")].look(shop.here).facts == {"applied": 2}
    assert probes[shop.probe("all_applied")].look(shop.here).state is State.FAIL


def test_a_database_without_migrations_has_no_such_probes(owned: Owned) -> None:
    """What is not configured is not looked at."""
    here = at_database(owned.address)
    assert not [name for name in catalog(here.settings) if name.startswith("migrations.")]


def test_nothing_is_written_by_looking(owned: Owned, tmp_path: Path) -> None:
    """A database that was never migrated stays as empty as it was."""
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "1_users.sql").write_text("create table users (id int);")
    migrations = Migrations(engine=MigrationEngine.SQLX, path="migrations")
    database = Database(name=owned.address.database, service="postgres", migrations=migrations)
    here = at_database(owned.address, database, root=tmp_path)
    verdict = look(here, f"migrations.all_applied[{database.name}]")
    assert verdict.summary == f"1 migration of {database.name} pending"
    with closing(connect(DatabaseAddress(owned.address.endpoint, database.name))) as connection:
        row = connection.execute("select count(*) from pg_class where relnamespace = 'public'::regnamespace").fetchone()
    assert row == (0,)
