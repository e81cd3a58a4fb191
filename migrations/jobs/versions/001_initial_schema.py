# ruff: noqa: INP001  # Alembic loads this file by its path
"""Create jobs, their results and artifacts, and say who may see which.

Revision ID: 001
Revises:
Create Date: 2025-03-01 09:00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = ("job", "result", "artifact")
_OWN_TENANT = "tenant_id = current_setting('app.tenant_id', true)"
# Row-level security of job applies within the policies of what hangs on it.
_OWN_JOB = "EXISTS (SELECT FROM job WHERE job.id = job_id)"


def upgrade() -> None:
    """Create the tables, their indexes, the view, and who may see which rows."""
    op.create_table(
        "job",
        _id(),
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("app_id", sa.Text, nullable=False),
        sa.Column("definition", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False, server_default="queued"),
        sa.Column("inputs_hash", sa.Text, nullable=False, comment="SHA-256 of the inputs, in hexadecimal"),
        sa.Column("payload_json", postgresql.JSONB, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("priority", sa.Integer, nullable=False, server_default="0"),
        sa.Column("last_error", sa.Text),
        _now("created_at"),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("status IN ('queued', 'running', 'succeeded', 'failed')", name="job_status_known"),
        sa.CheckConstraint("length(inputs_hash) = 64", name="job_inputs_hash_sha256"),
        sa.CheckConstraint("attempts >= 0", name="job_attempts_counted"),
    )
    op.create_table(
        "result",
        _id(),
        _job_id(),
        sa.Column("outputs_json", postgresql.JSONB, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("score", sa.Double),
        _now("created_at"),
    )
    op.create_table(
        "artifact",
        _id(),
        _job_id(),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
    )
    op.create_index("job_status_idx", "job", ["status", "created_at"])
    op.create_index(
        "job_inputs_hash_idx", "job", ["tenant_id", "app_id", "definition", "version", "inputs_hash"], unique=True
    )
    op.create_index("job_tenant_idx", "job", ["tenant_id"])
    op.create_index("job_app_def_ver_idx", "job", ["app_id", "definition", "version"])
    op.create_index("result_job_id_idx", "result", ["job_id"])
    op.create_index("artifact_job_id_idx", "artifact", ["job_id"])
    op.create_index("artifact_expires_idx", "artifact", ["expires_at"])
    # Without security_invoker a view reads with its owner's rights, past every policy.
    op.execute(
        "CREATE VIEW job_with_result WITH (security_invoker = true) AS"
        " SELECT job.*, result.id AS result_id, result.outputs_json, result.score, result.created_at AS result_at"
        " FROM job LEFT JOIN result ON result.job_id = job.id"
    )
    for table in _TABLES:
        condition = _OWN_TENANT if table == "job" else _OWN_JOB
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY {table}_own_tenant ON {table} FOR SELECT TO authenticated USING ({condition})")
        op.execute(f"CREATE POLICY {table}_service ON {table} TO service_role USING (true) WITH CHECK (true)")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO service_role")
        op.execute(f"GRANT SELECT ON {table} TO authenticated")
    op.execute(f"CREATE POLICY job_own_tenant_new ON job FOR INSERT TO authenticated WITH CHECK ({_OWN_TENANT})")
    op.execute("GRANT INSERT ON job TO authenticated")
    op.execute("GRANT SELECT ON job_with_result TO service_role, authenticated")


def downgrade() -> None:
    """Drop all of it; policies, indexes and grants go with their tables."""
    op.execute("DROP VIEW job_with_result")
    for table in reversed(_TABLES):
        op.drop_table(table)


def _id() -> sa.Column[object]:
    return sa.Column("id", sa.Uuid, primary_key=True, server_default=sa.text("gen_random_uuid()"))


def _job_id() -> sa.Column[object]:
    return sa.Column("job_id", sa.Uuid, sa.ForeignKey("job.id", ondelete="CASCADE"), nullable=False)


def _now(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now())
