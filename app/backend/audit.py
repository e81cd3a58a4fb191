"""The audit log: one row for each change, in the transaction that makes the change."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from app.backend.database import Transaction

Action = Literal["block.created", "block.deleted"]


def record(
    transaction: Transaction,
    actor_id: UUID,
    action: Action,
    subject_id: UUID,
    *,
    before: BaseModel | None = None,
    after: BaseModel | None = None,
) -> None:
    """Append who did what to which subject, with the subject before and after."""
    transaction.execute(
        """
        INSERT INTO audit_log (actor_id, action, subject_id, before, after)
        VALUES (%(actor_id)s, %(action)s, %(subject_id)s, %(before)s::jsonb, %(after)s::jsonb)
        """,
        actor_id=actor_id,
        action=action,
        subject_id=subject_id,
        before=before.model_dump_json() if before else None,
        after=after.model_dump_json() if after else None,
    )
