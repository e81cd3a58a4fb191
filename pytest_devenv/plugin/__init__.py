"""The pytest plugin `devenv`: it registers what pytest must know, and does nothing more where no table asks for it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pytest_devenv import options
from pytest_devenv.errors import ConfigError
from pytest_devenv.settings.locate import find

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_devenv.plugin.session import Session
    from pytest_devenv.run import Devenv

MARKS = {
    "health": "is the environment healthy: reads only",
    "schema": "does each database have the schema that its migrations say",
    "ports": "does each local port belong to whom it should",
    "loop": "how long does an edit take until it is live",
    "perf": "does the environment keep its performance budgets",
    "e2e": "does the environment do what its users need, from end to end",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register the options of the options table, on the command line and as ini keys."""
    options.add_to(parser)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Register the hooks that projects implement."""
    from pytest_devenv import hookspecs

    pluginmanager.add_hookspecs(hookspecs)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marks and the fixtures, and where a table configures an environment, the session over it."""
    for name, meaning in MARKS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")
    from pytest_devenv import fixtures

    config.pluginmanager.register(fixtures, "devenv-fixtures")
    _split(config)
    try:
        file = find(config.rootpath)
    except ConfigError as error:
        raise pytest.UsageError(str(error)) from error
    if file is not None:
        _open_session(config, file)
    elif config.getoption(options.option("devenv").dest):
        raise _unconfigured(config)
    else:
        config.stash[fixtures.DEVENV] = _absent(config)


def _split(config: pytest.Config) -> None:
    """Leave to this run the part of the tests that it is asked for, whether or not there is a table."""
    each = options.option("shard")
    try:
        value, source = options.resolve(each, config.getoption(each.dest), os.environ, config.getini(each.ini))
        if value is not None:
            from pytest_devenv.plugin.sharding import Sharding, shard_of

            config.pluginmanager.register(Sharding(shard_of(str(value), source, os.environ)), "devenv-sharding")
    except ConfigError as error:
        raise pytest.UsageError(str(error)) from error


def _open_session(config: pytest.Config, file: Path) -> None:
    from pytest_devenv import fixtures
    from pytest_devenv.plugin.session import Session

    session = Session(config, file)
    config.stash[fixtures.DEVENV] = session.environment
    config.pluginmanager.register(session, "devenv-session")
    session.configure()
    if session.joins:
        _join(session)
    elif config.getoption(options.option("report").dest) is not None:
        msg = (
            "--devenv-report: expected a run that the packaged checks join, found one that they do not\n"
            "  remedy: add -m health, or --devenv"
        )
        raise pytest.UsageError(msg)


def _join(session: Session) -> None:
    """Let the packaged checks join this run."""
    from pytest_devenv.plugin.measuring import Measuring
    from pytest_devenv.plugin.running import Running

    config = session.config
    # Without this a broken import in any of the project's tests keeps the checks from running.
    config.option.continue_on_collection_errors = True
    running = Running(session)
    config.pluginmanager.register(running, "devenv-running")
    config.pluginmanager.register(Measuring(), "devenv-measuring")
    if not session.is_worker:
        from pytest_devenv.plugin.reporting import Reporting, Summary

        reporting = Reporting(session, running)
        config.pluginmanager.register(reporting, "devenv-reporting")
        config.pluginmanager.register(Summary(session, reporting), "devenv-summary")


def _absent(config: pytest.Config) -> Callable[[], Devenv]:
    """Return what a fixture of ours finds in a project without a table."""

    def fail() -> Devenv:
        pytest.fail(str(_unconfigured(config)), pytrace=False)

    return fail


def _unconfigured(config: pytest.Config) -> pytest.UsageError:
    return pytest.UsageError(
        "expected a [tool.pytest-devenv] table in pyproject.toml or a pytest-devenv.toml, found none, "
        f"looked in {config.rootpath} and above\n  remedy: pytest-devenv init --write"
    )
