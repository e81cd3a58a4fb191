"""`python -m benchmarks [NAME …]`: run the benchmarks, print their tables, write them to RESULTS.md."""

from __future__ import annotations

import datetime as dt
import importlib
import os
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from benchmarks.measure import Row

RESULTS = Path(__file__).with_name("RESULTS.md")
BENCHMARKS = {
    "plugin_tax": "What the plugin costs a run that does not need it",
    "health": "How long it takes to know",
    "migrations": "How fast migrations are applied",
    "seeds": "How fast the reference environment is seeded",
}


def main(names: list[str]) -> int:
    """Run the named benchmarks, all where none is named; return 1 where a bound was not kept."""
    chosen = {name: BENCHMARKS[name] for name in (names or BENCHMARKS)}
    sections = {title: importlib.import_module(f"benchmarks.{name}").rows() for name, title in chosen.items()}
    text = "\n".join([_heading(), *(_table(title, rows) for title, rows in sections.items())])
    sys.stdout.write(text)
    if not names:
        RESULTS.write_text(text)
    return 1 if any(row.kept is False for rows in sections.values() for row in rows) else 0


def _heading() -> str:
    memory = psutil.virtual_memory().total / 2**30
    return (
        "# Results\n\n"
        "Written by `make bench`: medians, the commands of a table timed in turn. "
        "Absolute times belong to the machine; compare within a table.\n\n"
        f"{dt.datetime.now(dt.UTC):%Y-%m-%d}, {platform.system()} {platform.release()}, {os.cpu_count()} cores, "
        f"{memory:.0f} GiB, Python {platform.python_version()}\n"
    )


def _table(title: str, rows: list[Row]) -> str:
    lines = [f"\n## {title}\n", "| what | median | | bound | |", "| --- | ---: | --- | ---: | --- |"]
    for row in rows:
        bound = "" if row.bound is None else f"{row.bound:.3g}"
        verdict = {None: row.note, True: "kept", False: "**not kept**"}[row.kept]
        lines.append(f"| {row.what} | {row.value:.3g} | {row.unit} | {bound} | {verdict} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
