"""Evaluating the Tiltfile without Tilt: real Starlark, and each of Tilt's functions takes down how it was called."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import starlark
import yaml

from pytest_devenv.cli.config import to_json
from pytest_devenv.options import overrides
from pytest_devenv.settings.read import read

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).parents[3]
_PRELUDE = """
config = struct(define_string=_define, define_string_list=_define, parse=_parse, tilt_subcommand=_subcommand)
os = struct(path=struct(exists=_exists, basename=_basename))
TRIGGER_MODE_MANUAL = "manual"
"""


@dataclass(slots=True)
class Evaluated:
    """What a Tiltfile has declared: resources, buttons and images by name, manifests, and what it printed."""

    resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    buttons: dict[str, dict[str, Any]] = field(default_factory=dict)
    images: dict[str, dict[str, Any]] = field(default_factory=dict)
    manifests: list[dict[str, Any]] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)
    updates: dict[str, Any] = field(default_factory=dict)
    printed: str = ""
    registry: str | None = None

    def manifest(self, kind: str, name: str) -> dict[str, Any]:
        """Return one manifest."""
        (found,) = [each for each in self.manifests if (each["kind"], each["metadata"]["name"]) == (kind, name)]
        return found


def evaluated(
    chosen: Mapping[str, object] | None = None,
    *,
    context: str = "kind-devenv",
    taken: str = "",
    environ: Mapping[str, str] | None = None,
    subcommand: str = "up",
    turned: bool = False,
) -> Evaluated:
    """Evaluate the repository's Tiltfile with what the user has chosen. Raises StarlarkError where it fails.

    `taken` is what the command says that looks for ports which somebody else holds, `environ` are pytest-devenv's own
    variables. With `turned` the tables of JSON come in another order: those that Tilt gives have none.
    """
    found = Evaluated()
    module = starlark.Module()
    for name, function in _builtins(found, chosen or {}, context, taken, environ or {}).items():
        module.add_callable(name, function)
    if turned:
        module.add_callable("decode_json", _turned)
    module["_subcommand"] = subcommand
    extensions = [starlark.LibraryExtension.StructType]
    dialect = starlark.Dialect.extended()
    dialect.enable_top_level_stmt = True
    parsed = starlark.parse("Tiltfile", _PRELUDE + (ROOT / "Tiltfile").read_text(), dialect=dialect)
    starlark.eval(module, parsed, starlark.Globals.extended_by(extensions))
    return found


def _builtins(
    found: Evaluated, chosen: Mapping[str, object], context: str, taken: str, environ: Mapping[str, str]
) -> dict[str, Callable[..., object]]:
    def local(command: list[str], **_: object) -> str:
        if command[1:] == ["config", "--json"]:
            return _settings(**environ)
        assert command[1:3] == ["env", "ports"], command
        return taken

    def k8s_resource(workload: str = "", **more: Any) -> None:  # noqa: ANN401  # as Tilt takes it
        found.resources[workload or more["new_name"]] = more

    def local_resource(name: str, **more: Any) -> None:  # noqa: ANN401  # as Tilt takes it
        found.buttons[name] = more

    def docker_build(name: str, place: str, **more: Any) -> None:  # noqa: ANN401  # as Tilt takes it
        found.images[name] = {"place": place, **more}

    def registry(name: str) -> None:
        found.registry = name

    def said(text: str) -> None:
        found.printed += text

    return {
        "_define": lambda *_, **__: None,
        "_parse": lambda: dict(chosen),
        "_exists": lambda path: (ROOT / path).exists() and path != "wheels",
        "_basename": lambda path: Path(path).name,
        "version_settings": lambda **_: None,
        "update_settings": lambda **given: found.updates.update(given),
        "watch_file": lambda _: None,
        "read_file": lambda path: (ROOT / path).read_text(),
        "listdir": lambda path, *, recursive: [
            str(ROOT / path / each.name) for each in sorted((ROOT / path).iterdir()) if recursive
        ],
        "decode_json": json.loads,
        "local": local,
        "k8s_context": lambda: context,
        "allow_k8s_contexts": found.allowed.append,
        "default_registry": registry,
        "kustomize": lambda _: _base(),
        "decode_yaml_stream": lambda text: list(yaml.safe_load_all(text)),
        "encode_yaml_stream": yaml.safe_dump_all,
        "k8s_yaml": lambda text: found.manifests.extend(yaml.safe_load_all(text)),
        "k8s_resource": k8s_resource,
        "local_resource": local_resource,
        "docker_build": docker_build,
        "port_forward": lambda here, there, **more: [here, there, more],
        "link": lambda url, name: [url, name],
        "sync": lambda here, there: ["sync", here, there],
        "fall_back_on": lambda paths: ["fall_back_on", *paths],
        "print": said,
    }


def _turned(text: str) -> object:
    return json.loads(text, object_pairs_hook=lambda pairs: dict(reversed(pairs)))


@functools.cache
def _settings(**environ: str) -> str:
    return to_json(read(ROOT / "pyproject.toml", overrides=overrides(environ), environ=environ))


@functools.cache
def _base() -> str:
    """Return the manifests of k8s/base as one stream, each in the namespace, as kustomize puts them."""
    folder = ROOT / "k8s" / "base"
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    documents = []
    for name in kustomization["resources"]:
        for document in yaml.safe_load_all((folder / name).read_text()):
            if document["kind"] not in {"Namespace", "ClusterRole", "ClusterRoleBinding"}:
                document["metadata"]["namespace"] = kustomization["namespace"]
            documents.append(document)
    return yaml.safe_dump_all(documents)
