"""The order of seeds, and every way in which their dependencies can be wrong, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_devenv.seed import SeedFolderError
from pytest_devenv.seed.order import waves
from pytest_devenv.settings import Tier

if TYPE_CHECKING:
    from tests.unit.seed.workshop import Workshop


def test_seeds_come_by_layer_then_prefix_then_dependency_then_name(workshop: Workshop) -> None:
    """Prefixes are numbers, so 9 comes before 10; within one rank what depends on another comes after it."""
    workshop.python("test/01_last")
    workshop.python("base/10_c", dependencies=("z",))
    workshop.python("base/10_z")
    workshop.python("base/9_first")
    workshop.python("base/10_b")
    workshop.python("development/00_middle")
    assert [seed.name for seed in workshop.load().seeds] == ["first", "b", "z", "c", "middle", "last"]


def test_only_independent_seeds_of_one_rank_share_a_wave(workshop: Workshop) -> None:
    """Seeds of different ranks never do, nor two of which one depends on the other."""
    workshop.python("base/10_a")
    workshop.python("base/10_b")
    workshop.python("base/10_c", dependencies=("a",))
    workshop.python("base/20_d")
    found = waves(workshop.load().seeds)
    assert [[seed.name for seed in wave] for wave in found] == [["a", "b"], ["c"], ["d"]]


@pytest.mark.parametrize(
    ("seeds", "reason"),
    [
        (
            {"base/10_a": ("b",), "base/20_b": ("c",), "base/30_c": ("a",)},
            "depends on itself: a → b → c → a",
        ),
        ({"base/10_a": ("a",)}, "10_a.py: depends on itself: a → a"),
        (
            {"base/10_states": (), "base/20_b": ("state",)},
            "20_b.py: b (base) depends on state, and there is no such seed (did you mean states?)",
        ),
        ({"base/10_a": ("b",), "base/20_b": ()}, "a (base) depends on b (base), whose place 20_b.py comes later"),
        (
            {"base/10_a": ("users",), "development/10_users": ()},
            "whose layer comes later: a base seed is also applied where development is not",
        ),
    ],
)
def test_a_dependency_that_cannot_hold_is_refused_by_name(
    workshop: Workshop, seeds: dict[str, tuple[str, ...]], reason: str
) -> None:
    """A cycle, a missing, a later one, and a base seed that needs a development seed name both seeds."""
    for place, dependencies in seeds.items():
        workshop.python(place, dependencies=dependencies)
    with pytest.raises(SeedFolderError) as caught:
        workshop.load()
    assert reason in caught.value.message
    assert caught.value.problems[0].seed is not None


def test_a_dependency_must_be_applied_wherever_its_seed_is(workshop: Workshop) -> None:
    """A seed for test cannot lean on one of its layer that only production gets."""
    workshop.python("base/10_a", environments=("production",))
    workshop.python("base/20_b", dependencies=("a",), environments=("production", "test"))
    with pytest.raises(SeedFolderError, match=r"b \(base\) depends on a \(base\), which is not applied in test"):
        workshop.load()


def test_every_problem_is_told_at_once(workshop: Workshop) -> None:
    """One look names the bad name, the double one, the foreign folder and the broken file."""
    workshop.python("base/10_a")
    workshop.python("development/10_a")
    workshop.file("base/Upper.py", "")
    workshop.file("dev/10_lost.py", "")
    workshop.file("base/30_broken.py", "class")
    workshop.sql("base/40_other", "SELECT 1").rename(workshop.folder / "base/40_name.sql")
    with pytest.raises(SeedFolderError) as caught:
        workshop.load()
    assert [str(problem) for problem in caught.value.problems] == [
        "Upper.py: expected a name such as 10_name.py or 10_name.sql, in lower-case letters, digits and underscores",
        "dev: holds seeds and is no layer: base, development, test",
        "10_a.py: a is already the name of base/10_a.py",
        "30_broken.py: line 1: invalid syntax",
        "40_name.sql: it is called 'other' inside and 'name' by its file: they must be the same",
    ]


def test_a_seed_cannot_name_an_environment_that_its_layer_does_not_reach(workshop: Workshop) -> None:
    """A development seed for production would be one that silently never runs."""
    workshop.python("development/10_a", environments=("production", "development"))
    with pytest.raises(SeedFolderError, match=r"names production, and the layer development is applied in"):
        workshop.load()


@pytest.mark.parametrize(
    ("tier", "names"),
    [
        (Tier.PRODUCTION, ["a"]),
        (Tier.STAGING, ["a"]),
        (Tier.DEVELOPMENT, ["a", "b"]),
        (Tier.TEST, ["a", "b", "c"]),
    ],
)
def test_each_environment_gets_its_layers(workshop: Workshop, tier: Tier, names: list[str]) -> None:
    """Production and staging get base, development also development, test all three."""
    workshop.python("base/10_a")
    workshop.python("development/10_b")
    workshop.python("test/10_c")
    assert [seed.name for seed in workshop.load().for_tier(tier)] == names


def test_a_folder_that_is_not_there_is_said_so(workshop: Workshop) -> None:
    """The message names the folder and the setting."""
    workshop.folder.rmdir()
    with pytest.raises(SeedFolderError) as caught:
        workshop.load()
    assert "No such file or directory" in caught.value.message
    assert caught.value.remedy == "name the right folder in the database's `seeds` setting"


def test_an_unknown_name_says_what_was_probably_meant(workshop: Workshop) -> None:
    """Asking for a seed that is not there lists those that are."""
    workshop.python("base/10_states")
    with pytest.raises(Exception, match=r"there is no seed called 'stats' \(did you mean states\?\)"):
        workshop.load().named("stats")
