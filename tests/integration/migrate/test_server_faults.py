"""A server that cannot take a migration: its disk is full, or it only reads."""

from __future__ import annotations

import os
import subprocess
import uuid
from typing import TYPE_CHECKING

import pytest
from psycopg import sql

from pytest_devenv.clients.postgres import DatabaseAddress, connect
from pytest_devenv.errors import MigrationError
from pytest_devenv.migrate import RunError
from pytest_devenv.settings import Tier
from pytest_devenv.targets.embedded.account import server_account
from tests.integration.migrate.sandbox import fill, query

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_devenv.migrate import Engine
    from tests.conftest import Postgres

SIZE_MB = 24


@pytest.fixture
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give a file system of a few megabytes that belongs to the server; needs root, to mount it."""
    if os.geteuid() != 0:
        if os.environ.get("CI") == "true":
            pytest.fail("a small file system is mounted by root only: run the tests as root")
        pytest.skip("a small file system is mounted by root only: run the tests as root")
    disk = tmp_path_factory.mktemp("disk")
    for parent in disk.parents[:2]:
        parent.chmod(0o711)
    subprocess.run(["/bin/mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "tmpfs", str(disk)], check=True)
    try:
        server_account().own(disk)
        disk.chmod(0o700)
        yield disk
    finally:
        subprocess.run(["/bin/umount", "--lazy", str(disk)], check=True)


@pytest.fixture
def small_database(postgres_server: Postgres, small_disk: Path) -> Iterator[DatabaseAddress]:
    """Give an empty database that lives on the small disk."""
    name = f"small_{uuid.uuid4().hex[:8]}"
    with connect(postgres_server.server.administer()) as connection:
        connection.execute(
            sql.SQL("CREATE TABLESPACE {} LOCATION {}").format(sql.Identifier(name), sql.Literal(str(small_disk)))
        )
        connection.execute(sql.SQL("CREATE DATABASE {0} TABLESPACE {0}").format(sql.Identifier(name)))
    yield DatabaseAddress(postgres_server.endpoint, name)
    postgres_server.drop_database(name)
    with connect(postgres_server.server.administer()) as connection:
        connection.execute(sql.SQL("DROP TABLESPACE {}").format(sql.Identifier(name)))


def test_a_full_disk_keeps_nothing_of_a_migration(
    small_database: DatabaseAddress, small_disk: Path, folder: Path, sqlx: Engine
) -> None:
    """The reason and the remedy are told, the ones before stay, and with space again the run goes on."""
    rows = "INSERT INTO a SELECT repeat(md5(n::text), 30) FROM generate_series(1, {}) n"
    fill(folder, {"1_a.sql": "CREATE TABLE a (t text STORAGE PLAIN)", "2_b.sql": rows.format(60_000)})
    with pytest.raises(RunError, match=r"No space left on device[\s\S]*free space on the server's disk") as caught:
        sqlx.apply(small_database, tier=Tier.TEST)
    assert (caught.value.sqlstate, caught.value.failed.version) == ("53100", "2")
    assert [one.version for one in caught.value.done] == ["1"]
    assert [row.version for row in sqlx.status(small_database).applied] == ["1"]
    subprocess.run(["/bin/mount", "-o", f"remount,size={10 * SIZE_MB}m", str(small_disk)], check=True)
    sqlx.apply(small_database, tier=Tier.TEST)
    assert query(small_database, "SELECT count(*) FROM a") == [(60_000,)]


def test_a_read_only_database_is_told(postgres_server: Postgres, folder: Path, sqlx: Engine) -> None:
    """Where nothing can be written, that is said before anything is tried, and status still answers."""
    address = postgres_server.create_database()
    name = sql.Identifier(address.database)
    with connect(address) as connection:
        connection.execute(sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(name))
    fill(folder, {"1_a.sql": "CREATE TABLE a ()"})
    with pytest.raises(MigrationError, match=r"cannot be written[\s\S]*found: default_transaction_read_only = on"):
        sqlx.apply(address, tier=Tier.TEST)
    assert len(sqlx.status(address).pending) == 1
    postgres_server.drop_database(address.database)
