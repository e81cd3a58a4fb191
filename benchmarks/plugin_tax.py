"""What the plugin costs a run that does not need it, and what installing it costs every other."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Command, Row, in_turn, median_difference_ms, median_ms

ROOT = Path(__file__).parents[1]
RUNS = 15


def rows() -> list[Row]:
    """Return the plugin's own tax, and the tax of installing it, bare and with `embedded`."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "project").mkdir()
        (folder / "project" / "test_empty.py").write_text("def test_empty(): pass\n")
        subprocess.run(
            [sys.executable, "-m", "build", "--wheel", "--outdir", scratch, str(ROOT)], check=True, capture_output=True
        )
        wheel = next(folder.glob("*.whl"))
        bare = _environment(folder / "bare", "pytest")
        plain = _environment(folder / "plain", "pytest", str(wheel))
        embedded = _environment(folder / "embedded", "pytest", f"{wheel}[embedded]")
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


def _environment(folder: Path, *requirements: str) -> Path:
    """Make a virtual environment with these packages and return its python."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", *requirements], check=True)
    return python
