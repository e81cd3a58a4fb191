"""`pytest-devenv report merge`."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from pytest_devenv.cli import main
from pytest_devenv.report.jsonfile import write
from pytest_devenv.report.shards import merge
from tests.unit.report import samples

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result


@pytest.fixture
def shards(tmp_path: Path) -> list[Path]:
    """Give the reports of two shards, of which one failed: the second stands at the end of a log."""
    whole = samples.postgres_down()
    first, second, log = tmp_path / "0.json", tmp_path / "1.json", tmp_path / "1.log"
    write(replace(whole, entries=whole.entries[:4], exit_code=1), first)
    write(replace(whole, entries=whole.entries[4:], exit_code=0), second)
    log.write_text(f"collected 5 items\n{{\n a dict of a test\n}}\n\n{second.read_text()}")
    return [first, log]


def run(*words: str | Path) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, ["report", "merge", *map(str, words)])


def test_one_report_is_shown_and_written(shards: list[Path], tmp_path: Path) -> None:
    """People see the report of all, programs find it in the file, and the exit code is that of a run of all."""
    result = run(*shards, "--output", tmp_path / "whole.json")
    assert result.exit_code == 1
    assert "shop" in result.output
    written = json.loads((tmp_path / "whole.json").read_text())
    assert len(written["checks"]) == len(samples.postgres_down().entries)
    assert merge([written]) == written


def test_programs_may_have_it_at_once(shards: list[Path]) -> None:
    """--json prints the same, and nothing else."""
    assert json.loads(run(*shards, "--json").stdout)["state"] == "fail"


def test_what_is_no_report_is_refused(shards: list[Path], tmp_path: Path) -> None:
    """A log without a report, and a file that is not there, are named."""
    (tmp_path / "2.log").write_text("killed\n")
    for name, found in (("2.log", "found neither in"), ("3.log", "No such file or directory")):
        result = run(*shards, tmp_path / name)
        assert result.exit_code == 1
        assert found in result.stderr
        assert name in result.stderr
