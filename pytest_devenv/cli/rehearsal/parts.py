"""What of an environment's manifests a migration needs, and nothing else of it."""

from __future__ import annotations

import base64
import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_devenv.errors import ConfigError, TargetError
from pytest_devenv.settings import ServiceKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pytest_devenv.settings import Service, Settings

    Manifest = dict[str, Any]

# What stands beside workloads, runs nothing, and belongs to one namespace.
_SUPPORT = (
    "LimitRange",
    "ResourceQuota",
    "ServiceAccount",
    "ConfigMap",
    "Secret",
    "NetworkPolicy",
    "Service",
)
_CLAIM = "PersistentVolumeClaim"
_SEED = "seed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The manifests in the order in which they are applied, as they are for a namespace of their own.

    `labels` are those that the environment's namespace has. `migration` and `seed` name the Jobs, the second one only
    where the manifests have it.
    """

    manifests: tuple[Manifest, ...]
    labels: dict[str, str]
    migration: str
    seed: str | None

    def secrets(self) -> Iterator[str]:
        """Yield every value of the Secrets."""
        for each in self.manifests:
            if each["kind"] == "Secret":
                yield from (each.get("stringData") or {}).values()
                for value in (each.get("data") or {}).values():
                    yield base64.b64decode(value).decode(errors="replace")


def migration_of(settings: Settings) -> Service:
    """Return the Job of the settings that migrates. Raises ConfigError where there is not exactly one."""
    jobs = [each for each in settings.services.values() if each.kind is ServiceKind.JOB and each.workload is not None]
    if len(jobs) == 1:
        return jobs[0]
    message = (
        f"expected one service of kind job with a workload, found {', '.join(each.name for each in jobs) or 'none'}, "
        f"looked in {settings.file}"
    )
    raise ConfigError(message, remedy='describe the migration: kind = "job", workload = "job/…"')


def parts_of(manifests: Sequence[Manifest], settings: Settings, namespace: str, *, seed: str | None = None) -> Parts:
    """Choose the migration's Job, what it requires, the Job of the seeds, and all that these use.

    `seed` names the Job of the seeds; without it, it is the one whose name says so. The migration waits for nobody
    to let it run, the seeds do. Raises TargetError where a workload is in no manifest.
    """
    job = migration_of(settings)
    workloads = {_name(each): each for each in manifests if "template" in each.get("spec", {})}
    needed = [str(service.workload) for service in _required(settings, job) if service.workload is not None]
    missing = [name for name in needed if name not in workloads]
    if missing:
        message = f"expected {missing[0]} in the manifests, found {', '.join(workloads) or 'no workload'}"
        raise TargetError(message, remedy=f"correct the workload in {settings.file.name}, or the folder of manifests")
    seeding = _seeding(workloads, needed, seed)
    chosen = [copy.deepcopy(workloads[name]) for name in (*needed, *([] if seeding is None else [seeding]))]
    for each in chosen:
        if each["kind"] == "Job":
            each["spec"]["suspend"] = _name(each) == seeding
    claims = {claim for each in chosen for claim in _claims(each)}
    beside = [
        copy.deepcopy(each)
        for each in manifests
        if each["kind"] in _SUPPORT or (each["kind"] == _CLAIM and each["metadata"]["name"] in claims)
    ]
    beside.sort(key=lambda each: _SUPPORT.index(each["kind"]) if each["kind"] in _SUPPORT else 0)
    for each in (*beside, *chosen):
        each["metadata"]["namespace"] = namespace
    labels = {
        key: value
        for each in manifests
        if each["kind"] == "Namespace"
        for key, value in (each["metadata"].get("labels") or {}).items()
    }
    return Parts(manifests=(*beside, *chosen), labels=labels, migration=str(job.workload), seed=seeding)


def _required(settings: Settings, service: Service) -> Iterator[Service]:
    """Yield what a service requires, directly or through others, and then the service itself, each once."""
    seen: dict[str, Service] = {}

    def visit(each: Service) -> None:
        for name in each.requires:
            if name not in seen:
                visit(settings.services[name])
        seen[each.name] = each

    visit(service)
    yield from seen.values()


def _seeding(workloads: dict[str, Manifest], needed: Iterable[str], named: str | None) -> str | None:
    jobs = [name for name in workloads if name.startswith("job/") and name not in needed]
    if named is None:
        found = [name for name in jobs if _SEED in name]
        return found[0] if len(found) == 1 else None
    name = named if named.startswith("job/") else f"job/{named}"
    if name in jobs:
        return name
    message = f"expected {name} in the manifests, found {', '.join(jobs) or 'no other Job'}"
    raise TargetError(message, remedy="name one of those in --seed-job")


def _claims(workload: Manifest) -> Iterator[str]:
    for volume in workload["spec"]["template"]["spec"].get("volumes") or ():
        if "persistentVolumeClaim" in volume:
            yield volume["persistentVolumeClaim"]["claimName"]


def _name(manifest: Manifest) -> str:
    return f"{str(manifest['kind']).lower()}/{manifest['metadata']['name']}"
