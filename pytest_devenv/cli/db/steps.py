"""Migrations as `db` commands show them: what would run, and what has run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Self

from pytest_devenv.migrate import Direction, RunError

if TYPE_CHECKING:
    from types import TracebackType

    from pytest_devenv.cli.db.call import Call
    from pytest_devenv.clients.postgres import DatabaseAddress
    from pytest_devenv.migrate import Migration, Plan, Progress, Result


def as_facts(plan: Plan) -> dict[str, Any]:
    """Return a plan as plain values."""
    return {
        "steps": [
            {
                "version": step.migration.version,
                "description": step.migration.description,
                "direction": step.direction.value,
                "transaction": step.transactional,
                "reversible": step.migration.down is not None,
                "file": str(step.migration.path),
                "sql": step.sql,
            }
            for step in plan.steps
        ],
        "warnings": list(plan.warnings),
    }


def print_plan(call: Call, address: DatabaseAddress, plan: Plan) -> None:
    """Show what would run, with its SQL, and name what has no way back."""
    report = call.report
    report.warn(plan.warnings)
    if not plan.steps:
        report.say(f"{address}: nothing to do")
        return
    verb = "apply" if plan.steps[0].direction is Direction.UP else "take back"
    report.say(f"{address}: {len(plan.steps)} to {verb}")
    for step in plan.steps:
        notes = [] if step.transactional else ["outside a transaction"]
        notes += ["no way back"] if step.migration.down is None else []
        report.say(f"  {step.migration}" + (f"  [{', '.join(notes)}]" if notes else ""))
        for line in step.sql.strip().splitlines():
            report.say(f"    {line}")
    if plan.irreversible and verb == "apply":
        report.say(f"  without a way back: {', '.join(str(each) for each in plan.irreversible)}")


class Done:
    """What a run has done so far: shown as a bar while it runs, and told at its end, even where it fails half way."""

    def __init__(self, call: Call, address: DatabaseAddress, verb: str, what: str) -> None:
        self.result: Result | None = None
        self._report = call.report
        self._address = address
        self._verb = verb
        self._steps: list[tuple[Migration, float]] = []
        self._progress = call.report.progress(what)
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        self._move = self._progress.__enter__()
        return self

    def step(self, progress: Progress) -> None:
        """Note one migration that is done."""
        self._steps.append((progress.migration, progress.took_s))
        self._move(progress.index, progress.total, progress.migration)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.__exit__(kind, error, traceback)
        warnings = () if self.result is None else self.result.warnings
        self._report.warn(warnings)
        self._report.put(
            self._address.database,
            **{
                self._verb.replace(" ", "_"): [
                    {"version": each.version, "description": each.description, "took_s": round(took_s, 6)}
                    for each, took_s in self._steps
                ]
            },
            took_s=round(time.monotonic() - self._began, 6),
            warnings=list(warnings),
        )
        if self._steps:
            name = self._address.database
            lines = (f"{name}: {self._verb} {each} in {took_s * 1000:.0f} ms" for each, took_s in self._steps)
            self._report.say("\n".join(lines))
        if self.result is not None and not self._steps:
            self._report.say(f"{self._address}: nothing to do")
        if isinstance(error, RunError):
            self._report.put(self._address.database, failed=error.failed.version)
