"""The account that every environment begins with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seeds.helpers import admin_password, assign_role, create_user

if TYPE_CHECKING:
    from pytest_devenv.seed import SeedContext


class Admin:
    """An account that may do everything."""

    name = "admin"
    version = 1
    description = "An admin account, with the password of KIRO_ADMIN_PASSWORD"
    dependencies = ("roles",)

    def run(self, ctx: SeedContext) -> None:
        """Write the account and make it an admin."""
        assign_role(ctx, create_user(ctx, "admin@example.com", "Admin", admin_password(ctx)), "admin")
