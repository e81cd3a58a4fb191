"""`env setup` and `env db-status` on an environment of this machine, and the builds of a project without images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.cli.test_db_embedded import command, up

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["up"]

pytestmark = pytest.mark.timeout(300)


def test_setup_verifies_each_service_and_says_what_comes_next(up: Path) -> None:
    """Services, schema and endpoints are told in this order, and the next steps behind them."""
    done = command(up, "env", "setup")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[1] == "1/1 db"
    assert [lines.index(word) for word in ("databases", "endpoints", "next steps")] == sorted(
        lines.index(word) for word in ("databases", "endpoints", "next steps")
    )
    assert "  stand: 1 of 1 tables" in lines
    assert any(line.startswith("  db: postgresql://127.0.0.1:") for line in lines)
    assert "  data to work with: pytest-devenv db seed, or under Tilt: tilt trigger db-seed" in lines


def test_database_status_tells_history_schema_and_rows(up: Path) -> None:
    """All is well; with a migration that is not applied yet, it is named, and the exit code is 1."""
    good = command(up, "env", "db-status")
    assert good.returncode == 0, good.stderr
    assert "  1  items, applied 20" in good.stdout
    assert "  public.items: 0\n" in good.stdout
    (up / "migrations" / "2_more.up.sql").write_text("CREATE TABLE more (id int);\n")
    (up / "migrations" / "2_more.down.sql").write_text("DROP TABLE more;\n")
    bad = command(up, "env", "db-status")
    assert bad.returncode == 1
    assert "  2  more, pending\n" in bad.stdout
    assert "pytest-devenv db migrate" in bad.stderr


@pytest.mark.parametrize("words", [("reset", "--force"), ("service-status",), ("cleanup",)])
def test_what_is_about_a_cluster_says_so(up: Path, words: tuple[str, ...]) -> None:
    """On another target the command changes nothing and names the setting."""
    done = command(up, "env", *words)
    assert done.returncode == 1
    assert "expected an environment in a cluster, found the target embedded" in done.stderr
    assert "remedy: PYTEST_DEVENV_TARGET=cluster" in done.stderr


def test_builds_need_an_image_and_docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing is said: an image in the settings, and then the program that builds it."""
    settings = tmp_path / "pyproject.toml"
    settings.write_text('[tool.pytest-devenv]\nname = "stand"\n')
    done = command(tmp_path, "env", "warm-cache")
    assert (done.returncode, "expected an image in the settings, found none" in done.stderr) == (2, True)
    image = '[tool.pytest-devenv.images.web]\nimage = "stand/web"\ndockerfile = "Dockerfile"\n'
    settings.write_text(settings.read_text() + image)
    monkeypatch.setenv("PATH", "")
    done = command(tmp_path, "env", "warm-cache")
    assert done.returncode == 1
    assert "expected docker on PATH to build stand/web, found none" in done.stderr
