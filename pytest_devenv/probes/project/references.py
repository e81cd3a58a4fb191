"""What the pods of manifests refer to: ConfigMaps, Secrets, volume claims, service accounts, and keys of those."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_devenv.probes.cluster.objects import labels_of, name_of, spec_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_devenv.probes.cluster.objects import Object
    from pytest_devenv.probes.project.gathering import Gathered

# Objects that have a Secret of their own name made from somewhere else.
_MAKERS_OF_SECRETS = ("SealedSecret", "ExternalSecret")
_MADE_BY_KUBERNETES = frozenset({("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")})


@dataclass(frozen=True, slots=True)
class Reference:
    """One reference: what refers, as kubectl writes it, and to which object, and key, if it names one."""

    by: str
    kind: str
    name: str
    key: str | None = None

    def __str__(self) -> str:
        return f"{self.kind} {self.name}" if self.key is None else f"key {self.key} of {self.kind} {self.name}"


def pods_of(each: Object) -> Object | None:
    """Return the template of the pods that an object makes, a pod itself, None for what makes none."""
    if each.get("kind") == "Pod":
        return each
    spec = spec_of(each)
    if each.get("kind") == "CronJob":
        spec = spec_of(spec.get("jobTemplate") or {})
    template = spec.get("template")
    return template if isinstance(template, dict) and isinstance(template.get("spec"), dict) else None


def labels_of_pods(each: Object) -> Mapping[str, str]:
    """Return the labels of the pods that an object makes."""
    template = pods_of(each)
    return {} if template is None else labels_of({"metadata": template.get("metadata") or {}})


def broken(gathered: Gathered, elsewhere: frozenset[str]) -> tuple[Reference, ...]:
    """Return the references that lead nowhere. `elsewhere` are the Secrets that others put into the cluster."""
    found = (each for one in gathered.objects for each in references(one))
    return tuple(dict.fromkeys(each for each in found if not _leads(each, gathered, elsewhere)))


def references(each: Object) -> Iterator[Reference]:
    """Yield what the pods of an object cannot start without."""
    template = pods_of(each)
    if template is None:
        return
    by, pod = f"{str(each['kind']).lower()}/{name_of(each)}", spec_of(template)
    account = pod.get("serviceAccountName")
    if isinstance(account, str):
        yield Reference(by, "ServiceAccount", account)
    for volume in _tables(pod.get("volumes")):
        yield from _of_volume(by, volume)
    for container in (*_tables(pod.get("initContainers")), *_tables(pod.get("containers"))):
        for source in _tables(container.get("envFrom")):
            yield from _of_source(by, "ConfigMap", source.get("configMapRef"), keyed=False)
            yield from _of_source(by, "Secret", source.get("secretRef"), keyed=False)
        for variable in _tables(container.get("env")):
            given = variable.get("valueFrom") or {}
            yield from _of_source(by, "ConfigMap", given.get("configMapKeyRef"), keyed=True)
            yield from _of_source(by, "Secret", given.get("secretKeyRef"), keyed=True)


def _of_volume(by: str, volume: Object) -> Iterator[Reference]:
    yield from _of_source(by, "ConfigMap", volume.get("configMap"), keyed=False)
    secret = volume.get("secret") or {}
    yield from _of_source(by, "Secret", {**secret, "name": secret.get("secretName")}, keyed=False)
    claim = (volume.get("persistentVolumeClaim") or {}).get("claimName")
    yield from _of_source(by, "PersistentVolumeClaim", {"name": claim}, keyed=False)


def _of_source(by: str, kind: str, source: Any, *, keyed: bool) -> Iterator[Reference]:  # noqa: ANN401  # of a manifest
    if isinstance(source, dict) and isinstance(source.get("name"), str) and not source.get("optional"):
        yield Reference(by, kind, source["name"], str(source.get("key")) if keyed else None)


def _leads(reference: Reference, gathered: Gathered, elsewhere: frozenset[str]) -> bool:
    if (reference.kind, reference.name) in _MADE_BY_KUBERNETES:
        return True
    found = gathered.named(reference.kind, reference.name)
    if found is None:
        made = any(gathered.named(maker, reference.name) for maker in _MAKERS_OF_SECRETS)
        return reference.kind == "Secret" and (made or reference.name in elsewhere)
    held = {key for field in ("data", "stringData", "binaryData") for key in found.get(field) or {}}
    return reference.key is None or reference.key in held


def _tables(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
