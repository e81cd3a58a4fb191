"""The report of a run that the packaged checks join: its header, its summary, its exit status, its JSON file."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import os
import platform
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_devenv.errors import DevenvError
from pytest_devenv.report.model import Entry, Outcome, Run, ServiceAddress
from pytest_devenv.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Generator

    from pytest_devenv.plugin.running import Running
    from pytest_devenv.plugin.session import Session

_HIDDEN_WHILE_REPORTED = ("failed", "error")


class Reporting:
    """The plugin object that sees every report of the run: in the only process, or in xdist's controller."""

    def __init__(self, session: Session, running: Running) -> None:
        self._session = session
        self._running = running
        self._entries: dict[str, Entry] = {}
        self._found: dict[str, Any] = {}
        self._hidden: dict[str, list[pytest.TestReport]] = {}
        self._began = time.time()

    # What is seen

    def pytest_sessionstart(self) -> None:
        """Choose the target before anything else; a context that is not allowed ends the run here.

        So does a report that could not be written: that is better said before the looks than after them.
        """
        file = self._session.option("report")
        if file is not None:
            _judge_writable(Path(str(file)))
        try:
            _ = self._session.devenv.choice
        except DevenvError as error:
            raise pytest.UsageError(str(error)) from error

    def pytest_report_header(self) -> list[str]:
        """Say which environment this run looks at, where that is, and why there."""
        settings, choice = self._session.settings, self._session.devenv.choice
        space = "" if choice.cluster is None or settings.namespace is None else f", namespace {settings.namespace}"
        said = [f"devenv: {settings.name} ({settings.environment}), target {choice.target}: {choice.why}{space}"]
        if not settings.services:
            said.append(
                f"  nothing to look at: {settings.file.name} describes no service, see pytest-devenv init --print"
            )
        return said

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take note of each packaged check."""
        data: dict[str, Any] | None = getattr(report, "devenv", None)
        if data is None:
            return
        self._entries[report.nodeid] = Entry(
            nodeid=report.nodeid,
            probe=data["probe"],
            subject=data["subject"],
            name=data["name"],
            mark=data["mark"],
            outcome=Outcome(data["outcome"]),
            verdict=Verdict.from_json(data["verdict"]),
        )

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:  # noqa: ANN401  # xdist's, which has no types
        """Take what a worker found out about the environment."""
        found = getattr(node, "workeroutput", {}).get("devenv_found")
        if found is not None:
            looks = {**self._found.get("looks_s", {}), **found["looks_s"]}
            wall = max(found["batch_wall_s"], self._found.get("batch_wall_s", 0.0))
            self._found = {**found, "looks_s": looks, "batch_wall_s": wall}

    # What is told

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """End a run in which nothing passed as a failure, and write the JSON report."""
        if self._session.devenv.opened:
            self._found = self._running.found()
        verdicts = [entry.verdict for entry in self._entries.values()]
        if exitstatus == pytest.ExitCode.OK and verdicts and not any(verdict.passed for verdict in verdicts):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        file = self._session.option("report")
        if file is not None:
            from pytest_devenv.report.jsonfile import write

            try:
                write(self.run(int(session.exitstatus)), Path(str(file)))
            except DevenvError as error:
                raise pytest.UsageError(str(error)) from error

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> Generator[None, None, None]:
        """Keep pytest from telling each failure a second time: the report tells it, with its cause and remedy."""
        for name in _HIDDEN_WHILE_REPORTED:
            reports = terminalreporter.stats.get(name, [])
            self._hidden[name] = reports
            terminalreporter.stats[name] = [each for each in reports if each.nodeid not in self._entries]
        try:
            return (yield)
        finally:
            self.show_again(terminalreporter)

    def show_again(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Give pytest its failures back, for its short summary and its counts."""
        for name, reports in self._hidden.items():
            terminalreporter.stats[name] = reports
            if not reports:
                del terminalreporter.stats[name]
        self._hidden.clear()

    def run(self, exit_code: int) -> Run:
        """Return everything that the report is made of."""
        settings, choice = self._session.settings, self._session.devenv.choice
        looks: dict[str, float] = self._found.get("looks_s", {})
        started_s = self._found.get("environment_s", 0.0)
        timings = {"environment start": started_s} if self._found.get("started") else {}
        return Run(
            environment=settings.name,
            tier=settings.environment.value,
            target=choice.target.value,
            why=self._found.get("why", choice.why),
            services=tuple(
                ServiceAddress(**{**each, "databases": tuple(each["databases"])})
                for each in self._found.get("services", ())
            ),
            entries=tuple(self._entries.values()),
            started=dt.datetime.fromtimestamp(self._began, dt.UTC).isoformat(timespec="milliseconds"),
            duration_s=time.time() - self._began,
            batch_wall_s=self._found.get("batch_wall_s", 0.0),
            looks_s=sum(looks.values()),
            exit_code=exit_code,
            versions={
                "pytest-devenv": importlib.metadata.version("pytest-devenv"),
                "pytest": pytest.__version__,
                "python": platform.python_version(),
            },
            timings_s=timings,
            notes=tuple(self._found.get("notes", ())),
        )


def _judge_writable(file: Path) -> None:
    """Refuse a path that no file can be written to. Raises UsageError."""
    folder = next(each for each in (file.absolute().parent, *file.absolute().parents) if each.exists())
    if folder.is_dir() and os.access(folder, os.W_OK) and not file.is_dir():
        return
    msg = (
        f"--devenv-report: expected a file that can be written, found {file}, below {folder}\n"
        "  remedy: name a file in a folder that is yours"
    )
    raise pytest.UsageError(msg)


class Summary:
    """The report itself, written where pytest's own summaries are."""

    def __init__(self, session: Session, reporting: Reporting) -> None:
        self._session = session
        self._reporting = reporting

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
    ) -> None:
        """Write the report."""
        from pytest_devenv.report.terminal import render
        from pytest_devenv.report.view import view_for

        self._reporting.show_again(terminalreporter)
        run = self._reporting.run(int(exitstatus))
        if not run.entries:
            return
        terminal = config.get_terminal_writer()
        view = view_for(
            terminal._file,  # noqa: SLF001  # what pytest writes to, which capture leaves alone
            verbosity=config.get_verbosity(),
            ascii=str(self._session.option("ascii")),
            color=terminal.hasmarkup,
        )
        terminalreporter.ensure_newline()
        terminalreporter.write_line("")
        terminalreporter.write(render(run, view))
        for more in config.hook.pytest_devenv_report_sections(run=run):
            for title, text in more:
                terminalreporter.section(title)
                terminalreporter.write_line(text)
