"""Whether each required secret is there for the pods: by what they were given, and only then by the Secrets' keys."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pytest_devenv.probes.cluster.containers import missing_source
from pytest_devenv.probes.cluster.kubectl import kubectl_of
from pytest_devenv.probes.cluster.namespace import readable_id
from pytest_devenv.probes.cluster.objects import containers, name_of
from pytest_devenv.probes.cluster.refusals import forbidden
from pytest_devenv.probes.cluster.snapshot import cluster_of
from pytest_devenv.probes.probe import Probe, probe_id
from pytest_devenv.probes.secrets import variable
from pytest_devenv.verdict import failed, passed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_devenv.probes.cluster.kubectl import Kubectl
    from pytest_devenv.probes.cluster.objects import Object
    from pytest_devenv.probes.cluster.snapshot import Snapshot
    from pytest_devenv.probes.cluster.trouble import Trouble
    from pytest_devenv.probes.shared import Shared
    from pytest_devenv.settings import Settings
    from pytest_devenv.targets.environment import Environment
    from pytest_devenv.verdict import Verdict

NAME = "secret.is_present"


def probes(settings: Settings, shared: Shared[Snapshot]) -> Iterator[Probe]:
    """Yield a probe for every required secret."""
    for secret in settings.required_secrets:
        look = partial(_is_present, secret, shared)
        yield Probe(name=NAME, subject=secret, look=look, requires=(readable_id(settings),))


def cause_of(trouble: Trouble, settings: Settings) -> str | None:
    """Return the id of the probe that tells of the Secret which a trouble comes from, where one does."""
    if trouble.secret is None:
        return None
    secret, key = trouble.secret
    for required in settings.required_secrets:
        if _is(required, secret, key):
            return probe_id(NAME, required)
    return None


def _is(required: str, secret: str, key: str | None) -> bool:
    """Return whether a required secret is this Secret, or this key of it, whether as a name or as a variable."""
    return required == secret if key is None else key in _spellings(required) or required == secret


def _spellings(required: str) -> frozenset[str]:
    return frozenset({required, variable(required)})


def _is_present(secret: str, shared: Shared[Snapshot], environment: Environment) -> Verdict:
    from pytest_devenv.clients.kubernetes import ApiError

    cluster = cluster_of(environment)
    kubectl = kubectl_of(environment.settings, cluster)
    verdict = judge_pods(secret, shared.get(probe_id(NAME, secret), environment).all("pods"), kubectl)
    if verdict is not None:
        return verdict
    try:
        found = cluster.api.list(f"/api/v1/namespaces/{cluster.namespace}/secrets")
    except ApiError as error:
        return forbidden((error,), kubectl)
    return judge_secrets(secret, {name_of(each): frozenset(each.get("data") or ()) for each in found}, kubectl)


def judge_pods(secret: str, pods: Iterable[Object], kubectl: Kubectl) -> Verdict | None:
    """Return what the pods say of a secret: a container waits for it, or was started with it. None where none does."""
    given: str | None = None
    for pod in pods:
        for container, status, _ in containers(pod):
            waiting = (status.get("state") or {}).get("waiting") or {}
            source = missing_source(str(waiting.get("message", "")))
            if source is not None and source.kind == "Secret" and _is(secret, source.name, source.key):
                key = "" if source.key is None else f" has no key {source.key}"
                return failed(
                    f"secret {secret} is missing: " + (f"the Secret {source.name}{key}" if key else "no such Secret"),
                    expected=f"the Secret {source.name}" + ("" if source.key is None else f" with a key {source.key}"),
                    found=" ".join(str(waiting.get("message")).split()),
                    where=f"pod/{name_of(pod)}, container {container['name']}, namespace {kubectl.namespace}",
                    remedy=kubectl.deploy(source.made_by(kubectl)),
                )
            if "running" in (status.get("state") or {}) and (place := _reference(secret, container)) is not None:
                given = f"{place}, given to {name_of(pod)}"
    return None if given is None else passed(f"{given}", source="pods")


def judge_secrets(secret: str, found: dict[str, frozenset[str]], kubectl: Kubectl) -> Verdict:
    """Return whether a secret is one of the Secrets, or a key in one; `found` holds the keys by the Secrets' names."""
    if secret in found:
        return passed(f"the Secret {secret} is there", source="secrets")
    for name, keys in found.items():
        if not keys.isdisjoint(_spellings(secret)):
            return passed(f"the Secret {name} has it", source="secrets")
    return failed(
        f"secret {secret} is missing",
        expected=f"a Secret {secret}, or a key {secret} or {variable(secret)} in one",
        found=f"none of these in {len(found)} Secrets" if found else "no Secret at all",
        where=f"namespace {kubectl.namespace}, context {kubectl.context or 'of this pod'}",
        remedy=kubectl.deploy(kubectl("create", "secret", "generic", secret, f"--from-literal={secret}=…")),
    )


def _reference(secret: str, container: Object) -> str | None:
    """Return the Secret and the key by which a container is given a required secret."""
    for each in container.get("env") or ():
        reference = (each.get("valueFrom") or {}).get("secretKeyRef") or {}
        name, key = reference.get("name"), reference.get("key")
        if name and not reference.get("optional"):
            named = each.get("name") in _spellings(secret) or _is(secret, str(name), str(key))
            if named:
                return f"the key {key} of the Secret {name}"
    for each in container.get("envFrom") or ():
        reference = each.get("secretRef") or {}
        if reference.get("name") == secret and not reference.get("optional"):
            return f"the Secret {secret}"
    return None
