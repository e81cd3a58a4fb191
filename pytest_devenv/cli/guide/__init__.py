"""`pytest-devenv guide`: from where you stand to a healthy environment, one remedy after another."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from pytest_devenv.cli import load_settings
from pytest_devenv.cli.guide.acting import run, shown, wait_for_the_cluster
from pytest_devenv.cli.guide.remedies import Effect, Remedy, read
from pytest_devenv.cli.guide.situation import Standing, clusters, look
from pytest_devenv.errors import DevenvError
from pytest_devenv.options import option
from pytest_devenv.settings import TargetName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_devenv.cli.guide.acting import Commands
    from pytest_devenv.settings import Settings

FAULTY = 1
NOBODY_ASKED = 3
MOST_STEPS = 40
MOST_WAITS = 6
SETTLES_S = 90.0  # nodes and pods after a cluster has been started again
_HERE = "this machine"
_CONTEXT = "context.may_be_used[context]"
_REACHED = "cluster.can_be_reached[cluster]"


@dataclass(slots=True)
class Person:
    """Who answers: a person at the terminal, or options that say it for them."""

    yes: bool
    force: bool
    interactive: bool
    asked_nobody: bool = False

    def agrees(self, remedy: Remedy) -> bool:
        """Ask before anything that changes or destroys; what only looks, or waits, is not asked for."""
        effect = remedy.effect
        if effect is None or effect <= Effect.LOOKS:
            return True
        if self.force or (self.yes and effect is Effect.CHANGES):
            return True
        if self.interactive:
            word = "this ends or removes something, run it" if effect is Effect.DESTROYS else "run it"
            return bool(click.confirm(f"  {word}?", default=effect is Effect.CHANGES))
        self.asked_nobody = True
        click.echo("  not run: nobody was asked" + ("" if effect is Effect.CHANGES else " for what ends something"))
        return False


@dataclass(slots=True)
class Way:
    """What has been tried and declined so far, so that nothing is offered in a circle."""

    tried: Counter[tuple[str | None, str]] = field(default_factory=Counter)
    declined: set[str] = field(default_factory=set)
    settled: set[str | None] = field(default_factory=set)
    changed_at: float | None = None

    def is_a_circle(self, probe: str | None, remedy: Remedy) -> bool:
        """Note one more try of a remedy, and tell whether it has been one too many."""
        key = (probe, remedy.text)
        self.tried[key] += 1
        return self.tried[key] > (MOST_WAITS if remedy.effect is Effect.WAITS else 1)

    def may_settle(self, probe: str | None, target: TargetName) -> bool:
        """Tell whether a root may pass by itself: after a change, once; in a cluster for as long as that takes."""
        if self.changed_at is None:
            return False
        first = probe not in self.settled
        self.settled.add(probe)
        return first or (target is TargetName.CLUSTER and time.monotonic() < self.changed_at + SETTLES_S)


@click.command()
@click.option("--yes", is_flag=True, help="Agree to every command that changes something, and destroys nothing.")
@click.option("--force", is_flag=True, help="Agree to every command, also to what ends or removes something.")
@click.option("--on", "place", metavar="WHERE", help="Where to run: this machine, or a kube context that is allowed.")
def guide(*, yes: bool, force: bool, place: str | None) -> None:
    """Lead from where you stand to a healthy environment: look, offer the remedy of the root, look again.

    Each command is shown before it runs; what changes or destroys something is asked for. With nobody at the terminal,
    and neither --yes nor --force, it says what it would run and runs nothing.

    Exit codes: 0 healthy, 1 not, 2 the settings cannot be used, 3 something is to be done and nobody was asked.
    """
    person = Person(yes=yes or force, force=force, interactive=sys.stdin.isatty() and not (yes or force))
    settings = load_settings()
    click.echo(f"{settings.name}, {settings.environment}, as {settings.file} describes it")
    settings = _placed(settings, person, place)
    way = Way()
    for number in range(1, MOST_STEPS + 1):
        standing = look(settings, declined=frozenset(way.declined))
        if standing.verdict is None:
            _end(settings, standing)
            return
        if not _step(settings, number, standing, person, way):
            break
        settings = load_settings()
    raise SystemExit(NOBODY_ASKED if person.asked_nobody else FAULTY)


def _step(settings: Settings, number: int, standing: Standing, person: Person, way: Way) -> bool:
    """Tell what is wrong, and have its remedy run; return whether it is worth another look."""
    from pytest_devenv.report.failure import failure_text

    verdict = standing.verdict
    assert verdict is not None  # noqa: S101  # a standing without one is the end
    click.echo(f"\n{number}. {failure_text(verdict)}")
    if standing.probe == _CONTEXT and (person.interactive or person.yes):
        return _adopt(settings, person)
    remedy = read(verdict.remedy or "")
    if remedy.by_hand or not remedy.commands or remedy.effect is Effect.LOOKS:
        return _left_to(person, way, standing, settle_s=settings.stable_s)
    if way.is_a_circle(standing.probe, remedy):
        click.echo("  its remedy was tried already, and did not mend it")
        return False
    click.echo(f"  to run: {shown(remedy.commands)}")
    if not person.agrees(remedy):
        way.declined.add(shown(remedy.commands))
        return person.interactive and standing.probe in {"environment", "tilt"}
    try:
        if run(settings, remedy.commands) and standing.probe == _REACHED:
            wait_for_the_cluster(settings)
    except DevenvError as error:
        click.echo(f"  {error}".replace("\n", "\n  "))
        return False
    if remedy.effect is not Effect.WAITS:
        way.changed_at = time.monotonic()
    return True  # one that failed has its reason in what the next look finds


def _left_to(person: Person, way: Way, standing: Standing, *, settle_s: float) -> bool:
    """Give what was just changed a moment to settle; then it is for the person to do."""
    if way.may_settle(standing.probe, standing.target):
        click.echo(f"  something was just changed: this may pass, another look in {settle_s:g} s")
        time.sleep(settle_s)
        return True
    return _by_hand(person)


def _by_hand(person: Person) -> bool:
    """Wait for what only the person can do; with nobody there, it ends here."""
    if person.interactive:
        return bool(click.confirm("  this is for you to do. Look again?", default=True))
    click.echo("  this is for you to do; then: pytest-devenv guide")
    return False


def _placed(settings: Settings, person: Person, place: str | None) -> Settings:
    """Choose where the environment runs, where that is open: on this machine, or in a cluster that may be used."""
    from pytest_devenv.probes.project.paper import target_of

    if place is not None:
        return _use(settings, person, place)
    open_yet = settings.target is TargetName.AUTO and target_of(settings) is TargetName.EMBEDDED and settings.contexts
    if not open_yet or not person.interactive:
        return settings
    ways = clusters(settings)
    return _use(settings, person, _asked((_HERE, *ways), ways)) if ways else settings


def _asked(names: tuple[str, ...], ways: Mapping[str, Commands]) -> str:
    click.echo("\nwhere shall it run?")
    for number, name in enumerate(names, 1):
        commands = ways.get(name)
        how = "" if commands is None else f"  $ {shown(commands)}" if commands else "  it is there: adopted"
        click.echo(f"  {number}  {name}{how}")
    chosen: int = click.prompt("  which", type=click.IntRange(1, len(names)), default=1)
    return names[chosen - 1]


def _use(settings: Settings, person: Person, place: str) -> Settings:
    """Have this run, and what it starts, use a place. Raises DevenvError for one that is none."""
    if place in {_HERE, TargetName.EMBEDDED.value}:
        os.environ[option("target").variable] = TargetName.EMBEDDED.value
        return load_settings()
    ways = clusters(settings)
    if place not in ways:
        msg = f"expected one of {', '.join((_HERE, *ways))}, found {place}, looked in {settings.file}"
        raise DevenvError(msg, remedy="see what there is: pytest-devenv guide")
    remedy = Remedy(place, ways[place], Effect.CHANGES)
    if ways[place]:
        click.echo(f"  to run: {shown(remedy.commands)}")
        if not person.agrees(remedy) or not run(settings, remedy.commands):
            raise SystemExit(NOBODY_ASKED if person.asked_nobody else FAULTY)
    os.environ[option("target").variable] = TargetName.CLUSTER.value
    os.environ[option("context").variable] = place
    return load_settings()


def _adopt(settings: Settings, person: Person) -> bool:
    """Choose another context than the one that may not be used; the current one stays as it is."""
    ways = clusters(settings)
    names = (*ways, _HERE)
    place = _asked(names, ways) if person.interactive else next((each for each in names if not ways.get(each)), _HERE)
    _use(settings, person, place)
    return True


def _end(settings: Settings, standing: Standing) -> None:
    """Say that all is well, and what there is to do next."""
    click.echo(f"\n{settings.name} is healthy on the target {standing.target}: {standing.passed} checks pass")
    click.echo("next steps")
    chosen = [
        f"export {variable}={os.environ[variable]}"
        for variable in (option("target").variable, option("context").variable)
        if variable in os.environ
    ]
    for line in (
        *chosen,
        "pytest -m health              look again, any time",
        "pytest-devenv env graph       what depends on what",
        "pytest-devenv env verify      from the set-up to your own checks",
        "pytest-devenv env exec -- CMD work in it: CMD gets its addresses",
    ):
        click.echo(f"  {line}")
