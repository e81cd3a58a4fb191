"""Alembic's own machinery: its revisions, and its env.py run offline or on a connection of ours.

Only imported where Alembic is installed, and when it is needed.
"""

from __future__ import annotations

import io
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import psycopg
import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError

from pytest_devenv.clients.postgres import connect
from pytest_devenv.errors import GuardError, MigrationError, explain
from pytest_devenv.migrate.complaint import complain_of_revision
from pytest_devenv.migrate.failure import FolderError
from pytest_devenv.migrate.model import Direction, Migration, Progress
from pytest_devenv.migrate.revisions import ini_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from alembic.runtime.migration import MigrationContext, MigrationStep

    from pytest_devenv.clients.postgres import DatabaseAddress
    from pytest_devenv.guard import Identity

Way: TypeAlias = Literal["upgrade", "downgrade", "stamp"]

# Alembic publishes the environment that runs as the module alembic.context, one for the whole process.
_ONE_AT_A_TIME = threading.Lock()
_RUNNING = "-- Running "
_IDLE = 0
_IDENTITY = (
    "SELECT d.oid, s.system_identifier FROM pg_catalog.pg_database d, pg_catalog.pg_control_system() s"
    " WHERE d.datname = pg_catalog.current_database()"
)


def open_environment(folder: Path) -> Environment:
    """Read alembic.ini in `folder`, or beside it, and the revisions that it names. Raises FolderError."""
    ini = ini_of(folder)
    config = Config(None if ini is None else str(ini))
    location = config.get_main_option("script_location")
    if ini is None or ini.parent != folder or location is None:
        location = str(folder)
    elif ":" not in location:
        location = str(ini.parent / location)
    config.set_main_option("script_location", location.replace("%", "%%"))
    # Already read: env.py must not configure the logging of this process from it.
    config.config_file_name = None
    with _complaints(folder):
        return Environment(folder, config, ScriptDirectory.from_config(config))


@dataclass(frozen=True, slots=True)
class Environment:
    """One folder of revisions."""

    folder: Path
    config: Config
    script: ScriptDirectory

    def migrations(self) -> tuple[Migration, ...]:
        """Return the revisions, parents before children."""
        with _complaints(self.folder):
            return tuple(reversed([_migration(one) for one in self.script.walk_revisions()]))

    def heads(self) -> tuple[str, ...]:
        """Return the revisions on which nothing builds."""
        with _complaints(self.folder):
            return tuple(sorted(self.script.get_heads()))

    def resolve(self, revision: str) -> tuple[str, ...]:
        """Return the revisions that are meant, none for `base`."""
        with _complaints(self.folder):
            return tuple(one.revision for one in self.script.get_revisions(revision))

    def ancestors(self, versions: tuple[str, ...]) -> frozenset[str]:
        """Return these revisions and all that they build on."""
        if not versions:
            return frozenset()
        with _complaints(self.folder):
            found = self.script.iterate_revisions(versions, "base", inclusive=True, implicit_base=True)
            return frozenset(one.revision for one in found)

    def history(self, *, verbose: bool) -> tuple[str, ...]:
        """Return a line, or with `verbose` a paragraph, for each revision, newest first."""
        with _complaints(self.folder):
            return tuple(
                one.cmd_format(verbose=verbose, include_branches=True, include_doc=True, include_parents=True)
                for one in self.script.walk_revisions()
            )

    def create(self, name: str) -> Path:
        """Write a new revision by the folder's template."""
        with _complaints(self.folder):
            self.config.stdout = io.StringIO()
            made = command.revision(self.config, message=name)
        if not isinstance(made, Script):
            message = f"Alembic wrote no single revision for {name!r}"
            raise MigrationError(message)
        return Path(made.path)

    def steps(self, way: Way, target: str, current: tuple[str, ...]) -> tuple[Migration, ...]:
        """Return the revisions that would run, in order. Raises MigrationError for a target that is not there."""
        with _complaints(self.folder):
            return tuple(_migration(step.revision) for step in self._steps(way, target, current))

    def offline(self, way: Way, target: str, current: tuple[str, ...]) -> tuple[tuple[Migration, str], ...]:
        """Return the revisions that would run, each with the SQL that Alembic makes of it without a database."""
        buffer, seen = io.StringIO(), list[Migration]()

        def work(heads: Any, _context: Any) -> Iterable[Any]:  # noqa: ANN401  # Alembic types these loosely
            for step in self._steps(way, target, heads):
                seen.append(_migration(step.revision))
                yield step

        self.config.output_buffer = buffer
        self.config.attributes.pop("connection", None)
        self.config.set_main_option("sqlalchemy.url", "postgresql+psycopg://")
        with _complaints(self.folder), _ONE_AT_A_TIME:
            context = EnvironmentContext(
                self.config,
                self.script,
                fn=work,
                as_sql=True,
                starting_rev=list(current) or None,
                destination_rev=target,
            )
            with context:
                self.script.run_env()
        head, *texts = buffer.getvalue().split(_RUNNING)
        pieces = [f"{_RUNNING}{text}" for text in texts]
        if pieces:
            pieces[0] = head + pieces[0]
        return tuple(zip(seen, pieces, strict=True))

    def online(
        self,
        way: Way,
        target: str,
        address: DatabaseAddress,
        identity: Identity,
        on_progress: Callable[[Progress], None] | None,
    ) -> tuple[Migration, ...]:
        """Run env.py on a connection to `address`, which it finds in `config.attributes["connection"]`.

        An env.py that connects by itself must have reached the same database, `identity`; else nothing is run.
        """
        run = _Run(way, on_progress)

        def work(heads: Any, _context: Any) -> Iterable[Any]:  # noqa: ANN401  # Alembic types these loosely
            yield from run.watch(self._steps(way, target, heads))

        engine = sqlalchemy.create_engine(
            "postgresql+psycopg://",
            creator=lambda: connect(address, autocommit=False),
            poolclass=sqlalchemy.pool.NullPool,
        )
        url = address.url().reveal().replace("postgresql://", "postgresql+psycopg://", 1)
        self.config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
        try:
            with _complaints(self.folder), _ONE_AT_A_TIME, engine.connect() as connection:
                self.config.attributes["connection"] = connection
                context = EnvironmentContext(self.config, self.script, fn=work, destination_rev=target)
                with _judged(context, identity):
                    self.script.run_env()
        except (sqlalchemy.exc.DBAPIError, psycopg.Error) as error:
            cause = error.orig if isinstance(error, sqlalchemy.exc.DBAPIError) else error
            statement = error.statement if isinstance(error, sqlalchemy.exc.DBAPIError) else None
            complain_of_revision(run.current, run.direction, cause, statement, where=str(address), folder=self.folder)
        finally:
            self.config.attributes.pop("connection", None)
            engine.dispose()
        return tuple(run.done)

    def _steps(self, way: Way, target: str, heads: Any) -> list[Any]:  # noqa: ANN401  # Alembic types these loosely
        # Alembic's own commands call these; its public ones leave no way to judge the connection first.
        if way == "upgrade":
            return list(self.script._upgrade_revs(target, heads))  # noqa: SLF001
        if way == "downgrade":
            return list(self.script._downgrade_revs(target, heads))  # noqa: SLF001
        return list(self.script._stamp_revs(target, heads))  # noqa: SLF001


class _Run:
    """What a run has done so far."""

    def __init__(self, way: Way, on_progress: Callable[[Progress], None] | None) -> None:
        self.direction = Direction.DOWN if way == "downgrade" else Direction.UP
        self.done: list[Migration] = []
        self.current: Migration | None = None
        self._stamps = way == "stamp"
        self._on_progress = on_progress

    def watch(self, steps: list[MigrationStep]) -> Iterator[MigrationStep]:
        """Hand out the steps; when the next one is asked for, the one before has ended."""
        for index, step in enumerate(steps, start=1):
            began = time.monotonic()
            if self._stamps:
                yield step
                continue
            self.current = _migration(step.revision)  # type: ignore[attr-defined]  # a RevisionStep
            yield step
            self.done.append(self.current)
            if self._on_progress is not None:
                self._on_progress(
                    Progress(
                        migration=self.current,
                        direction=self.direction,
                        index=index,
                        total=len(steps),
                        took_s=time.monotonic() - began,
                    )
                )
        self.current = None


def _judged(context: EnvironmentContext, identity: Identity) -> EnvironmentContext:
    """Return Alembic's environment, now refusing to run anything before the connection of env.py was judged.

    A subclass would not do: Alembic publishes the methods of exactly this class.
    """
    run_migrations = context.run_migrations

    def judge_and_run(**words: Any) -> None:  # noqa: ANN401
        _judge(context.get_context(), identity)
        run_migrations(**words)

    context.run_migrations = judge_and_run  # type: ignore[method-assign]
    return context


def _judge(context: MigrationContext, identity: Identity) -> None:
    """Refuse a connection to another database than the one that was judged. Raises GuardError."""
    raw = None if context.connection is None else context.connection.connection.dbapi_connection
    if raw is None:
        return
    idle = raw.info.transaction_status == _IDLE
    cursor = raw.cursor()
    cursor.execute(_IDENTITY)
    found = cursor.fetchone()
    cursor.close()
    if idle:
        raw.rollback()
    if found == (identity.oid, identity.system_identifier):
        return
    message = explain(
        "env.py connects to another database than the one that the guard has judged",
        expected=f"server {identity.system_identifier}, database {identity.oid}",
        found="no answer" if found is None else f"server {found[1]}, database {found[0]}",
        where=identity.where,
    )
    remedy = 'let env.py use config.attributes["connection"] where it is given, as Alembic\'s cookbook shows'
    raise GuardError(message, remedy=remedy)


@contextmanager
def _complaints(folder: Path) -> Iterator[None]:
    """Say what Alembic says, with where and what to do."""
    try:
        yield
    except CommandError as error:
        message = explain(
            "Alembic cannot go on",
            expected="revisions that build on one another, and a target among them",
            found=" ".join(str(error).split()),
            where=str(folder),
        )
        raise FolderError(message, remedy=f"cd {folder} && alembic history shows what there is") from error
    except SystemExit as error:
        message = explain("env.py gave up", expected="env.py to run", found=str(error), where=str(folder / "env.py"))
        raise MigrationError(message, remedy='let env.py use config.attributes["connection"]') from error


def _migration(script: Script) -> Migration:
    down = script.down_revision
    parents = () if down is None else (down,) if isinstance(down, str) else tuple(down)
    return Migration(
        version=script.revision,
        description=script.doc,
        file=script.path,
        back=script.path if hasattr(script.module, "downgrade") else None,
        parents=parents,
        label=next(iter(sorted(script.branch_labels)), None),
    )
