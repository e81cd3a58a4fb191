"""A run of seeds: under the lock, after the guard, one rank after the other."""

from __future__ import annotations

import os
import queue
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_devenv.seed import history as histories
from pytest_devenv.seed.choice import choose
from pytest_devenv.seed.compare import compare
from pytest_devenv.seed.failure import SeedRunError
from pytest_devenv.seed.model import LOOK_TIMEOUT_S, Done, Limits, Progress, Result, Selection, Step
from pytest_devenv.seed.modules import compile_ahead, importable
from pytest_devenv.seed.order import waves
from pytest_devenv.seed.run import Shift, run_step
from pytest_devenv.seed.session import Permission, alone, witnessing, writing
from pytest_devenv.seed.tracking import Tracker

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import psycopg

    from pytest_devenv.clients.postgres import DatabaseAddress
    from pytest_devenv.guard import Consent
    from pytest_devenv.seed.catalog import Seeds
    from pytest_devenv.seed.history import History
    from pytest_devenv.settings import Tier

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

_PENDING, _LIMITS = Selection(), Limits()


@dataclass(frozen=True, slots=True)
class _Crew:
    """The connections that seeds run on, each lent to one seed at a time."""

    shift: Shift
    trackers: queue.SimpleQueue[Tracker]
    pool: ThreadPoolExecutor

    def run(self, step: Step) -> Done | SeedRunError:
        tracker = self.trackers.get()
        try:
            return run_step(self.shift, tracker, step)
        except SeedRunError as error:
            return error
        finally:
            self.trackers.put(tracker)


def apply(
    seeds: Seeds,
    address: DatabaseAddress,
    *,
    tier: Tier,
    selection: Selection = _PENDING,
    consent: Consent | None = None,
    limits: Limits = _LIMITS,
    environ: Mapping[str, str] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Result:
    """Apply what is pending or has a newer version; with nothing to do, nothing is asked of the guard or written.

    In production and staging `consent` repeats the database's name. `environ` is where seeds find their secrets, the
    process's own environment unless given. Raises SeedRunError for the first seed that fails, after which no other is
    begun, SeedError, and GuardError.
    """
    began = time.monotonic()
    permission = Permission(address, tier, consent)
    permission.ask()
    with (
        witnessing(address, deadline_s=LOOK_TIMEOUT_S) as witness,
        alone(witness, timeout_s=limits.lock_timeout_s, where=str(address)),
    ):
        history = histories.locate(witness)
        status = compare(seeds, histories.read(witness, history), tier)
        plan = choose(seeds, status, tier, selection)
        done: tuple[Done, ...] = ()
        if plan.steps:
            groups = _groups(plan.steps, selection.jobs)
            width = max(len(group) for group in groups)
            with ExitStack() as stack:
                pool = stack.enter_context(ThreadPoolExecutor(max_workers=width + 1))
                opening = [pool.submit(_open, stack, address, witness, history) for _ in range(width)]
                pool.submit(compile_ahead, [step.seed for step in plan.steps])
                permission.require(witness, fill=True)
                history = histories.create(witness, history)
                shift = Shift(
                    seeds=seeds,
                    history=history,
                    tier=tier,
                    environ=os.environ if environ is None else environ,
                    load_class=stack.enter_context(importable(seeds.folder)),
                    statement_timeout_s=limits.statement_timeout_s,
                    where=str(address),
                )
                trackers: queue.SimpleQueue[Tracker] = queue.SimpleQueue()
                for tracker in opening:
                    trackers.put(tracker.result())
                done = _run(_Crew(shift, trackers, pool), groups, on_progress)
    return Result(done=done, took_s=time.monotonic() - began, skipped=plan.skipped, warnings=plan.warnings)


def _open(stack: ExitStack, address: DatabaseAddress, witness: Connection, history: History) -> Tracker:
    writer = stack.enter_context(writing(address, deadline_s=LOOK_TIMEOUT_S))
    tracker = Tracker(writer, witness, history.relations)
    tracker.get_ready(history.schema)
    return tracker


def _groups(steps: tuple[Step, ...], jobs: int) -> list[list[Step]]:
    """Split the steps into groups that run at once, none larger than `jobs`."""
    if jobs <= 1:
        return [[step] for step in steps]
    by_name = {step.seed.name: step for step in steps}
    ranks = [[by_name[seed.name] for seed in wave] for wave in waves(step.seed for step in steps)]
    return [rank[start : start + jobs] for rank in ranks for start in range(0, len(rank), jobs)]


def _run(crew: _Crew, groups: list[list[Step]], on_progress: Callable[[Progress], None] | None) -> tuple[Done, ...]:
    done: list[Done] = []
    total = sum(len(group) for group in groups)
    for group in groups:
        outcomes = crew.pool.map(crew.run, group) if len(group) > 1 else map(crew.run, group)
        failures = []
        for outcome in outcomes:
            if isinstance(outcome, SeedRunError):
                failures.append(outcome)
                continue
            done.append(outcome)
            if on_progress is not None:
                on_progress(Progress(done=outcome, index=len(done), total=total))
        if failures:
            _fail(failures, tuple(done))
    return tuple(done)


def _fail(failures: list[SeedRunError], done: tuple[Done, ...]) -> None:
    """Raise the first failure, with the others in it, and with what this run did finish."""
    first, *others = failures
    also = "".join(f"\n  also failed: {error.message.splitlines()[0]}" for error in others)
    error = SeedRunError(
        first.message + also,
        failed=first.failed,
        done=done,
        sqlstate=first.sqlstate,
        line=first.line,
        remedy=first.remedy,
    )
    raise error from first.__cause__
