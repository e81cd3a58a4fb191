"""What is said of a service that could not be brought up, and the order in which they come up."""

from __future__ import annotations

import errno
import shlex
import sys
from pathlib import Path

import psycopg
import pytest

from pytest_devenv.clients.postgres import DatabaseAddress
from pytest_devenv.endpoint import Endpoint
from pytest_devenv.errors import MigrationError, TargetError
from pytest_devenv.settings import Database, Service, ServiceKind
from pytest_devenv.targets.embedded.faults import (
    did_not_migrate,
    did_not_provision,
    did_not_start,
    machine_refused,
    no_command,
)
from pytest_devenv.targets.embedded.start import _in_order
from pytest_devenv.targets.embedded.startup import ServerStartError
from pytest_devenv.verdict import Evidence, State, failed, unknown

FILE = Path("/srv/shop/pyproject.toml")
HERE = "the embedded target, on this machine"
SPACE = "free space on that disk, or name a folder on another: PYTEST_DEVENV_STATE=/path/with/space"
BACKEND = Service(name="backend", kind=ServiceKind.HTTP, command=("{python}", "-m", "shop"))
POSTGRES = Service(name="postgres", kind=ServiceKind.POSTGRES)
SHOP = Database(name="shop", service="postgres")
ADDRESS = DatabaseAddress(
    Endpoint(service="postgres", kind=ServiceKind.POSTGRES, host="127.0.0.1", port=5432, user="shop"), "shop"
)


def test_a_server_that_ended_shows_its_log_and_its_command() -> None:
    """A service with a command is started by hand as the settings say, with what stands for its placeholders."""
    error = ServerStartError("backend", "it ended with status 1", "no price list")
    assert did_not_start(BACKEND, error) == failed(
        "backend did not start: it ended with status 1",
        expected="backend up and listening",
        found="it ended with status 1",
        where=HERE,
        remedy=f"mend what its log says; by hand it runs as: {shlex.join([sys.executable, '-m', 'shop'])}",
        evidence=(Evidence("last lines of backend", "no price list"),),
    )


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (("shop", "--port", "{port}", "--host", "{host}"), "shop --port 3000 --host 127.0.0.1"),
        (("shop", "a b"), "shop 'a b'"),
        (("shop", "{database.shop.url}"), None),
        (("shop", "--token=abc-1"), None),
        (("shop", "x" * 200), None),
    ],
    ids=["own", "quoted", "another's", "secret", "long"],
)
def test_a_command_is_told_where_it_can_be_pasted(command: tuple[str, ...], line: str | None) -> None:
    """A line that would need another service's address, tell a secret or be cut is left out."""
    service = Service(name="backend", kind=ServiceKind.HTTP, command=command, local_port=3000)
    remedy = did_not_start(service, ServerStartError("backend", "it ended with status 1", "")).remedy
    by_hand = f"mend what its log says; by hand it runs as: {line}"
    assert remedy == ("mend what its log says, then run again" if line is None else by_hand)


def test_a_command_whose_port_each_run_chooses_is_not_told() -> None:
    """Without a port in the settings there is none to fill in."""
    service = Service(name="backend", kind=ServiceKind.HTTP, command=("shop", "{port}"))
    remedy = did_not_start(service, ServerStartError("backend", "it ended with status 1", "")).remedy
    assert remedy == "mend what its log says, then run again"


def test_a_server_of_ours_that_ended_has_no_command_to_show() -> None:
    """PostgreSQL is run by us: without a log there is no evidence either."""
    verdict = did_not_start(POSTGRES, ServerStartError("postgres", "initdb failed", ""))
    assert verdict.remedy == "mend what its log says, then run again"
    assert verdict.evidence == ()


def test_a_log_that_tells_of_a_full_disk_asks_for_space() -> None:
    """Of all causes a full disk has its own remedy, whatever the service."""
    for service in (BACKEND, POSTGRES):
        error = ServerStartError(service.name, "it ended with status 1", "write failed: No space left on device")
        assert did_not_start(service, error).remedy == SPACE


def test_a_server_that_could_not_be_tried_is_unknown() -> None:
    """What kept us from starting it says nothing about the service."""
    error = TargetError("expected a server, found none", remedy="install one")
    assert did_not_start(POSTGRES, error) == unknown(
        "postgres could not be started: expected a server, found none", remedy="install one"
    )


@pytest.mark.parametrize(
    ("error", "found", "remedy"),
    [
        (
            FileNotFoundError(errno.ENOENT, "No such file or directory", "shop-server"),
            "No such file or directory: shop-server",
            f"install shop-server, or correct services.backend.command in {FILE}",
        ),
        (
            OSError(errno.ENOSPC, "No space left on device", "/state/logs/backend.log"),
            "No space left on device: /state/logs/backend.log",
            SPACE,
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "/state/redis"),
            "Permission denied: /state/redis",
            "see that /state/redis can be used, or name another folder: PYTEST_DEVENV_STATE=/path",
        ),
    ],
    ids=["program", "space", "permission"],
)
def test_what_the_machine_refuses_is_a_failure(error: OSError, found: str, remedy: str) -> None:
    """A program, a disk or a folder that the machine does not give is named, with what mends it."""
    service = Service(name="backend", kind=ServiceKind.HTTP, command=("shop-server", "--port", "{port}"))
    assert machine_refused(service, error, FILE) == failed(
        f"backend did not start: {found}",
        expected="backend up and listening",
        found=found,
        where=HERE,
        remedy=remedy,
    )


def test_a_role_or_database_that_is_refused_is_a_failure() -> None:
    """PostgreSQL's own words are told in one line, with its SQLSTATE, and the keys to correct."""
    verdict = did_not_provision(POSTGRES, psycopg.errors.ReservedName("role name\nis reserved"), FILE)
    assert verdict == failed(
        "postgres could not be given its role and databases: role name is reserved",
        expected="the role that the settings name, and each of its databases",
        found="role name is reserved (42939)",
        where=HERE,
        remedy=f"correct services.postgres.user, or the names and roles of its databases, in {FILE}",
    )


def test_a_database_for_which_there_is_no_space_asks_for_some() -> None:
    """PostgreSQL has a SQLSTATE for a full disk."""
    assert did_not_provision(POSTGRES, psycopg.errors.DiskFull("could not extend file"), FILE).remedy == SPACE


def test_a_service_without_a_command_is_unknown() -> None:
    """Settings for a cluster alone say nothing of how a service runs here; the remedy is a line to paste."""
    assert no_command(BACKEND, FILE) == unknown(
        "backend has no command, so the embedded target cannot run it",
        where=str(FILE),
        remedy='set services.backend.command, such as ["{python}", "-m", "app", "--port", "{port}"]',
    )


def test_a_migration_that_failed_shows_its_parts() -> None:
    """The first line of an engine's message is the finding, the rest the evidence, its remedy the remedy."""
    error = MigrationError("2_orders.sql failed\n  at line 3\n  near price", remedy="mend line 3")
    assert did_not_migrate(SHOP, ADDRESS, error) == failed(
        "migrations of shop failed: 2_orders.sql failed",
        expected="every migration of shop applied",
        found="2_orders.sql failed",
        where=str(ADDRESS),
        remedy="mend line 3",
        evidence=(Evidence("the migration", "at line 3\n  near price"),),
    )


def test_a_migration_that_failed_without_a_remedy_gets_one() -> None:
    """Where the engine knows no remedy, the command that tries again is one."""
    verdict = did_not_migrate(SHOP, ADDRESS, MigrationError("no folder"))
    assert verdict.remedy == "mend the migration, then: pytest-devenv db migrate --database shop"
    assert verdict.state is State.FAIL


def service(name: str, *requires: str) -> Service:
    """Make a service that requires others."""
    return Service(name=name, kind=ServiceKind.HTTP, requires=requires)


@pytest.mark.parametrize(
    ("services", "order"),
    [
        ((), []),
        ((service("a"), service("b")), ["a", "b"]),
        ((service("a", "b"), service("b")), ["b", "a"]),
        ((service("a", "b", "c"), service("b", "d"), service("c", "d"), service("d")), ["d", "b", "c", "a"]),
    ],
    ids=["none", "as-declared", "reversed", "diamond"],
)
def test_what_is_required_comes_first(services: tuple[Service, ...], order: list[str]) -> None:
    """Each service comes once, after all that it requires, and else as the settings declare it."""
    assert [each.name for each in _in_order({each.name: each for each in services})] == order
