"""`tilt ci` with a migration that fails, and without; and edits that go live."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from tests.cluster.tilt.standing import UP_S, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from tests.cluster.environment import ReferenceEnvironment
    from tests.cluster.tilt.conftest import Tilted
    from tests.cluster.tilt.standing import Project

pytestmark = [pytest.mark.cluster, pytest.mark.tilt, pytest.mark.timeout(2400)]

STAMP = "-edited-by-a-test"


def made(environment: ReferenceEnvironment, what: str) -> datetime:
    """Return when an object was made."""
    return datetime.fromisoformat(environment.get(*what.split("/"))["metadata"]["creationTimestamp"])


def ready(environment: ReferenceEnvironment, deployment: str) -> datetime:
    """Return when a Deployment had become available."""
    conditions = environment.get("deployment", deployment)["status"]["conditions"]
    (available,) = [each for each in conditions if each["type"] == "Available"]
    assert available["status"] == "True"
    return datetime.fromisoformat(available["lastTransitionTime"])


def test_tilt_ci_brings_everything_up_in_order(projects: Callable[[], AbstractContextManager[Project]]) -> None:
    """The migration comes behind its server, the backend behind the migration, the frontend behind the backend."""
    with projects() as project:
        done = project.run(*project.tilt_words("ci"), deadline_s=UP_S)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr
        environment = project.environment
        job = environment.get("job", "database-migration")
        assert made(environment, "job/database-migration") >= ready(environment, "postgres")
        assert made(environment, "deployment/backend") >= datetime.fromisoformat(job["status"]["completionTime"])
        assert made(environment, "deployment/frontend") >= ready(environment, "backend")
        assert environment.query("SELECT count(*) FROM _sqlx_migrations WHERE success") == "6"
    words = ("get", "namespace", environment.namespace, "--ignore-not-found")
    wait_until(lambda: environment.cluster.kubectl(*words) == "", "tilt down has taken the namespace")


def test_migration_that_fails_keeps_the_backend_down_and_is_the_one_root(tilted: Tilted) -> None:
    """Nothing of what requires it was deployed, and health named it alone; mended, its button brought all of it up."""
    failed = tilted.failed
    assert 'relation "no_such_table" does not exist' in failed.log
    assert sorted(failed.deployments.split()) == ["deployment.apps/postgres", "deployment.apps/redis"]
    roots = [each["probe"] for each in failed.report["roots"]]
    assert len(roots) == 1, roots
    assert "migration" in roots[0]
    states = {each["probe"]: each["verdict"]["state"] for each in failed.report["checks"]}
    assert states["http.answers[backend]"] == states["http.answers[frontend]"] == "blocked"


@pytest.mark.parametrize(
    ("name", "at", "service", "path"),
    [
        ("app/backend/version.txt", "0.1.0", "backend", "/version"),
        ("app/backend/routes/status.py", 'CODE = "as committed', "backend", "/version"),
        ("app/frontend/index.html", "<title>kiro · do not play", "frontend", "/"),
    ],
    ids=["data", "code", "page"],
)
def test_edit_goes_live_in_the_pod_that_runs(tilted: Tilted, name: str, at: str, service: str, path: str) -> None:
    """The running pod itself answers with the edit, and without it once that is undone."""
    project = tilted.project
    pods = ("get", "pods", f"--selector=app.kubernetes.io/name={service}", "--output=name")
    before = project.environment.kubectl(*pods)
    with project.edited(name, at, at + STAMP):
        wait_until(lambda: STAMP in project.answer(service, path), f"{service} answers with the edit of {name}")

    def undone() -> bool:
        answer = project.answer(service, path)
        return answer != "" and STAMP not in answer

    wait_until(undone, f"{service} answers without the edit of {name}")
    assert project.environment.kubectl(*pods) == before


def test_edited_migrations_are_there_without_an_image_build(tilted: Tilted) -> None:
    """A rollback is timed as a loop that has no build, and one of Alembic's revisions reaches its own map."""
    project = tilted.project
    words = ("pytest-devenv", "loop", "migrations", "--runs", "2", "--json")
    done = project.run(*words, deadline_s=UP_S)
    (found,) = json.loads(done.stdout)["loops"]
    assert set(found["stages_s"]) == {"detect", "update", "live"}, done.stdout + done.stderr
    builds = tilted.tilt.resource("database-migration").builds
    with project.edited("migrations/jobs/versions/001_initial_schema.py", "Create jobs,", "Create jobs edited,"):
        wait_until(lambda: "Create jobs edited," in project.map_of_migrations("jobs"), "the map has the revision")
    wait_until(lambda: "Create jobs edited," not in project.map_of_migrations("jobs"), "the map is as before")
    assert tilted.tilt.resource("database-migration").builds == builds
