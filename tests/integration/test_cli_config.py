"""`pytest-devenv config`, as a process."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

TEXT = """\
name = "shop"
[services.db]
kind = "postgres"
local_port = 15432
[services.web]
kind = "http"
requires = ["db"]
budget_ms = "1.5s"
command = ["{python}", "-m", "shop", "--token=hunter2"]
env = { JWT_SECRET = "hunter2", DATABASE_URL = "{db.url}", PEER = "redis://:hunter2@cache" }
"""
COMMAND = [sys.executable, "-c", "from pytest_devenv.cli import main; main()"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder with a configuration."""
    (tmp_path / "pytest-devenv.toml").write_text(TEXT)
    return tmp_path


def environment(**variables: str) -> dict[str, str]:
    """Return this process's environment without what would configure ours."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_DEVENV")} | variables


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `pytest-devenv config` in a folder."""
    return subprocess.run(
        [*COMMAND, "config", *arguments],
        cwd=folder,
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_without_a_terminal_it_reads_as_toml_with_sources(folder: Path) -> None:
    """Each value has its source beside it, and no secret is shown."""
    result = run(folder, PYTEST_DEVENV_DB_URL="postgres://shop:hunter2@db", PYTEST_DEVENV_TARGET="addresses")

    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == dedent(
        f"""\
        # {folder}/pytest-devenv.toml

        name = "shop"                # pytest-devenv.toml:1
        environment = "development"  # default
        target = "addresses"         # environment PYTEST_DEVENV_TARGET
        cluster = "context"          # default
        # context is not set
        # namespace is not set
        contexts = []                # default
        required_secrets = []        # default
        deadline_s = 5               # default
        start_s = 30                 # default
        require = "nothing"          # default
        # kind is not set
        stable_s = 10                # default
        # manifests is not set

        [services.db]
        kind = "postgres"               # pytest-devenv.toml:3
        # workload is not set
        port = 5432                     # default
        local_port = 15432              # pytest-devenv.toml:4
        requires = []                   # default
        # user is not set
        # password is not set
        url = "postgres://shop:***@db"  # environment PYTEST_DEVENV_DB_URL
        # host is not set
        # start is not set

        [services.web]
        kind = "http"      # pytest-devenv.toml:6
        # workload is not set
        port = 80          # default
        # local_port is not set
        requires = ["db"]  # pytest-devenv.toml:7
        # url is not set
        # host is not set
        # start is not set
        health = "/"       # default
        status = 200       # default
        body = "any"       # default
        # contains is not set
        budget_ms = 1500   # pytest-devenv.toml:8
        command = ["{{python}}", "-m", "shop", "--token=***"]  # pytest-devenv.toml:9
        reload = []        # default

        [services.web.env]
        JWT_SECRET = "***"           # pytest-devenv.toml:10
        DATABASE_URL = "{{db.url}}"    # pytest-devenv.toml:10
        PEER = "redis://:***@cache"  # pytest-devenv.toml:10

        [builds]
        cold_s = 300    # default
        warm_s = 60     # default
        saving = "80%"  # default
        """
    )


def test_as_json_every_key_path_has_value_and_source(folder: Path) -> None:
    """--json gives the same as data."""
    result = run(folder, "--json", PYTEST_DEVENV_DEADLINE="250ms")

    tree = json.loads(result.stdout)
    assert (tree["file"], tree["root"]) == (str(folder / "pytest-devenv.toml"), str(folder))
    assert tree["settings"]["deadline_s"] == {"value": 0.25, "source": "environment PYTEST_DEVENV_DEADLINE"}
    assert tree["settings"]["services.web.requires"] == {"value": ["db"], "source": "pytest-devenv.toml:7"}
    assert tree["settings"]["services.web.env.JWT_SECRET"] == {"value": "***", "source": "pytest-devenv.toml:10"}
    assert tree["settings"]["services.db.url"] == {"value": None, "source": "default"}
    assert "hunter2" not in result.stdout


def test_in_a_terminal_it_is_a_tree(folder: Path) -> None:
    """A terminal gets the tables as branches; NO_COLOR takes the colours away."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, "config"], cwd=folder, env=environment(NO_COLOR="1", TERM="xterm", COLUMNS="100"), stdout=theirs
    ) as process:
        os.close(theirs)
        printed = b""
        while True:
            try:
                chunk = os.read(ours, 65536)
            except OSError:
                break
            if chunk == b"":
                break
            printed += chunk
    os.close(ours)

    text = re.sub(r"\x1b\[[0-9;]*m", "", printed.decode())
    assert process.returncode == 0
    assert "└── web" in text
    assert b"\x1b[3" not in printed
    assert "hunter2" not in text
    assert "pytest-devenv.toml:4" in text


def test_a_wrong_file_exits_with_2_and_its_problems(folder: Path) -> None:
    """No traceback, nothing on stdout, all problems on stderr."""
    (folder / "pytest-devenv.toml").write_text('name = "x"\ntagret = "auto"\n')

    result = run(folder)

    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(
        f"1 problem in {folder}/pytest-devenv.toml\n\ntagret\n  expected: a key of this table"
    )


@pytest.mark.parametrize(
    "url", ["postgresql://shop:Sup3r Pass@h:5432/shop", "postgresql:/shop:Sup3rPass@h/shop", "shop:Sup3rPass@h:5432"]
)
def test_a_url_that_is_refused_shows_no_password(folder: Path, url: str) -> None:
    """A mistyped URL in the environment is refused without its password."""
    result = run(folder, PYTEST_DEVENV_DB_URL=url)

    assert (result.returncode, result.stdout) == (2, "")
    assert "services.db.url\n  expected: a URL with a scheme and a host, or host:port\n" in result.stderr
    assert "Sup3r" not in result.stderr


def test_a_folder_without_an_environment_says_how_to_get_one(tmp_path: Path) -> None:
    """Where nothing is configured, the remedy is the command that writes a first table."""
    result = run(tmp_path)

    assert result.returncode == 2
    assert result.stderr == (
        "expected: a [tool.pytest-devenv] table in pyproject.toml, or a pytest-devenv.toml\n"
        f"  found: neither\n  where: {tmp_path} and every folder above it\n"
        "  remedy: pytest-devenv init --write\n"
    )


def test_the_reference_environment_is_valid() -> None:
    """The table of this repository can be read."""
    result = run(Path(__file__).parents[2], "--json")

    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["settings"]["name"]["value"] == "kiro"
