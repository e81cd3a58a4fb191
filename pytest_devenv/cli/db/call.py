"""One run of a `db` command: what it was given, where it acts, and how it ends."""

from __future__ import annotations

import functools
import shlex
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from pytest_devenv.cli.db.codes import Code, UsageError, code_of
from pytest_devenv.cli.db.place import address_of, running, settings_for
from pytest_devenv.cli.db.report import Report
from pytest_devenv.cli.db.statements import shown
from pytest_devenv.errors import DevenvError
from pytest_devenv.migrate import engine_for
from pytest_devenv.options import duration_s, option

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_devenv.clients.postgres import DatabaseAddress
    from pytest_devenv.migrate import Engine
    from pytest_devenv.settings import Database, Settings, Tier
    from pytest_devenv.targets.environment import Environment

_TARGET, _TIER = option("target"), option("environment")


def seconds(_ctx: click.Context, _parameter: click.Parameter, value: str) -> float:
    """Return the duration that an option was given, in seconds."""
    try:
        return duration_s(value)
    except ValueError:
        raise click.BadParameter("expected a duration, in seconds or as 250ms, 5s, 2m") from None


lock_option = click.option(
    "--lock-timeout",
    "lock_timeout_s",
    metavar="SECONDS",
    default="30s",
    show_default=True,
    callback=seconds,
    help="How long to wait for another who works on the same database.",
)
confirm_option = click.option("--confirm", metavar="NAME", help="The database's name: your word where one is wanted.")
force_option = click.option("--force", is_flag=True, help="Do not ask. The guard still judges.")


@dataclass(slots=True)
class Call:
    """A command that runs. Settings and environment are read and opened when it first needs them."""

    report: Report
    line: str
    database: str | None
    env: str | None
    target: str | None
    stack: ExitStack
    _settings: Settings | None = field(default=None, repr=False)
    _environment: Environment | None = field(default=None, repr=False)

    @property
    def interactive(self) -> bool:
        """Whether somebody is there to be asked."""
        return not self.report.as_json and sys.stdin.isatty()

    @property
    def settings(self) -> Settings:
        """The settings. Raises ConfigError."""
        if self._settings is None:
            self._settings = settings_for(self.env, self.target)
            self.report.facts["environment"] = self._settings.environment.value
        return self._settings

    @property
    def tier(self) -> Tier:
        """What the environment is for."""
        return self.settings.environment

    @property
    def environment(self) -> Environment:
        """The environment that is up. Raises TargetError where none is."""
        if self._environment is None:
            self._environment = self.stack.enter_context(running(self.settings))
            self.report.facts["target"] = self._environment.target.value
            passwords = (endpoint.password for endpoint in self._environment.endpoints.values())
            self.report.hide(password for password in passwords if password is not None)
            self.stack.enter_context(shown(self.report.tell))
        return self._environment

    @property
    def lost_on_the_way(self) -> DevenvError | None:
        """What kept a forward from reaching its pod, which a driver only sees as a broken connection."""
        cluster = None if self._environment is None else self._environment.cluster
        forwards = () if cluster is None else cluster.forwards.values()
        return next((forward.problem for forward in forwards if forward.problem is not None), None)

    def address(self, database: Database) -> DatabaseAddress:
        """Return where a database really is. Raises TargetError and GuardError."""
        return address_of(self.environment, database.name)

    def engine(self, database: Database) -> Engine:
        """Return what migrates a database. Raises ConfigError."""
        return engine_for(database, self.settings.root)

    def chosen(self) -> tuple[Database, ...]:
        """Return the database that was named, else all. Raises UsageError for an unknown one."""
        databases = self.settings.databases
        if self.database is None:
            return tuple(databases.values())
        if self.database in databases:
            return (databases[self.database],)
        message = (
            f"there is no database {self.database}\n"
            f"  expected: one of: {', '.join(databases) or 'none is configured'}\n"
            f"  found: {self.database}\n"
            f"  where: {self.settings.file}"
        )
        raise UsageError(message, remedy=f"name one of them, or configure databases.{self.database}")

    def migrated(self) -> tuple[Database, ...]:
        """Return those of the chosen databases that have migrations. Raises ConfigError where none has."""
        return self._with("migrations", 'migrations = { engine = "sqlx", path = "migrations" }')

    def seeded(self) -> tuple[Database, ...]:
        """Return those of the chosen databases that have seeds. Raises ConfigError where none has."""
        return self._with("seeds", 'seeds = "seeds"')

    def only(self, databases: tuple[Database, ...]) -> Database:
        """Return the one database that the command is for. Raises UsageError where there are several."""
        if len(databases) == 1:
            return databases[0]
        names = [database.name for database in databases]
        message = (
            f"{self.line} is for one database, and there are several\n"
            f"  expected: --database and one of: {', '.join(names)}\n"
            f"  found: no --database\n"
            f"  where: {self.settings.file}"
        )
        raise UsageError(message, remedy=f"pytest-devenv {self.line} --database {shlex.quote(names[0])}")

    def _with(self, key: str, example: str) -> tuple[Database, ...]:
        chosen = self.chosen()
        found = tuple(database for database in chosen if getattr(database, key) is not None)
        if found:
            return found
        names = ", ".join(database.name for database in chosen) or "any database"
        message = (
            f"there are no {key} for {names}\n"
            f"  expected: {key} in the table of a database\n"
            f"  found: none\n"
            f"  where: {self.settings.file}"
        )
        raise UsageError(message, remedy=f"set {example} in it")


def database_command(function: Callable[..., Code | None]) -> click.Command:
    """Make a `db` command of a function that takes a Call and its own options, and returns its exit code."""

    @click.pass_context
    def run(
        ctx: click.Context,
        /,
        *,
        database: str | None,
        env: str | None,
        target: str | None,
        as_json: bool,
        **own: Any,  # noqa: ANN401  # the command's own options
    ) -> None:
        report = Report(f"db {ctx.info_name}", as_json=as_json)
        with ExitStack() as stack:
            call = Call(report, _line(ctx), database, env, target, stack)
            code = _end(call, lambda: function(call, **own))
        report.finish(code)
        ctx.exit(int(code))

    functools.update_wrapper(run, function)
    for decorate in (
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
        click.option(
            _TARGET.flag, "target", metavar=_TARGET.metavar, help="Where the environment runs, as for pytest."
        ),
        click.option("--env", "--environment", "env", metavar=_TIER.metavar, help="What the environment is for."),
        click.option("--database", metavar="NAME", help="Which database; else every one that it can be for."),
    ):
        run = decorate(run)
    return click.command()(run)


def _end(call: Call, run: Callable[[], Code | None]) -> Code:
    """Run it and return how it ended; an error of ours, or of the server, is told in one message."""
    try:
        return run() or Code.DONE
    except DevenvError as error:
        lost = call.lost_on_the_way if isinstance(error.__cause__, _server_error()) else None
        call.report.fail(lost or error)
        return code_of(error)
    except _server_error() as error:
        told = DevenvError(f"the server refused: {' '.join(str(error).split())}")
        call.report.fail(call.lost_on_the_way or told)
        return Code.FAILED


def _server_error() -> type[Exception]:
    import psycopg

    return psycopg.Error


def _line(ctx: click.Context) -> str:
    """Return the command as it was given, for messages and for the audit; how it prints and where it looks is left."""
    words = ["db", str(ctx.info_name)]
    for parameter in sorted(ctx.command.params, key=lambda each: isinstance(each, click.Option)):
        name = str(parameter.name)
        if name in {"as_json", "target"} or ctx.get_parameter_source(name) is not ParameterSource.COMMANDLINE:
            continue
        value = ctx.params[name]
        if isinstance(parameter, click.Argument):
            words.append(str(value))
        elif isinstance(value, bool):
            words.append(parameter.opts[0] if value else parameter.secondary_opts[0])
        elif isinstance(parameter, click.Option) and parameter.is_flag:
            words += [parameter.opts[0]] if value == parameter.flag_value else []
        else:
            for each in value if isinstance(value, tuple) else (value,):
                words += [parameter.opts[0], str(each)]
    return shlex.join(words)
