"""What the seeds know of the reference application: accounts, roles, states, artists, lists and encrypted tokens."""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pytest_devenv.errors import SeedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_devenv.seed import SeedContext

    Row = dict[str, Any]

DEVELOPMENT_PASSWORD = "Development-Only-1"  # noqa: S105  # refused wherever it could do harm, see admin_password
TEST_PASSWORD = "Correct-Horse-7"  # noqa: S105  # of accounts that exist in test environments only
ADMIN_PASSWORD = "KIRO_ADMIN_PASSWORD"  # noqa: S105  # the name of a variable
_DEVELOPMENT_KEY = b"development-only-kiro-token-key!"
_KIBIBYTES, _PASSES = 64, 1


def get_state(ctx: SeedContext, code: str) -> Row:
    """Return a state by its postal code."""
    return ctx.lookup("states", code=code)


def get_role(ctx: SeedContext, name: str) -> Row:
    """Return a role by its name."""
    return ctx.lookup("roles", name=name)


def get_user(ctx: SeedContext, email: str) -> Row:
    """Return an account by its e-mail address."""
    return ctx.lookup("users", email=email)


def get_artist(ctx: SeedContext, name: str) -> Row:
    """Return an artist by name."""
    return ctx.lookup("artists", name=name)


def admin_password(ctx: SeedContext) -> str:
    """Return the admin account's password: KIRO_ADMIN_PASSWORD; a known one will do in development and test only.

    Raises SeedError where it is missing, known or weak.
    """
    from app.backend.passwords import unmet_rules

    given = ctx.secret(ADMIN_PASSWORD)
    password = DEVELOPMENT_PASSWORD if given is None else given.reveal()
    fault = None
    if not ctx.tier.changeable:
        if given is None:
            fault = "it is not set"
        elif password in {DEVELOPMENT_PASSWORD, TEST_PASSWORD}:
            fault = "a password that stands in the repository"
    if fault is None and unmet_rules(password):
        fault = f"a password that lacks: {', '.join(rule.name for rule in unmet_rules(password))}"
    if fault is not None:
        message = (
            f"the admin account gets no such password in {ctx.tier}\n"
            f"  expected: {ADMIN_PASSWORD}, with a password that nobody knows and that keeps the application's rules\n"
            f"  found: {fault}\n"
            f"  where: the environment variable {ADMIN_PASSWORD}"
        )
        raise SeedError(message, remedy=f"export {ADMIN_PASSWORD}=…")
    return password


def create_user(ctx: SeedContext, email: str, display_name: str, password: str, **values: object) -> Row:
    """Make an account hold these values; its password is hashed again only where the one that is there is not it."""
    from app.backend.passwords import verify_password

    found = ctx.find("users", email=email)
    if found is not None and verify_password(password, found["password_hash"]):
        password_hash = found["password_hash"]
    else:
        password_hash = _hash(password, cheaply=ctx.tier.changeable)
    key = {"email": email}
    return ctx.ensure("users", key, {"display_name": display_name, "password_hash": password_hash, **values})


def assign_role(ctx: SeedContext, user: Mapping[str, Any], role: str) -> None:
    """Give a person a role."""
    ctx.ensure("user_roles", {"user_id": user["id"], "role_id": get_role(ctx, role)["id"]})


def block_artists(ctx: SeedContext, user: Mapping[str, Any], reasons: Mapping[str, str | None]) -> None:
    """Put artists, by name, on a person's do-not-play list, each with a reason."""
    rows = [
        {"user_id": user["id"], "artist_id": get_artist(ctx, name)["id"], "reason": reason}
        for name, reason in reasons.items()
    ]
    ctx.ensure_all("user_artist_blocks", rows, key=("user_id", "artist_id"))


def create_list(
    ctx: SeedContext,
    owner: Mapping[str, Any],
    name: str,
    description: str,
    *,
    entries: Mapping[str, str | None],
    subscribers: Iterable[Mapping[str, Any]] = (),
) -> Row:
    """Make a community list with its artists, by name, each with a reason, and with its subscribers."""
    made = ctx.ensure("community_lists", {"owner_id": owner["id"], "name": name}, {"description": description})
    rows = [
        {"list_id": made["id"], "artist_id": get_artist(ctx, artist)["id"], "reason": reason}
        for artist, reason in entries.items()
    ]
    ctx.ensure_all("list_entries", rows, key=("list_id", "artist_id"))
    people = [{"list_id": made["id"], "user_id": person["id"]} for person in subscribers]
    ctx.ensure_all("list_subscriptions", people, key=("list_id", "user_id"))
    return made


def connect_service(ctx: SeedContext, user: Mapping[str, Any], provider: str, token: str) -> None:
    """Connect a person's account at a music service; the token is encrypted as the application does it."""
    from app.backend.cipher import Cipher, DecryptionError

    key = {"user_id": user["id"], "provider": provider}
    context = f"{user['id']}:{provider}"
    cipher = Cipher(_encryption_key(ctx))
    found = ctx.find("connections", **key)
    if found is not None:
        try:
            if cipher.decrypt(found["access_token"], context) == token:
                return
        except DecryptionError:  # the key was exchanged: the token is written anew
            pass
    ctx.ensure("connections", key, {"access_token": cipher.encrypt(token, context)})


@lru_cache
def _hash(password: str, *, cheaply: bool) -> str:
    """Hash as the application does; one hash for each distinct password.

    Where anybody knows the passwords anyway, with Argon2id's least cost: the hash says its cost itself, so that the
    application verifies it, and seeding need not take a tenth of a second for each.
    """
    if not cheaply:
        from app.backend.passwords import hash_password

        return hash_password(password)
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=_PASSES, memory_cost=_KIBIBYTES, parallelism=1).hash(password)


def _encryption_key(ctx: SeedContext) -> bytes:
    given = ctx.secret("TOKEN_ENCRYPTION_KEY")
    return _DEVELOPMENT_KEY if given is None else base64.b64decode(given.reveal())
