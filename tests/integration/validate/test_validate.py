"""`pytest-devenv validate` passes what is whole, and names what is not: what was found, where, and the remedy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest

if TYPE_CHECKING:
    from tests.integration.validate.project import Project

SCHEMA = Path(__file__).parents[3] / "docs" / "report.schema.json"
# What is broken: the file, what stands there, and what instead; then the probe, and what it says was found and to do.
BROKEN = {
    "the module of a command is not there": (
        ("pyproject.toml", '"web.py"', '"-m", "shop.web"'),
        ("files.has_its_program[web]", "the module shop.web, which is not below", "correct services.web.command"),
    ),
    "a loop has no place for its stamp": (
        ("page.html", "shop", "store"),
        ("files.can_be_edited[page]", "it stands there 0 times", "correct loops.page.at"),
    ),
    "the file of a loop is not there": (
        ("pyproject.toml", "page.html", "pages.html"),
        ("files.can_be_edited[page]", "no file", "correct loops.page.edit"),
    ),
    "a seed was edited and not registered": (
        ("seeds/base/10_first.sql", "VALUES (1)", "VALUES (2)"),
        ("seeds.can_be_read[orders]", "another checksum", "pytest-devenv db seed-sync"),
    ),
    "a manifest is no YAML": (
        ("deploy/web.yaml", "data: {LEVEL: info}", "data: {LEVEL: info"),
        ("manifests.are_yaml[deploy]", "line 5", "web.yaml, at the line named above"),
    ),
    "a kustomization names a file that is not there": (
        ("deploy/kustomization.yaml", "web.yaml", "wep.yaml"),
        ("manifests.have_its_workload[web]", "wep.yaml", "kubectl kustomize"),
    ),
    "a workload is called otherwise": (
        ("pyproject.toml", "deployment/web", "deployment/wep"),
        ("manifests.have_its_workload[web]", "deployments: web", "did you mean deployment/web?"),
    ),
    "a Service has another port": (
        ("pyproject.toml", "port = 80", "port = 8080"),
        ("manifests.have_its_port[web]", "port 80", "correct the port of the Service, or services.web.port"),
    ),
    "a Service leads to no port of its container": (
        ("deploy/web.yaml", "targetPort: http", "targetPort: https"),
        ("manifests.have_its_port[web]", "container ports: http", "correct targetPort of the Service"),
    ),
    "a Service selects no pod": (
        ("deploy/web.yaml", "spec: {selector: {app: web}", "spec: {selector: {app: wep}"),
        ("manifests.select_their_pods[deploy]", "it selects app=wep", "correct the selector of service/web"),
    ),
    "a ConfigMap is not there": (
        ("deploy/web.yaml", "configMapRef: {name: web}", "configMapRef: {name: wep}"),
        ("manifests.have_what_pods_use[deploy]", "none", "add ConfigMap wep to the manifests"),
    ),
    "a Secret is neither there nor made elsewhere": (
        ("pyproject.toml", 'required_secrets = ["outside"]', ""),
        ("manifests.have_what_pods_use[deploy]", "none", "name it in required_secrets of pyproject.toml"),
    ),
    "an image is called otherwise": (
        ("deploy/web.yaml", "shop/web:dev", "shop/wep:dev"),
        (
            "manifests.run_its_image[web]",
            "images: postgres, shop/wep",
            "did you mean shop/wep? correct images.web.image",
        ),
    ),
    "an image that none is made from is not run": (
        ("Dockerfile", "shop/base:1", "python:3.13-slim"),
        ("manifests.run_its_image[base]", "images: postgres, shop/web", "correct images.base.image in pyproject.toml"),
    ),
    "an image has no Dockerfile": (
        ("pyproject.toml", '"base/Dockerfile"', '"base.Dockerfile"'),
        ("files.has_its_dockerfile[base]", "no file", "correct images.base.dockerfile"),
    ),
    "a Secret has no such key": (
        ("deploy/db.yaml", "stringData: {password:", "stringData: {pasword:"),
        ("manifests.have_its_password[db]", "the keys pasword", "correct services.db.password"),
    ),
}


def test_whole_project_is_valid(project: Project) -> None:
    """What is whole passes without any tool, and what was not needed is off; the report keeps its schema."""
    result = project.run("--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(report)
    states = {each["probe"]: each["verdict"]["state"] for each in report["checks"]}
    assert states.pop("engine.answers[engine]") == "unknown"
    assert states.pop("manifests.can_be_built[deploy]") == "unknown"
    assert set(states.values()) <= {"pass", "off"}
    assert {states[f"tools.are_new_enough[{each}]"] for each in ("kubectl", "kind")} == {"off"}


def test_what_could_not_be_looked_at_is_told_apart(project: Project) -> None:
    """Without an engine nothing fails, and `--strict` has an exit code of its own for that."""
    assert project.run("--strict").exit_code == 3
    assert "shop is not fully verified" in project.run().output


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_named(project: Project, name: str) -> None:
    """One broken thing fails, with what was found and the remedy."""
    (file, before, after), (probe, found, remedy) = BROKEN[name]
    project.edit(file, before, after)
    verdict = project.look(code=1)[probe]
    assert verdict["state"] == "fail"
    assert found in verdict["found"]
    assert remedy in verdict["remedy"]
    assert verdict["expected"]
    assert verdict["where"]


def test_version_that_two_migrations_have_is_named(project: Project) -> None:
    """Both files of one version are told, and that one is to be renamed."""
    project.write("migrations/1_items.sql", "SELECT 1;\n")
    verdict = project.look(code=1)["migrations.can_be_read[orders]"]
    assert "version 1 is already that of" in verdict["found"]
    assert "rename" in verdict["remedy"]


def test_every_problem_of_the_settings_is_told_at_once(project: Project) -> None:
    """Each has its key, its line and its remedy, and the exit code is that of a wrong configuration."""
    project.edit("pyproject.toml", "local_port", "locl_port")
    project.edit("pyproject.toml", 'requires = ["db"]', 'requires = ["bd"]')
    found = project.look(code=2)
    assert {each["state"] for each in found.values()} == {"fail"}
    assert len(found) == 2
    assert all(each["where"].startswith("pyproject.toml:") for each in found.values())
    assert any("local_port" in each["remedy"] for each in found.values())


def test_no_settings_at_all_say_how_to_begin(project: Project) -> None:
    """Where nothing describes an environment, the remedy writes a first table."""
    (project.folder / "pyproject.toml").unlink()
    (verdict,) = project.look(code=2).values()
    assert verdict["remedy"] == "pytest-devenv init --write"


def test_old_and_missing_tools_are_named_where_they_are_needed(project: Project, programs: Path) -> None:
    """An old kubectl fails with the version that will do; a kind that is needed and not there, with how to get it."""
    kubectl = programs / "kubectl"
    kubectl.write_text("#!/bin/sh\necho 'Client Version: v1.20.3'\n")
    kubectl.chmod(0o755)
    project.edit("pyproject.toml", 'contexts = ["kind-*"]', 'cluster = "kind"')
    found = project.look(code=1)
    old = found["tools.are_new_enough[kubectl]"]
    assert (old["state"], old["found"]) == ("fail", "1.20.3")
    assert ">=1.27" in old["expected"]
    missing = found["tools.are_new_enough[kind]"]
    assert (missing["state"], missing["found"]) == ("fail", "none on PATH")
    assert missing["remedy"].startswith("install kind: ")


def test_context_that_is_not_allowed_fails(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is asked of a cluster that the settings do not allow, and the remedy says what to do about it."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    (tmp_path / "config").write_text("current-context: production\n")
    found = project.look(code=1)
    assert found["context.may_be_used[context]"]["state"] == "fail"
    assert "add 'production' to contexts" in found["context.may_be_used[context]"]["remedy"]
    assert found["cluster.can_be_reached[cluster]"]["state"] == "blocked"


def test_cluster_that_does_not_answer_is_unknown(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cluster that is allowed and away is neither valid nor invalid."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    entry = {"name": "kind-shop", "cluster": {"server": "https://127.0.0.1:1"}}
    context = {"name": "kind-shop", "context": {"cluster": "kind-shop"}}
    config = {"current-context": "kind-shop", "clusters": [entry], "contexts": [context]}
    (tmp_path / "config").write_text(json.dumps(config))
    found = project.look(code=1)
    assert found["cluster.can_be_reached[cluster]"]["state"] == "unknown"
    assert found["cluster.can_be_reached[cluster]"]["remedy"] == "docker start shop-control-plane"
    assert found["tools.are_new_enough[kubectl]"]["state"] == "fail"
