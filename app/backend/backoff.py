"""How long to wait between attempts to reach a server."""

import random
from collections.abc import Callable, Iterator

FIRST_S = 0.05
CAP_S = 5.0


def delays(
    first_s: float = FIRST_S, cap_s: float = CAP_S, jitter: Callable[[float, float], float] = random.uniform
) -> Iterator[float]:
    """Give waits in seconds without end: doubling up to the cap, each drawn from its upper half.

    The jitter keeps many clients from coming back at the same moment after an outage.
    """
    ceiling_s = first_s
    while True:
        yield jitter(ceiling_s / 2, ceiling_s)
        ceiling_s = min(ceiling_s * 2, cap_s)
