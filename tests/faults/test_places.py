"""Whole runs by an ordinary user, and in folders that may not be written to."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.targets.embedded.binaries import redis_server
from tests.faults.probes import HEALTH, REDIS, SITES
from tests.integration.targets.persons import give

if TYPE_CHECKING:
    from tests.faults.project import Shop

pytestmark = pytest.mark.timeout(240)

WARNED = ("-W", "default")  # pytest warns that it cannot write its cache


@pytest.fixture
def theirs(shop: Shop, state: Path) -> Shop:
    """Give the shop as an ordinary user has it who may not write into its folder, nor into a home."""
    project, own = state / "shop", state / "own"
    shutil.copytree(shop.folder, project)
    project.chmod(0o555)
    for folder in (own, own / "environments", own / "temporary"):
        folder.mkdir()
        give(folder)
    server = Path(shutil.copy(redis_server(), state))
    server.chmod(0o755)
    made = replace(shop, folder=project, state=own / "environments", reports=own, ordinary=True)
    return made.given_too(
        HOME=str(state / "no-home"),
        TMPDIR=str(own / "temporary"),
        PYTEST_DEVENV_REDIS_SERVER=str(server),
    )


def test_a_working_directory_that_may_not_be_written_to_is_no_fault(theirs: Shop) -> None:
    """An ordinary user without a home, in somebody else's folder, gets a healthy environment, and leaves nothing."""
    run = theirs.run("-m", "health", *WARNED)
    assert run.exit_code == 0
    assert run.passed == HEALTH
    assert sorted(each.name for each in theirs.folder.iterdir()) == [
        "backend.py",
        "frontend.py",
        "migrations",
        "pyproject.toml",
    ]


def test_a_report_that_may_not_be_written_is_said_so(theirs: Shop) -> None:
    """A report below the unwritable folder ends the run as wrongly used, with what to do, and leaves nothing."""
    run = theirs.run("-m", "health", *WARNED, "-k", "redis", f"--devenv-report={theirs.folder / 'report.json'}")
    assert run.exit_code == 4
    report = theirs.folder / "report.json"
    assert f"expected a file that can be written, found {report}, below {theirs.folder}" in run.output
    assert "remedy: name a file in a folder that is yours" in run.output


def test_a_folder_for_environments_that_may_not_be_written_to_is_said_so(theirs: Shop) -> None:
    """Where no environment can be made the run ends as wrongly used, naming the folder and the variable."""
    run = theirs.given_too(PYTEST_DEVENV_STATE=str(theirs.folder / "state")).run("-m", "health", *WARNED)
    assert run.exit_code == 4
    assert f"expected to make the folder {theirs.folder / 'state'}, found: Permission denied" in run.output
    assert "PYTEST_DEVENV_STATE" in run.output


def test_a_cache_that_may_not_be_written_to_is_unknown(theirs: Shop) -> None:
    """Where the Redis-protocol server has no place to be put, redis could not be looked at; the variable is named."""
    given = {key: value for key, value in theirs.given.items() if key != "PYTEST_DEVENV_REDIS_SERVER"}
    alone = replace(theirs, given={**given, "PATH": "/usr/bin:/bin"})
    run = alone.run("-m", "health", *WARNED)
    verdict = run.only_root("redis.answers[redis]", state="unknown")
    assert run.passed == HEALTH - REDIS - SITES
    assert "no-home" in verdict["summary"]
    assert verdict["remedy"] == "name a folder that you may write in PYTEST_DEVENV_CACHE"
