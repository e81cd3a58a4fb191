"""Which seeds a run applies, which it leaves, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_devenv.errors import SeedError, explain
from pytest_devenv.seed import history as histories
from pytest_devenv.seed.compare import compare
from pytest_devenv.seed.model import (
    LOOK_TIMEOUT_S,
    Action,
    Plan,
    Record,
    SeedStatus,
    Selection,
    Skipped,
    State,
    Status,
    Step,
)
from pytest_devenv.seed.session import connected

if TYPE_CHECKING:
    from pytest_devenv.clients.postgres import DatabaseAddress
    from pytest_devenv.seed.catalog import Seeds
    from pytest_devenv.settings import Tier

_ACTIONS = {State.PENDING: Action.APPLY, State.OUTDATED: Action.UPGRADE}
_PENDING = Selection()


def plan(
    seeds: Seeds,
    address: DatabaseAddress,
    *,
    tier: Tier,
    selection: Selection = _PENDING,
) -> Plan:
    """Say what `apply` would do; changes nothing."""
    with connected(address, deadline_s=LOOK_TIMEOUT_S) as connection:
        rows = histories.read(connection, histories.locate(connection))
    return choose(seeds, compare(seeds, rows, tier), tier, selection)


def choose(seeds: Seeds, status: Status, tier: Tier, selection: Selection) -> Plan:
    """Sort the seeds: what is pending or has a newer version runs; `selection` says what runs again.

    Raises SeedError for one that is named and that this environment does not get.
    """
    only = selection.only
    chosen = seeds.with_dependencies(only) if only else frozenset(seed.name for seed in seeds.seeds)
    steps, skipped, warnings = [], [], []
    for one in status.seeds:
        seed = one.seed
        if seed.name not in chosen:
            continue
        if tier not in seed.tiers:
            if seed.name in only:
                raise _not_here(seeds, one, tier)
            skipped.append(Skipped(seed=seed, state=one.state, reason=f"it is not for {tier}"))
            continue
        forced = selection.force and (not only or seed.name in only)
        if one.state in _ACTIONS:
            steps.append(Step(seed=seed, action=_ACTIONS[one.state], applied=one.applied))
        elif forced or (selection.changed and one.state is State.CHANGED):
            steps.append(Step(seed=seed, action=Action.REAPPLY, applied=one.applied))
        else:
            skipped.append(Skipped(seed=seed, state=one.state, reason=_reason(one)))
            if one.state is not State.CURRENT:
                warnings.append(f"{seed.name} was not applied again: {skipped[-1].reason}")
    for row in status.orphaned:
        clean = "pytest-devenv db seed-clean"
        way = f"pytest-devenv db seed-rollback {row.name}" if row.status is Record.ORPHANED else clean
        warnings.append(f"{row.name} is applied and its file is gone: {way}")
    return Plan(steps=tuple(steps), skipped=tuple(skipped), warnings=tuple(warnings))


def _reason(one: SeedStatus) -> str:
    version = (
        "" if one.applied is None else f"version {one.applied.version}, at {one.applied.applied_at:%Y-%m-%d %H:%M}"
    )
    if one.state is State.CHANGED:
        return f"it changed since it was applied ({', '.join(one.changed)}); --changed applies it again"
    if one.state is State.AHEAD:
        return f"a newer one is applied ({version}) than the file's version {one.seed.version}; --force applies it"
    return f"already applied ({version}); --force applies it again"


def _not_here(seeds: Seeds, one: SeedStatus, tier: Tier) -> SeedError:
    seed = one.seed
    message = explain(
        f"{seed.name} is not for {tier}",
        expected=f"a seed of the layers {', '.join(tier.layers)} that is for {tier}",
        found=f"one of the layer {seed.layer}, for {', '.join(sorted(seed.tiers))}",
        where=str(seed.path.relative_to(seeds.folder)),
    )
    return SeedError(message, remedy=f"choose an environment that gets it: --env {min(seed.tiers)}")
