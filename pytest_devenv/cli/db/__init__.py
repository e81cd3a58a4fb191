"""`pytest-devenv db`: a table of commands that build, fill and look at databases, each loaded when it is called."""

from __future__ import annotations

from importlib import import_module

import click

COMMANDS: dict[str, tuple[str, str]] = {
    "adopt": ("adopt:adopt", "Mark a database that holds data as yours to change."),
    "create": ("create:create", "Write the files of a new migration."),
    "create-seed": ("seed_files:create_seed", "Write a new seed, and register it."),
    "current": ("look:current", "Say which migration comes last."),
    "history": ("look:history", "List every migration with what became of it."),
    "lint": ("lint:lint", "Let squawk look at what is not applied yet."),
    "migrate": ("migrate:migrate", "Apply what is pending."),
    "repair": ("repair:repair", "Mend the history by hand."),
    "reset": ("reset:reset", "Destroy a database and build it anew."),
    "rollback": ("rollback:rollback", "Take migrations back, newest first."),
    "seed": ("seed:seed", "Apply the seeds of the environment."),
    "seed-check": ("seed_files:seed_check", "Look for changed, orphaned, unregistered and broken seeds."),
    "seed-clean": ("seed_undo:seed_clean", "Mark what is applied and has lost its file."),
    "seed-rollback": ("seed_undo:seed_rollback", "Take back what one seed wrote."),
    "seed-sync": ("seed_files:seed_sync", "Write the registry of seeds."),
    "seed-watch": ("seed_files:seed_watch", "Keep the registry of seeds current while you edit."),
    "setup": ("setup:setup", "Create, migrate and seed what is not there yet."),
    "stamp": ("stamp:stamp", "Note where an Alembic database is, and run nothing."),
    "status": ("look:status", "Compare each database with its folders."),
    "wait": ("wait:wait", "Wait until every required table is there."),
}


class DatabaseGroup(click.Group):
    """The commands of the table."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """Return the names, without loading anything."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's signature
        """Load one command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(f"{__name__}.{module}"), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the table, without loading anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in sorted(COMMANDS)])


@click.group(cls=DatabaseGroup)
def db() -> None:
    """Build, fill and look at the environment's databases.

    Exit codes: 0 done, 1 failed, 2 usage, 3 pending or out of date, 4 refused by the guard, 5 locked by another.
    """
