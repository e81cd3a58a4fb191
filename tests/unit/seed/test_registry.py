"""The registry says what the folder holds, and is written only where it differs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.errors import SeedError
from pytest_devenv.seed import Fault, check, sync_registry
from pytest_devenv.seed.registry import read_registry

if TYPE_CHECKING:
    from tests.unit.seed.workshop import Workshop


def test_the_registry_lists_every_seed_in_order(workshop: Workshop) -> None:
    """Name, layer, order, version, checksum and dependencies stand there."""
    workshop.python("base/10_a", version=2)
    workshop.sql("development/10_b", "SELECT 1", dependencies=("a",))
    synced = sync_registry(workshop.load())
    assert synced.added == ("a", "b")
    data = json.loads(synced.path.read_text())
    assert [list(one) for one in data["seeds"]] == [
        ["name", "layer", "order", "version", "checksum", "dependencies"],
    ] * 2
    a, b = read_registry(workshop.load().folder)
    assert (a.name, a.layer, a.order, a.version, a.dependencies) == ("a", "base", 1, 2, ())
    assert (b.name, b.layer, b.order, b.version, b.dependencies) == ("b", "development", 2, 1, ("a",))
    assert len(a.checksum) == 64


def test_an_unchanged_registry_is_left_alone(workshop: Workshop) -> None:
    """Syncing twice writes once, so that a watcher does not wake itself."""
    workshop.python("base/10_a")
    path = sync_registry(workshop.load()).path
    before = path.stat().st_mtime_ns
    synced = sync_registry(workshop.load())
    assert (synced.added, synced.changed, synced.removed) == ((), (), ())
    assert path.stat().st_mtime_ns == before


def test_syncing_says_what_changed_and_what_is_gone(workshop: Workshop) -> None:
    """An edited seed and a removed one are named."""
    workshop.python("base/10_a")
    gone = workshop.python("base/20_b")
    sync_registry(workshop.load())
    workshop.python("base/10_a", "x = 1")
    gone.unlink()
    synced = sync_registry(workshop.load())
    assert (synced.added, synced.changed, synced.removed) == ((), ("a",), ("b",))


@pytest.mark.parametrize("text", ["", "[]", '{"format": 2, "seeds": []}', '{"format": 1, "seeds": [{"name": "a"}]}'])
def test_a_registry_that_is_none_is_refused_and_mended_by_syncing(workshop: Workshop, text: str) -> None:
    """A broken file is named with the way to mend it, which works."""
    workshop.python("base/10_a")
    workshop.file("registry.json", text)
    with pytest.raises(SeedError, match=r"registry\.json cannot be read") as caught:
        read_registry(workshop.folder)
    assert caught.value.remedy is not None
    assert "seed-sync" in caught.value.remedy
    assert [(one.fault, one.seed) for one in check(workshop.folder)] == [(Fault.BROKEN, "registry.json")]
    sync_registry(workshop.load())
    assert check(workshop.folder) == ()


def test_a_check_tells_changed_orphaned_and_unregistered_seeds_apart(workshop: Workshop) -> None:
    """Each gets one finding, with what differs and the command that mends it."""
    workshop.python("base/10_a")
    gone = workshop.python("base/20_b")
    sync_registry(workshop.load())
    assert check(workshop.folder) == ()
    workshop.python("base/10_a", "x = 1", version=2)
    gone.unlink()
    workshop.python("base/30_c")
    found = check(workshop.folder)
    assert [(one.fault, one.seed, one.found) for one in found] == [
        (Fault.CHANGED, "a", "the registry has another version, checksum"),
        (Fault.UNREGISTERED, "c", "it is not in the registry"),
        (Fault.ORPHANED, "b", "the registry names it, and there is no file"),
    ]
    assert {one.remedy for one in found} == {"pytest-devenv db seed-sync"}


def test_a_check_names_every_seed_that_cannot_be_read(workshop: Workshop) -> None:
    """Problems of the folder come back as findings instead of stopping at the first."""
    workshop.python("base/10_a", dependencies=("gone",))
    assert [(one.fault, one.seed) for one in check(workshop.folder)] == [(Fault.BROKEN, "a")]
    workshop.file("base/20_b.py", "class")
    workshop.file("base/30_c.sql", "SELECT 1")
    assert [(one.fault, one.seed) for one in check(workshop.folder)] == [(Fault.BROKEN, "b"), (Fault.BROKEN, "c")]


def test_a_check_names_a_seed_that_cannot_be_imported(workshop: Workshop) -> None:
    """A missing import shows before anything is applied."""
    workshop.python("base/10_a", head="import does_not_exist")
    sync_registry(workshop.load())
    (finding,) = check(workshop.folder)
    assert finding.fault is Fault.BROKEN
    assert finding.found == "importing it raises ModuleNotFoundError: No module named 'does_not_exist'"


def test_a_check_repeats_no_secret(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a seed raises while it is imported is told without the secrets of the environment."""
    monkeypatch.setenv("ADMIN_PASSWORD", "hunter2-correct")
    workshop.python("base/10_a", head="import os\nraise ValueError(os.environ['ADMIN_PASSWORD'])")
    sync_registry(workshop.load())
    (finding,) = check(workshop.folder)
    assert finding.found == "importing it raises ValueError: ***"
