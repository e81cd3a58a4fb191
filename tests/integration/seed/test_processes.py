"""Several processes at one database: one seeds at a time, and one that is killed leaves a seed whole or not at all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.clients.postgres import connect
from pytest_devenv.seed import Limits, SeedingLockedError, State

if TYPE_CHECKING:
    from tests.integration.seed.bench import Bench

PROGRAM = """
import json, os, sys
from pathlib import Path
from pytest_devenv.clients.postgres import DatabaseAddress
from pytest_devenv.endpoint import Endpoint
from pytest_devenv.secret import Secret
from pytest_devenv.seed import apply, load
from pytest_devenv.settings import ServiceKind, Tier

given = json.loads(os.environ["GIVEN"])
password = given.pop("password")
endpoint = Endpoint(service="p", kind=ServiceKind.POSTGRES, password=password and Secret(password), **given["endpoint"])
result = apply(load(Path(given["folder"])), DatabaseAddress(endpoint, given["database"]), tier=Tier.TEST)
print(json.dumps([done.seed.name for done in result.done]))
"""


def start(bench: Bench) -> subprocess.Popen[str]:
    """Start a process that applies the seeds."""
    endpoint = bench.address.endpoint
    given = {
        "endpoint": {"host": endpoint.host, "port": endpoint.port, "user": endpoint.user},
        "password": None if endpoint.password is None else endpoint.password.reveal(),
        "database": bench.address.database,
        "folder": str(bench.seeds.folder),
    }
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "GIVEN": json.dumps(given)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_processes_apply_each_seed_once(bench: Bench) -> None:
    """Both end well, one of them after the other, and nothing is written twice."""
    for number in range(1, 6):
        bench.seeds.sql(
            f"base/{number}0_s{number}",
            "INSERT INTO people (name) VALUES (pg_current_xact_id()); SELECT pg_sleep(0.05)",
        )
    processes = [start(bench) for _ in range(3)]
    outputs = [process.communicate(timeout=180) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], outputs
    applied = sorted(name for out, _ in outputs for name in json.loads(out))
    assert applied == ["s1", "s2", "s3", "s4", "s5"]
    assert bench.query("SELECT count(*) FROM people") == [(5,)]


def test_the_holder_of_the_lock_is_named(bench: Bench) -> None:
    """A wait ends at its deadline, with the process that was in the way."""
    bench.seeds.sql("base/10_a", "SELECT pg_sleep(20)")
    process = start(bench)
    try:
        wait_until_it_sleeps(bench)
        began = time.monotonic()
        with pytest.raises(SeedingLockedError) as caught:
            bench.apply(limits=Limits(lock_timeout_s=0.3))
        assert time.monotonic() - began < 5
        assert "application pytest-devenv, user" in caught.value.message
        assert "expected: the seeds' lock" in caught.value.message
    finally:
        process.kill()
        process.communicate(timeout=30)


def test_a_process_that_is_killed_leaves_its_seed_out(bench: Bench) -> None:
    """The seeds before it stand, nothing of it is there, and the next process goes on at once."""
    bench.seeds.sql("base/10_a", "INSERT INTO people (name) VALUES ('a')")
    path = bench.seeds.sql("base/20_b", "INSERT INTO people (name) VALUES ('b'); SELECT pg_sleep(60)")
    process = start(bench)
    wait_until_it_sleeps(bench)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    assert bench.query("SELECT name FROM people") == [("a",)]
    assert bench.states() == {"a": State.CURRENT, "b": State.PENDING}
    path.write_text(path.read_text().replace("SELECT pg_sleep(60)", ""))
    assert [done.seed.name for done in bench.apply().done] == ["b"]
    assert bench.query("SELECT name FROM people ORDER BY 1") == [("a",), ("b",)]
    assert [row[0:3] for row in bench.history()] == [("a", 1, "Active"), ("b", 1, "Active")]


def wait_until_it_sleeps(bench: Bench) -> None:
    """Wait until a seed of another process is at pg_sleep."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with connect(bench.address) as connection:
            found = connection.execute(
                "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
            ).fetchone()
        if found is not None:
            return
        time.sleep(0.02)
    pytest.fail("no seed reached its pg_sleep within 30 s")
