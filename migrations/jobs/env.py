# ruff: noqa: INP001  # Alembic loads this file by its path
"""Run the migrations of the database `jobs`: on a connection that is given, or on the one that DATABASE_URL names."""

from __future__ import annotations

import os
from logging.config import fileConfig

from alembic import context
from sqlalchemy import Connection, create_engine, make_url, pool

config = context.config

if config.config_file_name is not None:
    fileConfig(config.config_file_name, disable_existing_loggers=False)


def run_offline() -> None:
    """Write the SQL instead of running it; no database is needed."""
    context.configure(dialect_name="postgresql", literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


def run_on(connection: Connection) -> None:
    """Run the migrations on this connection."""
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()


def run_online() -> None:
    """Use the connection in `config.attributes`, or connect to DATABASE_URL."""
    given = config.attributes.get("connection")
    if given is not None:
        run_on(given)
        return
    url = os.environ.get("DATABASE_URL")
    if url is None:
        raise SystemExit("DATABASE_URL is not set: DATABASE_URL=postgres://user@host:5432/jobs alembic current")
    scheme, separator, rest = url.partition("://")
    if scheme in {"postgres", "postgresql"}:
        scheme = "postgresql+psycopg"
    engine = create_engine(make_url(f"{scheme}{separator}{rest}"), poolclass=pool.NullPool)
    with engine.connect() as connection:
        run_on(connection)


if context.is_offline_mode():
    run_offline()
else:
    run_online()
