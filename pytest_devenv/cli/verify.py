"""`pytest-devenv env verify`: the environment from its set-up to its API, stage by stage."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
from typing import TYPE_CHECKING, Any

import click

from pytest_devenv.cli import load_settings
from pytest_devenv.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.report.view import View
    from pytest_devenv.run import Devenv
    from pytest_devenv.settings import Settings
    from pytest_devenv.targets.embedded.instance import Instance
    from pytest_devenv.verify.pipeline import Done

FAULTY = 1
NOTHING = 3
_DEADLINE_S = 600.0


@click.command()
@click.option("--timeout", "deadline_s", type=click.FloatRange(min=1), default=_DEADLINE_S, show_default=True)
@click.option("--until", "last", metavar="STAGE", help="End after this stage.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, when all is done.")
def verify(*, deadline_s: float, last: str | None, as_json: bool) -> None:
    """Verify the environment stage by stage: set-up, migrations, connectivity, then the project's own checks.

    The first three are the packaged checks; [tool.pytest-devenv.verify.NAME] describes the others, which pytest runs.
    A stage that does not pass ends the pipeline, with its root cause and the remedy. --timeout is for each stage that
    pytest runs, in seconds.

    Exit codes: 0 every stage passed, 1 one failed or could not be looked at, 3 nothing was verified at all.
    """
    from pytest_devenv.report.view import view_for
    from pytest_devenv.verify.pipeline import verify as stages

    settings = load_settings()
    _judge(settings, last)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as Ctrl-C does: nothing is left behind
    view = view_for(sys.stdout)
    found: list[Done] = []
    with _devenv(settings) as (devenv, instance):
        if not as_json:
            click.echo(f"{settings.name} · {settings.environment} · {devenv.target}: {devenv.choice.why}\n")
        for done in stages(devenv, instance=instance, deadline_s=deadline_s):
            found.append(done)
            if not as_json:
                _tell(done, view)
            if done.name == last:
                break
        target = devenv.target.value
    code = _code(found)
    if as_json:
        click.echo(json.dumps(_plain(settings, target, found, code), indent=2, ensure_ascii=False))
    else:
        click.echo(f"\n{_last(settings, found)}")
    raise SystemExit(code)


def _judge(settings: Settings, last: str | None) -> None:
    from pytest_devenv.verify.pipeline import stage_names

    names = stage_names(settings)
    if last is not None and last not in names:
        msg = f"expected a stage ({', '.join(names)}), found {last}, looked in {settings.file}"
        raise ConfigError(msg, remedy="pytest-devenv env verify runs all of them")


@contextlib.contextmanager
def _devenv(settings: Settings) -> Iterator[tuple[Devenv, Instance | None]]:
    """Give the environment, and where none is up on this machine, the instance that it is started in."""
    from pytest_devenv.every import every_probe
    from pytest_devenv.run import Devenv
    from pytest_devenv.settings import TargetName
    from pytest_devenv.targets.choose import choose
    from pytest_devenv.targets.embedded import instance as instances

    target = choose(settings).target
    with contextlib.ExitStack() as stack:
        instance = None
        if target is TargetName.EMBEDDED and instances.kept(settings) is None:
            instance = instances.create(settings)
            stack.callback(instance.destroy)
        yield stack.enter_context(Devenv(settings, every_probe(settings, target), instance=instance)), instance


def _tell(done: Done, view: View) -> None:
    """Print the line of a stage, and below it what keeps it from passing."""
    from pytest_devenv.report.failure import failure_text
    from pytest_devenv.report.lines import Role, Span, pad, role_of
    from pytest_devenv.report.phrases import seconds
    from pytest_devenv.report.terminal import written
    from pytest_devenv.verdict import State

    state = State.OFF if done.verdict is None else done.verdict.state
    said = "not run" if done.verdict is None else done.verdict.summary
    head = (
        Span(pad(view.symbol(state), view.symbol_width) + " ", role_of(state)),
        Span(pad(done.name, 14) + " ", Role.STRONG),
        Span("" if done.verdict is None else pad(seconds(done.took_s), 8) + " ", Role.DIM),
        Span(view.encodable(said)),
    )
    click.echo(written([head], view), nl=False)
    if done.verdict is not None and not done.passed:
        text = failure_text(done.verdict, width=view.width - 4)
        click.echo("\n" + "\n".join(f"    {line}".rstrip() for line in view.encodable(text).splitlines()) + "\n")


def _code(found: list[Done]) -> int:
    if any(done.verdict is not None and not done.passed for done in found):
        return FAULTY
    return 0 if any(done.checks for done in found) else NOTHING


def _last(settings: Settings, found: list[Done]) -> str:
    from pytest_devenv.report.phrases import count, seconds

    took = seconds(sum(done.took_s for done in found))
    broken = next((done for done in found if done.verdict is not None and not done.passed), None)
    if broken is not None:
        return f"{settings.name} is not verified: it stops at {broken.name}, after {took}"
    checks = sum(done.checks for done in found)
    return f"{settings.name} is verified: {count(checks, 'check')} in {len(found)} stages, {took}"


def _plain(settings: Settings, target: str, found: list[Done], code: int) -> dict[str, Any]:
    return {
        "environment": settings.name,
        "target": target,
        "exit_code": code,
        "stages": [
            {
                "name": str(done.name),
                "run": done.verdict is not None,
                "passed": done.passed,
                "checks": done.checks,
                "took_s": round(done.took_s, 3),
                "verdict": None if done.verdict is None else done.verdict.to_json(),
            }
            for done in found
        ],
    }
