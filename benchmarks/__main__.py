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
_HEADING = """\
# Results

Written by `make bench`: medians, the commands of a table timed in turn. Absolute times belong to the machine; compare
within a table.
"""
BENCHMARKS = {
    "plugin_tax": "What the plugin costs a run that does not need it",
    "health": "How long it takes to know",
    "cluster": "How long it takes to know in a cluster",
    "migrations": "How fast migrations are applied",
    "seeds": "How fast the reference environment is seeded",
    "controlplane": "How soon a Kubernetes API is there",
    "loop": "What looking adds to a loop",
    "tilt": "How long an edit takes under Tilt until it is live",
}


def main(names: list[str]) -> int:
    """Run the named benchmarks, all where none is named; return 1 where a bound was not kept."""
    chosen = {name: BENCHMARKS[name] for name in (names or BENCHMARKS)}
    sections = {title: importlib.import_module(f"benchmarks.{name}").rows() for name, title in chosen.items()}
    tables = {title: _table(rows) for title, rows in sections.items()}
    sys.stdout.write("\n".join(f"## {title}\n\n{table}" for title, table in tables.items()))
    known = {**_written(), **tables}
    RESULTS.write_text(
        _HEADING + "".join(f"\n## {title}\n\n{known[title]}" for title in BENCHMARKS.values() if title in known)
    )
    return 1 if any(row.kept is False for rows in sections.values() for row in rows) else 0


def _written() -> dict[str, str]:
    """Return the tables that RESULTS.md holds, by title: a benchmark that does not run now keeps its own."""
    if not RESULTS.exists():
        return {}
    parts = RESULTS.read_text().split("\n## ")[1:]
    return {title: table.lstrip("\n") for title, _, table in (part.partition("\n") for part in parts)}


def _machine() -> str:
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{dt.datetime.now(dt.UTC):%Y-%m-%d}, {platform.system()}, {os.cpu_count()} cores, {memory:.0f} GiB, "
        f"Python {platform.python_version()}"
    )


def _table(rows: list[Row]) -> str:
    lines = [_machine(), "", "| what | median | | bound | |", "| --- | ---: | --- | ---: | --- |"]
    for row in rows:
        bound = "" if row.bound is None else f"{row.bound:.3g}"
        verdict = {None: row.note, True: "kept", False: "**not kept**"}[row.kept]
        lines.append(f"| {row.what} | {row.value:.3g} | {row.unit} | {bound} | {verdict} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
