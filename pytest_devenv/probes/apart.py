"""A look that nothing else may disturb: in the thread that asks for it, after what it requires, never in a batch."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pytest_devenv.verdict import State, Verdict, blocked, unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_devenv.probes.probe import Probe
    from pytest_devenv.targets.environment import Environment


def looked_apart(probe: Probe, environment: Environment, verdict_of: Callable[[str], Verdict]) -> Verdict:
    """Return what a probe finds now; `verdict_of` gives the verdicts of those that it requires.

    What ends the run ends the look first, with all that it has to put back: it runs in no thread of its own.
    """
    for required in probe.requires:
        found = verdict_of(required)
        if found.state not in {State.PASS, State.OFF}:
            cause = required if found.cause is None else found.cause
            return blocked(cause, verdict_of(cause))
    began = time.monotonic()
    try:
        verdict = probe.look(environment)
    except Exception as error:  # noqa: BLE001  # whatever a look raises, it could not look
        text = str(error).strip()
        remedy = getattr(error, "remedy", None) or f"look again: pytest -m {probe.mark}"
        summary = getattr(error, "message", text).splitlines()[0] if text else type(error).__name__
        verdict = unknown(f"{probe.id} could not look: {summary}", where=probe.subject, remedy=remedy)
    return verdict.timed(time.monotonic() - began)
