"""New seeds: they come last, run as they are, are registered, and hostile names are refused."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_devenv.errors import SeedError
from pytest_devenv.seed import check, create_seed, load
from pytest_devenv.seed.modules import importable

if TYPE_CHECKING:
    from tests.unit.seed.workshop import Workshop


@pytest.mark.parametrize(
    ("others", "file"),
    [
        ((), "10_new.py"),
        (("10_a", "20_b"), "30_new.py"),
        (("001_a", "002_b"), "003_new.py"),
        (("10_a", "15_b"), "16_new.py"),
        (("99_a",), "100_new.py"),
    ],
)
def test_a_new_seed_takes_the_next_prefix(workshop: Workshop, others: tuple[str, ...], file: str) -> None:
    """It comes after all others of its layer, in the layer's own steps and width."""
    for other in others:
        workshop.python(f"base/{other}")
    workshop.python("development/70_elsewhere")
    made = create_seed(workshop.folder, "new")
    assert made.path.name == file
    assert [seed.name for seed in workshop.load().seeds if seed.layer == "base"][-1] == "new"


@pytest.mark.parametrize("sql", [False, True])
@pytest.mark.parametrize("layer", ["base", "development", "test"])
def test_a_new_seed_is_whole_and_registered(workshop: Workshop, layer: str, *, sql: bool) -> None:
    """It loads, imports, and nothing is left to complain of."""
    made = create_seed(workshop.folder, "demo_users", layer=layer, sql=sql)
    assert made.registry.added == ("demo_users",)
    assert check(workshop.folder) == ()
    seeds = load(workshop.folder)
    if not sql:
        with importable(seeds.folder) as load_class:
            assert type(load_class(seeds.named("demo_users"))).__name__ == "DemoUsers"


def test_a_new_seed_passes_ruff(workshop: Workshop) -> None:
    """The file that people start from is formatted and clean, its number aside."""
    made = create_seed(workshop.folder, "demo_users")
    settings = Path(__file__).parents[3] / "pyproject.toml"
    for words in (["check", "--ignore", "N999,INP001"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *words, "--config", str(settings), str(made.path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["", "Users", "1st", "a-b", "a b", "a/b", "../a", "ä", "a" * 64, "a.py", "a\n"])
def test_a_name_that_is_none_is_refused(workshop: Workshop, name: str) -> None:
    """Nothing is written for a name that could not be read back."""
    with pytest.raises(SeedError, match="a seed cannot be called"):
        create_seed(workshop.folder, name)
    assert not list(workshop.folder.rglob("*.*"))


def test_a_name_that_is_taken_is_refused(workshop: Workshop) -> None:
    """Names are unique over all layers, and the message names the other file."""
    workshop.python("development/10_users")
    with pytest.raises(SeedError, match=r"found: development/10_users\.py"):
        create_seed(workshop.folder, "users")


def test_an_unknown_layer_is_refused(workshop: Workshop) -> None:
    """A typing error does not make a folder."""
    with pytest.raises(SeedError, match="there is no layer 'dev'"):
        create_seed(workshop.folder, "a", layer="dev")
    assert not list(workshop.folder.iterdir())


@given(st.text() | st.from_regex(r"[a-z][a-z0-9_]{0,70}", fullmatch=True), st.booleans())
def test_any_name_round_trips_or_is_refused(name: str, sql: bool) -> None:  # noqa: FBT001  # drawn by hypothesis
    """A hostile name makes no file; every other comes back as it was given."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            create_seed(Path(folder), name, sql=sql)
        except SeedError:
            assert not [path for path in Path(folder).rglob("*") if path.is_file()]
        else:
            assert [seed.name for seed in load(Path(folder)).seeds] == [name]
