"""Do-not-play lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seeds.helpers import block_artists, get_user

if TYPE_CHECKING:
    from pytest_devenv.seed import SeedContext


class Blocks:
    """What Ada and Cleo do not want to hear."""

    name = "blocks"
    version = 1
    description = "Do-not-play entries of Ada and Cleo"
    dependencies = ("users", "artists")

    def run(self, ctx: SeedContext) -> None:
        """Write the entries."""
        block_artists(ctx, get_user(ctx, "ada@example.com"), {"R. Kelly": "Convicted", "Chris Brown": None})
        block_artists(ctx, get_user(ctx, "cleo@example.com"), {"Drake": "Heard too often"})
