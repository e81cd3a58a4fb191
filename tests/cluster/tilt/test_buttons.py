"""Every button of the Tiltfile, pressed: what it says, and what it does to the database and in the cluster."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.cluster.tilt.standing import wait_until

if TYPE_CHECKING:
    from tests.cluster.tilt.conftest import Tilted

pytestmark = [pytest.mark.cluster, pytest.mark.tilt, pytest.mark.timeout(2400)]

EXTRA = "migrations/kiro/20991231000000_extra"
POD = """
apiVersion: v1
kind: Pod
metadata: {name: ended}
spec:
  restartPolicy: Never
  automountServiceAccountToken: false
  securityContext: {runAsNonRoot: true, runAsUser: 10001, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: ended
      image: redis:7
      imagePullPolicy: IfNotPresent
      command: ["false"]
      securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
"""


def count(tilted: Tilted, table: str) -> int:
    """Return how many rows a table has."""
    return int(tilted.project.environment.query(f"SELECT count(*) FROM {table}"))  # noqa: S608  # a name of ours


def image(tilted: Tilted) -> str:
    """Return the image of the Job that migrates."""
    job = tilted.project.environment.get("job", "database-migration")
    (container,) = job["spec"]["template"]["spec"]["containers"]
    return str(container["image"])


def test_seeding_twice_adds_nothing_and_suspends_the_job_again(tilted: Tilted) -> None:
    """The rows of the seeds are there once, and the Job waits for the next time."""
    assert "kiro: applied" in tilted.press("db-seed")
    users = count(tilted, "users")
    assert users >= 4
    again = tilted.press("db-seed")
    assert "already applied" in again
    assert "suspending the job database-seed again" in again
    assert count(tilted, "users") == users
    assert tilted.project.environment.get("job", "database-seed")["spec"]["suspend"] is True


def test_new_migration_is_applied_by_its_button_without_an_image_build(tilted: Tilted) -> None:
    """Seeding is refused until then; afterwards the schema is verified, and a reset makes everything anew."""
    environment, before = tilted.project.environment, image(tilted)
    files = [tilted.project.folder / f"{EXTRA}.{way}.sql" for way in ("up", "down")]
    files[0].write_text("CREATE TABLE extra (id integer PRIMARY KEY);\n")
    files[1].write_text("DROP TABLE extra;\n")
    try:
        wait_until(lambda: "2099" in tilted.project.map_of_migrations(), "the map")
        wait_until(lambda: tilted.tilt.resource("database-migration").is_ready, "database-migration is updated")
        refused = tilted.press_red("db-seed")
        assert "remedy: tilt trigger db-migrate" in refused
        said = tilted.press("db-migrate")
        assert "kiro: applied 20991231000000 (extra)" in said
        assert "the schema, looked at afterwards:" in said
        assert "kiro: 15 of 15 tables" in said
        assert count(tilted, "extra") == 0
        assert image(tilted) == before
    finally:
        for file in files:
            file.unlink()
    wait_until(lambda: "2099" not in tilted.project.map_of_migrations(), "the map")
    wait_until(lambda: tilted.tilt.resource("database-migration").is_ready, "database-migration is updated")
    pod = environment.kubectl("get", "pods", "--selector=app.kubernetes.io/name=backend", "--output=name")
    said = tilted.press("db-reset")
    steps = ["stopping deployment/backend", "kiro is new", "making it anew", "deployment/backend is up again"]
    assert [said.index(step) for step in steps] == sorted(said.index(step) for step in steps)
    assert environment.query("SELECT to_regclass('extra') IS NULL, (SELECT count(*) FROM users)") == "t|0"
    assert environment.kubectl("get", "pods", "--selector=app.kubernetes.io/name=backend", "--output=name") != pod
    wait_until(lambda: '"ready"' in tilted.project.answer("backend", "/ready"), "the backend is ready again")


def test_looks_say_what_there_is(tilted: Tilted) -> None:
    """Set-up, status of databases and of services, and health: each tells the environment as it is."""
    said = tilted.press("dev-setup")
    order = [said.index(f"/5 {name}") for name in ("postgres", "redis", "database-migration", "backend", "frontend")]
    assert order == sorted(order)
    assert f"backend: http://localhost:{tilted.project.ports['backend']}" in said
    assert "next steps" in said
    status = tilted.press("db-status")
    for text in ("job/database-migration: complete", "audit log, applied 20", "public.users: "):
        assert text in status
    assert "kiro is healthy" in tilted.press("health-check")
    wait_until(lambda: "not measured yet" not in tilted.press("service-status"), "the kubelet has measured every pod")
    services = tilted.last("service-status")
    (backend,) = [line.split() for line in services.splitlines() if line.startswith("deployment/backend")]
    assert backend[1:5] == ["1", "of", "1", "ready"]
    assert backend[6].endswith("m")
    assert "MiB" in backend
    assert backend[-1] in {"s", "ms"}


@pytest.mark.parametrize(
    "name", ["backend-unit-tests", "backend-integration-tests", "backend-tests", "frontend-tests", "all-tests"]
)
def test_buttons_of_tests_run_tests(tilted: Tilted, name: str) -> None:
    """Each passes on the code as it is."""
    last = tilted.press(name).strip().splitlines()[-1]
    assert " passed" in last
    assert " failed" not in last


def test_broken_password_rule_turns_the_frontend_s_tests_red(tilted: Tilted) -> None:
    """A page that takes shorter passwords than the backend is told."""
    with tilted.project.edited("app/frontend/rules.js", "length >= 12", "length >= 6"):
        assert " failed" in tilted.press_red("frontend-tests")


def test_builds_are_timed_and_the_cache_is_warm(tilted: Tilted) -> None:
    """Cold, warm and live are told with what a warm cache saves; whether that is enough is this machine's."""
    found = tilted.tilt.trigger("build-performance-test", deadline_s=1800, stable_s=0)
    assert found.outcome in {"succeeded", "failed"}, found.why
    said = tilted.last("build-performance-test")
    for text in ("cold: ", "warm: ", "a warm cache saves ", "backend-data", "backend-code", "frontend"):
        assert text in said
    assert "the cache is warm: 3 images in " in tilted.press("warm-cache")
    images = subprocess.check_output(
        ["/usr/bin/env", "docker", "images", "--format={{.Repository}}:{{.Tag}}"], text=True
    )
    assert {"kiro/tools:warm", "kiro/backend:warm", "kiro/frontend:warm"} <= set(images.split())


def test_cleaning_up_takes_what_has_ended_and_nothing_else(tilted: Tilted) -> None:
    """A pod that has ended and a forward whose pod is gone are taken away, and not by a dry run."""
    environment = tilted.project.environment
    environment.kubectl("apply", "-f", "-", stdin=POD)
    wait_until(lambda: environment.get("pod", "ended")["status"].get("phase") == "Failed", "the pod has ended")
    place = (f"--context={environment.cluster.context}", f"--namespace={environment.namespace}")
    words = ["/usr/bin/env", "kubectl", *place, "port-forward", "deployment/frontend", ":5000"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as forward:
        assert forward.stdout is not None
        assert forward.stdout.readline().startswith("Forwarding from")
        environment.kubectl("delete", "pod", "--selector=app.kubernetes.io/name=frontend", "--now")
        environment.kubectl("rollout", "status", "deployment/frontend")
        rehearsed = tilted.project.run("pytest-devenv", "env", "cleanup", "--dry-run")
        assert "would remove pod/ended, which has failed" in rehearsed.stdout
        assert environment.get("pod", "ended")
        said = tilted.press("cleanup-resources")
        assert "removing pod/ended" in said
        forward.wait(30)
    assert "ended" not in environment.kubectl("get", "pods", "--output=name")
    wait_until(lambda: "kiro" in tilted.project.answer("frontend", "/"), "the frontend answers as before")
