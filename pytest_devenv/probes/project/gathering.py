"""The objects of a project's manifests: built by kubectl where it is there, else as the files have them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_devenv.clients.kubernetes.kustomize import kustomization_of
from pytest_devenv.probes.cluster.manifests import render
from pytest_devenv.verdict import Verdict, failed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.probes.cluster.objects import Object

BUILD_S = 30.0
_SUFFIXES = frozenset({".yaml", ".yml"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """The objects of a folder; `built` tells whether kustomize has put them together, patches and all."""

    folder: Path
    objects: tuple[Object, ...]
    built: bool

    @property
    def note(self) -> str:
        """What a reader should know of how the objects came to be known."""
        return "" if self.built else ", as the files have them: there is no kubectl to build them"

    def of_kind(self, *kinds: str) -> Iterator[Object]:
        """Yield the objects of these kinds."""
        return (each for each in self.objects if each.get("kind") in kinds)

    def named(self, kind: str, name: str) -> Object | None:
        """Return one object, None where the manifests have none of that kind and name."""
        return next((each for each in self.of_kind(kind) if each["metadata"]["name"] == name), None)


def builds(folder: Path) -> bool:
    """Return whether a folder is a kustomization, and kubectl is here to build it."""
    return kustomization_of(folder) is not None and shutil.which("kubectl") is not None


def yaml_files(folder: Path) -> tuple[Path, ...]:
    """Return the YAML files below a folder."""
    return tuple(sorted(each for each in folder.rglob("*") if each.suffix in _SUFFIXES and each.is_file()))


def documents(file: Path) -> list[dict[str, Any]]:
    """Return the tables of a YAML file. Raises `yaml.YAMLError`, OSError, and ValueError for a date that is none."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found = yaml.load_all(file.read_text(encoding="utf-8"), Loader=loader)
    return [each for each in found if isinstance(each, dict)]


def gather(folder: Path) -> Gathered | Verdict:
    """Return the objects of the manifests in a folder, or the verdict on why they cannot be had."""
    import yaml

    kustomization = kustomization_of(folder)
    if kustomization is None or builds(folder):
        rendered = render(folder, deadline_s=BUILD_S)
        if isinstance(rendered, Verdict):
            return rendered
        return Gathered(folder=folder, objects=tuple(filter(_is_object, rendered)), built=True)
    try:
        return Gathered(folder=folder, objects=tuple(_resources(folder, frozenset())), built=False)
    except (yaml.YAMLError, OSError, ValueError) as error:
        return failed(
            "the manifests cannot be read",
            expected="a kustomization whose resources are YAML files, or folders with one",
            found=" ".join(str(error).split())[:300],
            where=str(kustomization),
            remedy=f"correct it, then: kubectl kustomize {folder}",
        )


def _is_object(document: Object) -> bool:
    metadata = document.get("metadata")
    return bool(document.get("kind")) and isinstance(metadata, dict) and isinstance(metadata.get("name"), str)


def _resources(folder: Path, above: frozenset[Path]) -> Iterator[Object]:
    """Yield the objects that a kustomization names, and those that it generates, without its patches."""
    kustomization = kustomization_of(folder)
    if kustomization is None or folder in above:
        return
    table = next(iter(documents(kustomization)), {})
    for entry in (*_texts(table, "resources"), *_texts(table, "components")):
        place = (folder / entry).resolve()
        if place.is_dir():
            yield from _resources(place, above | {folder})
        elif "://" not in entry:
            yield from filter(_is_object, documents(place))
    for key, kind in (("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")):
        for each in table.get(key) or ():
            if isinstance(each, dict) and isinstance(each.get("name"), str):
                yield {"kind": kind, "metadata": {"name": each["name"]}, "data": dict.fromkeys(_generated(each), "")}


def _texts(table: Object, key: str) -> list[str]:
    found = table.get(key)
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def _generated(generator: Object) -> Iterator[str]:
    """Yield the keys that a generator makes of its literals and files."""
    for literal in _texts(generator, "literals"):
        yield literal.partition("=")[0]
    for file in _texts(generator, "files"):
        name, equals, _ = file.partition("=")
        yield name if equals else Path(name).name
