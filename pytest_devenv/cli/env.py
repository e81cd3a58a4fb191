"""`pytest-devenv env`: leave the environment running on this machine, see it, work in it, end it."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from typing import TYPE_CHECKING, Protocol

import click

from pytest_devenv.cli import load_settings
from pytest_devenv.cli.builds import build_performance, warm_cache
from pytest_devenv.cli.cleanup import cleanup
from pytest_devenv.cli.database_status import db_status
from pytest_devenv.cli.first_steps import setup
from pytest_devenv.cli.graph import graph
from pytest_devenv.cli.job import job
from pytest_devenv.cli.ports import ports
from pytest_devenv.cli.rehearsal import test_migration
from pytest_devenv.cli.reset import reset
from pytest_devenv.cli.service_status import service_status
from pytest_devenv.cli.verify import verify
from pytest_devenv.errors import TargetError
from pytest_devenv.settings.rules import variable as url_variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_devenv.endpoint import Endpoint
    from pytest_devenv.settings import Settings
    from pytest_devenv.targets.embedded.instance import Instance
    from pytest_devenv.targets.embedded.record import Record

FAULTY = 1
NOT_EXECUTABLE = 126  # as shells have it
NOT_FOUND = 127
# What libpq would prefer to PGHOST and PGPORT, and so lead somewhere else.
_ASTRAY = ("PGSERVICE", "PGHOSTADDR")


class Reached(Protocol):
    """An environment as programs need it: its addresses, and the variables that its services were given."""

    @property
    def endpoints(self) -> Mapping[str, Endpoint]:
        """How each service is reached."""

    @property
    def variables(self) -> Mapping[str, Mapping[str, str]]:
        """What each service was given."""


@click.group()
def env() -> None:
    """Run the environment as processes of this machine, or work with the one that is in a cluster."""


for _command in (
    graph,
    job,
    ports,
    test_migration,
    verify,
    setup,
    db_status,
    reset,
    service_status,
    cleanup,
    warm_cache,
    build_performance,
):
    env.add_command(_command)


@env.command()
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def up(*, as_json: bool) -> None:
    """Start the environment and leave it running; `pytest -m health` then attaches to it.

    Exits 0 when every service came up, 1 when one did not or has died since: the others keep running.
    """
    from pytest_devenv.targets.embedded import instance as instances
    from pytest_devenv.targets.embedded.start import start

    settings = load_settings()
    running = instances.kept(settings)
    if running is not None:
        _show(settings, running[1], as_json=as_json, said="was up already")
        return
    own = instances.create(settings, name=instances.project_key(settings))
    try:
        record = start(settings, own, keep=True, reload=True)
    except BaseException:
        own.destroy()
        raise
    own.release()
    _show(settings, record, as_json=as_json, said="is up")


@env.command()
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def status(*, as_json: bool) -> None:
    """Show the environment that is up: exits 0 when one is, 1 when none is."""
    from pytest_devenv.targets.embedded.instance import sweep_up

    settings = load_settings()
    sweep_up()
    running = _kept(settings)
    if running is None:
        if as_json:
            click.echo(json.dumps({"environment": settings.name, "up": False}))
        else:
            click.echo(f"{settings.name} is not up\n  start it: pytest-devenv env up")
        raise SystemExit(FAULTY)
    _show(settings, running[1], as_json=as_json, said="is up")


@env.command()
def down() -> None:
    """End the environment that `env up` left running, and remove its data. Safe to repeat."""
    from pytest_devenv.targets.embedded.instance import sweep_up

    settings = load_settings()
    sweep_up()
    running = _kept(settings)
    if running is None:
        click.echo(f"{settings.name} is not up: nothing to end")
        return
    running[0].destroy()
    click.echo(f"{settings.name} is down: its processes have ended and its data is gone")


@env.command()
@click.argument("service")
@click.option("--database", metavar="NAME", help="The database to name in it; else the only one of that server.")
def url(service: str, database: str | None) -> None:
    """Print the whole URL of a service that is up, WITH ITS PASSWORD; nothing else that we print holds one.

    To run a program without showing a password at all, see `pytest-devenv env exec`.
    """
    settings = load_settings()
    with _reached(settings) as there:
        endpoint = _endpoint(settings, there, service)
        if endpoint.anew is not None:
            msg = f"expected {service} at an address that lasts, found a forward, which ends with this command"
            raise TargetError(msg, remedy=f"run the program with its variables: {endpoint.anew} -- PROGRAM")
        _print_url(settings, endpoint, service, database)


def _print_url(settings: Settings, endpoint: Endpoint, service: str, database: str | None) -> None:
    if endpoint.kind.value != "postgres":
        if database is not None:
            msg = f"expected a service of kind postgres for --database, found {service}, of kind {endpoint.kind.value}"
            raise TargetError(msg, remedy=f"pytest-devenv env url {service}")
    elif database is None:
        of_it = [each.name for each in settings.databases.values() if each.service == service]
        database = of_it[0] if len(of_it) == 1 else None
    click.echo(endpoint.url(database).reveal())


@env.command(context_settings={"allow_interspersed_args": False})
@click.option("--database", metavar="NAME", help="The database for PGDATABASE; else the first of the settings.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def exec(database: str | None, command: tuple[str, ...]) -> None:  # noqa: A001  # what the command is called
    """Run a program in the environment that is up: `pytest-devenv env exec -- psql`.

    The program gets PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE and DATABASE_URL; REDIS_HOST, REDIS_PORT,
    REDISCLI_AUTH and REDIS_URL; and the variables that the services were given, but those that two services were given
    differently. No password stands in a command line. Exits as the program does.
    """
    settings = load_settings()
    with _reached(settings) as there:
        given, dropped = _variables(settings, there, database)
        inherited = {name: value for name, value in os.environ.items() if name not in dropped}
        sys.stdout.flush()
        try:
            if any(endpoint.anew is not None for endpoint in there.endpoints.values()):
                raise SystemExit(_run(command, inherited | given))
            os.execvpe(command[0], command, inherited | given)  # noqa: S606  # a list of words, never a shell line
        except OSError as error:
            click.echo(f"{command[0]} was not run: {error.strerror}", err=True)
            raise SystemExit(NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE) from error


def _run(command: tuple[str, ...], environment: Mapping[str, str]) -> int:
    """Run a program while the forwards of this process last; an interrupt is the program's own to take."""
    import signal
    import subprocess

    with subprocess.Popen(command, env=environment) as process:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            code = process.wait()
        finally:
            signal.signal(signal.SIGINT, before)
    return code if code >= 0 else 128 - code


def _variables(settings: Settings, there: Reached, database: str | None) -> tuple[dict[str, str], set[str]]:
    """Return the variables for a program of the user, and the names of those that it is not to inherit."""
    given: dict[str, str] = {}
    dropped: set[str] = set()
    if (chosen := _database(settings, there, database)) is not None:
        server, name = chosen
        own = {
            "PGHOST": server.host,
            "PGPORT": str(server.port),
            "PGUSER": server.user,
            "PGPASSWORD": None if server.password is None else server.password.reveal(),
            "PGDATABASE": name,
            "DATABASE_URL": server.url(name).reveal(),
        }
        dropped |= {*own, *_ASTRAY}
        given |= {key: value for key, value in own.items() if value is not None}
    if (redis := next(_of_kind(there, "redis"), None)) is not None:
        auth = {} if redis.password is None else {"REDISCLI_AUTH": redis.password.reveal()}
        dropped |= {"REDISCLI_AUTH"}
        given |= {"REDIS_HOST": redis.host, "REDIS_PORT": str(redis.port), "REDIS_URL": redis.url().reveal(), **auth}
    values: dict[str, set[str]] = {}
    for variables in there.variables.values():
        for key, value in variables.items():
            values.setdefault(key, set()).add(value)
    given |= {
        url_variable(name): endpoint.url().reveal()
        for name, endpoint in there.endpoints.items()
        if endpoint.anew is not None
    }
    agreed = {key: value for key, (value, *others) in values.items() if not others and not key.startswith("PG")}
    if database is not None:
        agreed.pop("DATABASE_URL", None)
    return given | agreed, dropped


def _database(settings: Settings, there: Reached, name: str | None) -> tuple[Endpoint, str | None] | None:
    """Return the server and the database that a program is to find; None where no server of databases is up."""
    if name is not None and name not in settings.databases:
        msg = f"expected a database of the settings ({', '.join(settings.databases) or 'there are none'}), found {name}"
        raise TargetError(msg, remedy=f"describe databases.{name} in {settings.file.name}")
    for each in settings.databases.values() if name is None else (settings.databases[name],):
        if each.service in there.endpoints:
            return there.endpoints[each.service], each.name
    server = next(_of_kind(there, "postgres"), None) if name is None else None
    return None if server is None else (server, None)


def _of_kind(there: Reached, kind: str) -> Iterator[Endpoint]:
    return (endpoint for endpoint in there.endpoints.values() if endpoint.kind.value == kind)


def _endpoint(settings: Settings, there: Reached, service: str) -> Endpoint:
    if service in there.endpoints:
        return there.endpoints[service]
    found = f"{service}, which is not up" if service in settings.services else service
    msg = f"expected a service with an address ({', '.join(there.endpoints) or 'none is up'}), found {found}"
    raise TargetError(msg, remedy="pytest-devenv env status")


@contextlib.contextmanager
def _reached(settings: Settings) -> Iterator[Reached]:
    """Give what is reached: the cluster where that is the target, else the environment that `env up` left running."""
    from pytest_devenv.settings import TargetName
    from pytest_devenv.targets.choose import choose
    from pytest_devenv.targets.opening import opened

    kept = _kept(settings)
    try:
        choice = choose(settings)
    except TargetError:
        if kept is None:
            raise
        choice = None
    if choice is not None and choice.target is TargetName.CLUSTER:
        with opened(settings, choice) as environment:
            yield environment
        return
    yield _running(settings)


def _running(settings: Settings) -> Record:
    running = _kept(settings)
    if running is None:
        msg = f"expected {settings.name} to be up on this machine, found that it is not"
        raise TargetError(msg, remedy="pytest-devenv env up")
    return running[1]


def _kept(settings: Settings) -> tuple[Instance, Record] | None:
    from pytest_devenv.targets.embedded.instance import kept

    return kept(settings)


def _show(settings: Settings, record: Record, *, as_json: bool, said: str) -> None:
    """Print how each service is reached, without credentials; exit 1 where one did not come up or has died."""
    died = record.died()
    if as_json:
        click.echo(json.dumps(_plain(settings, record, died), indent=2))
    else:
        click.echo(f"{settings.name} {said}")
        width = max((len(name) for name in settings.services), default=0)
        for name in settings.services:
            click.echo(f"  {name:<{width}}  {_line(name, record, died)}")
        click.echo(f"  look at it: {_look(settings)}    end it: pytest-devenv env down")
        click.echo("  work in it: pytest-devenv env exec -- PROGRAM    its URLs: pytest-devenv env url SERVICE")
    if record.faults or died:
        raise SystemExit(FAULTY)


def _look(settings: Settings) -> str:
    """Return the command that looks at this environment, also where a run would choose another target by itself."""
    from pytest_devenv.settings import TargetName
    from pytest_devenv.targets.choose import choose

    try:
        itself = choose(settings).target is TargetName.EMBEDDED
    except TargetError:
        itself = False
    return "pytest -m health" if itself else "pytest -m health --devenv-target=embedded"


def _line(name: str, record: Record, died: frozenset[str]) -> str:
    if name in died:
        anew = "pytest-devenv env down && pytest-devenv env up"
        return (
            f"has died since\n      remedy: {anew}\n      which deletes all that was written since, databases and all"
        )
    if name in record.faults:
        fault = record.faults[name]
        return f"not up: {fault.summary}" + (f"\n      remedy: {fault.remedy}" if fault.remedy else "")
    if name in record.endpoints:
        return record.endpoints[name].base_url
    return "done" if name in record.timings_s else "not started, since what it requires is not up"


def _plain(settings: Settings, record: Record, died: frozenset[str]) -> dict[str, object]:
    return {
        "environment": settings.name,
        "up": True,
        "services": {
            name: {
                "address": record.endpoints[name].address if name in record.endpoints else None,
                "url": record.endpoints[name].base_url if name in record.endpoints else None,
                "pid": record.processes[name][0] if name in record.processes else None,
                "running": name in record.processes and name not in died,
                "fault": record.faults[name].summary if name in record.faults else None,
                "started_in_s": record.timings_s.get(name),
            }
            for name in settings.services
        },
    }
