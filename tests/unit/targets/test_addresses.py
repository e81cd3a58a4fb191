"""Where the addresses target finds each service, without contacting any."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_devenv.errors import TargetError
from pytest_devenv.secret import Secret
from pytest_devenv.settings import PasswordSource, Service, ServiceKind, TargetName
from pytest_devenv.targets.addresses import endpoint_of, resolve
from pytest_devenv.targets.choose import Choice

if TYPE_CHECKING:
    from pytest_devenv.endpoint import Endpoint
    from tests.unit.targets.conftest import SettingsOf

HIDDEN = "s3cret"


def endpoint(kind: ServiceKind, url: str | None = None, **environ: str) -> Endpoint:
    """Return the endpoint of a service at this URL, whose password is in SHOP_PASSWORD."""
    service = Service(name="a-b", kind=kind, url=url, user="shop", password=PasswordSource(env="SHOP_PASSWORD"))
    return endpoint_of(service, environ, source="pytest-devenv.toml:7")


@pytest.mark.parametrize(
    ("kind", "url", "base_url"),
    [
        (ServiceKind.POSTGRES, "postgres://db", "postgresql://db:5432"),
        (ServiceKind.POSTGRES, "postgresql://db:15432/shop", "postgresql://db:15432"),
        (ServiceKind.REDIS, "redis://cache", "redis://cache:6379"),
        (ServiceKind.REDIS, "rediss://cache:7000/3", "rediss://cache:7000"),
        (ServiceKind.HTTP, "http://web", "http://web:80"),
        (ServiceKind.HTTP, "https://web/api/", "https://web:443/api"),
        (ServiceKind.HTTP, "http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_a_url_gives_scheme_host_port_and_path(kind: ServiceKind, url: str, base_url: str) -> None:
    """Each scheme has its port, the path counts for HTTP alone, and the source is where the URL stands."""
    found = endpoint(kind, url)
    assert found.base_url == base_url
    assert found.source == "pytest-devenv.toml:7"


@pytest.mark.parametrize(
    ("query", "tls"),
    [("", False), ("disable", False), ("prefer", False), ("require", True), ("verify-ca", True), ("verify-full", True)],
)
def test_sslmode_asks_for_tls(query: str, *, tls: bool) -> None:
    """PostgreSQL's way of asking for TLS in a URL is heard, and never weakened."""
    found = endpoint(ServiceKind.POSTGRES, f"postgres://db/shop?sslmode={query}" if query else "postgres://db/shop")
    assert (found.tls, found.tls_mode) == (tls, query or None)
    assert found.url("shop").reveal() == "postgresql://shop@db:5432/shop" + (f"?sslmode={query}" if query else "")


@pytest.mark.parametrize(
    ("query", "message", "remedy"),
    [
        (
            "sslmode=verify",
            "expected sslmode disable, allow, prefer, require, verify-ca, verify-full, found 'verify'",
            "correct sslmode in the url",
        ),
        (
            "sslmode=verify-full&sslrootcert=ca.pem",
            "expected the files of TLS in PGSSLROOTCERT, found sslrootcert in its query",
            "take sslrootcert out of the url, and set PGSSLROOTCERT",
        ),
    ],
)
def test_what_of_tls_would_not_be_heeded_is_refused(query: str, message: str, remedy: str) -> None:
    """A mode that there is not, and files that would be left out, are errors instead of a weaker connection."""
    with pytest.raises(TargetError) as caught:
        endpoint(ServiceKind.POSTGRES, f"postgres://db/shop?{query}")
    assert str(caught.value) == (
        f"the url of the service a-b cannot be used: {message}, looked in pytest-devenv.toml:7\n  remedy: {remedy}"
    )


def test_a_url_that_names_another_database_is_refused(settings_of: SettingsOf) -> None:
    """The databases are those that the settings describe: a URL may name one, and another is not silently left out."""
    table = (
        'services.db = {{ kind = "postgres", url = "postgres://db/{0}" }}\n'
        'databases.shop = {{ service = "db" }}\ndatabases.stock = {{ service = "db" }}\n'
    )
    choice = Choice(TargetName.ADDRESSES, "set by a test")
    for good in ("", "shop", "stock", "sho%70/"):
        assert resolve(settings_of(table.format(good)), choice, environ={}).endpoints["db"].host == "db"
    with pytest.raises(TargetError) as caught:
        resolve(settings_of(table.format("shop_production")), choice, environ={})
    assert str(caught.value) == (
        "the url of the service db cannot be used: expected no database in it, or shop or stock, "
        "found 'shop_production', looked in pytest-devenv.toml:2\n"
        "  remedy: take /shop_production out of the url, or describe the database: databases.shop_production"
    )


def test_the_login_of_a_url_goes_before_the_settings() -> None:
    """User and password of a URL are decoded, and win over the user and the variable of the settings."""
    found = endpoint(ServiceKind.POSTGRES, "postgres://an%40na:p%2Fw@db", SHOP_PASSWORD="other")
    assert (found.user, found.password) == ("an@na", Secret("p/w"))


def test_the_password_comes_from_its_variable() -> None:
    """Without a password in the URL, the variable that the settings name gives it, and unset gives none."""
    assert endpoint(ServiceKind.POSTGRES, "postgres://db", SHOP_PASSWORD=HIDDEN).password == Secret(HIDDEN)
    assert endpoint(ServiceKind.POSTGRES, "postgres://db").password is None
    assert endpoint(ServiceKind.POSTGRES, "postgres://db").user == "shop"


def test_a_password_is_in_no_repr() -> None:
    """What an endpoint shows of itself, in a traceback or with --showlocals, holds no password."""
    for found in (
        endpoint(ServiceKind.POSTGRES, f"postgres://anna:{HIDDEN}@db"),
        endpoint(ServiceKind.POSTGRES, "postgres://db", SHOP_PASSWORD=HIDDEN),
    ):
        shown = f"{found!r} {found} {found.base_url} {found.address} {found.url('shop')!r}"
        assert HIDDEN not in shown
        assert HIDDEN in found.url("shop").reveal()


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("mysql://db", "the scheme 'mysql'"),
        ("postgres://db1,db2:5432/shop", "several hosts"),
        ("postgres://localhost/shop?host=db.example.com", "another host in its query"),
        ("postgres://localhost/shop?sslmode=require&hostaddr=10.0.0.9", "another host in its query"),
        ("postgres://localhost/shop?service=production", "another host in its query"),
        ("postgres:///shop", "no host"),
    ],
)
def test_a_url_that_leads_elsewhere_is_refused(url: str, found: str) -> None:
    """A URL whose host is not the one that it seems to name is refused, with where it stands and how to set it."""
    with pytest.raises(TargetError) as caught:
        endpoint(ServiceKind.POSTGRES, url)
    assert str(caught.value) == (
        "the url of the service a-b cannot be used: expected postgres or postgresql and one host, "
        f"found {found}, looked in pytest-devenv.toml:7\n"
        "  remedy: set services.a-b.url, or PYTEST_DEVENV_A_B_URL"
    )


def test_a_refused_url_does_not_tell_its_password() -> None:
    """The message on a URL that cannot be used holds nothing of its login."""
    with pytest.raises(TargetError) as caught:
        endpoint(ServiceKind.POSTGRES, f"postgres://shop:{HIDDEN}@db1,db2/shop")
    assert HIDDEN not in str(caught.value)


@pytest.mark.parametrize(
    ("service", "address"),
    [
        (Service(name="r", kind=ServiceKind.REDIS, local_port=16379, port=6379), "127.0.0.1:16379"),
        (Service(name="r", kind=ServiceKind.REDIS, port=6379), "127.0.0.1:6379"),
        (Service(name="r", kind=ServiceKind.REDIS, host="cache.test", port=6379), "cache.test:6379"),
        (Service(name="r", kind=ServiceKind.REDIS, host="::1", local_port=7), "[::1]:7"),
    ],
)
def test_without_a_url_host_and_port_are_the_address(service: Service, address: str) -> None:
    """The local port goes before the one inside the cluster, and without a host it is this machine."""
    found = endpoint_of(service, {}, source="unused")
    assert (found.address, found.source) == (address, "host and port")


def test_a_service_without_any_address_is_an_error() -> None:
    """Neither a URL nor a port is nowhere: the error names the key and the variable."""
    with pytest.raises(TargetError) as caught:
        endpoint(ServiceKind.POSTGRES)
    assert str(caught.value) == (
        "expected an address for the service a-b: a url, or host and local_port; found none\n"
        "  remedy: set services.a-b.url, or PYTEST_DEVENV_A_B_URL"
    )


def test_every_service_but_jobs_has_an_endpoint(settings_of: SettingsOf) -> None:
    """A Job answers nowhere; of the others each is where its variable, else its file, says, and the source tells."""
    settings = settings_of(
        'services.db = { kind = "postgres", url = "postgres://db" }\n'
        'services.cache = { kind = "redis", local_port = 6379 }\n'
        'services.work = { kind = "job" }\n'
        'services.web = { kind = "http", url = "http://web" }\n',
        PYTEST_DEVENV_WEB_URL="http://elsewhere:81",
    )
    environment = resolve(settings, Choice(TargetName.ADDRESSES, "set by a test"), environ={})
    assert {name: (each.base_url, each.source) for name, each in environment.endpoints.items()} == {
        "db": ("postgresql://db:5432", "pytest-devenv.toml:2"),
        "cache": ("redis://127.0.0.1:6379", "host and port"),
        "web": ("http://elsewhere:81", "environment PYTEST_DEVENV_WEB_URL"),
    }
    assert (environment.target, environment.why) == (TargetName.ADDRESSES, "set by a test")
    assert (dict(environment.faults), dict(environment.logs), dict(environment.variables)) == ({}, {}, {})
