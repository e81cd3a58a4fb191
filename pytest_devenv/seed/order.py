"""The order of seeds: layers, then prefixes, and dependencies that hold within it."""

from __future__ import annotations

import difflib
import graphlib
import itertools
from typing import TYPE_CHECKING

from pytest_devenv.seed.model import LAYERS, Problem, Seed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def find_faults(seeds: Iterable[Seed]) -> tuple[Problem, ...]:
    """Name every dependency that cannot hold: missing, later, of a later layer, not in every environment, a cycle."""
    known = {seed.name: seed for seed in seeds}
    cycle = _cycle(known)
    problems = []
    if cycle:
        found = f"depends on itself: {' → '.join(cycle)}"
        problems.append(Problem(path=known[cycle[0]].path, found=found, seed=cycle[0]))
    for seed in known.values():
        for name in seed.dependencies:
            if seed.name in cycle and name in cycle:
                continue
            fault = _fault(seed, name, known)
            if fault is not None:
                problems.append(Problem(path=seed.path, found=f"{seed} depends on {fault}", seed=seed.name))
    return tuple(problems)


def ordered(seeds: Iterable[Seed]) -> tuple[Seed, ...]:
    """Return seeds without faults in the order in which they are applied one by one."""
    return tuple(seed for wave in waves(seeds) for seed in wave)


def waves(seeds: Iterable[Seed]) -> tuple[tuple[Seed, ...], ...]:
    """Group seeds without faults: those of one wave share a place and do not build on each other."""
    found: list[tuple[Seed, ...]] = []
    by_place = sorted(seeds, key=lambda seed: (seed.place, seed.name))
    for _, group in itertools.groupby(by_place, key=lambda seed: seed.place):
        rank = {seed.name: seed for seed in group}
        sorter = graphlib.TopologicalSorter(
            {seed.name: [name for name in seed.dependencies if name in rank] for seed in rank.values()}
        )
        sorter.prepare()
        while sorter.is_active():
            ready = sorted(sorter.get_ready())
            found.append(tuple(rank[name] for name in ready))
            sorter.done(*ready)
    return tuple(found)


def closure(names: Iterable[str], known: Mapping[str, Seed]) -> frozenset[str]:
    """Return these names and all that they depend on."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += known[name].dependencies
    return frozenset(found)


def similar(name: str, known: Iterable[str]) -> str:
    """Return a hint at the name that was probably meant, or nothing."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _fault(seed: Seed, name: str, known: Mapping[str, Seed]) -> str | None:
    other = known.get(name)
    if other is None:
        return f"{name}, and there is no such seed{similar(name, known)}"
    if LAYERS.index(other.layer) > LAYERS.index(seed.layer):
        return f"{other}, whose layer comes later: a {seed.layer} seed is also applied where {other.layer} is not"
    if other.place > seed.place:
        return f"{other}, whose place {other.path.name} comes later than {seed.path.name}"
    absent = seed.tiers - other.tiers
    if absent:
        return f"{other}, which is not applied in {', '.join(sorted(absent))}"
    return None


def _cycle(known: Mapping[str, Seed]) -> tuple[str, ...]:
    graph = {seed.name: [name for name in seed.dependencies if name in known] for seed in known.values()}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        # graphlib lists each node before the one that depends on it; people read it the other way round.
        return tuple(reversed(error.args[1]))
    return ()
