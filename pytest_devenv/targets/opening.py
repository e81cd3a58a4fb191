"""Opening an environment for the time of a run, whichever target it is on."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_devenv.settings import TargetName
from pytest_devenv.targets import addresses
from pytest_devenv.targets.environment import CLUSTER_FAULT, Environment
from pytest_devenv.verdict import unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.errors import NoEngineError
    from pytest_devenv.settings import Settings
    from pytest_devenv.targets.choose import Choice
    from pytest_devenv.targets.embedded.instance import Instance
    from pytest_devenv.targets.embedded.record import Record

_WITHIN = "pytest-devenv env exec"


@contextlib.contextmanager
def opened(
    settings: Settings,
    choice: Choice,
    *,
    instance: Instance | None = None,
    keep: bool = False,
    reload: bool = False,
) -> Iterator[Environment]:
    """Give the environment on the chosen target; what this call started ends with it.

    On the embedded target an environment that `pytest-devenv env up` left running is attached to, else one is started.
    `instance` is for the processes of one run: the first one starts it, the others join, and its owner ends it.
    `keep` leaves it running, as `env up` does; `reload` has services take up edits of their code, where they can. On
    the cluster target nothing is waited for: a cluster that does not answer, and a pod that is broken, is for the
    probes to tell.
    Raises TargetError where the target cannot be used at all, of which NoEngineError is for `unseen` to tell.
    """
    match choice.target:
        case TargetName.ADDRESSES:
            yield addresses.resolve(settings, choice)
        case TargetName.EMBEDDED:
            yield from _embedded(settings, choice, instance, keep=keep, reload=reload)
        case _:
            from pytest_devenv.targets.cluster.opening import environment

            with environment(settings, choice, instance=instance, keep=keep) as found:
                yield found


def unseen(settings: Settings, choice: Choice, error: NoEngineError) -> Environment:
    """Return the environment of a cluster that nobody can look at: every look at it says why."""
    where = f"target {choice.target}: {choice.why}"
    fault = unknown(error.message, where=where, remedy=error.remedy)
    return Environment(
        settings=settings,
        target=choice.target,
        why=choice.why,
        endpoints=MappingProxyType({}),
        faults=MappingProxyType({CLUSTER_FAULT: fault, **dict.fromkeys(settings.services, fault)}),
    )


def _embedded(
    settings: Settings, choice: Choice, shared: Instance | None, *, keep: bool, reload: bool
) -> Iterator[Environment]:
    from pytest_devenv.targets.embedded import instance as instances

    running = instances.kept(settings)
    if running is not None:
        instance, record = running
        why = f"{choice.why}; attached to the one that is up"
        yield replace(environment_of(settings, why, instance, record, within=_WITHIN), attached=True)
        return
    from pytest_devenv.targets.embedded.start import start  # whoever attaches does not pay for it

    if shared is not None:
        with instances.locked(shared.folder / "start.lock", deadline_s=10 * settings.start_s):
            record = shared.read() or start(settings, shared, keep=keep, reload=reload)
        yield environment_of(settings, choice.why, shared, record)
        return
    own = instances.create(settings, name=instances.project_key(settings) if keep else None)
    with contextlib.ExitStack() as stack:
        stack.callback(own.destroy)
        record = start(settings, own, keep=keep, reload=reload)
        if keep:
            stack.pop_all()
            own.release()
        yield environment_of(settings, choice.why, own, record)


def environment_of(
    settings: Settings,
    why: str,
    instance: Instance,
    record: Record,
    *,
    within: str = f"pytest-devenv env up; {_WITHIN}",
) -> Environment:
    """Return the environment that an instance's record describes; `within` runs a program in it, or in its like."""
    return Environment(
        settings=settings,
        target=TargetName.EMBEDDED,
        why=why,
        endpoints=MappingProxyType({name: replace(at, within=within) for name, at in record.endpoints.items()}),
        faults=MappingProxyType(dict(record.faults)),
        variables=MappingProxyType(dict(record.variables)),
        logs=MappingProxyType({name: instance.folder / "logs" / f"{name}.log" for name in record.endpoints}),
        timings_s=MappingProxyType(dict(record.timings_s)),
    )
