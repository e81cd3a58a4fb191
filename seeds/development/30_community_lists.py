"""Blocklists that people share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seeds.helpers import create_list, get_user

if TYPE_CHECKING:
    from pytest_devenv.seed import SeedContext


class CommunityLists:
    """Two lists with entries and subscribers."""

    name = "community_lists"
    version = 1
    description = "Community lists of Ada and Ben, with subscriptions"
    dependencies = ("users", "artists")

    def run(self, ctx: SeedContext) -> None:
        """Write the lists."""
        ada, ben, cleo = (get_user(ctx, f"{name}@example.com") for name in ("ada", "ben", "cleo"))
        create_list(
            ctx,
            ada,
            "Not in my school",
            "Artists that we do not play to children",
            entries={"R. Kelly": "Convicted", "Chris Brown": "Convicted"},
            subscribers=(ben, cleo),
        )
        create_list(
            ctx,
            ben,
            "Quiet evenings",
            "Nothing loud after eight",
            entries={"Kanye West": None, "Drake": None},
            subscribers=(cleo,),
        )
