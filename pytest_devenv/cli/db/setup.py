"""`pytest-devenv db setup`: everything that a database needs and that is not there yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_devenv.cli.db.call import Call, database_command, lock_option
from pytest_devenv.cli.db.guarding import judge
from pytest_devenv.cli.db.migrate import apply
from pytest_devenv.cli.db.server import administering, create_missing
from pytest_devenv.clients.marker import write_marker
from pytest_devenv.guard import Origin
from pytest_devenv.migrate.session import connected

if TYPE_CHECKING:
    from pytest_devenv.clients.postgres import DatabaseAddress
    from pytest_devenv.settings import Database


@database_command
@lock_option
def setup(call: Call, *, lock_timeout_s: float) -> None:
    """Create the roles and databases of the settings that are missing, then migrate and seed. Safe to repeat.

    Never in production or staging.
    """
    addresses = {database.name: call.address(database) for database in call.chosen()}
    for address in addresses.values():
        judge(call, address)
    for database in call.chosen():
        _create(call, database, addresses[database.name])
        build(call, database, with_seeds=True, lock_timeout_s=lock_timeout_s)


def build(call: Call, database: Database, *, with_seeds: bool, lock_timeout_s: float) -> None:
    """Apply the migrations of a database and, where asked for, its seeds."""
    if database.migrations is not None:
        apply(call, database, lock_timeout_s=lock_timeout_s)
    if with_seeds and database.seeds is not None:
        from pytest_devenv.cli.db.seed import sow

        sow(call, database, lock_timeout_s=lock_timeout_s)


def _create(call: Call, database: Database, address: DatabaseAddress) -> None:
    deadline_s = call.settings.deadline_s
    with administering(address, deadline_s=deadline_s) as connection:
        created = create_missing(connection, address, database.roles)
    if created and created[-1] == f"database {database.name}":
        with connected(address, deadline_s=deadline_s) as connection:
            write_marker(connection, call.tier, Origin.CREATED)
    for each in created:
        call.report.say(f"{database.name}: created {each}")
    call.report.put(database.name, created=list(created))
