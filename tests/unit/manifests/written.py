"""The manifests as objects, read from their files without kubectl."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "k8s"
RUNNING = ("Deployment", "StatefulSet", "DaemonSet")

Manifest = dict[str, Any]


def files() -> list[Path]:
    """Return every file of manifests and kustomizations."""
    return sorted(FOLDER.rglob("*.yaml"))


def manifests(*folders: str) -> list[Manifest]:
    """Return the objects of some folders of k8s/."""
    return [
        document
        for folder in folders
        for file in sorted((FOLDER / folder).glob("*.yaml"))
        if file.name != "kustomization.yaml"
        for document in yaml.safe_load_all(file.read_text())
    ]


def of_kind(*kinds: str) -> dict[str, Manifest]:
    """Return the base's objects of some kinds by `kind/name`, as the settings write it."""
    found = {f"{each['kind'].lower()}/{each['metadata']['name']}": each for each in manifests("base")}
    return {name: each for name, each in found.items() if each["kind"] in kinds}


def pods() -> Iterator[tuple[str, Manifest]]:
    """Yield every pod that is described, by the name of what makes it: its labels and its spec."""
    for each in manifests("base", "suite"):
        name = f"{each['kind'].lower()}/{each['metadata']['name']}"
        if each["kind"] in {*RUNNING, "Job"}:
            yield name, each["spec"]["template"]
        elif each["kind"] == "CronJob":
            yield name, each["spec"]["jobTemplate"]["spec"]["template"]


def containers() -> Iterator[tuple[str, Manifest]]:
    """Yield every container, by pod and name."""
    for name, pod in pods():
        for container in (*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]):
            yield f"{name}/{container['name']}", container


def environment(container: Manifest) -> dict[str, str | None]:
    """Return the environment of a container by name; None for a value that a Secret holds."""
    found: dict[str, str | None] = {}
    for source in container.get("envFrom", ()):
        found |= of_kind("ConfigMap")[f"configmap/{source['configMapRef']['name']}"]["data"]
    for each in container.get("env", ()):
        source = each.get("valueFrom", {})
        if "configMapKeyRef" in source:
            key = source["configMapKeyRef"]
            found[each["name"]] = of_kind("ConfigMap")[f"configmap/{key['name']}"]["data"][key["key"]]
        elif "secretKeyRef" in source:
            key = source["secretKeyRef"]
            assert key["key"] in of_kind("Secret")[f"secret/{key['name']}"]["stringData"]
            found[each["name"]] = None
        else:
            found[each["name"]] = _expanded(each["value"], found)
    return found


def _expanded(value: str, known: dict[str, str | None]) -> str:
    """Return a value with the variables that stand before it, as the kubelet fills them in."""
    for name, text in known.items():
        value = value.replace(f"$({name})", text or "")
    return value
