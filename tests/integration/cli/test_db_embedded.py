"""Commands on the environment that `pytest-devenv env up` left running, and what a terminal shows."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.integration.cli.shop import COMMAND, ITEMS, SEED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.cli.shop import Shop

TABLE = """
[tool.pytest-devenv]
name = "stand"
target = "embedded"
[tool.pytest-devenv.services.db]
kind = "postgres"
user = "stand"
[tool.pytest-devenv.databases.stand]
service = "db"
migrations = { engine = "sqlx", path = "migrations" }
seeds = "seeds"
required_tables = ["items"]
"""


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `pytest-devenv` in a folder."""
    line = [*COMMAND[:-1], *words]
    return subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False, timeout=180)


@pytest.fixture
def up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the folder of a project that is up on this machine."""
    for variable in [each for each in os.environ if each.startswith(("PYTEST_DEVENV", "PG"))]:
        monkeypatch.delenv(variable)
    for name, text in {
        "pyproject.toml": TABLE,
        "migrations/1_items.up.sql": ITEMS,
        "migrations/1_items.down.sql": "DROP TABLE items;\n",
        "seeds/base/10_states.sql": SEED.format(name="states", number=10),
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert command(tmp_path, "env", "up").returncode == 0
    yield tmp_path
    assert command(tmp_path, "env", "down").returncode == 0


def test_commands_attach_to_the_environment_that_is_up(up: Path) -> None:
    """Its database is migrated already, is seeded, rolled back and reset like any other, and is healthy afterwards."""
    seeded = json.loads(command(up, "db", "seed", "--json").stdout)
    assert seeded["target"] == "embedded"
    assert [one["name"] for one in seeded["databases"]["stand"]["seeded"]] == ["states"]
    assert command(up, "db", "rollback", "--force").returncode == 0
    assert command(up, "db", "status", "--exit-code").returncode == 3
    reset = command(up, "db", "reset", "--seed", "--force")
    assert reset.returncode == 0, reset.stderr
    assert command(up, "db", "status", "--exit-code").returncode == 0
    health = [sys.executable, "-m", "pytest", "-m", "health", "-p", "no:cacheprovider"]
    looked = subprocess.run(health, cwd=up, capture_output=True, text=True, check=False, timeout=180)
    assert looked.returncode == 0, looked.stdout
    assert "stand is healthy" in looked.stdout


def test_a_terminal_shows_a_bar_while_migrations_run(shop: Shop) -> None:
    """On a terminal the bar moves on stderr; stdout holds the results alone."""
    shop.write("migrations/2_slow.sql", "SELECT pg_sleep(0.5);\n")
    reading, terminal = pty.openpty()
    try:
        result = subprocess.run(
            [*COMMAND, "migrate"],
            cwd=shop.path,
            env={**os.environ, "TERM": "xterm"},
            stdout=subprocess.PIPE,
            stderr=terminal,
            check=False,
            timeout=180,
        )
        shown = os.read(reading, 100_000).decode(errors="replace")
    finally:
        os.close(reading)
        os.close(terminal)
    assert result.returncode == 0
    assert f"migrating {shop.name}" in re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown)
    assert [line.partition(" in ")[0] for line in result.stdout.decode().splitlines()] == [
        f"{shop.name}: applied 1 (items)",
        f"{shop.name}: applied 2 (slow)",
    ]
