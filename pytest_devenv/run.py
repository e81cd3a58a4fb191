"""One run over an environment: opened when first needed, looked at, closed."""

from __future__ import annotations

import contextlib
import json
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from pytest_devenv.clients.pool import Pool
from pytest_devenv.errors import NoEngineError
from pytest_devenv.probes.apart import looked_apart
from pytest_devenv.probes.batch import JOBS, Batch, Unshared
from pytest_devenv.probes.graph import closure
from pytest_devenv.probes.redact import redacted
from pytest_devenv.settings import ServiceKind
from pytest_devenv.targets.choose import choose
from pytest_devenv.targets.opening import opened, unseen
from pytest_devenv.verdict import Evidence, State, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from pytest_devenv.endpoint import Endpoint
    from pytest_devenv.probes.batch import Store
    from pytest_devenv.probes.probe import Probe
    from pytest_devenv.settings import Settings, TargetName
    from pytest_devenv.targets.choose import Choice
    from pytest_devenv.targets.embedded.instance import Instance
    from pytest_devenv.targets.environment import Environment

_LOG_LINES = 15


class Devenv:
    """An environment for the time of a run: its settings, its endpoints, and what looking at it finds.

    The environment is opened when it is first needed, by whichever thread needs it. `probes` are those that exist, by
    id. `keep` leaves an embedded environment running afterwards. Use it as a context manager, or `close()` it.
    """

    def __init__(
        self,
        settings: Settings,
        probes: Mapping[str, Probe],
        *,
        jobs: int = JOBS,
        keep: bool = False,
        instance: Instance | None = None,
    ) -> None:
        self.settings = settings
        self.probes = probes
        self._jobs = jobs
        self._keep = keep
        self._instance = instance
        self._choice: Choice | None = None
        self._opening = threading.RLock()
        self._stack = contextlib.ExitStack()
        self._environment: Environment | None = None
        self._batch: Batch | None = None
        self._apart: dict[str, Verdict] = {}
        self._reload = False
        self._warming: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def choice(self) -> Choice:
        """The target and why it is that one. Raises TargetError where none can be chosen."""
        if self._choice is None:
            self._choice = choose(self.settings)
        return self._choice

    @property
    def target(self) -> TargetName:
        """Where the environment runs."""
        return self.choice.target

    @property
    def opened(self) -> bool:
        """Whether anything has needed the environment yet."""
        return self._environment is not None

    @property
    def environment(self) -> Environment:
        """The environment itself, opened by now. Raises TargetError where that cannot be done."""
        with self._opening:
            if self._environment is None:
                self._warming = threading.Thread(target=_warm, args=(self.settings,), name="warm imports", daemon=True)
                self._warming.start()
                remarks = _put_back(self.settings)
                way = opened(self.settings, self.choice, instance=self._instance, keep=self._keep, reload=self._reload)
                try:
                    environment = self._stack.enter_context(way)
                except NoEngineError as error:
                    environment = unseen(self.settings, self.choice, error)
                pool = Pool()
                self._stack.callback(pool.close)
                self._environment = replace(environment, notes=(*environment.notes, *remarks), pool=pool)
            return self._environment

    @property
    def endpoints(self) -> Mapping[str, Endpoint]:
        """How each service is reached, by its name."""
        return self.environment.endpoints

    def look(self, probe_ids: Sequence[str]) -> None:
        """Begin to look at these and at all that they require; returns at once. Those that look apart wait."""
        together = {each: None for each in probe_ids if not self._is_apart(each)}
        required = {each: None for one in probe_ids if self._is_apart(one) for each in self.probes[one].requires}
        self._looks().start(together | required)

    def verdict(self, probe_id: str) -> Verdict:
        """Return what a probe found, waiting for it or beginning its look where nobody has."""
        if self._is_apart(probe_id):
            return self._apart.get(probe_id) or self._look_apart(probe_id, self._looks().wait)
        return self._told(probe_id, self._looks().wait(probe_id))

    def look_again(self, probe_id: str) -> Verdict:
        """Look once more, at all that this probe requires too."""
        if self._is_apart(probe_id):
            return self._look_apart(probe_id, self._looks().again)
        return self._told(probe_id, self._looks().again(probe_id))

    @property
    def looks_s(self) -> Mapping[str, float]:
        """The wall time of each look so far in seconds, by probe."""
        verdicts = {} if self._batch is None else self._batch.verdicts
        return {probe_id: verdict.took_s for probe_id, verdict in verdicts.items()}

    @property
    def batch_wall_s(self) -> float:
        """The wall time of all looks together, in seconds."""
        return 0.0 if self._batch is None else self._batch.wall_s

    def deadline_s(self, probe_id: str) -> float:
        """Return how long the verdict of a probe may take at most: its own look after all that it requires."""
        every = closure(self.probes, (probe_id,))
        return sum(probe.deadline_s or 2 * self.settings.deadline_s for probe in every)

    def expect_edits(self) -> None:
        """Have the services that this run will start take up edits of their code, where they can."""
        self._reload = True

    def close(self) -> None:
        """End the looks, and what was started for them."""
        with self._opening:
            if self._batch is not None:
                self._batch.close()
            self._stack.close()

    def _looks(self) -> Batch:
        with self._opening:
            if self._batch is None:
                store: Store = Unshared() if self._instance is None else SharedVerdicts(self._instance.folder)
                environment = self.environment
                if self._warming is not None:
                    self._warming.join()  # or each look would wait for it, and call that time its own
                self._batch = Batch(self.probes, environment, jobs=self._jobs, store=store, rest=environment.pool.rest)
            return self._batch

    def _is_apart(self, probe_id: str) -> bool:
        return probe_id in self.probes and self.probes[probe_id].apart

    def _look_apart(self, probe_id: str, verdict_of: Callable[[str], Verdict]) -> Verdict:
        found = looked_apart(self.probes[probe_id], self.environment, verdict_of)
        self._apart[probe_id] = self._told(probe_id, found)
        return self._apart[probe_id]

    def _told(self, probe_id: str, verdict: Verdict) -> Verdict:
        """Return the verdict with the log that belongs to it, and no secret of this environment in what was seen."""
        verdict = self._with_log(probe_id, verdict)
        if not verdict.evidence:
            return verdict
        return replace(
            verdict,
            evidence=tuple(Evidence(piece.title, redacted(piece.text, self.environment)) for piece in verdict.evidence),
        )

    def _with_log(self, probe_id: str, verdict: Verdict) -> Verdict:
        """Add the tail of the service's log to a failure, where this machine has that log."""
        probe = self.probes[probe_id]
        log = self.environment.logs.get(probe.subject)
        if verdict.state is not State.FAIL or log is None or probe.mark != "health":
            return verdict
        from pytest_devenv.targets.embedded.child import log_tail

        title, tail = f"last lines of {probe.subject}", log_tail(log, _LOG_LINES)
        if not tail or any(piece.title == title for piece in verdict.evidence):
            return verdict
        return replace(verdict, evidence=(*verdict.evidence, Evidence(title, tail)))


def _put_back(settings: Settings) -> tuple[str, ...]:
    """Put back what a run left edited that was killed while it timed a loop; return what was done."""
    if not settings.loops:
        return ()
    from pytest_devenv.loop.place import journal

    if not journal():
        return ()
    from pytest_devenv.loop.edit import put_back_all

    return put_back_all()


def _warm(settings: Settings) -> None:
    """Import what this run's looks will need while servers start, so that none of them waits for it."""
    with contextlib.suppress(Exception):  # whoever looks comes upon it too, and has something to say
        if any(service.kind is ServiceKind.POSTGRES for service in settings.services.values()):
            import psycopg  # noqa: F401  # by far the most: a tenth of a second
        for database in settings.databases.values():
            if database.migrations is not None:
                from pytest_devenv.migrate import engine_for

                engine_for(database, settings.root)


class SharedVerdicts:
    """The verdicts of one run with several processes: a file for each, and a lock around each look."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "verdicts"
        self._folder.mkdir(mode=0o700, exist_ok=True)

    def get(self, probe_id: str) -> Verdict | None:
        """Return the verdict that some process has put, if any."""
        try:
            return Verdict.from_json(json.loads(self._file(probe_id).read_text()))
        except FileNotFoundError:
            return None

    def put(self, probe_id: str, verdict: Verdict) -> None:
        """Keep the verdict for the other processes; called with the probe's lock held."""
        scratch = self._file(probe_id).with_suffix(".new")
        scratch.write_text(json.dumps(verdict.to_json()))
        scratch.rename(self._file(probe_id))

    @contextlib.contextmanager
    def lock(self, probe_id: str) -> Iterator[None]:
        """Hold off the other processes' looks of this probe."""
        from pytest_devenv.targets.embedded.instance import locked

        with locked(self._file(probe_id).with_suffix(".lock")):
            yield

    def _file(self, probe_id: str) -> Path:
        from urllib.parse import quote

        return self._folder / f"{quote(probe_id, safe='[]')}.json"
