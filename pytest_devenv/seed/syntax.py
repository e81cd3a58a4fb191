"""Python files as syntax trees: each is read for what it declares, for what it imports, and to be run."""

from __future__ import annotations

import ast
from functools import lru_cache


@lru_cache(maxsize=128)
def parse(data: bytes) -> ast.Module:
    """Parse a file's content. Raises SyntaxError, and ValueError for what is no text."""
    return ast.parse(data)
