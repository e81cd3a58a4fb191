"""Whole runs and commands on an environment in the cluster."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.cluster.postgres import PASSWORD, PORT, USER, kubeconfig_with

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cluster.postgres import Deployed

pytestmark = pytest.mark.cluster

WITHIN_S = 240
ASK = (
    "import os, psycopg\n"
    "with psycopg.connect(os.environ['DATABASE_URL']) as connection:\n"
    "    print('answered', connection.execute('select 40 + 2').fetchone()[0])\n"
    "    print('told', 'PYTEST_DEVENV_POSTGRES_URL' in os.environ)\n"
)

FILL = (
    "import os, psycopg\n"
    "url = os.environ['DATABASE_URL']\n"
    "with psycopg.connect(url, autocommit=True) as connection:\n"
    "    connection.execute('create database theirs')\n"
    "with psycopg.connect(url, dbname='theirs') as connection:\n"
    "    connection.execute('create table orders_of_theirs (id int)')\n"
)


@dataclass(frozen=True, slots=True)
class Project:
    """A project whose environment is the PostgreSQL in the cluster."""

    folder: Path
    deployed: Deployed

    def run(self, *command: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a program in the project's folder to its end; no password is in what it prints."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_DEVENV_")}
        given = {**kept, "KUBECONFIG": str(self.deployed.cluster.kubeconfig), **environ}
        run = subprocess.run(
            command, cwd=self.folder, env=given, capture_output=True, text=True, timeout=WITHIN_S, check=False
        )
        assert PASSWORD not in run.stdout + run.stderr
        return run

    def checks(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run the health checks of the PostgreSQL."""
        words = ("-m", "health", "-k", "test_service_answers and postgres", "-p", "no:cacheprovider", *arguments)
        return self.run(sys.executable, "-m", "pytest", *words, **environ)

    def command(self, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run pytest-devenv."""
        return self.run(sys.executable, "-c", "from pytest_devenv.cli import main; main()", *words, **environ)


@pytest.fixture
def project(deployed: Deployed, tmp_path: Path) -> Project:
    """Give a project whose environment is the PostgreSQL in the cluster, which is ready."""
    deployed.pod()
    folder = tmp_path / "shop"
    (folder / "migrations").mkdir(parents=True)
    (folder / "migrations" / "1_orders.sql").write_text("create table orders (id bigint primary key);\n")
    (folder / "pytest-devenv.toml").write_text(
        f"""
name = "shop"
target = "cluster"
context = "{deployed.cluster.context}"
contexts = ["{deployed.cluster.context}"]
namespace = "{deployed.namespace}"
deadline_s = 60

[services.postgres]
kind = "postgres"
workload = "deployment/postgres"
port = {PORT}
user = "{USER}"
password = {{ secret = "postgres", key = "password", env = "SHOP_PASSWORD" }}

[databases.{USER}]
service = "postgres"

[databases.theirs]
service = "postgres"
migrations = {{ engine = "sqlx", path = "migrations" }}
"""
    )
    return Project(folder, deployed)


@pytest.mark.parametrize("more", [(), ("-n", "2")], ids=["one", "xdist"])
def test_a_run_looks_through_its_forwards(project: Project, more: tuple[str, ...]) -> None:
    """A run reads the password from its Secret, opens a forward, and finds the server healthy."""
    report = project.folder / "report.json"
    run = project.checks(f"--devenv-report={report}", *more)
    assert run.returncode == 0, run.stdout + run.stderr
    told = json.loads(report.read_text())
    states = {each["probe"]: each["verdict"]["state"] for each in told["checks"]}
    assert states["postgres.accepts_queries[postgres]"] == "pass"
    assert f"namespace {project.deployed.namespace}" in run.stdout
    assert f"kube context {project.deployed.cluster.context}" in run.stdout
    assert more or "kind (no registry, no load balancer, no docker-env)" in run.stdout  # which xdist's workers know


def test_who_may_not_read_the_secret_does_not_know(project: Project) -> None:
    """Without the right to read Secrets the service is unknown, and the run names the right and the variable."""
    deployed = project.deployed
    deployed.kubectl("create", "serviceaccount", "onlooker")
    path = f"/api/v1/namespaces/{deployed.namespace}/serviceaccounts/onlooker/token"
    token = deployed.api.request("POST", path, {"spec": {}})["status"]["token"]
    view = ("--clusterrole=view", f"--serviceaccount={deployed.namespace}:onlooker")
    deployed.kubectl("create", "rolebinding", "may-look", *view)
    kubeconfig = kubeconfig_with(deployed.cluster, project.folder / "config", {"token": token})
    run = project.checks(KUBECONFIG=str(kubeconfig.files[0]))
    assert run.returncode == 1, run.stdout + run.stderr
    assert "ERROR" in run.stdout
    told = " ".join(run.stdout.split())
    assert f"not allowed to get secrets postgres in namespace {deployed.namespace}" in told
    assert "SHOP_PASSWORD" in told
    assert token not in run.stdout + run.stderr


def test_a_program_gets_a_forward_for_its_time(project: Project) -> None:
    """`env exec` opens forwards, and its program finds the database by the usual variables."""
    run = project.command("env", "exec", "--database", USER, "--", sys.executable, "-c", ASK)
    assert (run.returncode, run.stdout) == (0, "answered 42\ntold True\n"), run.stderr
    assert project.command("env", "exec", "--", "sh", "-c", "exit 7").returncode == 7


def test_no_address_is_told_that_would_be_gone(project: Project) -> None:
    """`env url` has nothing to print where the forward ends with it, and says what does the same."""
    run = project.command("env", "url", "postgres")
    assert run.returncode == 1
    assert "expected postgres at an address that lasts, found a forward, which ends with this command" in run.stderr
    assert "pytest-devenv env exec -- PROGRAM" in run.stderr


def test_the_marker_decides_behind_a_forward(project: Project) -> None:
    """A database that holds data and no marker is not migrated, though a forward makes it look like this machine's."""
    made = project.command("env", "exec", "--database", USER, "--", sys.executable, "-c", FILL)
    assert made.returncode == 0, made.stderr
    run = project.command("db", "migrate", "--database", "theirs", "--json")
    assert run.returncode != 0
    assert "no marker, in a database that holds data" in run.stdout + run.stderr
