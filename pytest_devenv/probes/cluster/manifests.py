"""Whether the API server takes the manifests as they are, and whether what runs is what they say."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_devenv.clients.kubernetes.kustomize import KustomizationError, build, kustomization_of
from pytest_devenv.errors import TargetError
from pytest_devenv.probes.cluster.answers import SUBJECT
from pytest_devenv.probes.cluster.kubectl import kubectl_of
from pytest_devenv.probes.cluster.namespace import exists_id
from pytest_devenv.probes.cluster.refusals import forbidden
from pytest_devenv.probes.cluster.snapshot import cluster_of
from pytest_devenv.probes.cluster.tried import Trial, Tried
from pytest_devenv.probes.probe import Probe, probe_id
from pytest_devenv.probes.shared import Shared
from pytest_devenv.verdict import Evidence, Verdict, failed, passed, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pytest_devenv.probes.cluster.kubectl import Kubectl
    from pytest_devenv.settings import Settings
    from pytest_devenv.targets.environment import Environment

_AT_ONCE = 6
_SHOWN = 12


def probes(settings: Settings) -> Iterator[Probe]:
    """Yield the probes of the manifests, where the settings say where they are."""
    if settings.manifests is None:
        return
    shared = Shared(_tried)
    taken = probe_id("manifests.are_accepted", SUBJECT)
    deadline_s = 4 * settings.deadline_s
    yield Probe(
        name="manifests.are_accepted",
        subject=SUBJECT,
        look=partial(_are_accepted, shared),
        requires=(exists_id(settings),),
        deadline_s=deadline_s,
        mark="schema",
    )
    yield Probe(
        name="manifests.are_deployed",
        subject=SUBJECT,
        look=partial(_are_deployed, shared),
        requires=(taken,),
        deadline_s=deadline_s,
        mark="schema",
    )


def _are_accepted(shared: Shared[tuple[Tried, ...] | Verdict], environment: Environment) -> Verdict:
    tried = shared.get("manifests.are_accepted", environment)
    if isinstance(tried, Verdict):
        return tried
    kubectl = kubectl_of(environment.settings, cluster_of(environment))
    barred = [each.barred for each in tried if each.barred is not None]
    if barred:
        return forbidden(barred, kubectl)
    refused = [(each.label, each.refusal) for each in tried if each.refusal is not None]
    if not refused:
        return passed(f"{len(tried)} objects are accepted", objects=len(tried))
    label, refusal = refused[0]
    return failed(
        f"the API server refuses {label}" + (f" and {len(refused) - 1} more" if refused[1:] else ""),
        expected="every object accepted, as a server-side dry run says",
        found=refusal,
        where=f"{environment.settings.manifests}, applied to context {kubectl.context or 'of this pod'}",
        remedy=f"correct it, then: {_dry_run(kubectl)}",
        evidence=(Evidence("refused", "\n".join(f"{name}: {said}" for name, said in refused)),),
    )


def _are_deployed(shared: Shared[tuple[Tried, ...] | Verdict], environment: Environment) -> Verdict:
    tried = shared.get("manifests.are_deployed", environment)
    if isinstance(tried, Verdict):
        return tried
    return judge_drift(tried, kubectl_of(environment.settings, cluster_of(environment)))


def judge_drift(tried: Sequence[Tried], kubectl: Kubectl) -> Verdict:
    """Return whether applying the manifests would change anything that is there."""
    lines: list[str] = []
    drifted: list[str] = []
    for each in tried:
        if each.would_be is None:
            continue
        found = each.changes
        if found:
            drifted.append(each.label)
            lines += [f"{each.label}: {line}" for line in found]
    if not drifted:
        return passed(f"{len(tried)} objects are as the manifests say", objects=len(tried))
    more = f"\n… and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    return failed(
        f"{drifted[0]} is not as the manifests say" + (f", nor are {len(drifted) - 1} more" if drifted[1:] else ""),
        expected="nothing that applying the manifests would change",
        found=lines[0],
        where=f"namespace {kubectl.namespace}, context {kubectl.context or 'of this pod'}",
        remedy=f"see it: {kubectl('diff', '-k', kubectl.manifests or '.')}; have it so: {kubectl.deploy('')}",
        evidence=(Evidence("what is, and what would be", "\n".join(lines[:_SHOWN]) + more),),
    )


def _tried(environment: Environment) -> tuple[Tried, ...] | Verdict:
    settings = environment.settings
    rendered = render(settings.root / (settings.manifests or ""), deadline_s=2 * settings.deadline_s)
    if isinstance(rendered, Verdict):
        return rendered
    cluster = cluster_of(environment)
    trial = Trial(cluster.api, cluster.namespace)
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="manifests") as threads:
        return tuple(threads.map(trial.of, rendered))


def render(folder: Path, *, deadline_s: float) -> tuple[dict[str, Any], ...] | Verdict:
    """Return the objects of a folder, as kustomize puts them together, or of its YAML files where it has none.

    Returns a verdict where they cannot be had.
    """
    import yaml

    if kustomization_of(folder) is None:
        files = sorted((*folder.glob("*.yaml"), *folder.glob("*.yml")))
        if not files:
            return unknown(
                f"{folder} holds no manifests", where=str(folder), remedy="correct manifests in the settings"
            )
        text = "\n---\n".join(file.read_text() for file in files)
    else:
        try:
            text = build(folder, deadline_s=deadline_s)
        except KustomizationError as error:
            return failed(
                "the manifests cannot be put together",
                expected="objects from kubectl kustomize",
                found=error.found[:300],
                where=str(folder),
                remedy=error.remedy or "",
            )
        except TargetError as error:
            return unknown(error.message, where=str(folder), remedy=error.remedy)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return tuple(each for each in yaml.load_all(text, Loader=loader) if isinstance(each, dict))
    except yaml.YAMLError as error:
        return failed(
            "the manifests are no YAML",
            expected="YAML documents",
            found=" ".join(str(error).split())[:300],
            where=str(folder),
            remedy="correct it: the line is named above",
        )


def _dry_run(kubectl: Kubectl) -> str:
    return kubectl("apply", "--server-side", "--dry-run=server", "-k", kubectl.manifests or ".")
