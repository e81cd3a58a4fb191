"""The environment that Tilt brings up, once for the tests of this folder: first with a fault, then whole."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster.tilt.standing import BROKEN, UP_S, Project, is_up, project, up, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from pytest_devenv.clients.tilt.client import Tilt
    from tests.cluster.conftest import ReferenceCluster


@dataclass(frozen=True, slots=True)
class Failed:
    """What was seen while a migration failed: what it said, what was deployed, and the health report."""

    log: str
    deployments: str
    report: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Tilted:
    """The project, the Tilt that runs it, and what was seen before its migration was mended."""

    project: Project
    tilt: Tilt
    failed: Failed

    def press(self, name: str, *, deadline_s: float = 600) -> str:
        """Press a button, and return what it printed; one that is red is an AssertionError with its log."""
        found = self.tilt.trigger(name, deadline_s=deadline_s, stable_s=0)
        assert found.succeeded, f"{name}: {found.why}\n{found.log}"
        return self.last(name)

    def press_red(self, name: str, *, deadline_s: float = 600) -> str:
        """Press a button that is to be red, and return what it printed."""
        found = self.tilt.trigger(name, deadline_s=deadline_s, stable_s=0)
        assert found.outcome == "failed", f"{name}: {found.why}"
        return self.last(name)

    def last(self, name: str) -> str:
        """Return what the last run of a button has printed."""
        return self.tilt.logs(name, lines=500).rpartition("Running cmd:")[2]


@pytest.fixture(scope="session")
def projects(
    reference_cluster: ReferenceCluster, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], AbstractContextManager[Project]]:
    """Give what makes a copy of the repository in which Tilt may run."""
    if shutil.which("tilt") is None:
        pytest.skip("there is no tilt on PATH")
    return lambda: project(reference_cluster, tmp_path_factory.mktemp("tilt"))


@pytest.fixture(scope="session")
def tilted(projects: Callable[[], AbstractContextManager[Project]]) -> Iterator[Tilted]:
    """Give the environment that Tilt has brought up after its migration, which failed at first, was mended."""
    with projects() as made, pytest.MonkeyPatch.context() as patch:
        for name, value in made.given.items():
            patch.setenv(name, value)
        broken = [made.folder / f"{BROKEN}.{way}.sql" for way in ("up", "down")]
        broken[0].write_text("SELECT nothing FROM no_such_table;\n")
        broken[1].write_text("SELECT 1;\n")
        with up(made) as running:
            wait_until(lambda: made.job_failed("database-migration"), "the migration has failed", deadline_s=UP_S)
            tilt = running()
            deployments = made.environment.kubectl("get", "deployments", "--output=name")
            failed = Failed(tilt.logs("database-migration", lines=200), deployments, made.health())
            for file in broken:
                file.unlink()
            tilted = Tilted(made, tilt, failed)
            wait_until(lambda: "2099" not in made.map_of_migrations(), "the map of migrations is without it")
            tilted.press("db-migrate")
            wait_until(lambda: is_up(tilt), "everything is up", deadline_s=UP_S)
            yield tilted
