"""Names in statements that take parameters: psycopg reads a percent sign there, so those in a name are doubled."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psycopg import sql


def identifier(*parts: str) -> sql.Identifier:
    """Return the name of a table, column or type."""
    from psycopg import sql

    return sql.Identifier(*(part.replace("%", "%%") for part in parts))


def literal(text: str) -> sql.Literal:
    """Return a name as a text value."""
    from psycopg import sql

    return sql.Literal(text.replace("%", "%%"))
