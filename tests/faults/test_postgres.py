"""What a run says of a PostgreSQL that is not as it should be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_devenv.clients.postgres import connect
from pytest_devenv.targets.embedded.ports import reserved_port
from tests.faults.probes import HEALTH, JOB, REDIS, SECRET, SERVER, SITES

if TYPE_CHECKING:
    from pytest_devenv.clients.postgres import DatabaseAddress
    from tests.conftest import Postgres
    from tests.faults.project import Shop

pytestmark = pytest.mark.timeout(240)


def test_a_healthy_shop_passes_every_check(shop_at: Shop) -> None:
    """With nothing broken every probe passes, and the run exits 0 without a next step."""
    run = shop_at.run()
    assert run.exit_code == 0
    assert run.passed == set(run.states) == HEALTH
    assert run.report["state"] == "pass"
    assert run.report["roots"] == run.report["next_steps"] == []


def test_postgres_that_is_down_is_one_failure(shop_at: Shop) -> None:
    """A closed port fails the server's check alone; databases, Job, backend and frontend are blocked by it."""
    with reserved_port() as port:
        run = shop_at.given_too(PYTEST_DEVENV_POSTGRES_URL=f"postgresql://shop@127.0.0.1:{port}").run()
    verdict = run.only_root("postgres.accepts_queries[postgres]")
    assert run.passed == REDIS | SECRET
    assert verdict["found"] == f"connection refused: nothing listens at 127.0.0.1:{port}"
    assert f"start postgres at 127.0.0.1:{port}" in verdict["remedy"]
    assert run.took_s < 40


def test_a_wrong_password_is_one_failure(shop_at: Shop) -> None:
    """A rejected password fails the server's check, whose remedy names the variable to set and not its value."""
    wrong = "wr0ng-pw-0f-the-shop"
    run = shop_at.given_too(SHOP_PASSWORD=wrong).run()
    verdict = run.only_root("postgres.accepts_queries[postgres]")
    assert run.passed == REDIS | SECRET
    assert verdict["remedy"].startswith("set SHOP_PASSWORD to the password of shop")
    assert "28P01" in verdict["found"]
    shop_at.assert_no_secret(run.output, run.junit)
    assert wrong not in run.output + run.junit + str(run.report)


def test_a_password_in_a_url_is_never_told(shop_at: Shop) -> None:
    """A wrong password that stands in the URL is kept from every output, as the right one is."""
    url = shop_at.given["PYTEST_DEVENV_POSTGRES_URL"]
    run = shop_at.given_too(PYTEST_DEVENV_POSTGRES_URL=url.replace("shop@", "shop:in-the-url-Zx81@")).run()
    run.only_root("postgres.accepts_queries[postgres]")
    assert "in-the-url-Zx81" not in run.output + run.junit + str(run.report)


def test_a_missing_database_is_one_failure(shop_at: Shop, postgres_server: Postgres) -> None:
    """A server without the database answers for itself; the database fails, with the command that creates it."""
    postgres_server.drop_database("shop")
    run = shop_at.run()
    verdict = run.only_root("database.exists[shop]")
    assert run.passed == SERVER | REDIS | SECRET
    assert verdict["found"] == "database shop does not exist (3D000)"
    assert verdict["remedy"] == "pytest-devenv db setup --database shop"


def test_a_missing_table_is_one_failure(shop_at: Shop, database: DatabaseAddress) -> None:
    """A required table that was dropped by hand is named, and blocks what needs it and nothing else."""
    with connect(database) as connection:
        connection.execute("DROP TABLE orders CASCADE")
    run = shop_at.run("-m", "health or schema")
    verdict = run.only_root("schema.has_tables[shop]")
    assert verdict["found"] == "no table orders"
    assert "pytest-devenv db reset --database shop" in verdict["remedy"]
    assert run.passed == (HEALTH - JOB - SITES) | {"schema.pending_is_safe[shop]"}


def test_a_health_run_alone_fails_for_a_missing_table(shop_at: Shop, database: DatabaseAddress) -> None:
    """With -m health the root is not among the checks: what it blocks first fails, with the root's evidence."""
    with connect(database) as connection:
        connection.execute("DROP TABLE orders CASCADE")
    run = shop_at.run()
    assert run.exit_code == 1
    assert [(root["probe"], root["in_this_run"]) for root in run.report["roots"]] == [
        ("schema.has_tables[shop]", False)
    ]
    assert run.passed == HEALTH - JOB - SITES
    assert "no table orders" in run.output


def test_an_extra_table_is_drift_and_blocks_nothing(shop_at: Shop, database: DatabaseAddress) -> None:
    """What somebody added by hand fails the comparison with the migrations, and nothing else."""
    with connect(database) as connection:
        connection.execute("CREATE TABLE forgotten (id int)")
    run = shop_at.run("-m", "health or schema")
    verdict = run.only_root("schema.matches_migrations[shop]")
    assert "forgotten" in str(verdict)
    assert run.report["counts"]["blocked"] == 0
