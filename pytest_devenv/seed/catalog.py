"""A folder of seeds as a whole: read, ordered, and refused where its seeds contradict each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_devenv.errors import SeedError, explain
from pytest_devenv.seed.declare import declare_python, declare_sql
from pytest_devenv.seed.failure import SeedFolderError
from pytest_devenv.seed.folder import Entry, list_folder
from pytest_devenv.seed.model import Problem, Seed
from pytest_devenv.seed.order import closure, find_faults, ordered, similar
from pytest_devenv.seed.sources import Sources, sources_of
from pytest_devenv.settings import Tier

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Seeds:
    """The seeds of a folder, in the order in which they are applied; no code of theirs has run."""

    folder: Path
    seeds: tuple[Seed, ...]

    def for_tier(self, tier: Tier) -> tuple[Seed, ...]:
        """Return those that an environment of this tier gets."""
        return tuple(seed for seed in self.seeds if tier in seed.tiers)

    def named(self, name: str) -> Seed:
        """Return one seed. Raises SeedError for a name that none has."""
        for seed in self.seeds:
            if seed.name == name:
                return seed
        names = [seed.name for seed in self.seeds]
        message = explain(
            f"there is no seed called {name!r}{similar(name, names)}",
            expected=f"one of: {', '.join(names) or 'none, the folder is empty'}",
            found=repr(name),
            where=str(self.folder),
        )
        raise SeedError(message, remedy="see what there is: pytest-devenv db seed --dry-run")

    def with_dependencies(self, names: Iterable[str]) -> frozenset[str]:
        """Return these names and all that they depend on. Raises SeedError for an unknown one."""
        chosen = [self.named(name).name for name in names]
        return closure(chosen, {seed.name: seed for seed in self.seeds})

    def sources(self, seed: Seed, recorded: Iterable[str] = ()) -> Sources:
        """Look at all files of a seed as they are now; `recorded` are data files that it was seen to read."""
        return sources_of(seed, self.folder, recorded)


def load(folder: Path) -> Seeds:
    """Read a folder of seeds. Raises SeedFolderError, for everything that is wrong with it at once."""
    folder = folder.resolve()
    seeds, problems = survey(folder)
    if problems:
        message = explain(
            "the seeds cannot be used",
            expected="files that each declare one seed, whose dependencies all come before it",
            found="\n    ".join(str(problem) for problem in problems),
            where=str(folder),
        )
        raise SeedFolderError(message, problems=problems, remedy="mend the files named above")
    return Seeds(folder, ordered(seeds))


def survey(folder: Path) -> tuple[tuple[Seed, ...], tuple[Problem, ...]]:
    """Read what can be read, and say what is wrong with the rest."""
    entries, found = list_folder(folder)
    problems = list(found)
    seeds: dict[str, Seed] = {}
    for entry in entries:
        try:
            seed = _read(entry)
        except ValueError as error:
            problems.append(Problem(path=entry.path, found=str(error), seed=entry.name))
        else:
            seeds.setdefault(seed.name, seed)
    if not problems:
        problems += find_faults(seeds.values())
    return tuple(seeds.values()), tuple(problems)


def _read(entry: Entry) -> Seed:
    try:
        text = entry.path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"it is not UTF-8: byte 0x{error.object[error.start]:02x} at offset {error.start}"
        raise ValueError(message) from error
    except OSError as error:
        message = f"it cannot be read: {error.strerror}"
        raise ValueError(message) from error
    if "\0" in text:
        message = "it holds a zero byte"
        raise ValueError(message)
    declared = declare_python(text) if entry.path.suffix == ".py" else declare_sql(text)
    if declared.name != entry.name:
        message = f"it is called {declared.name!r} inside and {entry.name!r} by its file: they must be the same"
        raise ValueError(message)
    possible = frozenset(tier for tier in Tier if entry.layer in tier.layers)
    tiers = possible if declared.tiers is None else declared.tiers
    if not tiers or tiers - possible:
        extra = ", ".join(sorted(tiers - possible)) or "no environment"
        message = f"it names {extra}, and the layer {entry.layer} is applied in {', '.join(sorted(possible))}"
        raise ValueError(message)
    return Seed(
        name=entry.name,
        layer=entry.layer,
        prefix=entry.prefix,
        path=entry.path,
        version=declared.version,
        description=declared.description,
        tiers=tiers,
        dependencies=declared.dependencies,
        class_name=declared.class_name,
    )
