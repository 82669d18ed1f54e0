# Each target works from a fresh clone: it makes its own virtual environment first.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: demo test lint bench mixin docs clean

# What a program needs to run, and what a contributor needs on top.
$(VENV)/run: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[alluse]'
	@touch $@

$(VENV)/dev: $(VENV)/run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -r tests/requirements.txt
	@touch $@

demo: $(VENV)/run  ## run ALL-USE with a live table; STACK=1 adds Prometheus and Alertmanager
	@exec $(BIN)/alluse demo $(if $(STACK),--stack .)
