"""What a migration's file must not hold, told before any of it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_devenv.errors import explain
from pytest_devenv.migrate.failure import FolderError
from pytest_devenv.migrate.folder import BOM
from pytest_devenv.migrate.statements import find_transaction_end, may_end_transaction, parser_installed, place

if TYPE_CHECKING:
    from pytest_devenv.migrate.dialect import Dialect
    from pytest_devenv.migrate.folder import Source


def check_source(source: Source, dialect: Dialect) -> str | None:
    """Refuse a file that could be applied in part; return what could not be checked. Raises FolderError."""
    if source.text.startswith(BOM):
        message = explain(
            f"{source.name} begins with a byte order mark",
            expected="a file that begins with SQL",
            found="the bytes EF BB BF, which PostgreSQL takes for a part of the first word",
            where=f"{source.file}, line 1, column 1",
        )
        raise FolderError(message, remedy="save the file as UTF-8 without a byte order mark")
    if "\0" in source.text:
        at = place(source.text, source.text.index("\0"))
        message = explain(
            f"{source.name} holds a zero byte",
            expected="text",
            found="a byte 0x00, which ends a statement on its way to the server",
            where=f"{source.file}, line {at.line}, column {at.column}",
        )
        raise FolderError(message, remedy="remove the byte")
    try:
        dialect.chunks(source.text)
    except ValueError as error:
        message = explain(
            f"{source.name} holds a directive that {dialect.name} does not know",
            expected=str(error),
            found="another directive",
            where=source.file,
        )
        raise FolderError(message, remedy="correct or remove the line") from error
    if not dialect.is_transactional(source.name, source.text) or not may_end_transaction(source.text):
        return None
    if not parser_installed():
        return f"{source.name} was not searched for COMMIT and ROLLBACK: pip install 'pytest-devenv[lint]'"
    found = find_transaction_end(source.text)
    if found is None:
        return None
    statement, at = found
    message = explain(
        f"{source.name} ends its own transaction",
        expected="a file that runs as a whole in the one transaction that also notes it as applied",
        found=f"the statement {' '.join(statement.split())}",
        where=f"{source.file}, line {at.line}, column {at.column}",
    )
    raise FolderError(message, remedy="remove it, or split the file there into two migrations")
