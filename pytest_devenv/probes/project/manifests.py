"""Whether the manifests can be read and built, and agree with themselves and with the settings."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from pytest_devenv.clients.kubernetes.kustomize import kustomization_of
from pytest_devenv.probes.cluster.manifests import render
from pytest_devenv.probes.cluster.objects import name_of, selector_text, selects, spec_of
from pytest_devenv.probes.probe import Probe, probe_id
from pytest_devenv.probes.project import images, serving
from pytest_devenv.probes.project.gathering import (
    BUILD_S,
    Gathered,
    builds,
    documents,
    gather,
    yaml_files,
)
from pytest_devenv.probes.project.references import broken, labels_of_pods
from pytest_devenv.probes.project.told import others
from pytest_devenv.probes.shared import Shared
from pytest_devenv.settings import Settings
from pytest_devenv.verdict import Verdict, failed, passed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_devenv.targets.environment import Environment

Judge: TypeAlias = Callable[[Gathered, Settings], Verdict]

_DEADLINE_S = 2 * BUILD_S


def probes(settings: Settings) -> Iterator[Probe]:
    """Yield the probes of the manifests, where the settings say where they are."""
    if settings.manifests is None:
        return
    folder, subject = settings.root / settings.manifests, settings.manifests
    readable = probe_id("manifests.are_yaml", subject)
    yield Probe(name="manifests.are_yaml", subject=subject, look=partial(_are_yaml, folder))
    for each in _kustomizations(folder):
        look = partial(_can_be_built, each)
        name = each.relative_to(settings.root).as_posix()
        yield Probe(
            name="manifests.can_be_built", subject=name, look=look, requires=(readable,), deadline_s=_DEADLINE_S
        )
    built = (probe_id("manifests.can_be_built", subject),) if builds(folder) else ()
    shared: Shared[Gathered | Verdict] = Shared(lambda _: gather(folder))
    for name, about, judge in (
        ("manifests.select_their_pods", subject, _select_their_pods),
        ("manifests.have_what_pods_use", subject, _have_what_pods_use),
        *serving.judges(settings),
        *images.judges(settings),
    ):
        look = partial(_judged, shared, probe_id(name, about), judge)
        yield Probe(name=name, subject=about, look=look, requires=(readable,), after=built, deadline_s=_DEADLINE_S)


def _judged(shared: Shared[Gathered | Verdict], reader: str, judge: Judge, environment: Environment) -> Verdict:
    gathered = shared.get(reader, environment)
    return gathered if isinstance(gathered, Verdict) else judge(gathered, environment.settings)


def _kustomizations(folder: Path) -> list[Path]:
    places = (folder, *(each for each in folder.rglob("*") if each.is_dir())) if folder.is_dir() else ()
    return sorted(each for each in places if kustomization_of(each) is not None)


def _are_yaml(folder: Path, environment: Environment) -> Verdict:
    import yaml

    file = environment.settings.file.name
    if not folder.is_dir():
        return failed(
            "the folder of the manifests is not there",
            expected="a folder",
            found=f"no folder {folder}",
            where=f"manifests in {file}",
            remedy=f"correct manifests in {file}",
        )
    wrong: list[tuple[Path, str]] = []
    files = yaml_files(folder)
    for each in files:
        try:
            documents(each)
        except (yaml.YAMLError, OSError, ValueError, RecursionError) as error:  # ValueError: a date that is none
            wrong.append((each, " ".join(str(error).split())[:300]))
    if not wrong:
        return passed(f"{len(files)} files below {folder.name} are YAML", files=len(files))
    first, said = wrong[0]
    return failed(
        f"{first.name} is no YAML" + (f", nor are {len(wrong) - 1} more" if wrong[1:] else ""),
        expected="YAML documents",
        found=said,
        where=str(first),
        remedy=f"correct {first}, at the line named above",
        evidence=others("nor are", [f"{each}: {text}" for each, text in wrong[1:]]),
    )


def _can_be_built(folder: Path, _: Environment) -> Verdict:
    found = render(folder, deadline_s=BUILD_S)
    return found if isinstance(found, Verdict) else passed(f"{folder.name} makes {len(found)} objects")


def _select_their_pods(gathered: Gathered, _: Settings) -> Verdict:
    """Compare the selectors of workloads with their own pods, and those of Services with any."""
    wrong: list[tuple[str, str, str]] = []
    every = [labels for each in gathered.objects if (labels := labels_of_pods(each))]
    for each in gathered.of_kind("Deployment", "StatefulSet", "DaemonSet"):
        selector = (spec_of(each).get("selector") or {}).get("matchLabels") or {}
        if not selects(selector, labels_of_pods(each)):
            said = f"its pods have {selector_text(labels_of_pods(each)) or 'no label'}"
            wrong.append((f"{str(each['kind']).lower()}/{name_of(each)}", selector_text(selector), said))
    for each in gathered.of_kind("Service"):
        selector = spec_of(each).get("selector") or {}
        if selector and not any(selects(selector, labels) for labels in every):
            wrong.append((f"service/{name_of(each)}", selector_text(selector), "no pod of the manifests has that"))
    if not wrong:
        return passed(f"every selector fits its pods{gathered.note}")
    name, selector_said, found = wrong[0]
    return failed(
        f"{name} selects no pod" + (f", nor do {len(wrong) - 1} more" if wrong[1:] else ""),
        expected="pods with the labels that it selects",
        found=f"it selects {selector_said or 'nothing'}, and {found}",
        where=f"{name} in {gathered.folder}",
        remedy=f"correct the selector of {name}, or the labels of its pods",
        evidence=others("also", [f"{other} selects {theirs}: {said}" for other, theirs, said in wrong[1:]]),
    )


def _have_what_pods_use(gathered: Gathered, settings: Settings) -> Verdict:
    wrong = broken(gathered, frozenset(settings.required_secrets))
    if not wrong:
        return passed(f"every ConfigMap, Secret, claim and account that pods use is there{gathered.note}")
    first = wrong[0]
    made = f"add {first} to the manifests in {gathered.folder}, or correct {first.by}"
    if first.kind == "Secret" and first.key is None:
        made += f"; or, where it is made elsewhere, name it in required_secrets of {settings.file.name}"
    return failed(
        f"{first.by} uses the {first}, which is not there" + (f", and {len(wrong) - 1} more" if wrong[1:] else ""),
        expected=f"the {first} among the manifests",
        found="none",
        where=f"{first.by} in {gathered.folder}",
        remedy=made,
        evidence=others("also missing", [f"{each}, for {each.by}" for each in wrong[1:]]),
    )
