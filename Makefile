# Everything that is done with this repository. Needs GNU make and Python 3.11 or newer; `make help` lists the targets.
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PY := .venv/bin/python
RUN := .venv/.run-stamp
TEST := .venv/.test-stamp
ENGINES := var/engines
PIP := $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes
QUICK := not slow and not postgres and not s3 and not browser and not exiftool and not typescript and not nginx
# What tries the house as a whole, pages, pictures, drawn samples, and the slower of the properties; make test runs all of it.
QUICK_WITHOUT := faults keeping doctor sight deploy machines demo migrations web spotchecks remedies auditing photos http journeys \
    accounts/test_guessing.py accounts/test_wechat_client.py archives/test_archives.py visits/test_any_valid_visit.py \
    schedule/test_rule_properties.py schedule/test_derive_properties.py evidence/test_any_order.py

PORT ?= 8000
export PORT
ifdef DATA_DIR
export DATA_DIR
endif

.PHONY: help setup run serve demo-reset test quick lint engines bench faults lock openapi clean

help: ## list what can be done
	@sed -n 's/^\([a-z-]*\):.*## /  make \1	/p' $(firstword $(MAKEFILE_LIST)) | expand -t 20

# --- set-up ---------------------------------------------------------------------------------------------------------

setup: $(RUN) ## make .venv with what the service needs (a second call starts at once)

$(RUN): requirements.txt
	@set -e; python=; \
	for name in $(PYTHON) python3.11 python3.12 python3.13 python3.14 python3 python; do \
	    if "$$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; \
	    then python=$$name; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	    echo 'Python 3.11 or newer with its venv module is needed (Debian: apt-get install python3 python3-venv).' >&2; \
	    echo 'If it has another name or place: make PYTHON=/path/to/python3 ...' >&2; exit 1; \
	fi; \
	echo "setting up .venv with $$("$$python" --version)"; \
	"$$python" -m venv .venv
	@$(PIP) -r requirements.txt
	@touch $@

$(TEST): requirements-test.txt $(RUN)
	@echo 'adding what the tests need to .venv'
	@$(PIP) -r requirements-test.txt
	@touch $@

# --- running --------------------------------------------------------------------------------------------------------

run: $(RUN) ## load the demo township, play a month of field work, print who is overdue, and serve
	@$(PY) -m demo run

serve: $(RUN) ## serve the demo township without playing the month (PORT=8000 DATA_DIR=...)
	@$(PY) -m demo serve

demo-reset: $(RUN) ## delete the demo's data, so that the next run starts afresh
	@$(PY) -m demo reset

# --- testing --------------------------------------------------------------------------------------------------------

test: lint engines ## lint, install the engines that are missing, and run every test
	@marks=$$(cat $(ENGINES)/marks) && exec $(PY) -m pytest -p tests.engines.not_run -n 2 -m "not long$${marks:+ and $$marks}"

quick: $(TEST) ## ruff and the tests that need no engine, in under a minute
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check --quiet .
	@HYPOTHESIS_PROFILE=quick $(PY) -m pytest -n 2 -m "$(QUICK)" $(patsubst %,--ignore=tests/%,$(QUICK_WITHOUT)) \
	    $(if $(wildcard /dev/shm),--basetemp=/dev/shm/quick-$(shell id -u))

lint: $(TEST) ## ruff, mypy, and who may import whom
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check --quiet .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-logo

engines: ## install PostgreSQL, Ceph's object gateway, Chromium, ExifTool, TypeScript and nginx where they are missing
	@tests/engines/install.sh $(ENGINES)

bench: $(TEST) ## the benchmarks that fit ten minutes (one of them: .venv/bin/python -m bench NAME)
	@$(PY) -m bench

faults: $(TEST) ## kill, cut, fill and fail over, at length (docs/reliability.md), and look whether anything acknowledged is lost
	@FOR='postgres s3 exiftool nginx disk patroni faketime' tests/engines/install.sh $(ENGINES)
	@rm -f var/faults.md
	@marks=$$(cat $(ENGINES)/marks) && FAULTS=long FAULT_IMAGE_SECONDS=$${FAULT_IMAGE_SECONDS:-600} \
	    $(PY) -m pytest tests/faults -p tests.engines.not_run -q -m "slow$${marks:+ and $$marks}"; \
	code=$$?; echo; echo 'what was seen (var/faults.md):'; cat var/faults.md; exit $$code

# --- upkeep ---------------------------------------------------------------------------------------------------------

LOCK := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

lock: ## re-make requirements*.txt with hashes from pyproject.toml (UPGRADE=1 takes newer versions)
	@set -e; \
	uv=$$(command -v uv || { test -x .venv/bin/uv && echo .venv/bin/uv; } || true); \
	pip_compile=$$(command -v pip-compile || { test -x .venv/bin/pip-compile && echo .venv/bin/pip-compile; } || true); \
	if [ -n "$$uv" ]; then \
	    "$$uv" pip compile $(LOCK) $(if $(UPGRADE),--upgrade) -o requirements.txt pyproject.toml; \
	    "$$uv" pip compile $(LOCK) $(if $(UPGRADE),--upgrade) --extra test -c requirements.txt \
	        -o requirements-test.txt pyproject.toml; \
	elif [ -n "$$pip_compile" ]; then \
	    flags='--quiet --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-header --strip-extras'; \
	    "$$pip_compile" $$flags $(if $(UPGRADE),--upgrade) -o requirements.txt pyproject.toml; \
	    "$$pip_compile" $$flags $(if $(UPGRADE),--upgrade) --extra test -c requirements.txt \
	        -o requirements-test.txt pyproject.toml; \
	else \
	    echo 'uv or pip-compile is needed to lock: python3 -m pip install uv' >&2; exit 1; \
	fi

openapi: $(RUN) ## write docs/openapi.json from the schemas
	@set -e; scratch=$$(mktemp -d); trap 'rm -rf "$$scratch"' EXIT; mkdir "$$scratch/uploads"; \
	DATABASE_URL="sqlite:///$$scratch/app.sqlite" STORAGE_URL="file://$$scratch/uploads" \
	SECRET_KEY='only to describe the interface, serves nobody' \
	KEYRING="$$($(PY) -c 'from server.vault.keyring import Keyring; print(Keyring.generate().to_json())')" \
	.venv/bin/flask --app wsgi openapi-file

clean: ## delete .venv and the caches; data in var/ and uploads/ stay
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
