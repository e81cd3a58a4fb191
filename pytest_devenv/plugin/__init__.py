"""The pytest plugin `devenv`: it registers what pytest must know, and does nothing more where no table asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_devenv import options
from pytest_devenv.errors import ConfigError
from pytest_devenv.settings.locate import find

if TYPE_CHECKING:
    from pytest_devenv.plugin.session import Session

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
    try:
        file = find(config.rootpath)
    except ConfigError as error:
        raise pytest.UsageError(str(error)) from error
    if file is None:
        if config.getoption(options.option("devenv").dest):
            msg = (
                f"--devenv: expected a [tool.pytest-devenv] table in pyproject.toml or a pytest-devenv.toml, "
                f"found none, looked in {config.rootpath} and above\n  remedy: pytest-devenv init"
            )
            raise pytest.UsageError(msg)
        return
    from pytest_devenv.plugin.session import SESSION, Session

    session = Session(config, file)
    config.stash[SESSION] = session
    config.pluginmanager.register(session, "devenv-session")
    session.configure()


def session_of(config: pytest.Config) -> Session:
    """Return the session over the configured environment. Raises UsageError where nothing configures one."""
    from pytest_devenv.plugin.session import SESSION

    session = config.stash.get(SESSION, None)
    if session is None:
        msg = (
            "expected a [tool.pytest-devenv] table in pyproject.toml or a pytest-devenv.toml, found none, "
            f"looked in {config.rootpath} and above\n  remedy: pytest-devenv init"
        )
        raise pytest.UsageError(msg)
    return session
