"""The packaged checks in a run: collected, looked at all at once, judged, and noted for the report."""

from __future__ import annotations

import difflib
import gc
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from pytest_devenv.checks.asserting import EVERY_OTHER, CheckFailed, CouldNotLook, asserted, judge_before_call
from pytest_devenv.errors import DevenvError
from pytest_devenv.plugin.collecting import PROBE, Checks
from pytest_devenv.plugin.joining import is_named
from pytest_devenv.plugin.telling import cluster_lines, endpoint_lines, told
from pytest_devenv.report.failure import summary_line
from pytest_devenv.report.model import Entry, Outcome, service_addresses
from pytest_devenv.report.properties import properties

if TYPE_CHECKING:
    from collections.abc import Generator

    from pytest_devenv.plugin.session import Session
    from pytest_devenv.verdict import Verdict

_VERDICT = pytest.StashKey["Verdict"]()
_MARGIN_S = 5.0


class Running:
    """The plugin object of a run that the packaged checks join."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._selected: set[str] = set()
        self._looked: set[str] = set()
        self._asserted: set[str] = set()
        self.environment_s = 0.0

    # Collection

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """Put the packaged checks before the project's own tests; `-m`, `-k` and `--lf` then select among all."""
        items[:0] = self._packaged(session)

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Make one test for each subject that a check's probes look at."""
        names = asserted(metafunc.function)
        if not names:
            return
        probes = self._session.devenv.probes
        if names == (EVERY_OTHER,):
            ids = {each: probe for each, probe in probes.items() if probe.name not in self._asserted}
            several = True
        else:
            self._asserted.update(names)
            ids = {each: probe for each, probe in probes.items() if probe.name in names}
            several = len({probe.subject for probe in ids.values()}) < len(ids)
        short = [f"{probe.name}-{probe.subject}" if several else probe.subject for probe in ids.values()]
        metafunc.parametrize("probe", list(ids), ids=short)

    def _packaged(self, session: pytest.Session) -> list[pytest.Item]:
        """Return the packaged checks, those that the command line names where it names any. Raises UsageError."""
        named = self._session.named
        collector = Checks.from_parent(session, name="devenv", nodeid="devenv", keeps=self._is_asked_for)
        items = list(session.genitems(collector))
        items.sort(key=lambda item: self._session.devenv.probes[item.stash[PROBE]].apart)
        for argument in named:
            if not any(is_named(item.nodeid, (argument,)) for item in items):
                raise _unnamed(argument, collector.known)
        if session.config.pluginmanager.hasplugin("timeout"):
            for item in items:
                limit = self._session.devenv.deadline_s(item.stash[PROBE]) + _MARGIN_S
                item.add_marker(pytest.mark.timeout(limit))
        return items

    def _is_asked_for(self, nodeid: str, probe_id: str) -> bool:
        """Keep what is named where anything is; leave out what edits files, unless it is named, or its mark is."""
        if self._session.named:
            return is_named(nodeid, self._session.named)
        probe = self._session.devenv.probes[probe_id]
        return not probe.apart or self._session.names_mark(probe.mark)

    # The looks

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Open the environment and begin every look that the selected checks need, before the first asks."""
        self._selected = {item.stash[PROBE] for item in session.items if PROBE in item.stash}
        if self._selected and not session.config.option.collectonly:
            if any(self._session.devenv.probes[each].apart for each in self._selected):
                self._session.devenv.expect_edits()
            if len(self._selected) == len(session.items):
                gc.freeze()  # all that was made by now lives as long as the run: no garbage to look for again and again
            self._open(session.config.pluginmanager.getplugin("terminalreporter"))
            self._session.devenv.look(sorted(self._selected))
        return (yield)

    def _open(self, terminal: pytest.TerminalReporter | None) -> None:
        began = time.monotonic()
        _end_orderly_on_sigterm()
        try:
            environment = self._session.devenv.environment
        except DevenvError as error:
            if self._session.is_worker:
                pytest.exit(str(error), returncode=pytest.ExitCode.USAGE_ERROR)
            raise pytest.UsageError(str(error)) from error
        self.environment_s = time.monotonic() - began
        if terminal is not None and terminal.verbosity >= 0:
            for line in (*cluster_lines(environment.cluster), *endpoint_lines(service_addresses(environment))):
                terminal.write_line(line)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Wait for the check's verdict; a rerun of the same check looks again."""
        probe_id = item.stash.get(PROBE, None)
        if probe_id is None:
            return
        devenv = self._session.devenv
        verdict = devenv.look_again(probe_id) if item.nodeid in self._looked else devenv.verdict(probe_id)
        self._looked.add(item.nodeid)
        item.stash[_VERDICT] = verdict = self._session.redactor.value(verdict)
        judge_before_call(verdict, cause_is_reported=verdict.cause in self._selected)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Note what came of a check, for the report, JUnit XML and xdist's controller."""
        report = yield
        verdict = item.stash.get(_VERDICT, None)
        if verdict is None or PROBE not in item.stash or not _decides(report):
            return report
        if call.excinfo is not None and isinstance(call.excinfo.value, CheckFailed | CouldNotLook):
            report.longrepr = told(call.excinfo, summary_line(verdict))
        entry = self._entry(item, verdict, report)
        item.user_properties.extend(properties(entry))
        report.devenv = {  # type: ignore[attr-defined]  # pytest carries such attributes from worker to controller
            "probe": entry.probe,
            "subject": entry.subject,
            "name": entry.name,
            "mark": entry.mark,
            "outcome": entry.outcome.value,
            "verdict": verdict.to_json(),
        }
        return report

    def _entry(self, item: pytest.Item, verdict: Verdict, report: pytest.TestReport) -> Entry:
        outcome = Outcome(report.outcome)
        if report.when == "setup" and report.outcome == "failed":
            outcome = Outcome.ERROR
        return Entry.of(self._session.devenv.probes[item.stash[PROBE]], verdict, outcome, nodeid=item.nodeid)

    # The end

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Hand what the report needs of this process to xdist's controller."""
        if self._session.is_worker and self._session.devenv.opened:
            session.config.workeroutput["devenv_found"] = self.found()  # type: ignore[attr-defined]  # xdist's

    def found(self) -> dict[str, Any]:
        """Return what this process knows of the environment, as plain values without credentials."""
        environment = self._session.devenv.environment
        return {
            "target": environment.target.value,
            "why": environment.why,
            "services": [
                {
                    "service": each.service,
                    "kind": each.kind,
                    "address": each.address,
                    "source": each.source,
                    "databases": list(each.databases),
                }
                for each in service_addresses(environment)
            ],
            "environment_s": self.environment_s,
            "started": bool(environment.timings_s) and not environment.attached,
            "batch_wall_s": self._session.devenv.batch_wall_s,
            "looks_s": dict(self._session.devenv.looks_s),
            "notes": list(environment.notes),
        }


def _end_orderly_on_sigterm() -> None:
    """Let SIGTERM, which CI sends to a run that it cancels, end the run as Ctrl-C does: with its servers."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def _unnamed(argument: str, known: list[str]) -> pytest.UsageError:
    """Return what is said of an id that no packaged check has."""
    near = difflib.get_close_matches(argument, known, n=1)
    remedy = f"did you mean {near[0]}?" if near else "pytest -m health --collect-only -q lists them"
    return pytest.UsageError(f"no packaged check is called {argument}\n  remedy: {remedy}")


def _decides(report: pytest.TestReport) -> bool:
    """Tell whether this is the phase that decides a test's outcome."""
    return report.when == "call" or (report.when == "setup" and report.outcome != "passed")
