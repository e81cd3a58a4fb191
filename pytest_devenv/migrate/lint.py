"""What squawk (https://squawkhq.com, extra `lint`) says of migrations that are not applied yet."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_devenv.errors import MigrationError, explain
from pytest_devenv.migrate.session import connected
from pytest_devenv.verdict import Evidence, Verdict, failed, off, passed, unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_devenv.clients.postgres import DatabaseAddress
    from pytest_devenv.migrate.model import Engine, Migration, Step

LINT_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing about a pending migration: the rule, why it matters, and the safe way. Line and column count from 1."""

    migration: Migration
    line: int
    column: int
    rule: str
    level: str
    why: str
    safe_way: str
    statement: str

    @property
    def url(self) -> str:
        """Where the rule is explained."""
        return f"https://squawkhq.com/docs/{self.rule}"

    def __str__(self) -> str:
        place = f"{self.migration.path.name}, line {self.line}, column {self.column}"
        return f"{place}: {self.rule}: {self.why}\n  statement: {self.statement}\n  safe way: {self.safe_way}"


def lint(engine: Engine, address: DatabaseAddress, *, timeout_s: float = LINT_TIMEOUT_S) -> tuple[Finding, ...]:
    """Return what squawk finds in the pending migrations, in their order; a `.squawk.toml` of the project applies.

    Raises MigrationError where squawk is not installed, does not answer in time or says what cannot be read.
    """
    steps = engine.plan(address).steps
    if not steps:
        return ()
    squawk = _program(engine.folder)
    with connected(address, deadline_s=5.0) as connection:
        major = connection.info.server_version // 10000
    found: list[Finding] = []
    for transactional in (True, False):
        chosen = [step for step in steps if step.transactional is transactional]
        if chosen:
            words = ["--assume-in-transaction"] if transactional else []
            command = [squawk, "--reporter=json", f"--pg-version={major}.0", *words]
            found += _run(command, chosen, engine.folder, timeout_s)
    order = {step.migration.version: place for place, step in enumerate(steps)}
    return tuple(sorted(found, key=lambda one: (order[one.migration.version], one.line, one.column, one.rule)))


def judge(engine: Engine, address: DatabaseAddress, *, timeout_s: float = LINT_TIMEOUT_S) -> Verdict:
    """Return the verdict on the pending migrations: each finding is a piece of its evidence."""
    if squawk_program() is None:
        return off("squawk is not installed: pip install 'pytest-devenv[lint]'")
    try:
        # Most often nothing is pending, which needs neither squawk nor what makes the SQL.
        pending = engine.status(address).pending
        findings = lint(engine, address, timeout_s=timeout_s) if pending else ()
    except MigrationError as error:
        return unknown(
            f"the pending migrations of {address.database} could not be linted",
            where=str(engine.folder),
            remedy=error.remedy,
            evidence=(Evidence("what was said", error.message),),
        )
    if not findings:
        return passed(f"squawk finds nothing in the pending migrations of {address.database}")
    first = findings[0]
    return failed(
        f"squawk finds {len(findings)} problem(s) in the pending migrations of {address.database}",
        expected="migrations that can run while the database is in use",
        found=f"{first.rule} in {first.migration.path.name}, line {first.line}: {first.why}",
        where=str(first.migration.path),
        remedy=f"{first.safe_way} ({first.url})",
        evidence=tuple(Evidence(f"{one.migration.path.name}:{one.line} {one.rule}", str(one)) for one in findings),
        findings=len(findings),
    )


def squawk_program() -> str | None:
    """Return the path of squawk beside this Python or on PATH, None where it is not installed."""
    return shutil.which("squawk", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))


def _program(folder: Path) -> str:
    program = squawk_program()
    if program is not None:
        return program
    message = explain("squawk is not installed", expected="the program squawk", found="none", where=str(folder))
    raise MigrationError(message, remedy="pip install 'pytest-devenv[lint]'")


def _run(command: Sequence[str], steps: Sequence[Step], folder: Path, timeout_s: float) -> list[Finding]:
    with tempfile.TemporaryDirectory() as made:
        # By number, so that no name is taken for an option or a pattern.
        files = {str(Path(made) / f"{number}.sql"): step for number, step in enumerate(steps)}
        for name, step in files.items():
            Path(name).write_text(step.sql, encoding="utf-8", newline="")
        try:
            result = subprocess.run(
                [*command, *files],
                cwd=folder,
                capture_output=True,
                text=True,
                encoding="utf-8",
                timeout=timeout_s,
                check=False,
            )
            told = json.loads(result.stdout or "[]")
        except (subprocess.TimeoutExpired, json.JSONDecodeError) as error:
            found = f"no answer within {timeout_s:g} s"
            if isinstance(error, json.JSONDecodeError):
                found = " ".join((result.stderr or result.stdout).split())[:400]
            message = explain("squawk did not answer", expected="findings as JSON", found=found, where=str(folder))
            raise MigrationError(message, remedy=f"run it by hand: squawk {folder}/*.sql") from error
        if result.returncode not in {0, 1}:
            found = f"exit code {result.returncode}: {' '.join(result.stderr.split())[:400]}"
            message = explain("squawk failed", expected="exit code 0 or 1", found=found, where=str(folder))
            raise MigrationError(message, remedy=f"run it by hand: squawk {folder}/*.sql")
        return [_finding(one, files[one["file"]]) for one in told]


def _finding(told: dict[str, object], step: Step) -> Finding:
    line, rule = int(str(told["line"])), str(told["rule_name"])
    lines = step.sql.split("\n")
    return Finding(
        migration=step.migration,
        line=line + 1,
        column=int(str(told["column"])) + 1,
        rule=rule,
        level=str(told["level"]).lower(),
        why=str(told["message"]),
        safe_way=str(told["help"] or f"see https://squawkhq.com/docs/{rule}"),
        statement=lines[line].strip() if line < len(lines) else "",
    )
