"""The batch: what runs at once, what blocks what, what becomes of looks that raise, hang or are shared."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.errors import ConfigError
from pytest_devenv.probes import batch as batches
from pytest_devenv.probes.batch import Batch
from pytest_devenv.probes.probe import Probe
from pytest_devenv.verdict import State, Verdict, failed, off, passed, unknown
from tests.unit.probes.samples import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_devenv.targets.environment import Environment

DOWN = failed("it is down", expected="up", found="down", where="here", remedy="start it")


def probe(
    subject: str,
    look: Callable[[Environment], Verdict] | Verdict | None = None,
    *,
    requires: tuple[str, ...] = (),
    deadline_s: float | None = None,
    eager: bool = False,
) -> Probe:
    """Make a probe `thing.works` of a subject, whose look is given, or returns what is given."""

    def looked(given: Environment) -> Verdict:
        if callable(look):
            return look(given)
        return passed("fine") if look is None else look

    return Probe(
        name="thing.works",
        subject=subject,
        look=looked,
        requires=tuple(f"thing.works[{name}]" for name in requires),
        deadline_s=deadline_s,
        eager=eager,
    )


def catalog(*probes: Probe) -> dict[str, Probe]:
    """Return the probes by id."""
    return {each.id: each for each in probes}


def never(_: Environment) -> Verdict:
    """Look, which is wrong here."""
    raise AssertionError("it must not look")


def test_a_look_waits_for_what_it_requires() -> None:
    """A probe looks only once everything that it requires has passed."""
    seen: list[str] = []

    def noting(name: str) -> Callable[[Environment], Verdict]:
        def look(_: Environment) -> Verdict:
            seen.append(name)
            return passed(name)

        return look

    probes = catalog(
        probe("c", noting("c"), requires=("b", "a")), probe("b", noting("b"), requires=("a",)), probe("a", noting("a"))
    )
    with Batch(probes, environment()) as batch:
        assert batch.wait("thing.works[c]").summary == "c"
    assert seen == ["a", "b", "c"]


def test_independent_looks_run_at_once() -> None:
    """Looks that do not require each other run at the same time."""
    meeting = threading.Barrier(3)

    def look(_: Environment) -> Verdict:
        meeting.wait(timeout=10)
        return passed("met")

    probes = catalog(*(probe(name, look) for name in "abc"))
    with Batch(probes, environment(), jobs=3) as batch:
        batch.start(probes)
        assert [batch.wait(each).summary for each in probes] == ["met"] * 3


def test_no_more_looks_run_than_jobs_allow() -> None:
    """At most `jobs` looks run at the same time."""
    running: list[int] = []
    now = threading.Semaphore(0)
    lock = threading.Lock()
    count = 0

    def look(_: Environment) -> Verdict:
        nonlocal count
        with lock:
            count += 1
            running.append(count)
        now.acquire(timeout=0.05)
        with lock:
            count -= 1
        return passed("done")

    probes = catalog(*(probe(str(number), look) for number in range(6)))
    with Batch(probes, environment(), jobs=2) as batch:
        batch.start(probes)
        for each in probes:
            batch.wait(each)
    assert max(running) == 2


def test_a_blocked_verdict_names_the_root_cause() -> None:
    """What a blocked probe requires is blocked by the root cause, and carries its evidence and remedy."""
    probes = catalog(
        probe("root", DOWN), probe("middle", requires=("root",)), probe("leaf", never, requires=("middle",))
    )
    with Batch(probes, environment()) as batch:
        leaf = batch.wait("thing.works[leaf]")
    assert leaf.state is State.BLOCKED
    assert leaf.cause == "thing.works[root]"
    assert leaf.summary == "blocked by thing.works[root]: it is down"
    assert leaf.remedy == "start it"


def test_what_could_not_be_looked_at_blocks_too() -> None:
    """A requirement that is unknown blocks as one that failed does."""
    probes = catalog(probe("root", unknown("no right to see it")), probe("leaf", requires=("root",)))
    with Batch(probes, environment()) as batch:
        assert batch.wait("thing.works[leaf]").summary == "blocked by thing.works[root]: no right to see it"


def test_what_is_not_configured_blocks_nothing() -> None:
    """A requirement that is off lets what requires it look."""
    probes = catalog(probe("root", off("not configured")), probe("leaf", requires=("root",)))
    with Batch(probes, environment()) as batch:
        assert batch.wait("thing.works[leaf]").passed


def test_the_first_requirement_that_fails_is_the_cause_whichever_ends_first() -> None:
    """Of two causes, the one named first in `requires` blocks, also when the other one ends earlier."""
    late = threading.Event()

    def slow(_: Environment) -> Verdict:
        late.wait(timeout=0.1)
        return DOWN

    probes = catalog(probe("slow", slow), probe("quick", DOWN), probe("leaf", requires=("slow", "quick")))
    with Batch(probes, environment()) as batch:
        assert batch.wait("thing.works[leaf]").cause == "thing.works[slow]"


def test_a_look_that_raises_is_unknown() -> None:
    """What a look raises makes its verdict unknown, with the exception's type and text."""

    def look(_: Environment) -> Verdict:
        raise OSError("no such device")

    with Batch(catalog(probe("a", look)), environment()) as batch:
        verdict = batch.wait("thing.works[a]")
    assert verdict.state is State.UNKNOWN
    assert verdict.summary == "thing.works[a] could not look: OSError: no such device"
    assert verdict.remedy is not None
    assert verdict.remedy.startswith(f"mend the probe thing.works, whose look is at {__file__}:")


def returns_none(_: int, __: Environment) -> None:
    """Look, and forget to say what was found."""


def raises(_: Environment) -> Verdict:
    """Look, and fail."""
    raise AttributeError("'NoneType' object has no attribute 'x'")


@pytest.mark.parametrize("returned", [None, True])
def test_a_look_that_returns_no_verdict_is_unknown(*, returned: bool | None) -> None:
    """A hook's probe that forgets its verdict is named, with the file and the line of its function."""

    def look(_: Environment) -> bool | None:
        return returned

    here = f"{__file__}:{look.__code__.co_firstlineno}"
    given = Probe(name="thing.works", subject="a", look=look)  # type: ignore[arg-type]  # as a user's may
    with Batch(catalog(given), environment()) as batch:
        verdict = batch.wait("thing.works[a]")
    found = "None" if returned is None else "an object of type bool"
    assert replace(verdict, took_s=0.0) == unknown(
        f"thing.works[a] could not look: it returned {found}, and no verdict",
        where=here,
        remedy=f"have the probe thing.works return a pytest_devenv.verdict.Verdict from {here}",
    )


def test_a_look_is_found_behind_a_partial_a_method_and_an_object() -> None:
    """However a hook hands over its function, the place that is told is the function's."""

    class Looker:
        def __call__(self, _: Environment) -> Verdict:
            raise OSError

        def method(self, _: Environment) -> Verdict:
            raise OSError

    given = {
        "partial": (partial(returns_none, 1), returns_none),
        "method": (Looker().method, Looker.method),
        "object": (Looker(), Looker.__call__),
    }
    for look, function in given.values():
        made = Probe(name="thing.works", subject="a", look=look)  # type: ignore[arg-type]  # one returns nothing
        with Batch(catalog(made), environment()) as batch:
            remedy = batch.wait("thing.works[a]").remedy
        assert remedy is not None
        assert remedy.endswith(f" {__file__}:{function.__code__.co_firstlineno}")


def test_a_packaged_look_that_raises_is_ours_to_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the package's own probes raise is no fault of the user's: look again, else report it."""
    monkeypatch.setattr(batches, "_OURS", Path(__file__).parent)
    with Batch(catalog(Probe(name="thing.works", subject="a", look=raises, mark="ports")), environment()) as batch:
        verdict = batch.wait("thing.works[a]")
    assert verdict.summary == "thing.works[a] could not look: AttributeError: 'NoneType' object has no attribute 'x'"
    assert verdict.remedy == "look again: pytest -m ports; if it stays so, report it to pytest-devenv with this text"


def test_what_a_look_raises_shows_no_password() -> None:
    """The environment's passwords are taken out of the text of what a look raised."""

    def look(given: Environment) -> Verdict:
        raise OSError(given.endpoints["postgres"].url("shop").reveal() + " and correct-horse-1")

    with Batch(catalog(probe("a", look)), environment()) as batch:
        verdict = batch.wait("thing.works[a]")
    assert (
        verdict.summary == "thing.works[a] could not look: OSError: postgresql://shop:***@127.0.0.1:5432/shop and ***"
    )


def test_a_look_past_its_deadline_is_unknown_and_holds_up_nobody() -> None:
    """A look that does not end is unknown at its deadline, and gives its place to the next."""
    release = threading.Event()

    def stuck(_: Environment) -> Verdict:
        release.wait(timeout=30)
        return passed("too late")

    probes = catalog(probe("stuck", stuck, deadline_s=0.05), probe("next"))
    with Batch(probes, environment(), jobs=1) as batch:
        batch.start(probes)
        verdict = batch.wait("thing.works[stuck]")
        assert batch.wait("thing.works[next]").passed
        release.set()
        time.sleep(0.05)
        assert batch.wait("thing.works[stuck]") == verdict
    assert verdict.state is State.UNKNOWN
    assert verdict.summary == "thing.works[stuck] did not end within 0.05 s"
    assert verdict.took_s >= 0.05


def test_looks_run_in_daemon_threads() -> None:
    """A stuck look cannot hold up the end of the interpreter."""

    def look(_: Environment) -> Verdict:
        return passed("daemon" if threading.current_thread().daemon else "not a daemon")

    with Batch(catalog(probe("a", look)), environment()) as batch:
        assert batch.wait("thing.works[a]").summary == "daemon"


def test_a_verdict_tells_how_long_its_look_took() -> None:
    """The wall time of a look stands in its verdict."""

    def look(_: Environment) -> Verdict:
        time.sleep(0.02)
        return passed("slept")

    with Batch(catalog(probe("a", look)), environment()) as batch:
        assert 0.02 <= batch.wait("thing.works[a]").took_s < 5


def test_looking_again_looks_at_the_whole_chain() -> None:
    """A rerun sees what was mended meanwhile, be it the probe itself or what it requires."""
    states = iter([DOWN, passed("mended")])
    probes = catalog(probe("root", lambda _: next(states)), probe("leaf", requires=("root",)))
    with Batch(probes, environment()) as batch:
        assert batch.wait("thing.works[leaf]").state is State.BLOCKED
        assert batch.again("thing.works[leaf]").passed
        assert batch.wait("thing.works[root]").summary == "mended"


def test_a_probe_looks_once() -> None:
    """However often a verdict is asked for, the probe looks once."""
    looks: list[int] = []

    def look(_: Environment) -> Verdict:
        looks.append(1)
        return passed("seen")

    probes = catalog(probe("a", look), probe("b", requires=("a",)), probe("c", requires=("a",)))
    with Batch(probes, environment()) as batch:
        batch.start(probes)
        for each in (*probes, *probes):
            batch.wait(each)
    assert looks == [1]


class Step:
    """A look that waits for another one to begin, and tells when it began itself."""

    def __init__(self, *verdicts: Verdict, after: Step | None = None) -> None:
        self.began = threading.Event()
        self.looks = 0
        self._verdicts = iter(verdicts)
        self._after = after

    def __call__(self, _: Environment) -> Verdict:
        """Look."""
        self.looks += 1
        self.began.set()
        if self._after is not None:
            assert self._after.began.wait(timeout=30), "the other look began"
        return next(self._verdicts)


def test_an_eager_look_does_not_wait_for_what_it_requires() -> None:
    """It begins while what it requires is still being looked at, and its verdict counts when that has passed."""
    leaf = Step(passed("seen"))
    root = Step(passed("up"), after=leaf)
    probes = catalog(probe("root", root), probe("leaf", leaf, requires=("root",), eager=True))
    with Batch(probes, environment(), jobs=1) as batch:
        assert batch.wait("thing.works[leaf]").summary == "seen"
    assert leaf.looks == 1


def test_what_was_found_early_does_not_count_where_a_requirement_fails() -> None:
    """An eager look that passed is blocked all the same."""
    leaf = Step(passed("seen"))
    root = Step(DOWN, after=leaf)
    probes = catalog(probe("root", root), probe("leaf", leaf, requires=("root",), eager=True))
    with Batch(probes, environment()) as batch:
        assert batch.wait("thing.works[leaf]").cause == "thing.works[root]"


@pytest.mark.parametrize("second", [passed("up by now"), DOWN])
def test_a_fault_that_was_found_early_is_looked_for_again(second: Verdict) -> None:
    """It may be one of what the probe requires, which was mended before that was looked at."""
    leaf = Step(DOWN, second)
    root = Step(passed("up"), after=leaf)
    probes = catalog(probe("root", root), probe("leaf", leaf, requires=("root",), eager=True))
    with Batch(probes, environment()) as batch:
        verdict = batch.wait("thing.works[leaf]")
    assert replace(verdict, took_s=0.0) == second
    assert leaf.looks == 2


def test_a_failed_requirement_does_not_wait_for_an_early_look() -> None:
    """What is blocked is told at once, however long its own look would have taken."""
    release = threading.Event()
    stuck = Step(passed("too late"))

    def look(given: Environment) -> Verdict:
        verdict = stuck(given)
        release.wait(timeout=30)
        return verdict

    root = Step(DOWN, after=stuck)
    probes = catalog(probe("root", root), probe("leaf", look, requires=("root",), eager=True, deadline_s=30))
    with Batch(probes, environment()) as batch:
        assert batch.wait("thing.works[leaf]").state is State.BLOCKED
        assert not release.is_set()
        release.set()


def test_who_gets_the_last_verdict_finds_everything_at_rest() -> None:
    """`rest` has been called by then, and not while looks are under way."""
    done: list[str] = []

    def look(_: Environment) -> Verdict:
        done.append("look")
        return passed("seen")

    probes = catalog(probe("a", look), probe("b", look, requires=("a",)))
    with Batch(probes, environment(), rest=lambda: done.append("rest")) as batch:
        batch.start(probes)
        batch.wait("thing.works[b]")
        assert done == ["look", "look", "rest"]


class Shared:
    """A store as several processes share it."""

    def __init__(self) -> None:
        self.kept: dict[str, Verdict] = {}
        self._lock = threading.Lock()

    def get(self, probe_id: str) -> Verdict | None:
        """Return what was put."""
        return self.kept.get(probe_id)

    def put(self, probe_id: str, verdict: Verdict) -> None:
        """Keep a verdict."""
        self.kept[probe_id] = verdict

    @contextmanager
    def lock(self, probe_id: str) -> Iterator[None]:
        """Hold off the others."""
        assert probe_id
        with self._lock:
            yield


def test_two_batches_with_one_store_look_once() -> None:
    """Processes that share a store agree on the verdict of the one that looked, took_s included."""
    looks: list[int] = []

    def look(_: Environment) -> Verdict:
        looks.append(1)
        time.sleep(0.02)
        return passed(f"look {len(looks)}")

    probes, store = catalog(probe("a", look)), Shared()
    with Batch(probes, environment(), store=store) as one, Batch(probes, environment(), store=store) as other:
        one.start(probes)
        other.start(probes)
        assert one.wait("thing.works[a]") == other.wait("thing.works[a]")
    assert looks == [1]


def test_looking_again_does_not_take_the_stored_verdict() -> None:
    """A rerun looks itself, and tells the other processes what it saw."""
    states = iter([DOWN, passed("mended")])
    store = Shared()
    with Batch(catalog(probe("a", lambda _: next(states))), environment(), store=store) as batch:
        batch.wait("thing.works[a]")
        batch.again("thing.works[a]")
    assert store.kept["thing.works[a]"].summary == "mended"


def test_a_batch_that_was_closed_begins_nothing() -> None:
    """After `close`, what was not looked at is unknown, and says why."""
    batch = Batch(catalog(probe("a", never)), environment())
    batch.close()
    assert batch.wait("thing.works[a]").summary == "thing.works[a] was not looked at: the run had ended"


def test_an_id_that_is_no_probe_is_refused_with_the_nearest_one() -> None:
    """A mistyped id is an error that names the nearest probe."""
    with Batch(catalog(probe("backend")), environment()) as batch, pytest.raises(ConfigError) as caught:
        batch.start(["thing.works[backed]"])
    assert caught.value.message == "thing.works[backed] is none of the 1 probes of this environment"
    assert caught.value.remedy == "did you mean thing.works[backend]?"


def test_probes_that_require_each_other_are_refused() -> None:
    """A circle of requirements is an error that shows the circle, not a run that never ends."""
    probes = catalog(probe("a", requires=("b",)), probe("b", requires=("a",)))
    with Batch(probes, environment()) as batch, pytest.raises(ConfigError) as caught:
        batch.start(["thing.works[a]"])
    assert caught.value.message == "probes require each other: thing.works[a] → thing.works[b] → thing.works[a]"


def test_what_is_known_so_far_can_be_read() -> None:
    """`verdicts` tells by id what has been seen, requirements first."""
    probes = catalog(probe("leaf", requires=("root",)), probe("root"))
    with Batch(probes, environment()) as batch:
        batch.wait("thing.works[leaf]")
        assert list(batch.verdicts) == ["thing.works[root]", "thing.works[leaf]"]


def test_a_preferred_order_counts_only_where_both_are_looked_at() -> None:
    """`after` blocks by a probe that the run looks at anyway, and never makes a run look at more."""
    root = probe("cache", DOWN)
    port = replace(probe("port", DOWN), after=(root.id,))
    with Batch(catalog(root, port), environment()) as batch:
        batch.start((root.id, port.id))
        assert batch.wait(port.id).cause == root.id
    with Batch(catalog(root, port), environment()) as batch:
        assert batch.wait(port.id).state is State.FAIL
        assert set(batch.verdicts) == {port.id}


def test_what_is_off_comes_after_nothing() -> None:
    """A probe whose requirement is off says so itself, also where something that it comes after has failed."""
    cache, tool = probe("cache", DOWN), probe("tool", off("there is none"))
    use = replace(probe("use", off("there is no tool"), requires=("tool",)), after=(cache.id,))
    with Batch(catalog(cache, tool, use), environment()) as batch:
        batch.start((cache.id, tool.id, use.id))
        assert batch.wait(use.id).state is State.OFF


@pytest.mark.timeout(5)
def test_preferences_that_contradict_each_other_hold_up_nobody() -> None:
    """Two probes that each want the other first are looked at all the same."""
    one, other = probe("one"), probe("other")
    one, other = replace(one, after=(other.id,)), replace(other, after=(one.id,))
    with Batch(catalog(one, other), environment()) as batch:
        batch.start((one.id, other.id))
        assert batch.wait(one.id).passed
        assert batch.wait(other.id).passed
