"""Whether the API server answers, whether kubectl fits it, and whether its clock and ours agree."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from pytest_devenv.probes.cluster.kubectl import kubectl_of
from pytest_devenv.probes.cluster.refusals import refused, said
from pytest_devenv.probes.cluster.snapshot import cluster_of
from pytest_devenv.probes.probe import Probe, probe_id
from pytest_devenv.probes.shared import Shared
from pytest_devenv.targets.environment import CLUSTER_FAULT
from pytest_devenv.verdict import failed, off, passed, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_devenv.targets.environment import Environment
    from pytest_devenv.verdict import Verdict

SUBJECT = "cluster"  # a context may hold what no id of a test can, and a database may be called as the settings are
MOST_SKEW_S = 2.0
ANSWERS_ID = probe_id("cluster.answers", SUBJECT)
_MINORS_APART = 1  # https://kubernetes.io/releases/version-skew-policy/#kubectl
_VERSION = re.compile(r"v?(?P<major>\d+)\.(?P<minor>\d+)")
_PATH = "/version"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the API server says of itself: its version, and its time in whole seconds since the epoch, where it says it.

    `asked_s` and `came_s` are our own clock's times before and after.
    """

    version: str
    date_s: float | None
    asked_s: float
    came_s: float


def probes() -> Iterator[Probe]:
    """Yield what is looked at of the API server itself."""
    shared = Shared(_asked)
    yield Probe(name="cluster.answers", subject=SUBJECT, look=partial(_answers, shared))
    for name, look in (
        ("cluster.fits_kubectl", _fits_kubectl),
        ("cluster.tells_the_time", _tells_the_time),
    ):
        yield Probe(name=name, subject=SUBJECT, look=partial(look, shared), requires=(ANSWERS_ID,))


def _asked(environment: Environment) -> Answer:
    api = cluster_of(environment).api
    asked_s = time.time()
    reply = api.transport.exchange("GET", _PATH, None, {"Accept": "application/json"}, deadline_s=api.deadline_s)
    came_s = time.time()
    if reply.status != HTTPStatus.OK:
        raise api.refusal("GET", _PATH, reply)
    date = reply.headers.get("date")
    return Answer(
        version=str(json.loads(reply.body).get("gitVersion", "")),
        date_s=None if date is None else parsedate_to_datetime(date).timestamp(),
        asked_s=asked_s,
        came_s=came_s,
    )


def _answers(shared: Shared[Answer], environment: Environment) -> Verdict:
    from pytest_devenv.clients.kubernetes import ApiError, UnreachableError

    fault = environment.faults.get(CLUSTER_FAULT)
    if fault is not None:
        return fault
    cluster = cluster_of(environment)
    try:
        answer = shared.get("cluster.answers", environment)
    except ApiError as error:
        return refused(error, kubectl_of(environment.settings, cluster))
    except UnreachableError as error:
        return said(error)
    return passed(
        f"Kubernetes {answer.version} answers, context {cluster.context}",
        latency_ms=(answer.came_s - answer.asked_s) * 1000,
        version=answer.version,
        context=cluster.context,
        platform=None if cluster.platform is None else cluster.platform.name,
    )


def _fits_kubectl(shared: Shared[Answer], environment: Environment) -> Verdict:
    command = shutil.which("kubectl")
    if command is None:
        return off("there is no kubectl here")
    server = shared.get("cluster.fits_kubectl", environment).version
    try:
        done = subprocess.run(
            [command, "version", "--client", "--output=json"],
            capture_output=True,
            text=True,
            timeout=environment.settings.deadline_s,
            check=True,
        )
        client = str(json.loads(done.stdout)["clientVersion"]["gitVersion"])
    except (OSError, subprocess.SubprocessError, ValueError, KeyError) as error:
        return unknown(
            f"kubectl does not tell its version: {type(error).__name__}",
            where=command,
            remedy=f"see what it says: {command} version --client",
        )
    return judge_skew(client, server, command)


def judge_skew(client: str, server: str, command: str) -> Verdict:
    """Return whether kubectl and the API server are at most one minor version apart.

    One that is further apart is told of and fails nothing: only people use it, and it mostly works all the same.
    """
    ours, theirs = _VERSION.match(client), _VERSION.match(server)
    if ours is None or theirs is None:
        return off(f"kubectl {client} and Kubernetes {server} cannot be compared")
    apart = abs(int(ours["minor"]) - int(theirs["minor"]))
    if ours["major"] == theirs["major"] and apart <= _MINORS_APART:
        return passed(f"kubectl {client} fits {server}", kubectl=client, version=server)
    return off(
        f"{command} is {client}, {apart} minor versions from Kubernetes {server}, and {_MINORS_APART} is supported: "
        f"its part of a remedy may need kubectl {theirs['major']}.{theirs['minor']}"
    )


def _tells_the_time(shared: Shared[Answer], environment: Environment) -> Verdict:
    cluster = cluster_of(environment)
    return judge_clock(shared.get("cluster.tells_the_time", environment), cluster.api.server)


def judge_clock(answer: Answer, server: str) -> Verdict:
    """Return whether the server's clock and ours agree, as far as its Date, which has whole seconds, can tell."""
    if answer.date_s is None:
        return unknown("the API server does not say what time it is", where=server, remedy="ask it without a proxy")
    ahead_s = max(0.0, answer.date_s - answer.came_s)
    behind_s = max(0.0, answer.asked_s - (answer.date_s + 1))
    skew_s = ahead_s - behind_s
    if abs(skew_s) <= MOST_SKEW_S:
        return passed("the API server's clock and this machine's agree", skew_s=round(skew_s, 3))
    way = "ahead of" if skew_s > 0 else "behind"
    return failed(
        f"the API server's clock is {abs(skew_s):.1f} s {way} this machine's",
        expected=f"clocks at most {MOST_SKEW_S:g} s apart",
        found=f"at least {abs(skew_s):.1f} s {way} this machine, by its Date header",
        where=server,
        remedy="set both clocks by NTP (sudo timedatectl set-ntp true); restart a virtual machine that has slept",
        skew_s=round(skew_s, 3),
    )
