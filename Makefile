# Each target works from a fresh clone: it makes its own virtual environment first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: help demo test unit peers mutants lint format bench mixin docs clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/run  ## run ALL-USE with a live table; STACK=1 adds Prometheus and Alertmanager, ARGS="--rate 50" options
	@exec $(BIN)/alluse demo --foreground $(if $(STACK),--stack .) $(ARGS)

test: unit  ## run all tests, those with real servers too
	$(BIN)/python tests/servers.py
	$(BIN)/pytest -n 2 --dist loadgroup -m servers

unit: $(VENV)/dev  ## run the tests that need no server
	$(BIN)/pytest -n 2 --dist loadgroup -m 'not servers'

peers: $(VENV)/peers  ## run the libraries' own test suites on instrumented objects; ARGS="cachetools" picks one
	$(BIN)/python tests/peers/run.py $(ARGS)

mutants: $(VENV)/mutants  ## change the code at random and see whether its tests notice; ARGS="health meters" picks parts
	$(BIN)/python tests/mutants/run.py $(ARGS)

lint: $(VENV)/dev  ## check style, types, import direction, and that generated files are fresh
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/manometer mixin --check
	$(BIN)/cog --check -P README.md docs/*.md

format: $(VENV)/dev  ## put the code into its style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/dev  ## measure speeds as ratios; prints a table, writes benchmarks/results.json
	$(BIN)/python benchmarks/run.py

mixin: $(VENV)/dev  ## write dashboards/ and alert_rules/ anew from the catalogue
	$(BIN)/manometer mixin

docs: $(VENV)/dev  ## fill the tables of README.md and docs/ from the code
	$(BIN)/cog -r -P README.md docs/*.md

clean:  ## remove what the targets made
	rm -rf $(VENV) .mutants dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

# What a program needs to run, and what a contributor needs on top.

$(VENV)/run: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) -e '.[alluse]'
	@touch $@

$(VENV)/dev: $(VENV)/run tests/requirements.txt
	$(INSTALL) -r tests/requirements.txt
	@touch $@

$(VENV)/peers: $(VENV)/dev tests/peers/requirements.txt
	$(INSTALL) -r tests/peers/requirements.txt
	@touch $@

$(VENV)/mutants: $(VENV)/dev tests/mutants/requirements.txt
	$(INSTALL) -r tests/mutants/requirements.txt
	@touch $@
