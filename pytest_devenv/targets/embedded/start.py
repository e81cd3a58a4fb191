"""Bringing a whole environment up: every service as soon as what it requires is there."""

from __future__ import annotations

import os
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pytest_devenv.clients.postgres import DatabaseAddress
from pytest_devenv.errors import DevenvError, TargetError
from pytest_devenv.settings import MigrationEngine, ServiceKind
from pytest_devenv.settings.template import render
from pytest_devenv.targets.embedded.account import server_account
from pytest_devenv.targets.embedded.child import end, processes_of
from pytest_devenv.targets.embedded.faults import (
    did_not_migrate,
    did_not_provision,
    did_not_start,
    machine_refused,
    no_command,
)
from pytest_devenv.targets.embedded.http import start_http
from pytest_devenv.targets.embedded.ports import HOST
from pytest_devenv.targets.embedded.postgres import start_postgres
from pytest_devenv.targets.embedded.provision import provision
from pytest_devenv.targets.embedded.record import Record
from pytest_devenv.targets.embedded.redis import start_redis
from pytest_devenv.targets.embedded.startup import ServerStartError
from pytest_devenv.targets.environment import database_fault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_devenv.endpoint import Endpoint
    from pytest_devenv.settings import Database, Service, Settings
    from pytest_devenv.targets.embedded.child import Child
    from pytest_devenv.targets.embedded.instance import Instance
    from pytest_devenv.targets.embedded.migrator import Migrator
    from pytest_devenv.verdict import Verdict

_SETTLE_S = 5.0
_AGAIN_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """What became of one service."""

    endpoint: Endpoint | None = None
    child: Child | None = None
    fault: Verdict | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    took_s: float = 0.0
    skipped: bool = False

    databases: Mapping[str, Verdict] = field(default_factory=dict)

    @property
    def up(self) -> bool:
        return self.fault is None and not self.skipped


def start(settings: Settings, instance: Instance, *, keep: bool = False, reload: bool = False) -> Record:
    """Start the services of the settings below the instance's folder, and record them there.

    With `reload` those that can take up edits of their code are started so. What does not come up is recorded as a
    fault and what requires it is not started; everything else runs. Raises TargetError where nothing can be made at
    all, and for an environment that is neither development nor test.
    """
    if not settings.environment.changeable:
        msg = (
            "the embedded target makes a development or test environment: expected environment development or test, "
            f"found {settings.environment}, looked in {settings.sources.get('environment', settings.file.name)}"
        )
        raise TargetError(msg, remedy="PYTEST_DEVENV_ENVIRONMENT=development, or --devenv-environment=development")
    outcomes = _Start(settings, instance, reload=reload).run()
    record = Record(
        endpoints={name: outcome.endpoint for name, outcome in outcomes.items() if outcome.endpoint is not None},
        variables={name: outcome.variables for name, outcome in outcomes.items() if outcome.variables},
        faults={name: outcome.fault for name, outcome in outcomes.items() if outcome.fault is not None}
        | {database_fault(name): fault for outcome in outcomes.values() for name, fault in outcome.databases.items()},
        timings_s={name: round(outcome.took_s, 3) for name, outcome in outcomes.items() if not outcome.skipped},
        processes={
            name: (outcome.child.process.pid, outcome.child.process.create_time())
            for name, outcome in outcomes.items()
            if outcome.child is not None
        },
        kept=keep,
        started=time.time(),
    )
    instance.write(record)
    return record


class _Start:
    """One start: a thread for each service, which waits for those that its service requires."""

    def __init__(self, settings: Settings, instance: Instance, *, reload: bool) -> None:
        self._settings = settings
        self._reload = reload
        self._folder = instance.folder
        self._account = server_account()
        self._futures: dict[str, Future[_Outcome]] = {}
        self._given_up = threading.Event()
        self._claimed = {name for service in settings.services.values() for name in self._migrates(service)}
        self._migrator: Future[Migrator | None] = Future()
        required = {name for service in settings.services.values() for name in service.requires}
        self._awaited = required

    def run(self) -> dict[str, _Outcome]:
        services = _in_order(self._settings.services)
        with (
            ExitStack() as stack,
            ThreadPoolExecutor(max_workers=len(services) + 2, thread_name_prefix="start") as pool,
        ):
            try:
                self._migrator = pool.submit(self._own_process, stack)
                pool.submit(self._read_ahead)
                for service in services:  # required ones first, so that their futures are there
                    self._futures[service.name] = pool.submit(self._bring_up, service)
                return {name: future.result() for name, future in self._futures.items()}
            except BaseException:
                self._given_up.set()
                while wait(self._futures.values(), timeout=_AGAIN_S).not_done:
                    end(processes_of(self._folder))  # whoever waits for a server to become ready sees it ended
                raise

    def _own_process(self, stack: ExitStack) -> Migrator | None:
        """Begin the process that applies Alembic's migrations, if any database has such."""
        if not any(_is_of_alembic(database) for database in self._settings.databases.values()):
            return None
        from pytest_devenv.targets.embedded.migrator import Migrator

        return stack.enter_context(Migrator(self._folder, self._settings.root))

    def _read_ahead(self) -> None:
        """Read every folder of migrations while the servers start, and with it import what will apply them.

        What is wrong with one is told when it is applied.
        """
        from pytest_devenv.migrate import engine_for

        for database in self._settings.databases.values():
            if database.migrations is not None and not _is_of_alembic(database):
                with suppress(DevenvError):
                    engine_for(database, self._settings.root).discover()

    def _bring_up(self, service: Service) -> _Outcome:
        if not all(self._futures[name].result().up for name in service.requires) or self._given_up.is_set():
            return _Outcome(skipped=True)
        began = time.monotonic()
        try:
            outcome = self._start_one(service)
        except TargetError as error:
            outcome = _Outcome(fault=did_not_start(service, error))
        except OSError as error:
            outcome = _Outcome(fault=machine_refused(service, error, self._settings.file))
        return replace(outcome, took_s=time.monotonic() - began)

    def _start_one(self, service: Service) -> _Outcome:
        match service.kind:
            case ServiceKind.POSTGRES:
                return self._postgres(service)
            case ServiceKind.REDIS:
                child, endpoint = start_redis(service.name, self._folder, start_s=self._settings.start_s)
                return _Outcome(endpoint=endpoint, child=child)
            case ServiceKind.HTTP:
                return self._http(service)
            case ServiceKind.JOB:
                faults = self._migrate(self._migrates(service))
                return _Outcome(fault=next(iter(faults.values()), None), databases=faults)

    def _postgres(self, service: Service) -> _Outcome:
        import psycopg

        server = start_postgres(service.name, self._folder, self._account, start_s=self._settings.start_s)
        try:
            endpoint = provision(server, service, self._settings, os.environ)
        except psycopg.Error as error:
            return _Outcome(fault=did_not_provision(service, error, self._settings.file), child=server.child)
        unclaimed = [
            database.name
            for database in self._settings.databases.values()
            if database.service == service.name and database.name not in self._claimed
        ]
        return _Outcome(endpoint=endpoint, child=server.child, databases=self._migrate(unclaimed, server=endpoint))

    def _http(self, service: Service) -> _Outcome:
        if not service.command:
            return _Outcome(fault=no_command(service, self._settings.file))
        given: dict[str, str] = {}
        words = (*service.command, *service.reload) if self._reload else service.command
        try:
            child, endpoint = start_http(
                replace(service, command=words),
                self._folder,
                self._settings.root,
                fill_in=self._fill_in,
                start_s=self._settings.start_s,
                settle_s=_SETTLE_S,
                wait=service.name in self._awaited,
                given=given,
            )
        except ServerStartError as error:
            return _Outcome(fault=did_not_start(service, error), variables=given)
        return _Outcome(endpoint=endpoint, child=child, variables=given)

    def _migrates(self, service: Service) -> tuple[str, ...]:
        """Return the databases that a Job migrates: those it names, else every one with migrations."""
        if service.kind is not ServiceKind.JOB:
            return ()
        every = (name for name, database in self._settings.databases.items() if database.migrations is not None)
        return service.migrates or tuple(every)

    def _migrate(self, names: Sequence[str], *, server: Endpoint | None = None) -> dict[str, Verdict]:
        """Apply each database's migrations; return what is wrong, by database."""
        from pytest_devenv.migrate import AlembicEngine, engine_for

        faults = {}
        for name in names:
            database = self._settings.databases[name]
            if database.migrations is None:
                continue
            endpoint = server if server is not None else self._endpoint_of(database)
            address = DatabaseAddress(endpoint, name)
            engine, migrator = engine_for(database, self._settings.root), self._migrator.result()
            try:
                if migrator is not None and isinstance(engine, AlembicEngine):
                    migrator.apply(engine, address, tier=self._settings.environment)
                else:
                    engine.apply(address, tier=self._settings.environment)
            except DevenvError as error:
                faults[name] = did_not_migrate(database, address, error)
        return faults

    def _endpoint_of(self, database: Database) -> Endpoint:
        endpoint = self._futures[database.service].result().endpoint
        if endpoint is None:
            msg = f"the service {database.service} of database {database.name} is not up"
            raise TargetError(msg)
        return endpoint

    def _fill_in(self, template: str, port: int) -> str:
        """Render a template of the settings, with the endpoints of the services that are up by now."""
        values = {"python": sys.executable, "host": HOST, "port": str(port)}
        up = {
            name: endpoint
            for name, future in tuple(self._futures.items())
            if future.done() and (endpoint := future.result().endpoint) is not None
        }
        for name, endpoint in up.items():
            values |= {
                f"{name}.host": endpoint.host,
                f"{name}.port": str(endpoint.port),
                f"{name}.url": endpoint.url().reveal(),
            }
        for name, database in self._settings.databases.items():
            if database.service in up:
                values[f"database.{name}.url"] = up[database.service].url(name).reveal()
        try:
            return render(template, values)
        except KeyError as error:
            msg = (
                f"a value of the settings names {{{error.args[0]}}}: expected a service that is up by then, "
                f"found {', '.join(up) or 'none'}"
            )
            raise TargetError(msg, remedy="add that service to this one's requires") from error


def _is_of_alembic(database: Database) -> bool:
    return database.migrations is not None and database.migrations.engine is MigrationEngine.ALEMBIC


def _in_order(services: Mapping[str, Service]) -> list[Service]:
    """Return the services with every required one before what requires it; the settings have no cycle."""
    order: dict[str, Service] = {}

    def add(name: str) -> None:
        if name not in order:
            for required in services[name].requires:
                add(required)
            order[name] = services[name]

    for name in services:
        add(name)
    return list(order.values())
