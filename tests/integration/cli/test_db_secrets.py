"""No password in anything that a command prints, in its errors, or in the list of processes."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.integration.cli.conftest import PASSWORD
from tests.integration.cli.shop import COMMAND

if TYPE_CHECKING:
    from tests.integration.cli.shop import Shop

SPELLINGS = (PASSWORD, quote(PASSWORD, safe=""), quote(PASSWORD), "Tr0ub4dor")


def hidden_in(text: str) -> bool:
    """Return whether no spelling of the password is in a text."""
    return not any(each in text for each in SPELLINGS)


@pytest.mark.parametrize("json", [[], ["--json"]])
def test_nothing_that_is_printed_holds_it(sown: Shop, json: list[str]) -> None:
    """Neither results nor statements nor errors show it, though a migration and a seed hold it, too."""
    sown.write("migrations/3_role.up.sql", f"ALTER ROLE CURRENT_USER PASSWORD '{PASSWORD}';\n")
    sown.write("migrations/3_role.down.sql", f"SELECT '{PASSWORD}' FROM nothing;\n")  # noqa: S608
    debug = {"PYTEST_DEVENV_DEBUG": "sql"}
    for words in (
        ["migrate", "--dry-run"],
        ["migrate", "--verbose"],
        ["status"],
        ["history", "--verbose"],
        ["seed", "--verbose"],
        ["rollback", "--force"],
        ["reset", "--force"],
    ):
        result = sown.run(*words, *json, **debug)
        assert hidden_in(result.output), words
    assert "sql: " in result.stderr
    assert hidden_in(str(sown.query("SELECT command, said FROM pytest_devenv.audit")))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://{user}:{password}@127.0.0.1:1",
        "postgresql://{user}:{password}@127.0.0.1:{port}",
        "postgresql://{user}:wrong{password}@127.0.0.1:{port}",
        "postgresql://{user}:{password}@127.0.0.1:{port}/?host=elsewhere",
        "mysql://{user}:{password}@127.0.0.1:{port}",
    ],
)
@pytest.mark.parametrize("command", ["status", "migrate", "reset"])
def test_no_error_holds_it(shop: Shop, url: str, command: str) -> None:
    """Whatever is wrong with the URL, the message does not show its password."""
    endpoint = shop.database.endpoint
    given = url.format(user=endpoint.user, password=quote(PASSWORD, safe=""), port=endpoint.port)
    assert hidden_in(shop.run(command, PYTEST_DEVENV_DB_URL=given).output)


def test_the_list_of_processes_does_not_hold_it(shop: Shop) -> None:
    """While a migration runs, no command line on this machine shows the password, nor does the server's activity."""
    shop.write("migrations/2_slow.sql", "SELECT pg_sleep(1.5);\n")
    running = subprocess.Popen([*COMMAND, "migrate"], cwd=shop.path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        seen = 0
        deadline = time.monotonic() + 20
        while running.poll() is None and time.monotonic() < deadline:
            for each in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    line = each.read_bytes().replace(b"\0", b" ").decode(errors="replace")
                except OSError:
                    continue
                seen += str(running.pid) == each.parent.name
                assert hidden_in(line)
            assert hidden_in(str(shop.query("SELECT query, application_name FROM pg_stat_activity")))
        output = running.communicate(timeout=60)[0].decode()
    finally:
        running.kill()
        running.communicate()
    assert running.returncode == 0, output
    assert seen > 0
    assert hidden_in(output)
    assert os.environ["SHOP_PASSWORD"] == PASSWORD
