"""`pytest-devenv env warm-cache` and `build-performance`: the project's images, built and timed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from pytest_devenv.cli import load_settings
from pytest_devenv.errors import ConfigError
from pytest_devenv.settings.amounts import Amount, Unit, amount

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_devenv.settings import Settings

FAULTY = 1
RUNS = 3
_LONGEST_S = 1800.0


def _pairs(_ctx: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    pairs = [value.partition("=") for value in values]
    if any(not name or not equals for name, equals, _ in pairs):
        raise click.BadParameter("expected NAME=VALUE")
    return {name: value for name, _, value in pairs}


_argument = click.option(
    "--build-arg", "arguments", multiple=True, metavar="NAME=VALUE", callback=_pairs, help="For every build."
)
_network = click.option(
    "--network", metavar="NAME", help="The network of the builds; none for one that fetches nothing."
)


@click.command("warm-cache")
@_argument
@_network
def warm_cache(arguments: dict[str, str], network: str | None) -> None:
    """Build every image of the settings, so that the next build finds its layers."""
    settings = load_settings()
    took = _build_all(settings, cached=True, arguments=arguments, network=network, say=click.echo)
    click.echo(f"the cache is warm: {len(took)} images in {_said(sum(took.values()))}")


@click.command("build-performance")
@_argument
@_network
@click.option(
    "--runs", type=click.IntRange(1, 100), default=RUNS, show_default=True, help="How many edits of each loop."
)
@click.option("--skip-live", is_flag=True, help="Time no loop: nothing runs that takes up edits.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def build_performance(
    arguments: dict[str, str], network: str | None, *, runs: int, skip_live: bool, as_json: bool
) -> None:
    """Time builds: all images with a warm cache, then cold, then edits until they are live; each against its budget.

    Exits 1 where a budget is not kept: those of the settings' `builds` table and of each loop.
    """
    settings = load_settings()
    budget, say = settings.builds, (lambda _: None) if as_json else click.echo
    say("warming the cache")
    _build_all(settings, cached=True, arguments=arguments, network=network, say=say)
    say("warm: every image again")
    warm = _build_all(settings, cached=True, arguments=arguments, network=network, say=say)
    say("cold: every image without any cache")  # last, since what it builds may hide what is cached
    cold = _build_all(settings, cached=False, arguments=arguments, network=network, say=say)
    cold_s, warm_s, least = sum(cold.values()), sum(warm.values()), amount(budget.saving).value
    saving = 1 - warm_s / cold_s
    faults = []
    for word, found_s, most_s in (("cold", cold_s, budget.cold_s), ("warm", warm_s, budget.warm_s)):
        say(f"{word}: {_said(found_s)} of {_said(most_s)}")
        if found_s > most_s:
            faults.append(f"a {word} build takes {_said(found_s)} instead of {_said(most_s)}")
    say(f"a warm cache saves {saving:.0%}, at least {least:.0%} are wanted")
    if saving < least:
        faults.append(f"a warm cache saves {saving:.0%} instead of {least:.0%}")
    loops: list[dict[str, Any]] = []
    if not skip_live and settings.loops:
        from pytest_devenv.cli.loop import time_loops

        say("live: edits until they are seen")
        _, loops = time_loops(settings, list(settings.loops.values()), runs, quiet=as_json)
        faults += [each["verdict"]["summary"] for each in loops if each["verdict"]["state"] != "pass"]
    if as_json:
        timed = {"cold_s": cold, "warm_s": warm, "saving": saving, "loops": loops, "faults": faults}
        click.echo(json.dumps({"environment": settings.name, **timed}, indent=2))
    if faults:
        remedy = f"see which image grew above; the budgets: [tool.pytest-devenv.builds] in {settings.file.name}"
        click.echo("\n".join(["over budget:", *(f"  {each}" for each in faults), f"  remedy: {remedy}"]), err=True)
        raise SystemExit(FAULTY)


def _build_all(
    settings: Settings, *, cached: bool, arguments: dict[str, str], network: str | None, say: Callable[[str], object]
) -> dict[str, float]:
    """Build every image, one after another, and return how long each took, in seconds, by its name."""
    from pytest_devenv.clients.images import build

    if not settings.images:
        msg = f"expected an image in the settings, found none, looked in {settings.file}"
        raise ConfigError(msg, remedy="describe one: [tool.pytest-devenv.images.NAME] with image and dockerfile")
    took = {}
    for name, image in settings.images.items():
        took[name] = build(
            image, settings.root, cached=cached, arguments=arguments, network=network, deadline_s=_LONGEST_S
        )
        say(f"  {image.image}: {_said(took[name])}")
    return took


def _said(seconds: float) -> str:
    return str(Amount(seconds, Unit.SECONDS))
