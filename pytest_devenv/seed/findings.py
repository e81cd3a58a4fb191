"""Whether the seeds of a folder are whole, registered, and what a database has: what `seed-check` asks."""

from __future__ import annotations

import enum
import os
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_devenv.errors import SeedError
from pytest_devenv.seed.catalog import Seeds, load, survey
from pytest_devenv.seed.compare import status
from pytest_devenv.seed.mask import masked
from pytest_devenv.seed.model import LOOK_TIMEOUT_S, State
from pytest_devenv.seed.modules import importable
from pytest_devenv.seed.registry import FILE, entries, read_registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_devenv.clients.postgres import DatabaseAddress
    from pytest_devenv.seed.model import Seed
    from pytest_devenv.settings import Tier

_SYNC = "pytest-devenv db seed-sync"


class Fault(enum.StrEnum):
    """What may be wrong with a seed."""

    BROKEN = "broken"
    UNREGISTERED = "unregistered"
    CHANGED = "changed"
    ORPHANED = "orphaned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, where it was found, and what mends it."""

    fault: Fault
    seed: str
    found: str
    where: str
    remedy: str


def check(
    folder: Path,
    address: DatabaseAddress | None = None,
    *,
    tier: Tier | None = None,
    deadline_s: float = LOOK_TIMEOUT_S,
) -> tuple[Finding, ...]:
    """Look for broken seeds, compare the rest with the registry and, where one is given, with a database.

    Broken are those that cannot be read or imported: their modules run for that, as far as importing runs them.
    """
    folder = folder.resolve()
    seeds, problems = survey(folder)
    if problems:
        return tuple(
            Finding(
                fault=Fault.BROKEN,
                seed=problem.seed or problem.path.name,
                found=problem.found,
                where=str(problem.path),
                remedy=f"mend {problem.path.name}",
            )
            for problem in problems
        )
    found = [*_broken(seeds, folder), *_unlike_registry(load(folder))]
    if address is not None and tier is not None:
        found += _unlike_database(load(folder), address, tier, deadline_s)
    return tuple(found)


def _broken(seeds: tuple[Seed, ...], folder: Path) -> Iterator[Finding]:
    with importable(folder) as load_class:
        for seed in seeds:
            if seed.class_name is None:
                continue
            try:
                load_class(seed)
            except Exception as error:  # noqa: BLE001  # a module may raise anything
                yield Finding(
                    fault=Fault.BROKEN,
                    seed=seed.name,
                    found=masked(f"importing it raises {type(error).__name__}: {error}", given=(), environ=os.environ),
                    where=str(seed.path),
                    remedy=f"mend {seed.path.name}",
                )


def _unlike_registry(seeds: Seeds) -> Iterator[Finding]:
    where = str(seeds.folder / FILE)
    try:
        registered = {entry.name: entry for entry in read_registry(seeds.folder)}
    except SeedError as error:
        yield Finding(fault=Fault.BROKEN, seed=FILE, found=error.message, where=where, remedy=_SYNC)
        return
    for entry in entries(seeds):
        other = registered.pop(entry.name, None)
        if other is None:
            yield Finding(
                fault=Fault.UNREGISTERED, seed=entry.name, found="it is not in the registry", where=where, remedy=_SYNC
            )
        elif other != entry:
            names = ("layer", "order", "version", "checksum", "dependencies")
            different = [name for name in names if getattr(entry, name) != getattr(other, name)]
            found = f"the registry has another {', '.join(different)}"
            yield Finding(fault=Fault.CHANGED, seed=entry.name, found=found, where=where, remedy=_SYNC)
    for name in registered:
        found = "the registry names it, and there is no file"
        yield Finding(fault=Fault.ORPHANED, seed=name, found=found, where=where, remedy=_SYNC)


def _unlike_database(seeds: Seeds, address: DatabaseAddress, tier: Tier, deadline_s: float) -> Iterator[Finding]:
    seen = status(seeds, address, tier=tier, deadline_s=deadline_s)
    here = f"--database {shlex.quote(address.database)}"
    for one in seen.seeds:
        if one.state in {State.CHANGED, State.OUTDATED, State.AHEAD}:
            found = f"it is {one.state}: {one.difference}"
            again = "--force" if one.state is State.AHEAD else "--changed"
            remedy = f"pytest-devenv db seed {again} --only {one.seed.name} {here}"
            yield Finding(fault=Fault.CHANGED, seed=one.seed.name, found=found, where=str(address), remedy=remedy)
    for row in seen.orphaned:
        found = "it is applied, and there is no file"
        remedy = f"pytest-devenv db seed-rollback {row.name} {here}"
        yield Finding(fault=Fault.ORPHANED, seed=row.name, found=found, where=str(address), remedy=remedy)
