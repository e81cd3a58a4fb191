"""A server that cannot take a migration: its disk is full, or it only reads."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from pytest_devenv import seed
from pytest_devenv.clients.postgres import DatabaseAddress, connect
from pytest_devenv.errors import MigrationError, SeedError
from pytest_devenv.migrate import RunError
from pytest_devenv.settings import Tier
from pytest_devenv.targets.embedded.account import server_account
from pytest_devenv.targets.embedded.child import end, spawn, wait_until
from pytest_devenv.targets.embedded.postgres import start_postgres
from tests.integration.migrate.sandbox import fill, query
from tests.unit.seed.workshop import Workshop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.migrate import Engine
    from pytest_devenv.targets.embedded.instance import Instance
    from tests.conftest import Postgres

SIZE_MB = 24


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """Give a file system of a few megabytes that belongs to the server; needs root, to mount it.

    It is not below pytest's own folder, which every other run of pytest closes to the server's account.
    """
    if os.geteuid() != 0:
        if os.environ.get("CI") == "true":
            pytest.fail("a small file system is mounted by root only: run the tests as root")
        pytest.skip("a small file system is mounted by root only: run the tests as root")
    disk = Path(tempfile.mkdtemp(prefix="devenv-small-disk-"))
    subprocess.run(["/bin/mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "tmpfs", str(disk)], check=True)
    try:
        server_account().own(disk)
        disk.chmod(0o700)
        yield disk
    finally:
        subprocess.run(["/bin/umount", "--lazy", str(disk)], check=True)
        disk.rmdir()


@pytest.fixture
def small_database(instance: Instance, small_disk: Path) -> Iterator[DatabaseAddress]:
    """Give an empty database that lives on the small disk, on a server of its own.

    Any connection to a server may have to write what another one left in its buffers, so a full disk must not be a
    shared server's. The checkpoint gives each block of the new database its place on the disk before that is full.
    """
    server = start_postgres(f"small-{uuid.uuid4().hex[:8]}", instance.folder, server_account(), start_s=60)
    try:
        with connect(server.administer()) as connection:
            connection.execute(sql.SQL("CREATE TABLESPACE small LOCATION {}").format(sql.Literal(str(small_disk))))
            connection.execute("CREATE DATABASE shop TABLESPACE small")
            connection.execute("CHECKPOINT")
        yield DatabaseAddress(server.superuser, "shop")
    finally:
        end([server.child.process])


@pytest.fixture
def standby(instance: Instance, folder: Path, sqlx: Engine) -> Iterator[DatabaseAddress]:
    """Give a database on a server that replays and never writes, with one migration and one seed's tables in it.

    It was a primary server, and was started again as a standby of nobody.
    """
    name = f"standby-{uuid.uuid4().hex[:8]}"
    server = start_postgres(name, instance.folder, server_account(), start_s=60)
    with connect(server.administer()) as connection:
        connection.execute("CREATE DATABASE shop")
    address = DatabaseAddress(server.superuser, "shop")
    fill(folder, {"1_a.sql": "CREATE TABLE a (id bigint PRIMARY KEY)"})
    sqlx.apply(address, tier=Tier.TEST)
    query(address, "CHECKPOINT")
    command = server.child.process.cmdline()
    end([server.child.process])
    home = instance.folder / name
    (home / "data" / "standby.signal").touch()
    again = spawn(name, command, instance=instance.folder, account=server_account(), env={"LC_ALL": "C"}, cwd=home)
    try:
        assert wait_until(lambda: _answers(address), again, deadline=time.monotonic() + 60), again.tail()
        yield address
    finally:
        end([again.process])


def _answers(address: DatabaseAddress) -> bool:
    try:
        return query(address, "SELECT pg_is_in_recovery()") == [(True,)]
    except psycopg.OperationalError:
        return False


def test_a_standby_server_is_told(standby: DatabaseAddress, folder: Path, sqlx: Engine, tmp_path: Path) -> None:
    """Nothing is tried there, by migrations or by seeds; status answers, and the way to the primary is the remedy."""
    fill(folder, {"2_b.sql": "CREATE TABLE b ()"})
    with pytest.raises(MigrationError, match=r"cannot be written[\s\S]*found: a standby server[\s\S]*primary server"):
        sqlx.apply(standby, tier=Tier.TEST)
    status = sqlx.status(standby)
    assert ([one.version for one in status.applied], len(status.pending)) == (["1"], 1)
    seeds = Workshop(tmp_path / "seeds")
    seeds.sql("base/10_one", "INSERT INTO a VALUES (1)")
    with pytest.raises(SeedError, match=r"read-only transaction[\s\S]*connect to the primary server"):
        seed.apply(seeds.load(), standby, tier=Tier.TEST)
    assert query(standby, "SELECT * FROM a") == []


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
