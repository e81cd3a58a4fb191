"""Folders of Alembic's revisions, as people have them."""

from __future__ import annotations

from pathlib import Path

JOBS = Path(__file__).parents[3] / "migrations" / "jobs"
REVISION = '''"""{doc}"""

from alembic import op

revision = {revision!r}
down_revision = {down!r}
branch_labels = {label!r}


def upgrade():
    op.execute("{up}")


def downgrade():
    op.execute("{back}")
'''


def write_revision(
    folder: Path, revision: str, down: object, up: str, back: str = "SELECT 1", label: str | None = None
) -> None:
    """Write one revision file."""
    text = REVISION.format(doc=f"do {revision}", revision=revision, down=down, label=label, up=up, back=back)
    (folder / "versions" / f"{revision}_x.py").write_text(text)
