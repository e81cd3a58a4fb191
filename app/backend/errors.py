"""What the backend raises: each becomes one kind of HTTP answer."""

from collections.abc import Mapping, Sequence


class RefusedError(Exception):
    """A request that cannot be granted, and the answer that says why."""

    def __init__(
        self, status: int, detail: str, reasons: Sequence[str] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.reasons = tuple(reasons)
        self.headers = headers


class UnavailableError(Exception):
    """A server that the backend needs does not answer now."""

    def __init__(self, server: str, reason: str) -> None:
        super().__init__(f"{server}: {reason}")
