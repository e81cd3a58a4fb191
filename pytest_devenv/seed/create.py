"""New seeds: the next prefix, a name that can be one, and a file that runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_devenv.errors import SeedError, explain
from pytest_devenv.seed.catalog import load
from pytest_devenv.seed.folder import LONGEST_NAME, parse_name
from pytest_devenv.seed.model import LAYERS
from pytest_devenv.seed.registry import Synced, sync_registry

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_devenv.seed.catalog import Seeds

_STEP = 10
_PYTHON = '''\
"""Seed `{name}`: say here what it writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_devenv.seed import SeedContext


class {title}:
    """Writes nothing yet."""

    name = "{name}"
    version = 1
    description = "{name}"
    dependencies: tuple[str, ...] = ()

    def run(self, ctx: SeedContext) -> None:
        """Write the rows, for example ctx.ensure("table", key={{"name": "a"}}, values={{"colour": "red"}})."""
'''
_SQL = """\
-- name: {name}
-- version: 1
-- description: {name}
-- dependencies:

-- Write the rows so that writing them again does no harm: INSERT … ON CONFLICT … DO UPDATE
"""


@dataclass(frozen=True, slots=True)
class Created:
    """A new seed's file, and what the registry says of it."""

    path: Path
    registry: Synced


def create_seed(folder: Path, name: str, *, layer: str = "base", sql: bool = False) -> Created:
    """Write a seed that comes after all others of its layer, and register it. Raises SeedError for a bad name."""
    if layer not in LAYERS:
        message = explain(
            f"there is no layer {layer!r}",
            expected=f"one of: {', '.join(LAYERS)}",
            found=repr(layer),
            where=str(folder),
        )
        raise SeedError(message, remedy="leave it out for base, or name another")
    (folder / layer).mkdir(parents=True, exist_ok=True)
    seeds = load(folder)
    file = f"{_next_prefix(seeds, layer)}_{name}{'.sql' if sql else '.py'}"
    _judge(name, file, seeds)
    path = seeds.folder / layer / file
    title = "".join(word.capitalize() for word in name.split("_"))
    with path.open("x", encoding="utf-8", newline="\n") as stream:
        stream.write((_SQL if sql else _PYTHON).format(name=name, title=title))
    return Created(path, sync_registry(load(folder)))


def _next_prefix(seeds: Seeds, layer: str) -> str:
    """Go on in the layer's own steps: by tens where all prefixes are tens, else by one; as wide as they are."""
    others = [seed for seed in seeds.seeds if seed.layer == layer]
    last = max((seed.prefix for seed in others), default=0)
    step = _STEP if all(seed.prefix % _STEP == 0 for seed in others) else 1
    width = max((len(seed.path.name.partition("_")[0]) for seed in others), default=2)
    return f"{last + step:0{width}}"


def _judge(name: str, file: str, seeds: Seeds) -> None:
    other = next((seed for seed in seeds.seeds if seed.name == name), None)
    if parse_name(file) is not None and other is None:
        return
    message = explain(
        f"a seed cannot be called {name!r}",
        expected=f"lower-case letters, digits and underscores, beginning with a letter, at most {LONGEST_NAME}"
        if other is None
        else "a name that no other seed has",
        found=repr(name) if other is None else str(other.path.relative_to(seeds.folder)),
        where=str(seeds.folder),
    )
    raise SeedError(message, remedy="pytest-devenv db create-seed demo_users")
