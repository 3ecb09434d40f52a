# What a newcomer, a maintainer and CI call. `make demo` and `make test` install everything they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO_HOME := var/demo
# Tests that wait for a process or a browser leave a core idle.
WORKERS := $(shell echo $$(($$(nproc) + 1)))

# Compiled code is kept between processes, whatever the shell says: without it each start costs up to a second more.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test lint types translations bench study fuzz serve lock system system-test clean

demo: $(VENV)/run.stamp $(VENV)/loops.stamp system
	MONITOR_HOME=$(DEMO_HOME) $(BIN)/monitor demo

serve: $(VENV)/run.stamp
	MONITOR_HOME=$(DEMO_HOME) $(BIN)/monitor serve

test: $(VENV)/dev.stamp $(VENV)/loops.stamp system-test
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/python -m tools.translations --check

translations: $(VENV)/dev.stamp
	$(BIN)/python -m tools.translations

types: $(VENV)/dev.stamp
	$(BIN)/mypy

bench: $(VENV)/dev.stamp
	$(BIN)/python -m benchmarks

study: $(VENV)/dev.stamp
	$(BIN)/python -m benchmarks.study --write docs
	$(BIN)/python -m benchmarks.study_standings --write docs

fuzz: $(VENV)/dev.stamp
	@set -e; for format in $$($(BIN)/python -c 'from monitor.formats.catalogue import FORMATS; print(*FORMATS)'); do $(BIN)/python -m tools.fuzz $$format --seconds 60; done

lock: $(VENV)/dev.stamp
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --extra dev -o requirements-dev.lock pyproject.toml
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header -c requirements-dev.lock -o requirements.lock pyproject.toml

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install -q --require-hashes -r requirements.lock
	$(BIN)/pip install -q --no-deps -e .
	touch $@

$(VENV)/dev.stamp: requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install -q --require-hashes -r requirements-dev.lock
	$(BIN)/pip install -q --no-deps -e .
	touch $@ $(VENV)/run.stamp

# The loops of the estimators are compiled once, here, and not in the first score.
LOOPS := $(shell grep -rl --include='*.py' '^@compiled' monitor)
$(VENV)/loops.stamp: $(LOOPS) tools/compile_loops.py requirements.lock | $(VENV)/bin/python
	$(BIN)/python -m tools.compile_loops
	touch $@

# The PDF needs Pango, the browser tests Chromium, Spark Java, a test nginx: installed where we may, named where we may not.
system:
	@tools/system-packages libpango-1.0-0 libpangoft2-1.0-0

system-test: system
	@tools/system-packages chromium default-jre-headless nginx

clean:
	rm -rf $(VENV) var build .mypy_cache .ruff_cache .pytest_cache
