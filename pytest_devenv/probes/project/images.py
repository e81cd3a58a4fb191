"""Whether the images of the settings are those that the manifests run, and have their Dockerfiles."""

from __future__ import annotations

import difflib
import re
from functools import partial
from typing import TYPE_CHECKING

from pytest_devenv.probes.cluster.objects import spec_of
from pytest_devenv.probes.probe import Probe
from pytest_devenv.probes.project.references import pods_of
from pytest_devenv.verdict import failed, passed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.probes.project.gathering import Gathered
    from pytest_devenv.probes.project.manifests import Judge
    from pytest_devenv.settings import Image, Settings
    from pytest_devenv.targets.environment import Environment
    from pytest_devenv.verdict import Verdict

_TAG = re.compile(r"(@.*|:[^/:]*)$")
_FROM = re.compile(r"^\s*FROM\s+(?:--\S+\s+)*(\S+)", re.IGNORECASE | re.MULTILINE)


def probes(settings: Settings) -> Iterator[Probe]:
    """Yield a probe for each image's Dockerfile."""
    for image in settings.images.values():
        yield Probe(name="files.has_its_dockerfile", subject=image.name, look=partial(_has_its_dockerfile, image))


def judges(settings: Settings) -> Iterator[tuple[str, str, Judge]]:
    """Yield what is asked of the manifests for each image: name, image, and who judges."""
    for image in settings.images.values():
        yield "manifests.run_its_image", image.name, partial(_run_its_image, image)


def _has_its_dockerfile(image: Image, environment: Environment) -> Verdict:
    settings = environment.settings
    file = settings.root / image.dockerfile
    if file.is_file():
        return passed(f"{image.image} has its Dockerfile")
    key = f"images.{image.name}.dockerfile in {settings.file.name}"
    return failed(
        f"the Dockerfile of {image.image} is not there",
        expected="the path of a Dockerfile",
        found=f"no file {file}",
        where=key,
        remedy=f"correct {key}",
    )


def _run_its_image(image: Image, gathered: Gathered, settings: Settings) -> Verdict:
    """Look for the image in the pods of the manifests, else in what another image of the settings is made from."""
    run = sorted(set(_run_by(gathered)))
    if image.image in run:
        return passed(f"{image.image} is run by the manifests")
    if image.image in _made_from(settings):
        return passed(f"{image.image} is what another image is made from")
    known = {each.image for each in settings.images.values()}
    near = difflib.get_close_matches(image.image, [each for each in run if each not in known], n=1)
    key = f"images.{image.name}.image in {settings.file.name}"
    return failed(
        f"no pod of the manifests runs {image.image}",
        expected=f"a container with the image {image.image}",
        found=f"images: {', '.join(run)}" if run else "no container",
        where=str(gathered.folder),
        remedy=f"did you mean {near[0]}? correct {key}" if near else f"correct {key}, or the image of its workload",
    )


def _run_by(gathered: Gathered) -> Iterator[str]:
    """Yield the image of each container, without its tag."""
    for pod in filter(None, map(pods_of, gathered.objects)):
        for field in ("initContainers", "containers"):
            for container in spec_of(pod).get(field) or ():
                yield _TAG.sub("", str(container.get("image", "")))


def _made_from(settings: Settings) -> set[str]:
    """Return what the Dockerfiles of the settings begin from, without tags."""
    files = [settings.root / each.dockerfile for each in settings.images.values()]
    texts = [file.read_text(encoding="utf-8", errors="replace") for file in files if file.is_file()]
    return {_TAG.sub("", name) for text in texts for name in _FROM.findall(text)}
