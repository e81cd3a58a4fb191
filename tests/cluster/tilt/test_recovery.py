"""The recovery chapter of docs/tilt.md, run as it stands there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cluster.tilt.recovery import commands
from tests.cluster.tilt.standing import DOWN, UP_S, is_up, wait_until

if TYPE_CHECKING:
    from tests.cluster.tilt.conftest import Tilted

pytestmark = [pytest.mark.cluster, pytest.mark.tilt, pytest.mark.timeout(2400)]


def test_every_command_does_what_it_says(tilted: Tilted) -> None:
    """One after another they succeed, and leave an environment that is healthy and has its first data.

    The last two, which take everything away and bring it up, begin and end all tests of this folder.
    """
    *here, down, up = commands()
    assert (down, up) == (["tilt", *DOWN], ["tilt", "up"])
    wait_until(lambda: is_up(tilted.tilt), "everything is up", deadline_s=UP_S)
    for words in here:
        if words[:2] == ["tilt", "trigger"]:
            updated = tilted.tilt.trigger(words[2], deadline_s=UP_S)  # the same, and waits as a person would
            assert updated.succeeded, updated.why
            continue
        done = tilted.project.run(*words, deadline_s=600)
        assert done.returncode == 0, f"{words}\n{done.stdout[-3000:]}\n{done.stderr[-2000:]}"
    assert tilted.project.environment.query("SELECT count(*) >= 4 FROM users") == "t"
    wait_until(lambda: is_up(tilted.tilt), "everything is up again", deadline_s=UP_S)
    assert [each["probe"] for each in tilted.project.health()["roots"]] == []
