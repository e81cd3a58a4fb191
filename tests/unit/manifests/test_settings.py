"""The manifests and [tool.pytest-devenv] tell of the same environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from pytest_devenv.settings import ServiceKind
from pytest_devenv.settings.read import read
from tests.cluster.images.applications import APPLICATIONS
from tests.cluster.images.standins import NAMES, SERVERS
from tests.cluster.images.wheels import PYTHON
from tests.unit.manifests.written import FOLDER, ROOT, containers, environment, files, of_kind

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_devenv.settings import Service, Settings


@pytest.fixture(scope="module")
def settings() -> Settings:
    """Give the settings of the reference environment."""
    return read(ROOT / "pyproject.toml", environ={})


def services() -> list[Service]:
    """Return its services."""
    return list(read(ROOT / "pyproject.toml", environ={}).services.values())


ADDRESSED = pytest.mark.parametrize(
    "service", [each for each in services() if each.kind is not ServiceKind.JOB], ids=lambda each: each.name
)


@pytest.mark.parametrize("file", files(), ids=lambda file: str(file.relative_to(FOLDER)))
def test_every_file_is_yaml_and_is_used(file: Path) -> None:
    """Each can be read, and each manifest stands in the kustomization beside it."""
    assert all(isinstance(document, dict) for document in yaml.safe_load_all(file.read_text()))
    beside = yaml.safe_load(file.with_name("kustomization.yaml").read_text())
    named = {*beside["resources"], *(each["path"] for each in beside.get("replacements", ())), "kustomization.yaml"}
    assert file.name in named


def test_the_namespace_is_that_of_the_settings(settings: Settings) -> None:
    """The base is for the namespace that the settings look in, and makes it."""
    base = yaml.safe_load((FOLDER / "base" / "kustomization.yaml").read_text())
    assert base["namespace"] == settings.namespace
    assert f"namespace/{settings.namespace}" in of_kind("Namespace")


@pytest.mark.parametrize("service", services(), ids=lambda each: each.name)
def test_every_workload_of_the_settings_is_there(service: Service) -> None:
    """Kind and name are as the settings write them."""
    assert service.workload in of_kind("Deployment", "StatefulSet", "Job")


@ADDRESSED
def test_ports_agree(service: Service) -> None:
    """The Service, the container that it leads to, and the settings have one port."""
    found = of_kind("Service")[f"service/{service.name}"]["spec"]
    pod = of_kind("Deployment")[str(service.workload)]["spec"]["template"]
    named = {port["name"]: port["containerPort"] for port in pod["spec"]["containers"][0]["ports"]}
    assert [port["port"] for port in found["ports"]] == [service.port]
    assert [named[port["targetPort"]] for port in found["ports"]] == [service.port]
    assert found["selector"].items() <= pod["metadata"]["labels"].items()


@pytest.mark.parametrize("name", ["backend", "frontend"])
def test_variables_are_those_of_the_settings(name: str, settings: Settings) -> None:
    """What the embedded target gives a service is what its container gets; and what needs no address is the same."""
    found = environment(dict(containers())[f"deployment/{name}/{name}"])
    given = settings.services[name].env
    assert given.keys() <= found.keys()
    plain = {key: value for key, value in given.items() if "{" not in value and found[key] is not None}
    assert {key: found[key] for key in plain} == plain


def test_the_page_is_told_the_local_address_of_the_backend(settings: Settings) -> None:
    """The first developer's browser reaches the backend at its local port."""
    found = environment(dict(containers())["deployment/frontend/frontend"])
    assert found["VITE_API_URL"] == f"http://localhost:{settings.services['backend'].local_port}"


def test_required_secrets_are_there_and_used(settings: Settings) -> None:
    """Each is a Secret of its own, and the backend gets it under the variable that the settings mean."""
    found = environment(dict(containers())["deployment/backend/backend"])
    for name in settings.required_secrets:
        assert name in of_kind("Secret")[f"secret/{name}"]["stringData"]
        assert found[name.upper().replace("-", "_")] is None


def test_the_password_is_where_the_settings_say(settings: Settings) -> None:
    """PostgreSQL is started with the key of the Secret that pytest-devenv reads."""
    source = settings.services["postgres"].password
    assert source is not None
    assert str(source.key) in of_kind("Secret")[f"secret/{source.secret}"]["stringData"]
    container = dict(containers())["deployment/postgres/postgres"]
    (given,) = [each for each in container["env"] if each["name"] == source.env]
    assert given["valueFrom"]["secretKeyRef"] == {"name": source.secret, "key": source.key}


def test_every_database_and_role_is_made(settings: Settings) -> None:
    """The image makes one database, the script the others, with the roles that their migrations use."""
    made = {environment(dict(containers())["deployment/postgres/postgres"])["POSTGRES_DB"]}
    script = of_kind("ConfigMap")["configmap/postgres-init"]["data"]["10-jobs.sql"]
    for database in settings.databases.values():
        assert database.name in made or f"CREATE DATABASE {database.name} OWNER" in script
        assert all(f"CREATE ROLE {role} NOLOGIN" in script for role in database.roles)


def test_the_services_are_found_from_inside(settings: Settings) -> None:
    """The tools in the cluster are told the DNS name and port of every service with an address."""
    found = of_kind("ConfigMap")["configmap/devenv"]["data"]
    for service in settings.services.values():
        if service.kind is not ServiceKind.JOB:
            assert f"{service.name}:{service.port}" in found[f"PYTEST_DEVENV_{service.name.upper()}_URL"]


def test_every_image_is_one_that_is_built_or_public() -> None:
    """What the pods run is what `make cluster` loads, and what the Dockerfiles build on has a stand-in."""
    built = {each.image for each in APPLICATIONS}
    assert {container["image"] for _, container in containers()} == built | set(SERVERS)
    for each in APPLICATIONS:
        for line in (ROOT / each.dockerfile).read_text().splitlines():
            if line.startswith("FROM ") and ("python" in line or "NGINX" in line):
                image = line.split()[1].replace("${PYTHON_VERSION}", PYTHON).replace("${NGINX}", NAMES["nginx"])
                assert image in NAMES.values()
