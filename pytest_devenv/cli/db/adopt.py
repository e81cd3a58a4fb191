"""`pytest-devenv db adopt`: mark a database that already holds data."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from pytest_devenv.cli.db.asking import typed_name
from pytest_devenv.cli.db.audit import audited
from pytest_devenv.cli.db.call import Call, confirm_option, database_command
from pytest_devenv.cli.db.codes import UsageError
from pytest_devenv.cli.db.guarding import judge
from pytest_devenv.cli.db.rows import told
from pytest_devenv.clients.marker import adopt as mark
from pytest_devenv.clients.marker import read_contents, read_identity, read_marker
from pytest_devenv.migrate.session import connected

if TYPE_CHECKING:
    from pytest_devenv.clients.marker import Contents
    from pytest_devenv.clients.postgres import DatabaseAddress
    from pytest_devenv.guard import Marker


@database_command
@click.argument("name", metavar="DATABASE")
@confirm_option
def adopt(call: Call, *, name: str, confirm: str | None) -> None:
    """Mark DATABASE as one of this environment, so that commands and tests may change it.

    Shows what it holds, and wants its name typed, or given with --confirm. Never in production or staging.
    """
    if call.database not in {None, name}:
        message = f"expected: one database\n  found: {name} and --database {call.database}\n  where: {call.line}"
        raise UsageError(message, remedy="leave --database out")
    call.database = name
    (database,) = call.chosen()
    address = call.address(database)
    judge(call, address)
    with connected(address, deadline_s=call.settings.deadline_s) as connection:
        contents, marker, identity = read_contents(connection), read_marker(connection), read_identity(connection)
        if marker is not None and marker.names(identity) and marker.tier is call.tier:
            call.report.say(f"{address} is marked already: {marker.tier}, {marker.origin} by {marker.marked_by}")
            _put(call, address, marker, contents)
            return
        call.report.say(f"{address} holds {told(connection, contents)}")
        if confirm is None:
            confirm = typed_name(call, f"if it is yours to change, and to destroy, type its name ({shlex.quote(name)})")
        with audited(call, address):
            marker = mark(connection, call.tier, confirm=confirm)
    call.report.say(f"{address} is now a database of environment {marker.tier}")
    _put(call, address, marker, contents)


def _put(call: Call, address: DatabaseAddress, marker: Marker, contents: Contents) -> None:
    call.report.put(
        address.database,
        marker={"environment": marker.tier.value, "origin": marker.origin.value, "by": marker.marked_by},
        tables=contents.tables,
        rows_estimated=contents.rows,
        size_bytes=contents.size_bytes,
    )
