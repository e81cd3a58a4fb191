"""What a run says of a database whose migrations are not all whole and applied."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_devenv.clients.postgres import connect
from tests.faults.probes import DATABASE, HEALTH, MIGRATIONS, REDIS, SECRET, SERVER
from tests.faults.servers import Manner, serving

if TYPE_CHECKING:
    from pytest_devenv.clients.postgres import DatabaseAddress
    from tests.faults.project import Shop

pytestmark = pytest.mark.timeout(240)

WITHOUT_MIGRATIONS = SERVER | DATABASE | REDIS | SECRET


def test_a_half_applied_migration_is_one_failure(shop_at: Shop, database: DatabaseAddress) -> None:
    """A dirty row fails, with the command that repairs the history, and blocks whatever needs the schema."""
    with connect(database) as connection:
        connection.execute("UPDATE _sqlx_migrations SET success = false WHERE version = 2")
    run = shop_at.run()
    verdict = run.only_root("migrations.none_dirty[shop]")
    assert run.passed == WITHOUT_MIGRATIONS
    assert verdict["found"].startswith("dirty: 2 (orders)")
    assert "pytest-devenv db repair 2 --database shop" in verdict["remedy"]


def test_a_pending_migration_is_one_failure(shop_at: Shop) -> None:
    """A file that was not applied fails, with the command that applies it."""
    (shop_at.folder / "migrations" / "3_notes.sql").write_text("CREATE TABLE notes (id int);\n")
    run = shop_at.run()
    verdict = run.only_root("migrations.all_applied[shop]")
    assert run.passed == WITHOUT_MIGRATIONS | MIGRATIONS - {"migrations.all_applied[shop]"}
    assert verdict["found"] == "pending: 3 (notes)"
    assert verdict["remedy"] == "pytest-devenv db migrate --database shop"


def test_without_a_job_a_pending_migration_is_one_failure(shop_at: Shop) -> None:
    """A backend that fails since its schema is behind is blocked by that, also where no Job stands between them."""
    without_job(shop_at)
    (shop_at.folder / "migrations" / "3_notes.sql").write_text("CREATE TABLE notes (id int);\n")
    with serving(Manner.BROKEN) as url:
        run = shop_at.given_too(PYTEST_DEVENV_BACKEND_URL=url).run()
    run.only_root("migrations.all_applied[shop]")
    assert run.states["http.answers[backend]"] == "blocked"


def test_without_a_job_a_dropped_table_is_one_failure(shop_at: Shop, database: DatabaseAddress) -> None:
    """A backend that fails since a table is missing is blocked by that, which a run of health names as its cause."""
    without_job(shop_at)
    with connect(database) as connection:
        connection.execute("DROP TABLE orders CASCADE")
    with serving(Manner.BROKEN) as url:
        broken = shop_at.given_too(PYTEST_DEVENV_BACKEND_URL=url)
        run = broken.run()
        both = broken.run("-m", "health or schema")
    assert [root["probe"] for root in run.report["roots"]] == ["schema.has_tables[shop]"]
    assert run.states["http.answers[backend]"] == "blocked"
    assert "fail" not in run.states.values()
    both.only_root("schema.has_tables[shop]")


def without_job(shop: Shop) -> None:
    """Take the Job that migrates out of the shop's settings."""
    shop.edit('[tool.pytest-devenv.services.migrate]\nkind = "job"\nrequires = ["postgres"]\nmigrates = ["shop"]\n', "")
    shop.edit('requires = ["postgres", "redis", "migrate"]', 'requires = ["postgres", "redis"]')


def test_an_edited_migration_is_one_failure_that_blocks_nothing(shop_at: Shop) -> None:
    """A file that was changed after it was applied fails alone."""
    shop_at.edit("email text", "email varchar", file="migrations/1_customers.sql")
    run = shop_at.run()
    verdict = run.only_root("migrations.none_edited[shop]")
    assert run.passed == HEALTH - {"migrations.none_edited[shop]"}
    assert verdict["found"] == "edited: 1 (customers)"
    assert "git log --oneline -- migrations/1_customers.sql" in verdict["remedy"]


def test_a_missing_migration_is_one_failure_that_blocks_nothing(shop_at: Shop) -> None:
    """A migration that is applied and has no file any more fails alone."""
    (shop_at.folder / "migrations" / "2_orders.sql").unlink()
    run = shop_at.run()
    verdict = run.only_root("migrations.none_missing[shop]")
    assert run.passed == HEALTH - {"migrations.none_missing[shop]"}
    assert verdict["found"] == "applied, and without a file: 2 (orders)"
