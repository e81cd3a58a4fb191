"""What a folder of seeds and the history of a database say of each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_devenv.seed import history as histories
from pytest_devenv.seed.model import LOOK_TIMEOUT_S, Applied, Seed, SeedStatus, State, Status
from pytest_devenv.seed.session import connected
from pytest_devenv.seed.sources import CODE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_devenv.clients.postgres import DatabaseAddress
    from pytest_devenv.seed.catalog import Seeds
    from pytest_devenv.settings import Tier


def status(seeds: Seeds, address: DatabaseAddress, *, tier: Tier, deadline_s: float = LOOK_TIMEOUT_S) -> Status:
    """Compare the folder with a database; changes nothing, and creates no table."""
    with connected(address, deadline_s=deadline_s) as connection:
        return compare(seeds, histories.read(connection, histories.locate(connection)), tier)


def compare(seeds: Seeds, rows: tuple[Applied, ...], tier: Tier) -> Status:
    """Compare the folder with the rows of the history, oldest first."""
    standing = histories.standing(rows)
    names = {seed.name for seed in seeds.seeds}
    errors = {row.name: row.error for row in rows}  # the last row of a name wins
    return Status(
        seeds=tuple(_status(seeds, seed, standing, errors.get(seed.name), tier) for seed in seeds.seeds),
        orphaned=tuple(row for row in standing.values() if row.name not in names),
    )


def _status(seeds: Seeds, seed: Seed, standing: Mapping[str, Applied], error: str | None, tier: Tier) -> SeedStatus:
    applied = standing.get(seed.name)
    if applied is None:
        state = State.PENDING if tier in seed.tiers else State.OFF
        return SeedStatus(seed=seed, state=state, error=error)
    sources = seeds.sources(seed, recorded=[name for name in applied.files if name != CODE])
    changed = sources.differing(applied.files) if sources.checksum != applied.checksum else ()
    if seed.version != applied.version:
        state = State.OUTDATED if seed.version > applied.version else State.AHEAD
    else:
        state = State.CHANGED if changed else State.CURRENT
    return SeedStatus(seed=seed, state=state, applied=applied, changed=changed, error=error)
