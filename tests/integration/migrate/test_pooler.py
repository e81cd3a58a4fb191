"""A pooler before the database: in transaction mode it is recognised, in session mode it does no harm."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import threading
import time
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from pytest_devenv.clients.postgres import DatabaseAddress, connect
from pytest_devenv.migrate import PoolerError
from pytest_devenv.settings import Tier
from tests.integration.migrate import pgbouncer_tool
from tests.integration.migrate.sandbox import fill, tables, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.migrate import Engine

pytestmark = pytest.mark.pgbouncer


def _program() -> Path:
    program = pgbouncer_tool.program()
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"PgBouncer is not there: {pgbouncer_tool.HOW}")
        pytest.skip(f"PgBouncer is not there: {pgbouncer_tool.HOW}")
    return program


@contextmanager
def _pooled(address: DatabaseAddress, mode: str, size: int) -> Iterator[DatabaseAddress]:
    """Run a PgBouncer before the database, and give the address that leads through it."""
    program, endpoint = _program(), address.endpoint
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with tempfile.TemporaryDirectory() as made:
        home = Path(made)
        assert endpoint.password is not None
        (home / "users.txt").write_text(f'"{endpoint.user}" "{endpoint.password.reveal()}"\n')
        (home / "pgbouncer.ini").write_text(
            f"[databases]\n* = host={endpoint.host} port={endpoint.port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
            f"listen_port = {port}\nunix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {home}/users.txt\n"
            f"pool_mode = {mode}\ndefault_pool_size = {size}\nignore_startup_parameters = options\n"
        )
        for path in (home, *home.iterdir()):
            path.chmod(0o755)
        words = ["-u", "nobody"] if os.geteuid() == 0 else []  # it refuses to run as root
        server = subprocess.Popen(
            [str(program), "-q", *words, str(home / "pgbouncer.ini")],
            env={**os.environ, "LD_LIBRARY_PATH": pgbouncer_tool.libraries()},
            stderr=subprocess.DEVNULL,
        )
        through = DatabaseAddress(replace(endpoint, port=port), address.database)

        def answers() -> bool:
            try:
                connect(through).close()
            except psycopg.OperationalError:
                return False
            return True

        try:
            wait_for(answers, "PgBouncer")
            yield through
        finally:
            server.terminate()
            server.wait(10)


@pytest.mark.parametrize("mode", ["transaction", "statement"])
@pytest.mark.parametrize("size", [1, 20])
def test_a_pool_that_changes_hands_is_refused(
    empty_database: DatabaseAddress, folder: Path, sqlx: Engine, mode: str, size: int
) -> None:
    """A session lock would protect nothing there: the reason is given, and nothing is changed."""
    fill(folder, {"1_a.sql": "CREATE TABLE a ()"})
    with _pooled(empty_database, mode, size) as through:
        with pytest.raises(PoolerError, match=r"a pooler in transaction mode[\s\S]*remedy: migrate through PostgreSQL"):
            sqlx.apply(through, tier=Tier.TEST)
        assert len(sqlx.status(through).pending) == 1
    assert tables(empty_database) == set()


def test_it_is_recognised_while_others_use_the_pool(
    empty_database: DatabaseAddress, folder: Path, sqlx: Engine
) -> None:
    """With traffic beside it, the pool is still told for what it is."""
    fill(folder, {"1_a.sql": "CREATE TABLE a ()"})
    stop = threading.Event()

    def bustle(address: DatabaseAddress) -> None:
        with connect(address) as connection:
            while not stop.is_set():
                connection.execute("SELECT pg_sleep(0.001)", prepare=False)

    with _pooled(empty_database, "transaction", 20) as through:
        threads = [threading.Thread(target=bustle, args=[through]) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(5):
                with pytest.raises(PoolerError):
                    sqlx.apply(through, tier=Tier.TEST)
        finally:
            stop.set()
            for thread in threads:
                thread.join()


@pytest.mark.parametrize("size", [1, 20])
def test_a_pool_that_keeps_to_its_session_is_fine(
    empty_database: DatabaseAddress, folder: Path, sqlx: Engine, size: int
) -> None:
    """In session mode migrations are applied, in bounded time even where the pool has no second connection."""
    fill(folder, {"1_a.sql": "CREATE TABLE a ()"})
    with _pooled(empty_database, "session", size) as through:
        began = time.monotonic()
        sqlx.apply(through, tier=Tier.TEST)
        assert time.monotonic() - began < 20
    assert "public.a" in tables(empty_database)
