"""What a run says of an environment that cannot be brought up on this machine, or not whole."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.faults.probes import HEALTH, JOB, REDIS, SECRET, SITES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.faults.project import Shop

pytestmark = pytest.mark.timeout(240)


def test_a_service_that_dies_while_it_starts_is_one_failure_with_its_log(shop: Shop) -> None:
    """A backend that ends at once fails with the tail of its log and its status; the run does not hang."""
    (shop.folder / "backend.py").write_text('import sys\nprint("cannot read the price list")\nsys.exit(7)\n')
    run = shop.run()
    verdict = run.only_root("http.answers[backend]")
    assert run.passed == HEALTH - SITES
    assert verdict["summary"] == "backend did not start: it ended with status 7"
    assert verdict["evidence"] == [{"title": "last lines of backend", "text": "cannot read the price list"}]
    assert verdict["remedy"] == "mend what its log says, then run again"
    assert "cannot read the price list" in run.output
    assert run.took_s < 45


def test_a_service_that_tells_its_secrets_while_it_dies_is_not_quoted(shop: Shop) -> None:
    """What a dying service prints of its own environment is shown without the secrets in it."""
    (shop.folder / "backend.py").write_text(
        "import os\nprint(os.environ)\nraise SystemExit(os.environ['DATABASE_URL'] + os.environ['API_TOKEN'])\n"
    )
    run = shop.run()
    run.only_root("http.answers[backend]")
    assert "***" in run.output


def test_a_program_that_is_not_there_is_one_failure(shop: Shop) -> None:
    """A command that this machine does not have fails its service, which the remedy says how to mend."""
    shop.edit('command = ["{python}", "backend.py"', 'command = ["no-such-program", "backend.py"')
    run = shop.run()
    verdict = run.only_root("http.answers[backend]")
    assert run.passed == HEALTH - SITES
    assert verdict["found"] == "No such file or directory: no-such-program"
    assert verdict["remedy"].startswith("install no-such-program, or correct services.backend.command in ")


def test_a_role_that_postgres_refuses_is_one_failure(shop: Shop) -> None:
    """A user that PostgreSQL does not let anybody create fails the server, with PostgreSQL's own words."""
    shop.edit('user = "shop"', 'user = "pg_shop"')
    run = shop.run()
    verdict = run.only_root("postgres.accepts_queries[postgres]")
    assert run.passed == REDIS | SECRET
    assert 'role name "pg_shop" is reserved' in verdict["found"]
    assert verdict["remedy"].startswith("correct services.postgres.user")


def test_a_service_that_never_listens_is_one_failure_in_bounded_time(shop: Shop) -> None:
    """A backend that only runs is given up after start_s, ended, and said to run."""
    (shop.folder / "backend.py").write_text("import time\nprint('warming up', flush=True)\ntime.sleep(600)\n")
    shop.edit("start_s = 20", "start_s = 8")
    run = shop.run()
    verdict = run.only_root("http.answers[backend]")
    assert run.passed == HEALTH - SITES
    assert verdict["found"].startswith("it runs, but did not become ready on port ")
    assert verdict["found"].endswith(" in time")
    assert verdict["evidence"][0]["text"] == "warming up"
    assert run.took_s < 45


def test_a_migration_that_fails_at_the_start_is_one_failure(shop: Shop) -> None:
    """The statement that PostgreSQL refused is told; what came before it is applied, what needs it is blocked."""
    (shop.folder / "migrations" / "2_orders.sql").write_text("CREATE TABLE orders (price no_such_type);\n")
    run = shop.run()
    verdict = run.only_root("migrations.all_applied[shop]")
    assert run.passed == HEALTH - JOB - SITES - {"migrations.all_applied[shop]"}
    assert "no_such_type" in str(verdict)
    assert "2_orders.sql" in str(verdict)


def test_an_extension_that_the_embedded_server_lacks_is_unknown(shop: Shop) -> None:
    """A migration that wants pgcrypto says nothing about the environment: could not look, by name, with the way out."""
    (shop.folder / "migrations" / "1_customers.sql").write_text("CREATE EXTENSION pgcrypto;\n")
    run = shop.run()
    verdict = run.only_root("migrations.all_applied[shop]", state="unknown")
    assert run.passed == HEALTH - JOB - SITES - {"migrations.all_applied[shop]"}
    assert verdict["summary"] == (
        "database shop needs the extension pgcrypto, which the embedded PostgreSQL does not have"
    )
    assert verdict["remedy"] == "run on a server that has it: --devenv-target=addresses or cluster"


def test_a_service_without_a_command_is_unknown(shop: Shop) -> None:
    """A backend that the settings do not tell how to run is neither well nor broken."""
    shop.edit('command = ["{python}", "backend.py", "{port}"]\n', "")
    run = shop.run()
    verdict = run.only_root("http.answers[backend]", state="unknown")
    assert run.passed == HEALTH - SITES
    assert "services.backend.command" in verdict["remedy"]


@pytest.fixture
def disk(state: Path) -> Iterator[Path]:
    """Mount a disk of as many megabytes as it takes to make PostgreSQL's data, and none of a database's."""
    if os.geteuid() != 0 and os.environ.get("CI") != "true":
        pytest.skip("only root mounts a disk")
    folder = state / "disk"
    folder.mkdir()
    yield folder
    subprocess.run(["/bin/umount", str(folder)], check=True)


@pytest.mark.parametrize("size_mb", [4, 40], ids=["initdb", "databases"])
def test_a_full_disk_while_postgres_starts_is_one_failure(shop: Shop, disk: Path, size_mb: int) -> None:
    """Whether initdb or a database finds no space, PostgreSQL fails, the remedy is space, and redis runs on."""
    subprocess.run(["/bin/mount", "-t", "tmpfs", "-o", f"size={size_mb}m,mode=0711", "tmpfs", str(disk)], check=True)
    run = replace(shop, state=disk).run()
    verdict = run.only_root("postgres.accepts_queries[postgres]")
    assert run.passed == REDIS | SECRET
    assert verdict["remedy"] == (
        "free space on that disk, or name a folder on another: PYTEST_DEVENV_STATE=/path/with/space"
    )
    assert "No space left on device" in str(verdict) or "(53100)" in verdict["found"]
    assert run.took_s < 45


def test_a_disk_that_is_full_from_the_first_is_said_so(shop: Shop, disk: Path) -> None:
    """Where no folder can be made the run ends as wrongly used, and names the variable."""
    subprocess.run(["/bin/mount", "-t", "tmpfs", "-o", "size=4m,nr_inodes=2,mode=0711", "tmpfs", str(disk)], check=True)
    run = replace(shop, state=disk).run()
    assert run.exit_code == 4
    assert "No space left on device" in run.output
    assert "PYTEST_DEVENV_STATE" in run.output


def test_embedded_refuses_to_make_production(shop: Shop) -> None:
    """An environment called production is never made on this machine: the run ends before anything starts."""
    shop.edit('environment = "development"', 'environment = "production"')
    run = shop.run()
    assert run.exit_code == 4
    assert "expected environment development or test, found production" in run.output
    assert "remedy: PYTEST_DEVENV_ENVIRONMENT=development" in run.output
    assert run.report.get("checks", []) == []
    assert run.took_s < 40
