"""The run of many probes: at once, as far as what they require of each other allows."""

from __future__ import annotations

import inspect
import threading
import time
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, Self

from pytest_devenv.probes.graph import closure
from pytest_devenv.probes.redact import redacted
from pytest_devenv.verdict import State, Verdict, blocked, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from types import TracebackType

    from pytest_devenv.probes.probe import Probe
    from pytest_devenv.targets.environment import Environment

JOBS = 8
_CLOSING_S = 1.0
_OURS = Path(__file__).parent.parent
_LETS_THROUGH = frozenset({State.PASS, State.OFF})


class Store(Protocol):
    """Where several processes of one run share their verdicts, so that each probe looks once."""

    def get(self, probe_id: str) -> Verdict | None:
        """Return the verdict that some process has put, if any."""

    def put(self, probe_id: str, verdict: Verdict) -> None:
        """Keep the verdict for the other processes."""

    def lock(self, probe_id: str) -> AbstractContextManager[object]:
        """Hold off the other processes' looks of this probe; waits for one that is under way."""


class Unshared:
    """The store of a run with one process, which keeps its verdicts itself."""

    def get(self, probe_id: str) -> Verdict | None:  # noqa: ARG002  # the protocol's
        """Return nothing: nobody else looks."""
        return None

    def put(self, probe_id: str, verdict: Verdict) -> None:
        """Keep nothing: nobody else asks."""

    def lock(self, probe_id: str) -> AbstractContextManager[object]:  # noqa: ARG002  # the protocol's
        """Hold off nobody."""
        return nullcontext()


@dataclass(slots=True, eq=False)
class _Look:
    """One look under way.

    `fresh` ones do not take a verdict from the store; `early` ones began before what they require was known.
    """

    probe: Probe
    deadline_s: float
    fresh: bool
    early: bool
    began: float = field(default_factory=time.monotonic)
    thread: threading.Thread | None = None

    @property
    def ends(self) -> float:
        return self.began + self.deadline_s


class Batch:
    """The looks of one run: at most `jobs` at once, each in a daemon thread and with a deadline; as many eager ones.

    A probe's own `deadline_s` is the hard end of its look; without one it is twice the settings' `deadline_s`, since
    clients keep to that themselves and then have something to say. A look that does not end in time is `unknown`, and
    its thread is left to itself: it cannot hold up the others, nor the end of the interpreter.

    The requirements of a probe are judged in their order, so that runs agree on which of two causes blocks it.
    Callers of `wait` keep the time: nothing expires while nobody asks. `rest` is called when one gets its verdict and
    no look is left to do.
    """

    def __init__(
        self,
        catalog: Mapping[str, Probe],
        environment: Environment,
        *,
        jobs: int = JOBS,
        store: Store | None = None,
        rest: Callable[[], None] = lambda: None,
    ) -> None:
        self._catalog = catalog
        self._environment = environment
        self._jobs = max(1, jobs)
        self._store: Store = Unshared() if store is None else store
        self._rest = rest
        self._changed = threading.Condition()
        self._wanted: set[str] = set()
        self._waiting: dict[str, Probe] = {}
        self._running: dict[str, _Look] = {}
        self._verdicts: dict[str, Verdict] = {}
        self._early: dict[str, tuple[Probe, Verdict]] = {}
        self._hasty: set[str] = set()
        self._again: set[str] = set()
        self._began: float | None = None
        self._settled = 0.0
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def verdicts(self) -> Mapping[str, Verdict]:
        """What is known so far, by probe id, in the order in which it came to be known."""
        with self._changed:
            return MappingProxyType(dict(self._verdicts))

    @property
    def wall_s(self) -> float:
        """The wall time from the first look's begin to the last verdict, in seconds."""
        with self._changed:
            return 0.0 if self._began is None else max(0.0, self._settled - self._began)

    def start(self, selected: Iterable[str]) -> None:
        """Begin the looks of the selected probes and of all that they require; returns at once.

        Raises `ConfigError` for an id that is no probe, and for probes that require each other.
        """
        probes = closure(self._catalog, selected)
        with self._changed:
            self._wanted.update(probe.id for probe in probes)
            for probe in probes:
                known = (self._verdicts, self._running, self._waiting, self._early)
                if not any(probe.id in each for each in known):
                    self._waiting[probe.id] = probe
            self._advance()

    def wait(self, probe_id: str) -> Verdict:
        """Return the verdict of a probe as soon as it is known; begins its look where nobody has."""
        self.start((probe_id,))
        with self._changed:
            while (verdict := self._verdicts.get(probe_id)) is None:
                if self._closed:
                    return unknown(f"{probe_id} was not looked at: the run had ended")
                self._changed.wait(self._until_next_end())
                self._expire()
            done = not (self._running or self._waiting or self._early)
        if done:
            self._rest()
        return verdict

    def again(self, probe_id: str) -> Verdict:
        """Look again at a probe and at all that it requires, and return the new verdict."""
        with self._changed:
            for probe in closure(self._catalog, (probe_id,)):
                self._verdicts.pop(probe.id, None)
                self._running.pop(probe.id, None)
                self._waiting.pop(probe.id, None)
                self._early.pop(probe.id, None)
                self._hasty.discard(probe.id)
                self._again.add(probe.id)
        return self.wait(probe_id)

    def close(self) -> None:
        """Begin no further look, and give those under way a second to end."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            threads = [look.thread for look in self._running.values() if look.thread is not None]
            self._changed.notify_all()
        end = time.monotonic() + _CLOSING_S
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _advance(self) -> None:
        """Settle what is blocked, begin what is ready, then what is eager; needs the lock."""
        while self._settles_more() and not self._closed:
            pass
        for early in (False, True):
            for probe in tuple(self._waiting.values()):
                under_way = sum(look.early is early for look in self._running.values())
                if self._closed or under_way >= self._jobs:
                    break
                if self._may_begin(probe, early=early):
                    del self._waiting[probe.id]
                    self._begin(probe, early=early)
        if self._waiting and not self._running and self._wanted and not self._closed:
            self._wanted.clear()  # what is left waits for each other's `after`, which is only a preference
            self._advance()
        self._changed.notify_all()

    def _settles_more(self) -> bool:
        """Settle what is blocked, and what was found early where that counts now; tell whether there was any."""
        undecided: dict[str, tuple[Probe, Verdict | None]] = {each.id: (each, None) for each in self._waiting.values()}
        undecided |= {each.probe.id: (each.probe, None) for each in self._running.values() if each.early}
        settled: dict[str, Verdict] = {}
        for probe_id, (probe, found) in {**undecided, **self._early}.items():
            blocking, ready = self._requirements(probe)
            verdict = found if blocking is None and ready else blocking
            if verdict is not None:
                settled[probe_id] = verdict
        for probe_id in settled:
            for where in (self._waiting, self._running, self._early):
                where.pop(probe_id, None)
        self._verdicts |= settled
        return bool(settled)

    def _may_begin(self, probe: Probe, *, early: bool) -> bool:
        if early:
            return probe.eager and probe.id not in self._hasty
        return self._requirements(probe)[1]

    def _requirements(self, probe: Probe) -> tuple[Verdict | None, bool]:
        """Return the verdict that blocks a probe, if one is known, and whether everything that it requires passed."""
        for required in self._awaited(probe):
            verdict = self._verdicts.get(required)
            if verdict is None:
                return None, False
            if verdict.state not in _LETS_THROUGH:
                root = required if verdict.cause is None else verdict.cause
                return blocked(root, self._verdicts.get(root, verdict)), False
        return None, True

    def _awaited(self, probe: Probe) -> Iterator[str]:
        """Yield what a probe waits for; one with a requirement that is off is off too, whatever it comes after."""
        yield from probe.requires
        if not any(self._verdicts[required].state is State.OFF for required in probe.requires):
            yield from (each for each in probe.after if each in self._wanted)

    def _begin(self, probe: Probe, *, early: bool) -> None:
        deadline_s = probe.deadline_s
        if deadline_s is None:
            deadline_s = 2 * self._environment.settings.deadline_s
        look = _Look(probe, deadline_s, fresh=probe.id in self._again, early=early)
        look.thread = threading.Thread(target=self._run, args=(look,), name=f"probe {probe.id}", daemon=True)
        self._again.discard(probe.id)
        self._began = look.began if self._began is None else self._began
        self._running[probe.id] = look
        look.thread.start()

    def _run(self, look: _Look) -> None:
        try:
            with self._store.lock(look.probe.id):
                verdict = None if look.fresh else self._store.get(look.probe.id)
                if verdict is None:
                    look.began = time.monotonic()
                    verdict = _looked(look.probe, self._environment)
                    verdict = verdict.timed(time.monotonic() - look.began)
                    if not look.early or verdict.state in _LETS_THROUGH:
                        self._store.put(look.probe.id, verdict)
        except BaseException as error:  # noqa: BLE001  # whatever a look raises, its waiters must hear of it
            verdict = _raised(look.probe, error, self._environment).timed(time.monotonic() - look.began)
        self._settle(look, verdict)

    def _settle(self, look: _Look, verdict: Verdict) -> None:
        with self._changed:
            if self._running.get(look.probe.id) is look:
                self._end(look, verdict)
                self._settled = time.monotonic()
                self._advance()

    def _end(self, look: _Look, verdict: Verdict) -> None:
        """Keep what a look found. What fails early may fail for what it requires, so it looks again; needs the lock."""
        probe = look.probe
        del self._running[probe.id]
        if not look.early:
            self._verdicts[probe.id] = verdict
        elif verdict.state in _LETS_THROUGH:
            self._early[probe.id] = (probe, verdict)
        else:
            self._hasty.add(probe.id)
            self._again.update({probe.id} if look.fresh else ())
            self._waiting[probe.id] = probe

    def _until_next_end(self) -> float | None:
        now = time.monotonic()
        return min((max(0.0, look.ends - now) for look in self._running.values()), default=None)

    def _expire(self) -> None:
        """Give up the looks that are past their deadline; needs the lock."""
        now = time.monotonic()
        late = [look for look in self._running.values() if look.ends <= now]
        for look in late:
            verdict = unknown(
                f"{look.probe.id} did not end within {look.deadline_s:g} s",
                where=look.probe.subject,
                remedy="look again with nothing else running; give slow machines a longer deadline_s in the settings",
            )
            self._end(look, verdict.timed(now - look.began))
        if late:
            self._advance()


def _looked(probe: Probe, environment: Environment) -> Verdict:
    """Look; what a look returns that is no verdict, as one of a user's hook may, is could not look."""
    returned: object = probe.look(environment)
    if isinstance(returned, Verdict):
        return returned
    found = "None" if returned is None else f"an object of type {type(returned).__name__}"
    return unknown(
        f"{probe.id} could not look: it returned {found}, and no verdict",
        where=_defined(probe),
        remedy=f"have the probe {probe.name} return a pytest_devenv.verdict.Verdict from {_defined(probe)}",
    )


def _defined(probe: Probe) -> str:
    """Return the file and line of the function with which a probe looks."""
    look: object = probe.look
    while isinstance(look, partial):
        look = look.func
    look = inspect.unwrap(look) if callable(look) else look
    look = getattr(look, "__func__", look)
    if not hasattr(look, "__code__"):
        look = inspect.getattr_static(look, "__call__", None)  # an object that is called
    code = getattr(look, "__code__", None)
    return probe.subject if code is None else f"{code.co_filename}:{code.co_firstlineno}"


def _raised(probe: Probe, error: BaseException, environment: Environment) -> Verdict:
    text = redacted(str(error), environment).strip()
    said = f": {text}" if text else ""
    place = _defined(probe)
    return unknown(
        f"{probe.id} could not look: {type(error).__name__}{said}",
        where=probe.subject,
        remedy=f"look again: pytest -m {probe.mark}; if it stays so, report it to pytest-devenv with this text"
        if Path(place).is_relative_to(_OURS)
        else f"mend the probe {probe.name}, whose look is at {place}",
    )
