"""`pytest-devenv env test-migration`: the migration of an environment, alone in a namespace of its own."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import click

from pytest_devenv.cli import load_settings
from pytest_devenv.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.cli.rehearsal.parts import Parts
    from pytest_devenv.cli.rehearsal.stage import Ended, Stage
    from pytest_devenv.clients.kubernetes.kubeconfig import Kubeconfig
    from pytest_devenv.report.redact import Redactor
    from pytest_devenv.settings import Settings
    from pytest_devenv.targets.choose import Choice
    from pytest_devenv.verdict import Verdict

FAILED = 1
_PATIENCE_S = 30.0
_FOLDER = "k8s"


def _seconds(_ctx: click.Context, _parameter: click.Parameter, value: str) -> float:
    from pytest_devenv.options import duration_s

    try:
        return duration_s(value)
    except ValueError:
        raise click.BadParameter("expected a duration, in seconds or as 250ms, 5s, 2m") from None


@click.command("test-migration")
@click.option("--manifests", metavar="FOLDER", help="Where the manifests are; else what the settings say, else k8s.")
@click.option("--seed-job", metavar="NAME", help="The Job of the seeds; else the one whose name says so.")
@click.option(
    "--timeout",
    "deadline_s",
    default="5m",
    show_default=True,
    metavar="SECONDS",
    callback=_seconds,
    help="How long each Job may take.",
)
@click.option("--keep", is_flag=True, help="Leave the namespace, to look at it.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def test_migration(
    manifests: str | None, seed_job: str | None, deadline_s: float, *, keep: bool, as_json: bool
) -> None:
    """Run the migration Job of the manifests alone, in a namespace of its own, and see what it makes.

    Its server, empty, and the Job come from the manifests. Then the schema is looked at, and the Job of the seeds is
    let run. The environment itself is not touched, and nothing is left. Exits 0 when all of it succeeded, else 1.
    """
    from pytest_devenv.cli.rehearsal.parts import parts_of
    from pytest_devenv.cli.rehearsal.stage import name_for
    from pytest_devenv.clients.kubernetes.manifests import load
    from pytest_devenv.guard import judge_tier

    settings, choice, kubeconfig = _in_cluster(load_settings())
    judge_tier(settings.environment, where=str(settings.file))
    namespace = name_for(settings.namespace or settings.name.lower())
    written = load(manifests or settings.manifests or _FOLDER, root=settings.root)
    parts = parts_of(written, settings, namespace, seed=seed_job)
    told = _Told(_redactor(parts), quiet=as_json)
    told.say(f"{settings.name}: the migration alone, in namespace {namespace} of context {kubeconfig.context}")
    began = time.monotonic()
    _rehearse(told, replace(settings, namespace=namespace), choice, parts, deadline_s, keep=keep)
    took_s = time.monotonic() - began
    kept = f"; kept: kubectl --context {kubeconfig.context} -n {namespace} get pods" if keep else "; nothing is left"
    told.say(f"{'succeeded' if told.succeeded else 'failed'} in {took_s:.1f} s{kept}")
    if as_json:
        place = {"environment": settings.name, "context": kubeconfig.context, "namespace": namespace}
        whole = {**place, **told.facts, "succeeded": told.succeeded, "took_s": round(took_s, 3)}
        click.echo(json.dumps(told.redactor.value(whole), indent=2, ensure_ascii=False))
    if not told.succeeded:
        raise SystemExit(FAILED)


@dataclass(slots=True)
class _Told:
    """What is told of a run, to people as it goes and to programs at its end, without any secret of the manifests."""

    redactor: Redactor
    quiet: bool
    succeeded: bool = True
    facts: dict[str, Any] = field(default_factory=lambda: {"migration": None, "schema": [], "seed": None})

    def say(self, text: str) -> None:
        if not self.quiet:
            click.echo(self.redactor.text(text))

    def job(self, name: str, ended: Ended) -> None:
        """Tell how a Job ended; of one that failed, the end of its log."""
        self.facts[name] = asdict(ended)
        self.succeeded = self.succeeded and ended.succeeded
        self.say(f"  {ended.job}: {'complete' if ended.succeeded else ended.reason}, after {ended.took_s:.1f} s")
        if not ended.succeeded:
            self.say("\n".join(f"    {line}" for line in ended.log.splitlines()))

    def verdict(self, verdict: Verdict) -> None:
        """Tell what a look at the schema found."""
        good = verdict.state.value in {"pass", "off"}
        self.facts["schema"].append(verdict.to_json())
        self.succeeded = self.succeeded and good
        self.say(f"  schema: {verdict.summary}")
        for name in () if good else ("expected", "found", "where", "remedy"):
            if getattr(verdict, name) is not None:
                self.say(f"    {name}: {getattr(verdict, name)}")


def _in_cluster(settings: Settings) -> tuple[Settings, Choice, Kubeconfig]:
    """Return the settings and the choice of a cluster, whatever target the settings have. Raises TargetError."""
    from pytest_devenv.settings import TargetName
    from pytest_devenv.targets.choose import choose

    # A server that has just started, beside pods that start, answers slowly: that is no finding here.
    in_cluster = replace(settings, target=TargetName.CLUSTER, deadline_s=max(settings.deadline_s, _PATIENCE_S))
    choice = choose(in_cluster)
    if choice.kubeconfig is None:
        message = f"expected a kube context in which a namespace can be made, found none: {choice.why}"
        raise TargetError(message, remedy="choose one that the settings allow: kubectl config use-context NAME")
    return in_cluster, choice, choice.kubeconfig


def _rehearse(told: _Told, settings: Settings, choice: Choice, parts: Parts, deadline_s: float, *, keep: bool) -> None:
    """Let the migration run, look at what it made, and let the seeds run."""
    from pytest_devenv.cli.rehearsal.stage import staged
    from pytest_devenv.clients.kubernetes import connect

    if choice.kubeconfig is None or settings.namespace is None:
        raise AssertionError("both were chosen before")
    api = connect(choice.kubeconfig, deadline_s=settings.deadline_s)
    try:
        with staged(api, settings.namespace, parts, keep=keep) as stage:
            told.job("migration", stage.ended(parts.migration, deadline_s=deadline_s))
            if told.succeeded:
                for verdict in _schema(settings, choice):
                    told.verdict(verdict)
                _seed(told, stage, parts.seed, deadline_s)
    finally:
        api.close()


def _schema(settings: Settings, choice: Choice) -> Iterator[Verdict]:
    """Yield what the schema probes see in the databases that the Job has built."""
    from pytest_devenv.probes import schema
    from pytest_devenv.targets.cluster.opening import environment

    with environment(settings, choice) as found:
        for probe in schema.probes(settings):
            yield probe.look(found)


def _seed(told: _Told, stage: Stage, job: str | None, deadline_s: float) -> None:
    if job is None:
        told.say("  seeds: the manifests have no Job whose name says so")
        return
    stage.resume(job)
    told.job("seed", stage.ended(job, deadline_s=deadline_s))


def _redactor(parts: Parts) -> Redactor:
    from pytest_devenv.report.redact import Redactor
    from pytest_devenv.secret import Secret

    return Redactor(Secret(value) for value in parts.secrets())
