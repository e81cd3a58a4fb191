"""Manifests: read from YAML, files, folders or kustomizations, and applied by the server."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_devenv.clients.kubernetes.errors import ApiError
from pytest_devenv.clients.kubernetes.kustomize import build, kustomization_of
from pytest_devenv.clients.kubernetes.naming import Asked
from pytest_devenv.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import TypeAlias

    from pytest_devenv.clients.kubernetes.api import Api
    from pytest_devenv.clients.kubernetes.resources import Reference

    Manifest: TypeAlias = dict[str, Any]
    Source: TypeAlias = str | Path | Mapping[str, Any] | Sequence[Mapping[str, Any]]

FIELD_MANAGER = "pytest-devenv"
_BUILD_S = 60.0
_FIRST = ("Namespace", "CustomResourceDefinition")


def load(source: Source, *, root: Path) -> list[Manifest]:
    """Return the manifests of a source, those first that others need.

    It is a text with a line break in it, which is YAML; the path of a file or a folder, seen from `root`; a manifest,
    or several. A folder with a kustomization is built by kubectl, of any other all YAML files are read. Raises
    TargetError for what is no manifest, and for a path that is not there.
    """
    found = list(_manifests(source, root))
    return sorted(found, key=lambda each: _FIRST.index(each["kind"]) if each["kind"] in _FIRST else len(_FIRST))


def apply(api: Api, reference: Reference, manifest: Mapping[str, Any], *, force: bool, dry_run: bool) -> Manifest:
    """Apply one manifest on the server and return what is there then.

    Raises ApiError, which names the fields and their owners where somebody else manages what would change.
    """
    query = {"fieldManager": FIELD_MANAGER, "force": str(force).lower()} | ({"dryRun": "All"} if dry_run else {})
    try:
        return api.request(
            "PATCH", reference.path, dict(manifest), content_type="application/apply-patch+yaml", **query
        )
    except ApiError as error:
        if error.status != HTTPStatus.CONFLICT or force:
            raise
        message = error.message.replace("the API server refused to patch", "others manage what this would change:", 1)
        raise ApiError(
            message,
            remedy="leave those fields out of the manifest, or take them over: apply(…, force=True)",
            status=error.status,
            reason=error.reason,
            asked=Asked(error.verb, error.resource, error.namespace, reference.name),
        ) from error


def _manifests(source: Source, root: Path) -> Iterator[Manifest]:
    if isinstance(source, Mapping):
        yield from _judged([source], "the manifest that was given")
    elif isinstance(source, str) and "\n" in source:
        yield from _parsed(source, "the YAML that was given")
    elif isinstance(source, str | Path):
        yield from _at(root / source)
    else:
        yield from _judged(source, "the manifests that were given")


def _at(path: Path) -> Iterator[Manifest]:
    if kustomization_of(path) is not None:
        yield from _parsed(build(path, deadline_s=_BUILD_S), f"the kustomization {path}")
        return
    files = sorted((*path.glob("*.yaml"), *path.glob("*.yml"))) if path.is_dir() else [path]
    if not files:
        msg = f"expected manifests, found neither a kustomization nor a YAML file in the folder {path}"
        raise TargetError(msg, remedy="name the file or the folder that holds them")
    for file in files:
        try:
            text = file.read_text()
        except (OSError, UnicodeDecodeError) as error:
            msg = f"expected a file of manifests, found that it cannot be read: {error}"
            raise TargetError(msg, remedy="name a file or a folder, or give YAML of more than one line") from error
        yield from _parsed(text, str(file))


def _parsed(text: str, where: str) -> Iterator[Manifest]:
    import yaml

    try:
        documents = list(yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except yaml.YAMLError as error:
        msg = f"expected YAML, found: {' '.join(str(error).split())}\n  where: {where}"
        raise TargetError(msg, remedy="correct it") from error
    yield from _judged((each for each in documents if each is not None), where)


def _judged(documents: Iterable[object], where: str) -> Iterator[Manifest]:
    for number, document in enumerate(documents, 1):
        if isinstance(document, Mapping) and document.get("kind") == "List" and isinstance(document.get("items"), list):
            yield from _judged(document["items"], where)
            continue
        metadata = document.get("metadata") if isinstance(document, Mapping) else None
        named = isinstance(metadata, Mapping) and isinstance(metadata.get("name"), str)
        if not isinstance(document, Mapping) or not named or not document.get("apiVersion") or not document.get("kind"):
            found = f"document {number} without them"
            msg = f"expected manifests with apiVersion, kind and metadata.name, found {found}, looked in {where}"
            raise TargetError(msg, remedy="complete it")
        yield dict(document)
