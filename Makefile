# The README's two commands are `make health` and `make test`. Everything is installed into .venv, once.

TARGET ?= embedded
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
,      := ,

.PHONY: help health test perf tools lint bench docs clean cluster cluster-programs cluster-down test-cluster \
  tilt-guide tilt-validate tilt-performance tilt-warm-cache

help:
	@echo "make health   is the reference environment healthy?  (TARGET=embedded, addresses or cluster)"
	@echo "make test     the project's own tests"
	@echo "make cluster  a real Kubernetes on this machine, for make test-cluster; make cluster-down takes it away"
	@echo "make perf     does the reference environment keep its budgets?  (on a quiet machine)"
	@echo "make lint     ruff, mypy, the floors of the house"
	@echo "make bench    the benchmarks; results go to benchmarks/RESULTS.md"
	@echo "make tilt-guide       be led to a healthy environment, one remedy after another"
	@echo "make tilt-validate    settings, manifests, Tiltfile and tools, with nothing started"
	@echo "make tilt-performance builds cold and warm, and edits until they are live, against their budgets"
	@echo "make tilt-warm-cache  build every image, so that the next build finds its layers"
	@echo "make docs     write the generated references and the README's picture again"

health: $(VENV)/.health
	$(BIN)/pytest -m health --devenv-target=$(TARGET)

# In the order of the folders, those first that start environments: none of them is what the others wait for at the end.
test: $(VENV)/.test tools
	$(BIN)/pytest -n 4 --dist loadfile --no-loadscope-reorder tests app --ignore=tests/cluster
	$(BIN)/pytest checks -m "not perf" --devenv-target=embedded

# Not part of make test: on a busy machine everything is over its budget. That each measurement sees what is slow is
# tested, though.
perf: $(VENV)/.test
	$(BIN)/pytest checks -m perf --devenv-target=$(TARGET)

# What tests compare with, fetched or built once into the user's cache. Without one of them its tests are skipped, and
# say so; with CI=true they fail.
tools: $(VENV)/.test
	-@$(BIN)/python -m tests.integration.migrate.sqlx_tools
	-@$(BIN)/python -m tests.integration.migrate.pgbouncer_tool

# A kind cluster with the reference environment's images. What this machine lacks for it is made once and kept in the
# user's cache: 10 minutes, of which cluster-programs takes 8 and needs nothing of the rest.
cluster: $(VENV)/.test
	@$(BIN)/python -m tests.cluster.kind up

cluster-programs: $(VENV)/.test
	@$(BIN)/python -m tests.cluster.kind prepare

cluster-down: $(VENV)/.test
	@$(BIN)/python -m tests.cluster.kind down

test-cluster: $(VENV)/.test
	@$(BIN)/python -m tests.cluster.kind status >/dev/null 2>&1 || $(MAKE) cluster
	@$(BIN)/python -m tests.cluster.kind exec -- $(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder \
	  tests/cluster --ignore=tests/cluster/alone
	@$(BIN)/python -m tests.cluster.kind exec -- $(BIN)/pytest tests/cluster/alone -m "not slow"

tilt-guide: $(VENV)/.health
	@$(BIN)/pytest-devenv guide

tilt-validate: $(VENV)/.health
	@$(BIN)/pytest-devenv validate

tilt-performance: $(VENV)/.health
	@$(BIN)/pytest-devenv env build-performance

tilt-warm-cache: $(VENV)/.health
	@$(BIN)/pytest-devenv env warm-cache

lint: $(VENV)/.test
	$(BIN)/pre-commit run --all-files --show-diff-on-failure

bench: $(VENV)/.test
	$(BIN)/python -m benchmarks

docs: $(VENV)/.test
	$(BIN)/python docs/generate.py
	$(BIN)/python docs/picture.py

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "make: Python 3.11 or later is missing: $(PYTHON) is $$($(PYTHON) --version 2>&1); try make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  rm -rf $(VENV); echo "make: Python's venv is missing: apt-get install python3-venv"; exit 1; }
	-@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

# uv needs a third of pip's time. Where it cannot be had, or knows of no index that pip's configuration names, pip does it.
define install
	@echo "installing into $(VENV): $(1)"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode $(1) 2>/dev/null || \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check $(1)
endef

# The entry point is no editable install, since pytest rewrites the assertions of the package of one that is: in each run
# without bytecode caches, in whichever thread imports a module, which Python 3.11 does not always survive (SystemError).
$(VENV)/.health: $(VENV)/bin/python pyproject.toml entry/pyproject.toml app/backend/requirements.txt
	$(call install,-e '.[embedded$(,)alembic]' -r app/backend/requirements.txt)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps ./entry
	@touch $@

$(VENV)/.test: $(VENV)/.health
	$(call install,-e '.[test]')
	@touch $@
