"""Looking at the schema from a command: what the settings require of each database, a line for each look."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pytest_devenv.verdict import State

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from pytest_devenv.targets.environment import Environment
    from pytest_devenv.verdict import Verdict

_ELSEWHERE = ("schema.matches_migrations", "schema.pending_is_safe")  # a scratch database, and what is not applied


def schema_of(environment: Environment, databases: Collection[str]) -> Iterator[Verdict]:
    """Yield what is found of migrations and schema of these databases; nothing is looked at twice."""
    from pytest_devenv.probes import migrations, schema

    settings = environment.settings
    every = {probe.id: probe for module in (migrations, schema) for probe in module.probes(settings)}
    for probe in every.values():
        if probe.subject in databases and probe.name not in _ELSEWHERE:
            yield probe.look(environment)


def told(verdicts: Iterator[Verdict]) -> bool:
    """Print each verdict, of one that is none of success all that it says; return whether all is well."""
    from pytest_devenv.report.failure import failure_text

    well = True
    for verdict in verdicts:
        if verdict.state in {State.PASS, State.OFF}:
            click.echo(f"  {verdict.summary}")
        else:
            well = False
            click.echo(failure_text(verdict), err=True)
    return well
