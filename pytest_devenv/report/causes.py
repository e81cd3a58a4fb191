"""From verdicts to causes: what is the root of what, and which remedies to take in which order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_devenv.report.model import group_name, groups
from pytest_devenv.verdict import State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_devenv.report.model import Entry, Run
    from pytest_devenv.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Root:
    """A probe whose verdict is bad on its own account, and the checks that cannot say anything until it is mended.

    When the root itself was not a check of this run, `absent` is true, and what it found is what the first check
    that it blocks says of it.
    """

    probe: str
    service: str
    state: State
    verdict: Verdict
    blocks: tuple[Entry, ...] = ()
    absent: bool = False

    @property
    def title(self) -> str:
        """What is wrong, in one line."""
        title = self.verdict.summary
        while self.absent and title.startswith("blocked by ") and ": " in title:
            title = title.partition(": ")[2]
        return title


@dataclass(frozen=True, slots=True)
class Step:
    """One remedy, the roots that it mends, and the checks that can then be made."""

    remedy: str
    mends: tuple[Root, ...]

    @property
    def unblocks(self) -> tuple[Entry, ...]:
        """The checks that were blocked and no longer are, each once."""
        return tuple({entry.nodeid: entry for root in self.mends for entry in root.blocks}.values())


def cause_of(entry: Entry, by_probe: Mapping[str, Entry]) -> str:
    """Follow what blocks an entry up to the probe that nothing blocks."""
    seen = {entry.probe}
    cause = entry.verdict.cause or entry.probe
    while cause not in seen and cause in by_probe and by_probe[cause].verdict.cause is not None:
        seen.add(cause)
        cause = by_probe[cause].verdict.cause or cause
    return cause


def roots(run: Run) -> tuple[Root, ...]:
    """Return the causes of all that is not well, in the order of the services: failing ones, then unknown ones."""
    ordered = [entry for group in groups(run) for entry in group.entries]
    by_probe: dict[str, Entry] = {}
    for entry in ordered:
        by_probe.setdefault(entry.probe, entry)
    blocked: dict[str, list[Entry]] = {}
    for entry in ordered:
        if entry.verdict.state is State.BLOCKED:
            blocked.setdefault(cause_of(entry, by_probe), []).append(entry)
    own = (State.FAIL, State.UNKNOWN)
    found = [
        Root(probe, group_name(run, entry), entry.verdict.state, entry.verdict, tuple(blocked.pop(probe, ())))
        for probe, entry in by_probe.items()
        if entry.verdict.state in own
    ]
    found += [_absent(run, cause, tuple(entries)) for cause, entries in blocked.items()]
    return tuple(sorted(found, key=lambda root: own.index(root.state)))


def _absent(run: Run, cause: str, entries: tuple[Entry, ...]) -> Root:
    """Make the root that only its consequences tell of; what says what it expected was a failure."""
    verdict = entries[0].verdict
    state = State.UNKNOWN if verdict.expected is None else State.FAIL
    return Root(cause, group_name(run, entries[0]), state, verdict, entries, absent=True)


def next_steps(run: Run) -> tuple[Step, ...]:
    """Return what to do, in the order of the causes; a remedy that mends several stands once."""
    steps: dict[str, list[Root]] = {}
    for root in roots(run):
        if root.verdict.remedy is not None:
            steps.setdefault(root.verdict.remedy, []).append(root)
    return tuple(Step(remedy, tuple(mends)) for remedy, mends in steps.items())
