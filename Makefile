# Everything is made inside this folder: .venv for Python 3.10+, .venvs/VERSION for the others. `make help` lists the targets.
SHELL := /bin/sh
VENV := .venv
PY := $(VENV)/bin/python
ARGS ?=
PINNED ?= 1
PYTHONS := python3.14 python3.13 python3.12 python3.11 python3.10 python3

.DEFAULT_GOAL := help
.PHONY: help run lab venue setup check dry-run test lint bench coverage test-all test-clients chaos docs clean bench-venue bench-backtest fuzz pins audit

help:  ## show this
	@echo "usage: make TARGET [ARGS='...']"; echo
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | awk -F '\t' '{ printf "  %-12s %s\n", $$1, $$2 }'
	@echo; echo "  make run ARGS='--run-for 60'    passes arguments on to the bot"
	@echo "  make test PINNED=               takes the newest releases instead of the pinned ones, in a new .venv"

run: $(VENV)/.installed  ## quote XBTUSD with paper money until Ctrl-C, on a venue on this machine
	@exec $(PY) marketmaker $(ARGS)

dry-run: $(VENV)/.installed  ## send nothing, show the orders that would be placed
	@exec $(PY) marketmaker --dry-run $(ARGS)

check: $(VENV)/.installed  ## show every setting and where it came from, then try the venue
	@exec $(PY) marketmaker check $(ARGS)

setup: $(VENV)/.installed  ## write settings.py
	@exec $(PY) marketmaker setup

lab: $(VENV)/.lab  ## install what backtest, report and tune need (Python 3.11+)
	@echo "The lab is in $(VENV). Next: . $(VENV)/bin/activate; marketmaker backtest --market calm"

venue: $(VENV)/.installed  ## run the venue alone; it prints its address and a key
	@exec $(PY) -m bitmex_venue $(ARGS)

test: $(VENV)/.developed  ## run all tests on one interpreter, two at a time (ARGS='-n 0': one after the other)
	$(PY) -m pytest -n 2 --dist worksteal $(ARGS)

lint: $(VENV)/.developed $(VENV)/.audited  ## look for mistakes, secrets and dangerous calls without running anything
	$(PY) -m ruff check .
	$(PY) .ci/secret-scan
	$(PY) -m bandit -q -r market_maker -ll --skip B102

pins: $(VENV)/.developed  ## pin anew, with hashes, what developers install on each Python (requirements/; needs PyPI and .venvs/2.7)
	@sh .ci/pins $(ARGS)

audit: $(VENV)/.developed $(VENV)/.audited  ## look for known vulnerabilities in what is installed (needs the network)
	@sh .ci/audit $(PY)

bench: $(VENV)/.developed  ## measure the bot beside the programs people use today; writes bench/RESULTS.md (20 minutes; ARGS=--quick: 6)
	@$(PY) -m bench $(ARGS)

bench-venue: $(VENV)/.developed  ## measure the venue: speed, realtime, memory, journal; writes bench/VENUE.md (ARGS=--quick: one minute)
	@$(PY) -m bench.venue $(ARGS)

bench-backtest: $(VENV)/.developed  ## measure a day in a back-test beside hftbacktest's own compiled loop; writes bench/BACKTEST.md
	@$(PY) -m bench.backtest $(ARGS)

fuzz: $(VENV)/.developed  ## throw generated requests at a venue, from its own description (schemathesis, a minute or two)
	@$(PY) -c 'import schemathesis' 2>/dev/null || $(PY) -m pip install --quiet --disable-pip-version-check -e '.[fuzz]'
	FUZZ=1 $(PY) -m pytest tests/wire/test_wire_schemathesis.py $(ARGS)

coverage: $(VENV)/.developed  ## run the tests and list the lines they never reach (also htmlcov/index.html)
	rm -f .coverage .coverage.*
	$(PY) -m pytest --cov --cov-config=tox.ini --cov-report= $(ARGS)
	$(PY) -m coverage html --rcfile=tox.ini -q
	$(PY) -m coverage report --rcfile=tox.ini

test-all: test  ## run the tests, then the bot's tests on every interpreter found
	@sh .ci/test-on all

test-clients: $(VENV)/.developed  ## run other people's BitMEX clients, unmodified, against the venue (needs the registries once)
	CLIENT_SECONDS=$${CLIENT_SECONDS:-40} $(PY) -m pytest tests/clients $(ARGS)

chaos: $(VENV)/.developed  ## break everything on purpose, count what came of it, write chaos/SCORECARD.md (needs PyPI once)
	$(PY) -m chaos $(ARGS)

docs: $(VENV)/.installed  ## write anew what the documentation takes from the code (settings, picture)
	$(PY) docs/update.py

clean:  ## remove what was made here (settings.py stays)
	rm -rf $(VENV) .venvs build dist *.egg-info .pytest_cache .ruff_cache .hypothesis htmlcov .coverage .coverage.*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.installed: setup.py | $(PY)
	@echo "Installing into $(VENV) ..."
	@$(PY) -m pip install --quiet --disable-pip-version-check -e '.[paper]'
	@touch $@

$(VENV)/.developed: setup.py | $(PY)
	@echo "Installing into $(VENV), with what the tests need ..."
	@PINNED='$(PINNED)' sh .ci/develop $(PY) '.[paper,lab,dev]'
	@touch $@ $(VENV)/.installed

$(VENV)/.lab: setup.py | $(PY)
	@echo "Installing the lab into $(VENV) ..."
	@$(PY) -m pip install --quiet --disable-pip-version-check -e '.[paper,lab]'
	@touch $@ $(VENV)/.installed

$(VENV)/.audited: setup.py | $(PY)
	@$(PY) -m pip install --quiet --disable-pip-version-check -e '.[audit]'
	@touch $@

$(PY):
	@for python in $(PYTHONS); do \
	  if $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1; then \
	    echo "Making $(VENV) with $$python ..."; exec $$python -m venv $(VENV); \
	  fi; \
	done; \
	echo "make needs Python 3.10 or newer with venv and pip on the PATH, and found none (tried: $(PYTHONS))." >&2; exit 1
