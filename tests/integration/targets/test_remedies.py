"""The remedies of an environment that is up, run as they are printed: each one mends what it is printed for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.clients.postgres import DatabaseAddress, connect
from pytest_devenv.clients.redis import connected
from pytest_devenv.probes import commands
from pytest_devenv.settings.read import read
from pytest_devenv.targets.choose import choose
from pytest_devenv.targets.embedded import instance as instances
from pytest_devenv.targets.embedded.account import server_account
from pytest_devenv.targets.embedded.binaries import postgres_bin
from pytest_devenv.targets.opening import opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.targets.embedded.record import Record
    from tests.faults.project import Shop

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def up(shop: Shop) -> Iterator[Shop]:
    """Give a shop whose environment is up, with our command and psql on PATH; it is down afterwards."""
    programs = (str(Path(sys.executable).parent), str(postgres_bin(server_account())), os.environ["PATH"])
    shop = shop.given_too(PATH=os.pathsep.join(programs))
    assert paste(shop, "pytest-devenv env up").returncode == 0
    yield shop
    paste(shop, "pytest-devenv env down")


def paste(shop: Shop, line: str) -> subprocess.CompletedProcess[str]:
    """Run a line in the shop's folder, as a shell does."""
    return subprocess.run(
        ["/bin/sh", "-c", line],
        cwd=shop.folder,
        env=shop.environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def record_of(shop: Shop) -> Record:
    """Return what is recorded of a shop's environment that is up."""
    running = instances.kept(read(shop.folder / "pyproject.toml"))
    assert running is not None
    return running[1]


def looked(shop: Shop) -> tuple[int, set[str], list[str]]:
    """Look at the health of a shop; return the exit code, the roots, and the remedies of the next steps."""
    process = shop.begin("-m", "health")
    process.communicate(timeout=90)
    report = json.loads((shop.folder / "report.json").read_text())
    roots = {root["probe"] for root in report["roots"]}
    return process.returncode, roots, [step["remedy"] for step in report["next_steps"]]


def test_each_remedy_mends_what_it_is_printed_for(up: Shop) -> None:
    """A database that is gone, and passwords that nobody can know any more: one line brings back each of them."""
    postgres = record_of(up).endpoints["postgres"]
    with connect(DatabaseAddress(postgres, "postgres")) as connection:
        connection.execute("DROP DATABASE shop WITH (FORCE)")
    setup = "pytest-devenv db setup --database shop"
    assert looked(up) == (1, {"database.exists[shop]"}, [setup])
    mended = paste(up, setup)
    assert mended.returncode == 0, mended.stderr
    assert looked(up) == (0, set(), [])

    with connected(record_of(up).endpoints["redis"], deadline_s=30) as client:
        client.config_set("requirepass", "an0ther-one-8Kq2")
    with connect(DatabaseAddress(postgres, "shop")) as connection:
        connection.execute("ALTER ROLE shop PASSWORD 'an0ther-one-8Kq2'")
    code, roots, remedies = looked(up)
    assert (code, roots) == (1, {"postgres.accepts_queries[postgres]", "redis.answers[redis]"})
    assert set(remedies) == {commands.ANEW}
    mended = paste(up, commands.ANEW)
    assert mended.returncode == 0, mended.stderr
    assert looked(up) == (0, set(), [])


def test_psql_opens_a_database_whose_password_only_the_environment_knows(up: Shop) -> None:
    """The psql line of a remedy asks nobody for a password, nor does it show one."""
    settings = read(up.folder / "pyproject.toml")
    with opened(settings, choose(settings)) as environment:
        line = commands.psql(environment.address("shop"), "select 'answer ' || (41 + 1)")
    said = paste(up, line)
    assert said.returncode == 0, said.stderr
    assert "answer 42" in said.stdout
    up.assert_no_secret(line, said.stdout, said.stderr)
