"""The checksum of a seed covers its code, the helpers that it uses, and the data that it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_devenv.seed.sources import data_file

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.seed.workshop import Workshop


def checksum(workshop: Workshop, name: str = "a", recorded: tuple[str, ...] = ()) -> str:
    """Return a seed's checksum as it is now."""
    seeds = workshop.load()
    return seeds.sources(seeds.named(name), recorded).checksum


def test_code_counts_and_its_number_does_not(workshop: Workshop) -> None:
    """An edit changes the checksum, renumbering does not."""
    path = workshop.python("base/10_a", "x = 1")
    before = checksum(workshop)
    path.rename(workshop.folder / "base/20_a.py")
    assert checksum(workshop) == before
    (workshop.folder / "base/20_a.py").unlink()
    workshop.python("base/20_a", "x = 2")
    assert checksum(workshop) != before


@pytest.mark.parametrize(
    "line",
    [
        "from seeds.helpers import f",
        "from seeds import helpers",
        "import seeds.helpers",
        "import seeds.helpers as h",
        "from ..helpers import f",
        "from .. import helpers",
    ],
)
def test_a_helper_counts_however_it_is_imported(workshop: Workshop, line: str) -> None:
    """All spellings of an import, at the head or in a function, bring the helper's file in."""
    workshop.file("helpers.py", "def f(): return 1\n")
    for head, run in ((line, "pass"), ("", line)):
        workshop.python("base/10_a", run, head=head)
        before = checksum(workshop)
        workshop.file("helpers.py", "def f(): return 2\n")
        assert checksum(workshop) != before
        workshop.file("helpers.py", "def f(): return 1\n")
        assert checksum(workshop) == before


def test_helpers_of_helpers_count_and_others_do_not(workshop: Workshop) -> None:
    """Imports are followed to any depth, through packages and in circles; a module that is not used is none."""
    workshop.file("helpers.py", "from seeds.deep import inner\n")
    workshop.file("deep/__init__.py", "")
    workshop.file("deep/inner.py", "import seeds.helpers\nimport os\n")
    workshop.file("unused.py", "")
    workshop.python("base/10_a", head="from seeds.helpers import inner")
    seeds = workshop.load()
    assert set(seeds.sources(seeds.named("a")).files) == {"code", "helpers.py", "deep/__init__.py", "deep/inner.py"}


def test_data_named_in_the_code_or_recorded_counts(workshop: Workshop) -> None:
    """A literal name is seen without running the seed, a computed one is recorded by the run; a lost file counts."""
    workshop.file("data/a.csv", "1")
    b = workshop.file("data/b.csv", "1")
    workshop.python("base/10_a", "ctx.read_text('data/a.csv')")
    seen = checksum(workshop)
    both = checksum(workshop, recorded=("data/b.csv",))
    assert seen != both
    workshop.file("data/b.csv", "2")
    assert checksum(workshop) == seen
    changed = checksum(workshop, recorded=("data/b.csv",))
    assert changed != both
    b.unlink()
    assert checksum(workshop, recorded=("data/b.csv",)) not in {both, changed}
    workshop.file("data/a.csv", "2")
    assert checksum(workshop) != seen


def test_what_differs_is_named(workshop: Workshop) -> None:
    """Status can say which file it was."""
    workshop.file("helpers.py", "")
    workshop.python("base/10_a", head="import seeds.helpers")
    seeds = workshop.load()
    before = seeds.sources(seeds.named("a")).files
    workshop.file("helpers.py", "x = 1")
    assert seeds.sources(seeds.named("a")).differing(before) == ("helpers.py",)


@pytest.mark.parametrize("name", ["", ".", "..", "../secret", "/etc/passwd", "a/../../secret", "a\0b"])
def test_data_lies_inside_the_folder(tmp_path: Path, name: str) -> None:
    """No name leads out of the folder of seeds."""
    assert data_file(tmp_path, name) is None


def test_a_link_out_of_the_folder_is_followed_and_refused(tmp_path: Path) -> None:
    """A symbolic link cannot smuggle a file in whose changes nobody reviews."""
    (tmp_path / "seeds").mkdir()
    (tmp_path / "outside").write_text("x")
    (tmp_path / "seeds" / "link").symlink_to(tmp_path / "outside")
    assert data_file(tmp_path / "seeds", "link") is None
