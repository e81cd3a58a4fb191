"""The code of Python seeds: loaded for one run, and forgotten after it."""

from __future__ import annotations

import importlib
import sys
import threading
from contextlib import contextmanager, suppress
from functools import lru_cache
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Protocol, cast

from pytest_devenv.seed.syntax import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from pytest_devenv.seed.context import SeedContext
    from pytest_devenv.seed.model import Seed

_IMPORTING = threading.RLock()


class PythonSeed(Protocol):
    """What a Python seed's class has. `rollback(ctx)` and `upgrade(ctx, from_version)` are optional."""

    def run(self, ctx: SeedContext) -> None:
        """Write the rows."""
        ...


@contextmanager
def importable(folder: Path) -> Iterator[Callable[[Seed], PythonSeed]]:
    """Let seeds import each other's helpers, as `seeds.helpers` or `..helpers`, and yield what loads one.

    Two folders may share a name, and files are edited between two runs of one process: so nothing of the folder stays
    in `sys.modules`, and no bytecode is written, whose time stamp has seconds only. One run at a time per process.
    """
    with _IMPORTING:
        outside = _taken_out(folder.name)
        parent, wrote = str(folder.parent), sys.dont_write_bytecode
        sys.path = [parent, *sys.path]  # another list: who goes through the old one meanwhile misses no entry
        sys.dont_write_bytecode = True
        importlib.invalidate_caches()
        if not (folder / "__init__.py").is_file():  # else another `seeds` with one, anywhere on the path, would win
            package = ModuleType(folder.name)
            package.__path__ = [str(folder)]
            sys.modules[folder.name] = package
        try:
            yield lambda seed: _load(seed, folder)
        finally:
            _taken_out(folder.name)
            sys.modules.update(outside)
            sys.dont_write_bytecode = wrote
            left = list(sys.path)
            left.remove(parent)
            sys.path = left


def compile_ahead(seeds: Iterable[Seed]) -> None:
    """Compile seeds that will run, while the server is at work; what is wrong with one is told when its turn comes."""
    for seed in seeds:
        if seed.class_name is not None:
            with suppress(OSError, SyntaxError, ValueError):
                _compiled(seed.path.read_bytes(), str(seed.path))


@lru_cache(maxsize=128)
def _compiled(data: bytes, path: str) -> CodeType:
    return compile(parse(data), path, "exec", dont_inherit=True)


def _load(seed: Seed, folder: Path) -> PythonSeed:
    name = f"{folder.name}.{seed.layer}.{seed.path.stem}"
    module = ModuleType(name)
    module.__file__ = str(seed.path)
    module.__package__ = name.rpartition(".")[0]
    sys.modules[name] = module
    exec(_compiled(seed.path.read_bytes(), str(seed.path)), module.__dict__)  # noqa: S102  # running the seeds that the settings name is what this is for
    return cast("PythonSeed", getattr(module, str(seed.class_name))())


def _taken_out(package: str) -> dict[str, ModuleType]:
    # A list of its own: other threads may import meanwhile.
    names = [name for name in list(sys.modules) if name == package or name.startswith(f"{package}.")]
    return {name: sys.modules.pop(name) for name in names}
