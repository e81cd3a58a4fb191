"""The OpenAPI document."""

from typing import Any

import pytest

from app.backend.application import build
from app.backend.settings import Settings
from app.backend.tests.test_settings import COMPLETE

OPEN = {"health", "ready", "version", "register", "login"}


def _operations() -> list[dict[str, Any]]:
    document = build(Settings.from_environment(COMPLETE)).openapi()
    return [operation for path in document["paths"].values() for operation in path.values()]


@pytest.mark.parametrize("operation", _operations(), ids=lambda operation: operation["operationId"])
def test_every_operation_documents_what_it_answers(operation: dict[str, Any]) -> None:
    """An operation is described, and says which token it needs and which refusals it gives."""
    answers = operation["responses"]
    problem = {"$ref": "#/components/schemas/Problem"}
    assert operation["description"]
    assert all(
        answer["content"]["application/json"]["schema"] == problem
        for status, answer in answers.items()
        if status >= "400" and operation["operationId"] != "ready"
    )
    if operation["operationId"] not in OPEN:
        assert operation["security"] == [{"HTTPBearer": []}]
        assert {"401", "503"} <= set(answers)
    if "requestBody" in operation:
        assert {"400", "422"} <= set(answers)
