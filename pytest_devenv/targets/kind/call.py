"""One call of pytest-kind, as a process of its own: `python -m pytest_devenv.targets.kind.call ACTION …`.

Its class waits without end, makes a folder where it stands, prints what kind prints, and takes its versions from the
environment when it is imported. A process gives it a deadline, a place, an output and an environment; and the run is
spared what it imports.
"""

from __future__ import annotations

import argparse
from pathlib import Path

ACTIONS = ("create", "delete", "load")


def main() -> None:
    """Do what the words of the command line say."""
    parser = argparse.ArgumentParser()
    parser.add_argument("action", choices=ACTIONS)
    parser.add_argument("name")
    parser.add_argument("--kubeconfig", type=Path, required=True)
    parser.add_argument("--kind", type=Path, required=True)
    parser.add_argument("--kubectl", type=Path, required=True)
    parser.add_argument("--image")
    parser.add_argument("--config")
    parser.add_argument("--ready-s", type=int, default=0)
    parser.add_argument("--load", action="append", default=[])
    words = parser.parse_args()
    from pytest_kind import KindCluster

    cluster = KindCluster(
        words.name, words.kubeconfig, image=words.image, kind_path=words.kind, kubectl_path=words.kubectl
    )
    match words.action:
        case "create":
            cluster.create(words.config)
            cluster.kubectl("wait", "--for=condition=Ready", "nodes", "--all", f"--timeout={words.ready_s}s")
        case "delete":
            cluster.delete()
        case "load":
            for image in words.load:
                cluster.load_docker_image(image)


if __name__ == "__main__":
    main()
