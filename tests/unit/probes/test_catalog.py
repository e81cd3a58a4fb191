"""The catalog: which probes an environment has, and what each of them requires."""

from __future__ import annotations

from dataclasses import replace

from pytest_devenv.probes.catalog import catalog
from pytest_devenv.probes.graph import closure
from pytest_devenv.settings import Database, Service, ServiceKind, TargetName
from pytest_devenv.verdict import Evidence, State, failed, unknown
from tests.unit.probes.samples import environment, settings

REQUIRES = {
    "postgres.accepts_queries[postgres]": (),
    "postgres.has_free_connections[postgres]": ("postgres.accepts_queries[postgres]",),
    "postgres.tells_the_time[postgres]": ("postgres.accepts_queries[postgres]",),
    "postgres.is_not_blocked[postgres]": ("postgres.accepts_queries[postgres]",),
    "database.exists[shop]": ("postgres.accepts_queries[postgres]",),
    "database.is_utf8[shop]": ("database.exists[shop]",),
    "redis.answers[redis]": (),
    "redis.stores_keys[redis]": ("redis.answers[redis]",),
    "redis.has_memory[redis]": ("redis.answers[redis]",),
    "redis.evicts_only_what_expires[redis]": ("redis.answers[redis]",),
    "migrations.none_dirty[shop]": ("database.exists[shop]",),
    "migrations.all_applied[shop]": ("migrations.none_dirty[shop]",),
    "migrations.none_edited[shop]": ("migrations.none_dirty[shop]",),
    "migrations.none_missing[shop]": ("migrations.none_dirty[shop]",),
    "schema.has_tables[shop]": ("migrations.all_applied[shop]",),
    "schema.has_columns[shop]": ("migrations.all_applied[shop]", "schema.has_tables[shop]"),
    "schema.has_indexes[shop]": ("migrations.all_applied[shop]", "schema.has_tables[shop]"),
    "schema.has_views[shop]": ("migrations.all_applied[shop]", "schema.has_tables[shop]"),
    "schema.has_policies[shop]": ("migrations.all_applied[shop]", "schema.has_tables[shop]"),
    "schema.answers_queries[shop]": ("migrations.all_applied[shop]", "schema.has_tables[shop]"),
    "schema.pending_is_safe[shop]": (
        "migrations.none_dirty[shop]",
        "migrations.none_edited[shop]",
        "migrations.none_missing[shop]",
    ),
    "schema.matches_migrations[shop]": (
        "migrations.all_applied[shop]",
        "migrations.none_edited[shop]",
        "migrations.none_missing[shop]",
        "schema.has_tables[shop]",
        "schema.has_columns[shop]",
        "schema.has_indexes[shop]",
        "schema.has_views[shop]",
        "schema.has_policies[shop]",
    ),
    "job.completed[migrate]": (
        "postgres.accepts_queries[postgres]",
        "migrations.all_applied[shop]",
        "schema.has_tables[shop]",
    ),
    "http.answers[backend]": (
        "postgres.accepts_queries[postgres]",
        "redis.answers[redis]",
        "job.completed[migrate]",
        "migrations.all_applied[shop]",
        "schema.has_tables[shop]",
    ),
    "http.keeps_its_budget[backend]": ("http.answers[backend]",),
    "secret.is_present[jwt-secret]": (),
    "ports.are_distinct[shop]": (),
    "port.is_free_or_ours[postgres]": (),
    "port.speaks_its_protocol[postgres]": ("port.is_free_or_ours[postgres]",),
    "port.is_free_or_ours[redis]": (),
    "port.speaks_its_protocol[redis]": ("port.is_free_or_ours[redis]",),
    "port.is_free_or_ours[backend]": (),
    "port.speaks_its_protocol[backend]": ("port.is_free_or_ours[backend]",),
}


def test_the_probes_of_an_environment_and_what_they_require() -> None:
    """Every subject of the settings has its probes, and each requires what has to hold before it means anything."""
    assert {probe_id: probe.requires for probe_id, probe in catalog(settings()).items()} == REQUIRES


def test_ids_are_those_of_the_probes() -> None:
    """The catalog is keyed by the probes' own ids, and all that they require is in it."""
    probes = catalog(settings())
    assert all(probe_id == probe.id for probe_id, probe in probes.items())
    assert {probe.id for probe in closure(probes, probes)} == set(probes)


def test_each_probe_has_the_mark_of_its_family() -> None:
    """Probes of the schema and of ports have their own marks; all others are of health."""
    for probe in catalog(settings()).values():
        family = probe.name.partition(".")[0]
        assert probe.mark == {"schema": "schema", "port": "ports", "ports": "ports"}.get(family, "health")


def test_what_is_not_configured_has_no_probe() -> None:
    """An environment without services, databases and secrets has nothing to look at."""
    assert catalog(replace(settings(), services={}, databases={}, required_secrets=())) == {}


def test_a_database_without_migrations_is_required_to_be_there() -> None:
    """Without migrations, what is required of a database requires no more than the database."""
    plain = replace(settings(), databases={"shop": Database(name="shop", service="postgres", required_tables=("a",))})
    assert catalog(plain)["schema.has_tables[shop]"].requires == ("database.exists[shop]",)


def test_a_job_that_names_no_database_stands_for_all_with_migrations() -> None:
    """A Job that does not say what it migrates is there for every database with migrations."""
    given = settings()
    job = Service(name="migrate", kind=ServiceKind.JOB)
    probes = catalog(replace(given, services={**given.services, "migrate": job}))
    assert probes["job.completed[migrate]"].requires == ("migrations.all_applied[shop]", "schema.has_tables[shop]")


def test_what_could_not_be_brought_up_is_the_roots_verdict() -> None:
    """Every root probe returns what the target said of its service, as it is, and does not look."""
    fault = failed("it did not start", expected="up", found="exit code 1", where="its log", remedy="mend it")
    roots = ("postgres.accepts_queries[postgres]", "redis.answers[redis]", "http.answers[backend]")
    probes = catalog(settings())
    for probe_id in (*roots, "job.completed[migrate]"):
        here = replace(environment(), faults={probes[probe_id].subject: fault})
        assert probes[probe_id].look(here) is fault


def test_what_was_recorded_when_it_was_brought_up_says_so() -> None:
    """Whoever attaches reads that a fault is of `env up`, and that mending its cause is not all there is to do."""
    fault = failed("it did not start", expected="up", found="1", where="its log", remedy="mend it, then run again")
    here = replace(environment(), target=TargetName.EMBEDDED, attached=True)
    look = catalog(settings())["redis.answers[redis]"].look
    anew = "pytest-devenv env down && pytest-devenv env up"
    told = look(replace(here, faults={"redis": fault}))
    lost = Evidence("what the remedy takes along", "env down deletes all that was written since env up, into shop too")
    where = "its log; recorded at pytest-devenv env up"
    assert told == replace(fault, where=where, remedy=f"mend it; then: {anew}", evidence=(lost,))
    told = look(replace(here, faults={"redis": unknown("it could not be started")}))
    assert (told.where, told.remedy) == ("recorded at pytest-devenv env up", anew)


def test_what_the_embedded_target_met_when_it_migrated_does_not_outlive_its_cause() -> None:
    """Once the databases are as they have to be, a Job is done, whatever failed when the environment was started."""
    fault = failed("it did not migrate", expected="migrated", found="an error", where="the database", remedy="mend it")
    here = replace(environment(), target=TargetName.EMBEDDED, faults={"migrate": fault})
    assert catalog(settings())["job.completed[migrate]"].look(here).summary == "done: shop is migrated"


def test_a_service_without_an_address_is_unknown() -> None:
    """A service that the target has no address for was not looked at, and how to mend that depends on the target."""
    look = catalog(settings())["redis.answers[redis]"].look
    nowhere = replace(environment(), endpoints={})
    verdict = look(nowhere)
    assert verdict.state is State.UNKNOWN
    assert verdict.summary == "no address is known for redis"
    assert verdict.remedy == "set services.redis.url in pyproject.toml"
    verdict = look(replace(nowhere, target=TargetName.EMBEDDED))
    assert verdict.summary == "redis was not started: something that it requires was not up then"
    assert verdict.remedy == "pytest-devenv env down && pytest-devenv env up"


def test_a_service_requires_the_databases_that_its_variables_name() -> None:
    """Of the databases of a server only those count whose URL the service is given; without any, all of them do."""
    given = settings()
    shop = given.databases["shop"]
    databases = {
        "shop": shop,
        "stock": replace(shop, name="stock", required_tables=()),
        "empty": Database(name="empty", service="postgres"),
    }
    web = Service(name="web", kind=ServiceKind.HTTP, requires=("postgres",))

    def requires(service: Service, **others: Service) -> tuple[str, ...]:
        services = {**given.services, **others, service.name: service}
        probes = catalog(replace(given, services=services, databases=databases))
        return probes[f"http.answers[{service.name}]"].requires

    server, stock = "postgres.accepts_queries[postgres]", "migrations.all_applied[stock]"
    every = ("migrations.all_applied[shop]", "schema.has_tables[shop]", stock)
    assert requires(replace(web, env={"URL": "{database.stock.url}?x=1", "LEVEL": "info"})) == (server, stock)
    assert requires(replace(web, env={"URL": "{redis.url}"})) == (server, *every)
    assert requires(replace(web, requires=("redis",), env={"URL": "{database.stock.url}"})) == ("redis.answers[redis]",)
    page = Service(name="page", kind=ServiceKind.HTTP, requires=("web",))
    assert requires(page, web=web) == ("http.answers[web]",)
    assert requires(replace(page, env={"URL": "{database.stock.url}"}), web=web) == ("http.answers[web]", stock)
