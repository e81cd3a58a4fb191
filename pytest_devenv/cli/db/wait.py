"""`pytest-devenv db wait`: hold up whoever needs the tables, until they are there."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from pytest_devenv.cli.db.call import Call, database_command, seconds
from pytest_devenv.errors import WaitTimeoutError
from pytest_devenv.probes import schema
from pytest_devenv.verdict import State

if TYPE_CHECKING:
    from pytest_devenv.probes.probe import Probe
    from pytest_devenv.verdict import Verdict

_FIRST_S, _LONGEST_S = 0.1, 2.0


@database_command
@click.option(
    "--timeout",
    "timeout_s",
    metavar="SECONDS",
    default="5m",
    show_default=True,
    callback=seconds,
    help="How long to wait before it is a failure.",
)
def wait(call: Call, *, timeout_s: float) -> None:
    """Wait until every required table is there, and say which are waited for.

    What an init container runs, so that nothing starts on a database that is not built yet. Changes nothing. A server
    that does not answer yet is waited for too.
    """
    gives_up_at = time.monotonic() + timeout_s
    for database in call.chosen():
        call.address(database)  # an address that cannot be used is said at once
        for probe in schema.probes(call.settings):
            if probe.id == schema.tables_id(database):
                found = _waited(call, probe, gives_up_at, timeout_s)
                call.report.say(found.summary)
                call.report.put(database.name, summary=found.summary)


def _waited(call: Call, probe: Probe, gives_up_at: float, timeout_s: float) -> Verdict:
    """Look until it is there, and return what was seen then. Raises WaitTimeoutError, which says what was last seen."""
    said, delay_s = None, _FIRST_S
    while True:
        verdict = probe.look(call.environment)
        if verdict.state is State.PASS:
            return verdict
        seen = f"{verdict.summary}" + ("" if verdict.found is None else f": {verdict.found}")
        if seen != said:
            call.report.tell(f"waiting for {probe.subject}: {seen}")
            said = seen
        if time.monotonic() + delay_s > gives_up_at:
            message = (
                f"waited {timeout_s:g} s for the tables of {probe.subject}\n"
                f"  expected: {verdict.expected or 'every required table'}\n"
                f"  found: {seen}\n"
                f"  where: {verdict.where or call.environment.why}"
            )
            raise WaitTimeoutError(message, remedy=verdict.remedy)
        time.sleep(delay_s)
        delay_s = min(2 * delay_s, _LONGEST_S)
