"""What the image installs: `python requirements.py PYPROJECT BACKEND [--build]` prints a requirement on each line.

Told apart from the rest of pyproject.toml, so that only a change of it installs anew.
"""  # noqa: INP001  # a script beside its Dockerfile

import sys
import tomllib
from pathlib import Path

OF_SEEDS = ("argon2-cffi", "cryptography")  # they hash passwords and encrypt tokens as the backend does
OF_CHECKS = ("hypothesis", "jsonschema")


def main(pyproject: str, backend: str, *more: str) -> None:
    """Print what pytest-devenv, the seeds and the checks need in the cluster, or what builds pytest-devenv itself."""
    file = tomllib.loads(Path(pyproject).read_text(encoding="utf-8"))
    extras = file["project"]["optional-dependencies"]
    asked = [
        *file["project"]["dependencies"],
        *extras["alembic"],
        *(each for each in extras["test"] if each.startswith(OF_CHECKS)),
        *(each for each in Path(backend).read_text(encoding="utf-8").split() if each.startswith(OF_SEEDS)),
    ]
    sys.stdout.write("\n".join(file["build-system"]["requires"] if "--build" in more else asked) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
