"""The commands on seeds."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_devenv.clients.postgres import connect
from pytest_devenv.probes.catalog import catalog
from pytest_devenv.seed.session import alone
from pytest_devenv.settings.read import read
from pytest_devenv.targets.addresses import resolve
from pytest_devenv.targets.choose import choose
from tests.integration.cli.shop import COMMAND

if TYPE_CHECKING:
    from tests.integration.cli.shop import Shop


def names(shop: Shop) -> list[str]:
    """Return the names of what the seeds wrote."""
    return [row[0] for row in shop.query("SELECT name FROM items ORDER BY id")]


def test_seed_applies_what_the_environment_gets(sown: Shop) -> None:
    """Development gets base and development, test gets all; a second run says what is applied already."""
    found = sown.of(sown.json("seed"))
    assert [(one["name"], one["action"]) for one in found["seeded"]] == [("states", "apply"), ("people", "apply")]
    assert found["seeded"][0]["rows"] == {"items": {"inserted": 1, "updated": 0, "deleted": 0}}
    again = sown.run("seed", "--verbose")
    assert again.exit_code == 0
    assert f"{sown.database}: no seed to apply" in again.stdout
    assert "left people (development): already applied" in again.stdout
    assert sown.run("seed", "--env", "test", "--jobs", "4").exit_code == 0
    assert names(sown) == ["states", "people", "cases"]
    assert sown.run("status", "--exit-code").exit_code == 0


def test_a_dry_run_writes_nothing(sown: Shop) -> None:
    """--dry-run lists what would run."""
    result = sown.run("seed", "--dry-run")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[:3] == [
        f"{sown.database}: 2 to apply",
        "  apply states (base), version 1: states",
        "  apply people (development), version 1: people",
    ]
    assert [one["name"] for one in sown.of(sown.json("seed", "--dry-run"))["steps"]] == ["states", "people"]
    assert names(sown) == []


def test_changed_and_force_apply_again(sown: Shop) -> None:
    """A changed seed is warned of, applied again with --changed, and --only with --force repeats one."""
    assert sown.run("seed").exit_code == 0
    path = sown.path / "seeds/base/10_states.sql"
    path.write_text(path.read_text().replace("'states'", "'counties'"))
    warned = sown.run("seed")
    assert "warning: states was not applied again" in warned.stderr
    assert sown.run("status", "--exit-code").exit_code == 3
    assert sown.run("seed-check").exit_code == 3
    assert [one["name"] for one in sown.of(sown.json("seed", "--changed"))["seeded"]] == ["states"]
    assert names(sown) == ["counties", "people"]
    assert [one["name"] for one in sown.of(sown.json("seed", "--force", "--only", "people"))["seeded"]] == ["people"]


def test_a_failing_seed_is_told_with_its_file(sown: Shop) -> None:
    """Exit code 1: nothing of it is kept, what was done before is listed."""
    path = sown.sow("wrong", layer="development", number=30)
    path.write_text(path.read_text().replace("items", "nothing"))
    found = sown.json("seed", code=1)
    assert found["error"]["kind"] == "SeedRunError"
    assert found["error"]["remedy"] == "apply the migrations first: pytest-devenv db migrate; nothing of it was kept"
    assert [one["name"] for one in sown.of(found)["seeded"]] == ["states", "people"]


def test_who_seeds_is_waited_for(sown: Shop) -> None:
    """Exit code 5, with the holder's name."""
    with connect(sown.database, application_name="somebody-else") as other, alone(other, timeout_s=1, where=""):
        found = sown.json("seed", "--lock-timeout", "50ms", code=5)
    assert "application somebody-else" in found["error"]["message"]


def test_seed_rollback_takes_back_what_was_written(sown: Shop) -> None:
    """Exactly the rows of that seed go, after a question; one that is not applied is exit code 1."""
    assert sown.run("seed").exit_code == 0
    assert sown.run("seed-rollback", "people").exit_code == 2
    assert sown.process("seed-rollback", "people", answer="n").returncode == 1
    found = sown.of(sown.json("seed-rollback", "people", "--force"))
    assert found["rows"] == {"items": {"inserted": 0, "updated": 0, "deleted": 1}}
    assert names(sown) == ["states"]
    assert sown.run("seed-rollback", "people", "--force").exit_code == 1
    assert ("db seed-rollback people --force", "done") in sown.audit()


def test_seed_clean_marks_what_lost_its_file(sown: Shop) -> None:
    """The history says Orphaned after a question, and the rows stay; seed-rollback takes them back."""
    assert sown.run("seed").exit_code == 0
    (sown.path / "seeds/development/20_people.sql").unlink()
    assert sown.run("seed-clean").exit_code == 2
    assert sown.of(sown.json("seed-clean", "--force")) == {"orphaned": ["people"], "returned": []}
    assert f"{sown.database}: nothing to mark" in sown.run("seed-clean").stdout
    assert names(sown) == ["states", "people"]
    assert sown.run("seed-rollback", "people", "--force").exit_code == 0
    assert names(sown) == ["states"]


@pytest.mark.parametrize(("flags", "layer"), [([], "base"), (["--dev"], "development"), (["--test"], "test")])
def test_create_seed_writes_one_that_runs(sown: Shop, flags: list[str], layer: str) -> None:
    """The new seed has the next prefix of its layer, is registered, and runs as it is."""
    (file,) = sown.of(sown.json("create-seed", "demo_users", *flags))["files"]
    assert Path(file).parent.name == layer
    registry = json.loads((sown.path / "seeds/registry.json").read_text())
    assert "demo_users" in [seed["name"] for seed in registry["seeds"]]
    assert sown.run("seed", "--env", "test", "--only", "demo_users").exit_code == 0
    assert sown.run("create-seed", "Demo Users", *flags).exit_code == 1


def test_seed_check_and_sync(sown: Shop) -> None:
    """Unregistered is exit code 3, broken 1; the remedy that is printed, seed-sync, makes it 0."""
    assert sown.run("seed-check", "--no-database").exit_code == 0
    sown.sow("more", layer="test", number=90)
    found = sown.json("seed-check", code=3)
    (finding,) = sown.of(found)["findings"]
    assert (finding["fault"], finding["seed"]) == ("unregistered", "more")
    assert sown.run(*finding["remedy"].split()[2:]).stdout == f"{sown.path}/seeds/registry.json: added more\n"
    assert sown.run("seed-check").exit_code == 0
    sown.write("seeds/base/12_broken.sql", "no header\n")
    assert sown.of(sown.json("seed-check", code=1))["findings"][0]["fault"] == "broken"


def test_seed_watch_keeps_the_registry_current(sown: Shop) -> None:
    """It writes the registry after each change until Ctrl-C, which is no failure."""
    watching = subprocess.Popen([*COMMAND, "seed-watch"], cwd=sown.path, stdout=subprocess.PIPE, text=True)
    try:
        assert watching.stdout is not None
        assert watching.stdout.readline() == f"{sown.path}/seeds/registry.json: current\n"
        time.sleep(0.3)
        sown.sow("more", layer="test", number=90)
        assert watching.stdout.readline() == f"{sown.path}/seeds/registry.json: added more\n"
        watching.send_signal(signal.SIGINT)
        assert watching.wait(10) == 0
    finally:
        watching.kill()
        watching.communicate()


def test_without_seeds_it_says_what_to_set(migrated: Shop) -> None:
    """Exit code 2 where no database has seeds."""
    result = migrated.run("seed")
    assert result.exit_code == 2
    assert f"there are no seeds for {migrated.name}" in result.stderr
    assert 'remedy: set seeds = "seeds"' in result.stderr


def test_seeds_are_no_drift(sown: Shop) -> None:
    """What seeding keeps of itself in the database is no difference from the migrations, and anything else still is."""
    settings = read(sown.path / "pyproject.toml")
    environment = resolve(settings, choose(settings))
    drift = catalog(settings)[f"schema.matches_migrations[{sown.name}]"]
    assert sown.run("seed").exit_code == 0
    assert drift.look(environment).passed
    sown.query("CREATE TYPE stray AS ENUM ('one')")
    assert "enum stray is in no migration" in str(drift.look(environment).found)
