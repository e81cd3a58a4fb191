"""What the plugin costs a run that does not need it, and what installing it costs every other."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.environments import built, environment
from benchmarks.measure import Command, Row, in_turn, median_difference_ms, median_ms

RUNS = 15


def rows() -> list[Row]:
    """Return the plugin's own tax, and the tax of installing it, bare and with `embedded`."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "project").mkdir()
        (folder / "project" / "test_empty.py").write_text("def test_empty(): pass\n")
        wheels = built(folder / "wheels")
        bare = environment(folder / "bare", wheels, "pytest")
        plain = environment(folder / "plain", wheels, "pytest-devenv")
        embedded = environment(folder / "embedded", wheels, "pytest-devenv[embedded]")
        return [*_own(plain, folder), *_installed(bare, plain, embedded, folder)]


def _own(python: Path, folder: Path) -> list[Row]:
    times = in_turn([_pytest("with", python, folder), _pytest("blocked", python, folder, "-p", "no:devenv")], runs=RUNS)
    return [
        Row("pytest on one empty test, the plugin blocked", median_ms(times, "blocked"), "ms"),
        Row("plugin tax: the same with it", median_difference_ms(times, "with", "blocked"), "ms more", 5),
    ]


def _installed(bare: Path, plain: Path, embedded: Path, folder: Path) -> list[Row]:
    commands = [_pytest("bare", bare, folder), _pytest("plain", plain, folder), _pytest("embedded", embedded, folder)]
    times = in_turn(commands, runs=RUNS)
    return [
        Row("pytest in an environment without pytest-devenv", median_ms(times, "bare"), "ms"),
        Row("with pytest-devenv installed", median_difference_ms(times, "plain", "bare"), "ms more", 20),
        Row("with pytest-devenv[embedded] installed", median_difference_ms(times, "embedded", "bare"), "ms more", 45),
    ]


def _pytest(name: str, python: Path, folder: Path, *more: str) -> Command:
    words = [str(python.with_name("pytest")), "-q", "-p", "no:cacheprovider", *more]
    return Command(name, words, folder / "project", {})
