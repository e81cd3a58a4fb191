"""What Kubernetes manifests say: workloads, their ports, secrets and namespace."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_devenv.cli.init.found import FoundService, kind_of, safe_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_OBJECT = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


@dataclass(slots=True)
class Manifests:
    """The objects of all manifests, with the file that each stands in."""

    objects: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def add(self, file: str, text: str) -> None:
        """Take in every object of a YAML text. Raises `yaml.YAMLError`."""
        import yaml

        for document in yaml.safe_load_all(text):
            items = (
                document.get("items") if isinstance(document, dict) and document.get("kind") == "List" else [document]
            )
            self.objects += (
                (file, each)
                for each in items or []
                if isinstance(each, dict) and "kind" in each and "apiVersion" in each and _OBJECT.fullmatch(_name(each))
            )

    def services(self) -> Iterator[FoundService]:
        """Yield what each workload runs, as a service, and each Job."""
        for file, each in self.objects:
            name = safe_name(_name(each))
            if name is None:
                continue
            if each["kind"] == "Job":
                yield FoundService(name=name, kind="job", told_by=file, workload=f"job/{_name(each)}")
            elif each["kind"] in _WORKLOADS:
                yield from self._service(file, name, each)

    def namespace(self) -> str | None:
        """Return the namespace of the objects, where all that name one name the same."""
        named = {
            str(_at(each, "metadata", "namespace")) for _, each in self.objects if _at(each, "metadata", "namespace")
        }
        named |= {_name(each) for _, each in self.objects if each["kind"] == "Namespace"}
        name = named.pop() if len(named) == 1 else ""
        return name if _LABEL.fullmatch(name) else None

    def secrets(self) -> tuple[str, ...]:
        """Return the names of the Secrets that are there or that containers take variables from."""
        named = [_name(each) for _, each in self.objects if each["kind"] == "Secret"]
        for _, each in self.objects:
            for container in _containers(each):
                named += (str(name) for name in _secrets_of(container))
        return tuple(dict.fromkeys(named))

    def _service(self, file: str, name: str, workload: dict[str, Any]) -> Iterator[FoundService]:
        container = next(iter(_containers(workload)), None)
        if container is None:
            return
        ports = tuple(
            port for each in _list(container.get("ports")) if isinstance(port := _at(each, "containerPort"), int)
        )
        kind = kind_of(str(container.get("image", "")), ports)
        if kind is None:
            return
        env = {str(each.get("name")): each for each in _list(container.get("env"))}
        health = _at(container, "readinessProbe", "httpGet", "path") or _at(
            container, "livenessProbe", "httpGet", "path"
        )
        password = _at(env.get("POSTGRES_PASSWORD"), "valueFrom", "secretKeyRef")
        user, database = (_at(env.get(key), "value") for key in ("POSTGRES_USER", "POSTGRES_DB"))
        yield FoundService(
            name=name,
            kind=kind,
            told_by=file,
            workload=f"{str(workload['kind']).lower()}/{_name(workload)}",
            port=self._service_port(workload) or next(iter(ports), None),
            user=user if isinstance(user, str) else None,
            database=database if isinstance(database, str) and safe_name(database) == database else None,
            password_env="POSTGRES_PASSWORD" if kind == "postgres" and "POSTGRES_PASSWORD" in env else None,
            password_secret=(
                (str(password["name"]), str(password["key"]))
                if kind == "postgres" and _OBJECT.fullmatch(str(_at(password, "name"))) and _at(password, "key")
                else None
            ),
            health=health if kind == "http" and isinstance(health, str) and health.startswith("/") else None,
        )

    def _service_port(self, workload: dict[str, Any]) -> int | None:
        """Return the port of the Service that selects the workload."""
        labels = _at(workload, "spec", "template", "metadata", "labels")
        for _, each in self.objects:
            selector = _at(each, "spec", "selector")
            if (
                each["kind"] != "Service"
                or not isinstance(selector, dict)
                or not isinstance(labels, dict)
                or not selector
            ):
                continue
            if selector.items() <= labels.items():
                ports = [_at(port, "port") for port in _list(_at(each, "spec", "ports"))]
                return next((port for port in ports if isinstance(port, int)), None)
        return None


def _containers(workload: dict[str, Any]) -> list[dict[str, Any]]:
    return _list(_at(workload, "spec", "template", "spec", "containers"))


def _secrets_of(container: dict[str, Any]) -> Iterator[object]:
    for each in _list(container.get("env")):
        if name := _at(each, "valueFrom", "secretKeyRef", "name"):
            yield name
    for each in _list(container.get("envFrom")):
        if name := _at(each, "secretRef", "name"):
            yield name


def _list(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _at(value: object, *path: str) -> Any:  # noqa: ANN401  # a manifest may hold anything anywhere
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _name(each: Mapping[str, object]) -> str:
    return str(_at(each, "metadata", "name") or "")
