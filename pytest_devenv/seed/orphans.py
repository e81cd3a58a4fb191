"""Seeds whose file is gone: the history says so, and they can still be taken back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_devenv.seed import entries
from pytest_devenv.seed import history as histories
from pytest_devenv.seed.model import LOOK_TIMEOUT_S, Applied, Limits, Record
from pytest_devenv.seed.session import Permission, alone, connected

if TYPE_CHECKING:
    from pytest_devenv.clients.postgres import DatabaseAddress
    from pytest_devenv.guard import Consent
    from pytest_devenv.seed.catalog import Seeds
    from pytest_devenv.settings import Tier

_LIMITS = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """What the history calls otherwise now: `orphaned` lost their file, `returned` have it again."""

    orphaned: tuple[Applied, ...] = ()
    returned: tuple[Applied, ...] = ()


def find_orphans(seeds: Seeds, address: DatabaseAddress, *, deadline_s: float = LOOK_TIMEOUT_S) -> Cleaned:
    """Say what `clean` would mark; changes nothing."""
    with connected(address, deadline_s=deadline_s) as connection:
        return _sort(seeds, histories.read(connection, histories.locate(connection)))


def clean(
    seeds: Seeds,
    address: DatabaseAddress,
    *,
    tier: Tier,
    consent: Consent | None = None,
    limits: Limits = _LIMITS,
) -> Cleaned:
    """Mark as Orphaned what is applied and has no file, and as Active again what has its file back.

    No row of a seed is touched: `roll_back` takes those of an orphaned seed back. Raises SeedError and GuardError.
    """
    permission = Permission(address, tier, consent)
    permission.ask()
    with (
        connected(address, deadline_s=LOOK_TIMEOUT_S) as connection,
        alone(connection, timeout_s=limits.lock_timeout_s, where=str(address)),
    ):
        history = histories.locate(connection)
        found = _sort(seeds, histories.read(connection, history))
        if found != Cleaned():
            permission.require(connection)
            with connection.transaction():
                ids = [row.id for row in found.orphaned]
                entries.mark(connection, history, ids, Record.ORPHANED, "its file is gone")
                entries.mark(connection, history, [row.id for row in found.returned], Record.ACTIVE, None)
        return found


def _sort(seeds: Seeds, rows: tuple[Applied, ...]) -> Cleaned:
    names = {seed.name for seed in seeds.seeds}
    standing = histories.standing(rows).values()
    return Cleaned(
        orphaned=tuple(row for row in standing if row.status is Record.ACTIVE and row.name not in names),
        returned=tuple(row for row in standing if row.status is Record.ORPHANED and row.name in names),
    )
