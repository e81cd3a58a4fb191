"""`pytest-devenv db create`: a new migration."""

from __future__ import annotations

import click

from pytest_devenv.cli.db.call import Call, database_command


@database_command
@click.argument("name")
@click.option("--tx/--no-tx", "transaction", default=True, help="Whether it runs in a transaction.", show_default=True)
def create(call: Call, *, name: str, transaction: bool) -> None:
    """Write the files of a new migration NAME, which comes after all others. Needs no server."""
    database = call.only(call.migrated())
    paths = call.engine(database).create(name, transaction=transaction)
    for path in paths:
        call.report.say(str(path))
    call.report.put(database.name, files=[str(path) for path in paths])
