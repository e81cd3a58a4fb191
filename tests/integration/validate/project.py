"""A small project of somebody else's, with everything that `pytest-devenv validate` reads."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from pytest_devenv.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

FILES = {
    "pyproject.toml": """\
[project]
name = "shop"

[tool.pytest.ini_options]
markers = ["slow: takes its time"]

[tool.pytest-devenv]
name = "shop"
contexts = ["kind-*"]
manifests = "deploy"
required_secrets = ["outside"]

[tool.pytest-devenv.services.db]
kind = "postgres"
workload = "statefulset/db"
port = 5432
local_port = 15432
password = { secret = "db", key = "password" }

[tool.pytest-devenv.services.web]
kind = "http"
workload = "deployment/web"
port = 80
requires = ["db"]
command = ["{python}", "web.py"]

[tool.pytest-devenv.databases.orders]
service = "db"
migrations = { engine = "sqlx", path = "migrations" }
seeds = "seeds"

[tool.pytest-devenv.images]
web = { image = "shop/web", dockerfile = "Dockerfile" }
base = { image = "shop/base", dockerfile = "base/Dockerfile" }

[tool.pytest-devenv.loops.page]
edit = "page.html"
at = "<title>shop"
observe = { service = "web" }
""",
    "web.py": "",
    "Dockerfile": "FROM shop/base:1\nCOPY web.py .\n",
    "base/Dockerfile": "FROM python:3.13-slim\n",
    "page.html": "<title>shop</title>\n",
    "migrations/1_orders.sql": "CREATE TABLE orders (id bigint PRIMARY KEY);\n",
    "seeds/base/10_first.sql": "-- name: first\n-- version: 1\n-- description: the first order\n-- dependencies:\n"
    "INSERT INTO orders (id) VALUES (1) ON CONFLICT DO NOTHING;\n",
    "tests/test_web.py": "",
    "deploy/kustomization.yaml": "resources: [db.yaml, web.yaml]\n",
    "deploy/db.yaml": """\
apiVersion: v1
kind: Secret
metadata: {name: db}
stringData: {password: only-for-development}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      containers:
        - name: db
          image: postgres:18
          ports: [{containerPort: 5432}]
          env: [{name: POSTGRES_PASSWORD, valueFrom: {secretKeyRef: {name: db, key: password}}}]
---
apiVersion: v1
kind: Service
metadata: {name: db}
spec: {selector: {app: db}, ports: [{port: 5432}]}
""",
    "deploy/web.yaml": """\
apiVersion: v1
kind: ConfigMap
metadata: {name: web}
data: {LEVEL: info}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: shop/web:dev
          ports: [{name: http, containerPort: 8080}]
          envFrom: [{configMapRef: {name: web}}, {secretRef: {name: outside}}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}
""",
}


@dataclass(frozen=True, slots=True)
class Project:
    """The project in its folder, and the command run there."""

    folder: Path

    def write(self, name: str, text: str) -> None:
        """Write one of its files."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def edit(self, name: str, before: str, after: str) -> None:
        """Replace a text of a file, which has to be there."""
        path = self.folder / name
        text = path.read_text()
        assert before in text, (name, before)
        path.write_text(text.replace(before, after))

    def run(self, *words: str) -> Result:
        """Run `pytest-devenv validate` in this process."""
        return CliRunner().invoke(main, ["validate", *words])

    def look(self, *words: str, code: int = 0) -> dict[str, dict[str, Any]]:
        """Return the verdicts by probe; the exit code has to be this one."""
        result = self.run("--json", *words)
        assert result.exit_code == code, result.output
        return {each["probe"]: each["verdict"] for each in json.loads(result.stdout)["checks"]}
