"""The states, which organizations are in."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_devenv.seed import SeedContext


class States:
    """The 50 US states and the District of Columbia."""

    name = "states"
    version = 1
    description = "The 50 US states and the District of Columbia"

    def run(self, ctx: SeedContext) -> None:
        """Write one row for each line of the data file."""
        rows = csv.DictReader(ctx.read_text("data/states.csv").splitlines())
        ctx.ensure_all("states", rows, key=("code",))
