"""Whether an HTTP service answers as its settings say it does, and within its budget."""

from __future__ import annotations

import json
import shlex
from functools import partial
from typing import TYPE_CHECKING

from pytest_devenv.clients.http import session
from pytest_devenv.probes import commands
from pytest_devenv.probes.databases import needed_ids
from pytest_devenv.probes.probe import Probe
from pytest_devenv.probes.redact import redacted
from pytest_devenv.probes.root import root, root_id
from pytest_devenv.settings import Format, ServiceKind
from pytest_devenv.verdict import Evidence, Verdict, failed, passed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.clients.http import Answer
    from pytest_devenv.settings import Service, Settings
    from pytest_devenv.targets.environment import Environment

REQUESTS = 3
_EXCERPT_CHARACTERS = 200
_FIRST_SERVER_ERROR = 500
_REDIRECTS = range(300, 400)


def probes(settings: Settings) -> Iterator[Probe]:
    """Yield the probes of every HTTP service; its latency is looked at where it has a budget."""
    for service in settings.services.values():
        if service.kind is not ServiceKind.HTTP:
            continue
        yield root(settings, service, partial(_answers, service), also=needed_ids(settings, service))
        if service.budget_ms is not None:
            yield Probe(
                name="http.keeps_its_budget",
                subject=service.name,
                look=partial(_keeps_its_budget, service, service.budget_ms),
                requires=(root_id(service),),
                deadline_s=(REQUESTS + 1) * settings.deadline_s,
            )


def _asked(service: Service, environment: Environment, *, requests: int) -> tuple[Answer, ...] | Verdict:
    """Put the health request so often on one connection; return a verdict where there is no answer."""
    from http.client import HTTPException

    endpoint = environment.endpoints[service.name]
    try:
        with session(endpoint, deadline_s=environment.settings.deadline_s) as connection:
            return tuple(connection.get(service.health) for _ in range(requests))
    except (OSError, HTTPException) as error:
        from pytest_devenv.probes.http_refusals import refused

        return refused(environment, endpoint, service.health, error)


def _answers(service: Service, environment: Environment) -> Verdict:
    answers = _asked(service, environment, requests=1)
    if isinstance(answers, Verdict):
        return answers
    (answer,) = answers
    url = _url(service, environment)
    wrong = _wrong(service, environment, answer)
    latency_ms = answer.took_s * 1000
    if wrong is None:
        return passed(f"GET {service.health} answers {answer.status}", latency_ms=latency_ms, status=answer.status)
    expected, found = wrong
    look = commands.request(environment, environment.endpoints[service.name], service.health)
    return failed(
        f"{service.name} answers {found}",
        expected=expected,
        found=found,
        where=f"GET {url}",
        remedy=look
        if answer.status < _FIRST_SERVER_ERROR
        else commands.read_log(environment, service.name, otherwise=look),
        evidence=_body(answer, environment),
        latency_ms=latency_ms,
        status=answer.status,
    )


def _wrong(service: Service, environment: Environment, answer: Answer) -> tuple[str, str] | None:
    """Return what was expected of an answer and found in it, or None where it is as it should be."""
    if answer.status != service.status:
        location = answer.headers.get("location") if answer.status in _REDIRECTS else None
        to = "" if location is None else f" to {redacted(location, environment)}"
        return f"status {service.status}", f"{answer.status} {answer.reason}".strip() + to
    if service.body is Format.JSON:
        kind = answer.content_type
        if kind == "text/html":
            return "a JSON body", "HTML instead of JSON"
        try:
            json.loads(answer.body)
        except ValueError:
            return "a JSON body", f"a body that is not JSON ({kind or 'no content type'})"
    if service.body is Format.HTML:
        begins = answer.text.lstrip().lower()
        if answer.content_type != "text/html" and not begins.startswith(("<!doctype html", "<html")):
            return "an HTML body", f"a body that is not HTML ({answer.content_type or 'no content type'})"
    if service.contains is not None and service.contains not in answer.text:
        return f"a body that contains {service.contains!r}", f"a body without {service.contains!r}"
    return None


def _keeps_its_budget(service: Service, budget_ms: float, environment: Environment) -> Verdict:
    answers = _asked(service, environment, requests=REQUESTS)
    if isinstance(answers, Verdict):
        return answers
    took_ms = [answer.took_s * 1000 for answer in answers]
    median_ms = sorted(took_ms)[REQUESTS // 2]
    if median_ms <= budget_ms:
        return passed(f"{median_ms:.0f} ms of {budget_ms:g} ms", latency_ms=median_ms, budget_ms=budget_ms)
    url = _url(service, environment)
    look = f"curl --output /dev/null --silent --write-out '%{{time_total}}\\n' {shlex.quote(url)}"
    return failed(
        f"{service.name} takes {median_ms:.0f} ms, {median_ms / budget_ms:.1f} times its budget",
        expected=f"a median of at most {budget_ms:g} ms for {REQUESTS} requests",
        found=", ".join(f"{each:.0f} ms" for each in took_ms),
        where=f"GET {url}",
        remedy=commands.read_log(environment, service.name, otherwise=look),
        latency_ms=median_ms,
        budget_ms=budget_ms,
    )


def _body(answer: Answer, environment: Environment) -> tuple[Evidence, ...]:
    text = " ".join(redacted(answer.text, environment).split())
    if not text:
        return ()
    shown = text if len(text) <= _EXCERPT_CHARACTERS else text[:_EXCERPT_CHARACTERS] + " …"
    return (Evidence("the body begins", shown),)


def _url(service: Service, environment: Environment) -> str:
    return environment.endpoints[service.name].base_url.rstrip("/") + service.health
