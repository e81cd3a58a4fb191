"""A pytest session over one environment: what joins it, what it looks at, and what it tells."""

from __future__ import annotations

import contextlib
import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_devenv import options
from pytest_devenv.errors import ConfigError, DevenvError
from pytest_devenv.plugin.joining import is_packaged_id, names_mark, selects_marked_only

if TYPE_CHECKING:
    from collections.abc import Generator

    from pytest_devenv.report.redact import Redactor
    from pytest_devenv.run import Devenv
    from pytest_devenv.settings import Settings, TargetName
    from pytest_devenv.targets.embedded.instance import Instance

_INSTANCE = "devenv_instance"


class Session:
    """The plugin object of a configured project. Everything in it is made when it is first needed."""

    def __init__(self, config: pytest.Config, file: Path) -> None:
        self.config = config
        self.file = file
        self.named: tuple[str, ...] = ()
        self._shared: Instance | None = None

    # What the run is

    @property
    def is_worker(self) -> bool:
        """Whether this process is one of xdist's workers."""
        return hasattr(self.config, "workerinput")

    @property
    def is_controller(self) -> bool:
        """Whether this process hands tests to xdist's workers and runs none itself."""
        return not self.is_worker and bool(self.config.getoption("tx", None))

    @property
    def joins(self) -> bool:
        """Whether the packaged checks join this run."""
        if self.named or self.option("devenv"):
            return True
        return selects_marked_only(str(self.config.getoption("markexpr", "") or ""))

    def names_mark(self, mark: str) -> bool:
        """Tell whether the run's `-m` names a mark."""
        return names_mark(str(self.config.getoption("markexpr", "") or ""), mark)

    def option(self, name: str) -> options.Value:
        """Return the value of one of our options. Raises UsageError for a wrong one."""
        each = options.option(name)
        try:
            return options.resolve(each, self._cli(each.dest), os.environ, self._ini(each.ini))[0]
        except ConfigError as error:
            raise pytest.UsageError(str(error)) from error

    def _cli(self, dest: str) -> object:
        return self.config.getoption(dest, None)

    def _ini(self, name: str) -> object:
        return self.config.getini(name)

    # What is made when it is first needed

    @cached_property
    def settings(self) -> Settings:
        """The settings, with what the command line, the environment and the hooks add. Raises UsageError."""
        from pytest_devenv.settings.read import read

        try:
            overrides = options.overrides(os.environ, cli=self._cli, ini=self._ini)
            settings = read(self.file, overrides=overrides)
            return self._with_services(settings)
        except ConfigError as error:
            raise pytest.UsageError(str(error)) from error

    @cached_property
    def devenv(self) -> Devenv:
        """The environment of this run."""
        from pytest_devenv.every import every_probe
        from pytest_devenv.run import Devenv

        probes = every_probe(self.settings, self._target())
        for more in self.config.hook.pytest_devenv_probes(settings=self.settings):
            for probe in more:
                if probe.id in probes:
                    msg = (
                        f"a hook adds the probe {probe.id}: expected a new id, found one that is there already\n"
                        "  remedy: give the probe of the hook another name"
                    )
                    raise pytest.UsageError(msg)
                probes[probe.id] = probe
        jobs = self.option("jobs")
        return Devenv(
            self.settings,
            probes,
            jobs=jobs if isinstance(jobs, int) else 1,
            keep=bool(self.option("keep")),
            instance=self._instance_of_worker(),
        )

    def _target(self) -> TargetName | None:
        """Return where the environment runs; where that cannot be told, opening it says why."""
        from pytest_devenv.targets.choose import choose

        try:
            return choose(self.settings).target
        except DevenvError:
            return None

    def environment(self) -> Devenv:
        """Return the environment of this run, for the fixture that gives it."""
        return self.devenv

    @cached_property
    def redactor(self) -> Redactor:
        """What takes every secret of this run out of a text; known ones only once the environment is open."""
        from pytest_devenv.report.redact import Redactor
        from pytest_devenv.settings.redact import looks_secret

        environment = self.devenv.environment
        passwords = [each.password for each in environment.endpoints.values() if each.password is not None]
        values = [
            value for given in environment.variables.values() for key, value in given.items() if looks_secret(key)
        ]
        words = [*self.settings.services, *self.settings.databases, self.settings.name]
        return Redactor([*passwords, *values], words=words)

    def _with_services(self, settings: Settings) -> Settings:
        from dataclasses import replace

        added: dict[str, Any] = {}
        for more in self.config.hook.pytest_devenv_services(settings=settings):
            for service in more:
                if service.name in settings.services or service.name in added:
                    msg = (
                        f"a hook adds the service {service.name}: expected a new name, "
                        f"found one that is there already, looked in {settings.file} and other hooks"
                    )
                    raise ConfigError(msg, remedy="give the service of the hook another name")
                added[service.name] = service
        return replace(settings, services={**settings.services, **added}) if added else settings

    # The life of the run

    def configure(self) -> None:
        """Take the ids of packaged checks out of the arguments, since no file of the project has them."""
        here = self.config.invocation_params.dir
        self.named = tuple(argument for argument in self.config.args if is_packaged_id(argument, here))
        if self.named and not self.is_controller:
            self.config.args[:] = [argument for argument in self.config.args if argument not in self.named]

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:  # noqa: ANN401  # xdist's, which has no types
        """Give every worker the instance that this process owns, and will end.

        Where that cannot be made, the workers go without one: whoever then needs the environment hears why. Where this
        run joins one itself, they join it too.
        """
        if options.INSTANCE in os.environ:
            return
        if self._shared is None:
            from pytest_devenv.targets.embedded.instance import create, project_key

            with contextlib.suppress(pytest.UsageError, DevenvError):
                name = project_key(self.settings) if self.option("keep") else None
                self._shared = create(self.settings, name=name)
        if self._shared is not None:
            node.workerinput[_INSTANCE] = str(self._shared.folder)

    def _instance_of_worker(self) -> Instance | None:
        """Return the instance that another process owns: xdist's controller, or whoever runs pytest as a stage."""
        folder = getattr(self.config, "workerinput", {}).get(_INSTANCE) or os.environ.get(options.INSTANCE)
        if folder is None:
            return None
        from pytest_devenv.targets.embedded.instance import Instance

        return Instance(Path(folder))

    def pytest_keyboard_interrupt(self) -> None:
        """End the servers at once, so that no worker goes on waiting for them."""
        if self._shared is not None:
            self._shared.destroy()

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        """End what the run started, unless it is to be kept."""
        if "devenv" in self.__dict__:
            self.devenv.close()
        if self._shared is None:
            return
        record = self._shared.read()
        if record is not None and record.kept:
            self._shared.release()
        else:
            self._shared.destroy()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Say our own errors without our code, and take this environment's secrets out of whatever a test told."""
        report = yield
        if call.excinfo is not None and isinstance(call.excinfo.value, DevenvError | pytest.UsageError):
            from pytest_devenv.plugin.telling import told

            report.longrepr = told(call.excinfo, str(call.excinfo.value).partition("\n")[0])
        if "devenv" in self.__dict__ and self.devenv.opened:
            _redact(report, self.redactor)
        return report


def _redact(report: pytest.TestReport, redactor: Redactor) -> None:
    report.sections = [(title, redactor.text(text)) for title, text in report.sections]
    if report.longrepr is None or isinstance(report.longrepr, tuple):
        return
    shown = str(report.longrepr)
    if redactor.text(shown) != shown:
        report.longrepr = redactor.text(shown)
