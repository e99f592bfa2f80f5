# make run         everything up, with the demo clinic, on SQLite
# make test        the whole suite, on SQLite and on PostgreSQL
# make faults      the long fault tests: killed processes, broken networks
# make mutants     the reminder machine broken on purpose, a line at a time: which tests notice (an hour or more)
# make looks       pictures of every screen, and the accessibility check on each
# make pictures    the pictures of README.md
# make check       format, lint, types, layers, templates, migrations, deploy settings
# make demo-reset  a fresh demo clinic

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes

VAR    := $(abspath $(or $(IL2_VAR),var))
# The demo stands on SQLite, whatever the environment says: it never fills somebody's real database.
MANAGE := env -u DATABASE_URL IL2_DEMO=True IL2_LOG_LEVEL=WARNING IL2_VAR=$(VAR) IL2_SECRET_KEY_FILE=$(VAR)/secret-key $(BIN)/python manage.py
# What a real installation would say, for the checks.
REAL   := IL2_SECRET_KEY=a-long-secret-that-only-the-checks-use-0123456789abcdefghijklmnopq IL2_BASE_URL=https://diary.example
PYTEST := $(BIN)/python -m pytest
# For two cores: one of three is always waiting for a page, a process or a lock.
WORKERS ?= 3
# What claims how long somebody waits comes last, with nothing beside it.
suite = status=0; export IL2_TEST_DATABASE=$(1); $(PYTEST) -q -n $(WORKERS) --dist worksteal -m 'not alone' || status=$$?; \
  $(PYTEST) -q -m alone || status=$$?; exit $$status

.DEFAULT_GOAL := run
.DELETE_ON_ERROR:
.PHONY: run demo-reset test test-sqlite test-postgres faults mutants looks pictures check format venv requirements

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

$(VAR)/secret-key: | $(VENV)/run
	@mkdir -p $(VAR)
	@umask 077 && $(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(64))' > $@

run: $(VENV)/run $(VAR)/secret-key
	@exec $(MANAGE) runall --before migrate --before createcachetable --before 'collectstatic --noinput' \
	  --before demo --after 'demo --banner'

demo-reset: $(VENV)/run $(VAR)/secret-key
	@$(MANAGE) migrate --verbosity 0
	@$(MANAGE) createcachetable
	@$(MANAGE) demo --reset

test:
	@status=0; $(MAKE) --no-print-directory test-sqlite || status=$$?; \
	  $(MAKE) --no-print-directory test-postgres || status=$$?; exit $$status

test-sqlite: $(VENV)/dev
	@echo "On SQLite:"
	@$(call suite,sqlite)

test-postgres: $(VENV)/dev
	@echo "On PostgreSQL:"
	@$(call suite,postgres)

faults: $(VENV)/dev
	@status=0; for database in sqlite postgres; do \
	  IL2_TEST_DATABASE=$$database $(PYTEST) -q -s -m faults_long tests/faults || status=$$?; done; exit $$status

# MUTANTS="il2tracker.reminders.wishes*" makes it a part.
mutants: $(VENV)/dev
	IL2_TEST_DATABASE=sqlite $(BIN)/mutmut run $(MUTANTS) </dev/null | tail -n 2
	$(BIN)/mutmut results

looks: $(VENV)/dev
	$(PYTEST) -q -n $(WORKERS) --dist worksteal -m looks tests/looks

pictures: $(VENV)/dev
	IL2_PICTURES=1 $(PYTEST) -q tests/stories/test_pictures.py

check: $(VENV)/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint --quiet --lint templates
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && export $(REAL) IL2_VAR=$$folder && set -ex && \
	  $(BIN)/python manage.py makemigrations --check --dry-run && \
	  $(BIN)/python manage.py check --deploy --fail-level WARNING && \
	  $(BIN)/python manage.py collectstatic --noinput --verbosity 0

format: $(VENV)/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

venv: $(VENV)/dev

requirements: $(VENV)/dev
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header $(UPGRADE) requirements.in -o requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header $(UPGRADE) requirements-dev.in -o requirements-dev.txt
