"""Artists to search for and to block."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_devenv.seed import SeedContext

_ARTISTS = {
    "Drake": {"spotify": "development-drake", "apple_music": "development-drake"},
    "Kanye West": {"spotify": "development-kanye-west", "apple_music": "development-kanye-west"},
    "Chris Brown": {"spotify": "development-chris-brown"},
    "R. Kelly": {"spotify": "development-r-kelly", "youtube_music": "development-r-kelly"},
    "Taylor Swift": {"spotify": "development-taylor-swift", "apple_music": "development-taylor-swift"},
}


class Artists:
    """Five artists, with made-up ids at the music services."""

    name = "artists"
    version = 1
    description = "Drake, Kanye West, Chris Brown, R. Kelly and Taylor Swift"

    def run(self, ctx: SeedContext) -> None:
        """Write the artists."""
        rows = [{"name": name, "external_ids": ids} for name, ids in _ARTISTS.items()]
        ctx.ensure_all("artists", rows, key=("name",))
