"""A stranger: it holds a port until its input ends, and says which; its arguments are only there to be seen."""

from __future__ import annotations

import socket
import sys

with socket.create_server(("127.0.0.1", 0)) as listener:
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    sys.stdin.read()
