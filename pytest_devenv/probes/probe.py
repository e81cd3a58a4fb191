"""What a probe is: one look at one thing, and what has to hold before the look means anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_devenv.targets.environment import Environment
    from pytest_devenv.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A named look at one subject.

    `name` reads `kind.state` (`postgres.accepts_connections`), `subject` is the service, database or secret looked at.
    `requires` are the ids of the probes that must pass first; where one does not, this one is blocked by it and its
    `look` does not count. `after` are those that come first only where a run looks at them anyway, so that two probes
    which see one fault from two sides tell it once.

    An `eager` one does not wait for what it requires: it changes nothing, and what it finds counts only when that has
    passed. Where it finds a fault before that is known, it looks again afterwards.

    One that looks `apart` changes or times something: it looks alone, when its check asks, and never in a batch.

    A `look` returns a verdict for all it can foresee. What it raises counts as could not look.
    """

    name: str
    subject: str
    look: Callable[[Environment], Verdict]
    requires: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    deadline_s: float | None = None
    mark: str = "health"
    apart: bool = False
    eager: bool = False

    @property
    def id(self) -> str:
        """The name and the subject, as in the ids of checks: `postgres.accepts_connections[postgres]`."""
        return probe_id(self.name, self.subject)


def probe_id(name: str, subject: str) -> str:
    """Return the id of the probe `name` of `subject`."""
    return f"{name}[{subject}]"
