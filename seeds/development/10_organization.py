"""An organization whose people share blocklists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seeds.helpers import get_state

if TYPE_CHECKING:
    from pytest_devenv.seed import SeedContext


class Organization:
    """A school in California."""

    name = "organization"
    version = 1
    description = "An organization in California"
    dependencies = ("states",)

    def run(self, ctx: SeedContext) -> None:
        """Write the organization."""
        state = get_state(ctx, "CA")
        ctx.ensure("organizations", {"name": "Redwood Music School"}, {"state_code": state["code"]})
