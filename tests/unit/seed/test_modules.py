"""The code of seeds is loaded as it stands, and leaves nothing behind in the process."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pytest_devenv.seed.modules import importable
from tests.unit.seed.workshop import Workshop

if TYPE_CHECKING:
    from pathlib import Path


def value(workshop: Workshop) -> object:
    """Load the seed `a` and return its attribute `value`."""
    seeds = workshop.load()
    with importable(seeds.folder) as load_class:
        return getattr(load_class(seeds.named("a")), "value", None)


def test_an_edit_within_the_same_second_is_seen(workshop: Workshop) -> None:
    """Neither a module cache nor bytecode with a time stamp in seconds serves an older helper."""
    workshop.python("base/10_a", head="from seeds.helpers import value", methods="value = value")
    for number in range(3):
        workshop.file("helpers.py", f"value = {number}\n")
        assert value(workshop) == number
    assert not list(workshop.folder.rglob("__pycache__"))


def test_two_folders_of_one_name_do_not_mix(tmp_path: Path) -> None:
    """Each database may have its own seeds, and each its own helpers."""
    for name in ("one", "two"):
        workshop = Workshop(tmp_path / name / "seeds")
        workshop.file("helpers.py", f"value = {name!r}\n")
        workshop.python("base/10_a", head="from ..helpers import value", methods="value = value")
        assert value(workshop) == name


def test_nothing_stays_behind(workshop: Workshop) -> None:
    """sys.path, sys.modules and the bytecode flag are as before, also after a seed that cannot be imported."""
    outside = type(sys)("seeds")
    sys.modules["seeds"] = outside
    before = (list(sys.path), set(sys.modules), sys.dont_write_bytecode)
    try:
        workshop.file("helpers.py", "")
        workshop.python("base/10_a", head="import seeds.helpers")
        value(workshop)
        assert (list(sys.path), set(sys.modules), sys.dont_write_bytecode) == before
        assert sys.modules["seeds"] is outside
    finally:
        del sys.modules["seeds"]


def test_who_looks_for_a_module_meanwhile_misses_none(workshop: Workshop) -> None:
    """The list of places that another thread goes through stays as it is; afterwards there is one as before."""
    gone_through = sys.path
    before = list(gone_through)
    with importable(workshop.folder):
        assert gone_through == before
        assert sys.path == [str(workshop.folder.parent), *before]
    assert sys.path == before
