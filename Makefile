# Everything a checkout needs, on a machine with Python 3.11 or later and make. Nothing here asks for root.
# `make help` lists what there is.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check
# Tests that run at the same time. They wait for processes and sockets as much as they compute.
JOBS ?= 3
# Passed on to troth (demo, bench) or pytest (test, soak): make demo ARGS=--once
ARGS ?=
# One seed for the order of the tests, for invented input and for every sample of a campaign: TROTH_SEED=7 make test repeats a run.
export TROTH_SEED := $(or $(TROTH_SEED),$(shell od -An -N4 -tu4 /dev/urandom | tr -d ' '))
# Files of a scratch shop, for tools that import Django's settings.
TOOLS := . .ci/home.sh &&
PYTEST := $(PY) -m pytest -q -n $(JOBS) --hypothesis-seed=$(TROTH_SEED)
# As above; the few that failed beside others get one more look, alone, and are named.
AGAIN := $(PY) -m tests.again -q -n $(JOBS) --hypothesis-seed=$(TROTH_SEED)
POSTGRES := $(PY) -m tests.postgres --
# A campaign in full may take hours; what hangs is still ended some day.
PATIENT := -o faulthandler_timeout=14400

.DEFAULT_GOAL := help
.PHONY: help demo test screens soak bench check lint types contracts migrations shape lock clean run dev
.DELETE_ON_ERROR:

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: run ## a shop with sample products, PayPal and Skrill look-alikes and a mailbox; ARGS=--once buys by itself
	@$(VENV)/bin/troth demo $(ARGS)

test: dev ## every kind of test on SQLite, then on PostgreSQL; the long campaigns as a seeded sample
	@echo "== SQLite"; sqlite=0; $(AGAIN) $(ARGS) || sqlite=$$?; \
	echo "== PostgreSQL"; $(POSTGRES) $(AGAIN) -m "not browser" $(ARGS) && exit $$sqlite

screens: dev ## the pictures in docs/screens, taken anew
	@TROTH_SCREENS=1 $(PY) -m pytest -q tests/browser -k "pictures or red_before"

soak: export TROTH_CAMPAIGN := full
soak: dev ## the long campaigns (kills, faults, fuzz) in full, on both databases; prints seed and commit
	@echo "== SQLite"; sqlite=0; $(PYTEST) -m soak $(PATIENT) $(ARGS) || sqlite=$$?; \
	echo "== PostgreSQL"; $(POSTGRES) $(PYTEST) -m soak $(PATIENT) $(ARGS) && exit $$sqlite

bench: dev ## what a page and a purchase cost, beside a baseline measured in the same run
	@$(VENV)/bin/troth bench $(ARGS)

check: lint types contracts migrations shape ## lint, format, types, import contracts, migrations, shape; make -k check tells all

lint: dev
	@echo "== ruff"; $(PY) -m ruff check -q . && $(PY) -m ruff format -q --check .
types: dev
	@echo "== mypy"; $(TOOLS) $(PY) -m mypy
contracts: dev
	@echo "== import contracts"; $(VENV)/bin/lint-imports --no-logo
migrations: dev
	@echo "== migrations"; $(TOOLS) $(PY) manage.py makemigrations --check --dry-run
shape: dev
	@echo "== shape"; $(PY) -m pytest -q tests/shape

lock: dev ## pin the newest versions that requirements*.in allow, with hashes
	@$(PY) -m uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links requirements.in -o requirements.txt
	@$(PY) -m uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links -c requirements.txt requirements-dev.in -o requirements-dev.txt

clean: ## remove what was built: the venv, the demo's shop, caches
	@rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Install the pinned packages; count them by for whoever looks at a terminal. pip speaks for itself when it fails.
INSTALL = [ -t 1 ] && see=1 || see=0; \
	{ $(PIP) install --progress-bar off --require-hashes -r $<; echo "pip ended $$?"; } | \
	awk -v all="$$(grep -c == $<)" -v see=$$see '/^pip ended / { code = $$3 } \
		/^(Collecting|Requirement already)/ && see { printf "\r  %d of %d ", ++done, all; fflush() } \
		/^Installing/ && see { printf "\r  unpacking    "; fflush() } END { if (see) print ""; exit code }'

run: $(VENV)/run.stamp
dev: $(VENV)/dev.stamp

# A line in the venv's path file makes `import troth` work in every process; the launcher makes `.venv/bin/troth`.
$(PY):
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Troth needs Python 3.11 or later; $(PYTHON) is %d.%d. Name another: make PYTHON=python3.12" % sys.version_info[:2])'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments: install its venv package (on Debian and Ubuntu: python3-venv)." >&2; exit 1; }
	@echo "Making $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements.txt Makefile | $(PY)
	@echo "Installing what a shop needs ($$(grep -c == $<) packages)"
	@$(INSTALL)
	@echo "$(realpath src)" > "$$($(PY) -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/troth.pth"
	@printf '#!/bin/sh\nexec "$$(dirname "$$0")/python" -m troth "$$@"\n' > $(VENV)/bin/troth && chmod +x $(VENV)/bin/troth
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt $(VENV)/run.stamp
	@echo "Installing what the tests need besides ($$(grep -c == $<) packages in all)"
	@$(INSTALL)
	@touch $@
