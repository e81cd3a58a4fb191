"""Accounts that the end-to-end checks log in with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seeds.helpers import TEST_PASSWORD, assign_role, block_artists, create_list, create_user

if TYPE_CHECKING:
    from pytest_devenv.seed import SeedContext


class E2eAccounts:
    """One account with nothing in it, and one with a block and a list."""

    name = "e2e_accounts"
    version = 1
    description = "A new member, and one with a block and a community list"
    dependencies = ("roles", "e2e_artists")

    def run(self, ctx: SeedContext) -> None:
        """Write both accounts."""
        new = create_user(ctx, "e2e-new@example.com", "E2E New", TEST_PASSWORD)
        regular = create_user(ctx, "e2e-regular@example.com", "E2E Regular", TEST_PASSWORD)
        for person in (new, regular):
            assign_role(ctx, person, "member")
        block_artists(ctx, regular, {"E2E Artist 1": "Blocked from the start"})
        create_list(ctx, regular, "E2E list", "", entries={"E2E Artist 2": None}, subscribers=(new,))
