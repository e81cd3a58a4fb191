"""What the project's own checks have measured, noted for the report as the packaged checks are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_devenv.checks.asserting import CheckFailed
from pytest_devenv.plugin.telling import told
from pytest_devenv.report.failure import summary_line
from pytest_devenv.report.model import Entry, Outcome
from pytest_devenv.report.properties import properties

if TYPE_CHECKING:
    from collections.abc import Generator

_NAME = "budget.is_kept"
_MARK = "perf"


class Measuring:
    """The plugin object that sees what `keeps_budget` found."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Take note of the verdict, unless the check then failed for a reason of its own, which pytest tells."""
        report = yield
        from pytest_devenv.fixtures.budgets import MEASURED

        if report.when != "call" or MEASURED not in item.stash:
            return report
        subject, verdict = item.stash[MEASURED]
        if call.excinfo is not None:
            if not isinstance(call.excinfo.value, CheckFailed):
                return report
            report.longrepr = told(call.excinfo, summary_line(verdict))
        probe = f"{_NAME}[{subject}]"
        entry = Entry(
            nodeid=item.nodeid,
            probe=probe,
            subject=subject,
            name=_NAME,
            verdict=verdict,
            outcome=Outcome(report.outcome),
            mark=_MARK,
        )
        item.user_properties.extend(properties(entry))
        report.devenv = {  # type: ignore[attr-defined]  # pytest carries such attributes from worker to controller
            "probe": probe,
            "subject": subject,
            "name": _NAME,
            "mark": _MARK,
            "outcome": report.outcome,
            "verdict": verdict.to_json(),
        }
        return report
