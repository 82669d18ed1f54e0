# Each target works from a fresh clone: it makes its own virtual environment first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CONSTRAINTS := constraints.txt

# $(call install,WHAT): into the virtual environment. Without a network: one line instead of pip's forty.
define install
@echo "installing $(1) into $(VENV)"
@$(BIN)/python -m pip install --quiet --disable-pip-version-check --retries 2 -c $(CONSTRAINTS) $(1) >$(VENV)/pip.log 2>&1 || { \
	if grep -qE 'connection broken|ConnectionError|ConnectTimeout|ProxyError' $(VENV)/pip.log; \
	then echo "make: no network: pip reaches no package index, and this has to install $(1) first" >&2; \
	else cat $(VENV)/pip.log >&2; fi; exit 1; }
endef

# $(call each,TARGETS): make each, also after one that failed, and say at the end which did.
define each
@failed=; for part in $(1); do $(MAKE) --no-print-directory $$part || failed="$$failed $$part"; done; \
if test -n "$$failed"; then echo "make $@: failed:$$failed" >&2; exit 1; fi; \
echo "make $@: passed: $(1)"
endef

.PHONY: help demo check test unit servers rulemutants rules matrix floors coverage peers mutants fuzz lint format bench speed siege survival faults follow leak certify scale mixin picture pictures docs clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/run  ## run ALL-USE with a live table; STACK=1 adds Prometheus and Alertmanager, ARGS="--rate 50" options
	@exec $(BIN)/python -m alluse demo --foreground $(if $(STACK),--stack .) $(ARGS)

check:  ## run everything that has to pass before a change lands
	$(call each,lint test rulemutants matrix floors speed)

test: $(VENV)/tests  ## run all tests, those with real servers too
	$(call each,unit servers)

unit: $(VENV)/tests  ## run the tests that need no server; ARGS="-p randomly --randomly-seed=7" repeats an order
	$(BIN)/pytest -n 2 --dist loadgroup -m 'not servers' $(ARGS)

servers: $(VENV)/tests  ## run the tests that need servers; installs these where it may
	$(BIN)/python tests/servers.py
	$(BIN)/pytest -n 2 --dist loadgroup -m 'servers and not mutants' $(ARGS)

rulemutants: $(VENV)/tests  ## change each rule in every way, and see whether its tests notice; ARGS="-k pool" picks one
	$(BIN)/python tests/servers.py prometheus
	$(BIN)/pytest -n 2 --dist loadgroup -m mutants $(ARGS)

rules: $(VENV)/tests  ## try the rules with thresholds of your own: CONFIG=mixin.yaml
	$(BIN)/python tests/servers.py prometheus
	MIXIN_CONFIG=$(CONFIG) $(BIN)/pytest tests/rules/test_own_thresholds.py $(ARGS)

matrix:  ## run the unit tests on every Python found, from 3.11 on
	$(call each,$(or $(shell $(PYTHON) tests/interpreters.py),python3.11))

python3.%:
	$(MAKE) --no-print-directory unit VENV=.venvs/$@ PYTHON="$$($(PYTHON) tests/interpreters.py $@)"

floors: .venvs/floors.txt  ## run the unit tests on the oldest versions that pyproject.toml allows
	$(MAKE) --no-print-directory unit VENV=.venvs/floors CONSTRAINTS=$< \
		PYTHON="$$($(PYTHON) tests/interpreters.py "$$($(PYTHON) tests/interpreters.py | head -1)")"

coverage: $(VENV)/tests  ## tell which lines no unit test runs, but for what runs in child processes
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -m 'not servers' $(ARGS)
	$(BIN)/coverage report

peers: $(VENV)/peers  ## run the libraries' own test suites on instrumented objects; ARGS="cachetools" picks one
	$(BIN)/python tests/peers/run.py $(ARGS)

mutants: $(VENV)/mutants  ## change the code at random and see whether its tests notice; ARGS="health meters" picks parts
	$(BIN)/python tests/mutants/run.py $(ARGS)

fuzz: $(VENV)/tests  ## send an exporter what no client should; ARGS="--seconds 3600 --seed 7"
	$(BIN)/python tests/fuzz/run.py $(ARGS)

lint: $(VENV)/dev  ## check style, types, import direction, and that generated files are fresh
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/manometer mixin --check
	$(BIN)/cog --check -P README.md docs/*.md docs/runbooks/*.md

format: $(VENV)/dev  ## put the code into its style
	$(BIN)/ruff check --fix --exit-zero .
	$(BIN)/ruff format .

bench: $(VENV)/dev  ## measure speeds as ratios, and compare them with the committed run; RECORD=1 keeps them as that
	$(BIN)/python benchmarks/run.py $(if $(RECORD),--record)

speed: $(VENV)/run  ## the same with counts of instructions, quickly: valgrind counts, which is installed where it may
	$(BIN)/python tests/servers.py valgrind
	$(BIN)/python benchmarks/instructions.py $(if $(RECORD),--record)

siege: $(VENV)/dev  ## besiege an exporter for some minutes; prints a table, writes benchmarks/siege.json
	$(BIN)/python benchmarks/siege.py

survival: $(VENV)/dev  ## kill processes, fill a disk, take a receiver away; prints a table, RECORD=1 keeps it for docs
	$(BIN)/python benchmarks/survival/run.py $(if $(RECORD),--record)

faults: $(VENV)/dev  ## break programs in every known way, and see who is told; nine minutes; RECORD=1 keeps it for docs
	$(BIN)/python tests/servers.py prometheus prometheus-alertmanager
	PYTHONPATH=tests/shared $(BIN)/python -m fault_matrix $(if $(RECORD),--record) $(ARGS)

follow: $(VENV)/dev  ## follow a slow order from its alert to its trace to its log line; RECORD=1 keeps it for docs
	$(BIN)/python tests/servers.py prometheus prometheus-alertmanager
	PYTHONPATH=tests/shared $(BIN)/python -m slow_order $(if $(RECORD),--record)

leak: $(VENV)/run  ## have ALL-USE leak memory, and keep its report of that for the runbook; half a minute
	$(BIN)/python tests/shared/leak_report.py

certify: $(VENV)/dev  ## check what ALL-USE's makers published on a real Prometheus, in four minutes
	$(BIN)/python tests/servers.py prometheus prometheus-alertmanager
	$(BIN)/python benchmarks/certify.py

scale: $(VENV)/dev  ## measure what the rules cost with a thousand instances, in some minutes; RECORD=1 keeps it for docs
	$(BIN)/python tests/servers.py prometheus
	$(BIN)/python tests/scale/run.py $(if $(RECORD),--record) $(ARGS)

mixin: $(VENV)/dev  ## write dashboards/, alert_rules/ and what ALL-USE has of its own anew
	$(BIN)/manometer mixin
	$(BIN)/python -m alluse.dashboard compose/grafana/dashboards/alluse.json
	$(BIN)/manometer mixin --config compose/mixin.yaml --service compose/services/alluse.yaml --out $(VENV)/mixin >$(VENV)/mixin.log
	rm -f compose/prometheus/rules/*.yaml
	cp $(VENV)/mixin/alert_rules/*.yaml compose/prometheus/rules/

picture: $(VENV)/run  ## draw docs/live-table.svg from a run of the demo
	$(BIN)/python docs/live_table.py

pictures: $(VENV)/tests  ## draw docs/dashboards/*.svg from a run of the demo beside a Prometheus, in ten minutes
	$(BIN)/python docs/dashboard_pictures.py

docs: $(VENV)/dev  ## fill the tables of README.md and docs/ from the code
	$(BIN)/cog -r -P README.md docs/*.md docs/runbooks/*.md

clean:  ## remove what the targets made
	rm -rf $(VENV) .venvs .mutants dist .coverage .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

# What a program needs to run, what its tests need on top, and what a contributor needs besides.

$(VENV)/run: pyproject.toml src/alluse/requirements.txt $(CONSTRAINTS)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(call install,-r src/alluse/requirements.txt)
	@touch $@

$(VENV)/tests: $(VENV)/run tests/requirements.txt
	$(call install,-r tests/requirements.txt)
	@touch $@

$(VENV)/dev: $(VENV)/tests tests/lint.txt
	$(call install,-r tests/lint.txt)
	@touch $@

$(VENV)/peers: $(VENV)/dev tests/peers/requirements.txt
	$(call install,-r tests/peers/requirements.txt)
	@touch $@

$(VENV)/mutants: $(VENV)/dev tests/mutants/requirements.txt
	$(call install,-r tests/mutants/requirements.txt)
	@touch $@

.venvs/floors.txt: pyproject.toml constraints.txt tests/floors.py
	@mkdir -p $(@D)
	$(PYTHON) tests/floors.py >$@
