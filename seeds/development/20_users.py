"""People to log in as."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seeds.helpers import DEVELOPMENT_PASSWORD, assign_role, create_user

if TYPE_CHECKING:
    from pytest_devenv.seed import SeedContext

_PEOPLE = {
    "ada@example.com": ("Ada", "admin"),
    "ben@example.com": ("Ben", "moderator"),
    "cleo@example.com": ("Cleo", "member"),
}


class Users:
    """Three people with different roles; all have the password of helpers.py."""

    name = "users"
    version = 1
    description = "Ada (admin), Ben (moderator) and Cleo (member)"
    dependencies = ("roles", "organization")

    def run(self, ctx: SeedContext) -> None:
        """Write the accounts, as members of the organization, and give each a role."""
        organization = ctx.lookup("organizations", name="Redwood Music School")
        for email, (name, role) in _PEOPLE.items():
            user = create_user(ctx, email, name, DEVELOPMENT_PASSWORD, organization_id=organization["id"])
            assign_role(ctx, user, role)
