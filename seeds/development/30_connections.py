"""Accounts at music services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seeds.helpers import connect_service, get_user

if TYPE_CHECKING:
    from pytest_devenv.seed import SeedContext


class Connections:
    """Connections whose tokens open nothing."""

    name = "connections"
    version = 1
    description = "Connections of Ada and Cleo to music services, with made-up tokens"
    dependencies = ("users",)

    def run(self, ctx: SeedContext) -> None:
        """Write the connections."""
        ada, cleo = get_user(ctx, "ada@example.com"), get_user(ctx, "cleo@example.com")
        for person, provider in ((ada, "spotify"), (ada, "apple_music"), (cleo, "youtube_music")):
            connect_service(ctx, person, provider, f"made-up-{provider}-token")
