"""`pytest-devenv db lint`: squawk over the migrations that are not applied yet."""

from __future__ import annotations

from pytest_devenv.cli.db.call import Call, database_command
from pytest_devenv.cli.db.codes import Code
from pytest_devenv.migrate.lint import lint as find


@database_command
def lint(call: Call) -> Code:
    """Let squawk look at what is not applied yet; exits with 1 when it finds something."""
    code = Code.DONE
    for database in call.migrated():
        address = call.address(database)
        findings = find(call.engine(database), address)
        if findings:
            code = Code.FAILED
        else:
            call.report.say(f"{address}: squawk finds nothing in what is pending")
        for one in findings:
            call.report.say(f"{one}\n  see: {one.url}")
        call.report.put(
            database.name,
            findings=[
                {
                    "version": one.migration.version,
                    "file": str(one.migration.path),
                    "line": one.line,
                    "column": one.column,
                    "rule": one.rule,
                    "level": one.level,
                    "why": one.why,
                    "safe_way": one.safe_way,
                    "url": one.url,
                }
                for one in findings
            ],
        )
    return code
