"""Which seeds a run takes, which it leaves, and what it says of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.errors import SeedError
from pytest_devenv.seed import Action, Applied, Record, Selection, State
from pytest_devenv.seed.choice import choose
from pytest_devenv.seed.compare import compare
from pytest_devenv.settings import Tier

if TYPE_CHECKING:
    from pytest_devenv.seed import Plan, Seeds
    from tests.unit.seed.workshop import Workshop


def row(seeds: Seeds, name: str, number: int = 1, *, version: int = 1, status: Record = Record.ACTIVE) -> Applied:
    """Return the history's row of a seed that was applied as it is now."""
    sources = seeds.sources(seeds.named(name))
    return Applied(
        id=number,
        name=name,
        version=version,
        environment="development",
        checksum=sources.checksum,
        applied_at=datetime(2025, 3, 1, 9, 0, tzinfo=UTC),
        applied_by="kiro",
        status=status,
        files=sources.files,
    )


def steps(plan: Plan) -> list[tuple[str, Action]]:
    """Return what a plan would do."""
    return [(step.seed.name, step.action) for step in plan.steps]


def test_what_is_pending_runs_and_what_is_applied_does_not(workshop: Workshop) -> None:
    """A seed that is applied already is said so, with the way to apply it again."""
    workshop.python("base/10_a")
    workshop.python("base/20_b")
    seeds = workshop.load()
    status = compare(seeds, (row(seeds, "a"),), Tier.DEVELOPMENT)
    plan = choose(seeds, status, Tier.DEVELOPMENT, Selection())
    assert steps(plan) == [("b", Action.APPLY)]
    assert [(one.seed.name, one.reason) for one in plan.skipped] == [
        ("a", "already applied (version 1, at 2025-03-01 09:00); --force applies it again")
    ]
    assert plan.warnings == ()
    forced = choose(seeds, status, Tier.DEVELOPMENT, Selection(force=True))
    assert steps(forced) == [("a", Action.REAPPLY), ("b", Action.APPLY)]


def test_a_changed_seed_waits_for_a_word(workshop: Workshop) -> None:
    """Changed since applied is reported with the file's name, and applied again with --changed or --force."""
    workshop.python("base/10_a")
    applied = row(workshop.load(), "a")
    workshop.python("base/10_a", "x = 1")
    seeds = workshop.load()
    status = compare(seeds, (applied,), Tier.DEVELOPMENT)
    assert status.seeds[0].state is State.CHANGED
    assert status.seeds[0].changed == ("code",)
    plan = choose(seeds, status, Tier.DEVELOPMENT, Selection())
    assert steps(plan) == []
    assert plan.warnings == (
        "a was not applied again: it changed since it was applied (code); --changed applies it again",
    )
    for selection in (Selection(changed=True), Selection(force=True), Selection(only=("a",), changed=True)):
        assert steps(choose(seeds, status, Tier.DEVELOPMENT, selection)) == [("a", Action.REAPPLY)]


def test_a_newer_version_is_an_upgrade_and_an_older_one_is_left(workshop: Workshop) -> None:
    """A version bump runs by itself; a file that is older than what is applied does not."""
    workshop.python("base/10_a", version=2)
    seeds = workshop.load()
    older = compare(seeds, (row(seeds, "a", version=1),), Tier.DEVELOPMENT)
    assert steps(choose(seeds, older, Tier.DEVELOPMENT, Selection())) == [("a", Action.UPGRADE)]
    newer = compare(seeds, (row(seeds, "a", version=3),), Tier.DEVELOPMENT)
    assert newer.seeds[0].state is State.AHEAD
    plan = choose(seeds, newer, Tier.DEVELOPMENT, Selection())
    assert steps(plan) == []
    assert "a newer one is applied" in plan.warnings[0]


def test_only_takes_what_it_needs_along(workshop: Workshop) -> None:
    """A seed that is named runs with the dependencies that are not applied yet; force is for what is named."""
    workshop.python("base/10_a")
    workshop.python("base/20_b", dependencies=("a",))
    workshop.python("base/30_c", dependencies=("b",))
    workshop.python("base/40_d")
    seeds = workshop.load()
    status = compare(seeds, (row(seeds, "a"),), Tier.TEST)
    assert steps(choose(seeds, status, Tier.TEST, Selection(only=("c",), force=True))) == [
        ("b", Action.APPLY),
        ("c", Action.APPLY),
    ]
    with pytest.raises(SeedError, match="there is no seed called 'e'"):
        choose(seeds, status, Tier.TEST, Selection(only=("e",)))


def test_a_seed_of_another_environment_is_refused_when_named(workshop: Workshop) -> None:
    """Without being named it is left, and its state is off."""
    workshop.python("test/10_a")
    seeds = workshop.load()
    status = compare(seeds, (), Tier.DEVELOPMENT)
    assert status.seeds[0].state is State.OFF
    assert status.clean
    assert choose(seeds, status, Tier.DEVELOPMENT, Selection()).skipped[0].reason == "it is not for development"
    with pytest.raises(SeedError, match="a is not for development") as caught:
        choose(seeds, status, Tier.DEVELOPMENT, Selection(only=("a",)))
    assert caught.value.remedy == "choose an environment that gets it: --env test"


def test_the_newest_row_that_stands_counts(workshop: Workshop) -> None:
    """Rolled back is pending again, orphaned with its file back is applied, and without its file an orphan."""
    workshop.python("base/10_a")
    seeds = workshop.load()
    back = compare(seeds, (row(seeds, "a", status=Record.INACTIVE),), Tier.TEST)
    assert back.seeds[0].state is State.PENDING
    returned = compare(seeds, (row(seeds, "a", status=Record.ORPHANED),), Tier.TEST)
    assert returned.seeds[0].state is State.CURRENT
    applied = row(seeds, "a")
    (workshop.folder / "base/10_a.py").unlink()
    gone = compare(workshop.load(), (applied,), Tier.TEST)
    assert [one.name for one in gone.orphaned] == ["a"]
    assert not gone.clean
    plan = choose(workshop.load(), gone, Tier.TEST, Selection())
    assert plan.warnings == ("a is applied and its file is gone: pytest-devenv db seed-clean",)
