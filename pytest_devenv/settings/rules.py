"""What has to hold between keys: names that point at each other, ports, addresses, placeholders, paths."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pytest_devenv.settings import template
from pytest_devenv.settings.model import ServiceKind
from pytest_devenv.settings.problems import did_you_mean, dotted, nearest, shown, shown_url
from pytest_devenv.settings.schema import SCHEMES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_devenv.settings.tables import Path_, Reading

Values = dict[str, Any]


def check(reading: Reading, values: Values, environ: Mapping[str, str]) -> None:
    """Note every problem between the keys that were read."""
    services: dict[str, Values] = values.get("services", {})
    databases: dict[str, Values] = values.get("databases", {})
    _references(reading, services, databases, values.get("loops", {}))
    _cycles(reading, services)
    _local_ports(reading, services)
    _variables(reading, services, environ)
    known = template.placeholders([name for name, each in services.items() if _has_address(each)], databases)
    for name, service in services.items():
        _address(reading, name, service)
        _password(reading, name, service)
        _placeholders(reading, name, services, databases, known)
    _paths(reading, databases)


def variable(service: str) -> str:
    """Return the environment variable that gives a service's URL: `PYTEST_DEVENV_BACKEND_URL`."""
    return f"PYTEST_DEVENV_{service.upper().replace('-', '_')}_URL"


def normal_url(url: str, kind: ServiceKind) -> str:
    """Return the URL, with the scheme of the kind where it is only `host:port`."""
    return url if "://" in url else f"{SCHEMES[kind][0]}://{url}"


def _has_address(service: Values) -> bool:
    return service.get("kind") is not ServiceKind.JOB


def _references(
    reading: Reading, services: dict[str, Values], databases: dict[str, Values], loops: dict[str, Values]
) -> None:
    for name, service in services.items():
        _named(reading, ("services", name, "requires"), service.get("requires", ()), services, "service")
        _named(reading, ("services", name, "migrates"), service.get("migrates", ()), databases, "database")
    for name, database in databases.items():
        _of_kind(reading, ("databases", name, "service"), database.get("service"), services, ServiceKind.POSTGRES)
    for name, loop in loops.items():
        observe = loop.get("observe", {})
        kind = ServiceKind.HTTP if observe.get("config_map") is None else ServiceKind.JOB
        _of_kind(reading, ("loops", name, "observe", "service"), observe.get("service"), services, kind)


def _named(reading: Reading, path: Path_, names: tuple[str, ...], there: Mapping[str, object], word: str) -> None:
    for index, name in enumerate(names):
        if name not in there and not reading.follows(f"{word}s", name):
            reading.problem(
                path,
                at=f"[{index}]",
                expected=_one_of(word, there),
                found=f"{shown(name)}, which is no {word} here",
                remedy=did_you_mean(name, there) or f"describe it in [{dotted((f'{word}s', name))}], or remove it",
            )


def _of_kind(reading: Reading, path: Path_, name: str | None, services: dict[str, Values], kind: ServiceKind) -> None:
    if name is None or (name not in services and reading.follows("services", name)):
        return
    fitting = [each for each, service in services.items() if service.get("kind") is kind]
    if name not in services:
        found = f"{shown(name)}, which is no service here"
    elif "kind" in services[name] and name not in fitting:
        found = f"{shown(name)}, which is of kind {services[name]['kind']}"
    else:
        return
    remedy = did_you_mean(name, fitting)
    reading.problem(path, expected=_one_of(f"service of kind {kind}", fitting), found=found, remedy=remedy)


def _one_of(word: str, names: Mapping[str, object] | list[str]) -> str:
    return f"a {word}: {', '.join(names)}" if names else f"a {word}, of which none is described here"


def _cycles(reading: Reading, services: dict[str, Values]) -> None:
    """Note each circle of requires once, at the first service of it that the file describes."""
    done: set[str] = set()

    def walk(name: str, trail: tuple[str, ...]) -> None:
        if name in trail:
            circle = trail[trail.index(name) :]
            reading.problem(
                ("services", name, "requires"),
                expected="services that can be started one after another",
                found=f"a circle: {' → '.join((*circle, name))}",
                remedy="remove one of these requires",
            )
            return
        if name in done or name not in services:
            return
        for each in services[name].get("requires", ()):
            walk(each, (*trail, name))
        done.add(name)

    for name in services:
        walk(name, ())


def _local_ports(reading: Reading, services: dict[str, Values]) -> None:
    first: dict[int, str] = {}
    for name, service in services.items():
        port = service.get("local_port")
        if port is None:
            continue
        if port in first:
            reading.problem(
                ("services", name, "local_port"),
                expected="a port that no other service claims",
                found=f"{shown(port)}, which {dotted(('services', first[port], 'local_port'))} claims too",
                remedy="give one of the two another local_port",
            )
        first.setdefault(port, name)


def _variables(reading: Reading, services: dict[str, Values], environ: Mapping[str, str]) -> None:
    """Note variables that would give a URL to a service that is not there, or to two."""
    owners: dict[str, str] = {}
    for name in services:
        if variable(name) in owners:
            reading.problem(
                ("services", name),
                expected="a name whose environment variable is its own",
                found=f"{shown(name)}, whose {variable(name)} is also that of {owners[variable(name)]}",
                remedy="rename one of the two services",
            )
        owners.setdefault(variable(name), name)
    below = {variable(name) for name in reading.meant.get(("services",), ())}
    for name in environ:
        if name.startswith("PYTEST_DEVENV_") and name.endswith("_URL") and name not in (*owners, *below):
            reading.foreign(
                name,
                expected=_one_of("variable for a service", owners),
                found="the variable of a service that is not here",
                remedy=did_you_mean(name, owners) or f"unset {name}",
            )


def _address(reading: Reading, name: str, service: Values) -> None:
    url, kind = service.get("url"), service.get("kind")
    if url is None or kind is None:
        return
    path = ("services", name, "url")
    if "host" in service and reading.from_file(path):
        reading.problem(path, expected="a url or a host", found="both", remedy="remove one of them")
    parts = urlsplit(normal_url(url, kind))
    if parts.scheme not in SCHEMES[kind]:
        reading.problem(
            path,
            expected=f"a URL that begins with {' or '.join(f'{scheme}://' for scheme in SCHEMES[kind])}",
            found=shown_url(url),
        )
    if parts.password is not None and reading.from_file(path):
        where = "" if kind is ServiceKind.HTTP else ', or name where it is found: password = { env = "…" }'
        reading.problem(
            path,
            expected="a URL without a password, since this file is no place for one",
            found=shown_url(url),
            remedy=f"give the URL as {variable(name)} in the environment{where}",
        )


def _password(reading: Reading, name: str, service: Values) -> None:
    password = service.get("password")
    if password is None:
        return
    whole_secret = ("secret" in password) == ("key" in password)
    if not whole_secret or not ("secret" in password or "env" in password):
        reading.problem(
            ("services", name, "password"),
            expected="env, or secret and key, or all three",
            found=", ".join(password) or "an empty table",
        )


def _placeholders(
    reading: Reading, name: str, services: dict[str, Values], databases: dict[str, Values], known: tuple[str, ...]
) -> None:
    """Note placeholders that do not exist, and those of services that need not be up when this one starts."""
    service = services[name]
    texts = {
        (key, f"[{index}]"): text for key in ("command", "reload") for index, text in enumerate(service.get(key, ()))
    }
    texts |= {("env", key): text for key, text in service.get("env", {}).items()}
    required = _required(services, name)
    for (key, item), text in texts.items():
        path, at = (("services", name, key), item) if key != "env" else (("services", name, key, item), "")
        for placeholder in template.names(text):
            if placeholder not in known and _follows(reading, placeholder):
                continue
            if placeholder not in known:
                near = nearest(placeholder, known)
                reading.problem(
                    path,
                    at=at,
                    expected="a placeholder: python, host, port, <service>.host, .port or .url, database.<name>.url",
                    found=f"the unknown placeholder {{{placeholder}}}",
                    remedy=near and f"did you mean {{{near}}}?",
                )
                continue
            whose = _service_of(placeholder, databases)
            if whose is not None and whose not in required:
                itself = whose == name
                found = "this service itself" if itself else f"{whose}, which is not required"
                add = f"add {whose} to {dotted(('services', name, 'requires'))}"
                reading.problem(
                    path,
                    at=at,
                    expected="a placeholder of a service that is up when this one starts",
                    found=f"{{{placeholder}}}, of {found}",
                    remedy="write {host} and {port}" if itself else add,
                )


def _follows(reading: Reading, placeholder: str) -> bool:
    """Return whether a placeholder is unknown only since its service or database stands below a mistyped key."""
    match placeholder.split("."):
        case [service, part] if part in template.OF_A_SERVICE:
            return reading.follows("services", service)
        case ["database", database, "url"]:
            return reading.follows("databases", database)
        case _:
            return False


def _service_of(placeholder: str, databases: dict[str, Values]) -> str | None:
    """Return the service whose address a placeholder gives; None for one of this service's own."""
    parts = placeholder.split(".")
    match len(parts):
        case 1:
            return None
        case 2:
            return parts[0]
        case _:
            service: str | None = databases[parts[1]].get("service")
            return service


def _required(services: dict[str, Values], name: str) -> set[str]:
    """Return every service that has to be up before this one, through any number of others."""
    found: set[str] = set()
    waiting = list(services[name].get("requires", ()))
    while waiting:
        each = waiting.pop()
        if each not in found and each in services:
            found.add(each)
            waiting += services[each].get("requires", ())
    return found - {name}


def _paths(reading: Reading, databases: dict[str, Values]) -> None:
    """Note folders that are not there. The file of a loop is looked for when it is timed: an image need not hold it."""
    root = reading.file.parent
    for name, database in databases.items():
        migrations = database.get("migrations", {})
        _path(
            reading,
            ("databases", name, "migrations", "path"),
            migrations.get("path"),
            "folder",
            lambda p: (root / p).is_dir(),
        )
        _path(reading, ("databases", name, "seeds"), database.get("seeds"), "folder", lambda p: (root / p).is_dir())


def _path(reading: Reading, path: Path_, value: str | None, word: str, there: Callable[[str], bool]) -> None:
    if value is None or there(value):
        return
    place = reading.file.parent / value
    reading.problem(
        path,
        expected=f"the path of a {word} that is there",
        found=f"{shown(value)}: no {word} {place}",
        remedy=f"ls -l {shlex.quote(str(place))}" if place.exists() else f"mkdir -p {shlex.quote(str(place))}",
    )
