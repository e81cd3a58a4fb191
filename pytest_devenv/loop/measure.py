"""Timing a loop: edit after edit, each until it is observed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pytest_devenv.errors import GuardError, TargetError, WaitTimeoutError
from pytest_devenv.loop.edit import edited, put_back_all
from pytest_devenv.loop.limits import LOCK_S, RUNS, longest_s
from pytest_devenv.loop.model import Measured, Sample
from pytest_devenv.loop.observe import of_service
from pytest_devenv.loop.place import loops_folder
from pytest_devenv.targets.embedded.instance import locked

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_devenv.loop.carrier import Carrier
    from pytest_devenv.loop.edit import Editing, Written
    from pytest_devenv.loop.observe import Observer, Seen
    from pytest_devenv.settings import Loop, Settings
    from pytest_devenv.targets.environment import Environment


class NotLiveError(WaitTimeoutError):
    """An edit was not observed in time: where it was looked for, how long, and what was last seen there."""

    def __init__(self, message: str, *, remedy: str, url: str, waited_s: float, last_seen: str) -> None:
        self.url = url
        self.waited_s = waited_s
        self.last_seen = last_seen
        super().__init__(message, remedy=remedy)


def measure(
    loop: Loop,
    environment: Environment,
    carrier: Carrier,
    *,
    runs: int = RUNS,
    on_sample: Callable[[Sample], None] = lambda _: None,
) -> Measured:
    """Edit the loop's file `runs` times, and return how long each edit took to be live.

    Afterwards the file is as it was, and the service answers without our edits. One loop at a time is timed on a
    machine. Raises NotLiveError, TargetError where the service does not answer or the file cannot be edited, and
    GuardError for an environment that is neither for development nor for tests.
    """
    settings = environment.settings
    _judge(settings)
    place = observer_of(loop, environment)
    samples: list[Sample] = []
    with locked(loops_folder() / "lock", deadline_s=LOCK_S):
        notes = list(put_back_all())
        with place as observer:
            observer.look_at_rest()
            with edited(settings.root / loop.edit, at=loop.at) as editing:
                for _ in range(runs):
                    samples.append(_once(loop, editing, observer, carrier))
                    on_sample(samples[-1])
            notes += [*editing.notes, *_forgotten(loop, observer, editing.series)]
            looking = observer.looking
            if looking.connections > looking.looks / 2:
                notes.append(f"{loop.observe.service} closes the connection with each answer, which the times hold too")
    return Measured(
        loop=loop, carrier=carrier.name, url=observer.url, samples=tuple(samples), looking=looking, notes=tuple(notes)
    )


def without_cluster(loop: Loop, environment: Environment) -> TargetError:
    """Return the error of a loop that only a cluster shows, where there is none."""
    msg = (
        f"expected a cluster, where {loop.observe.config_map} shows the edits of {loop.name}, "
        f"found the target {environment.target}: {environment.why}"
    )
    return TargetError(msg, remedy="choose one: export PYTEST_DEVENV_TARGET=cluster")


def observer_of(loop: Loop, environment: Environment) -> Observer:
    """Return what sees the edits of a loop. Raises TargetError where this environment does not have it."""
    observe = loop.observe
    if observe.config_map is not None:
        from pytest_devenv.loop.config_map import of_config_map

        if environment.cluster is None:
            raise without_cluster(loop, environment)
        return of_config_map(environment.cluster, observe.config_map)
    endpoint = environment.endpoints.get(observe.service)
    if endpoint is None:
        msg = f"expected an address for {observe.service}, which shows the edits of {loop.name}, found none"
        raise TargetError(msg, remedy="pytest -m health")
    return of_service(endpoint, observe.path)


def _once(loop: Loop, editing: Editing, observer: Observer, carrier: Carrier) -> Sample:
    carrier.wait_until_idle(time.monotonic() + longest_s(loop))
    observer.look_at_rest()
    written = editing.stamp()
    seen = _seen(loop, observer, carrier, written)
    return Sample(
        total_s=seen.at - written.monotonic,
        observer_s=seen.added_s,
        at=written.unix,
        stages=carrier.stages(written, seen),
    )


def _seen(loop: Loop, observer: Observer, carrier: Carrier, written: Written) -> Seen:
    try:
        return observer.until_there(written.stamp, deadline=written.monotonic + longest_s(loop))
    except WaitTimeoutError as error:
        waited_s = time.monotonic() - written.monotonic
        msg = (
            f"expected an edit of {loop.edit} to be live within {loop.budget_s.total:g} s, found it is not "
            f"after {waited_s:.1f} s, last seen: {observer.last_seen}, looked at GET {observer.url}"
        )
        raise NotLiveError(
            msg, remedy=carrier.remedy(), url=observer.url, waited_s=waited_s, last_seen=observer.last_seen
        ) from error


def _forgotten(loop: Loop, observer: Observer, series: bytes) -> list[str]:
    """Wait until the service answers without our edits; return a remark where it goes on."""
    try:
        observer.until_gone(series, deadline=time.monotonic() + longest_s(loop))
    except WaitTimeoutError:
        return [f"{loop.edit} is as it was, yet {loop.observe.service} still answers with the last edit"]
    return []


def _judge(settings: Settings) -> None:
    if settings.environment.changeable:
        return
    msg = (
        f"a loop edits what runs: expected environment development or test, found {settings.environment}, "
        f"looked in {settings.sources.get('environment', settings.file.name)}"
    )
    raise GuardError(msg, remedy="time loops where you develop: --devenv-environment=development")
