# make run         everything up, with the demo clinic, on SQLite
# make test        the whole suite, on SQLite and on PostgreSQL
# make check       format, lint, types, layers, templates, migrations, deploy settings
# make demo-reset  a fresh demo clinic

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes

.DEFAULT_GOAL := run
.PHONY: venv run demo-reset test test-sqlite test-postgres faults looks check format requirements clean

$(VENV)/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "This needs Python 3.11 or newer: say which one with 'make PYTHON=python3.11 run'."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "This Python cannot make virtual environments: install its venv package (on Debian: apt install python3-venv)."; exit 1; }
	@echo "Making the virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/run: requirements.txt $(VENV)/made
	@echo "Installing what the application needs (once, a minute or so)"
	@$(PIP) -r requirements.txt
	@touch $@

$(VENV)/dev: requirements-dev.txt $(VENV)/run
	@echo "Installing what tests and checks need (once, a few minutes)"
	@$(PIP) -r requirements-dev.txt
	@touch $@

venv: $(VENV)/dev

requirements: $(VENV)/dev
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header $(UPGRADE) requirements.in -o requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header $(UPGRADE) requirements-dev.in -o requirements-dev.txt
