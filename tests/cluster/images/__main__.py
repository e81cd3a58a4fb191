"""`python -m tests.cluster.images`: make the images, and load them into the cluster of the tests."""

from __future__ import annotations

import click

from tests.cluster.images.ensure import ensure
from tests.cluster.kind.say import StepError


@click.command()
@click.option("--cluster", default="devenv", show_default=True, help="The name of the kind cluster.")
@click.option("--no-load", is_flag=True, help="Make the images and leave the cluster alone.")
def main(cluster: str, *, no_load: bool) -> None:
    """Make the images of the reference environment where DOCKER_HOST says, and load them into a kind cluster."""
    try:
        ensure(cluster=None if no_load else cluster)
    except StepError as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
