"""`pytest-devenv db wait`: whoever needs the tables is held up until they are there."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from tests.integration.cli.shop import COMMAND

if TYPE_CHECKING:
    from tests.integration.cli.shop import Shop

TABLES = 'required_tables = ["items", "orders"]'


def test_what_is_there_is_not_waited_for(migrated: Shop) -> None:
    """With every table there it ends at once, and says so."""
    migrated.configure('required_tables = ["items"]')
    result = migrated.run("wait")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"{migrated.name}: 1 of 1 tables\n"


def test_it_says_what_it_waits_for_and_ends_when_that_is_there(migrated: Shop) -> None:
    """The missing table is named before it is made, and the wait ends with 0 afterwards."""
    migrated.configure(TABLES)
    with subprocess.Popen(
        [*COMMAND, "wait", "--timeout", "2m"], cwd=migrated.path, env=os.environ, stderr=subprocess.PIPE, text=True
    ) as waiting:
        assert waiting.stderr is not None
        said = waiting.stderr.readline()
        assert said == f"waiting for {migrated.name}: 1 required table of {migrated.name} is missing: no table orders\n"
        assert waiting.poll() is None
        migrated.query(f'CREATE TABLE orders (); ALTER TABLE orders OWNER TO "{migrated.name}"')
        assert waiting.wait(timeout=180) == 0


def test_the_end_of_patience_is_a_failure(migrated: Shop) -> None:
    """It names the table that did not come, and what would make it."""
    migrated.configure(TABLES)
    found = migrated.json("wait", "--timeout", "200ms", code=1)
    assert found["error"]["kind"] == "WaitTimeoutError"
    assert "no table orders" in found["error"]["message"]
    assert "add one that creates orders" in found["error"]["remedy"]


def test_a_server_that_is_not_there_yet_is_waited_for(paper: Shop) -> None:
    """Nobody answers: that is said, and waited for as a missing table is."""
    paper.configure(TABLES)
    found = paper.run("wait", "--timeout", "200ms")
    assert found.exit_code == 1
    assert found.stderr.startswith(f"waiting for {paper.name}: ")
    assert "found: " in found.stderr
