"""What one run found, as values that know nothing of pytest."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

from pytest_devenv.verdict import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_devenv.probes.probe import Probe
    from pytest_devenv.targets.environment import Environment
    from pytest_devenv.verdict import Verdict


class Outcome(enum.StrEnum):
    """How pytest reported a check."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    ERROR = "error"


# A group is as bad as its worst entry. What is wrong here comes before what is wrong elsewhere.
_WORST_FIRST = (State.FAIL, State.UNKNOWN, State.BLOCKED, State.PASS, State.OFF)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One check of the run: which probe it asserted, of what, and what came of it."""

    nodeid: str
    probe: str
    subject: str
    name: str
    verdict: Verdict
    outcome: Outcome
    mark: str = "health"

    @classmethod
    def of(cls, probe: Probe, verdict: Verdict, outcome: Outcome, *, nodeid: str) -> Self:
        """Return the entry of a probe, what it found and what came of that."""
        return cls(
            nodeid=nodeid,
            probe=probe.id,
            subject=probe.subject,
            name=probe.name,
            verdict=verdict,
            outcome=outcome,
            mark=probe.mark,
        )

    @property
    def kind(self) -> str:
        """What sort of thing was looked at: `postgres` of `postgres.accepts_connections`."""
        return self.name.partition(".")[0]

    @property
    def title(self) -> str:
        """The state that was asserted, in words: `accepts connections`."""
        return (self.name.partition(".")[2] or self.name).replace("_", " ")

    def title_in(self, group: str) -> str:
        """Return the title, and of what, where the name of the group does not say that: `none pending (orders)`."""
        return self.title if self.subject == group else f"{self.title} ({self.subject})"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAddress:
    """A service of the environment and where this run reached it; no address means that it could not be reached."""

    service: str
    kind: str
    address: str | None = None
    source: str = ""
    databases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Everything that a report is made of.

    `services` stand in the order in which they depend on one another. `started` is ISO 8601 in UTC. `duration_s` is
    the wall time of the run, `batch_wall_s` that of looking at everything at once, `looks_s` the sum of the probes'
    own times. `timings_s` holds what else took time, such as `environment start`, in seconds. `well` is what the
    environment is called where everything passes.
    """

    environment: str
    tier: str
    target: str
    why: str
    services: tuple[ServiceAddress, ...]
    entries: tuple[Entry, ...]
    started: str
    duration_s: float
    batch_wall_s: float = 0.0
    looks_s: float = 0.0
    exit_code: int = 0
    versions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    timings_s: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    notes: tuple[str, ...] = ()
    well: str = "healthy"

    @property
    def counts(self) -> Mapping[State, int]:
        """How many checks have each verdict."""
        states = [entry.verdict.state for entry in self.entries]
        return {state: states.count(state) for state in State}

    @property
    def state(self) -> State:
        """The verdict on the whole, never `blocked`: what blocks was a failure, or could not be looked at."""
        worst = worst_state(entry.verdict.state for entry in self.entries)
        if worst is State.BLOCKED:
            return State.FAIL if any(entry.verdict.expected is not None for entry in self.entries) else State.UNKNOWN
        return worst


@dataclass(frozen=True, slots=True)
class Group:
    """The checks of one service, or of one kind of thing that belongs to none."""

    name: str
    entries: tuple[Entry, ...]
    service: ServiceAddress | None = None

    @property
    def state(self) -> State:
        """The worst verdict of the group."""
        return worst_state(entry.verdict.state for entry in self.entries)

    @property
    def lead(self) -> Entry | None:
        """The entry that speaks for the group: of its worst verdict, the first that says how fast it answered."""
        candidates = [entry for entry in self.entries if entry.verdict.state is self.state]
        timed = [entry for entry in candidates if entry.verdict.latency_ms is not None]
        return next(iter(timed or candidates), None)


def worst_state(states: Iterable[State]) -> State:
    """Return the worst of these verdicts; `off` when there is none."""
    return min(states, key=_WORST_FIRST.index, default=State.OFF)


def service_addresses(environment: Environment) -> tuple[ServiceAddress, ...]:
    """Return the services of an environment in the order of the settings, each after what it requires."""
    settings = environment.settings
    ordered: dict[str, None] = {}

    def place(name: str, above: frozenset[str]) -> None:
        if name in ordered or name in above or name not in settings.services:
            return
        for required in settings.services[name].requires:
            place(required, above | {name})
        ordered[name] = None

    for name in settings.services:
        place(name, frozenset())
    return tuple(_service_address(environment, name) for name in ordered)


def _service_address(environment: Environment, name: str) -> ServiceAddress:
    endpoint = environment.endpoints.get(name)
    databases = environment.settings.databases.values()
    return ServiceAddress(
        service=name,
        kind=environment.settings.services[name].kind.value,
        address=None if endpoint is None else endpoint.address,
        source="" if endpoint is None else endpoint.source,
        databases=tuple(database.name for database in databases if database.service == name),
    )


def group_name(run: Run, entry: Entry) -> str:
    """Return the service that an entry belongs to, by its subject or its subject's database; else its kind."""
    for service in run.services:
        if entry.subject == service.service:
            return service.service
    for service in run.services:
        if entry.subject in service.databases:
            return service.service
    return entry.kind


def groups(run: Run) -> tuple[Group, ...]:
    """Return the groups of a run: the services in their order, then what belongs to none, in the order of the run."""
    services = {service.service: service for service in run.services}
    members: dict[str, list[Entry]] = {name: [] for name in services}
    for entry in run.entries:
        members.setdefault(group_name(run, entry), []).append(entry)
    return tuple(Group(name, tuple(entries), services.get(name)) for name, entries in members.items() if entries)
