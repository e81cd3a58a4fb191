"""Run the backend: `python -m app.backend --port 3000`."""

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from app.backend.settings import Settings, SettingsError


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal ends it; answer 2 when the configuration is not complete, 3 when it cannot start."""
    options = _parse(arguments)
    try:
        settings = Settings.from_environment(os.environ)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2

    import uvicorn  # a refusal should not wait for the server's modules

    config = uvicorn.Config(
        "app.backend.application:create",
        factory=True,
        host=options.host,
        port=options.port,
        log_level=settings.log_level,
        server_header=False,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=65,
        ws="none",
    )
    if options.reload:
        from app.backend.reloading import serve_anew_on_edits

        serve_anew_on_edits(config, Path(__file__).parent)
        return 0
    server = uvicorn.Server(config)
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    return 0 if server.started else 3


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m app.backend", description=__doc__)
    parser.add_argument("--host", default=os.environ.get("HOST", "127.0.0.1"), help="address to bind (HOST)")
    parser.add_argument("--port", type=int, default=os.environ.get("PORT", "3000"), help="port to bind (PORT)")
    parser.add_argument("--reload", action="store_true", help="restart when the code changes")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
