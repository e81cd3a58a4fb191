"""What reading refuses, and in which words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_devenv.errors import ConfigError
from pytest_devenv.settings.read import read

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.settings.conftest import Problems

NAME = "expected: a name of 1 to 63 letters, digits, - and _, beginning and ending with a letter or digit"
HTTP_KEYS = (
    "body, budget_ms, command, contains, env, health, host, kind, local_port, port, reload, requires, start, status, "
    "url, workload"
)


def test_all_problems_are_said_at_once_in_the_order_of_the_file(problems_of: Problems) -> None:
    """One message holds every problem with its key, what is allowed, what was found, where, and what mends it."""
    text = """\
        name = "x"
        tagret = "auto"
        [services.backend]
        kind = "http"
        requires = ["postgrse", "backend"]
        port = "3000"
        [services.postgres]
        kind = "postgres"
    """

    assert problems_of(text) == (
        "4 problems in DIR/pytest-devenv.toml\n"
        "\n"
        "tagret\n"
        "  expected: a key of this table: budgets, builds, cluster, context, contexts, databases, deadline_s, "
        "environment, images, kind, loops, manifests, name, namespace, require, required_secrets, services, stable_s, "
        "start_s, target, verify\n"
        "  found: the unknown key tagret (string)\n"
        "  where: pytest-devenv.toml:2\n"
        "  remedy: did you mean target?\n"
        "\n"
        "services.backend.requires[0]\n"
        "  expected: a service: backend, postgres\n"
        '  found: "postgrse" (string), which is no service here\n'
        "  where: pytest-devenv.toml:5\n"
        "  remedy: did you mean postgres?\n"
        "\n"
        "services.backend.requires\n"
        "  expected: services that can be started one after another\n"
        "  found: a circle: backend → backend\n"
        "  where: pytest-devenv.toml:5\n"
        "  remedy: remove one of these requires\n"
        "\n"
        "services.backend.port\n"
        "  expected: a port, an integer from 1 to 65535\n"
        '  found: "3000" (string)\n'
        "  where: pytest-devenv.toml:6\n"
        "  remedy: write it without quotes: 3000"
    )


ONE = [
    pytest.param(
        "environment = 'develop'",
        "environment\n"
        "  expected: one of production, staging, development, test (or, for short, prod, stage, dev, testing)\n"
        '  found: "develop" (string)\n'
        "  where: pytest-devenv.toml:2\n"
        "  remedy: did you mean development?",
        id="tier",
    ),
    pytest.param(
        "environment = ''",
        "environment\n"
        "  expected: one of production, staging, development, test (or, for short, prod, stage, dev, testing)\n"
        '  found: "" (string)\n'
        "  where: pytest-devenv.toml:2",
        id="no tier by default",
    ),
    pytest.param(
        "deadline_s = '5 parsecs'",
        "deadline_s\n"
        "  expected: a duration above 0: a number of seconds, or a text such as 250ms, 5s, 2m\n"
        '  found: "5 parsecs" (string)\n'
        "  where: pytest-devenv.toml:2",
        id="duration",
    ),
    pytest.param(
        "deadline_s = nan",
        "deadline_s\n"
        "  expected: a duration above 0: a number of seconds, or a text such as 250ms, 5s, 2m\n"
        "  found: nan (float)\n"
        "  where: pytest-devenv.toml:2",
        id="no duration",
    ),
    pytest.param(
        "start_s = true",
        "start_s\n"
        "  expected: a duration above 0: a number of seconds, or a text such as 250ms, 5s, 2m\n"
        "  found: true (boolean)\n"
        "  where: pytest-devenv.toml:2",
        id="a boolean is no duration",
    ),
    pytest.param(
        "contexts = ['*']",
        "contexts[0]\n"
        "  expected: a kube context or a pattern such as kind-*, never only *\n"
        '  found: "*" (string)\n'
        "  where: pytest-devenv.toml:2",
        id="every context",
    ),
    pytest.param(
        "services = 3",
        "services\n  expected: a table that holds one table for each service\n  found: 3 (integer)\n"
        "  where: pytest-devenv.toml:2",
        id="no table",
    ),
    pytest.param(
        "services.kind = 'http'",
        "services.kind\n"
        "  expected: a table that describes the service\n"
        '  found: "http" (string)\n'
        "  where: pytest-devenv.toml:2\n"
        "  remedy: write it below a [services.name-of-the-service]",
        id="a service without a name",
    ),
    pytest.param(
        "services.a = {}",
        "services.a.kind\n"
        "  expected: one of postgres, redis, http, job\n"
        "  found: nothing\n"
        "  where: pytest-devenv.toml:2\n"
        "  remedy: add kind = …",
        id="no kind",
    ),
    pytest.param(
        "services.a = { kind = 'postgresql', migrates = [] }",
        "services.a.kind\n"
        "  expected: one of postgres, redis, http, job\n"
        '  found: "postgresql" (string)\n'
        "  where: pytest-devenv.toml:2\n"
        "  remedy: did you mean postgres?",
        id="an unknown kind blames no other key",
    ),
    pytest.param(
        "services.a = { kind = 'http', migrates = ['x'] }",
        "services.a.migrates\n"
        f"  expected: a key of a service of kind http: {HTTP_KEYS}\n"
        "  found: migrates (array), which fits only job\n"
        "  where: pytest-devenv.toml:2\n"
        "  remedy: remove migrates, or correct the kind",
        id="a key of another kind",
    ),
    pytest.param(
        "services.'a b'.kind = 'http'",
        'services."a b"\n'
        f"  {NAME}, since it stands in the ids of checks\n"
        '  found: the name "a b"\n'
        "  where: pytest-devenv.toml:2",
        id="a name that breaks ids",
    ),
    pytest.param(
        "services.''.kind = 'http'",
        'services.""\n'
        f"  {NAME}, since it stands in the ids of checks\n"
        "  found: an empty name\n"
        "  where: pytest-devenv.toml:2",
        id="an empty name",
    ),
    pytest.param(
        "services.a = { kind = 'http', port = 65536 }",
        "services.a.port\n"
        "  expected: a port, an integer from 1 to 65535\n"
        "  found: 65536 (integer)\n"
        "  where: pytest-devenv.toml:2",
        id="port",
    ),
    pytest.param(
        "services.a = { kind = 'http', port = true }",
        "services.a.port\n"
        "  expected: a port, an integer from 1 to 65535\n"
        "  found: true (boolean)\n"
        "  where: pytest-devenv.toml:2",
        id="a boolean is no port",
    ),
    pytest.param(
        "services.a = { kind = 'http', local_port = 80 }\nservices.b = { kind = 'redis', local_port = 80 }",
        "services.b.local_port\n"
        "  expected: a port that no other service claims\n"
        "  found: 80 (integer), which services.a.local_port claims too\n"
        "  where: pytest-devenv.toml:3\n"
        "  remedy: give one of the two another local_port",
        id="a local port twice",
    ),
    pytest.param(
        "services.a = { kind = 'http', requires = ['b'] }\n"
        "services.b = { kind = 'http', requires = ['c'] }\n"
        "services.c = { kind = 'http', requires = ['b'] }",
        "services.b.requires\n"
        "  expected: services that can be started one after another\n"
        "  found: a circle: b → c → b\n"
        "  where: pytest-devenv.toml:3\n"
        "  remedy: remove one of these requires",
        id="a circle",
    ),
    pytest.param(
        "services.a = { kind = 'redis', url = 'redis://' }",
        "services.a.url\n"
        "  expected: a URL with a scheme and a host, or host:port\n"
        '  found: "redis://" (string)\n'
        "  where: pytest-devenv.toml:2",
        id="a url without a host",
    ),
    pytest.param(
        "services.a = { kind = 'redis', url = 'redis://a:99999' }",
        "services.a.url\n"
        "  expected: a URL with a scheme and a host, or host:port\n"
        '  found: "redis://***" (string)\n'
        "  where: pytest-devenv.toml:2\n"
        "  remedy: the port is to be a number from 1 to 65535",
        id="a url whose port is none",
    ),
    pytest.param(
        "services.a = { kind = 'redis', url = 'http://a' }",
        "services.a.url\n"
        "  expected: a URL that begins with redis:// or rediss://\n"
        '  found: "http://a" (string)\n'
        "  where: pytest-devenv.toml:2",
        id="a url of another kind",
    ),
    pytest.param(
        "services.a = { kind = 'postgres', url = 'postgres://u:hunter2@a' }",
        "services.a.url\n"
        "  expected: a URL without a password, since this file is no place for one\n"
        '  found: "postgres://***@a" (string)\n'
        "  where: pytest-devenv.toml:2\n"
        "  remedy: give the URL as PYTEST_DEVENV_A_URL in the environment, or name where it is found: "
        'password = { env = "…" }',
        id="a url with a password",
    ),
    pytest.param(
        "services.a = { kind = 'http', url = 'http://a', host = 'a' }",
        "services.a.url\n  expected: a url or a host\n  found: both\n  where: pytest-devenv.toml:2\n"
        "  remedy: remove one of them",
        id="two addresses",
    ),
    pytest.param(
        "services.a = { kind = 'postgres', password = 'hunter2' }",
        "services.a.password\n"
        "  expected: a table with secret, key, env\n"
        "  found: *** (string)\n"
        "  where: pytest-devenv.toml:2\n"
        '  remedy: name where the password is found: password = { env = "POSTGRES_PASSWORD" }, '
        'or { secret = "…", key = "…" }',
        id="a password",
    ),
    pytest.param(
        "services.a = { kind = 'postgres', password = { secret = 'a' } }",
        "services.a.password\n  expected: env, or secret and key, or all three\n  found: secret\n"
        "  where: pytest-devenv.toml:2",
        id="half of where a password is",
    ),
    pytest.param(
        "services.a = { kind = 'postgres', password = {} }",
        "services.a.password\n  expected: env, or secret and key, or all three\n  found: an empty table\n"
        "  where: pytest-devenv.toml:2",
        id="nothing of where a password is",
    ),
    pytest.param(
        "services.a = { kind = 'http', command = ['{pyton}'] }",
        "services.a.command[0]\n"
        "  expected: a placeholder: python, host, port, <service>.host, .port or .url, database.<name>.url\n"
        "  found: the unknown placeholder {pyton}\n"
        "  where: pytest-devenv.toml:2\n"
        "  remedy: did you mean {python}?",
        id="an unknown placeholder",
    ),
    pytest.param(
        "services.a = { kind = 'http', env.X = '{b.url}' }\nservices.b.kind = 'redis'",
        "services.a.env.X\n"
        "  expected: a placeholder of a service that is up when this one starts\n"
        "  found: {b.url}, of b, which is not required\n"
        "  where: pytest-devenv.toml:2\n"
        "  remedy: add b to services.a.requires",
        id="a placeholder of a service that may not be up",
    ),
    pytest.param(
        "services.a = { kind = 'http', command = ['{a.port}'] }",
        "services.a.command[0]\n"
        "  expected: a placeholder of a service that is up when this one starts\n"
        "  found: {a.port}, of this service itself\n"
        "  where: pytest-devenv.toml:2\n"
        "  remedy: write {host} and {port}",
        id="a placeholder of itself",
    ),
    pytest.param(
        "services.a = { kind = 'http', env.X = 'a}' }",
        "services.a.env.X\n"
        "  expected: a text with placeholders such as {python} or {postgres.url}\n"
        "  found: a single } at character 2\n"
        "  where: pytest-devenv.toml:2\n"
        "  remedy: write {{ and }} for braces that are no placeholder",
        id="a broken template",
    ),
    pytest.param(
        "services.a = { kind = 'http', env.API_KEY = 3 }",
        "services.a.env.API_KEY\n"
        "  expected: a text, with or without placeholders such as {python} or {postgres.url}\n"
        "  found: *** (integer)\n"
        "  where: pytest-devenv.toml:2",
        id="a secret of the wrong type",
    ),
    pytest.param(
        "services.a = { kind = 'http', env.'B C' = '' }",
        'services.a.env."B C"\n'
        "  expected: the name of an environment variable: letters, digits and _, not beginning with a digit\n"
        '  found: the key "B C"\n'
        "  where: pytest-devenv.toml:2",
        id="no variable",
    ),
    pytest.param(
        "services.a.kind = 'http'\nservices.A.kind = 'http'",
        "services.A\n"
        "  expected: a name whose environment variable is its own\n"
        '  found: "A" (string), whose PYTEST_DEVENV_A_URL is also that of a\n'
        "  where: pytest-devenv.toml:3\n"
        "  remedy: rename one of the two services",
        id="two services with one variable",
    ),
    pytest.param(
        "services.a.kind = 'redis'\ndatabases.x.service = 'a'",
        "databases.x.service\n"
        "  expected: a service of kind postgres, of which none is described here\n"
        '  found: "a" (string), which is of kind redis\n'
        "  where: pytest-devenv.toml:3",
        id="a database in redis",
    ),
    pytest.param(
        "services.db.kind = 'postgres'\ndatabases.x.service = 'bd'",
        "databases.x.service\n"
        "  expected: a service of kind postgres: db\n"
        '  found: "bd" (string), which is no service here\n'
        "  where: pytest-devenv.toml:3",
        id="a database nowhere",
    ),
    pytest.param(
        "services.m = { kind = 'job', migrates = ['x'] }",
        "services.m.migrates[0]\n"
        "  expected: a database, of which none is described here\n"
        '  found: "x" (string), which is no database here\n'
        "  where: pytest-devenv.toml:2\n"
        "  remedy: describe it in [databases.x], or remove it",
        id="migrates nothing",
    ),
    pytest.param(
        "services.db.kind = 'postgres'\n"
        "databases.x = { service = 'db', migrations = { engine = 'sqlx', path = 'migrations' } }",
        "databases.x.migrations.path\n"
        "  expected: the path of a folder that is there\n"
        '  found: "migrations" (string): no folder DIR/migrations\n'
        "  where: pytest-devenv.toml:3\n"
        "  remedy: mkdir -p DIR/migrations",
        id="no migrations",
    ),
    pytest.param(
        "services.db.kind = 'postgres'\ndatabases.x = { service = 'db', seeds = 'seed\\ns' }",
        "databases.x.seeds\n"
        "  expected: the path of a folder that is there\n"
        '  found: "seed\\\\ns" (string): no folder DIR/seed\\ns\n'
        "  where: pytest-devenv.toml:3\n"
        "  remedy: mkdir -p 'DIR/seed\\ns'",
        id="no seeds",
    ),
    pytest.param(
        "services.db.kind = 'postgres'\ndatabases.x = { service = 'db', required_tables = ['a', 'a'] }",
        "databases.x.required_tables[1]\n"
        "  expected: each item once\n"
        '  found: "a" (string), also at [0]\n'
        "  where: pytest-devenv.toml:3\n"
        "  remedy: remove one of them",
        id="twice",
    ),
    pytest.param(
        "services.db.kind = 'postgres'\ndatabases.x = { service = 'db', required_columns = ['id'] }",
        "databases.x.required_columns[0]\n"
        "  expected: table.column or schema.table.column\n"
        '  found: "id" (string)\n'
        "  where: pytest-devenv.toml:3",
        id="a column of no table",
    ),
]


@pytest.mark.parametrize(("text", "problem"), ONE)
def test_one_problem(problems_of: Problems, text: str, problem: str) -> None:
    """Each kind of problem names its key, what is allowed, what was found, where, and what mends it if known."""
    said = problems_of(f'name = "x"\n{text}\n')

    assert problem in said.split("\n\n")


def test_a_name_is_required(problems_of: Problems) -> None:
    """A table without a name says that one is needed."""
    assert problems_of("") == (
        "1 problem in DIR/pytest-devenv.toml\n\n"
        f"name\n  {NAME}\n  found: nothing\n  where: pytest-devenv.toml\n  remedy: add name = …"
    )


def test_the_value_of_an_unknown_key_is_not_shown(problems_of: Problems) -> None:
    """A mistyped password is not printed."""
    said = problems_of('name = "x"\nservices.a = { kind = "postgres", pasword = "hunter2" }\n')

    assert "the unknown key pasword (string)" in said
    assert "remedy: did you mean password?" in said
    assert "hunter2" not in said


def test_what_follows_from_an_unknown_key_is_not_said(problems_of: Problems) -> None:
    """One wrong key is one problem: what stands below it is missing only for that."""
    text = """\
        name = "x"
        [services.pg]
        kind = "postgres"
        [services.migrate]
        kind = "job"
        migrates = ["shop"]
        [services.web]
        kind = "http"
        env = { A = "{database.shop.url}", B = "{database.shop.url}" }
        [database.shop]
        service = "pg"
    """
    said = problems_of(text)
    assert said.startswith("1 problem in DIR/pytest-devenv.toml\n\ndatabase\n")
    assert said.endswith("remedy: did you mean databases?")

    said = problems_of(text.replace("{database.shop", "{database.shpo", 1))
    assert said.startswith("2 problems ")
    assert "found: the unknown placeholder {database.shpo.url}" in said

    said = problems_of(
        """\
        name = "x"
        service.pg.kind = "postgres"
        [services.web]
        kind = "http"
        requires = ["pg"]
        env = { A = "{pg.url}" }
        [databases.shop]
        service = "pg"
        """,
        environ={"PYTEST_DEVENV_PG_URL": "pg:1"},
    )
    assert said.startswith("1 problem in DIR/pytest-devenv.toml\n\nservice\n")

    said = problems_of('name = "x"\nservices.a.knid = "redis"\n')
    assert said.startswith("1 problem in DIR/pytest-devenv.toml\n\nservices.a.knid\n")


def test_a_wrong_override_names_its_source(problems_of: Problems) -> None:
    """What the command line or the environment got wrong is not blamed on the file."""
    said = problems_of(
        'name = "x"\nservices.a.kind = "redis"\n',
        overrides={"target": ("clutser", "--devenv-target")},
        environ={"PYTEST_DEVENV_DEADLINE": "soon", "PYTEST_DEVENV_A_URL": "redis://:hunter2@a:0"},
    )

    assert said == (
        "3 problems in DIR/pytest-devenv.toml\n\n"
        "services.a.url\n"
        "  expected: a URL with a scheme and a host, or host:port\n"
        '  found: "redis://***@a:0" (string)\n'
        "  where: environment PYTEST_DEVENV_A_URL\n\n"
        "deadline_s\n"
        "  expected: a duration above 0: a number of seconds, or a text such as 250ms, 5s, 2m\n"
        '  found: "soon" (string)\n'
        "  where: environment PYTEST_DEVENV_DEADLINE\n\n"
        "target\n"
        "  expected: one of auto, cluster, embedded, addresses\n"
        '  found: "clutser" (string)\n'
        "  where: --devenv-target\n"
        "  remedy: did you mean cluster?"
    )


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("postgresql://shop:Sup3r Pass@h:5432/shop", '"postgresql://***@h:5432/***" (string)'),
        ("postgresql:/shop:Sup3rPass@h/shop", "*** (string)"),
        ("shop:Sup3rPass@h:5432", "*** (string)"),
        ("shop:Sup3rPass", "*** (string)"),
        ("postgresql://shop:Sup3rPass", '"postgresql://***" (string)'),
        ("postgresql://shop:Sup3r/Pass@h/shop", '"postgresql://***" (string)'),
        ("postgresql://shop:Sup3r@Pass word@h", '"postgresql://***" (string)'),
        ("postgresql://shop:Sup3rPass@h:port", '"postgresql://***" (string)'),
        ("postgresql://h:99999?password=Sup3rPass", '"postgresql://***" (string)'),
        ("http://h/?password=Sup3rPass", '"http://h/***" (string)'),
        ("http://shop:Sup3r,Pass@h", '"http://***@h" (string)'),
        ("SHOP:Sup3rPass://h", "*** (string)"),
        ("redis://:Sup3rPass@[::1]:6379", '"redis://***@[::1]:6379" (string)'),
    ],
)
def test_a_url_that_is_refused_shows_no_password(problems_of: Problems, url: str, found: str) -> None:
    """Only the scheme and the host are shown, and where these cannot be told from a password nothing is."""
    said = problems_of(
        'name = "x"\nservices.db.kind = "postgres"\nservices.db.port = "0"', environ={"PYTEST_DEVENV_DB_URL": url}
    )

    assert f"found: {found}\n" in said
    assert "Sup3r" not in said
    assert "Pass" not in said


def test_a_login_in_place_of_a_host_is_not_shown(problems_of: Problems) -> None:
    """What looks like a login is hidden in every key, not in `url` alone."""
    said = problems_of('name = "x"\nservices.db = { kind = "postgres", host = "shop:Sup3rPass@h" }')

    assert "found: *** (string)" in said
    assert "Sup3rPass" not in said


def test_an_address_for_a_service_that_is_not_there_is_refused(problems_of: Problems) -> None:
    """A mistyped variable is not ignored."""
    said = problems_of('name = "x"\nservices.web.kind = "http"\n', environ={"PYTEST_DEVENV_WBE_URL": "http://a"})

    assert said == (
        "1 problem in DIR/pytest-devenv.toml\n\n"
        "PYTEST_DEVENV_WBE_URL\n"
        "  expected: a variable for a service: PYTEST_DEVENV_WEB_URL\n"
        "  found: the variable of a service that is not here\n"
        "  where: environment PYTEST_DEVENV_WBE_URL\n"
        "  remedy: did you mean PYTEST_DEVENV_WEB_URL?"
    )


def test_a_syntax_error_says_line_and_column(problems_of: Problems) -> None:
    """What is no TOML says where it stops being it."""
    said = problems_of('name = "x"\nenvironment = \n')

    assert said == (
        "1 problem in DIR/pytest-devenv.toml\n\n"
        "syntax\n"
        "  expected: valid TOML\n"
        "  found: Invalid value\n"
        "  where: pytest-devenv.toml:2:15 (line 2, column 15)"
    )


@pytest.mark.parametrize("text", ["a = " + "[" * 5000, "a = " + "9" * 5000])
def test_an_absurd_file_is_refused_without_a_traceback(problems_of: Problems, text: str) -> None:
    """Nesting without end, and numbers without end, are problems like any other."""
    assert problems_of(text).startswith("1 problem in DIR/pytest-devenv.toml\n\nsyntax\n  expected: valid TOML\n")


def test_a_file_that_is_no_utf_8_says_in_which_line(tmp_path: Path) -> None:
    """A wrong encoding is named, with the byte and its line."""
    file = tmp_path / "pytest-devenv.toml"
    file.write_bytes(b'name = "x"\n# caf\xe9\n')

    with pytest.raises(ConfigError) as refused:
        read(file, environ={})

    assert str(refused.value) == (
        f"1 problem in {file}\n\n"
        "encoding\n"
        "  expected: UTF-8, the encoding of TOML\n"
        "  found: the byte 0xe9\n"
        "  where: pytest-devenv.toml:2\n"
        "  remedy: save the file as UTF-8"
    )


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    """A file that cannot be read is a configuration error."""
    with pytest.raises(ConfigError) as refused:
        read(tmp_path / "pyproject.toml")

    assert str(refused.value) == (
        f"expected: a file that can be read\n  found: No such file or directory\n  where: {tmp_path}/pyproject.toml"
    )


@pytest.mark.parametrize(("text", "found"), [("", "nothing"), ("tool.pytest-devenv = 3", "3 (integer)")])
def test_a_pyproject_without_the_table_is_refused(tmp_path: Path, text: str, found: str) -> None:
    """Reading a file that has no table says how to write one."""
    file = tmp_path / "pyproject.toml"
    file.write_text(text)

    with pytest.raises(ConfigError) as refused:
        read(file, environ={})

    assert str(refused.value) == (
        f"1 problem in {file}\n\n"
        "tool.pytest-devenv\n"
        "  expected: a table [tool.pytest-devenv]\n"
        f"  found: {found}\n"
        "  where: pyproject.toml\n"
        "  remedy: pytest-devenv init --write"
    )
