"""A bounded load: so many requests, so many of them at once."""

from __future__ import annotations

import contextlib
import math
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from queue import SimpleQueue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import requests

    from pytest_devenv.fixtures.handles import HttpService

    Call = Callable[[HttpService], requests.Response]


@dataclass(frozen=True, slots=True)
class Shot:
    """One request: the status of its answer, 0 where there was none, and how long that took."""

    status: int
    took_s: float


def fire(backend: HttpService, calls: Sequence[Call], *, at_once: int = 1) -> list[Shot]:
    """Make every call, so many at once, each of these on a connection of its own."""
    import requests

    services: SimpleQueue[HttpService] = SimpleQueue()

    def shoot(call: Call) -> Shot:
        service = services.get()
        began = time.perf_counter()
        status = 0
        with contextlib.suppress(requests.RequestException):
            status = call(service).status_code
        took_s = time.perf_counter() - began
        services.put(service)
        return Shot(status, took_s)

    with contextlib.ExitStack() as stack:
        for _ in range(at_once):
            services.put(replace(backend, session=stack.enter_context(requests.Session())))
        pool = stack.enter_context(ThreadPoolExecutor(at_once))
        return list(pool.map(shoot, calls))


def percentile(shots: Sequence[Shot], share: float) -> float:
    """Return the time in seconds within which this share of the requests was answered."""
    times = sorted(each.took_s for each in shots)
    return times[max(0, math.ceil(share * len(times)) - 1)]


def error_rate(shots: Sequence[Shot]) -> float:
    """Return the share of requests that were not answered with success."""
    return sum(not 200 <= each.status < 300 for each in shots) / len(shots)
