"""The packaged checks as pytest collects them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_devenv import checks
from pytest_devenv.plugin.joining import MODULES, PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROBE = pytest.StashKey[str]()


class Checks(pytest.Collector):
    """All packaged checks, with ids that do not depend on where the package is installed.

    No `pytest.File` is asked to collect itself: `--lf` skips every file that it knows nothing of, and would leave out
    a check that failed as soon as a test of the project had failed too.
    """

    def __init__(self, *, keeps: Callable[[str, str], bool], **more: Any) -> None:  # noqa: ANN401  # what pytest hands on
        super().__init__(**more)
        self._keeps = keeps
        self.known: list[str] = []

    def collect(self) -> Iterator[pytest.Item]:
        """Give one test for each subject that a check's probes look at; a check without a subject has none."""
        folder = Path(checks.__file__).parent
        for name in MODULES:
            module = pytest.Module.from_parent(self, path=folder / f"{name}.py", nodeid=f"{PREFIX}{name}.py")
            for item in module.collect():
                probe = item.callspec.params.get("probe") if isinstance(item, pytest.Function) else None
                if not isinstance(item, pytest.Function) or not isinstance(probe, str):
                    continue
                self.known.append(item.nodeid)
                if self._keeps(item.nodeid, probe):
                    item.stash[PROBE] = probe
                    yield item
