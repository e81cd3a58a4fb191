"""What Tilt's API objects mean."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_devenv.clients.tilt.values import Forward, Resource

STAMP = "2026-03-01T09:00:01.500000Z"
UNIX = 1772355601.5


def item(**status: Any) -> dict[str, Any]:  # noqa: ANN401  # as JSON has it
    """Make a UIResource as Tilt prints one."""
    return {"metadata": {"name": "backend", "labels": {"services": "services"}}, "status": status}


def test_resource_holds_its_builds_and_states() -> None:
    """Times become Unix times, and an error stays with its build."""
    found = Resource.from_json(
        item(
            updateStatus="error",
            runtimeStatus="ok",
            order=3,
            buildHistory=[
                {"startTime": STAMP, "finishTime": "2026-03-01T09:00:04Z", "spanID": "build:2", "error": "exit 3"},
                {"startTime": STAMP, "finishTime": STAMP, "spanID": "build:1"},
            ],
            endpointLinks=[{"url": "http://localhost:3000/"}],
            specs=[{"type": "image", "hasLiveUpdate": True}],
            k8sResourceInfo={"podName": "backend-1", "podStatus": "Running"},
        )
    )
    assert (found.builds[0].started, found.builds[0].took_s, found.builds[0].error) == (UNIX, 2.5, "exit 3")
    assert found.builds[1].error is None
    assert (found.labels, found.links, found.pod, found.live_update) == (
        ("services",),
        ("http://localhost:3000/",),
        "backend-1",
        True,
    )
    assert found.is_failing
    assert not found.is_ready


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ({"updateStatus": "ok", "runtimeStatus": "ok"}, "ready"),
        ({"updateStatus": "ok", "runtimeStatus": "not_applicable"}, "ready"),
        ({"updateStatus": "not_applicable", "runtimeStatus": "ok"}, "ready"),
        ({"updateStatus": "ok", "runtimeStatus": "pending"}, "busy"),
        ({"updateStatus": "pending", "runtimeStatus": "ok"}, "busy"),
        ({"updateStatus": "ok", "runtimeStatus": "ok", "queued": True}, "busy"),
        ({"updateStatus": "ok", "runtimeStatus": "ok", "currentBuild": {"startTime": STAMP}}, "busy"),
        ({"updateStatus": "ok", "runtimeStatus": "ok", "pendingBuildSince": STAMP}, "busy"),
        ({"updateStatus": "ok", "runtimeStatus": "error"}, "failing"),
        ({"updateStatus": "ok", "runtimeStatus": "unknown"}, "none"),
        ({}, "none"),
    ],
)
def test_resource_is_ready_busy_failing_or_none_of_them(status: dict[str, Any], state: str) -> None:
    """What Tilt does not know is neither ready nor failing."""
    found = Resource.from_json(item(**status))
    states = {"ready": found.is_ready, "busy": found.is_busy, "failing": found.is_failing}
    assert [name for name, holds in states.items() if holds] == [] if state == "none" else [state]


def test_button_is_manual_and_untouched_until_it_was_pressed() -> None:
    """A trigger that nobody has pressed is no resource that is pending."""
    status: dict[str, Any] = {"updateStatus": "none", "runtimeStatus": "not_applicable", "triggerMode": 2}
    assert Resource.from_json(item(**status)).state == "not run yet"
    pressed = Resource.from_json(item(**status, buildHistory=[{"startTime": STAMP, "finishTime": STAMP}]))
    assert pressed.manual
    assert not pressed.is_untouched


def test_resource_says_what_it_waits_for() -> None:
    """Waiting has a reason, and the names of what is waited for."""
    waiting = {"reason": "waiting-for-dep", "on": [{"name": "postgres"}, {"name": "redis"}]}
    assert Resource.from_json(item(waiting=waiting)).waiting == "waiting-for-dep: postgres, redis"
    disabled = Resource.from_json(item(disableStatus={"state": "Disabled"}))
    assert (disabled.disabled, disabled.state) == (True, "disabled")


def test_forwards_have_their_own_states() -> None:
    """Each forward of a PortForward is bound, failed, or not bound yet."""
    bound, failed, neither = Forward.all_of(
        {
            "metadata": {"name": "backend-backend-1", "annotations": {"tilt.dev/resource": "backend"}},
            "spec": {
                "podName": "backend-1",
                "forwards": [
                    {"localPort": 3000, "containerPort": 3000, "host": "127.0.0.1"},
                    {"localPort": 3001, "containerPort": 3001, "host": ""},
                    {"localPort": 3002, "containerPort": 3002},
                ],
            },
            "status": {
                "forwardStatuses": [
                    {"localPort": 3000, "containerPort": 3000, "startedAt": STAMP},
                    {"localPort": 3001, "containerPort": 3001, "error": "address already in use"},
                ]
            },
        }
    )
    assert (bound.resource, bound.host, bound.started, bound.error) == ("backend", "127.0.0.1", UNIX, None)
    assert (failed.host, failed.started, failed.error) == ("localhost", None, "address already in use")
    assert (neither.started, neither.error) == (None, None)
