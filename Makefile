# Everything lives in .venv: nothing outside this folder is touched.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# Without the hook, which builds kernels for other machines than this one.
INSTALL := HATCH_BUILD_NO_HOOKS=true $(PIP) install --editable

# How many processes test side by side.
WORKERS ?= 2
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

.PHONY: train test test-all coverage check docs kernels bench bench-all peer browser clean

train: $(VENV)/residua.stamp
	$(BIN)/residua train digits

# Every module on real behaviour, in minutes: of long lists of cases a random sample.
test: $(VENV)/test.stamp
	$(PYTEST)

test-all: $(VENV)/test.stamp
	$(PYTEST) -m ""

# Which lines the tests run; counting them takes two thirds of the time again.
coverage: $(VENV)/test.stamp
	$(PYTEST) -m "" --cov --cov-report=term

check: $(VENV)/test.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(MAKE) test-all

# What documents draw from the code: the table of folders, the pictures, the links' lines, results.
docs: $(VENV)/residua.stamp
	$(BIN)/python tools/house.py --table
	$(BIN)/python tools/draw_house.py
	$(BIN)/python tools/code_links.py
	$(BIN)/python tools/results_page.py

# What Numba makes of the kernels, for this machine: a minute less where kernels are compiled anew. Kernels that
# were edited since are made by Numba when they are needed.
kernels: $(VENV)/residua.stamp
	$(BIN)/python -m residua.engines.numba.carry --host

# The peers are optional: without them the benchmarks time residua alone, and the tests against them skip.
bench: kernels
	$(BIN)/residua bench

bench-all: kernels
	$(BIN)/residua bench --cases all --json benchmarks/results/all.json
	$(BIN)/residua bench --threads 1 --json benchmarks/results/one-thread.json

peer: $(VENV)/residua.stamp
	$(INSTALL) '.[fast,peer]'

# Optional too: what the tests of the report and of `residua page` drive a Chromium of the system with; without it they skip.
browser: $(VENV)/residua.stamp
	$(PIP) install --group browser

$(VENV)/python.stamp:
	$(PYTHON) -c 'import sys; sys.exit("residua needs Python 3.11 or newer, this is " + sys.version.split()[0] + ": make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --upgrade 'pip>=25.1'
	touch $@

$(VENV)/residua.stamp: $(VENV)/python.stamp pyproject.toml
	$(INSTALL) '.[fast]'
	touch $@

$(VENV)/test.stamp: $(VENV)/residua.stamp
	$(PIP) install --group check
	touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
