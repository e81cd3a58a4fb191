"""The guard: what it refuses, and that it says why and how to go on."""

from __future__ import annotations

import pytest

from pytest_devenv.errors import GuardError
from pytest_devenv.guard import (
    Consent,
    Identity,
    Marker,
    Origin,
    judge_address,
    judge_change,
    judge_consent,
    judge_marking,
    judge_tier,
)
from pytest_devenv.settings import Tier

WHERE = "database shop on 10.0.0.7:5432 as ann"
FILLED = Identity(database="shop", system_identifier=7001, oid=16400, is_empty=False, where=WHERE)
EMPTY = Identity(database="shop", system_identifier=7001, oid=16400, is_empty=True, where=WHERE)
OURS = Marker(tier=Tier.DEVELOPMENT, system_identifier=7001, database_oid=16400, origin=Origin.CREATED)
FROM_A_TEMPLATE = Marker(tier=Tier.DEVELOPMENT, system_identifier=7001, database_oid=16399, origin=Origin.CREATED)
FROM_A_DUMP = Marker(tier=Tier.DEVELOPMENT, system_identifier=6999, database_oid=16400, origin=Origin.CREATED)


@pytest.mark.parametrize("tier", [Tier.DEVELOPMENT, Tier.TEST])
def test_a_database_with_its_own_marker_may_be_changed(tier: Tier) -> None:
    """A marker that was written for this very database opens it, and is returned."""
    assert judge_change(FILLED, OURS, tier) is OURS


def test_a_database_without_a_marker_is_refused_with_the_way_to_adopt_it() -> None:
    """The refusal says what was expected, found and where, and the command that mends it."""
    with pytest.raises(GuardError) as caught:
        judge_change(FILLED, None, Tier.DEVELOPMENT)
    assert str(caught.value) == (
        "refused to change shop: it does not say that it is a development database\n"
        "  expected: a marker in pytest_devenv.marker\n"
        "  found: no marker, in a database that holds data\n"
        "  where: database shop on 10.0.0.7:5432 as ann\n"
        "  remedy: if it is yours to change: pytest-devenv db adopt shop --environment development"
    )


def test_an_empty_database_without_a_marker_is_refused_too() -> None:
    """Emptiness alone opens nothing: only filling marks."""
    with pytest.raises(GuardError, match="no marker, in an empty database"):
        judge_change(EMPTY, None, Tier.TEST)


@pytest.mark.parametrize("marker", [FROM_A_TEMPLATE, FROM_A_DUMP], ids=["template", "dump"])
def test_a_marker_that_came_along_opens_nothing(marker: Marker) -> None:
    """A marker of another server or another database is refused, with both identities named."""
    with pytest.raises(GuardError) as caught:
        judge_change(FILLED, marker, Tier.DEVELOPMENT)
    assert "expected: a marker for server 7001, database 16400" in str(caught.value)
    assert f"found: a marker for server {marker.system_identifier}, database {marker.database_oid}" in str(caught.value)


@pytest.mark.parametrize("tier", [Tier.PRODUCTION, Tier.STAGING])
def test_no_marker_opens_production(tier: Tier) -> None:
    """Where the settings say production or staging, not even a marked database is changed."""
    with pytest.raises(GuardError, match=f"refused: the environment is {tier}"):
        judge_change(FILLED, OURS, tier)


def test_a_marker_that_says_production_opens_nothing() -> None:
    """A row that somebody edited to say production is refused."""
    marker = Marker(tier=Tier.PRODUCTION, system_identifier=7001, database_oid=16400, origin=Origin.ADOPTED)
    with pytest.raises(GuardError, match="its marker says production"):
        judge_change(FILLED, marker, Tier.DEVELOPMENT)


@pytest.mark.parametrize("origin", list(Origin))
@pytest.mark.parametrize("tier", [Tier.PRODUCTION, Tier.STAGING])
def test_production_is_never_marked(tier: Tier, origin: Origin) -> None:
    """There is no way to mark a production or staging database, not even an empty or a confirmed one."""
    with pytest.raises(GuardError):
        judge_marking(EMPTY, OURS, tier, origin, confirm="shop")


def test_filling_marks_an_empty_database_only() -> None:
    """An empty database may be marked when it is filled; one that holds data may not."""
    judge_marking(EMPTY, None, Tier.DEVELOPMENT, Origin.FILLED)
    with pytest.raises(GuardError, match="it already holds data"):
        judge_marking(FILLED, None, Tier.DEVELOPMENT, Origin.FILLED)


def test_a_clone_is_marked_only_where_its_template_was_ours() -> None:
    """A clone needs the marker that came along from the same server."""
    judge_marking(FILLED, FROM_A_TEMPLATE, Tier.TEST, Origin.CLONED)
    for marker in (None, FROM_A_DUMP):
        with pytest.raises(GuardError, match="refused to mark shop as a clone"):
            judge_marking(FILLED, marker, Tier.TEST, Origin.CLONED)


@pytest.mark.parametrize("confirm", [None, "", "Shop", "shop2"])
def test_adoption_wants_the_name_repeated(confirm: str | None) -> None:
    """Any other word than the database's exact name is refused."""
    judge_marking(FILLED, None, Tier.DEVELOPMENT, Origin.ADOPTED, confirm="shop")
    with pytest.raises(GuardError, match="--confirm shop"):
        judge_marking(FILLED, None, Tier.DEVELOPMENT, Origin.ADOPTED, confirm=confirm)


@pytest.mark.parametrize(
    ("database", "host"),
    [
        ("shop_prod", "localhost"),
        ("production", "localhost"),
        ("shop-staging", "localhost"),
        ("Shop.LIVE", "localhost"),
        ("shop", "db.prod.example.com"),
        ("shop", "shop-production.internal"),
        ("shop", "STAGING"),
    ],
)
def test_names_of_production_are_refused(database: str, host: str) -> None:
    """A database or host whose name holds a word for production or staging is refused without a connection."""
    with pytest.raises(GuardError, match="is named like"):
        judge_address(database, host, where=WHERE)


@pytest.mark.parametrize(
    ("database", "host"),
    [("products", "localhost"), ("delivery", "127.0.0.1"), ("kiro", "backstage.local"), ("x", "::1")],
)
def test_other_names_are_not_taken_for_production(database: str, host: str) -> None:
    """A word inside another word is no reason to refuse."""
    judge_address(database, host, where=WHERE)


def test_production_is_migrated_only_by_its_name() -> None:
    """Consent to one database is none to another, and none is none."""
    judge_consent("shop", Tier.PRODUCTION, Consent("shop"), where=WHERE)
    for consent in (None, Consent("other")):
        with pytest.raises(GuardError, match="--env production --confirm shop"):
            judge_consent("shop", Tier.PRODUCTION, consent, where=WHERE)


def test_a_tier_is_judged_without_a_database() -> None:
    """Development and test pass, production is refused before anything is connected to."""
    judge_tier(Tier.DEVELOPMENT, where=WHERE)
    judge_tier(Tier.TEST, where=WHERE)
    with pytest.raises(GuardError, match="remedy: choose the environment that you mean"):
        judge_tier(Tier.PRODUCTION, where=WHERE)


def test_a_hostile_name_is_quoted_in_the_remedy() -> None:
    """A remedy can be pasted into a shell whatever the database is called."""
    identity = Identity(database="a; rm -rf $HOME", system_identifier=1, oid=2, is_empty=False, where=WHERE)
    with pytest.raises(GuardError, match="adopt 'a; rm -rf \\$HOME' --environment"):
        judge_change(identity, None, Tier.TEST)
