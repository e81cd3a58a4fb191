"""What a Tiltfile says."""

from __future__ import annotations

import pytest

from pytest_devenv.cli.init.tiltfile import Resource, Tiltfile, read_tiltfile


def test_resources_and_contexts_are_read() -> None:
    """Every way to write a port forward is understood, and what is computed is passed over."""
    text = """
load('ext://restart_process', 'docker_build_with_restart')
config.define_string_list("to-run", args=True)
allow_k8s_contexts(['kind-shop', 'minikube'])
if True:
    k8s_resource('web', port_forwards=['9000', '127.0.0.1:8080:80'], resource_deps=['db'], labels=["a"])
k8s_resource(workload='db', port_forwards=port_forward(15432, 5432, name='x'))
k8s_resource('cache', port_forwards=6379)
k8s_resource('both', port_forwards=[1, '2:3'])
k8s_resource(name_of(x), port_forwards=ports())
k8s_resource('computed', port_forwards=ports(), resource_deps=deps)
"""
    assert read_tiltfile(text) == Tiltfile(
        resources=(
            Resource("db", ((15432, 5432),)),
            Resource("cache", ((6379, None),)),
            Resource("both", ((1, None), (2, 3))),
            Resource("computed"),
            Resource("web", ((9000, None), (8080, 80)), ("db",)),
        ),
        contexts=("kind-shop", "minikube"),
    )


def test_a_process_that_tilt_keeps_running_is_read() -> None:
    """Its port is that of its readiness probe, else of a link to this machine; a command that ends is no service."""
    text = """
local_resource('web', serve_cmd='npm run dev', resource_deps=['api'],
               readiness_probe=probe(http_get=http_get_action(port=3000, path='/ready')))
local_resource('api', serve_cmd='make run', links=['https://example.org:1', link('http://localhost:8000/docs', 'docs')])
local_resource('worker', serve_cmd='make work')
local_resource('lint', 'make lint', links=['http://localhost:9'])
local_resource(name_of(x), serve_cmd='y', links=['http://localhost:99999'])
local_resource('odd', serve_cmd='y', links=['http://localhost:99999'])
"""
    assert read_tiltfile(text).resources == (
        Resource("web", ((3000, None),), ("api",), "/ready"),
        Resource("api", ((8000, None),)),
    )


@pytest.mark.parametrize("broken", ["def f(:\n", "\0", "x = " + "(" * 1000])
def test_what_python_does_not_parse_is_read_by_pattern(broken: str) -> None:
    """A Tiltfile that is no Python still gives its plain resources."""
    text = f"{broken}\nk8s_resource('web', port_forwards='8080:80')\nk8s_resource(\n  'db',\n  port_forwards=[5432])\n"

    assert read_tiltfile(text) == Tiltfile((Resource("web", ((8080, 80),)), Resource("db", ((5432, None),))))
