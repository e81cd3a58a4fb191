"""The keys of what is done with an environment: loops, images and their builds, budgets, stages of verification."""

from __future__ import annotations

from pytest_devenv.settings import shapes
from pytest_devenv.settings.keys import Key, Table, name_of
from pytest_devenv.settings.model import Budget, Builds, Image, Limit, Loop, Observation, Stage

MOST_ROUNDS = 99

_OBSERVE = Table(
    Observation,
    {
        "service": Key(
            name_of("a service"), "The service that shows the edit: of kind http, with `config_map` of kind job."
        ),
        "path": Key(shapes.text("a path that begins with /", r"/\S*"), "The path whose answer changes."),
        "config_map": Key(
            shapes.text("the name of a ConfigMap", r"[a-z0-9.-]+"),
            "The ConfigMap that brings the edit to a Job of the cluster, which is looked at instead of a path.",
        ),
    },
)

_BUDGET = Table(
    Budget,
    {
        "detect": Key(shapes.duration("s"), "From the edit to its being noticed, in seconds."),
        "build": Key(shapes.duration("s"), "The build, in seconds."),
        "update": Key(shapes.duration("s"), "From the build to the running container, in seconds."),
        "total": Key(shapes.duration("s"), "From the edit to its being observed, in seconds."),
    },
)

LOOP = Table(
    Loop,
    {
        "edit": Key(
            shapes.text("the path of a file"),
            "The file that is edited, and put back afterwards, beginning at this file's folder.",
        ),
        "observe": Key(_OBSERVE, "Where the effect of the edit is seen."),
        "at": Key(
            shapes.text("a text that stands once in the file", r"(?s).+"),
            "The text of the file behind which a stamp is put, so that it stands in the answer that is observed. "
            "Without it, the end of what the file says.",
        ),
        "budget_s": Key(_BUDGET, "How long each stage may take."),
    },
)

IMAGE = Table(
    Image,
    {
        "image": Key(
            shapes.text("the name of an image, without a tag", r"[a-z0-9][a-z0-9._/:-]*"),
            "What the manifests and the Tiltfile call it, such as `shop/backend`.",
        ),
        "dockerfile": Key(shapes.text("the path of a file"), "Its Dockerfile, beginning at this file's folder."),
        "context": Key(shapes.text("the path of a folder"), "The folder that its Dockerfile copies from."),
    },
)

BUILDS = Table(
    Builds,
    {
        "cold_s": Key(shapes.duration("s"), "All images without any cache, in seconds."),
        "warm_s": Key(shapes.duration("s"), "All images again, with a warm cache, in seconds."),
        "saving": Key(shapes.amount(), "The least share of the cold time that a warm cache has to save."),
    },
)

LIMIT = Table(
    Limit,
    {
        "limit": Key(
            shapes.amount(),
            "What the median may be at most. Its unit is that of what is measured: seconds, bytes, a share, a number.",
        ),
        "rounds": Key(
            shapes.integer(f"an integer from 1 to {MOST_ROUNDS}", 1, MOST_ROUNDS),
            "How often it is measured, after one round that does not count.",
        ),
    },
)

STAGE = Table(
    Stage,
    {
        "checks": Key(
            shapes.texts(shapes.text("a path or the id of a test, such as tests/test_api.py", r"[^-\s].*")),
            "The paths or ids of the tests that the stage runs. Without any: those that pytest collects by itself.",
        ),
        "marks": Key(
            shapes.text("an expression of marks, as pytest's -m takes it", r"[^-\s].*"),
            "The marks of the tests that the stage runs, as pytest's `-m` takes them.",
        ),
    },
)
