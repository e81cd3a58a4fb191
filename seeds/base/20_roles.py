"""The roles, and what each may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_devenv.seed import SeedContext

_MEMBER = ("blocks:edit", "lists:edit")
_MODERATOR = (*_MEMBER, "artists:edit", "lists:moderate", "users:read")
_ROLES = {
    "member": ("Anybody with an account", _MEMBER),
    "moderator": ("Looks after artists and community lists", _MODERATOR),
    "admin": ("May do everything", (*_MODERATOR, "users:manage")),
}


class Roles:
    """What a person may be."""

    name = "roles"
    version = 1
    description = "The roles admin, moderator and member with their permissions"
    dependencies = ("permissions",)

    def run(self, ctx: SeedContext) -> None:
        """Write the roles and give each its permissions."""
        described = [{"name": name, "description": description} for name, (description, _) in _ROLES.items()]
        roles = ctx.ensure_all("roles", described, key=("name",))
        ctx.ensure_all(
            "role_permissions",
            [
                {"role_id": role["id"], "permission_id": ctx.lookup("permissions", name=permission)["id"]}
                for role in roles
                for permission in _ROLES[role["name"]][1]
            ],
            key=("role_id", "permission_id"),
        )
