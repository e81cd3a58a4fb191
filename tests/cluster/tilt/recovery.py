"""The recovery chapter of docs/tilt.md: its commands, as a person would paste them."""

from __future__ import annotations

import re
import shlex

from tests.cluster.environment import ROOT

CHAPTER = re.compile(r"^## Recovery\n(?P<text>.*?)^## ", re.MULTILINE | re.DOTALL)


def commands() -> list[list[str]]:
    """Return the words of every command of the chapter, in their order."""
    found = CHAPTER.search((ROOT / "docs" / "tilt.md").read_text())
    assert found is not None
    return [shlex.split(line.removeprefix("$ ")) for line in found["text"].splitlines() if line.startswith("$ ")]
